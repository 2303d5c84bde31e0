//! An export: every user of an app, in the shape of an import.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::Transfers;
use super::authority::Authority;
use crate::access::{ExportHashes, ExportUsers, Role};
use crate::credentials::{self, StoredHash};
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::{HungUp, Problem, ProblemKind};
use crate::kernel::id::UserId;
use crate::kernel::measure::Stopwatch;
use crate::kernel::metadata::Metadata;
use crate::kernel::page::{Limit, Position};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::store::{StoreError, Tx};
use crate::users::{self, User, UserQuery};

/// A user as he is taken along: a line that an import takes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedUser {
    pub id: UserId,
    pub email: Email,
    pub email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub phone: Option<Phone>,
    pub phone_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub username: Option<Username>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub display_username: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub first_name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub image: Option<String>,
    pub roles: Vec<Role>,
    pub metadata: Metadata,
    /// A ban on record, also one that has run out.
    pub banned: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ban_reason: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ban_expires: Option<Timestamp>,
    /// With `include=hashes`. One that this server made is good under the same pepper only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub password_hash: Option<String>,
    pub created_at: Timestamp,
}

/// How long a caller who was judged counts as judged, while he is slow to take what was read for him.
const JUDGED: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Debug)]
pub struct Export {
    pub tenant: Tenant,
    pub authority: Authority<ExportUsers>,
    /// Whether password hashes go along.
    pub with_hashes: bool,
}

/// How an export ended that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Exported {
    #[error(transparent)]
    HungUp(#[from] HungUp),
    #[error("the caller may not take users along any more")]
    Refused(#[from] Problem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Export {
    /// Fails where the caller could not ask for it any more.
    async fn is_allowed(&self) -> Result<(), Problem> {
        match self.authority.again().await? {
            Some(access) if self.with_hashes && !access.also::<ExportHashes>() => {
                Err(ProblemKind::Forbidden.into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Transfers {
    /// Notes that users are taken along, before the first one is.
    pub async fn tell_export(
        &self,
        (tenant, by): (Tenant, Party),
        with_hashes: bool,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let made = (self.clock.now(), &self.entropy);
        let told =
            Event::new(Name::UsersExported, tenant, by, origin, made).with("hashes", with_hashes);
        events::record(&mut self.store.once().within(tenant), &told).await
    }

    /// Gives every user of the app to `take`, newest first; how many there were.
    ///
    /// Page by page, each of one instant: whoever is there from the beginning to the end is taken
    /// once, whoever comes meanwhile is not. No snapshot is held open while a client is slow. Before
    /// each page, and each second that a page takes, the caller is judged anew.
    pub async fn export(
        &self,
        export: &Export,
        mut take: impl AsyncFnMut(ExportedUser) -> Result<(), HungUp>,
    ) -> Result<u64, Exported> {
        let (mut after, mut count) = (None, 0);
        let query = UserQuery {
            created_to: Some(self.clock.now().plus(Duration::from_millis(1))),
            ..UserQuery::default()
        };
        loop {
            export.is_allowed().await?;
            let mut judged = Stopwatch::start();
            let (users, hashes, next) = self
                .store
                .read(async |tx| {
                    let which = (&query, export.with_hashes);
                    self.page(&mut tx.within(export.tenant), which, after.as_ref())
                        .await
                })
                .await?;
            for user in users {
                if judged.elapsed() >= JUDGED {
                    export.is_allowed().await?;
                    judged = Stopwatch::start();
                }
                let hash = hashes.get(&user.id).map(|hash| hash.expose().to_owned());
                take(ExportedUser::of(user, hash)).await?;
                count += 1;
            }
            after = next;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    async fn page(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (query, with_hashes): (&UserQuery, bool),
        after: Option<&Position>,
    ) -> Result<(Vec<User>, HashMap<UserId, StoredHash>, Option<Position>), StoreError> {
        let now = self.clock.now();
        let slice = users::page(tx, (query, now), after, Limit::MAX).await?;
        let mut hashes = HashMap::new();
        if with_hashes {
            let ids = slice.items.iter().map(|user| user.id);
            for credential in credentials::by_users(tx, ids).await? {
                hashes.insert(credential.user_id, credential.password_hash);
            }
        }
        Ok((slice.items, hashes, slice.next))
    }
}

impl ExportedUser {
    fn of(user: User, password_hash: Option<String>) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified: user.email_verified,
            phone: user.phone,
            phone_verified: user.phone_verified,
            username: user.username,
            display_username: user.display_username,
            first_name: user.first_name,
            last_name: user.last_name,
            image: user.image,
            roles: user.roles,
            metadata: user.metadata,
            banned: user.banned,
            ban_reason: user.ban_reason,
            ban_expires: user.ban_expires,
            password_hash,
            created_at: user.created_at,
        }
    }
}
