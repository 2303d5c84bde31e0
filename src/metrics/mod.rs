//! Metrics: how this node fares, in numbers (Prometheus's text format).
//!
//! ```text
//! http store tokens credentials caches ──count, as they work──▶ Measured ─┐
//! the store, asked when somebody looks: letters and deliveries that wait ─┼─▶ GET /metrics
//! the process: memory, files, time ───────────────────────────────────────┘
//! ```
//!
//! Whoever runs the installation may look, and nobody else: operators, or who reaches the address
//! that is set for metrics alone, and then they are there only (AD-04).
//! Numbers are by operation, problem and the like: never by tenant, user, path or address (SL-02).

mod api;
mod listener;
mod process;
mod service;

pub use self::api::routes;
pub use self::listener::listen;
pub use self::service::Metrics;
