//! Sweeping: what is over by its declaration goes, in batches, and nothing else does.

use std::time::Duration;

use authsome::store::{Query, Schema, StoreError, Tx};

use super::{EXPIRES_AT, Guest, OPENING, Theatre, Ticket, Till};
use crate::support::stores::on_both_stores;

/// Tickets may be removed so long after they have expired.
const KEPT: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

impl Theatre {
    /// Sells a ticket for each number, which expires so many seconds after the opening.
    async fn sells(&self, tickets: impl IntoIterator<Item = u64> + Clone) {
        let stock = async |tx: &mut Tx<'_>| {
            for number in tickets.clone() {
                let tenant = if number % 2 == 0 {
                    self.rose
                } else {
                    self.globe
                };
                let ticket = Ticket {
                    expires_at: OPENING.plus(SECOND * u32::try_from(number).unwrap()),
                    ..Ticket::of(tenant, &format!("{number:02}"))
                };
                tx.within(tenant).insert(&ticket).await?;
            }
            Ok::<_, StoreError>(())
        };
        self.store.write(stock).await.unwrap();
    }

    /// The tickets that are left, whoever sold them, in the order of their expiry.
    async fn left(&self) -> Vec<String> {
        let mut once = self.store.once();
        let mut every = once.across_tenants("the test looks at all tickets");
        let far = OPENING.plus(Duration::from_hours(1000));
        let all = Query::of(EXPIRES_AT.lt(far)).oldest_by(EXPIRES_AT);
        let tickets: Vec<Ticket> = every.find(all).await.unwrap();
        tickets.into_iter().map(|ticket| ticket.id).collect()
    }
}

on_both_stores! {
    async fn what_is_over_goes_whoever_owns_it_and_what_is_not_stays(theatre: Theatre) {
        theatre.sells(0..6).await;
        let schema = Schema::of::<Ticket>();
        let at = |second: u32| OPENING.plus(KEPT).plus(SECOND * second);

        assert_eq!(theatre.store.sweep(&schema, at(0), 100).await.unwrap(), 0);
        assert_eq!(theatre.store.sweep(&schema, at(4), 100).await.unwrap(), 4);
        assert_eq!(theatre.left().await, ["04", "05"]);
    }

    async fn a_sweep_removes_no_more_than_a_batch_and_the_oldest_first(theatre: Theatre) {
        theatre.sells([5, 3, 1, 4, 2, 0]).await;
        let (schema, later) = (Schema::of::<Ticket>(), OPENING.plus(KEPT * 2));

        assert_eq!(theatre.store.sweep(&schema, later, 4).await.unwrap(), 4);
        assert_eq!(theatre.left().await, ["04", "05"]);
        assert_eq!(theatre.store.sweep(&schema, later, 4).await.unwrap(), 2);
        assert_eq!(theatre.store.sweep(&schema, later, 4).await.unwrap(), 0);
    }

    async fn what_does_not_say_when_it_is_over_never_is(theatre: Theatre) {
        theatre.with_guests(&[Guest::of(theatre.rose.app_id, "mia")]).await;
        let never = OPENING.plus(Duration::from_hours(100_000));

        for schema in [Schema::of::<Guest>(), Schema::of::<Till>()] {
            assert_eq!(theatre.store.sweep(&schema, never, 100).await.unwrap(), 0);
        }
        assert_eq!(theatre.guest("mia").await.id, "mia");
    }

    /// Within a scope it is a verb like the others.
    async fn a_tenant_s_sweep_leaves_the_neighbour_s_documents(theatre: Theatre) {
        theatre.sells(0..6).await;
        let before = OPENING.plus(SECOND * 3);

        let removed: Result<u64, StoreError> = theatre
            .store
            .write(async |tx| tx.within(theatre.rose).sweep(EXPIRES_AT, before, 100).await)
            .await;

        assert_eq!(removed.unwrap(), 2);
        assert_eq!(theatre.left().await, ["01", "03", "04", "05"]);
    }

    /// Five nodes may sweep at once: each document is removed, and counted, once.
    async fn sweeps_at_once_remove_each_document_once(theatre: Theatre) {
        theatre.sells(0..60).await;
        let (schema, later) = (Schema::of::<Ticket>(), OPENING.plus(KEPT * 2));

        let sweeps = (0..5).map(|_| theatre.store.sweep(&schema, later, 100));
        let removed = futures_util::future::join_all(sweeps).await;

        let removed: u64 = removed.into_iter().map(Result::unwrap).sum();
        assert_eq!(removed, 60);
        assert_eq!(theatre.left().await, [""; 0]);
    }
}
