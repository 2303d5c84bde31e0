//! The server: where it listens, what it is called from outside, and how long it waits.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use url::Url;

use super::{
    setting::{Fallback, section},
    takes::{By, Cores, Count, Optional, Span, Unfit, hours, millis, minutes, parsed, seconds},
};

section! {
    /// Where the server listens, what it is called from outside, and how long it waits.
    pub struct Server in "server" {
        /// Where to listen; port 0 is any free one.
        bind: SocketAddr = Fallback::Value("127.0.0.1:8080"), By {
            takes: "an IP address and a port, like `127.0.0.1:8080`",
            parse: parsed::<SocketAddr>,
        };
        /// The address that clients use: the issuer of tokens and the start of links.
        public_url: Option<PublicUrl> = Fallback::Unset("`http://` and `server.bind`"), Optional(By {
            takes: "an http or https URL without query, like `https://auth.example.com`",
            parse: PublicUrl::parse,
        });
        /// A path below which everything is served too, beside the root.
        base_path: BasePath = Fallback::Value(""), By {
            takes: "nothing, or a path like `/auth`: segments of letters, digits, `-`, `_`, `.`",
            parse: BasePath::parse,
        };
        /// Proxies whose word about the client's address is taken.
        trusted_proxies: Vec<IpNet> = Fallback::Value(""), By {
            takes: "nothing, or addresses and CIDR blocks separated by commas, like `10.0.0.0/8,::1`",
            parse: networks,
        };
        /// Threads that serve requests.
        workers: usize = Fallback::Value("cores"), Cores { max: 1024 };
        /// Connections that are open at once; later ones wait.
        max_connections: usize = Fallback::Value("10000"), Count { min: 1, max: 1_000_000 };
        /// How long a connection may take over the head of a request, from its first moment on.
        // actix tells this time to half a second: below a second, prompt requests would be late.
        header_timeout: Duration = Fallback::Value("10s"), Span { min: seconds(1), max: minutes(5) };
        /// How long a request may take to send its body.
        body_timeout: Duration = Fallback::Value("15s"), Span { min: millis(100), max: minutes(10) };
        /// How long a request may take to be answered.
        handler_timeout: Duration = Fallback::Value("15s"), Span { min: millis(100), max: minutes(10) };
        /// How long a client may take nothing of an answer (on Linux, which ends the connection).
        write_timeout: Duration = Fallback::Value("1m"), Span { min: seconds(1), max: minutes(10) };
        /// How long a connection stays open between requests.
        keep_alive: Duration = Fallback::Value("60s"), Span { min: seconds(1), max: hours(1) };
        /// How long a stopping server says that it is not ready before it stops listening.
        stop_delay: Duration = Fallback::Value("5s"), Span { min: seconds(0), max: minutes(5) };
        /// How long a stopping server waits for requests in flight.
        shutdown_timeout: Duration = Fallback::Value("20s"), Span { min: seconds(0), max: minutes(10) };
    }
}

impl Server {
    /// The address clients use, of a server that got `bound`: configured, else what it is bound to.
    /// The unspecified address (`0.0.0.0`, `::`) is nobody's, so its loopback stands in.
    pub fn url(&self, bound: SocketAddr) -> PublicUrl {
        let by_address = || PublicUrl(format!("http://{}", reachable(bound)));
        self.public_url.clone().unwrap_or_else(by_address)
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        match &self.public_url {
            None if !self.bind.ip().is_loopback() => warnings.push(format!(
                "server.public_url is not set, so tokens and links will say {}: \
                 set AUTHSOME_SERVER__PUBLIC_URL",
                self.url(self.bind)
            )),
            Some(url) if !url.is_secure() && !url.is_local() => warnings.push(format!(
                "server.public_url is {url}: passwords and tokens will travel unencrypted"
            )),
            None | Some(_) => {}
        }
        if let Some(all) = self
            .trusted_proxies
            .iter()
            .find(|network| network.prefix_len() == 0)
        {
            warnings.push(format!(
                "server.trusted_proxies holds {all}: anybody can pretend to have any address"
            ));
        }
        warnings
    }
}

