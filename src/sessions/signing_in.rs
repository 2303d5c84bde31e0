//! Sign-in by password.

use super::issue::{Draft, Issued};
use super::opening::Visit;
use super::service::Sessions;
use crate::credentials::{self, Busy, Credential};
use crate::environments::Environment;
use crate::events::{self, Name, Party};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::UserId;
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::session_rules::Rules;
use crate::store::{OfApp, Reaches, StoreError, Stored, Tx};
use crate::tokens::KeyError;
use crate::users::{self, Status, User};

/// How a user says who he is.
#[derive(Debug, Clone)]
pub enum Identifier {
    Email(Email),
    Username(Username),
    Phone(Phone),
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("no such account, or another password")]
    Wrong,
    #[error("the account is disabled")]
    Disabled,
    #[error("the address is not verified")]
    Unverified,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignInError {
    /// Why, as the event tells it; `None` for what is not the user's doing.
    fn reason(&self) -> Option<&'static str> {
        match self {
            SignInError::Wrong => Some("invalid_credentials"),
            SignInError::Disabled => Some("account_disabled"),
            SignInError::Unverified => Some("email_not_verified"),
            SignInError::Busy(_) | SignInError::Keys(_) | SignInError::Store(_) => None,
        }
    }
}

impl Sessions {
    /// Signs a user in. What is wrong with an account is told only to who knows its password;
    /// unknown accounts and wrong passwords are one answer, after one hash each (ASVS 6.3.8).
    pub async fn sign_in(
        &self,
        tenant: Tenant,
        identifier: &Identifier,
        password: Password,
        visit: Visit<'_>,
    ) -> Result<Issued, SignInError> {
        let origin = visit.origin;
        let found = self
            .store
            .read(async |tx| {
                let made = (self.clock.now(), &self.entropy);
                account(&mut tx.within(tenant), identifier, made).await
            })
            .await?;
        let user = found.as_ref().map(|(user, _)| Party::new("user", user.id));
        let signed_in = self.admit(tenant, found, password, visit).await;
        if let Some(reason) = signed_in.as_ref().err().and_then(SignInError::reason) {
            let now = self.clock.now();
            let told = self
                .event(
                    Name::SessionDenied,
                    tenant,
                    Party::anonymous(),
                    (now, origin),
                )
                .denied()
                .with("reason", reason);
            let told = match user {
                Some(user) => told.on(user),
                None => told,
            };
            events::record(&mut self.store.once().within(tenant), &told).await?;
        }
        signed_in
    }

    async fn admit(
        &self,
        tenant: Tenant,
        found: Option<(User, Option<Credential>)>,
        password: Password,
        visit: Visit<'_>,
    ) -> Result<Issued, SignInError> {
        let environment = self.environment(tenant).await?;
        let (user, credential) = found.unzip();
        let credential = credential.flatten();
        let stored = credential
            .as_ref()
            .map(|credential| credential.password_hash.clone());
        let right = self.hasher.verify(password.clone(), stored).await?;
        let (Some(user), Some(credential), true) = (user, credential, right) else {
            return Err(SignInError::Wrong);
        };
        self.keep_current(tenant, &credential, password).await;
        self.issuer.access.prepare(tenant).await?;
        let rules = self.rules.of(tenant.app_id).await?;
        let _turn = self.turns.of(user.id).await;
        let (now, known) = (self.clock.now(), (&user, &rules));
        let (user, draft) = self
            .store
            .write(async |tx| self.open(tx, &environment, known, (now, visit)).await)
            .await?;
        Ok(self.opened(draft, user).await?)
    }

    /// Hashes the password anew where the stored hash has another cost than today's. What comes
    /// between leaves the old hash, which is as right, for the next time.
    async fn keep_current(&self, tenant: Tenant, credential: &Credential, password: Password) {
        if !self.hasher.is_outdated(&credential.password_hash) {
            return;
        }
        let Ok(hash) = self.hasher.hash(password).await else {
            return;
        };
        let now = self.clock.now();
        let mut once = self.store.once();
        let kept = credentials::rewrite(&mut once.within(tenant), credential, hash, now).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a password hash stays at its old cost");
        }
    }

    /// The session, for the user as he is at this moment and not as he was before the hash.
    async fn open(
        &self,
        tx: &mut Tx<'_>,
        environment: &Environment,
        (seen, rules): (&User, &Rules),
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Result<(User, Draft), SignInError> {
        let tenant = environment.tenant();
        let mut tx = tx.within(tenant);
        let user = users::signs_in(&mut tx, seen.id, now)
            .await?
            .ok_or(SignInError::Wrong)?;
        if user.password_changed_at != seen.password_changed_at {
            return Err(SignInError::Wrong);
        }
        match user.status {
            Status::Active => {}
            Status::Disabled => return Err(SignInError::Disabled),
        }
        if environment.settings.require_verification && !user.email_verified {
            return Err(SignInError::Unverified);
        }
        let whose = (&user, rules);
        let draft = self
            .begin(&mut tx, environment, whose, (now, visit))
            .await?;
        Ok((user, draft))
    }
}

async fn account<S>(
    tx: &mut Tx<'_, S>,
    identifier: &Identifier,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Option<(User, Option<Credential>)>>
where
    S: Copy + Reaches<OfApp>,
{
    let user = match identifier {
        Identifier::Email(email) => users::by_email(tx, email).await?,
        Identifier::Username(username) => users::by_username(tx, username).await?,
        Identifier::Phone(phone) => users::by_phone(tx, phone).await?,
    };
    // One look more for nobody too: an unknown account costs what a known one costs.
    let whose = user
        .as_ref()
        .map_or_else(|| UserId::new(now, entropy), |user| user.id);
    let credential = credentials::by_user(tx, whose).await?;
    Ok(user.map(|user| (user, credential)))
}
