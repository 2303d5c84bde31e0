use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::api::UserView;
use super::record::{PHONE_TAKEN, ProfileChanges, Standing, USERNAME_TAKEN, User, with_user};
use super::{crowd, repo};
use crate::access::{Role, assignable};
use crate::apps;
use crate::events::{self, Event, Name, Origin, Party};
use crate::forms::{Form, FormRefused, Forms};
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, StoreError, Stored, Tx};
use crate::tokens::{Revocation, revoke_user};

/// How long a user who asks for himself may be shown as another node has not left him.
const STALE: Duration = Duration::from_secs(1);
const REMEMBERED: u64 = 10_000;

/// What can be said of a user, and done to one.
#[derive(Debug, Clone)]
pub struct Users {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub forms: Forms,
    pub recent: Recent,
}

/// Which users a list shows.
#[derive(Debug, Clone, Default)]
pub struct UserQuery {
    /// The beginning of an address, lower-case.
    pub email: Option<String>,
    pub role: Option<Role>,
    pub standing: Option<Standing>,
    /// The beginning of an address, a username, a number, a first or a last name.
    pub search: Option<String>,
    /// Inclusive.
    pub created_from: Option<Timestamp>,
    /// Exclusive.
    pub created_to: Option<Timestamp>,
}

/// Which roles of the app a user is to have, whatever he has.
#[derive(Debug, Clone)]
pub enum WantedRoles {
    /// These, by name.
    Exactly(Vec<String>),
    /// One more.
    With(Role),
    /// One less.
    Without(Role),
}

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("no such user")]
    Unknown,
    #[error("the username is another's")]
    UsernameTaken,
    #[error("the phone number is another's")]
    PhoneTaken,
    #[error("a role that this app does not have")]
    UnknownRole,
    #[error("a role that the caller does not hold")]
    RoleNotHeld,
    #[error("the last holder of the app's guarding role")]
    LastAdmin,
    #[error(transparent)]
    Form(#[from] FormRefused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Users who have asked for themselves within the last second. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Recent(Cache<(AppId, UserId), Arc<User>>);

impl Recent {
    /// A user of the app: after the first time within a second, without the store, where what is
    /// remembered will do. A change that is made on this node is seen at once.
    pub async fn user(
        &self,
        tx: &mut Tx<'_, Tenant>,
        id: UserId,
        will_do: impl FnOnce(&User) -> bool,
    ) -> Stored<Option<Arc<User>>> {
        let app = tx.scope().app_id;
        if let Some(recent) = self.0.get(&(app, id)) {
            if will_do(&recent) {
                return Ok(Some(recent));
            }
            self.forget(app, id);
        }
        let found = repo::get(tx, id).await?;
        // What a change on this node has put there meanwhile is newer than what was read.
        let kept = |user| {
            self.0
                .entry((app, id))
                .or_insert(Arc::new(user))
                .into_value()
        };
        Ok(found.map(kept))
    }

    /// Looks again when the user asks next. After a change of his document that this node made.
    pub fn forget(&self, app: AppId, user: UserId) {
        self.0.invalidate(&(app, user));
    }

    fn remember(&self, user: &User) {
        self.0
            .insert((user.app_id, user.id), Arc::new(user.clone()));
    }
}

impl Default for Recent {
    fn default() -> Self {
        let recent = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(STALE)
            .build();
        Self(recent)
    }
}

impl Users {
    /// The caller's own account, for the most asked of all questions.
    pub async fn own(&self, tenant: Tenant, id: UserId) -> Result<Arc<User>, UserError> {
        let mut once = self.store.once();
        let own = self
            .recent
            .user(&mut once.within(tenant), id, |_| true)
            .await?;
        own.ok_or(UserError::Unknown)
    }

    pub async fn get(&self, tenant: Tenant, id: UserId) -> Result<User, UserError> {
        repo::get(&mut self.store.once().within(tenant), id)
            .await?
            .ok_or(UserError::Unknown)
    }

    /// A user as clients see him at this moment.
    pub(super) fn shown(&self, user: User) -> UserView {
        UserView::of(user, self.clock.now())
    }

    pub async fn page(
        &self,
        tenant: Tenant,
        query: &UserQuery,
        after: Option<&Position>,
        limit: Limit,
    ) -> Result<Slice<User>, UserError> {
        let query = (query, self.clock.now());
        Ok(crowd::page(&mut self.store.once().within(tenant), query, after, limit).await?)
    }

    /// A page by its number, from 1, and how many users there are in all.
    pub async fn numbered_page(
        &self,
        tenant: Tenant,
        query: &UserQuery,
        page: u64,
        limit: Limit,
    ) -> Result<(Vec<User>, u64), UserError> {
        let skip = page
            .saturating_sub(1)
            .saturating_mul(u64::from(limit.get()));
        let query = (query, self.clock.now());
        self.store
            .read(async |tx| {
                let users =
                    crowd::numbered_page(&mut tx.within(tenant), query, skip, limit).await?;
                Ok((users, crowd::count(&mut tx.within(tenant), query).await?))
            })
            .await
    }

    pub async fn count(&self, tenant: Tenant, query: &UserQuery) -> Result<u64, UserError> {
        let query = (query, self.clock.now());
        Ok(crowd::count(&mut self.store.once().within(tenant), query).await?)
    }

    /// Changes the caller's own profile. What he says in its metadata answers the form of the app.
    pub async fn update_profile(
        &self,
        tenant: Tenant,
        id: UserId,
        changes: &ProfileChanges,
        origin: &Origin,
    ) -> Result<User, UserError> {
        let now = self.clock.now();
        let told = Event::new(
            Name::UserUpdated,
            tenant,
            Party::new("user", id),
            origin,
            (now, &self.entropy),
        )
        .on(Party::new("user", id));
        let form = match &changes.metadata {
            Some(_) => self.forms.of_profile(tenant.app_id).await?,
            None => None,
        };
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let changes = answering(&mut tx, (id, changes), form.as_deref()).await?;
                let updated = repo::update_profile(&mut tx, id, &changes, now).await;
                let user = updated.map_err(taken)?.ok_or(UserError::Unknown)?;
                events::record(&mut tx, &told).await?;
                Ok::<_, UserError>(user)
            })
            .await
            .inspect(|user| self.recent.remember(user))
    }
}

