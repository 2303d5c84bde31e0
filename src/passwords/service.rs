use crate::api_keys;
use crate::credentials::{self, StoredHash};
use crate::devices;
use crate::events::{self, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::links::{self, LinkPurpose, LinkRefused, NewLink, PasswordReset};
use crate::notifications::{Letter, Message};
use crate::sessions::{Ended, Ending, PasswordRefused, Proven, ReauthError, Sessions};
use crate::store::{StoreError, Tx};
use crate::tokens::Revocation;
use crate::users::{self, User};

/// Changes passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    pub accounts: Sessions,
}

/// A change of password that has been decided.
struct Change<'a> {
    proven: &'a Proven,
    /// The session that goes on.
    kept: SessionId,
    hash: &'a StoredHash,
    notice: Option<&'a Letter>,
}

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("no such user")]
    Unknown,
    #[error(transparent)]
    Reauth(#[from] ReauthError),
    #[error(transparent)]
    Refused(#[from] PasswordRefused),
    #[error(transparent)]
    Link(#[from] LinkRefused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Passwords {
    /// Changes the password of the caller, who proves that he knows the present one, or, where he
    /// has none, gives him one. His other sessions end, in every environment; this one goes on.
    pub async fn change(
        &self,
        tenant: Tenant,
        own: (UserId, SessionId),
        (current, new): (Option<Password>, Password),
        origin: &Origin,
    ) -> Result<(), PasswordError> {
        let accounts = &self.accounts;
        let proven = accounts
            .reauthenticate(tenant, own, current, origin)
            .await?;
        let hash = accounts
            .hash_new(tenant, new, (&proven.user).into())
            .await?;
        let notice = self.notice(tenant, &proven.user, origin).await?;
        let is_told = accounts.may_tell(tenant, &proven.user, origin).await?;
        let now = accounts.clock.now();
        let change = Change {
            proven: &proven,
            kept: own.1,
            hash: &hash,
            notice: is_told.then_some(&notice),
        };
        let revoked = accounts
            .store
            .write(async |tx| self.exchange(tx, tenant, &change, (now, origin)).await)
            .await?;
        accounts.apply(&revoked);
        accounts.recent.forget(tenant.app_id, proven.user.id);
        accounts.outbox.hurry();
        Ok(())
    }

    async fn exchange(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        change: &Change<'_>,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Vec<Revocation>, PasswordError> {
        let accounts = &self.accounts;
        let mut scoped = tx.within(tenant);
        let id = change.proven.user.id;
        let user = users::get(&mut scoped, id).await?;
        let user = user.filter(|user| change.proven.holds_of(user));
        user.ok_or(ReauthError::Required)?;
        users::password_changed(&mut scoped, id, now).await?;
        let (owner, made) = ((tenant.app_id, id), (now, &accounts.entropy));
        credentials::set(&mut scoped, owner, change.hash.clone(), made).await?;
        if let Some(notice) = change.notice.cloned() {
            accounts.outbox.enqueue(&mut scoped, notice, now).await?;
        }
        let party = Party::new("user", id);
        let told = accounts
            .event(Name::PasswordChanged, tenant, party.clone(), (now, origin))
            .on(party.clone());
        events::record(&mut scoped, &told).await?;
        links::void(&mut tx.within(tenant.app_id), id, now).await?;
        let ended = Ended {
            user: id,
            how: Ending::PasswordChanged,
            by: party,
        };
        let others = (&ended, change.kept);
        Ok(accounts
            .end_others_in(tx, tenant.app_id, others, (now, origin))
            .await?)
    }

    /// Sends the link to a user for an administrator, who never learns it.
    pub async fn start_reset(
        &self,
        caller: &Caller,
        id: UserId,
        origin: &Origin,
    ) -> Result<(), PasswordError> {
        let accounts = &self.accounts;
        let (tenant, now) = (caller.tenant, accounts.clock.now());
        let environment = accounts.environment(tenant).await?;
        let told = accounts
            .event(
                Name::PasswordResetStarted,
                tenant,
                caller.party(),
                (now, origin),
            )
            .on(Party::new("user", id));
        accounts
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let user = users::hold(&mut tx, id).await?;
                let user = user.ok_or(PasswordError::Unknown)?;
                let request = NewLink {
                    purpose: LinkPurpose::ResetPassword,
                    user: user.id,
                    to: user.email,
                    // The administrator's language says nothing about the user's.
                    language: environment.settings.default_language,
                    password_version: None,
                };
                accounts.links.send(&mut tx, &request, now).await?;
                Ok::<_, PasswordError>(events::record(&mut tx, &told).await?)
            })
            .await?;
        accounts.outbox.hurry();
        Ok(())
    }

    /// Sets a new password by link. Every session of the user ends, his devices are strangers, and
    /// every other link is void.
    pub async fn reset(
        &self,
        named: Option<Tenant>,
        (token, new): (&str, Password),
        origin: &Origin,
    ) -> Result<(), PasswordError> {
        let accounts = &self.accounts;
        let link = accounts.links.reset(&accounts.store, token, named).await?;
        let reset = self.reset_by(&link, new, origin).await;
        if let Err(PasswordError::Link(refused)) = &reset {
            let (name, from) = (Name::PasswordReset, (accounts.clock.now(), origin));
            accounts.tell_refused(&link, (name, refused), from).await?;
        }
        reset
    }

    async fn reset_by(
        &self,
        link: &PasswordReset,
        new: Password,
        origin: &Origin,
    ) -> Result<(), PasswordError> {
        let accounts = &self.accounts;
        let tenant = link.tenant();
        let mut once = accounts.store.once();
        let user = users::get(&mut once.within(tenant), link.user_id).await?;
        let user = user.ok_or(LinkRefused::Invalid)?;
        // A link that does not count must not cost a hash.
        accounts
            .links
            .check(&mut once.within(tenant), link, accounts.clock.now())
            .await?;
        let hash = accounts.hash_new(tenant, new, (&user).into()).await?;
        let notice = self.notice(tenant, &user, origin).await?;
        let now = accounts.clock.now();
        let revoked = accounts
            .store
            .write(async |tx| {
                let set = (&hash, &notice);
                self.set_anew(tx, link, set, (now, origin)).await
            })
            .await?;
        accounts.apply(&revoked);
        accounts.recent.forget(tenant.app_id, link.user_id);
        accounts.outbox.hurry();
        Ok(())
    }

    async fn set_anew(
        &self,
        tx: &mut Tx<'_>,
        link: &PasswordReset,
        (hash, notice): (&StoredHash, &Letter),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Vec<Revocation>, PasswordError> {
        let accounts = &self.accounts;
        let (tenant, id) = (link.tenant(), link.user_id);
        let mut scoped = tx.within(tenant);
        accounts.links.follow(&mut scoped, link, now).await?;
        let user = users::password_changed(&mut scoped, id, now).await?;
        let usable = user.filter(|user| user.may_sign_in(now) && user.email == link.address);
        let user = usable.ok_or(LinkRefused::Invalid)?;
        accounts
            .prove_address(&mut scoped, &user, (now, origin))
            .await?;
        let owner = (tenant.app_id, id);
        credentials::set(&mut scoped, owner, hash.clone(), (now, &accounts.entropy)).await?;
        accounts
            .lockouts
            .lift(&mut scoped, tenant.app_id, id)
            .await?;
        accounts
            .outbox
            .enqueue(&mut scoped, notice.clone(), now)
            .await?;
        let party = Party::new("user", id);
        let told = accounts
            .event(Name::PasswordReset, tenant, party.clone(), (now, origin))
            .on(party.clone());
        events::record(&mut scoped, &told).await?;
        let mut everywhere = tx.within(tenant.app_id);
        devices::forget(&mut everywhere, id).await?;
        links::void(&mut everywhere, id, now).await?;
        if !user.email_verified {
            // Whoever made the account before its address was proven has no way back by a key.
            api_keys::forget_own(&mut everywhere, id).await?;
        }
        let ended = Ended {
            user: id,
            how: Ending::PasswordReset,
            by: party,
        };
        let ended = accounts
            .end_all_in(tx, tenant, &ended, (now, origin))
            .await?;
        Ok(ended.ok_or(LinkRefused::Invalid)?)
    }

    /// Tells the user that his password is another one.
    async fn notice(
        &self,
        tenant: Tenant,
        user: &User,
        origin: &Origin,
    ) -> Result<Letter, StoreError> {
        let environment = self.accounts.environment(tenant).await?;
        Ok(Letter {
            user: Some(user.id),
            to: user.email.clone(),
            language: environment.settings.language(origin.language),
            message: Message::PasswordChanged,
        })
    }
}
