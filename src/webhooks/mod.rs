//! Webhooks: what happens in an environment or an organisation, told to URLs of others.
//!
//! ```text
//! event, untold ──Relay: one unit──▶ deliveries, one for each webhook that hears of it
//!                                        │ Couriers of every node, each by a lease
//!          pending ──2xx──▶ delivered    │
//!            ├──refused──▶ pending, later and later for a day ──▶ failed
//!            └──the node died──▶ pending        Every event arrives at least once, in no order.
//! ```
//!
//! A webhook is of an environment, and hears of all that happens there, or of an organisation, and
//! hears of that alone; who administers either makes and reads them. Messages hold identifiers and are
//! signed by the Standard Webhooks specification; `GET /v1/events` gives the same ones to whoever
//! would rather ask. Not here: how a request leaves the house ([`crate::outbound`]).

mod api;
mod changing;
mod copying;
mod courier;
mod deliveries;
mod deliveries_api;
mod disabling;
mod feed;
#[cfg(test)]
mod fuzz;
mod headers;
mod lanes;
mod message;
mod pattern;
mod record;
mod relay;
mod repo;
mod schedule;
mod sending;
mod service;
mod settling;
mod signature;
mod wire;

pub use self::api::routes;
pub use self::courier::{Courier, Couriers};
pub use self::deliveries::{Delivery, Undelivered, undelivered};
pub use self::feed::EventFeed;
pub use self::record::Webhook;
pub use self::relay::{RELAYING, Relay};
pub use self::service::{Bell, Webhooks};
