//! What the tokens of an app are signed with, where its rules say so.

use super::service::Sessions;
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::tenant::Tenant;
use crate::store::{StoreError, Tx};
use crate::tokens::{GENERATION_OF_ENVIRONMENT, KeyError, publish_other};

impl Sessions {
    /// Sees to it that the newest key of the environment signs with `wanted`: publishes one that
    /// begins to sign when verifiers have had time to fetch it. Normally without the store.
    pub(super) async fn sign_by(&self, tenant: Tenant, wanted: Algorithm) -> Result<(), KeyError> {
        let (keys, now) = (self.issuer.access.keys(), self.clock.now());
        if keys.newest_algorithm(tenant, now).await? == Some(wanted) {
            return Ok(());
        }
        let _turn = keys.turn().await;
        if keys.newest_algorithm(tenant, now).await? == Some(wanted) {
            return Ok(());
        }
        let prepared = keys.prepare(tenant, Some(wanted), now).await?;
        let published = self
            .store
            .write(async |tx: &mut Tx<'_>| {
                let mut tx = tx.within(tenant);
                let activates_at = keys.activation(now);
                let Some(key) = publish_other(&mut tx, &prepared, activates_at).await? else {
                    return Ok(());
                };
                let (origin, made) = (of_the_rules(), (now, &self.entropy));
                let name = Name::SigningKeyPublished;
                let told = Event::new(name, tenant, Party::system(), &origin, made)
                    .on(Party::new("signing_key", key.id))
                    .with("activates_at", key.activates_at.to_string());
                events::record(&mut tx, &told).await
            })
            .await;
        keys.forget(tenant);
        match published {
            // Another node was faster.
            Err(StoreError::Duplicate(GENERATION_OF_ENVIRONMENT)) => Ok(()),
            other => Ok(other?),
        }
    }
}

/// What causes it is what the app has set, not the request that comes first.
fn of_the_rules() -> Origin {
    Origin::new(String::from("session rules"), None, None)
}
