//! Authsome: a multi-tenant identity server in one binary.
//!
//! ```text
//! kernel ← store ← tokens, access, events, limits, jobs, telemetry ← http ← features (left to right) ← app ← cli
//!    ↑── config ← mail, outbound ← features
//!
//! features: apps settings environments forms branding client_config users credentials notifications
//!           links devices session_rules rbac memberships idempotency api_keys sessions verification
//!           passwords magic_links orgs teams roles invitations permissions tuning styling pages locks
//!           departures accounts keys service_accounts exchange tenancy transfers statistics
//!           revocations audit webhooks cloning setup backups metrics health discovery
//! ```
//!
//! Whoever stands left knows nothing of what stands right; `tests/it/architecture.rs` holds the
//! table and enforces it. A small kernel and a few platform modules carry everything that is not
//! about one noun; every noun of the product is one folder: `mod.rs` (what it is), `record.rs`
//! (the document and its pure rules), `repo.rs` (named queries), `service.rs` (the verbs; units of
//! work open and close here), `api.rs` (wire types and handlers). A request passes `http` (see
//! [`http`]), a handler, a service, a repository, and comes back as a document or a problem.

pub mod access;
pub mod accounts;
pub mod api_keys;
pub mod app;
pub mod apps;
pub mod audit;
pub mod backups;
pub mod branding;
pub mod cli;
pub mod client_config;
pub mod cloning;
pub mod config;
pub mod credentials;
pub mod departures;
pub mod devices;
pub mod discovery;
pub mod environments;
pub mod events;
pub mod exchange;
pub mod forms;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod invitations;
pub mod jobs;
pub mod kernel;
pub mod keys;
pub mod limits;
pub mod links;
pub mod locks;
pub mod magic_links;
pub mod mail;
pub mod memberships;
pub mod metrics;
pub mod notifications;
pub mod orgs;
pub mod outbound;
pub mod pages;
pub mod passwords;
pub mod permissions;
pub mod rbac;
pub mod revocations;
pub mod roles;
pub mod service_accounts;
pub mod session_rules;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod statistics;
pub mod store;
pub mod styling;
pub mod teams;
pub mod telemetry;
pub mod tenancy;
pub mod tokens;
pub mod transfers;
pub mod tuning;
pub mod users;
pub mod verification;
pub mod webhooks;
