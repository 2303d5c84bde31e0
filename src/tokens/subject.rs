//! Whom an access token is about: a user, or a machine that acts by an API key.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kernel::id::{ApiKeyId, ServiceAccountId, UserId};

/// The `sub` of an access token (RFC 9068 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    User(UserId),
    ServiceAccount(ServiceAccountId),
    /// A key of an organisation or of the environment, which is nobody's.
    Key(ApiKeyId),
}

impl Subject {
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::ServiceAccount(_) | Self::Key(_) => None,
        }
    }
}

impl From<UserId> for Subject {
    fn from(id: UserId) -> Self {
        Self::User(id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::ServiceAccount(id) => id.fmt(f),
            Self::Key(id) => id.fmt(f),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        let user = text.parse().map(Self::User);
        let account = |_| text.parse().map(Self::ServiceAccount);
        let key = |_| text.parse().map(Self::Key);
        let known = user.or_else(account).or_else(key);
        known.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_is_written() {
        for prefix in ["ausr", "svc", "akey"] {
            let text = format!("{prefix}_01h2xcejqtf2nbrexx3vqjhp41");
            let subject: Subject = serde_json::from_value(text.clone().into()).unwrap();

            assert_eq!(subject.to_string(), text);
            assert_eq!(subject.user().is_some(), prefix == "ausr");
        }
        for text in ["", "ases_01h2xcejqtf2nbrexx3vqjhp41", "mia"] {
            assert!(serde_json::from_value::<Subject>(text.into()).is_err());
        }
    }
}
