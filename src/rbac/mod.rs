//! Roles and permissions that apps and organisations define, and the policies compiled from them.
//!
//! ```text
//! catalogue of the app ┐
//! roles of the app     ┼─▶ [`Policies`] ──▶ one small policy for each organisation, kept while its
//! roles of the org.    ┘                    version counts
//! ```
//!
//! A policy is named by what it was compiled from: every change gives app or organisation a new
//! [`crate::kernel::id::PolicyId`], so that a policy compiled in a unit of work that did not commit is
//! never taken for another. Documents, queries and the compiled policies are here; the verbs are in
//! `roles` and `permissions`.

mod policies;
mod record;
mod repo;

pub use self::policies::{InForce, Policies};
pub use self::record::{
    Catalogue, CustomRole, ROLE_NAME_TAKEN, RegisteredResource, Scope, TEMPLATE_NAME_TAKEN,
};
pub use self::repo::{
    RoleChanges, app_roles_changed, catalogue, children, get, hold_templates, insert,
    of_organization, remove, remove_own, reparent, replace_catalogue, templates, update,
};
