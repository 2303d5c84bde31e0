//! Everything that is tested from outside the library, in one binary that links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "a test fails by panicking, measures real time, and reads what tests/run provides"
)]

mod api;
mod architecture;
mod contract;
mod e2e;
#[path = "../faults/mod.rs"]
mod faults;
mod profiler;
mod store;
mod support;
