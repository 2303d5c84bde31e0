//! Races between real threads, each with a runtime of its own, as actix workers are.

use std::sync::{Arc, Barrier};
use std::thread;

use authsome::store::{Filter, Store, StoreError, Stored, by_id};
use tokio::runtime;
use tokio::task::LocalSet;

use super::{COINS, Guest, Theatre, Ticket, Till, VIP};
use crate::support::stores::on_both_stores;

const RACERS: i64 = 16;

/// What `attempt` gives to each of `racers` threads that begin together.
async fn race<T, A>(store: &Store, racers: i64, attempt: A) -> Vec<T>
where
    T: Send + 'static,
    A: AsyncFn(Store, i64) -> T + Clone + Send + 'static,
{
    let start = Arc::new(Barrier::new(usize::try_from(racers).unwrap()));
    let threads: Vec<_> = (0..racers)
        .map(|racer| {
            let (store, start, attempt) = (store.clone(), start.clone(), attempt.clone());
            thread::spawn(move || {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                LocalSet::new().block_on(&runtime, async {
                    start.wait();
                    attempt(store, racer).await
                })
            })
        })
        .collect();
    // The store lives on this thread's runtime, which goes on while others are waited for.
    let joined = tokio::task::spawn_blocking(|| {
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    joined.await.unwrap()
}

on_both_stores! {
    async fn exactly_one_of_sixteen_changes_what_its_change_ends(theatre: Theatre) {
        let app_id = theatre.rose.app_id;
        let guests: Vec<Guest> = (0..5)
            .map(|round| Guest::of(app_id, format!("{round}")))
            .collect();
        theatre.with_guests(&guests).await;

        for guest in guests {
            let id = guest.id;
            let won = race(&theatre.store, RACERS, async move |store, racer| {
                let mut once = store.once();
                let still = by_id(id.clone()) & VIP.eq(false);
                let change = VIP.set(true).and(super::VISITS.set(racer));
                once.within(app_id)
                    .update_one(still, change)
                    .await
                    .unwrap()
                    .map(|guest| (racer, guest.visits))
            });
            let winners: Vec<(i64, i64)> = won.await.into_iter().flatten().collect();
            assert!(
                matches!(winners[..], [(racer, written)] if racer == written),
                "{winners:?}"
            );
        }
    }

    async fn exactly_one_of_sixteen_takes_a_document(theatre: Theatre) {
        let tenant = theatre.rose;
        for round in 0..5 {
            let id = format!("t{round}");
            theatre
                .store
                .once()
                .within(tenant)
                .insert(&Ticket::of(tenant, &id))
                .await
                .unwrap();
            let taken = race(&theatre.store, RACERS, async move |store, _| {
                store
                    .once()
                    .within(tenant)
                    .take_one::<Ticket>(by_id(id.clone()))
                    .await
                    .unwrap()
            });
            assert_eq!(taken.await.into_iter().flatten().count(), 1);
        }
    }

    async fn exactly_one_of_sixteen_units_wins_and_the_others_leave_nothing(theatre: Theatre) {
        theatre.with_tills(&[Till::with("prize", 1)]).await;

        let won = race(&theatre.store, RACERS, async |store, racer| {
            store
                .write(async |tx| {
                    tx.insert(&Till::with(format!("claim {racer}"), 0)).await?;
                    let taken = tx
                        .update_one(by_id("prize") & COINS.eq(1), COINS.set(0))
                        .await?;
                    taken
                        .map(|_| ())
                        .ok_or(StoreError::Corrupt("too late".into()))
                })
                .await
        });

        let won = won.await;
        let late = won
            .iter()
            .filter(|won| matches!(won, Err(StoreError::Corrupt(_))))
            .count();
        assert_eq!(
            (won.iter().filter(|won| won.is_ok()).count(), late),
            (1, 15),
            "{won:?}"
        );
        let tills = theatre
            .store
            .once()
            .shared()
            .count::<Till>(Filter::all())
            .await
            .unwrap();
        assert_eq!(tills, 2);
    }

    async fn exactly_one_of_sixteen_inserts_a_unique_value(theatre: Theatre) {
        let app_id = theatre.rose.app_id;
        let inserted = race(&theatre.store, RACERS, async move |store, racer| {
            let guest = Guest {
                email: Some("mia@example.org".into()),
                ..Guest::of(app_id, format!("{racer}"))
            };
            if racer % 2 == 0 {
                return store.once().within(app_id).insert(&guest).await;
            }
            store
                .write(async |tx| tx.within(app_id).insert(&guest).await)
                .await
        });

        let inserted = inserted.await;
        let refused = inserted
            .iter()
            .filter(|inserted| matches!(inserted, Err(StoreError::Duplicate(super::EMAIL_TAKEN))))
            .count();
        assert_eq!(refused, 15, "{inserted:?}");
    }

    async fn no_increment_is_lost(theatre: Theatre) {
        theatre.with_tills(&[Till::with("till", 0)]).await;

        race(&theatre.store, RACERS, async |store, racer| {
            for _ in 0..10 {
                let counted: Stored<Option<Till>> = if racer % 2 == 0 {
                    store
                        .once()
                        .shared()
                        .update_one(by_id("till"), COINS.inc(1))
                        .await
                } else {
                    store
                        .write(async |tx| {
                            let seen: Till = tx.get("till").await?.unwrap();
                            tx.update_one(by_id("till"), COINS.set(seen.coins + 1))
                                .await
                        })
                        .await
                };
                counted.unwrap().unwrap();
            }
        })
        .await;

        let till: Till = theatre
            .store
            .once()
            .shared()
            .get("till")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(till.coins, RACERS * 10);
    }

    /// Two who are both vip may each stop to be, but one must remain. Under snapshot isolation both
    /// units see the other's old document and change only their own, so the count alone does not
    /// protect the rule; the precondition on the one till that both change does.
    async fn a_guarded_counter_stops_write_skew(theatre: Theatre) {
        let app_id = theatre.rose.app_id;
        for round in 0..10 {
            let ids = [format!("{round}a"), format!("{round}b")];
            let guests = ids.clone().map(|id| Guest {
                vip: true,
                visits: round,
                ..Guest::of(app_id, id)
            });
            theatre.with_guests(&guests).await;
            let till = format!("vips {round}");
            theatre.with_tills(&[Till::with(&till, 2)]).await;

            let left = race(&theatre.store, 2, async move |store, racer| {
                let own = &ids[usize::try_from(racer).unwrap()];
                store
                    .write(async |tx| {
                        let vips = VIP.eq(true) & super::VISITS.eq(round);
                        let enough = tx.within(app_id).count(vips).await? >= 2;
                        tx.within(app_id)
                            .update_one(by_id(own.clone()), VIP.set(false))
                            .await?;
                        let guarded = by_id(till.clone()) & COINS.gt(1);
                        let counted = tx.update_one(guarded, COINS.inc(-1)).await?;
                        if enough && counted.is_some() {
                            return Ok(());
                        }
                        Err(StoreError::Corrupt("the last one stays".into()))
                    })
                    .await
            });

            let left = left.await;
            assert_eq!(
                left.iter().filter(|left| left.is_ok()).count(),
                1,
                "{left:?}"
            );
            let vips = VIP.eq(true) & super::VISITS.eq(round);
            assert_eq!(
                theatre
                    .store
                    .once()
                    .within(app_id)
                    .count(vips)
                    .await
                    .unwrap(),
                1
            );
        }
    }
}
