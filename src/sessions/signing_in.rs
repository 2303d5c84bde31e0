//! Sign-in by password.

use super::issue::Issued;
use super::opening::{Opened, Place, Visit};
use super::organization::PlaceError;
use super::service::Sessions;
use crate::client_config::{Closed, SignInName};
use crate::credentials::{self, Busy, Credential};
use crate::devices;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::UserId;
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::limits::{Attempt, LimitError, Rule, Subject};
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::KeyError;
use crate::users::{self, User};

/// How a user proves to be himself here (RFC 8176 §2).
pub(super) const PASSWORD: &str = "pwd";

/// How a user says who he is.
#[derive(Debug, Clone)]
pub enum Identifier {
    Email(Email),
    Username(Username),
    Phone(Phone),
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Closed(#[from] Closed),
    #[error("no such account, or another password")]
    Wrong,
    #[error("the account is disabled")]
    Disabled,
    #[error("the address is not verified")]
    Unverified,
    #[error("no member of the organisation that is asked for")]
    NotAMember,
    #[error(transparent)]
    Limit(#[from] LimitError),
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
            SignInError::Closed(_) => Some("method_disabled"),
            SignInError::Wrong => Some("invalid_credentials"),
            SignInError::Disabled => Some("account_disabled"),
            SignInError::Unverified => Some("email_not_verified"),
            SignInError::NotAMember => Some("not_a_member"),
            // A lock tells of itself, once.
            SignInError::Limit(_)
            | SignInError::Busy(_)
            | SignInError::Keys(_)
            | SignInError::Store(_) => None,
        }
    }
}

impl From<PlaceError> for SignInError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::NotAMember => Self::NotAMember,
            PlaceError::Store(error) => error.into(),
        }
    }
}

impl Identifier {
    fn kind(&self) -> SignInName {
        match self {
            Identifier::Email(_) => SignInName::Email,
            Identifier::Username(_) => SignInName::Username,
            Identifier::Phone(_) => SignInName::Phone,
        }
    }

    /// What somebody is called who has no account. No two kinds share a name.
    fn name(&self) -> String {
        match self {
            Identifier::Email(email) => format!("email {email}"),
            Identifier::Username(username) => format!("username {username}"),
            Identifier::Phone(phone) => format!("phone {phone}"),
        }
    }
}

impl Sessions {
    /// Signs a user in. What is wrong with an account is told only to who knows its password;
    /// unknown accounts and wrong passwords are one answer, after one hash each, and are locked
    /// alike (ASVS 6.3.8).
    pub async fn sign_in(
        &self,
        tenant: Tenant,
        identifier: &Identifier,
        password: Password,
        visit: Visit<'_>,
    ) -> Result<Issued, SignInError> {
        let origin = visit.origin;
        self.limits.admit_ip(Rule::SignIn, tenant, origin).await?;
        let offered = self.client_configs.of(tenant.app_id).await?;
        if let Err(closed) = offered.admits_password_of(identifier.kind()) {
            let refused = closed.into();
            self.tell(tenant, (None, &refused), origin).await?;
            return Err(refused);
        }
        let found = self
            .store
            .read(async |tx| {
                let made = (self.clock.now(), &self.entropy);
                account(&mut tx.within(tenant), (identifier, visit), made).await
            })
            .await?;
        let name = identifier.name();
        let user = found.user.as_ref().map(|user| user.id);
        let subject = user.map_or(Subject::Nobody(&name), Subject::User);
        let lane = found.lane.clone();
        let attempt = self
            .lockouts
            .reserve(tenant, subject, lane.as_deref(), origin)
            .await?;
        let judged = self.judge(tenant, found, password, (&attempt, visit)).await;
        if let Err(error) = &judged {
            self.settle(tenant, &attempt, error).await?;
            self.tell(tenant, (user, error), origin).await?;
        }
        if let Err(SignInError::Wrong) = judged {
            // A right password passes: guesses at others must not keep its owner out.
            let all = Rule::FailedSignIns;
            self.limits.admit(all, tenant, "", origin).await?;
        }
        Ok(self.issue(judged?).await?)
    }