/// The changes, with what they say in metadata judged by the form, and beside what is there of others.
async fn answering(
    tx: &mut Tx<'_, Tenant>,
    (id, changes): (UserId, &ProfileChanges),
    form: Option<&Form>,
) -> Result<ProfileChanges, UserError> {
    let (Some(form), Some(answers)) = (form, &changes.metadata) else {
        return Ok(changes.clone());
    };
    let seen = repo::get(tx, id).await?.ok_or(UserError::Unknown)?;
    let metadata = form.answered_beside(&seen.metadata, answers.clone())?;
    Ok(ProfileChanges {
        metadata: Some(metadata),
        ..changes.clone()
    })
}

/// Gives a user the roles that are wanted, and `USER`. Older access tokens of the user are refused
/// from then on: the client refreshes and reads the new roles. `None` where he has them already.
/// What it gives is to be applied after the commit.
pub async fn assign_roles(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (id, wanted): (UserId, &WantedRoles),
    (now, entropy): (Timestamp, &Entropy),
    origin: &Origin,
) -> Result<(User, Option<Revocation>), UserError> {
    let tenant = caller.tenant;
    let app = apps::get(tx, tenant.app_id)
        .await?
        .ok_or(UserError::Unknown)?;
    let seen = repo::get(&mut tx.within(tenant), id)
        .await?
        .ok_or(UserError::Unknown)?;
    let roles = wanted.of(&seen.roles, app.is_platform)?;
    if seen.roles == roles {
        return Ok((seen, None));
    }
    refuse_roles_not_held(caller, &seen.roles, &roles, app.is_platform)?;
    let will_be = User {
        roles: roles.clone(),
        ..seen.clone()
    };
    let guards = [&seen, &will_be].map(|it| it.is_counted_guardian(app.is_platform));
    move_guard(tx, app.id, guards, now).await?;
    let mut scoped = tx.within(tenant);
    let user = repo::set_roles(&mut scoped, &seen, &roles, now)
        .await?
        .ok_or(StoreError::Conflict)?;
    let (name, actor) = (Name::UserRolesChanged, caller.party());
    let told = Event::new(name, tenant, actor, origin, (now, entropy))
        .on(Party::new("user", id))
        .with("roles", user.role_names());
    events::record(&mut scoped, &told).await?;
    let revoked = revoke_user(&mut scoped, id, user.rights_version, now, entropy).await?;
    Ok((user, Some(revoked)))
}

/// Counts a user in or out as a holder of the app's guarding role, who was one and will be one.
async fn move_guard(
    tx: &mut Tx<'_>,
    app: AppId,
    [was, will_be]: [bool; 2],
    now: Timestamp,
) -> Result<(), UserError> {
    match (was, will_be) {
        (false, true) if !apps::count_holder(tx, app, now).await? => Err(UserError::Unknown),
        (true, false) if !apps::discount_holder(tx, app, now).await? => Err(UserError::LastAdmin),
        (true | false, _) => Ok(()),
    }
}

impl WantedRoles {
    /// The roles of a user who had these.
    fn of(&self, had: &[Role], is_platform: bool) -> Result<Vec<Role>, UserError> {
        let roles = match self {
            Self::Exactly(names) => {
                let parsed = names.iter().map(|name| Role::from_str(name));
                let parsed: Result<Vec<Role>, _> = parsed.collect();
                parsed.map_err(|_| UserError::UnknownRole)?
            }
            Self::With(role) => had.iter().copied().chain([*role]).collect(),
            Self::Without(role) => {
                let others = had.iter().copied();
                others.filter(|other| other != role).collect()
            }
        };
        let known = assignable(is_platform);
        if roles.iter().all(|role| known.contains(role)) {
            return Ok(with_user(roles));
        }
        Err(UserError::UnknownRole)
    }
}

/// Whether `user` holds a role that the caller does not: nobody bans or deletes such a user.
pub fn outranks(user: &User, caller: &Caller, is_platform: bool) -> bool {
    let mut beyond = user.roles.iter().filter(|role| **role != Role::User);
    beyond.any(|role| !caller.holds(*role, is_platform))
}

/// Nobody gives or takes a role that he does not hold himself.
pub fn refuse_roles_not_held(
    caller: &Caller,
    before: &[Role],
    after: &[Role],
    is_platform: bool,
) -> Result<(), UserError> {
    let before: HashSet<Role> = before.iter().copied().collect();
    let after: HashSet<Role> = after.iter().copied().collect();
    let touched = before.symmetric_difference(&after);
    let may = |role: &Role| *role == Role::User || caller.holds(*role, is_platform);
    if touched.into_iter().all(may) {
        Ok(())
    } else {
        Err(UserError::RoleNotHeld)
    }
}

fn taken(error: StoreError) -> UserError {
    match error.duplicate() {
        Some(USERNAME_TAKEN) => UserError::UsernameTaken,
        Some(PHONE_TAKEN) => UserError::PhoneTaken,
        Some(_) | None => UserError::Store(error),
    }
}
