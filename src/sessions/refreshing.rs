//! Refresh: one good token for the next, and the end of the session for one that was spent.

use std::sync::Arc;

use super::issue::Issued;
use super::record::{Ending, Session};
use super::repo;
use super::service::Sessions;
use crate::devices::DeviceSecret;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::OrgId;
use crate::kernel::secret::SecretString;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::limits::{LimitError, NodeRule};
use crate::session_rules::Rules;
use crate::store::StoreError;
use crate::tokens::{ActiveOrganization, KeyError, Presented, revoke_session};
use crate::users::{self, User};

#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Forged, of a session that is gone or bound elsewhere, or of a user who may no longer sign in.
    #[error("the refresh token is not valid")]
    Invalid,
    #[error("the refresh token has been exchanged before")]
    Reused,
    #[error("the refresh token is of another environment")]
    OtherTenant,
    #[error("no member of the organisation that is asked for")]
    NotAMember,
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RefreshError {
    /// Whether it says nothing of the token.
    fn is_of_the_server(&self) -> bool {
        match self {
            Self::Limit(_) | Self::Keys(_) | Self::Store(_) => true,
            Self::Invalid | Self::Reused | Self::OtherTenant | Self::NotAMember => false,
        }
    }
}

/// What a client asks for that goes on with a session.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::option_option,
    reason = "nothing is asked for, none of them is, or one is"
)]
pub(super) struct Asked<'a> {
    /// The organisation that is asked for, or none of them; where nothing is asked, the one before.
    pub wanted: Option<Option<OrgId>>,
    /// What was presented, by whoever refreshes.
    pub refresh_token: Option<&'a str>,
    pub device: Option<&'a DeviceSecret>,
}

impl Sessions {
    /// Exchanges a refresh token. The exchange itself is the last step, one conditional write: what
    /// fails before it leaves the token good (RFC 9700 §4.14).
    ///
    /// Roles and everything else in the new access token are as they are, or, where this node has
    /// refreshed the session before, as they were within the last second at the earliest: then it may
    /// ask the store for nothing but the exchange.
    ///
    /// The new access token is for the organisation that is asked for, or else for the one before, if
    /// the user is in it still.
    ///
    /// An authentic token that is not the current one is a replay: its session ends, once.
    pub async fn refresh(
        &self,
        tenant: Option<Tenant>,
        text: &str,
        wanted: Option<OrgId>,
        (origin, device): (&Origin, Option<&DeviceSecret>),
    ) -> Result<Issued, RefreshError> {
        let rule = NodeRule::Refresh;
        self.limits.admit_ip_here(rule, tenant, origin).await?;
        let presented = self
            .issuer
            .refresh
            .parse(text)
            .map_err(|_| RefreshError::Invalid)?;
        let now = self.clock.now();
        let asked = Asked {
            wanted: wanted.map(Some),
            refresh_token: Some(text),
            device,
        };
        let known = self.refreshed.session_of(&presented);
        if let Some(known) = known.filter(|known| is_of(known, tenant)) {
            match Box::pin(self.repeat(&known, asked, (now, origin))).await {
                Ok(Some(issued)) => return Ok(issued),
                Err(error) if error.is_of_the_server() => return Err(error),
                Ok(None) | Err(_) => self.refreshed.forget(known.id),
            }
        }
        let session = self
            .session_of(&presented)
            .await?
            .ok_or(RefreshError::Invalid)?;
        let own = session.tenant();
        if !is_of(&session, tenant) {
            return Err(RefreshError::OtherTenant);
        }
        if presented.digest != session.refresh_token {
            return self.replayed(own, &session, (now, origin)).await;
        }
        if !session.is_live(now) {
            return Err(RefreshError::Invalid);
        }
        let next = self.go_on(&session, asked, (now, origin));
        match next.await {
            Err(RefreshError::Reused) => self.replayed(own, &session, (now, origin)).await,
            other => other,
        }
    }

    /// The next tokens of a session that this node has refreshed before, without reading it. `None`
    /// and each refusal say no more than that it has to be read.
    async fn repeat(
        &self,
        session: &Session,
        asked: Asked<'_>,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Option<Issued>, RefreshError> {
        let rules = self.rules.of(session.app_id).await?;
        let broken = self.broken_binding(session, &rules, (asked.device, origin));
        let goes_on = rules.rotates
            && session.is_live(now)
            && !session.is_idle(now, rules.idle)
            && self.environments.has(session.tenant()).await?
            && broken.await?.is_none();
        if !goes_on {
            return Ok(None);
        }
        let found = match asked.wanted.unwrap_or(session.org_id) {
            None => self
                .recent_user(session, now)
                .await?
                .map(|user| (user, None)),
            org => {
                let (tenant, user) = (session.tenant(), session.user_id);
                self.user_and_place(tenant, user, org).await?
            }
        };
        let issued = self.exchange(session, asked, found, (&rules, now)).await?;
        Ok(Some(issued))
    }

    /// The user as he was within a second, unless he is known to have lost rights since, or may have
    /// proven his address; if he may have tokens. Those are like any that he was given a second ago:
    /// what takes rights away raises their version or ends the session, and what it ends is not
    /// exchanged.
    async fn recent_user(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let (app, id) = (session.app_id, session.user_id);
        let mut once = self.store.once();
        let mut tx = once.within(session.tenant());
        let will_do = |user: &User| {
            user.email_verified && !self.revocations.has_lowered((app, id), user.rights_version)
        };
        let user = self.recent.user(&mut tx, id, will_do).await?;
        let user = user.filter(|user| user.may_sign_in(now));
        Ok(user.map(Arc::unwrap_or_clone))
    }

