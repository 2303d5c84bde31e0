use crate::access::{Pattern, Policy, Role, Scopes};
use crate::api_keys::{LONGEST_TOKEN, Live, LiveKeys};
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::{KeyOwner, Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::OrgId;
use crate::kernel::time::{Clock, Timestamp};
use crate::limits::{LimitError, Limits, NodeRule};
use crate::memberships::Memberships;
use crate::rbac;
use crate::sessions::Sessions;
use crate::store::{Store, StoreError, Stored};
use crate::tokens::{AccessTokens, ActiveOrganization, KeyError, KeyGrant, Subject};

/// What a key without scopes is for.
const EVERYTHING: &str = "*:*";

/// Exchanges keys, and looks into them and into tokens.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub live: LiveKeys,
    pub access: AccessTokens,
    pub memberships: Memberships,
    pub policy: Policy,
    pub sessions: Sessions,
    pub limits: Limits,
}

#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("no key that is good")]
    Invalid,
    #[error("a key whose uses are counted")]
    Counted,
    #[error("a scope that is none, or that the key does not have")]
    Scope,
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A token that a key was exchanged for.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub access_token: String,
    pub expires_in: i64,
    pub scope: String,
    pub org_id: Option<OrgId>,
}

/// What a key says of itself to others.
#[derive(Debug)]
pub(super) struct Told {
    pub subject: Subject,
    pub roles: Vec<String>,
    pub scope: String,
    pub organization: Option<ActiveOrganization>,
}

impl Exchange {
    /// The key that this text is.
    pub(super) async fn by_secret(&self, text: &str) -> Result<Live, ExchangeError> {
        let live = self.live.by_secret(text, self.clock.now()).await?;
        live.ok_or(ExchangeError::Invalid)
    }

    /// A token that says what the key is good for, or what of it is asked for, and ends with it.
    pub(super) async fn exchange(
        &self,
        live: Live,
        asked: Option<&str>,
        origin: &Origin,
    ) -> Result<Exchanged, ExchangeError> {
        if live.key.remaining_uses.is_some() {
            return Err(ExchangeError::Counted);
        }
        let (now, tenant) = (self.clock.now(), live.key.tenant());
        let rule = NodeRule::Exchange;
        let key = Party::new("key", live.key.id);
        self.limits.admit_here(rule, tenant, key, origin).await?;
        let (live, told) = self.asked_of(live, asked).await?;
        let grant = KeyGrant {
            tenant,
            key_id: live.key.id,
            subject: told.subject,
            session_id: live.secret.session_id,
            rights_version: live.rights_version,
            roles: told.roles,
            scope: told.scope.clone(),
            organization: told.organization,
        };
        let left = live.secret.until.map(|until| until.since(now));
        let term = left.map_or(LONGEST_TOKEN, |left| left.min(LONGEST_TOKEN));
        let claims = self.access.claims_of_key(grant, term, now);
        let access_token = self.access.sign(&claims).await?;
        let event = self.event(&live, origin, now);
        events::record(&mut self.store.once().within(tenant), &event).await?;
        Ok(Exchanged {
            access_token,
            expires_in: claims.exp - claims.iat,
            scope: told.scope,
            org_id: claims.org_id,
        })
    }

    /// The key as far as it is asked for, and what it says of itself then. Nobody is given less than he
    /// asks for without a word: a scope that the key is not for is refused.
    async fn asked_of(
        &self,
        live: Live,
        asked: Option<&str>,
    ) -> Result<(Live, Told), ExchangeError> {
        // RFC 6749 §3.2: what is sent empty is not sent.
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
            let told = self.told_of(&live).await?;
            return Ok((live, told));
        };
        let scopes: Scopes = asked.parse().map_err(|_| ExchangeError::Scope)?;
        if !live.has(&scopes) {
            return Err(ExchangeError::Scope);
        }
        let live = live.limited_to(&scopes);
        let told = self.told_of(&live).await?;
        if told.scope != scopes.to_string() {
            return Err(ExchangeError::Scope);
        }
        Ok((live, told))
    }

    fn event(&self, live: &Live, origin: &Origin, now: Timestamp) -> Event {
        let (tenant, party) = (live.key.tenant(), live.caller.party());
        let made = (now, &self.entropy);
        Event::new(Name::TokenExchanged, tenant, party, origin, made)
            .on(Party::new("key", live.key.id))
            .within(live.key.org_id)
    }

    /// Roles are told only where no scope takes anything of them away: whoever reads no `scope` must
    /// not take a limited key for all that its owner is.
    pub(super) async fn told_of(&self, live: &Live) -> Result<Told, ExchangeError> {
        let subject = match live.key.owner() {
            KeyOwner::User(id) => Subject::User(id),
            KeyOwner::ServiceAccount(id) => Subject::ServiceAccount(id),
            KeyOwner::Environment | KeyOwner::Organization(_) => Subject::Key(live.key.id),
        };
        let scopes = live.key.scopes.as_ref();
        let is_whole = scopes.is_none_or(Scopes::is_for_everything);
        let roles = live.roles.iter().filter(|_| is_whole);
        let organization = match live.key.owner() {
            KeyOwner::Organization(id) => Some(self.organization(live, id).await?),
            KeyOwner::Environment | KeyOwner::User(_) | KeyOwner::ServiceAccount(_) => None,
        };
        Ok(Told {
            subject,
            roles: roles.map(Role::to_string).collect(),
            scope: self.scope(live).await?,
            organization,
        })
    }

    async fn organization(
        &self,
        live: &Live,
        id: OrgId,
    ) -> Result<ActiveOrganization, ExchangeError> {
        let (tenant, caller) = (live.key.tenant(), &live.caller);
        let standing = self.store.read(async |tx| {
            let mut tx = tx.within(tenant);
            self.memberships.of_caller(&mut tx, caller, id).await
        });
        let standing = standing.await?.ok_or(ExchangeError::Invalid)?;
        Ok(standing.claims())
    }

    /// The scopes of a key that its owner can still use, in the app or in organisations.
    async fn scope(&self, live: &Live) -> Stored<String> {
        let Some(scopes) = &live.key.scopes else {
            return Ok(EVERYTHING.to_owned());
        };
        let mut once = self.store.once();
        let mut tx = once.within(live.key.tenant());
        let catalogue = rbac::catalogue(&mut tx).await?;
        let resources = catalogue.map(|it| it.resources).unwrap_or_default();
        let there = self.memberships.policies.draft(&resources, &[]).await?;
        let is_of_use = |line: &&Pattern| {
            there.knows(line) || self.policy.allows_some(&live.caller.subjects, line)
        };
        let lines = scopes.lines().iter().filter(is_of_use);
        let lines: Vec<String> = lines.map(Pattern::to_string).collect();
        Ok(lines.join(" "))
    }
}

impl From<ExchangeError> for Problem {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Invalid => ProblemKind::InvalidToken.into(),
            ExchangeError::Counted => ProblemKind::KeyNotExchangeable.into(),
            ExchangeError::Scope => {
                let kind = ProblemKind::ScopeNotHeld;
                let detail = "one of them is none, or not one that the key has";
                Problem::new(kind).field("/scope", kind.slug(), detail)
            }
            ExchangeError::Limit(error) => error.into(),
            ExchangeError::Keys(error) => error.into(),
            ExchangeError::Store(error) => error.into(),
        }
    }
}
