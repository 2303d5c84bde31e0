//! Audit: the record of what happened in an environment, for those who look after it.
//!
//! Events are written in the transaction of their fact ([`crate::events`]) and read here: no
//! route changes or removes one. They are kept for the retention of the installation, and outlive
//! whom they name. An administrator sees his environment's; what an operator does there is among
//! them. Whoever runs an organisation sees what happened in it. Only refusals are written here, for
//! all features. Not here: which events there are ([`crate::events::Name`]).

mod api;
mod denials;
mod organization;
mod service;

pub use self::api::routes;
pub use self::denials::Denials;
pub use self::organization::OrganizationRecord;
pub use self::service::{Audit, RETENTION};
