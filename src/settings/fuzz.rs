//! Names and values of settings: see [`crate::kernel::fuzz`].

use super::{Key, Level};
use crate::kernel::fuzz::{always, any_json, is_as_written, one_of, texts};

#[test]
fn settings_and_their_levels_are_read_as_they_are_written() {
    let keys =
        Key::ALL
            .iter()
            .map(|key| key.as_str())
            .chain(["app", "environment", "organization"]);
    always(texts(keys), |text| {
        is_as_written::<Key>(&text);
        is_as_written::<Level>(&text);
    });
}

/// What a setting is said to be is what it is taken as when it is said again.
#[test]
fn a_value_is_kept_in_one_spelling() {
    let said = texts([
        "https://app.example.com/x",
        " Acme ",
        "en",
        "true",
        "0123456789abcdef",
    ]);
    let said = proptest::prop_oneof![
        proptest::strategy::Strategy::prop_map(said, serde_json::Value::from),
        any_json(),
        proptest::strategy::Strategy::prop_map(0..20_000_u32, serde_json::Value::from),
    ];
    always((one_of(Key::ALL), said), |(key, json)| {
        let kind = key.definition().kind;
        let Ok(value) = kind.parse(&json) else {
            return;
        };
        if let Some(shown) = value.shown() {
            let again = kind.parse(&shown).expect("it was taken");
            assert_eq!(again.shown(), Some(shown));
        }
        let secret = json
            .as_str()
            .filter(|text| text.len() > 7 && value.secret().is_some());
        assert!(secret.is_none_or(|secret| !format!("{value:?}").contains(secret)));
    });
}
