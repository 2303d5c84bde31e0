//! Deliveries: what became of an event on its way to a webhook.

mod backlog;
mod record;
pub(super) mod repo;

pub use self::backlog::{Undelivered, undelivered};
pub use self::record::Delivery;
pub(super) use self::record::{DeliveryStatus, Failure};
