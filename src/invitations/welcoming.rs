//! Welcoming: whoever is invited and has no account accepts by making one.

use super::answering::{AnswerError, Which, found, open};
use super::service::Invitations;
use crate::credentials::{self, StoredHash};
use crate::environments::Environment;
use crate::events::{self, Name, Origin, Party};
use crate::forms::Answered;
use crate::http::Change;
use crate::kernel::metadata::Metadata;
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::memberships::Invitation;
use crate::session_rules::Rules;
use crate::sessions::{Issued, Opened, Visit};
use crate::store::{StoreError, Tx};
use crate::tokens::Revocation;
use crate::users::{self, EMAIL_TAKEN, NewUser, ProfileChanges, User};

/// How a newcomer proved to be himself: by the password that he has chosen (RFC 8176 §2).
const AMR: &str = "pwd";

/// How often it is begun again where somebody takes the address meanwhile. Once that is seen, the
/// answer is another.
const TRIES: usize = 3;

/// What a newcomer says of himself.
#[derive(Debug, Clone)]
pub(super) struct Newcomer {
    pub password: Password,
    pub first_name: Option<Label>,
    pub last_name: Option<Label>,
    /// Answers to the form of the app.
    pub metadata: Option<Metadata>,
}

/// What there is before the unit of work.
struct Welcome<'a> {
    token: &'a str,
    new: NewUser,
    answered: Answered,
    hash: StoredHash,
    environment: &'a Environment,
    rules: Rules,
}

impl Invitations {
    /// Accepts by the link of the letter, which proves the address of the account that is made for
    /// it; also where sign-up is closed, because whoever is invited does not come by himself. A proven
    /// account of the address must be signed in to. One that nobody has proven is the reader's from now
    /// on: nothing by which its maker could come back is left.
    pub(super) async fn accept_as_new(
        &self,
        token: &str,
        (named, newcomer): (Option<Tenant>, Option<Newcomer>),
        visit: Visit<'_>,
    ) -> Result<Issued, AnswerError> {
        let seen = self.by_token(token, named).await?;
        let seen = seen.ok_or(AnswerError::Unknown)?;
        let accepted = self.welcome(token, (&seen, newcomer), visit).await;
        if let Err(refused) = &accepted {
            let known = (&seen, Party::anonymous());
            self.tell_refused(known, refused, visit.origin).await?;
        }
        accepted
    }

    async fn welcome(
        &self,
        token: &str,
        (seen, newcomer): (&Invitation, Option<Newcomer>),
        visit: Visit<'_>,
    ) -> Result<Issued, AnswerError> {
        let (accounts, tenant) = (&self.accounts, seen.tenant());
        // What cannot be accepted must not cost a hash.
        open(seen, accounts.clock.now())?;
        let mut once = accounts.store.once();
        let holder = users::by_email(&mut once.within(tenant), &seen.email).await?;
        if holder.is_some_and(|holder| holder.email_verified) {
            return Err(AnswerError::SignInRequired);
        }
        let newcomer = newcomer.ok_or(AnswerError::NoPassword)?;
        let answers = newcomer.metadata.clone().unwrap_or_default();
        let answered = accounts.forms.signed_up(tenant.app_id, answers).await?;
        let (new, password) = account(seen, newcomer, &answered);
        let hash = accounts.hash_new(tenant, password, (&new).into());
        let welcome = Welcome {
            token,
            hash: hash.await?,
            new,
            answered,
            environment: &*accounts.environment(tenant).await?,
            rules: accounts.prepare(tenant).await?,
        };
        let turn = accounts.turns.of(seen.org_id).await;
        let (revoked, opened) = self.enter(&welcome, visit).await?;
        drop(turn);
        accounts.apply(&revoked);
        let issued = accounts.issue(opened).await?;
        accounts.recent.forget(tenant.app_id, issued.user.id);
        Ok(issued)
    }

