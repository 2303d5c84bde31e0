//! Sign-up: an account, its password and its first session, in one unit of work.

use super::issue::Issued;
use super::new_password::PasswordRefused;
use super::opening::{Opened, Place, Visit};
use super::service::Sessions;
use super::signing_in::PASSWORD;
use crate::credentials::{self, StoredHash};
use crate::environments::Environment;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::UserId;
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::limits::{LimitError, Rule};
use crate::links::{LinkPurpose, NewLink};
use crate::notifications::{Letter, Message};
use crate::store::{StoreError, Tx};
use crate::tokens::KeyError;
use crate::users::{self, EMAIL_TAKEN, NewUser, PHONE_TAKEN, USERNAME_TAKEN};

/// What a sign-up leads to.
#[derive(Debug)]
pub enum SignedUp {
    In(Box<Issued>),
    /// The address has to be verified first. To clients the same for a new and for a known address.
    VerificationRequired {
        /// The account that had the address before, if its holder is to be told.
        known: Option<UserId>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("sign-up is closed in this environment")]
    Closed,
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    #[error("the address is another account's")]
    EmailTaken,
    #[error("the username is another account's")]
    UsernameTaken,
    #[error("the phone number is another account's")]
    PhoneTaken,
    #[error(transparent)]
    Limit(#[from] LimitError),
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
        self.limits.admit_ip(Rule::SignUp, tenant, origin).await?;
        let environment = self.environment(tenant).await?;
        if !environment.settings.signup_open {
            return Err(SignUpError::Closed);
        }
        let new = &kept(new, &environment);
        let hash = self.hash_new(tenant.app_id, password, new.into()).await?;
        let writes = self.may_write_to(tenant, &new.email, origin).await?;
        let rules = self.prepare(tenant).await?;
        let (now, place) = (self.clock.now(), (&*environment, &rules));
        let made = self
            .store
            .write(async |tx| {
                let account = (new, &hash, writes);
                self.make(tx, place, account, (now, visit)).await
            })
            .await;
        match made {
            Ok(Some(opened)) => Ok(SignedUp::In(Box::new(self.issue(opened).await?))),
            Ok(None) => {
                self.outbox.hurry();
                Ok(SignedUp::VerificationRequired { known: None })
            }
            Err(SignUpError::EmailTaken) => {
                let known = self.refused(&environment, new, (now, origin)).await?;
                Ok(SignedUp::VerificationRequired {
                    known: known.filter(|_| writes),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// The account, its letter where it is to get one, and its first session where it may have one.
    async fn make(
        &self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        (new, hash, writes): (&NewUser, &StoredHash, bool),
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Result<Option<Opened>, SignUpError> {
        let (environment, _) = place;
        let tenant = environment.tenant();
        let mut tx = tx.within(tenant);
        let made = (now, &self.entropy);
        let user = users::create(&mut tx, tenant.app_id, new.clone(), made)
            .await
            .map_err(taken)?;
        let owner = (tenant.app_id, user.id);
        credentials::create(&mut tx, owner, hash.clone(), made).await?;
        let party = Party::new("user", user.id);
        let from = (now, visit.origin);
        let told = self
            .event(Name::UserSignedUp, tenant, party.clone(), from)
            .on(party);
        events::record(&mut tx, &told).await?;
        if writes {
            let request = NewLink {
                purpose: LinkPurpose::VerifyEmail,
                user: user.id,
                to: user.email.clone(),
                language: environment.settings.language(visit.origin.language),
                password_version: None,
            };
            self.links.send(&mut tx, &request, now).await?;
        }
        if environment.settings.require_verification {
            return Ok(None);
        }
        // Who has just come is in no organisation.
        let who = (&user, PASSWORD, None);
        let draft = self.begin(&mut tx, place, who, (now, visit)).await?;
        Ok(Some(Opened { user, draft }))
    }

    /// Writes to the holder of an address with which somebody signed up again: he is sent a new
    /// link where he has not verified it, and else told that he has an account.
    pub async fn remind(
        &self,
        tenant: Tenant,
        user: UserId,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let environment = self.environment(tenant).await?;
        let (now, language) = (
            self.clock.now(),
            environment.settings.language(origin.language),
        );
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let Some(holder) = users::hold(&mut tx, user).await? else {
                    return Ok(());
                };
                if holder.email_verified {
                    let letter = Letter {
                        user: Some(user),
                        to: holder.email,
                        language,
                        message: Message::AccountExists,
                    };
                    return self.outbox.enqueue(&mut tx, letter, now).await;
                }
                let request = NewLink {
                    purpose: LinkPurpose::VerifyEmail,
                    user,
                    to: holder.email,
                    language,
                    password_version: None,
                };
                self.links.send(&mut tx, &request, now).await
            })
            .await?;
        self.outbox.hurry();
        Ok(())
    }

    /// Notes a sign-up with an address that is taken, and by whom it is; refuses it where that is no
    /// secret. Noted it is before anybody is answered, and whether or not a letter goes out.
    async fn refused(
        &self,
        environment: &Environment,
        new: &NewUser,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Option<UserId>, SignUpError> {
        let tenant = environment.tenant();
        let mut once = self.store.once();
        let mut tx = once.within(tenant);
        let holder = users::by_email(&mut tx, &new.email).await?;
        let known = holder.map(|holder| holder.id);
        if let Some(known) = known {
            users::contest(&mut tx, known, now).await?;
        }
        let told = self
            .event(
                Name::UserSignedUp,
                tenant,
                Party::anonymous(),
                (now, origin),
            )
            .denied()
            .on(known.map(|known| Party::new("user", known)))
            .with("reason", "email_taken");
        events::record(&mut tx, &told).await?;
        if environment.settings.require_verification {
            Ok(known)
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
