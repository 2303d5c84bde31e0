//! Revocations: what must no longer be accepted although it is signed and not over.
//!
//! A revocation is written in the transaction that takes the right away, and lives until the last
//! token it stops is over. Every node holds those that count in memory ([`super::RevocationIndex`]),
//! and asks them on every request. A user's tokens are stopped below a version of the user's rights,
//! so that no two clocks are ever compared: the caller raises that version in the same transaction.
//! Not here: refresh tokens, which the session itself refuses.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AccessClaims, LONGEST_LIFE, MARGIN};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, RevocationId, SessionId, SigningKeyId, UserId};
use crate::kernel::page::Position;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Field, Filter, Index, OfEnvironment, Query, Stored, Tx};

/// One thing that is no longer accepted: a session, a user below a version, or a signing key.
#[must_use = "a revocation counts on this node only once it is applied to the index"]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Revocation {
    #[serde(rename = "_id")]
    pub id: RevocationId,
    pub app_id: AppId,
    /// Where it was decided. A user is revoked in every environment of the app.
    pub env_id: EnvId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// With `user_id`: the lowest `ver` that is still accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<SigningKeyId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

const ID: Field<Revocation, String> = Field::at("_id");
const APP_ID: Field<Revocation, AppId> = Field::at("app_id");
const ENV_ID: Field<Revocation, EnvId> = Field::at("env_id");
const SESSION_ID: Field<Revocation, SessionId> = Field::at("session_id");
const USER_ID: Field<Revocation, UserId> = Field::at("user_id");
const MIN_VERSION: Field<Revocation, i64> = Field::at("min_version");
const KEY_ID: Field<Revocation, SigningKeyId> = Field::at("key_id");
const CREATED_AT: Field<Revocation, Timestamp> = Field::at("created_at");
const EXPIRES_AT: Field<Revocation, Timestamp> = Field::at("expires_at");

/// How far a reading of what is new looks back behind the one before: what the clocks of two nodes
/// may differ by, and what a transaction may take from its clock reading to its commit.
pub const OVERLAP: Duration = Duration::from_mins(2);

impl Entity for Revocation {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_revocations";
    const INDEXES: &'static [Index] = &[
        Index::on("revocations_expires_at", &["expires_at"]).expires_after(Duration::ZERO),
        Index::on("revocations_created_at", &["created_at", "_id"]),
        Index::on("revocations_feed", &["app_id", "created_at", "_id"]),
        Index::on("revocations_session", &["app_id", "session_id"]).when_present("session_id"),
        Index::on("revocations_user", &["app_id", "user_id"]).when_present("user_id"),
        Index::on("revocations_key", &["app_id", "key_id"]).when_present("key_id"),
    ];
}

/// All that count at `now`.
pub(super) fn counting(now: Timestamp) -> Filter<Revocation> {
    EXPIRES_AT.gt(now)
}

/// All that may have been committed since a reading at `read_at`.
pub(super) fn since(read_at: Timestamp) -> Filter<Revocation> {
    CREATED_AT.gte(read_at.minus(OVERLAP))
}

/// Those of the token's app that stop this token. Each alternative has its index.
pub(super) fn stopping(
    claims: &AccessClaims,
    key_id: SigningKeyId,
    now: Timestamp,
) -> Filter<Revocation> {
    let of_user = USER_ID.eq(claims.sub) & MIN_VERSION.gt(claims.ver);
    (SESSION_ID.eq(claims.sid) | of_user | KEY_ID.eq(key_id)) & counting(now)
}

/// Stops the tokens of one session, in the caller's transaction. Apply the answer after the commit.
pub async fn revoke_session(
    tx: &mut Tx<'_, Tenant>,
    session_id: SessionId,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    write(
        tx,
        Revocation {
            session_id: Some(session_id),
            ..blank
        },
    )
    .await
}

/// Stops the tokens of one user whose `ver` is below `min_version`, in the caller's transaction,
/// which also raises the user's rights version to `min_version`. Apply the answer after the commit.
pub async fn revoke_user(
    tx: &mut Tx<'_, Tenant>,
    user_id: UserId,
    min_version: i64,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    let (user_id, min_version) = (Some(user_id), Some(min_version));
    write(
        tx,
        Revocation {
            user_id,
            min_version,
            ..blank
        },
    )
    .await
}

/// Stops every token that a key has signed. See [`super::withdraw`].
pub(super) async fn revoke_key(
    tx: &mut Tx<'_, Tenant>,
    key_id: SigningKeyId,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    write(
        tx,
        Revocation {
            key_id: Some(key_id),
            ..blank
        },
    )
    .await
}

async fn write(tx: &mut Tx<'_, Tenant>, revocation: Revocation) -> Stored<Revocation> {
    tx.insert(&revocation).await?;
    Ok(revocation)
}

impl Revocation {
    /// What an environment is told: what was revoked in it, and users of its app.
    pub fn concerning(tenant: Tenant) -> Filter<Self> {
        APP_ID.eq(tenant.app_id) & (ENV_ID.eq(tenant.env_id) | USER_ID.present())
    }

    /// Those concerning an environment behind a place that count at `now`, oldest first.
    pub fn behind(place: &Position, tenant: Tenant, now: Timestamp) -> Query<Self> {
        let (at, id) = (place.at, place.id.clone());
        let further_on = CREATED_AT.gt(at) | (CREATED_AT.eq(at) & ID.gt(id));
        // The bound says nothing new, but where in the index to begin.
        let which = CREATED_AT.gte(at) & further_on & Self::concerning(tenant) & counting(now);
        Query::of(which).oldest_by(CREATED_AT)
    }

    pub(super) fn blank(tenant: Tenant, now: Timestamp, entropy: &Entropy) -> Self {
        Self {
            id: RevocationId::new(now, entropy),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            session_id: None,
            user_id: None,
            min_version: None,
            key_id: None,
            created_at: now,
            expires_at: now.plus(LONGEST_LIFE).plus(MARGIN),
        }
    }
}
