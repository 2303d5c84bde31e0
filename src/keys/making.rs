//! Making a key.

use std::time::Duration;

use super::holding::{By, Deed};
use super::service::{KeyError, Keys, LONGEST_TERM, MOST_KEYS, TERM};
use crate::access::{Pattern, Role, Scopes, assignable};
use crate::api_keys::{self, ApiKey, NewKey, OwnerKind};
use crate::environments::Environment;
use crate::events::{self, Name};
use crate::http::{Caller, KeyOwner, Principal};
use crate::kernel::id::OrgId;
use crate::kernel::secret::SecretString;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::Tx;

/// When a key is to be over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Term {
    At(Timestamp),
    In(Duration),
}

/// Whose key it is to be, as far as that is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose {
    pub org: Option<OrgId>,
    pub owner: Option<OwnerKind>,
}

/// A key that somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct WantedKey {
    pub name: Label,
    pub scopes: Vec<Pattern>,
    /// By name; of a key of the environment.
    pub roles: Vec<String>,
    pub term: Option<Term>,
    pub remaining_uses: Option<u32>,
}

impl Whose {
    /// The owner who is meant: unless another is named, whoever asks.
    pub(super) fn meant_by(self, caller: &Caller) -> Result<KeyOwner, KeyError> {
        let oneself = || caller.user().map(KeyOwner::User).ok_or(KeyError::NoPerson);
        match (self.org, self.owner) {
            (Some(org), None | Some(OwnerKind::Organization)) => Ok(KeyOwner::Organization(org)),
            (None, Some(OwnerKind::Environment)) => Ok(KeyOwner::Environment),
            (None, Some(OwnerKind::User)) => oneself(),
            (None, None) => match caller.principal {
                // Whoever operates the app is no user of it.
                Principal::User { .. } => Ok(oneself().unwrap_or(KeyOwner::Environment)),
                Principal::Key { owner, .. } => Ok(owner),
            },
            (Some(_), Some(_))
            | (None, Some(OwnerKind::Organization | OwnerKind::ServiceAccount)) => {
                Err(KeyError::Owner)
            }
        }
    }
}

impl Term {
    /// The time that is meant: after now, and not for ever.
    pub(super) fn end(self, now: Timestamp) -> Result<Timestamp, KeyError> {
        let end = match self {
            Self::At(end) => end,
            Self::In(after) => now.plus(after),
        };
        if end > now && end <= now.plus(LONGEST_TERM) {
            return Ok(end);
        }
        Err(KeyError::Term)
    }
}

impl Keys {
    /// Makes a key for whoever is meant, and tells its secret for the only time.
    pub(super) async fn create(
        &self,
        by: &By<'_>,
        whose: Whose,
        wanted: &WantedKey,
    ) -> Result<(ApiKey, SecretString), KeyError> {
        let owner = whose.meant_by(by.caller)?;
        self.create_for(by, owner, wanted).await
    }

    pub(super) async fn create_for(
        &self,
        by: &By<'_>,
        owner: KeyOwner,
        wanted: &WantedKey,
    ) -> Result<(ApiKey, SecretString), KeyError> {
        let environment = self.environment(by.caller.tenant).await?;
        self.store
            .write(async |tx| self.create_in(tx, by, (owner, &environment), wanted).await)
            .await
    }

    async fn create_in(
        &self,
        tx: &mut Tx<'_>,
        by: &By<'_>,
        (owner, environment): (KeyOwner, &Environment),
        wanted: &WantedKey,
    ) -> Result<(ApiKey, SecretString), KeyError> {
        let now = self.clock.now();
        let mut tx = tx.within(by.caller.tenant);
        self.let_at(&mut tx, (by, Deed::Change), owner).await?;
        let roles = self.roles(by, owner, &wanted.roles)?;
        let given = (owner, roles.as_slice(), wanted.scopes.as_slice());
        self.may_give(&mut tx, by, given, now).await?;
        if api_keys::count(&mut tx, owner).await? >= MOST_KEYS {
            return Err(KeyError::TooMany);
        }
        let term = wanted.term.unwrap_or(Term::In(TERM));
        let new = NewKey {
            owner,
            name: wanted.name.clone(),
            roles,
            scopes: Some(Scopes::new(wanted.scopes.clone())),
            created_by: by.caller.user().filter(|_| owner.user().is_none()),
            expires_at: Some(term.end(now)?),
            remaining_uses: wanted.remaining_uses.map(i64::from),
        };
        let (key, secret) = ApiKey::new(environment, new, (now, &self.entropy));
        api_keys::insert(&mut tx, &key).await?;
        let told = self
            .event(Name::ApiKeyCreated, by, &key, now)
            .with("scopes", key.scopes.as_ref().map(Scopes::texts));
        events::record(&mut tx, &told).await?;
        Ok((key, secret))
    }

    /// The roles that are meant: a key of the environment has some, and no other.
    fn roles(&self, by: &By<'_>, owner: KeyOwner, names: &[String]) -> Result<Vec<Role>, KeyError> {
        if (owner == KeyOwner::Environment) == names.is_empty() {
            return Err(KeyError::Roles);
        }
        let is_platform = by.caller.tenant.app_id == self.memberships.platform;
        let meant = |name: &String| {
            let role = name.parse().ok();
            role.filter(|role| assignable(is_platform).contains(role))
        };
        let roles: Option<Vec<Role>> = names.iter().map(meant).collect();
        let mut roles = roles.ok_or(KeyError::UnknownRole)?;
        roles.sort_unstable();
        roles.dedup();
        Ok(roles)
    }
}
