//! Access: who may do what.
//!
//! ```text
//! roles of a person ──[`subjects`]──▶ subjects ──[`Policy::allows`]──▶ yes or no
//!                                                    ▲
//!                     policies/model.conf, roles.csv ┘   (embedded, checked at start)
//! ```
//!
//! Every permission is one row of the table in [`permission`], every grant one line of
//! `policies/roles.csv`, and everything that neither names is refused. A handler asks by naming a
//! marker type such as [`ListUsers`] in its guard; the expected decisions stand in
//! `policies/cases.csv`. Not here: who the caller is (`http`, `sessions`), and which documents a
//! tenant owns ([`crate::store`]).

mod cases;
mod permission;
mod policy;
mod roles;

pub use cases::{BadCase, Case, cases};
pub use permission::{
    AssignRoles, BanUser, ChangeOwnDevice, DeleteMe, DeleteUser, ExportMe, Grantable, Impersonate,
    ListOwnDevices, ListOwnSessions, ListUserSessions, ListUsers, OperateApps, PERMISSIONS,
    Permission, ReadEnvironments, ReadEvents, ReadMe, ReadNotifications, ReadRevocations, ReadSelf,
    ReadSessionConfig, ReadUser, ResetPasswords, RevokeOwnSession, RevokeUserSessions, SignOut,
    UnbanUser, UnlockUser, UpdateEnvironments, UpdateMe, UpdateSessionConfig,
};
pub use policy::{Policy, PolicyError};
pub use roles::{Role, UnknownRole, assignable, guarding, holds, impersonated, subjects};
