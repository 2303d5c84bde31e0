//! Order and pages: total, and the same document neither lost nor repeated.

use std::time::Duration;

use authsome::kernel::page::{Limit, Position};
use authsome::kernel::time::Timestamp;
use authsome::store::{Filter, Query};

use super::{CREATED_AT, Guest, OPENING, TAGS, Theatre, VISITS};
use crate::support::stores::on_both_stores;

fn limit(items: u32) -> Limit {
    Limit::try_from(items).unwrap()
}

/// Guests who came at a few instants only, and not in the order of their names.
fn crowd(theatre: &Theatre, names: std::ops::Range<u32>) -> Vec<Guest> {
    let guest = |number: u32| Guest {
        created_at: OPENING.plus(Duration::from_millis(u64::from(number * 37 % 5))),
        visits: i64::from(number % 3),
        ..Guest::of(
            theatre.rose.app_id,
            format!("guest {:03}", number * 53 % 997),
        )
    };
    names.map(guest).collect()
}

fn newest_first(guests: &[Guest]) -> Vec<String> {
    let mut keys: Vec<(Timestamp, &str)> = guests
        .iter()
        .map(|guest| (guest.created_at, &*guest.id))
        .collect();
    keys.sort_unstable();
    keys.into_iter()
        .rev()
        .map(|(_, id)| id.to_owned())
        .collect()
}

on_both_stores! {
    async fn every_page_size_gives_the_same_total_order(theatre: Theatre) {
        let guests = crowd(&theatre, 0..40);
        theatre.with_guests(&guests).await;
        let mut once = theatre.store.once();

        for size in [1, 2, 7, 8, 20, 39, 40, 41] {
            let (mut seen, mut after) = (Vec::new(), None::<Position>);
            loop {
                let page = once
                    .within(theatre.rose)
                    .page(Filter::all(), CREATED_AT, after.as_ref(), limit(size))
                    .await
                    .unwrap();
                seen.extend(page.items.into_iter().map(|guest: Guest| guest.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(seen, newest_first(&guests), "pages of {size}");
        }
    }

    async fn pages_lose_and_repeat_nothing_while_guests_arrive(theatre: Theatre) {
        let present = crowd(&theatre, 0..50);
        theatre.with_guests(&present).await;
        let (mut seen, mut after, mut arrived) = (Vec::new(), None::<Position>, 50);

        loop {
            let page = theatre.store.read(async |tx| {
                tx.within(theatre.rose)
                    .page(VISITS.gte(0), CREATED_AT, after.as_ref(), limit(7))
                    .await
            });
            let page = page.await.unwrap();
            seen.extend(page.items.into_iter().map(|guest: Guest| guest.id));
            after = page.next;
            if after.is_none() {
                break;
            }
            theatre
                .with_guests(&crowd(&theatre, arrived..arrived + 9))
                .await;
            arrived += 9;
        }

        let mut once_each = seen.clone();
        once_each.sort_unstable();
        once_each.dedup();
        assert_eq!(once_each.len(), seen.len(), "a guest was seen twice");
        let lost: Vec<&Guest> = present
            .iter()
            .filter(|guest| !seen.contains(&guest.id))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    async fn a_page_holds_only_what_matches(theatre: Theatre) {
        let guests = crowd(&theatre, 0..30);
        theatre.with_guests(&guests).await;
        let matching: Vec<Guest> = guests
            .into_iter()
            .filter(|guest| guest.visits == 1)
            .collect();
        let filter = || (VISITS.eq(1) | TAGS.has(&"none".into())) & VISITS.lt(2);
        let mut once = theatre.store.once();
        let mut tx = once.within(theatre.rose);

        let first = tx.page(filter(), CREATED_AT, None, limit(4)).await.unwrap();
        let rest = tx
            .page(filter(), CREATED_AT, first.next.as_ref(), limit(100))
            .await
            .unwrap();
        let exact = tx
            .page(filter(), CREATED_AT, None, limit(10))
            .await
            .unwrap();

        let ids = |guests: &[Guest]| {
            guests
                .iter()
                .map(|guest| guest.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids(&[first.items, rest.items].concat()),
            newest_first(&matching)
        );
        assert_eq!((rest.next, exact.next, exact.items.len()), (None, None, 10));
    }

    async fn a_window_passes_over_and_ends(theatre: Theatre) {
        let guests = crowd(&theatre, 0..20);
        theatre.with_guests(&guests).await;
        let expected = newest_first(&guests);
        let mut once = theatre.store.once();
        let mut tx = once.within(theatre.rose);

        for (skip, most) in [(0_u8, 5), (5, 5), (18, 5), (20, 5), (0, 100)] {
            let window = Query::of(Filter::all()).newest_by(CREATED_AT);
            let window = tx.find(window.window(skip.into(), most)).await.unwrap();
            let ids = window.into_iter().map(|guest: Guest| guest.id);
            let wanted = expected.iter().skip(usize::from(skip)).take(most as usize);
            assert!(ids.eq(wanted.cloned()), "skip {skip}, at most {most}");
        }
    }

    async fn oldest_first_is_newest_first_reversed(theatre: Theatre) {
        let guests = crowd(&theatre, 0..25);
        theatre.with_guests(&guests).await;
        let mut once = theatre.store.once();
        let mut tx = once.within(theatre.rose);
        let ids = |guests: Vec<Guest>| guests.into_iter().map(|guest| guest.id).collect::<Vec<_>>();

        let newest = ids(tx
            .find(Query::of(Filter::all()).newest_by(VISITS))
            .await
            .unwrap());
        let mut oldest = ids(tx
            .find(Query::of(Filter::all()).oldest_by(VISITS))
            .await
            .unwrap());

        oldest.reverse();
        assert_eq!(newest, oldest);
        let mut keys: Vec<(i64, String)> = guests
            .into_iter()
            .map(|guest| (guest.visits, guest.id))
            .collect();
        keys.sort_unstable();
        assert_eq!(
            newest,
            keys.into_iter().rev().map(|(_, id)| id).collect::<Vec<_>>()
        );
    }
}
