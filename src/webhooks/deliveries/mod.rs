//! Deliveries: what became of an event on its way to a webhook.

mod record;
pub(super) mod repo;

pub use self::record::Delivery;
pub(super) use self::record::{DeliveryStatus, Failure};