    /// Whether the password is right and the account may be entered; then the session is there.
    async fn judge(
        &self,
        tenant: Tenant,
        found: Found,
        password: Password,
        (attempt, visit): (&Attempt, Visit<'_>),
    ) -> Result<Opened, SignInError> {
        let environment = self.environment(tenant).await?;
        let Found {
            user, credential, ..
        } = found;
        let stored = credential
            .as_ref()
            .map(|credential| credential.password_hash.clone());
        let right = self.hasher.verify(tenant, password.clone(), stored).await?;
        let (Some(user), Some(credential), true) = (user, credential, right) else {
            return Err(SignInError::Wrong);
        };
        self.keep_current(tenant, &credential, password).await;
        let rules = self.prepare(tenant).await?;
        let _turn = self.turns.of(user.id).await;
        let now = self.clock.now();
        let (place, entering) = ((&*environment, &rules), (&user, attempt));
        self.store
            .write(async |tx| {
                self.open_with_password(tx, place, entering, (now, visit))
                    .await
            })
            .await
    }

    /// Says of a try that opened no session what it was. Only a password that was judged wrong
    /// counts as wrong.
    async fn settle(
        &self,
        tenant: Tenant,
        attempt: &Attempt,
        error: &SignInError,
    ) -> Result<(), StoreError> {
        match error {
            SignInError::Wrong => attempt.failed().await,
            SignInError::Closed(_)
            | SignInError::Disabled
            | SignInError::Unverified
            | SignInError::NotAMember => {
                let (mut once, now) = (self.store.once(), self.clock.now());
                attempt.succeeded(&mut once.within(tenant), now).await
            }
            SignInError::Limit(_)
            | SignInError::Busy(_)
            | SignInError::Keys(_)
            | SignInError::Store(_) => attempt.withdrawn().await,
        }
    }

    async fn tell(
        &self,
        tenant: Tenant,
        (user, error): (Option<UserId>, &SignInError),
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let Some(reason) = error.reason() else {
            return Ok(());
        };
        let (name, anonymous) = (Name::SessionDenied, Party::anonymous());
        let told = self
            .event(name, tenant, anonymous, (self.clock.now(), origin))
            .denied()
            .on(user.map(|user| Party::new("user", user)))
            .with("reason", reason);
        events::record(&mut self.store.once().within(tenant), &told).await
    }

    /// Hashes the password anew where the stored hash has another cost than today's. What comes
    /// between leaves the old hash, which is as right, for the next time.
    async fn keep_current(&self, tenant: Tenant, credential: &Credential, password: Password) {
        if !self.hasher.is_outdated(&credential.password_hash) {
            return;
        }
        let Ok(hash) = self.hasher.hash(tenant, password).await else {
            return;
        };
        let now = self.clock.now();
        let mut once = self.store.once();
        let kept = credentials::rewrite(&mut once.within(tenant), credential, hash, now).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a password hash stays at its old cost");
        }
    }

    /// The session, unless the password is another one since it was judged.
    async fn open_with_password(
        &self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        (seen, attempt): (&User, &Attempt),
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Result<Opened, SignInError> {
        let who = (seen.id, PASSWORD);
        let opened = self.open(tx, place, who, (now, visit)).await?;
        if opened.user.password_version != seen.password_version {
            return Err(SignInError::Wrong);
        }
        let tenant = place.0.tenant();
        let mut tx = tx.within(tenant);
        attempt.succeeded(&mut tx, now).await?;
        if let Some(failed) = attempt.failed_before() {
            let (name, anonymous) = (Name::SuspiciousSignIn, Party::anonymous());
            let told = self
                .event(name, tenant, anonymous, (now, visit.origin))
                .on(Party::new("user", seen.id))
                .with("failed_attempts", failed);
            events::record(&mut tx, &told).await?;
        }
        Ok(opened)
    }
}

/// What there is to judge a sign-in by.
struct Found {
    user: Option<User>,
    credential: Option<Credential>,
    /// The device, if it is known to be the user's: strangers' guesses do not lock it out.
    lane: Option<String>,
}

async fn account(
    tx: &mut Tx<'_, Tenant>,
    (identifier, visit): (&Identifier, Visit<'_>),
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Found> {
    let user = match identifier {
        Identifier::Email(email) => users::by_email(tx, email).await?,
        Identifier::Username(username) => users::by_username(tx, username).await?,
        Identifier::Phone(phone) => users::by_phone(tx, phone).await?,
    };
    // The looks that follow for nobody too: an unknown account costs what a known one costs.
    let whose = user
        .as_ref()
        .map_or_else(|| UserId::new(now, entropy), |user| user.id);
    let credential = credentials::by_user(tx, whose).await?;
    let device = visit.device.fingerprint();
    let known = devices::by_fingerprint(tx, whose, &device).await?;
    let changed = user.as_ref().and_then(|user| user.password_changed_at);
    let lane = known.and_then(|device| device.lane(changed).map(str::to_owned));
    Ok(Found {
        credential: credential.filter(|_| user.is_some()),
        user,
        lane,
    })
}
