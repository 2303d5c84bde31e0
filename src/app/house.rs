//! A house that moves: everything that a store holds, and the secrets that go with it.

use super::settings::{PEPPER, REFRESH_SECRET, marks, store_settings};
use super::{SCHEMAS, World, sealed};
use crate::backups::{Backups, Judge};
use crate::config::{Config, Secrets};
use crate::store::{Store, Stored};

/// What a backup is held against where these secrets are in force.
pub fn judge(secrets: &Secrets) -> Judge {
    let [pepper, refresh_secret] = marks(secrets);
    Judge {
        schemas: SCHEMAS,
        ring: secrets.encryption.clone(),
        marks: [(PEPPER, pepper), (REFRESH_SECRET, refresh_secret)],
        opens: sealed::opens,
    }
}

/// The store as it is, whatever version it is of: for taking a backup.
pub async fn as_it_is(config: &Config, judge: Judge) -> Stored<Backups> {
    let store = Store::open(&store_settings(&config.store)).await?;
    Ok(Backups { store, judge })
}

/// The store brought up to date: for a backup to be brought back into.
pub async fn up_to_date(config: &Config, judge: Judge, world: &World) -> Stored<Backups> {
    let backups = as_it_is(config, judge).await?;
    let now = world.clock.now();
    backups.store.migrate(SCHEMAS, now).await?;
    Ok(backups)
}
