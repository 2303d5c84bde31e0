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
    SessionCreated = "session.created", "A user signed in.";
    SessionDenied = "session.denied", "A sign-in was refused.";
    SessionRevoked = "session.revoked", "A session was ended before its time.";
    SessionsRevoked = "sessions.revoked", "Every session of a user was ended.";
    RefreshReuseDetected = "refresh.reuse_detected",
        "A refresh token was presented after it had been exchanged; its session was ended.";
    BindingRefused = "session.binding_refused",
        "A refresh token was presented from another address or device than its session's; it stays good there.";
    DeviceAdded = "device.added", "A user signed in from a device for the first time.";
    DeviceRenamed = "device.renamed", "A device was named by its user.";
    DeviceTrusted = "device.trusted", "A device is trusted by its user, for a term.";
    DeviceUntrusted = "device.untrusted", "A device is no longer trusted by its user.";
    DeviceRemoved = "device.removed", "A device was removed by its user, and its sessions ended.";
    SessionConfigUpdated = "session_config.updated", "The session rules of an app were changed.";
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
