//! The table of event names: stable, documented, one row each.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};

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

// Written out because the derive does not see names that come out of a table.
impl utoipa::PartialSchema for Name {
    fn schema() -> RefOr<Schema> {
        let row = |(_, name, meaning): &(Name, &str, &str)| format!("- `{name}`: {meaning}\n");
        let rows: String = Name::ALL.iter().map(row).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Name::ALL.iter().map(|(_, name, _)| *name)))
            .description(Some(format!("What happened.\n\n{rows}")))
            .into()
    }
}

impl utoipa::ToSchema for Name {
    fn name() -> std::borrow::Cow<'static, str> {
        "EventName".into()
    }
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
    EnvironmentUpdated = "environment.updated", "The settings of an environment were changed.";
    EnvironmentCreated = "environment.created", "An environment was made.";
    SigningKeyPublished = "signing_key.published",
        "A new signing key was published, which signs from the time in `activates_at`.";
    SigningKeyWithdrawn = "signing_key.withdrawn",
        "A signing key was replaced at once, and every token it had signed was refused from then on.";
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
