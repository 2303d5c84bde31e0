//! Access: who may do what.
//!
//! ```text
//! roles in the app ──[`subjects`]──▶ [`Policy::allows`]            one policy, for every app
//!                                        ▲ policies/roles.csv
//!  and place in an organisation ───▶ [`OrgPolicy::allows`]         one for each organisation
//!                                        ▲ policies/organization.csv, and what app and organisation define
//! ```
//!
//! Every permission is one row of the table in [`permission`], of one [`Realm`]; every grant one line
//! of the files in `policies/`, embedded and checked at start, or of a role that somebody defined.
//! Everything that neither names is refused. A handler asks by naming a marker type such as
//! [`ListUsers`] in its guard; the expected decisions stand in `policies/cases.csv` and
//! `policies/organization_cases.csv`. Not here: who the caller is (`http`, `sessions`), what he is in
//! an organisation (`memberships`), and which documents a tenant owns ([`crate::store`]).

mod cases;
mod organization;
mod permission;
mod place;
mod policy;
mod realm;
mod rights;
mod roles;

pub use cases::{BadCase, Case, cases, organization_cases};
pub use organization::{OrgPolicies, OrgPolicy, Resource, RoleRule};
pub use permission::{
    AddMember, AddTeamMember, AssignRoles, BanUser, ChangeOwnDevice, CheckOthers, CheckPermissions,
    CheckRights, CheckSlug, CreateOrganization, CreateOrganizationRole, CreateTeam, DeleteMe,
    DeleteOrganization, DeleteOrganizationRole, DeleteTeam, DeleteUser, EnterOrganizations,
    ExportMe, Grantable, Impersonate, Invite, LimitSeats, ListOrganizations, ListOwnDevices,
    ListOwnInvitations, ListOwnOrganizations, ListOwnSessions, ListUserSessions, ListUsers,
    ManageRoles, OperateApps, PERMISSIONS, Permission, ReadEnvironments, ReadEvents,
    ReadInvitations, ReadMe, ReadMembers, ReadNotifications, ReadOrganization,
    ReadOrganizationEvents, ReadOrganizationRoles, ReadPermissions, ReadRevocations, ReadRoles,
    ReadSelf, ReadSessionConfig, ReadTeamMembers, ReadTeams, ReadUser, RegisterPermissions,
    RemoveMember, RemoveTeamMember, ResendInvitation, ResetPasswords, RevokeInvitation,
    RevokeOwnSession, RevokeUserSessions, SignOut, SwitchOrganization, TransferOrganization,
    UnbanUser, UnlockUser, UpdateEnvironments, UpdateMe, UpdateMember, UpdateOrganization,
    UpdateOrganizationRole, UpdateSessionConfig, UpdateTeam, UpdateTeamMember,
};
pub use place::{BuiltInRole, NotARole, OrgRole, TeamRole, is_reserved, is_subject};
pub use policy::{Policy, PolicyError};
pub use realm::{InApp, InOrganization, Realm};
pub use rights::{NotAPattern, Pattern, Source};
pub use roles::{Role, UnknownRole, assignable, guarding, holds, impersonated, subjects};
