//! Goals: what the server is to reach, as ratios to limits and peers of the same run.
//!
//! A goal is met, not met, or was not measured: where a figure is missing, or had failures.

use serde::Serialize;

use super::beside::{self, Beside};
use super::figure::Figure;
use super::scenario::Scenario::{self, Check, Found, List, Me, MeAnew, Refresh, SignIn};
use super::{Decisions, Report};

const STORES: [&str; 2] = ["sqlite", "mongodb"];
/// How many ask at once, where a goal does not say it.
const CLIENTS: usize = 16;
/// Of a password for a thread, as it is by default.
const LONGEST_WAIT_US: f64 = 2e6;

/// One goal, on one store.
#[derive(Debug, Serialize)]
pub struct Goal {
    pub number: u8,
    pub what: String,
    pub store: Option<&'static str>,
    /// Absent where it was not measured.
    pub figure: Option<f64>,
    pub bound: Bound,
    pub met: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }
}

/// What was judged so far.
struct Goals<'a> {
    report: &'a Report,
    all: Vec<Goal>,
}

pub fn judge(report: &Report) -> Vec<Goal> {
    let mut goals = Goals {
        report,
        all: Vec::new(),
    };
    for store in report.stores() {
        goals.hashing(store);
        goals.asking(store);
        goals.writing(store);
        goals.beside(store);
        goals.standing(store);
    }
    goals.deciding();
    goals.all.sort_by_key(|goal| goal.number);
    goals.all
}

