//! The table of permissions: one row each, and everything else derived from it.
//!
//! A row gives the marker types that guards name, the object, the action and what it allows, in the
//! words of the catalogue. `policies/roles.csv` grants rows to roles; [`super::Policy`] refuses to
//! load while a row is granted to nobody.

/// What a guard asks for. Implemented by the markers of the table below and by nothing else.
pub trait Permission: 'static {
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
    pub object: &'static str,
    pub action: &'static str,
    pub name: &'static str,
    pub description: &'static str,
}

macro_rules! permissions {
    ($($object:literal : $action:literal => $($marker:ident),+ ; $description:literal)*) => {
        $($(
            #[doc = concat!("`", $object, ":", $action, "`: ", $description, ".")]
            #[derive(Clone, Copy, Debug)]
            pub struct $marker;

            impl Permission for $marker {
                const OBJECT: &'static str = $object;
                const ACTION: &'static str = $action;
                const NAME: &'static str = concat!($object, ":", $action);
                const DESCRIPTION: &'static str = $description;
            }
        )+)*

        /// Every permission of the product, in the order of the table.
        pub const PERMISSIONS: &[Grantable] = &[$(
            Grantable {
                object: $object,
                action: $action,
                name: concat!($object, ":", $action),
                description: $description,
            },
        )*];
    };
}

permissions! {
    "me":"read" => ReadMe; "read one's own account"
    "me":"update" => UpdateMe; "change one's own account"
    "me":"delete" => DeleteMe; "delete one's own account"
    "me":"export" => ExportMe; "be given all that is kept about oneself"
    "me":"sign_out" => SignOut; "end the session that one acts in"
    "me":"sessions" => ListOwnSessions, RevokeOwnSession; "list one's own sessions and end them"
    "me":"devices" => ListOwnDevices, ChangeOwnDevice; "list one's own devices, name, trust and remove them"
    "users":"list" => ListUsers; "list the users of the app"
    "users":"read" => ReadUser; "read any user of the app"
    "users":"read_self" => ReadSelf; "read oneself among the users of the app"
    "users":"assign_roles" => AssignRoles; "give roles to users of the app, and take them away"
    "users":"reset_password" => ResetPasswords; "have users of the app set new passwords"
    "users":"unlock" => UnlockUser; "lift the locks of users of the app"
    "users":"ban" => BanUser, UnbanUser; "ban users of the app, and lift bans"
    "users":"delete" => DeleteUser; "delete users of the app"
    "users":"impersonate" => Impersonate; "act as a user of the app, for a while"
    "users":"sessions" => ListUserSessions, RevokeUserSessions; "list the sessions of any user of the app and end them"
    "environments":"read" => ReadEnvironments; "read the environments of the app"
    "environments":"update" => UpdateEnvironments; "change the environments of the app"
    "revocations":"read" => ReadRevocations; "read which tokens are revoked"
    "session_config":"read" => ReadSessionConfig; "read the session rules of the app"
    "session_config":"update" => UpdateSessionConfig; "change the session rules of the app"
    "events":"read" => ReadEvents; "read the security events of an environment"
    "notifications":"read" => ReadNotifications; "read which letters were sent, and which were not"
    "apps":"operate" => OperateApps; "act on another app, and create apps"
}

impl Grantable {
    /// The row for a question, or `None` when the product has no such permission.
    pub(super) fn of(object: &str, action: &str) -> Option<&'static Self> {
        PERMISSIONS
            .iter()
            .find(|row| row.object == object && row.action == action)
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
