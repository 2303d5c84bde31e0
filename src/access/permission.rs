//! The table of permissions: one row each, and everything else derived from it.
//!
//! A row gives the realm in which it counts, the object, the action, the marker types that guards
//! name, and what it allows, in the words of the catalogue. `policies/roles.csv` grants the rows of
//! apps to roles, `policies/organization.csv` those of organisations; neither loads while one of its
//! rows is granted to nobody.

use super::realm::{InApp, InOrganization, Realm};

/// What a guard asks for. Implemented by the markers of the table below and by nothing else.
pub trait Permission: 'static {
    /// [`InApp`] or [`InOrganization`].
    type In;
    const ROW: Grantable;
    const OBJECT: &'static str;
    const ACTION: &'static str;
    /// `object:action`, as the API spells it.
    const NAME: &'static str;
    /// What holding it allows, as a verb phrase.
    const DESCRIPTION: &'static str;
}

/// A permission as a value: a row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grantable {
    pub realm: Realm,
    pub object: &'static str,
    pub action: &'static str,
    pub name: &'static str,
    pub description: &'static str,
}

macro_rules! permissions {
    ($($realm:ident $object:literal : $action:literal => $($marker:ident),+ ; $description:literal)*) => {
        $($(
            #[doc = concat!("`", $object, ":", $action, "`: ", $description, ".")]
            #[derive(Clone, Copy, Debug)]
            pub struct $marker;

            impl Permission for $marker {
                type In = $realm;
                const ROW: Grantable = Grantable {
                    realm: $realm::REALM,
                    object: $object,
                    action: $action,
                    name: Self::NAME,
                    description: $description,
                };
                const OBJECT: &'static str = $object;
                const ACTION: &'static str = $action;
                const NAME: &'static str = concat!($object, ":", $action);
                const DESCRIPTION: &'static str = $description;
            }
        )+)*

        /// Every permission of the product, in the order of the table.
        pub const PERMISSIONS: &[Grantable] = &[$(
            Grantable {
                realm: $realm::REALM,
                object: $object,
                action: $action,
                name: concat!($object, ":", $action),
                description: $description,
            },
        )*];
    };
}

