//! Branding: how an app, or one of its organisations, looks in letters and on pages.
//!
//! ```text
//! organisation ─▶ what it sets ─▶ its own name and logo ┐
//! app ──────────▶ what it sets ─▶ its own name and logo ┼─▶ [`Brand::of`]: field by field, the first
//! product ──────▶ its own colours and fonts ────────────┘
//! ```
//!
//! Nobody fetches a logo here: readers' programs do. Everything is checked when it is set, so that it
//! can stand where it is shown. Not here: who may set it (`styling`), and how a letter wears it
//! ([`crate::mail`]).

mod brand;
mod record;
mod repo;
mod service;
mod wire;

pub use self::brand::{Brand, Level};
pub use self::record::{BrandingConfig, Look, ONE_LOOK, Place};
pub use self::repo::{forget_organization, remove, replace};
pub use self::service::{Brands, Worn};
