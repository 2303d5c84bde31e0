//! What clients hold and cannot make: identifiers, cursors, what is sealed.

use proptest::prelude::any;
use type_safe_id::{DynamicType, TypeSafeId};

use super::{altered, always, texts};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::page::{Cursor, Position};
use crate::kernel::secret::{ExposeSecret, KeyRing, MacKey, SecretString};
use crate::kernel::time::Timestamp;

const IDS: [&str; 6] = [
    "ausr_01h2xcejqtf2nbrexx3vqjhp41",
    "ausr_7zzzzzzzzzzzzzzzzzzzzzzzzz",
    "ausr_00000000000000000000000000",
    "ausr_8zzzzzzzzzzzzzzzzzzzzzzzzz",
    "aapp_01h2xcejqtf2nbrexx3vqjhp41",
    "AUSR_01H2XCEJQTF2NBREXX3VQJHP41",
];

/// Read exactly where another library reads one of this kind; and one text is one identifier.
#[test]
fn an_identifier_is_read_as_another_library_reads_it() {
    always(texts(IDS), |text| {
        // The other one cuts text where it may not be cut.
        let other = Some(&text).filter(|it| it.is_ascii()).map(|it| it.parse());
        let other: Option<TypeSafeId<DynamicType>> = other.and_then(Result::ok);
        let other = other.filter(|it| it.type_prefix() == "ausr");
        let own = text.parse::<UserId>().ok();
        assert_eq!(own.is_some(), other.is_some(), "{text}");
        if let Some(own) = own {
            assert_eq!(own.to_string(), text);
            assert_eq!(other.map(|it| it.to_string()).as_ref(), Some(&text));
            assert!(text.parse::<AppId>().is_err());
        }
    });
}

#[test]
fn identifiers_of_whatever_time_come_back() {
    always((any::<i64>(), any::<u64>()), |(millis, seed)| {
        let id = UserId::new(Timestamp::from_millis(millis), &Entropy::seeded(seed));
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).expect("JSON");
        assert_eq!(
            serde_json::from_str::<UserId>(&json).expect("an identifier"),
            id
        );
    });
}

fn key() -> MacKey {
    MacKey::new(&[7; 32])
}

fn sealed(at: i64, id: &str) -> String {
    let at = Timestamp::from_millis(at);
    let id = id.to_owned();
    Cursor::seal(&key(), "users", &Position { at, id })
}

#[test]
fn a_cursor_that_is_altered_opens_nothing() {
    let seeds = [
        sealed(7, "a"),
        sealed(1_795_266_499_123, IDS[0]),
        sealed(-1, ""),
    ];
    always(altered(seeds.clone()), |(_, text)| {
        // A graft may make one cursor of another.
        let is_one = seeds.contains(&text);
        assert_eq!(
            Cursor::open(&key(), "users", &text).is_ok(),
            is_one,
            "{text}"
        );
    });
}

#[test]
fn a_cursor_opens_where_it_was_made_and_nowhere_else() {
    let cases = (
        any::<i64>(),
        texts(IDS),
        texts(["users", "users aapp_1", ""]),
    );
    always(cases, |(millis, id, scope)| {
        let id: String = id.chars().take(60).collect();
        let position = Position {
            at: Timestamp::from_millis(millis),
            id,
        };
        let text = Cursor::seal(&key(), &scope, &position);
        assert_eq!(Cursor::open(&key(), &scope, &text), Ok(position));
        assert!(Cursor::open(&key(), &format!("{scope}x"), &text).is_err());
        assert!(Cursor::open(&MacKey::new(&[8; 32]), &scope, &text).is_err());
    });
}

const RINGS: [&str; 6] = [
    "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
    "new:f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f38=,old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "a:f39_f39_f39_f39_f39_f39_f39_f39_f39_f39_f38",
    " a : AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ",
    "a:short,a:short",
    ",",
];

/// No text is a ring that cannot open what it seals; and why one is none never repeats it.
#[test]
fn a_key_ring_opens_what_it_seals_or_is_none() {
    always(texts(RINGS), |text| match KeyRing::parse(&text) {
        Ok(ring) => {
            let sealed = ring.seal(b"secret", "place");
            assert_eq!(ring.open(&sealed, "place").as_deref(), Ok(&b"secret"[..]));
            assert!(ring.open(&sealed, "elsewhere").is_err());
            assert!(!format!("{ring:?}").contains("f39"));
        }
        Err(why) => assert!(!why.to_string().contains("f39"), "{why}"),
    });
}

#[test]
fn what_is_sealed_and_altered_does_not_open() {
    let ring = KeyRing::parse(RINGS[1]).expect("a ring");
    let seeds = [
        ring.seal(b"secret", "a"),
        ring.seal(b"", "a"),
        ring.seal(&[0; 40], "a"),
    ];
    always(altered(seeds.clone()), |(_, text)| {
        assert_eq!(
            ring.open(&text, "a").is_ok(),
            seeds.contains(&text),
            "{text}"
        );
        let lacks = ring.lacks(&text).is_some();
        assert!(!lacks || ring.open(&text, "a").is_err());
    });
}

/// Bytes that move between the parts of what is vouched for make something else.
#[test]
fn a_tag_is_of_its_parts_alone() {
    let part = || texts(["invite", "ab", "c", ""]);
    always((part(), part(), part()), |(purpose, one, other)| {
        let tag = key().tag(&purpose, &[one.as_bytes(), other.as_bytes()]);
        assert!(key().verify(&purpose, &[one.as_bytes(), other.as_bytes()], &tag));
        let whole = format!("{one}{other}");
        assert!(!key().verify(&purpose, &[whole.as_bytes()], &tag));
        let swapped = key().verify(&purpose, &[other.as_bytes(), one.as_bytes()], &tag);
        assert_eq!(swapped, one == other);
    });
}

/// Nothing that holds a secret prints it.
#[test]
fn a_secret_is_not_printed() {
    always(texts(["hunter2-hunter2"]), |text| {
        let secret = SecretString::from(text.clone());
        assert_eq!(secret.expose_secret(), text);
        assert!(text.len() < 12 || !format!("{secret:?}").contains(&text));
    });
}
