//! The client's address: the socket's peer, unless the peer is a proxy the operator trusts.
//!
//! Behind trusted proxies it is the right-most hop that is not itself trusted, from `Forwarded`
//! (RFC 7239) or `X-Forwarded-For`. A proxy that writes one of the two passes the other one on from
//! the client, so where both are there and disagree, neither is believed. Junk ends the walk at the
//! last hop that was trusted: a client can hide behind the proxy but cannot become somebody else.
//!
//! A backend with a secret key asks on behalf of its users, and says in `X-Authsome-Client-IP`
//! whose request it is. From everybody else that header means nothing.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const AUTHSOME_CLIENT_IP: HeaderName = HeaderName::from_static("x-authsome-client-ip");

/// The address of the client behind `peer`; an IPv4 address is never given in its mapped form.
pub(super) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let forwarded = hops(headers, FORWARDED).map(|hop| forwarded_for(&hop));
    let listed = hops(headers, X_FORWARDED_FOR).map(|hop| address(&hop));
    let forwarded = nearest_untrusted(peer, forwarded.collect(), trusted);
    let listed = nearest_untrusted(peer, listed.collect(), trusted);
    match (forwarded, listed) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => peer,
    }
}

/// More than one address, or none, in `X-Authsome-Client-IP`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAnAddress;

/// For whom a backend asks; `None` where it does not say.
pub(super) fn on_behalf(headers: &HeaderMap) -> Result<Option<IpAddr>, NotAnAddress> {
    let mut lines = headers.get_all(AUTHSOME_CLIENT_IP);
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    let named = line.to_str().ok().and_then(|text| text.trim().parse().ok());
    let named: IpAddr = named
        .filter(|_| lines.next().is_none())
        .ok_or(NotAnAddress)?;
    Ok(Some(named.to_canonical()))
}

/// Walks from the peer towards the client; `None` without hops.
fn nearest_untrusted(peer: IpAddr, hops: Vec<Option<IpAddr>>, trusted: &[IpNet]) -> Option<IpAddr> {
    if hops.is_empty() {
        return None;
    }
    let is_trusted = |hop: &IpAddr| trusted.iter().any(|net| net.contains(hop));
    let mut nearest = peer;
    for hop in hops.into_iter().rev() {
        match hop {
            Some(hop) if is_trusted(&nearest) => nearest = hop,
            Some(_) | None => break,
        }
    }
    Some(nearest)
}

/// The elements of a list header, all its lines taken together, in order.
fn hops(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = String> + '_ {
    headers.get_all(name).flat_map(|line| {
        let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
        line.split(',')
            .map(|hop| hop.trim().to_owned())
            .collect::<Vec<_>>()
    })
}

/// The `for` parameter of one element (RFC 7239 §4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut parameters = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

/// An address with or without port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let unbracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address: Option<IpAddr> = text.parse().ok().or_else(unbracketed).or_else(with_port);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(peer: &str, headers: &[(HeaderName, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        of(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn a_stranger_s_claims_are_ignored() {
        for value in ["1.2.3.4", "a", "10.0.0.1, 1.2.3.4", ""] {
            assert_eq!(
                client("192.0.2.9", &[(X_FORWARDED_FOR, value)]),
                "192.0.2.9",
                "{value}"
            );
            assert_eq!(
                client("192.0.2.9", &[(FORWARDED, &format!("for={value}"))]),
                "192.0.2.9"
            );
        }
    }

    #[test]
    fn behind_trusted_proxies_the_right_most_untrusted_hop_counts() {
        let table = [
            ("203.0.113.5", "203.0.113.5"),
            ("1.1.1.1, 203.0.113.5", "203.0.113.5"),
            ("1.1.1.1,203.0.113.5 ,10.2.2.2", "203.0.113.5"),
            ("203.0.113.5:4711", "203.0.113.5"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("10.3.3.3", "10.3.3.3"),
        ];
        for (value, expected) in table {
            assert_eq!(
                client("10.0.0.1", &[(X_FORWARDED_FOR, value)]),
                expected,
                "{value}"
            );
            assert_eq!(
                client("::ffff:10.0.0.1", &[(X_FORWARDED_FOR, value)]),
                expected,
                "{value}"
            );
        }
        let lines = [
            (X_FORWARDED_FOR, "203.0.113.5"),
            (X_FORWARDED_FOR, "10.2.2.2"),
        ];
        assert_eq!(client("10.0.0.1", &lines), "203.0.113.5");
    }

    #[test]
    fn junk_stops_at_the_last_trusted_hop() {
        let table = [
            ("a", "10.0.0.1"),
            ("203.0.113.5, a", "10.0.0.1"),
            ("a, 10.2.2.2", "10.2.2.2"),
        ];
        for (value, expected) in table {
            assert_eq!(
                client("10.0.0.1", &[(X_FORWARDED_FOR, value)]),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn the_standard_header_is_read_too() {
        let table = [
            ("for=203.0.113.5;proto=https", "203.0.113.5"),
            (
                r#"proto=https; For="[2001:db8::1]:4711", for=10.2.2.2"#,
                "2001:db8::1",
            ),
            ("for=unknown", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ];
        for (value, expected) in table {
            assert_eq!(
                client("10.0.0.1", &[(FORWARDED, value)]),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn a_backend_names_one_plain_address() {
        let named = |lines: &[&str]| {
            let mut map = HeaderMap::new();
            for line in lines {
                map.append(AUTHSOME_CLIENT_IP, HeaderValue::from_str(line).unwrap());
            }
            on_behalf(&map).map(|ip| ip.map(|ip| ip.to_string()))
        };

        assert_eq!(named(&[]), Ok(None));
        assert_eq!(named(&["203.0.113.5"]), Ok(Some("203.0.113.5".to_owned())));
        assert_eq!(
            named(&[" 2001:DB8::1 "]),
            Ok(Some("2001:db8::1".to_owned()))
        );
        assert_eq!(
            named(&["::ffff:203.0.113.5"]),
            Ok(Some("203.0.113.5".to_owned()))
        );
        for bad in [
            "",
            "a",
            "203.0.113.5:80",
            "203.0.113.5, 10.0.0.1",
            "[::1]",
            "203.0.113.0/24",
        ] {
            assert_eq!(named(&[bad]), Err(NotAnAddress), "{bad}");
        }
        assert_eq!(named(&["203.0.113.5", "203.0.113.5"]), Err(NotAnAddress));
    }

    #[test]
    fn two_headers_that_disagree_are_both_dropped() {
        let agree = [
            (FORWARDED, "for=203.0.113.5"),
            (X_FORWARDED_FOR, "203.0.113.5"),
        ];
        let disagree = [
            (FORWARDED, "for=198.51.100.1"),
            (X_FORWARDED_FOR, "203.0.113.5"),
        ];

        assert_eq!(client("10.0.0.1", &agree), "203.0.113.5");
        assert_eq!(client("10.0.0.1", &disagree), "10.0.0.1");
    }
}