    async fn enter(
        &self,
        welcome: &Welcome<'_>,
        visit: Visit<'_>,
    ) -> Result<(Vec<Revocation>, Opened), AnswerError> {
        let accounts = &self.accounts;
        for _ in 0..TRIES {
            let now = accounts.clock.now();
            let entered = accounts
                .store
                .write(async |tx| self.enter_in(tx, welcome, (now, visit)).await);
            match entered.await {
                Err(AnswerError::Raced) => {}
                other => return other,
            }
        }
        Err(AnswerError::Raced)
    }

    async fn enter_in(
        &self,
        tx: &mut Tx<'_>,
        welcome: &Welcome<'_>,
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Result<(Vec<Revocation>, Opened), AnswerError> {
        let tenant = welcome.environment.tenant();
        let which = Which::Token(welcome.token);
        let invitation = found(&mut tx.within(tenant), which).await?;
        open(&invitation, now)?;
        let from = (now, visit.origin);
        let (user, revoked) = self.holder(tx, welcome, from).await?;
        self.join(tx, (&invitation, user.id), from).await?;
        let visit = Visit {
            organization: Some(invitation.org_id),
            ..visit
        };
        let place = (welcome.environment, &welcome.rules);
        let entering = self.accounts.open(tx, place, (user.id, AMR), (now, visit));
        Ok((revoked, entering.await?))
    }

    /// The account of the address, with the password and the names that its reader has chosen.
    async fn holder(
        &self,
        tx: &mut Tx<'_>,
        welcome: &Welcome<'_>,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(User, Vec<Revocation>), AnswerError> {
        let (tenant, new) = (welcome.environment.tenant(), &welcome.new);
        let made = (now, &self.accounts.entropy);
        let known = users::by_email(&mut tx.within(tenant), &new.email).await?;
        let Some(known) = known else {
            let user = self.sign_up(tx, welcome, (now, origin)).await?;
            return Ok((user, Vec::new()));
        };
        if known.email_verified {
            return Err(AnswerError::SignInRequired);
        }
        let accounts = &self.accounts;
        let revoked = accounts.reclaim(tx, tenant, &known, (now, origin)).await?;
        let mut tx = tx.within(tenant);
        let owner = (tenant.app_id, known.id);
        credentials::set(&mut tx, owner, welcome.hash.clone(), made).await?;
        let set = |name: &Option<Label>| name.clone().map_or(Change::Keep, Change::Set);
        let names = ProfileChanges {
            first_name: set(&new.first_name),
            last_name: set(&new.last_name),
            metadata: Some(new.metadata.clone()),
            ..ProfileChanges::default()
        };
        let renamed = users::update_profile(&mut tx, known.id, &names, now).await?;
        Ok((renamed.ok_or(AnswerError::Raced)?, revoked))
    }

    async fn sign_up(
        &self,
        tx: &mut Tx<'_>,
        welcome: &Welcome<'_>,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<User, AnswerError> {
        let tenant = welcome.environment.tenant();
        let (mut tx, made) = (tx.within(tenant), (now, &self.accounts.entropy));
        let user = users::create(&mut tx, tenant.app_id, welcome.new.clone(), made)
            .await
            .map_err(taken)?;
        let owner = (tenant.app_id, user.id);
        credentials::create(&mut tx, owner, welcome.hash.clone(), made).await?;
        let party = Party::new("user", user.id);
        for name in [Name::UserSignedUp, Name::EmailVerified] {
            let told = self
                .accounts
                .event(name, tenant, party.clone(), (now, origin))
                .on(party.clone());
            events::record(&mut tx, &welcome.answered.told_by(told)).await?;
        }
        Ok(user)
    }
}

/// The account that an invitation leads to. The letter went to the address, so it is proven.
fn account(
    invitation: &Invitation,
    newcomer: Newcomer,
    answered: &Answered,
) -> (NewUser, Password) {
    let new = NewUser {
        email: invitation.email.clone(),
        email_verified: true,
        phone: None,
        username: None,
        first_name: newcomer.first_name,
        last_name: newcomer.last_name,
        roles: Vec::new(),
        metadata: answered.metadata.clone(),
    };
    (new, newcomer.password)
}

fn taken(error: StoreError) -> AnswerError {
    match error.duplicate() {
        Some(EMAIL_TAKEN) => AnswerError::Raced,
        Some(_) | None => AnswerError::Store(error),
    }
}
