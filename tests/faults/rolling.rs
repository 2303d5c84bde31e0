//! A rolling restart: one node after the other ends and comes back, and nobody notices.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::asking::{Answer, As, Ask};
use super::house::House;
use super::load::Load;
use super::{NORMAL, run, until};
use crate::e2e::server::{Home, text};

/// How often the balancer looks which nodes are ready.
const LOOK: Duration = Duration::from_millis(100);

/// What sends requests to nodes that are ready, and to no others.
#[derive(Debug)]
struct Balancer {
    load: Rc<Load>,
    ready: Vec<Cell<bool>>,
    turn: Cell<usize>,
    failed: Cell<usize>,
    is_over: Cell<bool>,
}

impl Balancer {
    fn before(load: &Rc<Load>) -> Rc<Self> {
        Rc::new(Self {
            load: load.clone(),
            ready: load.nodes.iter().map(|_| Cell::new(true)).collect(),
            turn: Cell::default(),
            failed: Cell::default(),
            is_over: Cell::default(),
        })
    }

    /// Looks which nodes are ready, again and again.
    async fn looks(self: Rc<Self>) {
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.expect("a client");
        while !self.is_over.get() {
            for (url, ready) in self.load.nodes.iter().zip(&self.ready) {
                let asked = http.get(format!("{url}/readyz")).send().await;
                ready.set(asked.is_ok_and(|it| it.status() == 200));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn asks(&self, ask: &Ask) -> Answer {
        let turn = self.turn.get();
        self.turn.set(turn + 1);
        let nodes = (0..self.ready.len()).map(|at| (turn + at) % self.ready.len());
        let node = nodes.into_iter().find(|at| self.ready[*at].get());
        let answer = self
            .load
            .ask(node.expect("a node that is ready"), ask)
            .await;
        if answer.clone().done().is_none() {
            self.failed.set(self.failed.get() + 1);
        }
        answer
    }

    /// Somebody who goes on and on.
    async fn lives(self: Rc<Self>, address: String) {
        let mut session = self.load.somebody(&address).await;
        while !self.is_over.get() {
            let token = json!({"refresh_token": text(&session, "/refresh_token")});
            if let Answer::Done(next) = self.asks(&Ask::post("/v1/refresh", token)).await {
                session = next;
            }
            let holder = As::Holder(text(&session, "/access_token"));
            self.asks(&Ask::get("/v1/me").by(&holder)).await;
        }
    }
}

/// RL-12: told to stop, a node is not ready, serves for a while, finishes what is under way, and
/// exits with 0.
#[test]
fn a_rolling_restart_costs_nobody_a_request() {
    run(async {
        let home = Home::on_mongodb().with("SERVER__STOP_DELAY", "2s");
        let mut house = House::of(home, 2, None).await;
        let balancer = Balancer::before(&house.load);
        let people = (0..4).map(|number| {
            let lives = balancer.clone().lives(format!("mia-{number}@example.org"));
            tokio::task::spawn_local(lives)
        });
        let people: Vec<_> = people.collect();
        let looking = tokio::task::spawn_local(balancer.clone().looks());

        for at in [0, 1, 0, 1] {
            let began = Instant::now();
            house.servers[at].process.signal(Signal::TERM);
            assert_eq!(house.servers[at].process.ended().await.code(), Some(0));
            assert!(began.elapsed() < NORMAL, "{:?}", began.elapsed());
            house.starts_again(at).await;
            let seen = async || balancer.ready[at].get().then_some(());
            until("the balancer sees it", NORMAL, seen).await;
        }

        balancer.is_over.set(true);
        for person in people {
            person.await.expect("nobody panics");
        }
        looking.await.expect("a balancer that does not panic");
        assert_eq!(balancer.failed.get(), 0);
        assert!(balancer.turn.get() > 40, "{}", balancer.turn.get());
    });
}
