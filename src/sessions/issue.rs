//! The pair of tokens that a session is carried by.

use std::time::Duration;

use super::record::Session;
use crate::access::Role;
use crate::events::Origin;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{DeviceId, OrgId, SessionId, UserId};
use crate::kernel::secret::{SecretString, digest};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Reason;
use crate::kernel::time::Timestamp;
use crate::session_rules::Rules;
use crate::tokens::{
    AccessClaims, AccessTokens, ActiveOrganization, Grant, KeyError, RefreshTokens, Revocation,
};
use crate::users::User;

/// Makes sessions and the tokens over them.
#[derive(Debug, Clone)]
pub struct Issuer {
    pub access: AccessTokens,
    pub refresh: RefreshTokens,
    pub entropy: Entropy,
}

/// What a client is given: both tokens, and when the access token ends.
#[derive(Debug)]
pub struct Issued {
    pub session_id: SessionId,
    pub user: User,
    /// The organisation that the access token is for.
    pub org_id: Option<OrgId>,
    pub access_token: String,
    pub refresh_token: SecretString,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// Tokens that are decided but not yet good: they become so with the commit of their session.
#[derive(Debug)]
pub(super) struct Draft {
    pub session: Session,
    pub claims: AccessClaims,
    pub refresh_token: SecretString,
    /// Older sessions that end for this one.
    pub ended: Vec<Revocation>,
}

impl Issuer {
    /// A new session of `user`, who proved to be himself by `amr`, on a device and under these
    /// rules, and its first tokens.
    pub(super) fn begin(
        &self,
        tenant: Tenant,
        (user, amr, place): (&User, &str, Option<ActiveOrganization>),
        (device, rules): (DeviceId, &Rules),
        (now, origin): (Timestamp, &Origin),
    ) -> Draft {
        let id = SessionId::new(now, &self.entropy);
        let (refresh_token, digest) = self.refresh.issue(id, 0, &self.entropy);
        let amr = vec![amr.to_owned()];
        let claims = self.access.claims(
            grant(tenant, (user, place), id, (&amr, now)),
            Some(rules.access_life(rules.refresh_ttl)),
            now,
        );
        let session = Session {
            ip_address: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.clone(),
            device_id: Some(device),
            ..document((&claims, user.id), (digest, rules.refresh_ttl), now)
        };
        Draft {
            session,
            claims,
            refresh_token,
            ended: Vec::new(),
        }
    }

    /// A session of `user` that somebody else carries for `life`, and its one access token, which
    /// ends with it. It cannot be refreshed: the digest is of bytes that nobody is told. The user
    /// has shown nothing, so `amr` is empty; `auth_time` is the other's. Where he sits is told by the
    /// event, which administrators read, and not by a session, which the user reads.
    pub(super) fn impersonate(
        &self,
        (tenant, user, place): (Tenant, &User, Option<ActiveOrganization>),
        (own, reason): (&Session, &Reason),
        (now, life): (Timestamp, Duration),
    ) -> (Session, AccessClaims) {
        let id = SessionId::new(now, &self.entropy);
        let granted = Grant {
            impersonated_by: Some(own.user_id),
            ..grant(tenant, (user, place), id, (&[], own.auth_time))
        };
        let claims = self.access.claims(granted, Some(life), now);
        let unknown = digest(&self.entropy.bytes::<32>());
        let session = Session {
            auth_time: own.auth_time,
            impersonated_by: Some(own.user_id),
            impersonator_session_id: Some(own.id),
            impersonation_reason: Some(reason.clone()),
            ..document((&claims, user.id), (unknown, life), now)
        };
        (session, claims)
    }

    /// The claims of the next access token of a session, from what is true of the user now.
    pub(super) fn next(
        &self,
        session: &Session,
        (user, place, rules): (&User, Option<ActiveOrganization>, &Rules),
        now: Timestamp,
    ) -> AccessClaims {
        let how = (session.amr.as_slice(), session.auth_time);
        let life = rules.access_life(session.expires_at.since(now));
        self.access.claims(
            grant(session.tenant(), (user, place), session.id, how),
            Some(life),
            now,
        )
    }

    /// Signs. May write the environment's first key, so never inside a transaction.
    pub(super) async fn sign(
        &self,
        claims: AccessClaims,
        refresh_token: SecretString,
        user: User,
    ) -> Result<Issued, KeyError> {
        let access_token = self.access.sign(&claims).await?;
        Ok(Issued {
            session_id: claims.sid,
            org_id: claims.org_id,
            expires_at: claims.expires_at(),
            at: claims.jti.made_at(),
            user,
            access_token,
            refresh_token,
        })
    }
}

/// The document of a session that begins now with these claims, and lives for `life`.
fn document(
    (claims, user_id): (&AccessClaims, UserId),
    (refresh_token, life): (String, Duration),
    now: Timestamp,
) -> Session {
    Session {
        id: claims.sid,
        app_id: claims.app_id,
        env_id: claims.env_id,
        user_id,
        org_id: claims.org_id,
        token: claims.jti,
        refresh_token,
        generation: 0,
        amr: claims.amr.clone(),
        auth_time: now,
        ip_address: None,
        user_agent: None,
        device_id: None,
        last_activity_at: now,
        expires_at: now.plus(life),
        impersonated_by: None,
        impersonator_session_id: None,
        impersonation_reason: None,
        impersonations: Vec::new(),
        revoked_at: None,
        revoke_reason: None,
        created_at: now,
        updated_at: now,
    }
}

fn grant(
    tenant: Tenant,
    (user, organization): (&User, Option<ActiveOrganization>),
    session_id: SessionId,
    (amr, auth_time): (&[String], Timestamp),
) -> Grant {
    Grant {
        tenant,
        user_id: user.id,
        session_id,
        rights_version: user.rights_version,
        roles: user.roles.iter().map(Role::to_string).collect(),
        email: user.email.to_string(),
        email_verified: user.email_verified,
        organization,
        amr: amr.to_vec(),
        auth_time,
        impersonated_by: None,
    }
}
