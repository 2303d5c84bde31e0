use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};

use crate::access::Realm;
use crate::http::{Recorded, Repeatable};
use crate::kernel::id::UserId;
use crate::kernel::secret::KeyRing;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, Nobody, Sealed};

/// A key, and the request that came with it.
///
/// Whose it is, and in which tenant, is part of the identifier, from which neither can be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdempotencyKey {
    #[serde(rename = "_id")]
    pub id: String,
    /// Of the request, so that another one is noticed.
    pub fingerprint: String,
    /// Who answers it, by a text that nobody else knows.
    pub holder: String,
    /// Exclusive: whoever has not answered by then was cut off.
    pub lease_until: Timestamp,
    /// The answer, sealed; there is none before it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The user to whom the answer gave a session, as long as he has sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    pub created_at: Timestamp,
    /// Exclusive: from then on the key is good for another request.
    pub expires_at: Timestamp,
}

/// What is sealed of an answer.
#[derive(Serialize, Deserialize)]
struct Plain {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    permission: Option<(Realm, String)>,
    subjects: Vec<String>,
}

impl Entity for IdempotencyKey {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_idempotency_keys";
    const INDEXES: &'static [Index] = &[
        Index::on("idempotency_keys_expires", &["expires_at"]).expires_after(Duration::ZERO),
        Index::on("idempotency_keys_user", &["user_id"]).when_present("user_id"),
    ];
}

impl Sealed for IdempotencyKey {
    /// Whose it is, the identifier says to nobody.
    type Home = &'static str;
    const FIELD: &'static str = "answer";

    fn id(&self) -> String {
        self.id.clone()
    }

    fn home(&self) -> &'static str {
        Self::FIELD
    }

    fn sealed(&self) -> Option<&str> {
        self.answer.as_deref()
    }
}

impl IdempotencyKey {
    pub(super) fn is_of(&self, request: &Repeatable) -> bool {
        self.fingerprint == request.fingerprint
    }

    /// The answer; `None` where there is none, or where no key of the ring opens it.
    pub(super) fn opened(&self, ring: &KeyRing) -> Option<Recorded> {
        let plain = ring.open(self.answer.as_deref()?, &self.bound_to()).ok()?;
        let plain: Plain = serde_json::from_slice(&plain).ok()?;
        Some(Recorded {
            status: plain.status,
            headers: plain.headers,
            body: BASE64_STANDARD.decode(plain.body).ok()?,
            permission: plain.permission,
            subjects: plain.subjects,
            signed_in: self.user_id,
        })
    }
}

/// The answer to the request of this identifier, sealed so that it opens nowhere else.
pub(super) fn sealed(ring: &KeyRing, id: &str, answer: Recorded) -> String {
    let plain = Plain {
        status: answer.status,
        headers: answer.headers,
        body: BASE64_STANDARD.encode(answer.body),
        permission: answer.permission,
        subjects: answer.subjects,
    };
    let plain = serde_json::to_vec(&plain).unwrap_or_default();
    ring.seal(&plain, &IdempotencyKey::place(IdempotencyKey::FIELD, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(id: &str, answer: String) -> IdempotencyKey {
        let now = Timestamp::from_millis(0);
        IdempotencyKey {
            id: id.to_owned(),
            fingerprint: String::new(),
            holder: String::new(),
            lease_until: now,
            answer: Some(answer),
            user_id: None,
            created_at: now,
            expires_at: now,
        }
    }

    #[test]
    fn an_answer_opens_under_its_own_key_only() {
        let ring = KeyRing::parse(&"0".repeat(64)).unwrap();
        let answer = Recorded {
            status: 201,
            headers: vec![("content-type".into(), "application/json".into())],
            body: br#"{"key":"sk_live_x"}"#.to_vec(),
            permission: Some((Realm::App, "roles:manage".into())),
            subjects: vec!["role:ADMIN".into()],
            signed_in: None,
        };

        let text = sealed(&ring, "a", answer.clone());

        assert!(!text.contains("sk_live_x"));
        assert_eq!(answered("a", text.clone()).opened(&ring), Some(answer));
        assert_eq!(answered("b", text).opened(&ring), None);
    }
}
