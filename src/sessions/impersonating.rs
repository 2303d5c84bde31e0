//! Impersonation: an administrator acts as a user for a while, and everybody can see that he does.
//!
//! ```text
//! session of the impersonator ──begins──▶ session of the user, carried by the impersonator
//!        └──its end, however it comes─────────▶ its end, in the same unit of work
//! ```
//!
//! Nobody acts as himself, as somebody of his own level or above it, or as who operates the
//! platform. What one may do as another is the policy's to say (`role:IMPERSONATED`); that events
//! name both, the events' ([`Origin::acting`]). The impersonator may be at home in another app, so
//! his session keeps what was begun from it: nothing is looked for across tenants.

use std::time::Duration;

use super::organization::PlaceError;
use super::record::{Begun, Ending, Session};
use super::repo;
use super::service::Sessions;
use crate::access::{Role, subjects};
use crate::apps::{self, App};
use crate::events::{self, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::id::{AppId, OrgId, SessionId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Reason;
use crate::kernel::time::Timestamp;
use crate::session_rules::Rules;
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::{AccessClaims, KeyError, Revocation};
use crate::users::{self, User};

/// The longest that somebody acts as another before he has to say again why.
const LONGEST: Duration = Duration::from_hours(1);

/// As whom somebody is to act, and why.
#[derive(Debug)]
pub(super) struct Wanted {
    pub user: UserId,
    pub reason: Reason,
    /// The organisation that the token is to be for; absent: the only one that the user is in.
    pub org: Option<OrgId>,
}

/// As whom somebody acts, and by which token.
#[derive(Debug)]
pub(super) struct Impersonated {
    pub user: User,
    pub session_id: SessionId,
    pub access_token: String,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ImpersonationError {
    #[error("no such user")]
    Unknown,
    #[error("the caller himself")]
    Oneself,
    #[error("a user with a role that the caller does not hold")]
    RoleNotHeld,
    #[error("somebody who operates the platform")]
    Operator,
    #[error("a user of the caller's own level")]
    Equal,
    #[error("a user who may not sign in")]
    Banned,
    #[error("a user who is no member of the organisation that is asked for")]
    NotAMember,
    #[error("the session of the caller has ended")]
    SessionOver,
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PlaceError> for ImpersonationError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::NotAMember => Self::NotAMember,
            PlaceError::Store(error) => error.into(),
        }
    }
}

impl Sessions {
    /// Begins to act as a user, in the environment that the caller acts on, from his own session.
    /// It is no sign-in of the user: no device, no letter, no room taken from his own sessions.
    pub(super) async fn impersonate(
        &self,
        caller: &Caller,
        own: (UserId, SessionId),
        wanted: &Wanted,
        origin: &Origin,
    ) -> Result<Impersonated, ImpersonationError> {
        let rules = self.prepare(caller.tenant).await?;
        let now = self.clock.now();
        let (user, claims) = self
            .store
            .write(async |tx| {
                let what = (wanted, &rules);
                self.impersonate_in(tx, (caller, own), what, (now, origin))
                    .await
            })
            .await?;
        Ok(Impersonated {
            user,
            session_id: claims.sid,
            access_token: self.issuer.access.sign(&claims).await?,
            expires_at: claims.expires_at(),
            at: now,
        })
    }

    async fn impersonate_in(
        &self,
        tx: &mut Tx<'_>,
        (caller, (impersonator, session)): (&Caller, (UserId, SessionId)),
        (wanted, rules): (&Wanted, &Rules),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(User, AccessClaims), ImpersonationError> {
        let tenant = caller.tenant;
        let user = whom(tx, (caller, impersonator), wanted.user, now).await?;
        let own = repo::get(&mut tx.within(caller.home), session).await?;
        let own = own.filter(|own| own.is_live(now));
        let own = own.ok_or(ImpersonationError::SessionOver)?;
        let (from, life) = ((&own, &wanted.reason), life(rules, &own, now));
        let place = self
            .first_organization(&mut tx.within(tenant), &user, wanted.org)
            .await?;
        let whom = (tenant, &user, place);
        let (begun, claims) = self.issuer.impersonate(whom, from, (now, life));
        let noted = Begun::of(&begun);
        let noted = repo::impersonates(&mut tx.within(caller.home), &own, noted, now).await?;
        noted.ok_or(ImpersonationError::SessionOver)?;
        let mut scoped = tx.within(tenant);
        scoped.insert(&begun).await?;
        let told = self
            .event(
                Name::ImpersonationStarted,
                tenant,
                caller.party(),
                (now, origin),
            )
            .on(Party::new("user", user.id))
            .with("session_id", begun.id.to_string())
            .with("reason", wanted.reason.as_str());
        events::record(&mut scoped, &told).await?;
        Ok((user, claims))
    }

    /// What goes with a session that has ended: that nobody acts as its user by it any more is
    /// told, and what was begun from it ends. [`Sessions::apply`] what it gives after the commit.
    pub(super) async fn release<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        session: &Session,
        how: Ending,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let mut scoped = tx.within(session.tenant());
        self.tell_stopped(&mut scoped, session, how, (now, origin))
            .await?;
        let how = Ending::ImpersonatorLeft;
        self.end_begun(tx, session, how, (now, origin)).await
    }

    async fn end_begun<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        session: &Session,
        how: Ending,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let mut revoked = Vec::new();
        for begun in &session.impersonations {
            let mut tx = tx.within(begun.tenant());
            let Some(ended) = repo::end(&mut tx, begun.session_id, how, now).await? else {
                continue;
            };
            self.tell_stopped(&mut tx, &ended, how, (now, origin))
                .await?;
            let why = (how, Party::new("user", session.user_id));
            revoked.push(self.refuse(&mut tx, &ended, why, (now, origin)).await?);
        }
        Ok(revoked)
    }

    /// As [`Sessions::release`], of all sessions of a user that are about to end in this unit.
    pub async fn release_all(
        &self,
        tx: &mut Tx<'_, AppId>,
        (user, how): (UserId, Ending),
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let mut revoked = Vec::new();
        for session in repo::entangled(tx, user, now).await? {
            revoked.extend(self.release(tx, &session, how, (now, origin)).await?);
        }
        Ok(revoked)
    }

    /// Ends whatever others do as this user, and he as others, in a unit that changes his roles. His
    /// own sessions go on.
    pub(super) async fn disentangle(
        &self,
        tx: &mut Tx<'_, AppId>,
        user: UserId,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let (how, mut revoked) = (Ending::RolesChanged, Vec::new());
        for session in repo::entangled(tx, user, now).await? {
            if let Some(impersonator) = session.impersonated_by {
                let why = (how, Party::new("user", impersonator));
                let session = std::slice::from_ref(&session);
                revoked.extend(self.end_each(tx, session, why, (now, origin)).await?);
            } else {
                revoked.extend(self.end_begun(tx, &session, how, (now, origin)).await?);
            }
        }
        Ok(revoked)
    }

    async fn tell_stopped(
        &self,
        tx: &mut Tx<'_, Tenant>,
        session: &Session,
        how: Ending,
        when: (Timestamp, &Origin),
    ) -> Stored<()> {
        let Some(impersonator) = session.impersonated_by else {
            return Ok(());
        };
        let (name, actor) = (Name::ImpersonationStopped, Party::new("user", impersonator));
        let reason = session.impersonation_reason.as_ref();
        let told = self
            .event(name, tx.scope(), actor, when)
            .on(Party::new("user", session.user_id))
            .with("session_id", session.id.to_string())
            .with("reason", reason.map(Reason::as_str))
            .with("ended", how.as_str());
        events::record(tx, &told).await
    }
}

