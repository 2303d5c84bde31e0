//! What the verbs, the conditions and the changes mean.

use std::time::Duration;

use authsome::kernel::time::Timestamp;
use authsome::store::{Filter, by_id};

use super::{
    CREATED_AT, EXPIRES_AT, Guest, LEFT_AT, NICK, OPENING, POINTS, SEAT, SEAT_NUMBER, SEAT_ROW,
    Seat, TAGS, Theatre, Ticket, VIP, VISITS,
};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_document_is_found_by_its_identifier(theatre: Theatre) {
        let guests = ["a", "A", "á"].map(|id| Guest::of(theatre.rose.app_id, id));

        theatre.with_guests(&guests).await;

        assert_eq!(theatre.guest("A").await.id, "A");
        assert_eq!(theatre.found(by_id("á")).await, ["á"]);
        assert_eq!(theatre.found(by_id("b")).await, [""; 0]);
        let none: Option<Guest> = theatre
            .store
            .once()
            .within(theatre.rose)
            .get("b")
            .await
            .unwrap();
        assert_eq!(none, None);
    }

    async fn not_equal_and_absent_match_a_missing_field_and_nothing_else_does(theatre: Theatre) {
        let mia = Guest {
            nick: Some("mia".into()),
            points: Some(3),
            seat: Some(Seat {
                row: "A".into(),
                number: 1,
            }),
            left_at: Some(OPENING),
            ..Guest::of(theatre.rose.app_id, "mia")
        };

        theatre
            .with_guests(&[mia, Guest::of(theatre.rose.app_id, "nobody")])
            .await;

        let both: &[&str] = &["mia", "nobody"];
        let table: &[(Filter<Guest>, &[&str])] = &[
            (NICK.ne("ben".into()), both),
            (NICK.ne("mia".into()), &["nobody"]),
            (NICK.absent(), &["nobody"]),
            (NICK.present(), &["mia"]),
            (NICK.starts_with(""), &["mia"]),
            (NICK.one_of([]), &[]),
            (POINTS.ne(4), both),
            (POINTS.lt(4) | POINTS.gte(4), &["mia"]),
            (POINTS.absent(), &["nobody"]),
            (SEAT.absent() | SEAT_ROW.absent(), &["nobody"]),
            (SEAT.present() & SEAT_NUMBER.present(), &["mia"]),
            (SEAT_ROW.ne("B".into()), both),
            (LEFT_AT.ne(OPENING), &["nobody"]),
            (LEFT_AT.absent() | LEFT_AT.gt(OPENING), &["nobody"]),
        ];
        for (filter, ids) in table {
            assert_eq!(theatre.found(filter.clone()).await, *ids, "{filter:?}");
        }
    }

    async fn conditions_without_parts_match_all_or_nothing(theatre: Theatre) {
        theatre
            .with_guests(&[Guest::of(theatre.rose.app_id, "mia")])
            .await;
        let (all, none) = (Filter::all, || VISITS.one_of([]));

        assert_eq!(theatre.found(all()).await, ["mia"]);
        assert_eq!(theatre.found(none()).await, [""; 0]);
        assert_eq!(theatre.found(all() | none()).await, ["mia"]);
        assert_eq!(theatre.found(none() | all()).await, ["mia"]);
        assert_eq!(theatre.found(all() & none()).await, [""; 0]);
        assert_eq!(theatre.found(all() & all() & VIP.eq(false)).await, ["mia"]);
    }

    async fn hundreds_of_alternatives_are_one_condition(theatre: Theatre) {
        let guests: Vec<Guest> = (0..300)
            .map(|number| Guest {
                visits: number,
                ..Guest::of(theatre.rose.app_id, number.to_string())
            })
            .collect();
        theatre.with_guests(&guests).await;

        let any = (0..600)
            .step_by(3)
            .map(|n| VISITS.eq(n))
            .reduce(|a, b| a | b)
            .unwrap();
        let all = (300..600)
            .map(|n| VISITS.ne(n))
            .reduce(|a, b| a & b)
            .unwrap();

        assert_eq!(theatre.found(any).await.len(), 100);
        assert_eq!(theatre.found(all).await.len(), 300);
        assert_eq!(theatre.found(VISITS.one_of(100..2_000)).await.len(), 200);
    }

    async fn changes_are_made_together_and_returned(theatre: Theatre) {
        let before = Guest {
            nick: Some("mia".into()),
            left_at: Some(OPENING),
            ..Guest::of(theatre.rose.app_id, "mia")
        };
        theatre.with_guests(std::slice::from_ref(&before)).await;

        let change = NICK
            .unset()
            .and(LEFT_AT.unset())
            .and(VISITS.inc(2))
            .and(POINTS.inc(-7))
            .and(VIP.set(true))
            .and(TAGS.set(vec!["x".into(), "y".into()]))
            .and(SEAT.set(Seat {
                row: "𝄞".into(),
                number: 9,
            }))
            .and(CREATED_AT.set(Timestamp::from_millis(-1)))
            .and_if(None);
        let mut once = theatre.store.once();
        let changed = once
            .within(theatre.rose)
            .update_one(by_id("mia"), change)
            .await
            .unwrap();

        let after = Guest {
            nick: None,
            left_at: None,
            visits: 2,
            points: Some(-7),
            vip: true,
            tags: vec!["x".into(), "y".into()],
            seat: Some(Seat {
                row: "𝄞".into(),
                number: 9,
            }),
            created_at: Timestamp::from_millis(-1),
            ..before
        };
        assert_eq!(changed, Some(after.clone()));
        assert_eq!(theatre.guest("mia").await, after);
    }

    async fn a_part_of_a_subdocument_can_be_changed(theatre: Theatre) {
        let seat = Seat {
            row: "A".into(),
            number: 1,
        };
        let guest = Guest {
            seat: Some(seat),
            ..Guest::of(theatre.rose.app_id, "mia")
        };
        theatre.with_guests(&[guest]).await;

        let change = SEAT_ROW.set("B".into()).and(SEAT_NUMBER.inc(4));
        let mut once = theatre.store.once();
        once.within(theatre.rose)
            .update_one(by_id("mia"), change)
            .await
            .unwrap();

        let moved = Some(Seat {
            row: "B".into(),
            number: 5,
        });
        assert_eq!(theatre.guest("mia").await.seat, moved);
        assert_eq!(theatre.found(SEAT_ROW.eq("B".into())).await, ["mia"]);
    }

    async fn a_change_of_many_changes_those_that_match(theatre: Theatre) {
        let guests: Vec<Guest> = (0..10)
            .map(|visits| Guest {
                visits,
                ..Guest::of(theatre.rose.app_id, visits.to_string())
            })
            .collect();
        theatre.with_guests(&guests).await;
        let mut once = theatre.store.once();
        let mut guests = once.within(theatre.rose);

        let changed = guests
            .update_many(VISITS.gte(6), VIP.set(true))
            .await
            .unwrap();
        let unchanged = guests
            .update_many(VIP.eq(true), VIP.set(true))
            .await
            .unwrap();
        let removed = guests
            .delete_many(VISITS.lt(8) & VIP.eq(true))
            .await
            .unwrap();

        assert_eq!((changed, unchanged, removed), (4, 4, 2));
        assert_eq!(guests.count(VIP.eq(true)).await.unwrap(), 2);
        assert_eq!(guests.count(Filter::<Guest>::all()).await.unwrap(), 8);
    }

    async fn a_change_of_one_tells_whether_there_was_one(theatre: Theatre) {
        let guests = ["a", "b"].map(|id| Guest::of(theatre.rose.app_id, id));
        theatre.with_guests(&guests).await;
        let mut once = theatre.store.once();
        let mut guests = once.within(theatre.rose);

        let comes = |id| by_id(id) & VISITS.eq(0);
        let first = guests.change_one(comes("a"), VISITS.inc(1)).await.unwrap();
        let second = guests.change_one(comes("a"), VISITS.inc(1)).await.unwrap();
        let same = guests.change_one(by_id("a"), VISITS.set(1)).await.unwrap();
        let nobody = guests.change_one(comes("c"), VISITS.inc(1)).await.unwrap();
        let either = guests.change_one(Filter::all(), VIP.set(true)).await.unwrap();

        assert_eq!((first, second, same, nobody, either), (true, false, true, false, true));
        assert_eq!((theatre.guest("a").await.visits, theatre.guest("b").await.visits), (1, 0));
        assert_eq!(theatre.found(VIP.eq(true)).await.len(), 1);
    }

    async fn at_most_one_document_is_changed_or_taken(theatre: Theatre) {
        let guests = ["a", "b", "c"].map(|id| Guest::of(theatre.rose.app_id, id));
        theatre.with_guests(&guests).await;
        let mut once = theatre.store.once();
        let mut guests = once.within(theatre.rose);

        let changed = guests
            .update_one(VIP.eq(false), VIP.set(true))
            .await
            .unwrap();
        let taken = guests.take_one(VIP.eq(false)).await.unwrap();
        let nothing = guests.take_one(VISITS.gt(0)).await.unwrap();
        let unchanged = guests
            .update_one(VISITS.gt(0), VIP.set(true))
            .await
            .unwrap();

        assert!(changed.is_some_and(|guest| guest.vip));
        assert!(taken.is_some_and(|guest| !guest.vip));
        assert_eq!((nothing, unchanged), (None, None));
        assert_eq!(guests.count(VIP.eq(true)).await.unwrap(), 1);
        assert_eq!(guests.count(VIP.eq(false)).await.unwrap(), 1);
    }

    /// The broom may be late, or missing: what has expired is still there until it is swept.
    async fn only_the_filter_knows_what_has_expired(theatre: Theatre) {
        let ticket = Ticket::of(theatre.rose, "t");
        let (opening, end) = (OPENING, ticket.expires_at);
        let live = |now: Timestamp| EXPIRES_AT.gt(now);
        let mut once = theatre.store.once();
        let mut tickets = once.within(theatre.rose);
        tickets.insert(&ticket).await.unwrap();

        let before = end.minus(Duration::from_millis(1));
        assert_eq!(tickets.count(live(opening)).await.unwrap(), 1);
        assert_eq!(tickets.count(live(before)).await.unwrap(), 1);
        assert_eq!(tickets.count(live(end)).await.unwrap(), 0);
        assert_eq!(tickets.count(EXPIRES_AT.lte(end)).await.unwrap(), 1);
        assert_eq!(tickets.get("t").await.unwrap(), Some(ticket));
    }

    async fn the_store_answers_and_counts_its_calls(theatre: Theatre) {
        theatre.store.ping().await.unwrap();
        let before = theatre.store.calls();

        theatre.found(Filter::all()).await;
        theatre
            .with_guests(&["a", "b"].map(|id| Guest::of(theatre.rose.app_id, id)))
            .await;

        assert_eq!(theatre.store.calls() - before, 3);
    }
}
