//! What whoever makes webhooks says, and what receivers answer: see [`crate::kernel::fuzz`].

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::any;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::headers;
use super::pattern::{Pattern, matched};
use super::schedule::next_attempt;
use super::signature::{Secrets, new_secret};
use crate::kernel::entropy::Entropy;
use crate::kernel::fuzz::{always, texts};
use crate::kernel::secret::ExposeSecret;
use crate::kernel::time::Timestamp;

#[test]
fn a_pattern_matches_something_and_is_kept_as_it_is() {
    always(
        texts([
            "*",
            "user.*",
            "user.banned",
            "member.added",
            "user.",
            "**",
            "u*.banned",
        ]),
        |text| {
            let Ok(pattern) = Pattern::parse(&text) else {
                return;
            };
            assert_eq!(pattern.as_str(), text);
            let names = matched(&[pattern]);
            assert!(!names.is_empty());
            let beginning = text.trim_end_matches('*');
            assert!(
                names
                    .iter()
                    .all(|name| name.as_str().starts_with(beginning)),
                "{text}"
            );
        },
    );
}

/// Headers that are taken can be sent, and frame, route and authenticate nothing.
#[test]
fn headers_that_are_taken_are_harmless() {
    let name = texts([
        "X-Tenant",
        "x_shop",
        "Host",
        "Transfer-Encoding",
        "authorization",
        "x-forwarded-for",
        "X_Real_IP",
        "a\r\nHost: evil",
        "content_length",
    ]);
    let value = texts(["blue", "a\r\nSet-Cookie: x", " padded ", "caf\u{e9}", ""]);
    always(vec((name, value), 0..4), |members| {
        let members: Map<String, Value> = members
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let Ok(taken) = headers::parse(members.clone()) else {
            return;
        };
        assert_eq!(taken.len(), members.len());
        for (name, value) in taken {
            assert_eq!(HeaderName::try_from(&name).expect("a name").as_str(), name);
            assert_eq!(
                HeaderValue::try_from(&value).expect("a value").as_bytes(),
                value.as_bytes()
            );
            let meant = name.replace('_', "-");
            let framing = [
                "host",
                "connection",
                "te",
                "upgrade",
                "trailer",
                "expect",
                "cookie",
                "forwarded",
                "authorization",
                "content-length",
                "transfer-encoding",
                "x-real-ip",
            ];
            let is_harmless = !framing.contains(&&*meant) && !meant.starts_with("x-forwarded-");
            assert!(is_harmless, "{name}");
        }
    });
}

#[test]
fn secrets_that_are_read_are_written_as_they_were() {
    let entropy = Entropy::seeded(1);
    let both = Secrets::only(new_secret(&entropy)).followed_by(new_secret(&entropy));
    let text = both.text().expose_secret().to_owned();
    always(
        texts([
            text,
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
            "whsec_".into(),
        ]),
        |text| {
            if let Some(secrets) = Secrets::of_text(&text) {
                assert_eq!(secrets.text().expose_secret(), text);
                assert!(text.split(' ').all(|it| it.starts_with("whsec_")));
            }
        },
    );
}

/// However long a receiver would put us off, the next attempt is made within a day and an hour.
#[test]
fn the_next_attempt_is_soon_whatever_a_receiver_wants() {
    let dates = texts([
        "Sun, 06 Nov 2044 08:49:37 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ]);
    always(
        (any::<i64>(), dates, any::<u8>()),
        |(attempts, date, chance)| {
            let (now, wanted) = (
                Timestamp::from_millis(2_208_988_800_000),
                Timestamp::of_http_date(&date),
            );
            if let Some(next) = next_attempt(attempts % 9, wanted, (now, chance)) {
                assert!(
                    next > now && next <= now.plus(Duration::from_hours(25)),
                    "{date}"
                );
            }
            assert!(
                next_attempt(attempts, wanted, (now, chance))
                    .is_none_or(|_| (0..8).contains(&attempts))
            );
        },
    );
}
