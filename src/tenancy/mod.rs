//! Tenancy: apps as their operators found, describe and close them.
//!
//! ```text
//! found ──▶ app, production and development, a signing key and a secret key of each
//! close ──▶ slug free, no key and no token good   one unit: the app is unknown from here on
//!             └─▶ what it owns is removed, batch by batch, here or by whichever node comes to it
//! ```
//!
//! An app is founded by an operator of the platform, and read and described by its own
//! administrators too. What goes with one follows from what collections declare to own
//! ([`crate::store::Schema::owner`]). The platform app stays, and never loses its last owner.
//! Not here: the document of an app ([`crate::apps`]), and what a first start makes (`setup`).

mod api;
mod closing;
mod founding;
mod owners;
mod service;
mod wire;

pub use self::api::routes;
pub use self::closing::CLOSING;
pub use self::founding::{Founded, found};
pub use self::service::{Tenancy, TenancyError};
