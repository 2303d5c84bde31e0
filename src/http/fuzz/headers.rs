//! Headers: where a request comes from, what it presents, what it asks for.

use std::net::IpAddr;

use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, FORWARDED, HeaderMap, HeaderName, ORIGIN,
};
use ipnet::IpNet;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::Strategy;

use super::super::caller::{Credential, Presented};
use super::super::cookies::Cookies;
use super::super::{body, client_ip, cors, repeatable};
use super::lines;
use crate::kernel::fuzz::{always, blobs, one_of, texts};
use crate::kernel::secret::ExposeSecret;
use crate::kernel::text;

const LISTED: HeaderName = HeaderName::from_static("x-forwarded-for");
const ON_BEHALF: HeaderName = HeaderName::from_static("x-authsome-client-ip");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const PUBLISHABLE_KEY: HeaderName = HeaderName::from_static("x-publishable-key");

const HOPS: [&str; 12] = [
    "203.0.113.5",
    "1.1.1.1, 203.0.113.5 ,10.2.2.2",
    "203.0.113.5:4711",
    "[2001:db8::1]:80, fd00::1",
    "::ffff:203.0.113.5",
    "for=203.0.113.5;proto=https",
    "proto=https; For=\"[2001:db8::1]:4711\", for=10.2.2.2",
    "for=\"a,b\", for=unknown",
    "slow.example.com",
    "0x7f.1, 010.0.0.1, 10.0.0.1/8",
    "fe80::1%eth0",
    "10.0.0.1,10.0.0.1,10.0.0.1",
];

fn trusted() -> [IpNet; 2] {
    ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().expect("a network"))
}

fn is_trusted(ip: IpAddr) -> bool {
    trusted().iter().any(|net| net.contains(&ip))
}

fn client(peer: &str, headers: &HeaderMap) -> IpAddr {
    client_ip::of(peer.parse().expect("an address"), headers, &trusted())
}

fn both(forwarded: &str, listed: &str) -> HeaderMap {
    let mut headers = lines(&FORWARDED, &[forwarded]);
    for value in lines(&LISTED, &[listed]).get_all(LISTED) {
        headers.append(LISTED, value.clone());
    }
    headers
}

/// Whatever a stranger claims, he is who he is.
#[test]
fn a_stranger_is_his_socket() {
    always((texts(HOPS), texts(HOPS)), |(forwarded, listed)| {
        let headers = both(&forwarded, &listed);
        assert_eq!(client("192.0.2.9", &headers).to_string(), "192.0.2.9");
        assert_eq!(
            client("::ffff:192.0.2.9", &headers).to_string(),
            "192.0.2.9"
        );
    });
}

/// What stands further left was written by whoever sent it: behind a proxy, nothing that a client
/// puts before makes him another client.
#[test]
fn nobody_becomes_another_client_by_what_he_puts_before() {
    always(
        (texts(HOPS), one_of(&["203.0.113.5", "2001:db8::1"])),
        |(claims, seen)| {
            // The proxy that we trust appends whom it has seen.
            let headers = lines(&LISTED, &[format!("{claims}, {seen}")]);
            let expected = if headers.is_empty() { "10.0.0.1" } else { seen };
            assert_eq!(client("10.0.0.1", &headers).to_string(), expected);
            let both_lines = lines(&LISTED, &[&*claims, seen]);
            assert_eq!(client("10.0.0.1", &both_lines).to_string(), seen);
            let quotes = claims.matches('"').count();
            let standard = lines(
                &FORWARDED,
                &[format!("{claims}, for=\"{}\"", bracketed(seen))],
            );
            if !standard.is_empty() && quotes == 0 {
                assert_eq!(client("10.0.0.1", &standard).to_string(), seen);
            }
        },
    );
}

fn bracketed(ip: &str) -> String {
    if ip.contains(':') {
        return format!("[{ip}]");
    }
    ip.to_owned()
}

