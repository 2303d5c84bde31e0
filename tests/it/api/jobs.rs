//! Jobs: one node does them, another one when that is gone, and what is over is gone.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use authsome::jobs::{Claim, Jobs, Lease, Schedule};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::time::{Clock, Timestamp};
use authsome::sessions::Session;
use authsome::store::{Entity, Field, OfEnvironment, Query, Schema, Store};
use authsome::tokens::Revocation;
use futures_util::future::join_all;

use crate::support::app::{NEW_YEAR, TestApp, eventually};
use crate::support::client::Asks;
use crate::support::stores::{Backend, TestStore, on_both_stores};

/// Beats come ten times a second of the machine; terms are judged by the clock of the test.
const TERM: Duration = Duration::from_millis(300);

struct Office {
    under: TestStore,
    clock: Clock,
}

impl Office {
    async fn on(backend: Backend) -> Self {
        let schemas = &[Schema::of::<Lease>()];
        Self {
            under: TestStore::on(backend).await.holding(schemas).await,
            clock: Clock::frozen(NEW_YEAR),
        }
    }

    fn store(&self) -> Store {
        self.under.store.clone()
    }

    fn claim(&self, owner: &str) -> Claim {
        Claim::new(self.store(), "mopping", owner.to_owned(), TERM)
    }

    fn node(&self) -> Jobs {
        Jobs::new(self.store(), self.clock.clone(), &Entropy::system())
    }
}

fn mopping(period: Duration) -> Schedule {
    Schedule {
        name: "mopping",
        period,
        term: TERM,
    }
}

/// Counts how often a node mops.
fn mops(node: &Jobs, period: Duration) -> Rc<Cell<u32>> {
    let times = Rc::new(Cell::new(0));
    let counted = times.clone();
    node.every(mopping(period), async move |_| {
        counted.set(counted.get() + 1);
        Ok::<_, Infallible>(())
    });
    times
}

const OVER: Field<Session, Timestamp> = Field::at("expires_at");
const REVOKED: Field<Revocation, Timestamp> = Field::at("expires_at");

impl TestApp {
    /// Everything of an environment that ends at all, by an index, as everything is read here.
    async fn ending<E: Entity<Owner = OfEnvironment>>(&self, field: Field<E, Timestamp>) -> Vec<E> {
        let mut once = self.store().once();
        let mut tx = once.within(self.own.development.tenant());
        tx.find(Query::of(field.gt(NEW_YEAR)))
            .await
            .expect("the store answers")
    }
}

/// Some beats later.
async fn a_while() {
    tokio::time::sleep(TERM * 2).await;
}

