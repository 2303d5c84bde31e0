//! Sign-up: an account, its password and its first session, in one unit of work.

use super::issue::{Draft, Issued};
use super::opening::Visit;
use super::service::Sessions;
use crate::credentials::{self, Busy, StoredHash};
use crate::environments::Environment;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::session_rules::Rules;
use crate::store::{StoreError, Tx};
use crate::tokens::KeyError;
use crate::users::{self, EMAIL_TAKEN, NewUser, PHONE_TAKEN, USERNAME_TAKEN, User};

/// What a sign-up leads to.
#[derive(Debug)]
pub enum SignedUp {
    In(Box<Issued>),
    /// The address has to be verified first. The same for a new and for a known address.
    VerificationRequired,
}

#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("sign-up is closed in this environment")]
    Closed,
    #[error("the password is among those that are guessed first")]
    CommonPassword,
    #[error("the address is another account's")]
    EmailTaken,
    #[error("the username is another account's")]
    UsernameTaken,
    #[error("the phone number is another account's")]
    PhoneTaken,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// Makes an account and signs it in, unless its address must be verified first; then a known
    /// address is not told apart from a new one, and costs the same work (OWASP ASVS 6.3.8).
    pub async fn sign_up(
        &self,
        tenant: Tenant,
        new: &NewUser,
        password: Password,
        visit: Visit<'_>,
    ) -> Result<SignedUp, SignUpError> {
        let origin = visit.origin;
        let environment = self.environment(tenant).await?;
        if !environment.settings.signup_open {
            return Err(SignUpError::Closed);
        }
        let new = &kept(new, &environment);
        let context = self.context(tenant, new).await?;
        if self.hasher.is_common(password.clone(), context).await? {
            return Err(SignUpError::CommonPassword);
        }
        let hash = self.hasher.hash(password).await?;
        self.issuer.access.prepare(tenant).await?;
        let rules = self.rules.of(tenant.app_id).await?;
        let (now, what) = (self.clock.now(), (new, &hash, &rules));
        let made = self
            .store
            .write(async |tx| self.make(tx, &environment, what, (now, visit)).await)
            .await;
        match made {
            Ok((user, Some(draft))) => {
                let issued = self.opened(draft, user).await?;
                Ok(SignedUp::In(Box::new(issued)))
            }
            Ok((_, None)) => Ok(SignedUp::VerificationRequired),
            Err(SignUpError::EmailTaken) => self.refused(&environment, new, (now, origin)).await,
            Err(error) => Err(error),
        }
    }

    /// Words that a password of this user must not consist of.
    async fn context(&self, tenant: Tenant, new: &NewUser) -> Result<Vec<String>, StoreError> {
        let app = crate::apps::get(&mut self.store.once().shared(), tenant.app_id).await?;
        let names = [&new.first_name, &new.last_name]
            .map(|name| name.as_ref().map(ToString::to_string).unwrap_or_default());
        let full = names.join(" ");
        let [first, last] = names;
        let words = [
            new.email.to_string(),
            new.email.local().to_owned(),
            first,
            last,
            full,
            app.map(|app| app.name.to_string()).unwrap_or_default(),
        ];
        Ok(words
            .into_iter()
            .filter(|word| !word.trim().is_empty())
            .collect())
    }

    async fn make(
        &self,
        tx: &mut Tx<'_>,
        environment: &Environment,
        (new, hash, rules): (&NewUser, &StoredHash, &Rules),
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Result<(User, Option<Draft>), SignUpError> {
        let tenant = environment.tenant();
        let mut tx = tx.within(tenant);
        let made = (now, &self.entropy);
        let user = users::create(&mut tx, tenant.app_id, new.clone(), made)
            .await
            .map_err(taken)?;
        let owner = (tenant.app_id, user.id);
        credentials::create(&mut tx, owner, hash.clone(), made).await?;
        let party = Party::new("user", user.id);
        let told = self
            .event(
                Name::UserSignedUp,
                tenant,
                party.clone(),
                (now, visit.origin),
            )
            .on(party);
        events::record(&mut tx, &told).await?;
        if environment.settings.require_verification {
            return Ok((user, None));
        }
        let whose = (&user, rules);
        let draft = self
            .begin(&mut tx, environment, whose, (now, visit))
            .await?;
        Ok((user, Some(draft)))
    }

    async fn refused(
        &self,
        environment: &Environment,
        new: &NewUser,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<SignedUp, SignUpError> {
        let tenant = environment.tenant();
        let mut once = self.store.once();
        let mut tx = once.within(tenant);
        let holder = users::by_email(&mut tx, &new.email).await?;
        let told = self
            .event(
                Name::UserSignedUp,
                tenant,
                Party::anonymous(),
                (now, origin),
            )
            .denied()
            .with("reason", "email_taken");
        let told = match holder {
            Some(holder) => told.on(Party::new("user", holder.id)),
            None => told,
        };
        events::record(&mut tx, &told).await?;
        if environment.settings.require_verification {
            Ok(SignedUp::VerificationRequired)
        } else {
            Err(SignUpError::EmailTaken)
        }
    }
}

/// What of a sign-up is kept. Where the address is not verified yet, no username or telephone
/// number: they would be taken by a new address and not by a known one, and so tell them apart.
fn kept(new: &NewUser, environment: &Environment) -> NewUser {
    let new = new.clone();
    if environment.settings.require_verification {
        return NewUser {
            username: None,
            phone: None,
            ..new
        };
    }
    new
}

fn taken(error: StoreError) -> SignUpError {
    match error.duplicate() {
        Some(EMAIL_TAKEN) => SignUpError::EmailTaken,
        Some(USERNAME_TAKEN) => SignUpError::UsernameTaken,
        Some(PHONE_TAKEN) => SignUpError::PhoneTaken,
        Some(_) | None => SignUpError::Store(error),
    }
}
