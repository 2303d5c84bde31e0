use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::language::Language;
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::limits::{LimitError, Rule};
use crate::links::{self, CodeRefused, LinkPurpose, LinkRefused, NewLink};
use crate::notifications::{Letter, Message};
use crate::sessions::{Proven, ReauthError, Sessions};
use crate::store::{StoreError, Tx};
use crate::tokens::{Revocation, revoke_user};
use crate::users::{self, EMAIL_TAKEN, User};

/// Proves addresses, and changes them.
#[derive(Debug, Clone)]
pub struct Verification {
    pub accounts: Sessions,
}

#[derive(Debug, thiserror::Error)]
pub enum VerificationError {
    #[error(transparent)]
    Link(#[from] LinkRefused),
    #[error(transparent)]
    Code(#[from] CodeRefused),
    #[error("the address is another account's")]
    EmailTaken,
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a change of address does not begin.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("the address is the user's already")]
    Unchanged,
    #[error(transparent)]
    Reauth(#[from] ReauthError),
    #[error(transparent)]
    Limit(#[from] LimitError),
}

impl Verification {
    /// Verifies the address that the link was sent to.
    pub async fn by_token(
        &self,
        named: Option<Tenant>,
        token: &str,
        origin: &Origin,
    ) -> Result<(), VerificationError> {
        let accounts = &self.accounts;
        let purpose = (LinkPurpose::VerifyEmail, token);
        let link = accounts
            .links
            .verification(&accounts.store, purpose, named)
            .await?;
        self.verify(&link, origin).await
    }

    /// Verifies an address by the code of the newest letter to it. An unknown address and a wrong
    /// code are one answer.
    pub async fn by_code(
        &self,
        tenant: Tenant,
        (email, code): (&Email, &str),
        origin: &Origin,
    ) -> Result<(), VerificationError> {
        let accounts = &self.accounts;
        let limits = &accounts.limits;
        // By address, so that one that has no account is refused like one that has.
        limits
            .admit(Rule::CodeGuesses, tenant, email.as_str(), origin)
            .await?;
        let mut once = accounts.store.once();
        let user = users::by_email(&mut once.within(tenant), email).await?;
        let (purpose, now) = (LinkPurpose::VerifyEmail, accounts.clock.now());
        // The looks that follow for nobody too: an unknown address costs what a known one costs.
        let whose = user.as_ref().map(|user| user.id);
        let looked_at = whose.unwrap_or_else(|| UserId::new(now, &accounts.entropy));
        let found = accounts
            .links
            .by_code(&accounts.store, (tenant, looked_at), (purpose, code), now)
            .await;
        if let Err(CodeRefused::NoneOpen) = found {
            self.tell_of_no_code(tenant, whose, (now, origin)).await?;
        }
        match self.verify(&found?, origin).await {
            // Somebody else was faster.
            Err(VerificationError::Link(LinkRefused::Invalid | LinkRefused::Over)) => {
                Err(CodeRefused::Wrong.into())
            }
            verified => verified,
        }
    }

    /// Where no attempt was counted, this is what is written instead.
    async fn tell_of_no_code(
        &self,
        tenant: Tenant,
        user: Option<UserId>,
        from: (Timestamp, &Origin),
    ) -> Result<(), StoreError> {
        let accounts = &self.accounts;
        let (name, anonymous) = (Name::EmailVerified, Party::anonymous());
        let told = accounts
            .event(name, tenant, anonymous, from)
            .denied()
            .on(user.map(|user| Party::new("user", user)))
            .with("reason", "invalid_code");
        let mut once = accounts.store.once();
        events::record(&mut once.within(tenant), &told).await
    }

    async fn verify(
        &self,
        link: &links::Verification,
        origin: &Origin,
    ) -> Result<(), VerificationError> {
        let accounts = &self.accounts;
        let (tenant, now) = (link.tenant(), accounts.clock.now());
        let environment = accounts.environment(tenant).await?;
        let language = environment.settings.language(origin.language);
        let verified = accounts
            .store
            .write(async |tx| self.prove(tx, link, language, (now, origin)).await)
            .await;
        if let Err(VerificationError::Link(refused)) = &verified {
            let (name, from) = (Name::EmailVerified, (now, origin));
            accounts.tell_refused(link, (name, refused), from).await?;
        }
        if let Some(revoked) = verified? {
            accounts.apply(&revoked);
            accounts.outbox.hurry();
        }
        accounts.recent.forget(tenant.app_id, link.user_id);
        Ok(())
    }

    /// The account stays its maker's; unless another sign-up has contested it, so that nobody knows
    /// whose the password is: then it is the reader's alone, who is sent a link to choose one.
    async fn prove(
        &self,
        tx: &mut Tx<'_>,
        link: &links::Verification,
        language: Language,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Option<Vec<Revocation>>, VerificationError> {
        let accounts = &self.accounts;
        let (tenant, id) = (link.tenant(), link.user_id);
        let mut scoped = tx.within(tenant);
        accounts.links.follow(&mut scoped, link, now).await?;
        let user = users::get(&mut scoped, id).await?;
        let is_open = |user: &User| user.email == link.address && !user.email_verified;
        let user = user.filter(is_open).ok_or(LinkRefused::Invalid)?;
        if user.contested_at.is_some() {
            let reclaimed = accounts.reclaim(tx, tenant, &user, (now, origin)).await?;
            let request = NewLink {
                purpose: LinkPurpose::ResetPassword,
                user: id,
                to: user.email,
                language,
                password_version: None,
            };
            let mut scoped = tx.within(tenant);
            accounts.links.send(&mut scoped, &request, now).await?;
            return Ok(Some(reclaimed));
        }
        users::verify_email(&mut scoped, (id, &link.address), now).await?;
        let party = Party::new("user", id);
        let told = accounts
            .event(Name::EmailVerified, tenant, party.clone(), (now, origin))
            .on(party);
        events::record(&mut scoped, &told).await?;
        Ok(None)
    }

    /// Whether the caller may begin to change his address to this one. He may as often as strangers
    /// may write to one address: else he could write to any number of them.
    pub async fn confirm_change(
        &self,
        tenant: Tenant,
        own: (UserId, SessionId),
        (email, password): (&Email, Option<Password>),
        origin: &Origin,
    ) -> Result<Proven, ChangeError> {
        let proving = self.accounts.reauthenticate(tenant, own, password, origin);
        let proven = proving.await?;
        if proven.user.email == *email {
            return Err(ChangeError::Unchanged);
        }
        let user = proven.user.id.to_string();
        let limits = &self.accounts.limits;
        limits.admit(Rule::Letters, tenant, &user, origin).await?;
        Ok(proven)
    }

    /// Writes to both addresses: the new one is to confirm, the old one is told. Where the new one
    /// is of another account, its holder is told that it exists, and the caller learns nothing.
    pub async fn begin_change(
        &self,
        tenant: Tenant,
        (proven, email): (&Proven, &Email),
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let accounts = &self.accounts;
        let id = proven.user.id;
        if !accounts.may_write_to(tenant, email, origin).await? {
            return Ok(());
        }
        let environment = accounts.environment(tenant).await?;
        let language = environment.settings.language(origin.language);
        let now = accounts.clock.now();
        let party = Party::new("user", id);
        let told = accounts
            .event(
                Name::EmailChangeRequested,
                tenant,
                party.clone(),
                (now, origin),
            )
            .on(party);
        accounts
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let user = users::hold(&mut tx, id).await?;
                let Some(user) = user.filter(|user| proven.holds_of(user)) else {
                    return Ok(());
                };
                let said = (language, now);
                self.write_to_both(&mut tx, &user, email, said).await?;
                events::record(&mut tx, &told).await
            })
            .await?;
        accounts.outbox.hurry();
        Ok(())
    }

    async fn write_to_both(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        email: &Email,
        (language, now): (Language, Timestamp),
    ) -> Result<(), StoreError> {
        let accounts = &self.accounts;
        let letter = |user, to: &Email, message| Letter {
            user: Some(user),
            to: to.clone(),
            language,
            message,
        };
        if let Some(holder) = users::by_email(tx, email).await? {
            users::hold(tx, holder.id).await?;
            let letter = letter(holder.id, email, Message::AccountExists);
            accounts.outbox.enqueue(tx, letter, now).await?;
        } else {
            let request = NewLink {
                purpose: LinkPurpose::ChangeEmail,
                user: user.id,
                to: email.clone(),
                language,
                password_version: Some(user.password_version),
            };
            accounts.links.send(tx, &request, now).await?;
        }
        let notice = letter(user.id, &user.email, Message::EmailChangeRequested);
        accounts.outbox.enqueue(tx, notice, now).await
    }

    /// Gives the user the address that confirms with this link. Every other link of his is void, and
    /// his access tokens, which name the old address, are refused from then on.
    pub async fn change(
        &self,
        named: Option<Tenant>,
        token: &str,
        origin: &Origin,
    ) -> Result<(), VerificationError> {
        let accounts = &self.accounts;
        let purpose = (LinkPurpose::ChangeEmail, token);
        let link = accounts
            .links
            .verification(&accounts.store, purpose, named)
            .await?;
        let environment = accounts.environment(link.tenant()).await?;
        let language = environment.settings.language(origin.language);
        let now = accounts.clock.now();
        let changed = accounts
            .store
            .write(async |tx| self.exchange(tx, &link, language, (now, origin)).await)
            .await;
        match changed {
            Ok(revoked) => {
                accounts.revocations.apply(&revoked);
                accounts.recent.forget(revoked.app_id, link.user_id);
                accounts.outbox.hurry();
                Ok(())
            }
            Err(refused @ (VerificationError::Link(_) | VerificationError::EmailTaken)) => {
                let told = accounts
                    .event(
                        Name::EmailChangeRejected,
                        link.tenant(),
                        Party::anonymous(),
                        (now, origin),
                    )
                    .denied()
                    .on(Party::new("user", link.user_id));
                let mut once = accounts.store.once();
                events::record(&mut once.within(link.tenant()), &told).await?;
                Err(refused)
            }
            Err(
                error @ (VerificationError::Code(_)
                | VerificationError::Limit(_)
                | VerificationError::Store(_)),
            ) => Err(error),
        }
    }

    async fn exchange(
        &self,
        tx: &mut Tx<'_>,
        link: &links::Verification,
        language: Language,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Revocation, VerificationError> {
        let accounts = &self.accounts;
        let (tenant, id) = (link.tenant(), link.user_id);
        let mut scoped = tx.within(tenant);
        accounts.links.follow(&mut scoped, link, now).await?;
        let seen = users::get(&mut scoped, id).await?;
        let stands = |user: &User| {
            user.may_sign_in(now) && link.password_version == Some(user.password_version)
        };
        let seen = seen.filter(stands).ok_or(LinkRefused::Invalid)?;
        let changed = users::change_email(&mut scoped, &seen, &link.address, now).await;
        let user = changed.map_err(taken)?.ok_or(StoreError::Conflict)?;
        let notice = Letter {
            user: Some(id),
            to: seen.email,
            language,
            message: Message::EmailChanged,
        };
        accounts.outbox.enqueue(&mut scoped, notice, now).await?;
        let party = Party::new("user", id);
        let told = accounts
            .event(Name::EmailChanged, tenant, party.clone(), (now, origin))
            .on(party);
        events::record(&mut scoped, &told).await?;
        let version = user.rights_version;
        let revoked = revoke_user(&mut scoped, id, version, now, &accounts.entropy).await?;
        links::void(&mut tx.within(tenant.app_id), id, now).await?;
        Ok(revoked)
    }
}

fn taken(error: StoreError) -> VerificationError {
    match error.duplicate() {
        Some(EMAIL_TAKEN) => VerificationError::EmailTaken,
        Some(_) | None => VerificationError::Store(error),
    }
}