/// The user as whom the caller is to act, if he may.
async fn whom(
    tx: &mut Tx<'_>,
    (caller, impersonator): (&Caller, UserId),
    id: UserId,
    now: Timestamp,
) -> Result<User, ImpersonationError> {
    if id == impersonator {
        return Err(ImpersonationError::Oneself);
    }
    refuse_unless_still(tx, (caller, impersonator), now).await?;
    let app = apps::get(tx, caller.tenant.app_id).await?;
    let user = users::hold(&mut tx.within(caller.tenant), id).await?;
    let (app, user) = app.zip(user).ok_or(ImpersonationError::Unknown)?;
    refuse_unless_below(caller, (&app, &user))?;
    if user.may_sign_in(now) {
        Ok(user)
    } else {
        Err(ImpersonationError::Banned)
    }
}

/// The access token of the caller may be of a moment ago, and would be outlived by an hour: so he is
/// judged by what he is now.
async fn refuse_unless_still(
    tx: &mut Tx<'_>,
    (caller, impersonator): (&Caller, UserId),
    now: Timestamp,
) -> Result<(), ImpersonationError> {
    let home = apps::get(tx, caller.home.app_id).await?;
    let himself = users::hold(&mut tx.within(caller.home), impersonator).await?;
    let himself = himself.filter(|user| user.may_sign_in(now));
    let (home, himself) = home.zip(himself).ok_or(ImpersonationError::SessionOver)?;
    let held = subjects(home.is_platform, &himself.roles);
    let is_still = caller.subjects.iter().all(|it| held.contains(it));
    is_still
        .then_some(())
        .ok_or(ImpersonationError::SessionOver)
}

/// Whoever has a role that is above others' is impersonated by operators of the platform only, and
/// they by nobody.
fn refuse_unless_below(
    caller: &Caller,
    (app, user): (&App, &User),
) -> Result<(), ImpersonationError> {
    if users::outranks(user, caller, app.is_platform) {
        return Err(ImpersonationError::RoleNotHeld);
    }
    if user.roles.iter().all(|role| *role == Role::User) {
        return Ok(());
    }
    if app.is_platform {
        return Err(ImpersonationError::Operator);
    }
    let is_operator = caller.holds(Role::Admin, true);
    is_operator.then_some(()).ok_or(ImpersonationError::Equal)
}

/// Never refreshed, it is idle from its beginning; and it does not outlive the one it was begun from.
fn life(rules: &Rules, own: &Session, now: Timestamp) -> Duration {
    let most = LONGEST
        .min(rules.refresh_ttl)
        .min(own.expires_at.since(now));
    rules.idle.map_or(most, |idle| most.min(idle))
}
