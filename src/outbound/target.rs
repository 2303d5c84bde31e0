//! Targets: URLs that this server may be told to ask.

use std::net::IpAddr;

use url::{Host, Url};

use super::addresses::is_public;
use crate::kernel::text::has_plain_host;

/// The longest URL of a target, in bytes.
const LONGEST: usize = 2_048;
/// From here on up a service is somebody's own; below, only the port of HTTPS is one for us.
const FIRST_FREE_PORT: u16 = 1_024;
const HTTPS: u16 = 443;

/// How far this server asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses, by `https`.
    Public,
    /// Any address and any port, also by `http`: for development.
    Anywhere,
}

/// A URL that may be asked, as far as can be seen without resolving its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotATarget {
    #[error("must be a URL of at most 2,048 characters, without user, password and fragment")]
    NotAUrl,
    #[error("must begin with https://")]
    NotSecure,
    #[error("must name a public host")]
    NotPublic,
    #[error("must name no port, or one from 1024 up")]
    Port,
}

impl NotATarget {
    /// The stable name of the fault.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NotAUrl => "invalid_url",
            Self::NotSecure => "insecure_url",
            Self::NotPublic => "private_address",
            Self::Port => "forbidden_port",
        }
    }
}

impl Reach {
    /// Whether an address may be connected to.
    pub(super) fn admits(self, ip: IpAddr) -> bool {
        self == Self::Anywhere || is_public(ip)
    }
}

impl Target {
    /// Reads a URL. Addresses in every spelling that browsers know (`0x7f.1`, `2130706433`) are
    /// judged as what they mean; a name is judged when it is resolved, but for those of this
    /// machine.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, NotATarget> {
        let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
        if text.len() > LONGEST || !text.chars().all(is_plain) {
            return Err(NotATarget::NotAUrl);
        }
        let url = Url::parse(text).map_err(|_| NotATarget::NotAUrl)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_web = matches!(url.scheme(), "https" | "http");
        if !is_web
            || !has_plain_host(&url)
            || has_user
            || url.fragment().is_some()
            || url.as_str().len() > LONGEST
        {
            return Err(NotATarget::NotAUrl);
        }
        if reach == Reach::Public {
            judge(&url)?;
        }
        Ok(Self(url))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host alone: what people may be told of where it is.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The address that the URL names by itself, if it is one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(ip.into()),
        }
    }
}

fn judge(url: &Url) -> Result<(), NotATarget> {
    if url.scheme() != "https" {
        return Err(NotATarget::NotSecure);
    }
    let port = url.port_or_known_default().unwrap_or_default();
    if port != HTTPS && port < FIRST_FREE_PORT {
        return Err(NotATarget::Port);
    }
    let is_public = match url.host() {
        Some(Host::Domain(name)) => !is_of_this_machine(name),
        Some(Host::Ipv4(ip)) => is_public(ip.into()),
        Some(Host::Ipv6(ip)) => is_public(ip.into()),
        None => false,
    };
    is_public.then_some(()).ok_or(NotATarget::NotPublic)
}

/// RFC 6761 §6.3, and names that have no place in the public DNS: without a dot, `.local`,
/// `.internal`.
fn is_of_this_machine(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || matches!(last, "localhost" | "local" | "internal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_https_to_a_public_host_at_a_port_of_its_own() {
        for good in [
            "https://hooks.example.com",
            "https://hooks.example.com/a/b?c=d",
            "https://hooks.example.com:443/",
            "https://hooks.example.com:8443/",
            "https://8.8.8.8/",
            "https://[2606:4700::1]:8443/",
            "HTTPS://Hooks.Example.Com/",
        ] {
            assert!(Target::parse(good, Reach::Public).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_no_target_says_why() {
        let table = [
            ("", NotATarget::NotAUrl),
            ("hooks.example.com", NotATarget::NotAUrl),
            ("//hooks.example.com", NotATarget::NotAUrl),
            ("https://", NotATarget::NotAUrl),
            ("file:///etc/passwd", NotATarget::NotAUrl),
            ("gopher://hooks.example.com/", NotATarget::NotAUrl),
            ("javascript:alert(1)", NotATarget::NotAUrl),
            ("https://mia@hooks.example.com/", NotATarget::NotAUrl),
            ("https://mia:x@hooks.example.com/", NotATarget::NotAUrl),
            ("https://hooks.example.com/#x", NotATarget::NotAUrl),
            ("https://hooks.example.com/\r\nx", NotATarget::NotAUrl),
            (
                "https://hooks.example.com\\@127.0.0.1/",
                NotATarget::NotAUrl,
            ),
            ("http://hooks.example.com/", NotATarget::NotSecure),
            ("http://127.0.0.1/", NotATarget::NotSecure),
            ("https://hooks.example.com:22/", NotATarget::Port),
            ("https://hooks.example.com:0/", NotATarget::Port),
            ("https://localhost/", NotATarget::NotPublic),
            ("https://localhost./", NotATarget::NotPublic),
            ("https://a.localhost/", NotATarget::NotPublic),
            ("https://printer.local/", NotATarget::NotPublic),
            ("https://metadata.google.internal/", NotATarget::NotPublic),
            ("https://intranet/", NotATarget::NotPublic),
            ("https://127.0.0.1/", NotATarget::NotPublic),
            ("https://127.1/", NotATarget::NotPublic),
            ("https://0x7f.0.0.1/", NotATarget::NotPublic),
            ("https://0177.0.0.1/", NotATarget::NotPublic),
            ("https://2130706433/", NotATarget::NotPublic),
            ("https://0/", NotATarget::NotPublic),
            (
                "https://169.254.169.254/latest/meta-data",
                NotATarget::NotPublic,
            ),
            ("https://１２７.0.0.1/", NotATarget::NotPublic),
            ("https://[::1]/", NotATarget::NotPublic),
            ("https://[::ffff:127.0.0.1]/", NotATarget::NotPublic),
            ("https://[64:ff9b::7f00:1]/", NotATarget::NotPublic),
            ("https://[fd00:ec2::254]/", NotATarget::NotPublic),
        ];
        for (text, why) in table {
            assert_eq!(Target::parse(text, Reach::Public), Err(why), "{text}");
        }
        let long = format!("https://hooks.example.com/{}", "a".repeat(LONGEST));
        assert_eq!(
            Target::parse(&long, Reach::Public),
            Err(NotATarget::NotAUrl)
        );
    }

    #[test]
    fn in_development_any_host_may_be_asked_but_by_http_only() {
        for good in [
            "http://localhost:8080/",
            "http://127.0.0.1:22/",
            "https://[::1]/",
        ] {
            assert!(Target::parse(good, Reach::Anywhere).is_ok(), "{good}");
        }
        for bad in [
            "file:///etc/passwd",
            "http://mia@localhost/",
            "ftp://localhost/",
        ] {
            assert!(Target::parse(bad, Reach::Anywhere).is_err(), "{bad}");
        }
    }
}