    /// The next tokens of a live session, by whatever way they are asked for: it has not been idle
    /// for too long, and is where it is bound to. [`RefreshError::Reused`] where its refresh token
    /// has been exchanged meanwhile.
    pub(super) async fn go_on(
        &self,
        session: &Session,
        asked: Asked<'_>,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Issued, RefreshError> {
        if !self.environments.has(session.tenant()).await? {
            return Err(RefreshError::Invalid);
        }
        let rules = self.rules.of(session.app_id).await?;
        if session.is_idle(now, rules.idle) {
            return self.fell_asleep(session, (now, origin)).await;
        }
        let from = (now, origin);
        if !self
            .keeps_bindings(session, &rules, asked.device, from)
            .await?
        {
            return Err(RefreshError::Invalid);
        }
        let org = asked.wanted.unwrap_or(session.org_id);
        let found = self.user_and_place(session.tenant(), session.user_id, org);
        let found = found.await?;
        self.exchange(session, asked, found, (&rules, now)).await
    }

    /// Signs the next access token of a session, for its user and his place in the organisation, and
    /// then exchanges the refresh token.
    async fn exchange(
        &self,
        session: &Session,
        asked: Asked<'_>,
        found: Option<(User, Option<ActiveOrganization>)>,
        (rules, now): (&Rules, Timestamp),
    ) -> Result<Issued, RefreshError> {
        let wanted = asked.wanted;
        let (user, place) = found.ok_or(RefreshError::Invalid)?;
        if wanted.flatten().is_some() && place.is_none() {
            return Err(RefreshError::NotAMember);
        }
        let org_id = place.as_ref().map(|place| place.id);
        let claims = self.issuer.next(session, (&user, place, rules), now);
        let (text, refresh_token) = self.next_refresh_token(session, asked, rules);
        let next = Session {
            refresh_token,
            generation: session.generation + 1,
            token: claims.jti,
            org_id,
            last_activity_at: now,
            updated_at: now,
            ..session.clone()
        };
        let issued = self.issuer.sign(claims, text, user).await?;
        let mut once = self.store.once();
        let mut tx = once.within(session.tenant());
        if !repo::rotate(&mut tx, session, &next).await? {
            return Err(RefreshError::Reused);
        }
        if rules.rotates {
            self.refreshed.remember(next);
        }
        Ok(issued)
    }

    /// Another one; or the same again, where the app does not rotate and it is at hand.
    fn next_refresh_token(
        &self,
        session: &Session,
        asked: Asked<'_>,
        rules: &Rules,
    ) -> (SecretString, String) {
        if let Some(text) = asked.refresh_token.filter(|_| !rules.rotates) {
            return (SecretString::from(text), session.refresh_token.clone());
        }
        let generation = session.generation + 1;
        let refresh = &self.issuer.refresh;
        refresh.issue(session.id, generation, &self.entropy)
    }

    /// The live session that a refresh token counts for in an environment, and its user, without using
    /// the token up; `None` for any other text.
    pub async fn by_refresh_token(
        &self,
        tenant: Tenant,
        text: &str,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let Ok(presented) = self.issuer.refresh.parse(text) else {
            return Ok(None);
        };
        let (now, rules) = (self.clock.now(), self.rules.of(tenant.app_id).await?);
        let mut once = self.store.once();
        let mut tx = once.within(tenant);
        let counts = |session: &Session| {
            let is_current = session.refresh_token == presented.digest;
            is_current && session.is_live(now) && !session.is_idle(now, rules.idle)
        };
        let session = repo::get(&mut tx, presented.session_id).await?;
        let Some(session) = session.filter(counts) else {
            return Ok(None);
        };
        let user = users::get(&mut tx, session.user_id).await?;
        let user = user.filter(|user| user.may_sign_in(now));
        Ok(user.map(|user| (session, user)))
    }

    async fn session_of(&self, presented: &Presented) -> Result<Option<Session>, StoreError> {
        let mut once = self.store.once();
        let mut all = once.across_tenants("a refresh token names its session, and so its tenant");
        repo::get(&mut all, presented.session_id).await
    }

    /// Ends a session that has been idle for too long.
    async fn fell_asleep(
        &self,
        session: &Session,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Issued, RefreshError> {
        let only = std::slice::from_ref(session);
        let ended = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(session.tenant());
                let why = (Ending::Idle, Party::system());
                self.end_each(&mut tx, only, why, (now, origin)).await
            })
            .await
            .map_err(RefreshError::Store)?;
        self.apply(&ended);
        Err(RefreshError::Invalid)
    }

    /// Ends the session of a replayed token; only the first replay finds something to end.
    async fn replayed(
        &self,
        tenant: Tenant,
        session: &Session,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Issued, RefreshError> {
        let told = self
            .event(
                Name::RefreshReuseDetected,
                tenant,
                Party::anonymous(),
                (now, origin),
            )
            .denied()
            .on(Party::new("session", session.id))
            .with("user_id", session.user_id.to_string());
        let revoked = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let how = Ending::RefreshTokenReused;
                let Some(ended) = repo::end(&mut tx, session.id, how, now).await? else {
                    return Ok(Vec::new());
                };
                events::record(&mut tx, &told).await?;
                let mut revoked = self.release(&mut tx, &ended, how, (now, origin)).await?;
                revoked.push(revoke_session(&mut tx, session.id, now, &self.entropy).await?);
                Ok(revoked)
            })
            .await
            .map_err(RefreshError::Store)?;
        self.apply(&revoked);
        Err(RefreshError::Reused)
    }
}

/// Whether the session is of the environment that is named, if one is.
fn is_of(session: &Session, tenant: Option<Tenant>) -> bool {
    tenant.is_none_or(|tenant| tenant == session.tenant())
}
