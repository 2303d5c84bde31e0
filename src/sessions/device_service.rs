//! What a person does with his own devices. It stands here and not in [`crate::devices`] because a
//! device that is removed takes its sessions along.

use super::record::Ending;
use super::repo;
use super::service::{SessionError, Sessions};
use crate::devices::{self, Device};
use crate::events::{self, Name, Origin, Party};
use crate::http::Change;
use crate::kernel::id::{DeviceId, SessionId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};
use crate::tokens::Revocation;

impl Sessions {
    /// The devices of a user in this environment, newest first.
    pub async fn devices(
        &self,
        tenant: Tenant,
        user: UserId,
        after: Option<&Position>,
        limit: Limit,
    ) -> Result<Slice<Device>, SessionError> {
        let mut once = self.store.once();
        Ok(devices::page(&mut once.within(tenant), user, (after, limit)).await?)
    }

    pub async fn device(
        &self,
        tenant: Tenant,
        user: UserId,
        id: DeviceId,
    ) -> Result<Device, SessionError> {
        let mut once = self.store.once();
        let found = devices::get(&mut once.within(tenant), user, id).await?;
        found.ok_or(SessionError::Unknown)
    }

    /// The device that a session began on.
    pub async fn device_of(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<Option<DeviceId>, SessionError> {
        let mut once = self.store.once();
        let session = repo::get(&mut once.within(tenant), session).await?;
        Ok(session.and_then(|session| session.device_id))
    }

    pub async fn rename_device(
        &self,
        tenant: Tenant,
        (user, id): (UserId, DeviceId),
        name: &Change<Label>,
        origin: &Origin,
    ) -> Result<Device, SessionError> {
        let now = self.clock.now();
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let renamed = devices::rename(&mut tx, (user, id), name, now).await?;
                let renamed = renamed.ok_or(SessionError::Unknown)?;
                self.tell_of(&mut tx, Name::DeviceRenamed, (user, id), (now, origin))
                    .await?;
                Ok(renamed)
            })
            .await
    }

    /// Trusts a device until then, or no longer.
    pub async fn trust_device(
        &self,
        tenant: Tenant,
        (user, id): (UserId, DeviceId),
        until: Option<Timestamp>,
        origin: &Origin,
    ) -> Result<Device, SessionError> {
        let now = self.clock.now();
        let name = match until {
            Some(_) => Name::DeviceTrusted,
            None => Name::DeviceUntrusted,
        };
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let changed = devices::trust(&mut tx, (user, id), until, now).await?;
                let changed = changed.ok_or(SessionError::Unknown)?;
                self.tell_of(&mut tx, name, (user, id), (now, origin))
                    .await?;
                Ok(changed)
            })
            .await
    }

    /// Removes a device and ends every session that began on it; their tokens are refused from the
    /// next request on. A sign-in from it at the same moment changes the same device: it comes
    /// before, and its session ends, or after, and is a new device's.
    pub async fn remove_device(
        &self,
        tenant: Tenant,
        (user, id): (UserId, DeviceId),
        origin: &Origin,
    ) -> Result<(), SessionError> {
        let now = self.clock.now();
        let ended = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                self.remove_in(&mut tx, (user, id), (now, origin)).await
            })
            .await?;
        self.apply(&ended);
        Ok(())
    }

    async fn remove_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (user, id): (UserId, DeviceId),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Vec<Revocation>, SessionError> {
        let removed = devices::take(tx, user, id).await?;
        removed.ok_or(SessionError::Unknown)?;
        self.tell_of(tx, Name::DeviceRemoved, (user, id), (now, origin))
            .await?;
        let there = repo::on_device(tx, (user, id), now).await?;
        let why = (Ending::DeviceRemoved, Party::new("user", user));
        Ok(self.end_each(tx, &there, why, (now, origin)).await?)
    }

    async fn tell_of(
        &self,
        tx: &mut Tx<'_, Tenant>,
        name: Name,
        (user, device): (UserId, DeviceId),
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<()> {
        let party = Party::new("user", user);
        let told = self
            .event(name, tx.scope(), party, (now, origin))
            .on(Party::new("device", device));
        events::record(tx, &told).await
    }
}