/// An address on which something listening on `bound` can be reached from this machine.
pub(crate) fn reachable(bound: SocketAddr) -> SocketAddr {
    let address = match bound.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V4(_) | IpAddr::V6(_) => bound.ip(),
    };
    SocketAddr::new(address, bound.port())
}

/// The address of the server from outside: `http` or `https`, a host, perhaps a path; in the
/// canonical spelling of the WHATWG URL standard, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    fn parse(text: &str) -> Result<Self, Unfit> {
        let url = Url::parse(text).map_err(|_| Unfit::NotAllowed)?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
            return Err(Unfit::NotAllowed);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether clients come by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether it names this machine only.
    fn is_local(&self) -> bool {
        let host = Url::parse(&self.0)
            .ok()
            .and_then(|url| url.host().map(|host| host.to_owned()));
        host.is_some_and(|host| match host {
            url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            url::Host::Ipv4(ip) => ip.is_loopback(),
            url::Host::Ipv6(ip) => ip.is_loopback(),
        })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Empty, or `/` and segments joined by `/`, without one at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    fn parse(text: &str) -> Result<Self, Unfit> {
        let spelled = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_segment = |segment: &str| {
            !segment.is_empty() && segment.chars().all(spelled) && !matches!(segment, "." | "..")
        };
        match text.strip_prefix('/') {
            None if text.is_empty() => Ok(Self(String::new())),
            Some(rest) if rest.split('/').all(is_segment) => Ok(Self(text.to_owned())),
            None | Some(_) => Err(Unfit::NotAllowed),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn networks(text: &str) -> Result<Vec<IpNet>, Unfit> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|part| network(part.trim())).collect()
}

/// A block, or an address that is a block of its own.
fn network(text: &str) -> Result<IpNet, Unfit> {
    parsed(text).or_else(|_| parsed::<IpAddr>(text).map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_one_spelling_and_no_extras() {
        for (given, kept) in [
            ("https://auth.example.com", "https://auth.example.com"),
            ("HTTPS://Auth.Example.com:443/", "https://auth.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://example.com/auth/", "https://example.com/auth"),
        ] {
            assert_eq!(
                PublicUrl::parse(given).map(|url| url.0),
                Ok(kept.to_owned())
            );
        }
        for bad in [
            "",
            "auth.example.com",
            "ftp://a.example",
            "https://u:p@a.example",
            "https://a/?q",
            "https://a/#f",
            "https://",
        ] {
            assert_eq!(PublicUrl::parse(bad), Err(Unfit::NotAllowed), "{bad}");
        }
    }

    #[test]
    fn a_base_path_is_empty_or_plain_segments() {
        for good in ["", "/auth", "/a/b-c_d.e"] {
            assert!(BasePath::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "/", "auth", "/auth/", "//auth", "/a/../b", "/a b", "/a?b", "/{a}",
        ] {
            assert!(BasePath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn proxies_are_blocks_or_addresses() {
        let blocks = networks("10.0.0.0/8, ::1,192.168.1.7").map_err(|_| "not allowed");
        let told: Vec<_> = blocks
            .into_iter()
            .flatten()
            .map(|block| block.to_string())
            .collect();
        assert_eq!(told, ["10.0.0.0/8", "::1/128", "192.168.1.7/32"]);
        for bad in ["10.0.0.0/33", "proxy.example", "10.0.0.0/8,", "*"] {
            assert!(networks(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_unspecified_address_is_reached_by_loopback() {
        let on = |text: &str| text.parse().map(|bound| reachable(bound).to_string());
        assert_eq!(on("0.0.0.0:80").as_deref(), Ok("127.0.0.1:80"));
        assert_eq!(on("[::]:80").as_deref(), Ok("[::1]:80"));
        assert_eq!(on("10.1.2.3:80").as_deref(), Ok("10.1.2.3:80"));
    }
}
