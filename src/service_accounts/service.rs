use crate::access::{Role, assignable};
use crate::api_keys::{self, AccountChanges, ServiceAccount};
use crate::events::{self, Event, Name, Party};
use crate::http::{Change, Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::ServiceAccountId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::{Clock, Timestamp};
use crate::keys::{By, Keys};
use crate::store::{Store, StoreError, Tx};
use crate::tokens::{Revocation, RevocationIndex};

/// The verbs on service accounts.
#[derive(Debug, Clone)]
pub struct ServiceAccounts {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub revocations: RevocationIndex,
    pub keys: Keys,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("no such service account")]
    Unknown,
    #[error("no role of the app")]
    UnknownRole,
    #[error("a role that the caller does not hold")]
    RoleNotHeld,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A service account that somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct WantedAccount {
    pub name: Label,
    pub description: Option<Label>,
    /// By name.
    pub roles: Vec<String>,
}

/// What is to become of one.
#[derive(Debug, Clone)]
pub(super) struct WantedAccountChanges {
    pub name: Option<Label>,
    pub description: Change<Label>,
    /// By name.
    pub roles: Option<Vec<String>>,
    pub disabled: Option<bool>,
}

impl ServiceAccounts {
    pub(super) async fn page(
        &self,
        tenant: Tenant,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<ServiceAccount>, AccountError> {
        let mut once = self.store.once();
        Ok(api_keys::account_page(&mut once.within(tenant), page).await?)
    }

    pub(super) async fn get(
        &self,
        tenant: Tenant,
        id: ServiceAccountId,
    ) -> Result<ServiceAccount, AccountError> {
        let mut once = self.store.once();
        let found = api_keys::account(&mut once.within(tenant), id).await?;
        found.ok_or(AccountError::Unknown)
    }

    pub(super) async fn create(
        &self,
        by: &By<'_>,
        wanted: &WantedAccount,
    ) -> Result<ServiceAccount, AccountError> {
        let (now, tenant) = (self.clock.now(), by.caller.tenant);
        let roles = self.roles(by, &wanted.roles)?;
        let account = ServiceAccount {
            id: ServiceAccountId::new(now, &self.entropy),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            roles,
            disabled: false,
            hold_count: 0,
            created_at: now,
            updated_at: now,
        };
        let told = self.event(Name::ServiceAccountCreated, by, &account, now);
        let written = self.store.write(async |tx| {
            let mut tx = tx.within(tenant);
            api_keys::insert_account(&mut tx, &account).await?;
            events::record(&mut tx, &told).await
        });
        written.await?;
        Ok(account)
    }

    /// Changes an account. The tokens of its keys are refused where it has other roles from then on,
    /// or is disabled; its keys are judged by what it is when they are used.
    pub(super) async fn update(
        &self,
        by: &By<'_>,
        id: ServiceAccountId,
        wanted: &WantedAccountChanges,
    ) -> Result<ServiceAccount, AccountError> {
        let (account, revoked) = self
            .store
            .write(async |tx| self.update_in(tx, by, id, wanted).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(account)
    }

    async fn update_in(
        &self,
        tx: &mut Tx<'_>,
        by: &By<'_>,
        id: ServiceAccountId,
        wanted: &WantedAccountChanges,
    ) -> Result<(ServiceAccount, Vec<Revocation>), AccountError> {
        let now = self.clock.now();
        let mut tx = tx.within(by.caller.tenant);
        let seen = self.one(&mut tx, by, id).await?;
        let roles = wanted.roles.as_ref().map(|names| self.roles(by, names));
        let changes = AccountChanges {
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            roles: roles.transpose()?,
            disabled: wanted.disabled,
        };
        let updated = api_keys::update_account(&mut tx, id, &changes, now).await?;
        let updated = updated.ok_or(AccountError::Unknown)?;
        let is_another = updated.roles != seen.roles || updated.disabled != seen.disabled;
        let revoked = if is_another {
            self.revoke_tokens(&mut tx, id, now).await?
        } else {
            Vec::new()
        };
        let told = self
            .event(Name::ServiceAccountUpdated, by, &updated, now)
            .with("disabled", updated.disabled);
        events::record(&mut tx, &told).await?;
        Ok((updated, revoked))
    }

    /// Deletes an account with its keys.
    pub(super) async fn delete(
        &self,
        by: &By<'_>,
        id: ServiceAccountId,
    ) -> Result<(), AccountError> {
        let revoked = self
            .store
            .write(async |tx| {
                let now = self.clock.now();
                let mut tx = tx.within(by.caller.tenant);
                let account = self.one(&mut tx, by, id).await?;
                let revoked = self.revoke_tokens(&mut tx, id, now).await?;
                for key in api_keys::of_account(&mut tx, id).await? {
                    api_keys::remove(&mut tx, key.id).await?;
                }
                let gone = api_keys::remove_account(&mut tx, id).await?;
                gone.ok_or(AccountError::Unknown)?;
                let told = self.event(Name::ServiceAccountDeleted, by, &account, now);
                events::record(&mut tx, &told).await?;
                Ok::<_, AccountError>(revoked)
            })
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(())
    }

    /// An account that the caller may change: he holds whatever it is.
    async fn one(
        &self,
        tx: &mut Tx<'_, Tenant>,
        by: &By<'_>,
        id: ServiceAccountId,
    ) -> Result<ServiceAccount, AccountError> {
        let account = api_keys::hold_account(tx, id).await?;
        let account = account.ok_or(AccountError::Unknown)?;
        self.holds(by, &account.roles)?;
        Ok(account)
    }

    fn holds(&self, by: &By<'_>, roles: &[Role]) -> Result<(), AccountError> {
        if self.keys.holds(by, roles) {
            return Ok(());
        }
        Err(AccountError::RoleNotHeld)
    }

    /// The roles of the app that are meant, all of which the caller holds.
    fn roles(&self, by: &By<'_>, names: &[String]) -> Result<Vec<Role>, AccountError> {
        let is_platform = by.caller.tenant.app_id == self.keys.memberships.platform;
        let meant = |name: &String| {
            let role = name.parse().ok();
            role.filter(|role| assignable(is_platform).contains(role))
        };
        let roles: Option<Vec<Role>> = names.iter().map(meant).collect();
        let mut roles = roles.ok_or(AccountError::UnknownRole)?;
        roles.sort_unstable();
        roles.dedup();
        self.holds(by, &roles)?;
        Ok(roles)
    }

    /// Refuses what its keys were exchanged for.
    async fn revoke_tokens(
        &self,
        tx: &mut Tx<'_, Tenant>,
        id: ServiceAccountId,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        let mut revoked = Vec::new();
        for key in api_keys::of_account(tx, id).await? {
            let renewed = api_keys::renew_tokens(tx, &key, (now, &self.entropy)).await?;
            renewed.ok_or(StoreError::Conflict)?;
            revoked.extend(self.keys.revoke_tokens(tx, &key, now).await?);
        }
        Ok(revoked)
    }

    fn event(&self, name: Name, by: &By<'_>, account: &ServiceAccount, now: Timestamp) -> Event {
        let (made, roles) = ((now, &self.entropy), account.roles.iter());
        let roles: Vec<String> = roles.map(ToString::to_string).collect();
        Event::new(name, account.tenant(), by.caller.party(), by.origin, made)
            .on(Party::new("service_account", account.id))
            .with("roles", roles)
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Unknown => ProblemKind::NotFound.into(),
            AccountError::UnknownRole => ProblemKind::UnknownRole.into(),
            AccountError::RoleNotHeld => ProblemKind::RoleNotHeld.into(),
            AccountError::Store(error) => error.into(),
        }
    }
}
