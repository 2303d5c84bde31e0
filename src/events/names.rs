//! The table of event names: stable, documented, one row each.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($($variant:ident = $name:literal, $meaning:literal;)+) => {
        /// What happened, as consumers of events know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Name {
            $(#[doc = $meaning] #[serde(rename = $name)] $variant,)+
        }

        impl Name {
            /// Every name with its meaning, for documentation.
            pub const ALL: &'static [(Name, &'static str, &'static str)] =
                &[$((Name::$variant, $name, $meaning)),+];

            /// The name on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Name::$variant => $name,)+
                }
            }
        }
    };
}

names! {
    UserSignedUp = "user.signed_up", "An account was made by its holder.";
    UserUpdated = "user.updated", "A profile was changed.";
    UserRolesChanged = "user.roles_changed", "The roles of a user in his app were changed.";
    UserBanned = "user.banned", "A user was banned, or his ban was changed.";
    UserUnbanned = "user.unbanned", "The ban of a user was lifted.";
    UserDeleted = "user.deleted", "An account was deleted, by its holder or by an administrator.";
    UserExported = "user.exported", "A user was given all that is kept about him.";
    ReauthenticationDenied = "reauthentication.denied",
        "A user did not prove again that it is he, before something that cannot be undone.";
    SessionCreated = "session.created", "A user signed in.";
    SessionDenied = "session.denied", "A sign-in was refused.";
    SessionRevoked = "session.revoked", "A session was ended before its time.";
    SessionsRevoked = "sessions.revoked", "Every session of a user was ended.";
    RefreshReuseDetected = "refresh.reuse_detected",
        "A refresh token was presented after it had been exchanged; its session was ended.";
    EnvironmentUpdated = "environment.updated", "The settings of an environment were changed.";
    EnvironmentCreated = "environment.created", "An environment was made.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Name;

    #[test]
    fn names_are_unique_dotted_and_lower_case() {
        let names: HashSet<_> = Name::ALL.iter().map(|(_, name, _)| *name).collect();
        assert_eq!(names.len(), Name::ALL.len());
        for name in names {
            assert!(name.contains('.'), "{name}");
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || "._".contains(c)),
                "{name}"
            );
        }
    }
}
