//! The load: people who sign up, go on, and are attacked, on all nodes at once, until it ends.
//!
//! A request that was not answered for certain is asked again, as clients do; what was acknowledged
//! goes to the ledger.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::asking::{Answer, As, Ask};
use super::ledger::Ledger;
use super::letters::Letters;
use crate::e2e::server::{PASSWORD, text};

/// The breath that each takes between two requests, so that there is room for those who recover.
const BREATH: Duration = Duration::from_millis(20);
/// Whoever insists goes on also where servers are killed again and again before they answer.
const HOPELESS: Duration = Duration::from_mins(10);
/// Passwords tried at once.
const AT_ONCE: usize = 4;

/// Everybody who asks, and where.
#[derive(Debug)]
pub(super) struct Load {
    pub nodes: Vec<String>,
    pub visitor: As,
    pub backend: As,
    pub ledger: Ledger,
    /// Where letters arrive; without it nobody follows links.
    pub letters: Option<Letters>,
    http: reqwest::Client,
    is_over: Cell<bool>,
}

/// People who go on until they are told to stop.
pub(super) struct Crowd {
    load: Rc<Load>,
    people: Vec<JoinHandle<()>>,
}

impl Load {
    /// Against the nodes of an installation, as `bootstrap --json` told of it.
    pub(super) fn on(nodes: Vec<String>, told: &Value, letters: Option<Letters>) -> Rc<Self> {
        let http = reqwest::Client::builder().no_proxy().build();
        Rc::new(Self {
            nodes,
            visitor: As::Visitor(text(told, "/publishable_key")),
            backend: As::Backend(text(told, "/secret_key")),
            ledger: Ledger::default(),
            letters,
            http: http.expect("a client"),
            is_over: Cell::new(false),
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Asks the node of this number, or of one that stands for it.
    pub(super) async fn ask(&self, node: usize, ask: &Ask) -> Answer {
        let url = &self.nodes[node % self.nodes.len()];
        let answer = ask.of(&self.http, url, &self.ledger).await;
        tokio::time::sleep(BREATH).await;
        answer
    }

    /// Asks one node after the other until one answers for certain.
    pub(super) async fn insists(&self, ask: &Ask) -> Answer {
        let began = std::time::Instant::now();
        for node in 0.. {
            let answer = self.ask(node, ask).await;
            if answer.is_certain() {
                return answer;
            }
            assert!(began.elapsed() < HOPELESS, "no answer: {ask:?}");
            tokio::time::sleep(BREATH * 5).await;
        }
        Answer::Lost
    }

    /// A new account and its tokens, whatever it takes.
    pub(super) async fn somebody(&self, address: &str) -> Value {
        let account = json!({"email": address, "password": PASSWORD});
        let new = Ask::post("/v1/signup", account.clone()).by(&self.visitor);
        if let Some(told) = self.insists(&new).await.done() {
            self.ledger.signed_up(address, &text(&told, "/user/id"));
            return told;
        }
        // It was made, and the answer was lost.
        let again = Ask::post("/v1/signin", account).by(&self.visitor);
        let told = self.insists(&again).await;
        told.done().expect("an account of ours")
    }

    /// Begins; every kind of person, and `each` of it.
    pub(super) async fn begins(self: &Rc<Self>, each: usize) -> Crowd {
        let mut people = Vec::new();
        for number in 0..each {
            people.push(tokio::task::spawn_local(self.clone().signs_up(number)));
            people.push(tokio::task::spawn_local(self.clone().refreshes(number)));
            people.push(tokio::task::spawn_local(self.clone().guesses(number)));
            let owners = self.found(number).await;
            people.push(tokio::task::spawn_local(self.clone().hands_over(owners)));
        }
        Crowd {
            load: self.clone(),
            people,
        }
    }

    /// A family of refresh tokens after the other: most are used one by one, some twice at once.
    async fn refreshes(self: Rc<Self>, number: usize) {
        let mut session = self.newcomer(&format!("family-{number}")).await;
        let mut is_fresh = true;
        for turn in 0.. {
            if self.is_over() {
                if is_fresh {
                    self.ledger.left_with(&text(&session, "/refresh_token"));
                }
                return;
            }
            let parent = text(&session, "/refresh_token");
            let ask = Ask::post("/v1/refresh", json!({"refresh_token": parent}));
            let is_race = turn % 5 == 4;
            let uses = if is_race { 2 } else { 1 };
            let asked = (0..uses).map(|node| self.ask(turn + node, &ask));
            let answers = join_all(asked).await;
            let is_lost = answers.iter().all(|it| it.is_refused_with(401));
            let mut children = answers.iter().filter_map(|it| it.clone().done());
            let child = children.next();
            for given in child.iter().chain(&children.collect::<Vec<_>>()) {
                self.ledger
                    .refreshed(&parent, &text(given, "/refresh_token"));
            }
            if is_lost && is_fresh {
                self.ledger
                    .broken("a session that was acknowledged is lost");
            }
            // Whoever was not answered, or used a token twice, may find that his session has ended.
            let is_unused = answers.iter().all(|it| *it == Answer::Unsent);
            is_fresh = child.is_some() && !is_race || is_unused && is_fresh;
            session = match child {
                Some(child) => child,
                None if is_lost => {
                    is_fresh = true;
                    self.newcomer(&format!("family-{number}-{turn}")).await
                }
                None => session,
            };
        }
    }

    /// A new account, and a session of it that was acknowledged. No session is begun for one whose
    /// answer was lost: a sign-in that dies with its server counts against the account.
    async fn newcomer(&self, name: &str) -> Value {
        for number in 0.. {
            let address = format!("{name}-{number}@example.org");
            let account = json!({"email": address, "password": PASSWORD});
            let new = Ask::post("/v1/signup", account).by(&self.visitor);
            if let Some(told) = self.insists(&new).await.done() {
                self.ledger.signed_up(&address, &text(&told, "/user/id"));
                return told;
            }
        }
        Value::Null
    }

    /// Somebody who guesses the passwords of one name after the other, faster than any lock.
    async fn guesses(self: Rc<Self>, number: usize) {
        for turn in 0.. {
            let name = format!("victim-{number}-{turn}@example.org");
            let guess = json!({"email": name, "password": "wrong-and-wrong-again"});
            let guess = Ask::post("/v1/signin", guess).by(&self.visitor);
            for _ in 0..3 {
                if self.is_over() {
                    return;
                }
                let asked = (0..AT_ONCE).map(|node| self.ask(node, &guess));
                for answer in join_all(asked).await {
                    if answer.is_refused_with(401) {
                        self.ledger.guessed(&name);
                    }
                }
            }
        }
    }
}

impl Crowd {
    /// Waits until each has done what he was at.
    pub(super) async fn ends(self) {
        self.load.is_over.set(true);
        for person in self.people {
            person.await.expect("nobody panics");
        }
    }
}
