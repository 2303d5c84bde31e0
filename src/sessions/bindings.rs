//! What a session may be bound to: the address and the device that it began on.
//!
//! A refresh from elsewhere is refused and told, and leaves the session as it is: the token in it
//! may be a stolen one, and a thief must not be able to end the session of its owner. The same goes
//! for the other way to the next tokens, which is by the last access token (`organization`).

use super::record::Session;
use super::service::Sessions;
use crate::devices::{self, DeviceSecret};
use crate::events::{self, Name, Origin, Party};
use crate::kernel::network::Network;
use crate::kernel::time::Timestamp;
use crate::session_rules::Rules;
use crate::store::Stored;

impl Sessions {
    /// Whether a refresh keeps to what its session is bound to; where not, it is told.
    pub(super) async fn keeps_bindings(
        &self,
        session: &Session,
        rules: &Rules,
        device: Option<&DeviceSecret>,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<bool> {
        let broken = self.broken_binding(session, rules, (device, origin));
        let Some(broken) = broken.await? else {
            return Ok(true);
        };
        let tenant = session.tenant();
        let nobody = Party::anonymous();
        let told = self
            .event(Name::BindingRefused, tenant, nobody, (now, origin))
            .denied()
            .on(Party::new("session", session.id))
            .with("user_id", session.user_id.to_string())
            .with("binding", broken);
        events::record(&mut self.store.once().within(tenant), &told).await?;
        Ok(false)
    }

    /// What it is that a refresh from there does not keep to.
    pub(super) async fn broken_binding(
        &self,
        session: &Session,
        rules: &Rules,
        (device, origin): (Option<&DeviceSecret>, &Origin),
    ) -> Stored<Option<&'static str>> {
        if rules.bind_to_ip && !is_at_home(session, origin) {
            return Ok(Some("ip_address"));
        }
        if rules.bind_to_device && !self.is_on(session, device).await? {
            return Ok(Some("device"));
        }
        Ok(None)
    }

    /// Whether the device is the session's own.
    async fn is_on(&self, session: &Session, device: Option<&DeviceSecret>) -> Stored<bool> {
        let (Some(id), Some(device)) = (session.device_id, device) else {
            return Ok(false);
        };
        let mut once = self.store.once();
        let own = devices::get(&mut once.within(session.tenant()), session.user_id, id).await?;
        Ok(own.is_some_and(|own| own.fingerprint == device.fingerprint()))
    }
}

fn is_at_home(session: &Session, origin: &Origin) -> bool {
    let home = session.ip_address.as_deref();
    let home = home.and_then(|address| address.parse().ok());
    home.zip(origin.ip)
        .is_some_and(|(home, here)| Network::of(home) == Network::of(here))
}
