//! The server as a subject: an installation with people and an organisation.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use authsome::kernel::id::OrgId;
use serde_json::json;

use super::figure::{Processes, Round};
use super::person::{Joining, Person, Post, Refreshing, Showing};
use super::scenario::{About, Kind, MIXTURE, Scenario, Subject};
use crate::askers::{ByTurns, again, again_for, again_saying, each};
use crate::load::{Asker, Askers, closed, run, run_within};
use crate::machine::Cores;
use crate::mongod::Mongo;
use crate::organizations::seed::{Plan, Town};
use crate::server::{Running, Where};

/// How many access tokens are put by for a second of [`Scenario::MeAnew`].
const UNSEEN_A_SECOND: f64 = 1_000.0;

/// How long it may take to make what has been there before anything is measured.
const LONG_AGO: Duration = Duration::from_mins(30);

/// How many join at once.
pub const AT_ONCE: usize = 64;

/// A page of a hundred members is longer than this.
const LONG: usize = 20_000;

#[derive(Debug)]
pub struct Ours {
    about: About,
    pub running: Running,
    pub processes: Processes,
    pub people: Vec<Rc<Person>>,
    org: OrgId,
    /// Numbers that nobody and nothing has had.
    fresh: Rc<Cell<usize>>,
}

/// What every installation of a run has in common.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    pub cores: Cores,
    pub cost: u32,
    /// How many people sign in.
    pub people: usize,
    pub mongo: Option<&'a Mongo>,
}

impl Ground<'_> {
    /// The process of the database that a server here works on, where it has one and can be seen.
    pub fn store_of(&self, place: &Where) -> Option<u32> {
        let mongo = self.mongo.filter(|_| matches!(place, Where::Mongo(..)));
        mongo.and_then(Mongo::process)
    }

    /// A server that lets passwords wait until they are hashed, with these settings beside.
    pub fn patient(&self, place: &Where, settings: &[(&str, &str)]) -> Running {
        let mut all = vec![
            ("AUTHSOME_SECURITY__HASH_QUEUE_SECONDS", "30s"),
            ("AUTHSOME_SERVER__HANDLER_TIMEOUT", "2m"),
        ];
        all.extend(settings);
        self.raise(place, &all)
    }

    /// A server that waits as long as it does by default.
    pub fn raise(&self, place: &Where, settings: &[(&str, &str)]) -> Running {
        let cost = self.cost.to_string();
        let mut all = vec![
            ("AUTHSOME_SECURITY__BCRYPT_COST", cost.as_str()),
            ("AUTHSOME_TOKENS__ACCESS_TTL", "60m"),
        ];
        all.extend(settings);
        Running::start_on(self.cores, place, &all)
    }
}

impl Ours {
    pub fn on(ground: &Ground<'_>, place: &Where) -> Self {
        let running = ground.patient(place, &[]);
        let plan = Plan {
            organizations: 10,
            members: 1_000,
            in_the_first: 100,
            sessions: false,
        };
        Self::of(ground, place, running, plan)
    }

    /// With people of its own, and with those of the plan.
    pub fn of(ground: &Ground<'_>, place: &Where, running: Running, plan: Plan) -> Self {
        let people = join(&running, ground.people, AT_ONCE);
        let users: Vec<_> = people.iter().map(|it| it.user()).collect();
        let town = run_within(LONG_AGO, Town::of(&running, plan, &users));
        let what = format!(
            "{}, bcrypt cost {}, ES256; writes are as durable as by default",
            env!("CARGO_PKG_VERSION"),
            ground.cost
        );
        Self {
            about: About {
                name: "authsome".to_owned(),
                store: Some(place.name()),
                kind: Kind::Authsome,
                what,
            },
            processes: Processes {
                own: running.process(),
                store: ground.store_of(place),
            },
            running,
            people,
            org: town.organizations[0].id,
            fresh: Rc::new(Cell::new(1_000_000)),
        }
    }

    /// What so many people ask in a scenario.
    pub fn askers(&self, scenario: Scenario, clients: usize, time: Duration) -> Askers {
        if scenario == Scenario::MeAnew {
            self.put_by(clients, time);
        } else if scenario != Scenario::SignUp {
            // Whatever was measured before, nobody's token is about to end.
            self.renew(clients);
        }
        let some = self.people[..clients].iter();
        some.map(|person| self.asker(scenario, person)).collect()
    }

