//! Registering what an app's backend guards, beside what the product guards itself.

use super::service::Permissions;
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::Caller;
use crate::rbac::{self, Catalogue, RegisteredResource};
use crate::store::{Stored, Tx};
use crate::tokens::{Revocation, revoke_app_roles};

impl Permissions {
    /// What the app acted on has registered.
    pub(super) async fn registered(&self, caller: &Caller) -> Stored<Vec<RegisteredResource>> {
        let mut once = self.store.once();
        let found = rbac::catalogue(&mut once.within(caller.tenant.app_id)).await?;
        Ok(resources_of(found))
    }

    /// Registers exactly these for the app acted on. Access tokens for its organisations that were
    /// issued before are refused; the same again changes nothing.
    pub(super) async fn register(
        &self,
        caller: &Caller,
        resources: &[RegisteredResource],
        origin: &Origin,
    ) -> Stored<()> {
        let registered = self.try_register(caller, resources, origin).await;
        match registered {
            // Somebody else was the first, and is found now.
            Err(error) if error.duplicate().is_some() => {
                self.try_register(caller, resources, origin).await
            }
            other => other,
        }
    }

    async fn try_register(
        &self,
        caller: &Caller,
        resources: &[RegisteredResource],
        origin: &Origin,
    ) -> Stored<()> {
        let revoked = self
            .store
            .write(async |tx: &mut Tx<'_>| self.register_in(tx, caller, (resources, origin)).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(())
    }

    async fn register_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        (resources, origin): (&[RegisteredResource], &Origin),
    ) -> Stored<Option<Revocation>> {
        let (now, app) = (self.clock.now(), caller.tenant.app_id);
        let made = (now, &self.entropy);
        let mut of_app = tx.within(app);
        let before = resources_of(rbac::catalogue(&mut of_app).await?);
        if before == resources {
            return Ok(None);
        }
        let changed = rbac::replace_catalogue(&mut of_app, resources.to_vec(), made).await?;
        let mut tx = tx.within(caller.tenant);
        let names: Vec<&str> = resources.iter().map(|it| it.name.as_str()).collect();
        let name = Name::PermissionsRegistered;
        let told = Event::new(name, caller.tenant, caller.party(), origin, made)
            .on(Party::new("app", app))
            .with("resources", names);
        events::record(&mut tx, &told).await?;
        if is_same_to_roles(&before, resources) {
            return Ok(None);
        }
        let revoked = revoke_app_roles(&mut tx, changed.version, now, &self.entropy).await?;
        Ok(Some(revoked))
    }
}

fn resources_of(catalogue: Option<Catalogue>) -> Vec<RegisteredResource> {
    catalogue.map(|it| it.resources).unwrap_or_default()
}

/// Whether roles amount to the same with either: descriptions grant nothing.
fn is_same_to_roles(one: &[RegisteredResource], other: &[RegisteredResource]) -> bool {
    let compiled = |all: &[RegisteredResource]| -> Vec<_> {
        all.iter().map(RegisteredResource::resource).collect()
    };
    compiled(one) == compiled(other)
}