/// Walked from the right by somebody else's hands: the first that is not trusted, or where it ends.
#[test]
fn behind_proxies_the_right_most_untrusted_hop_counts() {
    let hop = (any::<u32>(), any::<u64>(), 0..6_u8).prop_map(|(four, six, kind)| match kind {
        0 => Some(IpAddr::from(four.to_be_bytes())),
        1 => Some(IpAddr::from((u128::from(six) << 64 | 1).to_be_bytes())),
        2 | 3 => Some(IpAddr::from([10, 0, 0, four.to_be_bytes()[0]])),
        4 => Some(IpAddr::from(
            (0xfd00_u128 << 112 | u128::from(six)).to_be_bytes(),
        )),
        _ => None,
    });
    always(vec(hop, 0..8), |hops| {
        let mut expected: IpAddr = "10.0.0.1".parse().expect("an address");
        for hop in hops.iter().rev() {
            let Some(hop) = hop.filter(|_| is_trusted(expected)) else {
                break;
            };
            expected = hop.to_canonical();
        }
        let name = |hop: &Option<IpAddr>| hop.map_or_else(|| "unknown".into(), |ip| ip.to_string());
        let names: Vec<String> = hops.iter().map(name).collect();
        let listed = lines(&LISTED, &[names.join(", ")]);
        assert_eq!(client("10.0.0.1", &listed), expected);
        let elements: Vec<_> = names
            .iter()
            .map(|it| format!("for=\"{}\"", bracketed(it)))
            .collect();
        let headers = lines(&FORWARDED, &[elements.join(",")]);
        assert_eq!(client("10.0.0.1", &headers), expected);
    });
}

#[test]
fn a_backend_names_one_address_or_none() {
    always((texts(HOPS), one_of(&[1_usize, 2])), |(text, count)| {
        let headers = lines(&ON_BEHALF, &vec![text.clone(); count]);
        let expected = match headers.get_all(&ON_BEHALF).count() {
            0 => Ok(None),
            1 => text
                .trim()
                .parse::<IpAddr>()
                .map(|ip| Some(ip.to_canonical()))
                .map_err(|_| ()),
            _ => Err(()),
        };
        assert_eq!(client_ip::on_behalf(&headers).map_err(|_| ()), expected);
    });
}

const CREDENTIALS: [&str; 10] = [
    "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
    "bEARER abc=",
    "Bearer sk_test_abc",
    "Bearer",
    "Bearer  two words",
    "Bearer a,Bearer b",
    "Basic bWlhOng=",
    "Basic %%%",
    "DPoP abc",
    "Bearer \u{e9}",
];

/// A credential is the text of one header, and of no other alphabet than RFC 6750 has.
#[test]
fn a_credential_is_taken_as_it_was_sent() {
    always(
        (blobs(CREDENTIALS), texts(["sk_test_abc", "abc", ""])),
        |(bearer, key)| {
            let mut headers = lines(&AUTHORIZATION, &[&bearer]);
            for value in lines(&API_KEY, &[key.as_bytes()]).get_all(API_KEY) {
                headers.append(API_KEY, value.clone());
            }
            let Ok(presented) = Presented::of(&headers, "") else {
                // Two that differ.
                assert!(headers.contains_key(AUTHORIZATION) && headers.contains_key(API_KEY));
                return;
            };
            let Some(Ok(credential)) = presented.credential else {
                return;
            };
            let text = match &credential {
                Credential::ApiKey(text) | Credential::Bearer(text) => text.expose_secret(),
            };
            let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
            assert!(!text.is_empty() && text.bytes().all(is_legal), "{text}");
            let is_sent = |value: &[u8]| {
                let value = value.trim_ascii();
                value == text.as_bytes() || value.ends_with(format!(" {text}").as_bytes())
            };
            assert!(is_sent(&bearer) || is_sent(key.as_bytes()), "{text}");
            let is_key = matches!(credential, Credential::ApiKey(_));
            assert_eq!(
                is_key,
                headers.contains_key(API_KEY) || text.starts_with("sk_")
            );
        },
    );
}

