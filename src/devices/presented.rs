//! How a request names its device, and how the answer tells it.

use std::time::Duration;

use super::secret::DeviceSecret;
use crate::http::{Cookies, HostCookie};
use crate::kernel::entropy::Entropy;

const COOKIE: &str = "authsome_device";

/// How long a browser keeps the name of its device after the last sign-in: as long as browsers
/// keep anything (RFC 6265bis §5.5: 400 days).
pub(super) const REMEMBERED: Duration = Duration::from_hours(400 * 24);

/// The device that a request names, or a new one's name.
#[derive(Debug, Clone)]
pub struct Presented {
    pub secret: DeviceSecret,
    is_in_body: bool,
}

impl Presented {
    /// What the body says counts before the cookie; one is made where neither says anything.
    pub fn of(body: Option<DeviceSecret>, cookies: &Cookies, entropy: &Entropy) -> Self {
        let is_in_body = body.is_some();
        let named = named(body, cookies);
        Self {
            secret: named.unwrap_or_else(|| DeviceSecret::new(entropy)),
            is_in_body,
        }
    }

    /// What the browser is to keep; nothing for a client that keeps it by itself.
    pub fn cookie(&self) -> Option<HostCookie> {
        let cookie = HostCookie {
            name: COOKIE,
            value: self.secret.expose().to_owned(),
            life: REMEMBERED,
        };
        (!self.is_in_body).then_some(cookie)
    }
}

/// The device that a request names, if it names one.
pub fn named(body: Option<DeviceSecret>, cookies: &Cookies) -> Option<DeviceSecret> {
    body.or_else(|| DeviceSecret::parse(cookies.only(COOKIE)?).ok())
}
