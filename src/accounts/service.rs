use std::str::FromStr;

use crate::access::{Role, assignable};
use crate::apps::{self, App};
use crate::credentials::{self, StoredHash};
use crate::environments::Environment;
use crate::events::{self, Event, Name, Origin, Party};
use crate::forms::{Answered, FormError};
use crate::http::Caller;
use crate::kernel::id::UserId;
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::links::{self, LinkPurpose, NewLink};
use crate::notifications::{Letter, Message};
use crate::sessions::{PasswordRefused, Sessions};
use crate::store::{StoreError, Tx};
use crate::tokens::{Revocation, revoke_user};
use crate::users::{
    self, AccountChanges, EMAIL_TAKEN, NewUser, PHONE_TAKEN, USERNAME_TAKEN, User, UserError,
};

/// Makes and changes the accounts of others.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub accounts: Sessions,
}

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    pub user: NewUser,
    /// By name.
    pub roles: Vec<String>,
    pub password: Option<Password>,
    /// Whether the user is written to, so that he sets a password himself.
    pub is_invited: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("the address is another account's")]
    EmailTaken,
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Makes an account: user, password, and the letter that invites him, in one unit of work. The
    /// form of the app is judged as if the user answered it himself.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewAccount,
        origin: &Origin,
    ) -> Result<User, AccountError> {
        let (accounts, tenant) = (&self.accounts, caller.tenant);
        let app = self.app(tenant).await?;
        let roles = given(caller, &new.roles, app.is_platform)?;
        let answers = new.user.metadata;
        let answered = accounts.forms.signed_up(app.id, answers).await?;
        let user = NewUser {
            roles,
            metadata: answered.metadata.clone(),
            ..new.user
        };
        let hash = match new.password {
            Some(password) => Some(accounts.hash_new(tenant, password, (&user).into()).await?),
            None => None,
        };
        let environment = accounts.environment(tenant).await?;
        let account = (
            (&user, &answered),
            hash.as_ref(),
            new.is_invited.then_some(&*environment),
        );
        let made = accounts
            .store
            .write(async |tx| self.make(tx, caller, account, origin).await)
            .await?;
        if new.is_invited {
            accounts.outbox.hurry();
        }
        Ok(made)
    }

    async fn app(&self, tenant: Tenant) -> Result<App, AccountError> {
        let mut once = self.accounts.store.once();
        let app = apps::get(&mut once.shared(), tenant.app_id).await?;
        Ok(app.ok_or(UserError::Unknown)?)
    }

    async fn make(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        ((new, answered), hash, inviting): (
            (&NewUser, &Answered),
            Option<&StoredHash>,
            Option<&Environment>,
        ),
        origin: &Origin,
    ) -> Result<User, AccountError> {
        let (accounts, tenant, now) = (&self.accounts, caller.tenant, self.accounts.clock.now());
        let made = (now, &accounts.entropy);
        // Hashing takes a while, in which the app may be closed.
        let app = apps::get(tx, tenant.app_id).await?;
        let app = app.ok_or(UserError::Unknown)?;
        let mut scoped = tx.within(tenant);
        let user = users::create(&mut scoped, app.id, new.clone(), made)
            .await
            .map_err(taken)?;
        if let Some(hash) = hash {
            credentials::create(&mut scoped, (app.id, user.id), hash.clone(), made).await?;
        }
        if let Some(environment) = inviting {
            let request = NewLink {
                purpose: LinkPurpose::ResetPassword,
                user: user.id,
                to: user.email.clone(),
                // The administrator's language says nothing about the user's.
                language: environment.settings.default_language,
                password_version: None,
            };
            accounts.links.send(&mut scoped, &request, now).await?;
        }
        let told = self
            .event(Name::UserCreated, caller, user.id, (now, origin))
            .with("invited", inviting.is_some())
            .with("roles", user.role_names());
        events::record(&mut scoped, &answered.told_by(told)).await?;
        let guards = user.is_counted_guardian(app.is_platform);
        if guards && !apps::count_holder(tx, app.id, now).await? {
            return Err(UserError::Unknown.into());
        }
        Ok(user)
    }

    /// Changes what is said of a user. Of another address its old holder is told.
    pub async fn change(
        &self,
        caller: &Caller,
        (id, changes): (UserId, &AccountChanges),
        origin: &Origin,
    ) -> Result<User, AccountError> {
        let (accounts, tenant) = (&self.accounts, caller.tenant);
        let environment = accounts.environment(tenant).await?;
        let now = accounts.clock.now();
        let (user, revoked) = accounts
            .store
            .write(async |tx| {
                let altered = self.alter(tx, caller, (id, changes), (now, origin)).await?;
                let (before, after) = &altered;
                let mut revoked = Vec::new();
                if before.rights_version != after.rights_version {
                    let lost = self.disprove(tx, tenant, (before, after), &environment);
                    revoked.push(lost.await?);
                }
                Ok::<_, AccountError>((altered.1, revoked))
            })
            .await?;
        accounts.apply(&revoked);
        accounts.recent.forget(tenant.app_id, id);
        accounts.outbox.hurry();
        Ok(user)
    }

    /// The user as he was and as he is.
    async fn alter(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        (id, changes): (UserId, &AccountChanges),
        from: (Timestamp, &Origin),
    ) -> Result<(User, User), AccountError> {
        let tenant = caller.tenant;
        let app = apps::get(tx, tenant.app_id).await?;
        let mut scoped = tx.within(tenant);
        let before = users::get(&mut scoped, id).await?;
        let (app, before) = app.zip(before).ok_or(UserError::Unknown)?;
        if users::outranks(&before, caller, app.is_platform) {
            return Err(UserError::RoleNotHeld.into());
        }
        let updated = users::update_account(&mut scoped, &before, changes, from.0).await;
        let after = updated.map_err(taken)?.ok_or(StoreError::Conflict)?;
        let told = self.event(Name::UserUpdated, caller, id, from);
        events::record(&mut scoped, &told).await?;
        Ok((before, after))
    }

    /// What another address entails, or another proof of it: tokens that name it are refused; links
    /// to the old one are void, and its reader is told.
    async fn disprove(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        (before, after): (&User, &User),
        environment: &Environment,
    ) -> Result<Revocation, StoreError> {
        let (accounts, now) = (&self.accounts, after.updated_at);
        if before.email != after.email {
            links::void(&mut tx.within(tenant.app_id), after.id, now).await?;
            let notice = Letter {
                user: Some(after.id),
                to: before.email.clone(),
                language: environment.settings.default_language,
                message: Message::EmailChanged,
            };
            let mut scoped = tx.within(tenant);
            accounts.outbox.enqueue(&mut scoped, notice, now).await?;
        }
        let (id, version) = (after.id, after.rights_version);
        let mut scoped = tx.within(tenant);
        revoke_user(&mut scoped, id, version, now, &accounts.entropy).await
    }

    fn event(
        &self,
        name: Name,
        caller: &Caller,
        user: UserId,
        when: (Timestamp, &Origin),
    ) -> Event {
        let event = self
            .accounts
            .event(name, caller.tenant, caller.party(), when);
        event.on(Party::new("user", user))
    }
}

/// The roles of these names, if the caller may give them.
fn given(caller: &Caller, names: &[String], is_platform: bool) -> Result<Vec<Role>, UserError> {
    let parsed: Result<Vec<Role>, _> = names.iter().map(|name| Role::from_str(name)).collect();
    let roles = parsed.map_err(|_| UserError::UnknownRole)?;
    let known = assignable(is_platform);
    if !roles.iter().all(|role| known.contains(role)) {
        return Err(UserError::UnknownRole);
    }
    users::refuse_roles_not_held(caller, &[], &roles, is_platform)?;
    Ok(roles)
}

fn taken(error: StoreError) -> AccountError {
    match error.duplicate() {
        Some(EMAIL_TAKEN) => AccountError::EmailTaken,
        Some(USERNAME_TAKEN) => UserError::UsernameTaken.into(),
        Some(PHONE_TAKEN) => UserError::PhoneTaken.into(),
        Some(_) | None => error.into(),
    }
}
