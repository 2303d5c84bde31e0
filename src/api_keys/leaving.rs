//! What becomes of keys when people go: their own go with them, others stay and are reported.

use super::record::ApiKey;
use super::repo;
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, OrgId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};

/// By whom somebody goes, and what it takes to tell of it.
#[derive(Debug, Clone)]
pub struct MayTell<'a> {
    pub actor: Party,
    pub origin: &'a Origin,
    pub made: (Timestamp, &'a Entropy),
}

impl MayTell<'_> {
    fn of(&self, key: &ApiKey) -> Event {
        let (actor, tenant) = (self.actor.clone(), key.tenant());
        Event::new(
            Name::ApiKeyCreatorLeft,
            tenant,
            actor,
            self.origin,
            self.made,
        )
        .on(Party::new("key", key.id))
        .within(key.org_id)
    }
}

/// A member leaves an organisation, in the caller's unit of work: the keys of it that he has made
/// stay, and it is told that they do.
pub async fn creator_left(
    tx: &mut Tx<'_, Tenant>,
    who: (OrgId, UserId),
    tell: &MayTell<'_>,
) -> Stored<()> {
    let keys = repo::made_within(tx, who).await?;
    if keys.is_empty() {
        return Ok(());
    }
    repo::deserted(tx, who).await?;
    for key in &keys {
        events::record(tx, &tell.of(key)).await?;
    }
    Ok(())
}

/// A user leaves the app, in the caller's unit of work: his keys are removed, and of those that he
/// has made for others nothing says that it was he.
pub async fn forget(tx: &mut Tx<'_, AppId>, user: UserId, tell: &MayTell<'_>) -> Stored<()> {
    forget_own(tx, user).await?;
    let keys = repo::made_by(tx, user).await?;
    if keys.is_empty() {
        return Ok(());
    }
    repo::orphan(tx, user).await?;
    for key in keys.iter().filter(|key| !key.creator_left) {
        events::record(&mut tx.within(key.tenant()), &tell.of(key)).await?;
    }
    Ok(())
}

/// Removes the keys of a user alone, in every environment of his app.
pub async fn forget_own(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<()> {
    repo::remove_own(tx, user).await.map(drop)
}
