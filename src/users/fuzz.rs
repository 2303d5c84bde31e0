//! Filters of the list of users: see [`crate::kernel::fuzz`].

use unicode_normalization::UnicodeNormalization;

use super::image_url;
use super::list::{beginning_of_a_name, beginning_of_an_address, page_number, status};
use crate::kernel::fuzz::{always, texts};

/// Nothing that is looked for is a pattern: it is the beginning of what is found, as it stands.
#[test]
fn what_is_looked_for_is_taken_literally() {
    let seeds = [
        "mia",
        ".*",
        "(a+)+$",
        "^",
        "\\",
        "%",
        "_",
        "[",
        "Zoe\u{308}",
        "MIA@EXAMPLE.ORG",
    ];
    always(texts(seeds), |text| {
        let name = beginning_of_a_name(&text);
        assert_eq!(name.is_ok(), (1..=254).contains(&text.len()));
        assert!(
            name.is_ok_and(|it| it == text.nfc().collect::<String>())
                || text.is_empty()
                || text.len() > 254
        );
        let address = beginning_of_an_address(&text);
        assert!(address.is_ok_and(|it| it == text.to_lowercase()) || text.len() > 254);
    });
}

#[test]
fn a_page_is_a_number_and_a_standing_a_word() {
    always(
        texts([
            "1", "10000", "10001", "0", "+7", "007", "active", "banned", "BANNED",
        ]),
        |text| {
            let page = page_number(&text).ok();
            assert!(page.is_none_or(|page| (1..=10_000).contains(&page)));
            if let Ok(standing) = status(&text) {
                assert_eq!(serde_json::to_value(standing).expect("JSON"), text);
            }
        },
    );
}

/// A picture is fetched by whoever looks at it: from somewhere else, by https.
#[test]
fn a_picture_is_an_address_of_https() {
    let seeds = [
        "https://x.example/i.png",
        "http://x.example/i.png",
        "data:image/svg+xml,<svg/>",
        "javascript:alert(1)",
        "https://x.example/\"onerror=\"x",
    ];
    always(texts(seeds), |text| {
        if let Ok(kept) = image_url(&text) {
            assert!(kept.starts_with("https://") && kept.len() <= 2_048);
            assert!(
                !kept.contains(['"', '<', '>', ' ']) && !kept.contains(char::is_control),
                "{kept}"
            );
            assert_eq!(image_url(&kept).ok(), Some(kept));
        }
    });
}
