//! What values go through unharmed, and how they compare.

use authsome::kernel::time::Timestamp;
use authsome::store::{Filter, Query, by_id};

use super::{CREATED_AT, EMAIL, Guest, NICK, SEAT, Seat, TAGS, Theatre, VISITS};
use crate::support::stores::on_both_stores;

/// Texts that a translation to SQL or to BSON could get wrong.
const AWKWARD: &[&str] = &[
    "",
    " ",
    "%",
    "_",
    "*",
    "?",
    ".",
    "\\",
    "\"",
    "'",
    "a",
    "a%",
    "a_b",
    "ab",
    "A",
    "a.b",
    "a*",
    "a\\b",
    "a'b",
    "a\"b",
    "a\nb",
    "a\0",
    "\0",
    "a\0b",
    "$a",
    "ü",
    "u\u{308}",
    "\u{D7FF}",
    "\u{E000}",
    "\u{FFFF}",
    "𝄞",
    "𝄞a",
    "\u{10FFFF}",
    "\u{10FFFF}\u{10FFFF}",
    "null",
    "true",
    "1",
    "[]",
    "{}",
];

on_both_stores! {
    async fn a_document_comes_back_as_it_went_in(theatre: Theatre) {
        let full = Guest {
            email: Some("mia@example.org".into()),
            nick: Some("Mïa 𝄞 \u{10FFFF} \"'\\ \n\t\u{1}".into()),
            visits: i64::MIN,
            points: Some(i64::MAX),
            tags: vec!["b".into(), String::new(), "b".into(), "ü".into()],
            seat: Some(Seat {
                row: "Ω".into(),
                number: -1,
            }),
            vip: true,
            created_at: Timestamp::from_millis(-1),
            left_at: Some(Timestamp::from_millis(i64::MAX)),
            ..Guest::of(theatre.rose.app_id, "full")
        };
        let bare = Guest::of(theatre.rose.app_id, "bare");

        theatre.with_guests(&[full.clone(), bare.clone()]).await;

        assert_eq!(theatre.guest("full").await, full);
        assert_eq!(theatre.guest("bare").await, bare);
    }

    async fn times_keep_their_millisecond_also_before_1970(theatre: Theatre) {
        let times = [
            i64::MIN,
            -1_001,
            -1_000,
            -999,
            -1,
            0,
            1,
            999,
            1_000,
            2_208_988_800_123,
            i64::MAX,
        ]
        .map(Timestamp::from_millis);
        let guest = |(number, at)| Guest {
            created_at: at,
            ..Guest::of(theatre.rose.app_id, format!("{number:02}"))
        };
        let guests: Vec<Guest> = times.into_iter().enumerate().map(guest).collect();

        theatre.with_guests(&guests).await;

        for guest in &guests {
            assert_eq!(theatre.guest(&guest.id).await.created_at, guest.created_at);
            assert_eq!(
                theatre.found(CREATED_AT.eq(guest.created_at)).await,
                [&*guest.id]
            );
            let earlier = guests
                .iter()
                .filter(|other| other.created_at < guest.created_at)
                .count();
            assert_eq!(
                theatre.found(CREATED_AT.lt(guest.created_at)).await.len(),
                earlier
            );
        }
    }

    async fn a_prefix_is_taken_letter_by_letter(theatre: Theatre) {
        let guest = |(number, nick): (usize, &&str)| Guest {
            nick: Some((*nick).to_owned()),
            email: Some(format!("{nick}{number}")),
            ..Guest::of(theatre.rose.app_id, number.to_string())
        };
        let guests: Vec<Guest> = AWKWARD.iter().enumerate().map(guest).collect();

        theatre.with_guests(&guests).await;

        for prefix in AWKWARD {
            let begins = |text: &Option<String>| text.as_ref().unwrap().starts_with(prefix);
            let nicks = guests.iter().filter(|guest| begins(&guest.nick)).count();
            assert_eq!(
                theatre.found(NICK.starts_with(prefix)).await.len(),
                nicks,
                "{prefix:?}"
            );
            let emails = guests.iter().filter(|guest| begins(&guest.email)).count();
            assert_eq!(
                theatre.found(EMAIL.starts_with(prefix)).await.len(),
                emails,
                "{prefix:?}"
            );
        }
    }

    async fn texts_compare_by_their_bytes(theatre: Theatre) {
        let guest = |(number, nick): (usize, &&str)| Guest {
            nick: Some((*nick).to_owned()),
            ..Guest::of(theatre.rose.app_id, number.to_string())
        };
        let guests: Vec<Guest> = AWKWARD.iter().enumerate().map(guest).collect();
        theatre.with_guests(&guests).await;

        let sorted = Query::of(Filter::all()).oldest_by(NICK);
        let sorted: Vec<Guest> = theatre
            .store
            .once()
            .within(theatre.rose)
            .find(sorted)
            .await
            .unwrap();

        let nicks: Vec<String> = sorted.into_iter().filter_map(|guest| guest.nick).collect();
        let mut expected = AWKWARD.to_vec();
        expected.sort_unstable();
        assert_eq!(nicks, expected);
        for nick in AWKWARD {
            assert_eq!(
                theatre.found(NICK.eq((*nick).to_owned())).await.len(),
                1,
                "{nick:?}"
            );
        }
    }

    async fn a_list_is_asked_for_whole_items(theatre: Theatre) {
        let guest = |id: &str, tags: &[&str]| Guest {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Guest::of(theatre.rose.app_id, id)
        };

        theatre
            .with_guests(&[
                guest("none", &[]),
                guest("ab", &["a", "b"]),
                guest("long", &["a,b"]),
            ])
            .await;

        assert_eq!(theatre.found(TAGS.has(&"a".into())).await, ["ab"]);
        assert_eq!(theatre.found(TAGS.has(&"a,b".into())).await, ["long"]);
        assert_eq!(theatre.found(TAGS.has(&"A".into())).await, [""; 0]);
        assert_eq!(theatre.found(TAGS.has(&String::new())).await, [""; 0]);
        assert_eq!(theatre.found(TAGS.present()).await, ["ab", "long", "none"]);
    }

    async fn what_does_not_compare_equals_nothing(theatre: Theatre) {
        let guest = Guest {
            tags: vec!["a".into()],
            seat: Some(Seat {
                row: "A".into(),
                number: 1,
            }),
            ..Guest::of(theatre.rose.app_id, "mia")
        };
        let (tags, seat) = (guest.tags.clone(), guest.seat.clone().unwrap());

        theatre.with_guests(&[guest]).await;

        assert_eq!(theatre.found(TAGS.eq(tags.clone())).await, [""; 0]);
        assert_eq!(theatre.found(TAGS.ne(tags)).await, ["mia"]);
        assert_eq!(theatre.found(SEAT.gte(seat.clone())).await, [""; 0]);
        assert_eq!(theatre.found(SEAT.one_of([seat])).await, [""; 0]);
    }

    /// SQLite would go on in floating point, and MongoDB refuses: a counter never loses its ones.
    async fn a_counter_does_not_pass_the_last_integer(theatre: Theatre) {
        let full = |id, visits| Guest {
            visits,
            ..Guest::of(theatre.rose.app_id, id)
        };
        theatre
            .with_guests(&[full("most", i64::MAX), full("least", i64::MIN)])
            .await;

        for (id, by) in [("most", 1), ("least", -1)] {
            let mut once = theatre.store.once();
            let passed = once
                .within(theatre.rose)
                .update_one(by_id::<Guest>(id), VISITS.inc(by))
                .await;
            assert!(passed.is_err(), "{passed:?}");
        }

        assert_eq!(theatre.guest("most").await.visits, i64::MAX);
        assert_eq!(theatre.guest("least").await.visits, i64::MIN);
    }
}
