//! What tests stand on.

pub mod acme;
pub mod app;
pub mod client;
pub mod dump;
pub mod events;
pub mod exchange;
pub mod facts;
pub mod forge;
pub mod invitations;
pub mod life;
pub mod log;
pub mod mail;
pub mod node;
pub mod orgs;
pub mod persona;
pub mod plans;
pub mod raw;
pub mod roles;
pub mod smtp;
pub mod spec;
pub mod stores;
pub mod wire;
