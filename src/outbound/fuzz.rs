//! Whom this server may be told to ask: see [`crate::kernel::fuzz`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::any;
use url::{Host, Url};

use super::addresses::is_public;
use super::target::{Reach, Target};
use crate::kernel::fuzz::{always, one_of, texts};

const URLS: [&str; 22] = [
    "https://hooks.example.com/a/b?c=d",
    "HTTPS://Hooks.Example.Com:8443/",
    "https://8.8.8.8/",
    "https://[2606:4700::1]:8443/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://2130706433/",
    "https://１２７.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00:ec2::254]/",
    "https://localhost./",
    "https://metadata.google.internal/",
    "https://hooks.example.com:22/",
    "https://mia:x@hooks.example.com/",
    "https://hooks.example.com\\@127.0.0.1/",
    "https:hooks.example.com#@127.0.0.1",
    "gopher://hooks.example.com/",
    "http://localhost:8080/",
];

/// What a standard library and RFCs call an address that is somebody's own.
fn is_known_to_be_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}

/// However it is spelled, nothing of ours is asked; and in development nothing but by HTTP.
#[test]
fn a_target_is_public_by_its_scheme_port_and_host() {
    always(texts(URLS), |text| {
        if let Ok(target) = Target::parse(&text, Reach::Anywhere) {
            let url = Url::parse(target.as_str()).expect("a URL");
            assert!(["http", "https"].contains(&url.scheme()));
            assert!(
                url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
            );
            assert!(target.as_str().len() <= 2_048 && url.has_host());
        }
        let Ok(target) = Target::parse(&text, Reach::Public) else {
            return;
        };
        assert!(Target::parse(&text, Reach::Anywhere).is_ok());
        assert_eq!(
            Target::parse(target.as_str(), Reach::Public).as_ref(),
            Ok(&target)
        );
        let url = Url::parse(target.as_str()).expect("a URL");
        assert_eq!(
            (url.scheme(), Some(target.host())),
            ("https", url.host_str())
        );
        assert!(url.port().is_none_or(|port| port >= 1_024));
        match url.host().expect("a host") {
            Host::Domain(name) => {
                let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
                let last = labels[labels.len() - 1];
                assert!(labels.len() > 1 && !["localhost", "local", "internal"].contains(&last));
                assert_eq!(target.address(), None);
            }
            Host::Ipv4(ip) => assert!(!is_known_to_be_private(ip.into()), "{ip}"),
            Host::Ipv6(ip) => assert!(!is_known_to_be_private(ip.into()), "{ip}"),
        }
    });
}

/// An address written within a URL is judged as the address is.
#[test]
fn a_target_by_address_is_judged_as_the_address() {
    let spelled = one_of(&[0_u8, 1, 2, 3]);
    always(
        (any::<u32>(), spelled, one_of(&STARTS)),
        |(bits, spelled, start)| {
            let bits = if bits % 2 == 0 {
                u32::from(start) | bits >> 8
            } else {
                bits
            };
            let ip = Ipv4Addr::from(bits);
            let host = match spelled {
                0 => ip.to_string(),
                1 => bits.to_string(),
                2 => format!("{bits:#x}"),
                _ => format!("[::ffff:{ip}]"),
            };
            let taken = Target::parse(&format!("https://{host}/"), Reach::Public).is_ok();
            assert_eq!(taken, is_public(ip.into()), "{host}");
            assert!(!taken || !is_known_to_be_private(ip.into()), "{host}");
        },
    );
}

/// Where networks begin that are somebody's own.
const STARTS: [Ipv4Addr; 8] = [
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::new(10, 0, 0, 0),
    Ipv4Addr::new(100, 64, 0, 0),
    Ipv4Addr::new(127, 0, 0, 0),
    Ipv4Addr::new(169, 254, 0, 0),
    Ipv4Addr::new(172, 16, 0, 0),
    Ipv4Addr::new(192, 168, 0, 0),
    Ipv4Addr::new(224, 0, 0, 0),
];

/// What carries an IPv4 address is judged by it; and of IPv6 nothing counts but global unicast.
#[test]
fn an_address_is_judged_by_the_address_that_it_carries() {
    always((any::<u32>(), any::<u128>()), |(four, six)| {
        let (v4, mapped) = (Ipv4Addr::from(four), 0xffff_u128 << 32 | u128::from(four));
        let nat64 = 0x64_ff9b_u128 << 96 | u128::from(four);
        let judged = is_public(v4.into());
        assert_eq!(is_public(Ipv6Addr::from(mapped).into()), judged, "{v4}");
        assert_eq!(is_public(Ipv6Addr::from(nat64).into()), judged, "{v4}");
        assert!(!judged || !is_known_to_be_private(v4.into()), "{v4}");
        let v6 = Ipv6Addr::from(six);
        let is_global = six >> 125 == 1 || six >> 32 == 0xffff || six >> 32 == 0x64_ff9b_u128 << 64;
        assert!(is_global || !is_public(v6.into()), "{v6}");
        let sixth_to_fourth = 0x2002_u128 << 112 | six >> 16;
        assert!(!is_public(Ipv6Addr::from(sixth_to_fourth).into()));
    });
}