impl Goals<'_> {
    fn goal(
        &mut self,
        (number, what): (u8, &str),
        store: Option<&'static str>,
        (figure, bound): (Option<f64>, Bound),
    ) {
        self.all.push(Goal {
            number,
            what: what.to_owned(),
            store,
            figure,
            bound,
            met: figure.map(|figure| bound.holds(figure)),
        });
    }

    fn ours(&self, store: &'static str, scenario: Scenario, clients: usize) -> Option<&Figure> {
        let of = ("authsome", Some(store));
        self.report.table.figure(of, (scenario, clients))
    }

    fn limit(
        &self,
        (name, store): (&str, Option<&str>),
        scenario: Scenario,
        clients: usize,
    ) -> Option<&Figure> {
        let name = format!("limit: {name}");
        self.report
            .table
            .figure((&name, store), (scenario, clients))
    }

    /// How many times as many answers a second as a peer gives.
    fn times(&self, store: &'static str, peer: (&str, &str), scenario: Scenario) -> Option<f64> {
        let ours = self.ours(store, scenario, CLIENTS)?;
        let of = (peer.0, Some(peer.1));
        let peer = self.report.table.figure(of, (scenario, CLIENTS))?;
        Some(ours.per_second / peer.per_second)
    }

    fn hashing(&mut self, store: &'static str) {
        let hash = |clients| self.limit(("bcrypt", None), SignIn, clients);
        let many = self.ours(store, SignIn, CLIENTS).zip(hash(CLIENTS));
        let many = many.map(|(ours, hash)| ours.per_second / hash.per_second);
        let alone = self.ours(store, SignIn, 1).zip(hash(1));
        let alone = alone.map(|(ours, hash)| ours.p50_us / hash.p50_us);
        let at = Some(store);
        let what = "sign-ins a second, 16 at once, by hashes of the crate one after another";
        self.goal((1, what), at, (many, Bound::AtLeast(2.9)));
        for (peer, theirs) in [
            ("fastapi-users, bcrypt", "mongodb"),
            ("better-auth, bcrypt", store),
        ] {
            let times = self.times(store, (peer, theirs), SignIn);
            let what = format!("sign-ins a second by those of {peer} of the same cost");
            self.goal((1, &what), at, (times, Bound::AtLeast(3.0)));
        }
        if self.report.options.cost == 10 {
            let times = self.times(store, ("better-auth", store), SignIn);
            let what = "sign-ins a second by those of better-auth, scrypt";
            self.goal((1, what), at, (times, Bound::AtLeast(5.0)));
        }
        let what = "time of one sign-in by one hash";
        self.goal((2, what), at, (alone, Bound::AtMost(1.15)));
    }

    fn asking(&mut self, store: &'static str) {
        let at = Some(store);
        let part = |scenario, limit| {
            let limit = self.limit((limit, None), scenario, CLIENTS)?;
            Some(limit.cpu_us / self.ours(store, scenario, CLIENTS)?.all_cpu_us())
        };
        let hs256 = part(Me, "actix, HS256");
        let cached = part(Me, "actix, ES256 verified once");
        let anew = part(MeAnew, "actix, ES256 verified").map(|part| 1.0 / part);
        let rate = self.ours(store, Me, CLIENTS).map(|it| it.per_second);
        let times = self.times(store, ("better-auth", store), Me);
        let what = "CPU of actix with HS256 verified, by that of who am I";
        self.goal((3, what), at, (hs256, Bound::AtLeast(0.7)));
        let what = "CPU of actix with ES256 verified once, by that of who am I";
        self.goal((3, what), at, (cached, Bound::AtLeast(0.7)));
        let what = "CPU of who am I by a new token, by that of actix with ES256 verified";
        self.goal((3, what), at, (anew, Bound::AtMost(1.15)));
        let what = "who am I, answers a second";
        self.goal((3, what), at, (rate, Bound::AtLeast(70_000.0)));
        let what = "who am I, answers a second by those of better-auth";
        self.goal((3, what), at, (times, Bound::AtLeast(60.0)));
        let check = self.ours(store, Check, CLIENTS);
        let (cpu, rate) = (check.map(|it| it.cpu_us), check.map(|it| it.per_second));
        let what = "permission check, µs of CPU";
        self.goal((5, what), at, (cpu, Bound::AtMost(25.0)));
        let what = "permission check, answers a second";
        self.goal((5, what), at, (rate, Bound::AtLeast(40_000.0)));
    }

    fn writing(&mut self, store: &'static str) {
        let at = Some(store);
        let part = |scenario, limit| {
            let limit = self.limit((limit, at), scenario, CLIENTS)?;
            Some(self.ours(store, scenario, CLIENTS)?.per_second / limit.per_second)
        };
        let (refresh, found) = (part(Refresh, "update"), part(Found, "two inserts"));
        let cpu = |scenario| self.ours(store, scenario, CLIENTS).map(|it| it.cpu_us);
        let costs = [cpu(Refresh), cpu(Found), cpu(List)];
        let rate = self.ours(store, Refresh, CLIENTS).map(|it| it.per_second);
        let alone = self.ours(store, Refresh, 1);
        let alone = alone.zip(self.limit(("update", at), Refresh, 1));
        let alone = alone.map(|(ours, limit)| ours.per_second / limit.per_second);
        let what = "refreshes a second by raw compare-and-set updates, one at a time";
        self.goal((4, what), at, (alone, Bound::AtLeast(0.7)));
        if store == "sqlite" {
            let [refresh, found, list] = costs;
            self.goal(
                (4, "refresh, µs of CPU"),
                at,
                (refresh, Bound::AtMost(80.0)),
            );
            let what = "refreshes a second";
            self.goal((4, what), at, (rate, Bound::AtLeast(8_000.0)));
            let what = "create an organisation, µs of CPU";
            self.goal((6, what), at, (found, Bound::AtMost(150.0)));
            let what = "list 100 members, µs of CPU";
            self.goal((6, what), at, (list, Bound::AtMost(150.0)));
        } else {
            let what = "refreshes a second by raw compare-and-set updates";
            self.goal((4, what), at, (refresh, Bound::AtLeast(0.7)));
            let what = "organisations a second by raw transactions of two inserts";
            self.goal((6, what), at, (found, Bound::AtLeast(0.7)));
        }
    }

    fn beside(&mut self, store: &'static str) {
        let at = Some(store);
        let row = |beside| {
            let mut rows = self.report.beside.iter();
            rows.find(|row| row.store == store && row.beside == beside && row.error.is_none())
        };
        let alone = row(Beside::Nothing);
        let growth = |row: Option<&beside::Row>| {
            let (row, alone) = row.zip(alone)?;
            Some(row.me_p99_us / alone.me_p99_us)
        };
        let (ease, full) = (row(Beside::AtEase), growth(row(Beside::Saturated)));
        let over = row(Beside::Overloaded);
        let hash = self.limit(("bcrypt", None), SignIn, 1);
        let sign_in = ease
            .zip(hash)
            .map(|(ease, hash)| ease.sign_in_p99_us / hash.p50_us);
        let eased = ease.map(|it| it.me_p99_us / 1e3);
        let what = "p99 of who am I beside sign-ins at six tenths, ms";
        self.goal((7, what), at, (eased, Bound::AtMost(10.0)));
        let what = "p99 of who am I while sign-ins saturate the hashers, by its own alone";
        self.goal((7, what), at, (full, Bound::AtMost(3.0)));
        let what = "p99 of sign-ins at six tenths, by one hash";
        self.goal((7, what), at, (sign_in, Bound::AtMost(2.5)));
        self.overloaded(store, (over, growth(over)));
    }

    fn overloaded(
        &mut self,
        store: &'static str,
        (row, growth): (Option<&beside::Row>, Option<f64>),
    ) {
        let at = Some(store);
        let refused = row.and_then(|it| it.refused_p99_us).map(|it| it / 1e3);
        let what = "p99 of refusals at three times the sign-ins that can be, ms";
        self.goal((8, what), at, (refused, Bound::AtMost(50.0)));
        let what = "p99 of who am I then, by its own alone";
        self.goal((8, what), at, (growth, Bound::AtMost(2.0)));
        let capacity = self.ours(store, SignIn, CLIENTS);
        let served = row.zip(capacity);
        let served = served.map(|(row, capacity)| row.sign_ins_per_second / capacity.per_second);
        let what = "sign-ins a second then, by those that can be";
        self.goal((8, what), at, (served, Bound::AtLeast(0.85)));
        let hash = self.limit(("bcrypt", None), SignIn, 1);
        let late = row.zip(hash).map(|(row, hash)| {
            let beyond = row.sign_in_p99_us - LONGEST_WAIT_US;
            beyond / hash.p50_us
        });
        let what = "p99 of sign-ins then, beyond the longest wait, by one hash";
        self.goal((8, what), at, (late, Bound::AtMost(2.5)));
    }

    fn standing(&mut self, store: &'static str) {
        let at = Some(store);
        if let Some(memory) = self.report.memory.iter().find(|it| it.store == store) {
            let mib = |kib: u64| kib as f64 / 1024.0;
            let idle = Some(mib(memory.idle_pss_kib));
            let loaded = memory.error.is_none().then(|| mib(memory.loaded_pss_kib));
            let what = format!("PSS with {} sessions in use, MiB", memory.sessions);
            if store == "sqlite" {
                self.goal((9, "PSS idle, MiB"), at, (idle, Bound::AtMost(20.0)));
                self.goal((9, &what), at, (loaded, Bound::AtMost(40.0)));
            }
        }
        for start in self.report.starts.iter().filter(|it| it.store == store) {
            let what = format!(
                "ready with {} apps and {} users, ms",
                start.apps, start.users
            );
            let most = match (store, start.apps) {
                ("sqlite", 0) => 60.0,
                ("sqlite", _) => 150.0,
                _ => 200.0,
            };
            let ready = Some(start.ready_after_ms);
            self.goal((10, &what), at, (ready, Bound::AtMost(most)));
        }
        let most = if store == "sqlite" { 2.0 } else { 1.3 };
        for row in self.report.scale.iter().filter(|it| it.store == store) {
            let what = format!(
                "{}: growth of CPU but for hashing, from small to large",
                row.scenario.in_words()
            );
            self.goal((11, &what), at, (row.growth, Bound::AtMost(most)));
        }
    }

    fn deciding(&mut self) {
        let of = |decisions: &Decisions| (decisions.cached_us, decisions.compiled_us);
        let least = self.report.decisions.first().map(of);
        let most = self.report.decisions.last().map(of);
        let what = "a decision in the process, from the cache, µs";
        self.goal((5, what), None, (least.map(|it| it.0), Bound::AtMost(2.0)));
        let what = "a decision in the process, of a compiled policy, µs";
        self.goal((5, what), None, (least.map(|it| it.1), Bound::AtMost(30.0)));
        let growth = least.zip(most).map(|(least, most)| most.1 / least.1);
        let what = "a decision's growth from the fewest organisations to the most";
        self.goal((11, what), None, (growth, Bound::AtMost(2.0)));
        let durable = self.report.durable.then_some(1.0);
        let what = "writes are durable while measuring: synchronous=FULL; majority and journaled";
        self.goal(
            (12, what),
            None,
            (durable.or(Some(0.0)), Bound::AtLeast(1.0)),
        );
    }
}

impl Report {
    /// Those that were measured.
    fn stores(&self) -> impl Iterator<Item = &'static str> {
        let is_there = |store: &&str| {
            let mut rows = self.table.rows.iter();
            rows.any(|row| row.about.name == "authsome" && row.about.store == Some(store))
        };
        STORES.into_iter().filter(is_there)
    }
}
