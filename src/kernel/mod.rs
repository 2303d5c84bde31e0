//! The vocabulary every other module speaks: identifiers, time, chance, secrets, checksums, text,
//! style sheets, networks, pages.
//!
//! Everything here is a pure value or is handed in as an argument; nothing reads a store, a
//! socket or the environment. Values are parsed once, at the edge, and trusted inside.
//! Who may use it: everyone. What it may use: no other module of this crate.
//! Not here: rules of a feature, the shape of a problem (`http`), persistence (`store`).

pub mod algorithm;
pub mod checksum;
pub mod css;
pub mod entropy;
#[cfg(test)]
pub(crate) mod fuzz;
pub mod id;
pub mod language;
pub mod lines;
pub mod measure;
pub mod metadata;
pub mod network;
pub mod page;
pub mod password;
pub mod rate;
pub mod secret;
pub mod sweep;
pub mod tenant;
pub mod text;
pub mod time;
