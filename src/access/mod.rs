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
#[cfg(test)]
mod fuzz;
mod organization;
mod permission;
mod place;
mod policy;
mod realm;
mod rights;
mod roles;
mod scopes;

pub use cases::{BadCase, Case, cases, organization_cases};
pub use organization::{OrgPolicies, OrgPolicy, Resource, RoleRule};
pub use permission::{
    AddMember, AddTeamMember, AssignRoles, BanUser, ChangeOwnDevice, ChangePlatformOwners,
    CheckOthers, CheckPermissions, CheckRights, CheckSlug, CloneEnvironment, CreateEnvironment,
    CreateKey, CreateOrganization, CreateOrganizationRole, CreateTeam, CreateUser,
    DeleteEnvironment, DeleteMe, DeleteOrganization, DeleteOrganizationRole, DeleteTeam,
    DeleteUser, EnterOrganizations, ExportHashes, ExportMe, ExportUsers, Grantable, Impersonate,
    ImportUsers, Introspect, Invite, LimitSeats, ListKeys, ListOrganizations, ListOwnDevices,
    ListOwnInvitations, ListOwnOrganizations, ListOwnSessions, ListUserSessions, ListUsers,
    ManageKeys, ManageOrganizationKeys, ManageOrganizationWebhooks, ManageRoles,
    ManageServiceAccounts, ManageWebhooks, OperateApps, PERMISSIONS, Permission, ReadApp,
    ReadBranding, ReadClientConfig, ReadEnvironments, ReadEvents, ReadFormConfig, ReadInvitations,
    ReadKey, ReadMe, ReadMembers, ReadMetrics, ReadNotifications, ReadOrganization,
    ReadOrganizationBranding, ReadOrganizationEvents, ReadOrganizationKeys, ReadOrganizationRoles,
    ReadOrganizationSettings, ReadOrganizationWebhooks, ReadPermissions, ReadRevocations,
    ReadRoles, ReadSelf, ReadServiceAccounts, ReadSessionConfig, ReadSettings, ReadStatistics,
    ReadTeamMembers, ReadTeams, ReadUser, ReadWebhooks, RegisterPermissions, RemoveMember,
    RemoveTeamMember, ResendInvitation, ResetPasswords, RevokeInvitation, RevokeKey,
    RevokeOwnSession, RevokeSessions, RevokeUserSessions, RotateKey, SignOut, SwitchOrganization,
    TransferOrganization, UnbanUser, UnlockUser, UpdateApp, UpdateBranding, UpdateClientConfig,
    UpdateEnvironments, UpdateFormConfig, UpdateKey, UpdateMe, UpdateMember, UpdateOrganization,
    UpdateOrganizationBranding, UpdateOrganizationRole, UpdateOrganizationSettings,
    UpdateSessionConfig, UpdateSettings, UpdateTeam, UpdateTeamMember, UpdateUser,
};
pub use place::{BuiltInRole, NotARole, OrgRole, TeamRole, is_reserved, is_subject};
pub use policy::{Policy, PolicyError};
pub use realm::{InApp, InOrganization, Realm};
pub use rights::{NotAPattern, Pattern, Source};
pub use roles::{
    Role, UnknownRole, assignable, guarding, holds, impersonated, of_organization, subjects,
};
pub use scopes::{Scopes, is_scope, unlimited};
