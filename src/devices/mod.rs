//! Devices: the browsers and machines that a user signs in from.
//!
//! A device is named by a secret that its client holds: the cookie `authsome_device`, or `device_id`
//! in a body; never by what it calls itself. The secret proves nothing by itself: it tells a device
//! that has been here from one that has not. Each user has his own device, also in a browser that
//! several share. One that is not seen for as long as its cookie lives is forgotten.
//!
//! ```text
//! new ──sign-in──▶ known ──trusted for days──▶ trusted ──time, or its owner──▶ known
//!                    └──removed: its sessions end; the next sign-in is a new device's
//! ```
//!
//! Not here: sessions, and so what a person does with his own devices ([`crate::sessions`]).

mod agent;
#[cfg(test)]
mod fuzz;
mod presented;
mod record;
mod repo;
mod secret;

pub use self::agent::Kind;
pub use self::presented::{Presented, named};
pub use self::record::Device;
pub use self::repo::{
    Seen, by_fingerprint, forget, get, of_user, page, recognise, rename, take, trust,
};
pub use self::secret::{DeviceSecret, NotADeviceSecret};