on_both_stores! {
    async fn of_fifty_who_want_a_lease_one_has_it(office: Office) {
        let claims: Vec<_> = (0..50).map(|number| office.claim(&number.to_string())).collect();

        let held = join_all(claims.iter().map(|claim| claim.hold(NEW_YEAR))).await;

        let held: Vec<_> = held.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(held, [NEW_YEAR.plus(TERM)]);
    }

    async fn of_fifty_who_want_a_lease_that_is_over_one_has_it(office: Office) {
        office.claim("gone").hold(NEW_YEAR).await.unwrap().unwrap();
        let claims: Vec<_> = (0..50).map(|number| office.claim(&number.to_string())).collect();
        let over = NEW_YEAR.plus(TERM);

        let held = join_all(claims.iter().map(|claim| claim.hold(over))).await;

        assert_eq!(held.into_iter().filter_map(Result::unwrap).count(), 1);
    }

    async fn a_lease_is_kept_by_its_holder_until_its_term_is_over(office: Office) {
        let (mia, noah) = (office.claim("mia"), office.claim("noah"));
        let at = |millis| NEW_YEAR.plus(Duration::from_millis(millis));
        let held = async |claim: &Claim, now: Timestamp| claim.hold(now).await.unwrap();

        assert_eq!(held(&mia, at(0)).await, Some(at(300)));
        assert_eq!(held(&mia, at(200)).await, Some(at(500)));
        assert_eq!(held(&noah, at(499)).await, None);
        assert_eq!(held(&noah, at(500)).await, Some(at(800)));
        assert_eq!(held(&mia, at(500)).await, None);
    }

    async fn a_lease_that_is_handed_back_is_free_and_another_s_is_not_mine_to_give(office: Office) {
        let (mia, noah) = (office.claim("mia"), office.claim("noah"));
        mia.hold(NEW_YEAR).await.unwrap().unwrap();

        noah.release().await.unwrap();
        assert_eq!(noah.hold(NEW_YEAR).await.unwrap(), None);

        mia.release().await.unwrap();
        assert!(noah.hold(NEW_YEAR).await.unwrap().is_some());
    }

    async fn of_two_nodes_one_does_a_job_and_does_it_once_a_period(office: Office) {
        let nodes = [office.node(), office.node()];

        let times = nodes.each_ref().map(|node| mops(node, Duration::from_hours(1)));

        a_while().await;
        assert_eq!(times[0].get() + times[1].get(), 1);
    }

    async fn a_job_is_done_again_every_period_also_after_a_failure(office: Office) {
        let (times, node) = (Rc::new(Cell::new(0)), office.node());
        let counted = times.clone();

        node.every(mopping(Duration::from_millis(20)), async move |_| {
            counted.set(counted.get() + 1);
            Err::<(), _>("the bucket is empty")
        });

        eventually(async || times.get() > 3).await;
    }

    async fn a_holder_who_is_gone_is_replaced_when_his_lease_is_over(office: Office) {
        office.claim("killed").hold(NEW_YEAR).await.unwrap().unwrap();
        let node = office.node();
        let times = mops(&node, Duration::from_hours(1));

        a_while().await;
        assert_eq!(times.get(), 0);

        office.clock.advance(TERM);
        eventually(async || times.get() == 1).await;
    }

    async fn a_node_that_stops_finishes_its_work_and_hands_its_jobs_over(office: Office) {
        let (here, there) = (office.node(), office.node());
        let finished = Rc::new(Cell::new(false));
        let (at_work, told) = (finished.clone(), Rc::new(tokio::sync::Notify::new()));
        let begins = told.clone();
        here.every(mopping(Duration::from_hours(1)), async move |_| {
            begins.notify_one();
            tokio::time::sleep(TERM).await;
            at_work.set(true);
            Ok::<_, Infallible>(())
        });
        told.notified().await;
        let times = mops(&there, Duration::from_hours(1));

        here.stop().await;

        assert!(finished.get());
        // Its term is not over: the clock stands.
        eventually(async || times.get() == 1).await;
    }

    /// While it works, a node shows that it lives; what it does outlasts its term.
    async fn a_job_that_takes_long_stays_with_its_node(office: Office) {
        let (here, there) = (office.node(), office.node());
        let (begun, done) = (Rc::new(tokio::sync::Notify::new()), Rc::new(Cell::new(false)));
        let (begins, ends) = (begun.clone(), done.clone());
        here.every(mopping(Duration::from_hours(1)), async move |_| {
            begins.notify_one();
            tokio::time::sleep(TERM * 4).await;
            ends.set(true);
            Ok::<_, Infallible>(())
        });
        begun.notified().await;
        let times = mops(&there, Duration::from_hours(1));

        for _ in 0..60 {
            tokio::time::sleep(TERM / 3).await;
            if done.get() {
                break;
            }
            office.clock.advance(TERM / 6);
        }

        assert!(done.get());
        assert_eq!(times.get(), 0);
    }

    async fn a_node_that_has_lost_its_lease_leaves_its_work(office: Office) {
        let (node, done) = (office.node(), Rc::new(Cell::new(false)));
        let (begun, ends) = (Rc::new(tokio::sync::Notify::new()), done.clone());
        let begins = begun.clone();
        node.every(mopping(Duration::from_hours(1)), async move |_| {
            begins.notify_one();
            tokio::time::sleep(TERM * 3).await;
            ends.set(true);
            Ok::<_, Infallible>(())
        });
        begun.notified().await;

        // As after a long sleep of the machine: another node came first.
        let later = NEW_YEAR.plus(TERM * 10);
        office.claim("another").hold(later).await.unwrap().unwrap();

        tokio::time::sleep(TERM * 4).await;
        assert!(!done.get());
    }

    async fn a_server_removes_what_is_over_and_leaves_the_rest(app: TestApp) {
        let early = app.person("mia@example.org").await;
        let _ = early.signs_out().await.expect(204);
        assert_eq!(app.ending(REVOKED).await.len(), 1);
        app.clock.advance(Duration::from_hours(24 * 31));
        let late = app.person("noah@example.org").await;

        // Its first turn is at its start: the lease of the other node is over by then.
        let _node = app.another_node(&[]).await;

        eventually(async || app.ending(OVER).await.len() == 1).await;
        eventually(async || app.ending(REVOKED).await.is_empty()).await;
        late.get("/v1/me").await.told(200);
    }
}