/// A tenant is named once, or twice alike.
#[test]
fn keys_and_tenants_that_contradict_each_other_are_ambiguous() {
    let name = || one_of(&["pk_test_a", "pk_test_b"]);
    always((vec(name(), 0..3), vec(name(), 0..3)), |(sent, asked)| {
        let headers = lines(&PUBLISHABLE_KEY, &sent);
        let query = asked
            .iter()
            .map(|it| format!("publishable_key={it}"))
            .collect::<Vec<_>>();
        let all: Vec<&str> = sent.iter().chain(&asked).copied().collect();
        let presented = Presented::of(&headers, &query.join("&"));
        let agree = all.windows(2).all(|two| two[0] == two[1]);
        assert_eq!(presented.is_ok(), agree);
        if let Ok(presented) = presented {
            assert_eq!(presented.publishable_key.as_deref(), all.first().copied());
        }
    });
}

#[test]
fn a_cookie_counts_where_it_is_the_only_one_of_its_name() {
    let pair = (
        one_of(&["device", "Device", "other"]),
        texts(["abc", "a=b", "\"x\"", ""]),
    );
    always(vec(pair, 0..5), |pairs| {
        let plain = |value: &String| value.chars().all(|c| c.is_ascii_graphic() && c != ';');
        let pairs: Vec<_> = pairs
            .into_iter()
            .filter(|(_, value)| plain(value))
            .collect();
        let line = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>();
        let all: Vec<&str> = pairs
            .iter()
            .filter(|(name, _)| *name == "device")
            .map(|(_, value)| value.as_str())
            .collect();
        let expected = Some(&all).filter(|all| all.len() == 1).map(|all| all[0]);
        assert_eq!(
            Cookies::of(&lines(&COOKIE, &[line.join("; ")])).only("device"),
            expected
        );
        assert_eq!(Cookies::of(&lines(&COOKIE, &line)).only("device"), expected);
    });
    always(blobs(["a=1; b=2", "device=x; device", "=;=;;"]), |line| {
        let cookies = Cookies::of(&lines(&COOKIE, &[&line]));
        let only = cookies.only("device").map(str::as_bytes);
        assert!(only.is_none_or(
            |value| line.windows(value.len().max(1)).any(|it| it == value) || value.is_empty()
        ));
    });
}

#[test]
fn an_idempotency_key_is_one_line_of_what_shows() {
    let seeds = [
        "8e03978e-40d5-43dd-bc93-6894a57f9324",
        "a",
        "two words",
        "\u{e9}",
        "",
    ];
    always((blobs(seeds), one_of(&[1_usize, 2])), |(text, count)| {
        let headers = lines(&repeatable::KEY, &vec![text.clone(); count]);
        let is_one = headers.get_all(repeatable::KEY).count() == 1
            && (1..=255).contains(&text.len())
            && text.iter().all(u8::is_ascii_graphic);
        let key = repeatable::key(&headers);
        assert_eq!(key.is_ok(), is_one);
        assert!(key.is_ok_and(|key| key.as_bytes() == text) || !is_one);
    });
}

#[test]
fn a_page_is_named_only_as_browsers_spell_it() {
    let seeds = [
        "https://app.example",
        "http://localhost:3000",
        "HTTPS://app.example",
        "https://app.example:443",
        "null",
        "*",
        "https://app.example, https://evil.example",
    ];
    always(texts(seeds), |line| {
        let origin = cors::origin(&lines(&ORIGIN, &[&line]));
        if let Some(origin) = origin {
            assert_eq!(origin.as_str(), line);
            assert_eq!(text::Origin::parse(&line), Ok(origin));
        }
        let two = lines(&ORIGIN, &[&*line, "https://app.example"]);
        assert!(two.get_all(ORIGIN).count() < 2 || cors::origin(&two).is_none());
    });
}

/// JSON is what says so of itself, in UTF-8 and with nothing else: no form of another site does.
#[test]
fn a_body_is_json_only_where_it_says_so() {
    let seeds = [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "application/json; charset=utf-16",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
    ];
    always(texts(seeds), |declared| {
        let headers = lines(&CONTENT_TYPE, &[&declared]);
        if body::check_declaration(&headers, 0).is_ok() {
            let said: String = declared.to_ascii_lowercase();
            let said: String = said
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '"')
                .collect();
            let rest = said.strip_prefix("application/json").expect("JSON");
            assert!(
                rest.split(';')
                    .all(|it| it.is_empty() || it == "charset=utf-8"),
                "{declared}"
            );
        }
    });
}