permissions! {
    InApp "me":"read" => ReadMe; "read one's own account"
    InApp "me":"update" => UpdateMe; "change one's own account"
    InApp "me":"delete" => DeleteMe; "delete one's own account"
    InApp "me":"export" => ExportMe; "be given all that is kept about oneself"
    InApp "me":"sign_out" => SignOut; "end the session that one acts in"
    InApp "me":"sessions" => ListOwnSessions, RevokeOwnSession; "list one's own sessions and end them"
    InApp "me":"devices" => ListOwnDevices, ChangeOwnDevice; "list one's own devices, name, trust and remove them"
    InApp "me":"organizations" => ListOwnOrganizations; "list the organisations that one is a member of"
    InApp "me":"switch_organization" => SwitchOrganization; "go on in another organisation that one is a member of"
    InApp "me":"invitations" => ListOwnInvitations; "list the invitations to one's own address"
    InApp "organizations":"create" => CreateOrganization, CheckSlug; "found organisations"
    InApp "organizations":"enter" => EnterOrganizations; "act in organisations, as far as one's place there allows"
    InApp "organizations":"administer" => ListOrganizations, LimitSeats; "list the organisations of the environment, limit their seats, and found them for others"
    InApp "roles":"read" => ReadRoles; "read the roles of the app"
    InApp "roles":"manage" => ManageRoles; "define roles for all organisations of the app"
    InApp "permissions":"read" => ReadPermissions; "read which permissions there are"
    InApp "permissions":"check" => CheckPermissions; "ask what one may do oneself"
    InApp "permissions":"check_others" => CheckOthers; "ask what other users of the app may do"
    InApp "permissions":"register" => RegisterPermissions; "register resources and actions of the app's own"
    InApp "users":"list" => ListUsers; "list the users of the app"
    InApp "users":"read" => ReadUser; "read any user of the app"
    InApp "users":"read_self" => ReadSelf; "read oneself among the users of the app"
    InApp "users":"assign_roles" => AssignRoles; "give roles to users of the app, and take them away"
    InApp "users":"reset_password" => ResetPasswords; "have users of the app set new passwords"
    InApp "users":"unlock" => UnlockUser; "lift the locks of users of the app"
    InApp "users":"ban" => BanUser, UnbanUser; "ban users of the app, and lift bans"
    InApp "users":"delete" => DeleteUser; "delete users of the app"
    InApp "users":"impersonate" => Impersonate; "act as a user of the app, for a while"
    InApp "users":"create" => CreateUser; "make accounts for others"
    InApp "users":"update" => UpdateUser; "change the accounts of users of the app"
    InApp "users":"import" => ImportUsers; "bring users into the app, with their password hashes"
    InApp "users":"export" => ExportUsers; "take the users of the app along, without their password hashes"
    InApp "password_hashes":"export" => ExportHashes; "take password hashes along with users"
    InApp "users":"sessions" => ListUserSessions, RevokeUserSessions, RevokeSessions; "list the sessions of any user of the app and end them"
    InApp "environments":"read" => ReadEnvironments; "read the environments of the app"
    InApp "environments":"create" => CreateEnvironment, CloneEnvironment; "make environments of the app, also like one that there is"
    InApp "environments":"delete" => DeleteEnvironment; "delete environments of the app"
    InApp "environments":"update" => UpdateEnvironments; "change the environments of the app"
    InApp "revocations":"read" => ReadRevocations; "read which tokens are revoked"
    InApp "session_config":"read" => ReadSessionConfig; "read the session rules of the app"
    InApp "session_config":"update" => UpdateSessionConfig; "change the session rules of the app"
    InApp "settings":"read" => ReadSettings; "read the settings of the app and its environments"
    InApp "settings":"update" => UpdateSettings; "choose settings of the app and its environments"
    InApp "form_config":"read" => ReadFormConfig; "read the forms of the app"
    InApp "form_config":"update" => UpdateFormConfig; "change the forms of the app"
    InApp "client_config":"read" => ReadClientConfig; "read which ways in and pages the app has"
    InApp "client_config":"update" => UpdateClientConfig; "change which ways in and pages the app has"
    InApp "branding":"read" => ReadBranding; "read how the app looks in letters and on pages"
    InApp "branding":"update" => UpdateBranding; "change how the app looks in letters and on pages"
    InApp "events":"read" => ReadEvents; "read the security events of an environment"
    InApp "notifications":"read" => ReadNotifications; "read which letters were sent, and which were not"
    InApp "metrics":"read" => ReadMetrics; "read how the server fares"
    InApp "webhooks":"read" => ReadWebhooks; "read the webhooks of an environment, and what became of their deliveries"
    InApp "webhooks":"manage" => ManageWebhooks; "make, change, test and delete webhooks of an environment"
    InApp "statistics":"read" => ReadStatistics; "read how many users, sessions and sign-ins there are"
    InApp "app":"read" => ReadApp; "read how the app is described"
    InApp "app":"update" => UpdateApp; "change how the app is described"
    InApp "api_keys":"own" => ListKeys, ReadKey, CreateKey, UpdateKey, RotateKey, RevokeKey; "have API keys, as far as one's own rights go"
    InApp "api_keys":"manage" => ManageKeys; "have secret keys of the environment, and revoke those of users"
    InApp "service_accounts":"read" => ReadServiceAccounts; "read the service accounts of the environment"
    InApp "service_accounts":"manage" => ManageServiceAccounts; "make and change service accounts, and give them keys"
    InApp "tokens":"introspect" => Introspect; "ask what a token or a key is good for"
    InApp "apps":"operate" => OperateApps; "act on another app, and create apps"
    InApp "platform":"owners" => ChangePlatformOwners; "make others owners of the installation, and take that back"

    InOrganization "organization":"read" => ReadOrganization, ReadOrganizationBranding; "read the organisation"
    InOrganization "organization":"update" => UpdateOrganization, UpdateOrganizationBranding; "change the organisation"
    InOrganization "organization":"delete" => DeleteOrganization; "delete the organisation"
    InOrganization "organization":"transfer" => TransferOrganization; "hand one's ownership to another member"
    InOrganization "members":"read" => ReadMembers; "list the members, and what they are"
    InOrganization "members":"add" => AddMember; "add users of the app as members"
    InOrganization "members":"update" => UpdateMember; "change the roles of members"
    InOrganization "members":"remove" => RemoveMember; "remove members"
    InOrganization "invitations":"read" => ReadInvitations; "list the invitations"
    InOrganization "invitations":"create" => Invite, ResendInvitation; "invite people, and write to them again"
    InOrganization "invitations":"revoke" => RevokeInvitation; "revoke invitations"
    InOrganization "teams":"read" => ReadTeams; "list the teams"
    InOrganization "teams":"create" => CreateTeam; "make teams"
    InOrganization "teams":"update" => UpdateTeam; "change teams"
    InOrganization "teams":"delete" => DeleteTeam; "delete teams"
    InOrganization "team_members":"read" => ReadTeamMembers; "list the members of teams"
    InOrganization "team_members":"add" => AddTeamMember; "put members into teams"
    InOrganization "team_members":"update" => UpdateTeamMember; "change what members are in teams"
    InOrganization "team_members":"remove" => RemoveTeamMember; "take members out of teams"
    InOrganization "organization_roles":"read" => ReadOrganizationRoles; "list the roles that members can have"
    InOrganization "organization_roles":"create" => CreateOrganizationRole; "define roles of the organisation"
    InOrganization "organization_roles":"update" => UpdateOrganizationRole; "change roles of the organisation"
    InOrganization "organization_roles":"delete" => DeleteOrganizationRole; "delete roles of the organisation"
    InOrganization "organization_events":"read" => ReadOrganizationEvents; "read what happened in the organisation"
    InOrganization "organization_settings":"read" => ReadOrganizationSettings; "read the settings of the organisation"
    InOrganization "organization_settings":"update" => UpdateOrganizationSettings; "choose settings of the organisation"
    InOrganization "organization_webhooks":"read" => ReadOrganizationWebhooks; "read the webhooks of the organisation, and what became of their deliveries"
    InOrganization "organization_webhooks":"manage" => ManageOrganizationWebhooks; "make, change, test and delete webhooks of the organisation"
    InOrganization "organization_keys":"read" => ReadOrganizationKeys; "list the API keys of the organisation"
    InOrganization "organization_keys":"manage" => ManageOrganizationKeys; "make, change and revoke API keys of the organisation"
    InOrganization "rights":"check" => CheckRights; "ask what other members may do"
}

impl Grantable {
    /// The row for a question, or `None` when the product has no such permission in that realm.
    pub(super) fn of(realm: Realm, object: &str, action: &str) -> Option<&'static Self> {
        Self::in_realm(realm).find(|row| row.object == object && row.action == action)
    }

    /// The rows of a realm, in the order of the table.
    pub(super) fn in_realm(realm: Realm) -> impl Iterator<Item = &'static Self> {
        PERMISSIONS.iter().filter(move |row| row.realm == realm)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_its_own_name() {
        let names: BTreeSet<_> = PERMISSIONS.iter().map(|row| row.name).collect();

        assert_eq!(names.len(), PERMISSIONS.len());
    }

    #[test]
    fn names_are_plain_words_that_no_policy_syntax_can_touch() {
        let plain =
            |word: &str| !word.is_empty() && word.chars().all(|c| matches!(c, 'a'..='z' | '_'));

        assert!(
            PERMISSIONS
                .iter()
                .all(|row| plain(row.object) && plain(row.action))
        );
    }

    #[test]
    fn two_markers_of_one_row_are_one_permission() {
        assert_eq!(ListOwnSessions::NAME, RevokeOwnSession::NAME);
        assert_eq!(AssignRoles::NAME, "users:assign_roles");
    }
}
