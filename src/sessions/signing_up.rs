//! Sign-up: an account, its password and its first session, in one unit of work.

use super::issue::Issued;
use super::new_password::PasswordRefused;
use super::opening::{Opened, Place, Visit};
use super::service::Sessions;
use super::signing_in::PASSWORD;
use crate::client_config::Closed;
use crate::credentials::{self, StoredHash};
use crate::environments::Environment;
use crate::events::{self, Name, Origin, Party};
use crate::forms::{Answered, FormError};
use crate::kernel::language::Language;
use crate::kernel::password::Password;
use crate::kernel::secret::{ExposeSecret, SecretString, digest};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::limits::{LimitError, Rule};
use crate::links::{LinkPurpose, NewLink};
use crate::notifications::{Letter, Message};
use crate::settings::Key;
use crate::store::{StoreError, Tx};
use crate::tokens::KeyError;
use crate::users::{self, EMAIL_TAKEN, NewUser, PHONE_TAKEN, USERNAME_TAKEN, User};

/// What a sign-up leads to.
#[derive(Debug)]
pub enum SignedUp {
    In(Box<Issued>),
    /// The address has to be verified first. To clients the same for a new and for a known address.
    VerificationRequired,
}

#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("sign-up is closed in this environment")]
    Closed,
    #[error("the sign-up code is missing or wrong")]
    CodeWrong,
    #[error(transparent)]
    Disabled(#[from] Closed),
    #[error(transparent)]
    Form(#[from] FormError),
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

/// An account that is to be made, and whether its address may be written to.
struct Account<'a> {
    new: &'a NewUser,
    answered: &'a Answered,
    hash: &'a StoredHash,
    writes: bool,
}

impl Sessions {
    /// Makes an account and signs it in, unless its address must be verified first; then a known
    /// address is not told apart from a new one, and costs the same work (OWASP ASVS 6.3.8): a unit
    /// of work each, of as many calls. The form of the app is judged before anybody looks whether there
    /// is such an account.
    pub async fn sign_up(
        &self,
        tenant: Tenant,
        (new, password, code): (&NewUser, Password, Option<SecretString>),
        visit: Visit<'_>,
    ) -> Result<SignedUp, SignUpError> {
        let origin = visit.origin;
        self.limits.admit_ip(Rule::SignUp, tenant, origin).await?;
        let environment = self.environment(tenant).await?;
        if !environment.settings.signup_open {
            return Err(SignUpError::Closed);
        }
        let offered = self.client_configs.of(tenant.app_id).await?;
        offered.admits_signup()?;
        if !knows_the_code(&environment, code.as_ref()) {
            return Err(SignUpError::CodeWrong);
        }
        let answers = new.metadata.clone();
        let answered = self.forms.signed_up(tenant.app_id, answers).await?;
        let new = &kept(new, &answered, &environment);
        let hash = self.hash_new(tenant, password, new.into()).await?;
        let writes = self.may_write_to(tenant, &new.email, origin).await?;
        let rules = self.prepare(tenant).await?;
        let (now, place) = (self.clock.now(), (&*environment, &rules));
        let account = Account {
            new,
            answered: &answered,
            hash: &hash,
            writes,
        };
        let made = self
            .store
            .write(async |tx| self.make(tx, place, &account, (now, visit)).await)
            .await;
        match made {
            Ok(Some(opened)) => Ok(SignedUp::In(Box::new(self.issue(opened).await?))),
            Ok(None) => {
                self.outbox.hurry();
                Ok(SignedUp::VerificationRequired)
            }
            Err(SignUpError::EmailTaken) => {
                let who = (&new.email, writes);
                self.turn_away(&environment, who, (now, origin)).await?;
                if !environment.settings.require_verification {
                    return Err(SignUpError::EmailTaken);
                }
                self.outbox.hurry();
                Ok(SignedUp::VerificationRequired)
            }
            Err(error) => Err(error),
        }
    }

    /// The account, its letter where it is to get one, and its first session where it may have one.
    async fn make(
        &self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        account: &Account<'_>,
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Result<Option<Opened>, SignUpError> {
        let (environment, _) = place;
        let tenant = environment.tenant();
        let mut tx = tx.within(tenant);
        let made = (now, &self.entropy);
        let user = users::create(&mut tx, tenant.app_id, account.new.clone(), made)
            .await
            .map_err(taken)?;
        let owner = (tenant.app_id, user.id);
        credentials::create(&mut tx, owner, account.hash.clone(), made).await?;
        let party = Party::new("user", user.id);
        let from = (now, visit.origin);
        let told = self
            .event(Name::UserSignedUp, tenant, party.clone(), from)
            .on(party);
        events::record(&mut tx, &account.answered.told_by(told)).await?;
        if account.writes {
            let language = environment.settings.language(visit.origin.language);
            let request = verifying(&user, language);
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

    /// Notes a sign-up with an address that is taken, and by whom it is. Where that is a secret, its
    /// holder has a letter in the same unit of work, as a new account has.
    async fn turn_away(
        &self,
        environment: &Environment,
        (email, writes): (&Email, bool),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(), StoreError> {
        let (tenant, anonymous) = (environment.tenant(), Party::anonymous());
        let told = self
            .event(Name::UserSignedUp, tenant, anonymous, (now, origin))
            .denied()
            .with("reason", "email_taken");
        let language = environment.settings.language(origin.language);
        let is_secret = environment.settings.require_verification;
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let mut holder = users::contest(&mut tx, email, now).await?;
                if holder.is_none() {
                    holder = users::hold_by_email(&mut tx, email).await?;
                }
                let party = holder.as_ref().map(|it| Party::new("user", it.id));
                events::record(&mut tx, &told.clone().on(party)).await?;
                match holder.filter(|_| is_secret && writes) {
                    Some(holder) => self.remind(&mut tx, &holder, (language, now)).await,
                    None => Ok(()),
                }
            })
            .await
    }

    /// Writes to the holder of an address with which somebody signed up again: he is sent a new
    /// link where he has not verified it, and else told that he has an account.
    async fn remind(
        &self,
        tx: &mut Tx<'_, Tenant>,
        holder: &User,
        (language, now): (Language, Timestamp),
    ) -> Result<(), StoreError> {
        if !holder.email_verified {
            let request = verifying(holder, language);
            return self.links.send(tx, &request, now).await;
        }
        let letter = Letter {
            user: Some(holder.id),
            to: holder.email.clone(),
            language,
            message: Message::AccountExists,
        };
        self.outbox.enqueue(tx, letter, now).await
    }
}

/// Whether nobody has to know anything, or he knows it. By digests: how far a guess is right takes no
/// time to say.
fn knows_the_code(environment: &Environment, code: Option<&SecretString>) -> bool {
    let Some(wanted) = environment.chosen.secret(Key::SignupCode) else {
        return true;
    };
    let of = |code: &SecretString| digest(code.expose_secret().as_bytes());
    code.is_some_and(|code| of(code) == of(&wanted))
}

fn verifying(user: &User, language: Language) -> NewLink {
    NewLink {
        purpose: LinkPurpose::VerifyEmail,
        user: user.id,
        to: user.email.clone(),
        language,
        password_version: None,
    }
}

/// What of a sign-up is kept. Where the address is not verified yet, no username or telephone
/// number: they would be taken by a new address and not by a known one, and so tell them apart.
fn kept(new: &NewUser, answered: &Answered, environment: &Environment) -> NewUser {
    let new = NewUser {
        metadata: answered.metadata.clone(),
        ..new.clone()
    };
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
