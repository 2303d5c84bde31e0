use serde::{Deserialize, Serialize};

use super::agent::{Agent, Kind};
use super::presented::REMEMBERED;
use crate::events::Origin;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, DeviceId, EnvId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment};

/// What a device is called where it says nothing of itself.
const NAMELESS: &str = "Unknown device";

/// A browser or machine from which one user signs in to one environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Device {
    #[serde(rename = "_id")]
    pub id: DeviceId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub user_id: UserId,
    /// SHA-256 of the secret that its client holds.
    pub fingerprint: String,
    /// As its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Where it was seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    pub trusted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_until: Option<Timestamp>,
    pub last_seen_at: Timestamp,
    /// How often he has signed in from it.
    pub sign_ins: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for Device {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_devices";
    const INDEXES: &'static [Index] = &[
        // A user is of the app, and has a device for each environment that he signs in to from it.
        Index::unique(
            "devices_fingerprint",
            &["app_id", "env_id", "user_id", "fingerprint"],
        ),
        Index::on("devices_seen", &["last_seen_at"]).expires_after(REMEMBERED),
    ];
}

impl Device {
    pub(super) fn new(
        tenant: Tenant,
        (user_id, fingerprint): (UserId, String),
        origin: &Origin,
        (now, entropy): (Timestamp, &Entropy),
    ) -> Self {
        let agent = Agent::of(origin.user_agent.as_deref());
        Self {
            id: DeviceId::new(now, entropy),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            user_id,
            fingerprint,
            name: None,
            kind: agent.kind,
            browser: agent.browser.map(str::to_owned),
            os: agent.os.map(str::to_owned),
            ip_address: origin.ip.map(|ip| ip.to_string()),
            trusted: false,
            trusted_until: None,
            last_seen_at: now,
            sign_ins: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether its owner trusts it at `now`; the bound is exclusive.
    pub fn is_trusted(&self, now: Timestamp) -> bool {
        self.trusted && self.trusted_until.is_some_and(|until| now < until)
    }

    /// What its wrong passwords are counted by, apart from strangers' (see [`crate::limits`]), for
    /// an owner whose password is as old as that. A device of before may be the reason why there is
    /// another password: it counts among the strangers until it has signed in with the new one.
    pub fn lane(&self, password_changed_at: Option<Timestamp>) -> Option<&str> {
        let is_of_before = password_changed_at.is_some_and(|changed| self.last_seen_at < changed);
        (!is_of_before).then_some(self.fingerprint.as_str())
    }

    /// As people know it: `Firefox on Linux`. Made of our own words, never of what a client sent.
    pub fn label(&self) -> String {
        match (&self.browser, &self.os) {
            (Some(browser), Some(os)) => format!("{browser} on {os}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => NAMELESS.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(2_208_988_800_000);

    fn device(user_agent: &str) -> Device {
        let entropy = Entropy::seeded(1);
        let tenant = Tenant {
            app_id: AppId::new(NOON, &entropy),
            env_id: EnvId::new(NOON, &entropy),
        };
        let origin = Origin::new("r".into(), None, Some(user_agent));
        let whose = (UserId::new(NOON, &entropy), "f".into());
        Device::new(tenant, whose, &origin, (NOON, &entropy))
    }

    #[test]
    fn a_device_is_called_by_what_is_known_of_it() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(device(firefox).label(), "Firefox on Linux");
        assert_eq!(device("curl/8.14.1").label(), "curl");
        assert_eq!(
            device("Your account is at risk: evil.example").label(),
            NAMELESS
        );
    }

    #[test]
    fn a_device_counts_among_strangers_from_another_password_to_its_next_sign_in() {
        let device = device("");
        let later = NOON.plus(Duration::from_millis(1));

        assert_eq!(device.lane(None), Some("f"));
        assert_eq!(device.lane(Some(NOON)), Some("f"));
        assert_eq!(device.lane(Some(later)), None);
    }

    #[test]
    fn trust_ends_by_itself() {
        let mut device = device("");
        assert!(!device.is_trusted(NOON));

        device.trusted = true;
        device.trusted_until = Some(NOON.plus(Duration::from_mins(1)));

        assert!(device.is_trusted(NOON.plus(Duration::from_millis(59_999))));
        assert!(!device.is_trusted(NOON.plus(Duration::from_mins(1))));
    }
}
