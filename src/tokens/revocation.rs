//! Revocations: what must no longer be accepted although it is signed and not over.
//!
//! A revocation is written in the transaction that takes the right away, and lives until the last
//! token it stops is over. Every node holds those that count in memory ([`super::RevocationIndex`]),
//! and asks them on every request. Tokens of a user, of an organisation or of the roles in one are
//! stopped below a version of the rights there, so that no two clocks are ever compared: the caller
//! raises that version in the same transaction.
//! Not here: refresh tokens, which the session itself refuses.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::claims::Membership;
use super::{AccessClaims, LONGEST_LIFE, MARGIN};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, OrgId, RevocationId, SessionId, SigningKeyId, UserId};
use crate::kernel::page::Position;
use crate::kernel::sweep::OVERLAP;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Field, Filter, Index, OfEnvironment, Outlives, Query, Stored, Tx};

/// One thing that is no longer accepted: a session, a user below a version, a signing key; an
/// organisation, one member of it, or every organisation of the app, below a version.
///
/// Each has fields that no other has, so that whoever does not know one of them finds nothing there
/// that it could take for another.
#[must_use = "a revocation counts on this node only once it is applied to the index"]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Revocation {
    #[serde(rename = "_id")]
    pub id: RevocationId,
    pub app_id: AppId,
    /// Where it was decided. A user is revoked in every environment of the app, and so are its roles.
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
    /// Everybody's tokens for the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    /// With `org_id`: the lowest `org_ver` that is still accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_org_version: Option<i64>,
    /// One user's tokens for one organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
    /// With `member`: the lowest `org_ver` that is still accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_member_version: Option<i64>,
    /// Tokens for any organisation of this app, which is `app_id` again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles_of: Option<AppId>,
    /// With `roles_of`: the lowest `app_ver` that is still accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_app_version: Option<i64>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A user in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = RevokedMember)]
pub struct Member {
    pub org_id: OrgId,
    pub user_id: UserId,
}

const ID: Field<Revocation, String> = Field::at("_id");
const APP_ID: Field<Revocation, AppId> = Field::at("app_id");
const ENV_ID: Field<Revocation, EnvId> = Field::at("env_id");
const SESSION_ID: Field<Revocation, SessionId> = Field::at("session_id");
const USER_ID: Field<Revocation, UserId> = Field::at("user_id");
const MIN_VERSION: Field<Revocation, i64> = Field::at("min_version");
const KEY_ID: Field<Revocation, SigningKeyId> = Field::at("key_id");
const ORG_ID: Field<Revocation, OrgId> = Field::at("org_id");
const MIN_ORG_VERSION: Field<Revocation, i64> = Field::at("min_org_version");
const MEMBER_ORG_ID: Field<Revocation, OrgId> = Field::at("member.org_id");
const MEMBER_USER_ID: Field<Revocation, UserId> = Field::at("member.user_id");
const MIN_MEMBER_VERSION: Field<Revocation, i64> = Field::at("min_member_version");
const ROLES_OF: Field<Revocation, AppId> = Field::at("roles_of");
const MIN_APP_VERSION: Field<Revocation, i64> = Field::at("min_app_version");
const CREATED_AT: Field<Revocation, Timestamp> = Field::at("created_at");
const EXPIRES_AT: Field<Revocation, Timestamp> = Field::at("expires_at");

impl Entity for Revocation {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_revocations";
    const OUTLIVES: Outlives = Outlives::App;
    const INDEXES: &'static [Index] = &[
        Index::on("revocations_expires_at", &["expires_at"]).expires_after(Duration::ZERO),
        Index::on("revocations_created_at", &["created_at", "_id"]),
        Index::on("revocations_feed", &["app_id", "created_at", "_id"]),
        // Each alternative of `stopping` has one index that no other could use: of many combinations
        // of indexes MongoDB would try some only. That leaves out `app_id`, which adds nothing.
        Index::on("revocations_of_session", &["session_id"]).when_present("session_id"),
        Index::on("revocations_of_user", &["user_id"]).when_present("user_id"),
        Index::on("revocations_of_key", &["key_id"]).when_present("key_id"),
        Index::on("revocations_of_org", &["org_id"]).when_present("org_id"),
        Index::on(
            "revocations_of_member",
            &["member.user_id", "member.org_id"],
        )
        .when_present("member.user_id"),
        Index::on("revocations_of_roles", &["roles_of", "min_app_version"])
            .when_present("roles_of"),
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
    let any = SESSION_ID.eq(claims.sid) | KEY_ID.eq(key_id);
    let any = match claims.sub.user() {
        Some(user) => any | (USER_ID.eq(user) & MIN_VERSION.gt(claims.ver)),
        None => any,
    };
    match claims.membership() {
        Some(membership) => (any | lowering(claims, membership)) & counting(now),
        None => any & counting(now),
    }
}

/// Those that took rights away in the organisation after the token was issued.
fn lowering(claims: &AccessClaims, membership: Membership) -> Filter<Revocation> {
    let (org_id, org_ver) = (membership.org_id, membership.org_ver);
    let of_all = (ORG_ID.eq(org_id) & MIN_ORG_VERSION.gt(org_ver))
        | (ROLES_OF.eq(claims.app_id) & MIN_APP_VERSION.gt(membership.app_ver));
    let Some(user) = claims.sub.user() else {
        return of_all;
    };
    let of_member = MEMBER_USER_ID.eq(user) & MEMBER_ORG_ID.eq(org_id);
    of_all | (of_member & MIN_MEMBER_VERSION.gt(org_ver))
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

/// Stops everybody's tokens for one organisation whose `org_ver` is below this, in the caller's
/// transaction, which also raises the version of the organisation's rights to it; `i64::MAX` where
/// the organisation is deleted. Apply the answer after the commit.
pub async fn revoke_organization(
    tx: &mut Tx<'_, Tenant>,
    org_id: OrgId,
    below: i64,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    let (org_id, min_org_version) = (Some(org_id), Some(below));
    write(
        tx,
        Revocation {
            org_id,
            min_org_version,
            ..blank
        },
    )
    .await
}

/// Stops one user's tokens for one organisation whose `org_ver` is below this, and neither those of
/// other members nor those that the user has for other organisations or none; otherwise as
/// [`revoke_organization`].
pub async fn revoke_member(
    tx: &mut Tx<'_, Tenant>,
    (org_id, user_id): (OrgId, UserId),
    below: i64,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    let member = Some(Member { org_id, user_id });
    let min_member_version = Some(below);
    write(
        tx,
        Revocation {
            member,
            min_member_version,
            ..blank
        },
    )
    .await
}

/// Stops tokens for any organisation of the app, in every environment, whose `app_ver` is below
/// this, in the caller's transaction, which also raises the version of the app's roles to it. Apply
/// the answer after the commit.
pub async fn revoke_app_roles(
    tx: &mut Tx<'_, Tenant>,
    below: i64,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    let (roles_of, min_app_version) = (Some(blank.app_id), Some(below));
    write(
        tx,
        Revocation {
            roles_of,
            min_app_version,
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
    /// What an environment is told: what was revoked in it, and users and roles of its app.
    pub fn concerning(tenant: Tenant) -> Filter<Self> {
        let of_app = USER_ID.present() | ROLES_OF.present();
        APP_ID.eq(tenant.app_id) & (ENV_ID.eq(tenant.env_id) | of_app)
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
            org_id: None,
            min_org_version: None,
            member: None,
            min_member_version: None,
            roles_of: None,
            min_app_version: None,
            created_at: now,
            expires_at: now.plus(LONGEST_LIFE).plus(MARGIN),
        }
    }
}
