//! Networks: what counts as one client's address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the /64 of an IPv6 one: a household has that many, and they change from day
/// to day. An IPv4 address in its mapped form is that address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    pub fn of(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V4(ip) => ip.into(),
            IpAddr::V6(ip) => Ipv6Addr::from(ip.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }
}

/// `192.0.2.9`, `2001:db8::/64`
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => ip.fmt(f),
            IpAddr::V6(prefix) => write!(f, "{prefix}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(ip: &str) -> Network {
        Network::of(ip.parse().unwrap())
    }

    #[test]
    fn one_client_has_one_address_or_one_64() {
        let same = [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.9", "::ffff:192.0.2.9"),
            ("2001:db8::1", "2001:0DB8:0:0:ffff:ffff:ffff:ffff"),
            ("2001:db8:0:1::", "2001:db8:0:1:8000::"),
        ];
        let other = [
            ("192.0.2.9", "192.0.2.8"),
            ("2001:db8::1", "2001:db8:0:1::1"),
            ("::1", "1::1"),
            ("192.0.2.1", "2001:db8::1"),
            ("0.0.0.0", "::"),
        ];

        assert!(same.iter().all(|(one, two)| network(one) == network(two)));
        assert!(other.iter().all(|(one, two)| network(one) != network(two)));
    }

    #[test]
    fn it_is_written_as_networks_are() {
        assert_eq!(network("::ffff:192.0.2.9").to_string(), "192.0.2.9");
        assert_eq!(network("2001:db8::7").to_string(), "2001:db8::/64");
    }
}