    fn asker(&self, scenario: Scenario, person: &Rc<Person>) -> Box<dyn Asker> {
        let running = &self.running;
        let (line, org) = (person.line(), self.org);
        match scenario {
            Scenario::SignIn => again(
                running.post("/v1/signin", &Running::account(person.number)),
                200,
            ),
            Scenario::Me => again(running.request("GET", "/v1/me", &line, None), 200),
            Scenario::MeAnew => Box::new(Showing {
                host: running.address.to_string(),
                person: person.clone(),
            }),
            Scenario::Refresh => Box::new(Refreshing {
                person: person.clone(),
                post: Post::to(running, "/v1/refresh"),
                wanted: None,
            }),
            Scenario::Check => {
                let check = json!({ "resource": "members", "action": "read", "org_id": org });
                let body = json!({ "checks": [check] });
                let path = "/v1/permissions/check";
                let request = running.request("POST", path, &line, Some(&body));
                again_saying(request, r#""allowed":true"#)
            }
            Scenario::List => {
                let path = format!("/v1/orgs/{org}/members?limit=100");
                again_for(running.request("GET", &path, &line, None), LONG)
            }
            Scenario::Mixed => {
                let parts = [Scenario::Me, Scenario::Refresh, Scenario::SignIn];
                Box::new(ByTurns {
                    askers: parts.map(|part| self.asker(part, person)).into(),
                    turns: MIXTURE.to_vec(),
                    at: person.number,
                })
            }
            Scenario::SignUp => self.strangers(),
            Scenario::Found => self.founder(line),
        }
    }

    fn strangers(&self) -> Box<dyn Asker> {
        let (fresh, post) = (self.fresh.clone(), Post::to(&self.running, "/v1/signup"));
        each(201, move |request| {
            post.write(&Running::account(next(&fresh)), request);
        })
    }

    fn founder(&self, line: String) -> Box<dyn Asker> {
        let (fresh, host) = (self.fresh.clone(), self.running.address);
        each(201, move |request| {
            let name = format!("Organisation of {}", next(&fresh));
            let body = json!({ "name": name }).to_string();
            let text = format!(
                "POST /v1/orgs HTTP/1.1\r\nHost: {host}\r\n{line}Content-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            request.extend_from_slice(text.as_bytes());
        })
    }

    /// Everybody refreshes once.
    fn renew(&self, clients: usize) {
        self.refreshes(clients, 1);
        for person in &self.people {
            person.unseen.borrow_mut().clear();
        }
    }

    fn put_by(&self, clients: usize, time: Duration) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small number"
        )]
        let all = (UNSEEN_A_SECOND * time.as_secs_f64()) as usize;
        self.refreshes(clients, all.div_ceil(clients));
    }

    /// So many each.
    fn refreshes(&self, clients: usize, wanted: usize) {
        let post = Post::to(&self.running, "/v1/refresh");
        let asker = |person: &Rc<Person>| {
            let asker: Box<dyn Asker> = Box::new(Refreshing {
                person: person.clone(),
                post: post.clone(),
                wanted: Some(wanted),
            });
            asker
        };
        let mut askers: Askers = self.people[..clients].iter().map(asker).collect();
        let load = run(closed(self.running.address, Duration::MAX, &mut askers));
        assert_eq!(load.missed(), 0, "refreshing: {:?}", load.why);
    }
}

fn next(fresh: &Cell<usize>) -> usize {
    fresh.replace(fresh.get() + 1)
}

/// People who have made themselves accounts, so many at once.
pub fn join(running: &Running, count: usize, at_once: usize) -> Vec<Rc<Person>> {
    let people: Vec<_> = (0..count).map(Person::new).collect();
    let mut askers = Joining::some(at_once, running, &people);
    let load = run(closed(running.address, Duration::MAX, &mut askers));
    assert_eq!(load.missed(), 0, "signing up: {:?}", load.why);
    people
}

impl Subject for Ours {
    fn about(&self) -> &About {
        &self.about
    }

    fn round(&mut self, scenario: Scenario, clients: usize, time: Duration) -> Option<Round> {
        let mut askers = self.askers(scenario, clients, time);
        let before = self.processes.used();
        let load = run(closed(self.running.address, time, &mut askers));
        Some(self.processes.figure(&before, &load))
    }
}
