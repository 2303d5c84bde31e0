//! What `GET /v1/me` is like beside sign-ins: alone, beside as many as there is time for, beside more
//! than that, and beside three times as many as can be.

use std::time::Duration;

use serde::Serialize;

use super::figure::{median, micros};
use super::options::Options;
use super::ours::{Ground, Ours, join};
use super::person::Person;
use super::scenario::Scenario;
use crate::askers::again;
use crate::load::{Asker, Askers, Load, closed, percentile, run, steady};
use crate::server::{Running, Where};

/// How many wait for `GET /v1/me` at once, and for a sign-in where all may.
const LOOKING: usize = 16;
const CROWD: usize = 512;

/// What part of the sign-ins that a server can do leaves it time.
const AT_EASE: f64 = 0.6;
const TOO_MANY: f64 = 3.0;

/// How many times as long a load is as a round: a password may wait for two seconds.
const LONGER: u32 = 3;

/// Of the server that is overloaded: many sign-ins are under way for one account, which is not locked
/// for it; and nobody reads of each that is refused.
const SETTINGS: [(&str, &str); 2] = [
    ("AUTHSOME_LIMITS__LOCKOUT_AFTER", "100"),
    ("AUTHSOME_LOG__LEVEL", "error"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    Nothing,
    /// Six tenths of the sign-ins that it can do.
    AtEase,
    /// Sixteen who sign in again and again.
    Saturated,
    /// Three times the sign-ins that it can do, on a server with the queue that is the default.
    Overloaded,
}

/// Times are microseconds from the beat at which somebody was to ask; medians of the rounds.
#[derive(Debug, Serialize)]
pub struct Row {
    pub store: &'static str,
    pub beside: Beside,
    pub me_p50_us: f64,
    pub me_p99_us: f64,
    /// Right sign-ins.
    pub sign_ins_per_second: f64,
    pub sign_in_p99_us: f64,
    /// Sign-ins that were told to come later, and when, and how soon they were told.
    pub refused: usize,
    pub refused_p50_us: Option<f64>,
    pub refused_p99_us: Option<f64>,
    /// The first failure; no figure counts then.
    pub error: Option<String>,
}

/// One server, as it is beside sign-ins; `capacity` is how many it does in a second.
pub struct Scene<'a> {
    ours: &'a Ours,
    overloaded: Running,
    /// The clients of the server that is overloaded.
    people: Vec<std::rc::Rc<Person>>,
    store: &'static str,
    capacity: f64,
}

impl<'a> Scene<'a> {
    pub fn of(ground: &Ground<'_>, place: &Where, ours: &'a Ours, capacity: f64) -> Self {
        let overloaded = ground.raise(&place.anew(), &SETTINGS);
        Self {
            ours,
            // Sign-ups wait for their turn like everybody: no more at once than there is time for.
            people: join(&overloaded, LOOKING, 2),
            overloaded,
            store: place.name(),
            capacity,
        }
    }

    pub fn measure(&self, options: &Options) -> Vec<Row> {
        let all = [
            Beside::Nothing,
            Beside::AtEase,
            Beside::Saturated,
            Beside::Overloaded,
        ];
        let mut rounds: Vec<Vec<Row>> = all.iter().map(|_| Vec::new()).collect();
        for _ in 0..options.rounds {
            for (beside, rounds) in all.into_iter().zip(&mut rounds) {
                rounds.push(self.round(beside, options));
            }
        }
        rounds.into_iter().filter_map(merged).collect()
    }

    fn round(&self, beside: Beside, options: &Options) -> Row {
        let time = options.time() * LONGER;
        let running = if beside == Beside::Overloaded {
            &self.overloaded
        } else {
            &self.ours.running
        };
        let mut looking = self.looking(running, beside);
        let mut signing = self.signing(running, beside);
        let at = running.address;
        let me = steady(at, (options.beats, time), &mut looking);
        let (me, signed) = match beside {
            Beside::Nothing => (run(me), Load::default()),
            Beside::Saturated => run(async { tokio::join!(me, closed(at, time, &mut signing)) }),
            Beside::AtEase | Beside::Overloaded => {
                let factor = if beside == Beside::AtEase {
                    AT_EASE
                } else {
                    TOO_MANY
                };
                let beat = (self.capacity * factor, time);
                run(async { tokio::join!(me, steady(at, beat, &mut signing)) })
            }
        };
        self.row(beside, &me, &signed)
    }

    fn looking(&self, running: &Running, beside: Beside) -> Askers {
        if beside != Beside::Overloaded {
            return self.ours.askers(Scenario::Me, LOOKING, Duration::ZERO);
        }
        let ask = |number: usize| {
            let line = self.people[number % self.people.len()].line();
            again(running.request("GET", "/v1/me", &line, None), 200)
        };
        (0..LOOKING).map(ask).collect()
    }

    fn signing(&self, running: &Running, beside: Beside) -> Askers {
        let (count, people) = match beside {
            Beside::Overloaded => (CROWD, &self.people),
            Beside::Nothing | Beside::AtEase | Beside::Saturated => (LOOKING, &self.ours.people),
        };
        let sign_in = |number: usize| -> Box<dyn Asker> {
            let account = Running::account(people[number % people.len()].number);
            again(running.post("/v1/signin", &account), 200)
        };
        (0..count).map(sign_in).collect()
    }

    fn row(&self, beside: Beside, me: &Load, signed: &Load) -> Row {
        // To refuse is right only where there is too much.
        let refused = if beside == Beside::Overloaded {
            0
        } else {
            signed.refusals.len()
        };
        let failed = me.missed() + signed.failed + refused;
        let why = me.why.as_ref().or(signed.why.as_ref());
        let error = format!("{failed} failed: {}", why.map_or("refused", String::as_str));
        let refusals = Some(&signed.refusals).filter(|all| !all.is_empty());
        let soon = |part| refusals.map(|all| micros(percentile(all, part)));
        Row {
            store: self.store,
            beside,
            me_p50_us: micros(me.percentile(0.50)),
            me_p99_us: micros(me.percentile(0.99)),
            sign_ins_per_second: signed.rate(),
            sign_in_p99_us: micros(signed.percentile(0.99)),
            refused: signed.refusals.len(),
            refused_p50_us: soon(0.50),
            refused_p99_us: soon(0.99),
            error: (failed > 0).then_some(error),
        }
    }
}

/// The median of each member, of the rounds that have it; the first error of all.
fn merged(rounds: Vec<Row>) -> Option<Row> {
    let of = |part: fn(&Row) -> f64| median(rounds.iter().map(part).collect());
    let some = |part: fn(&Row) -> Option<f64>| median(rounds.iter().filter_map(part).collect());
    Some(Row {
        store: rounds.first()?.store,
        beside: rounds.first()?.beside,
        me_p50_us: of(|it| it.me_p50_us)?,
        me_p99_us: of(|it| it.me_p99_us)?,
        sign_ins_per_second: of(|it| it.sign_ins_per_second)?,
        sign_in_p99_us: of(|it| it.sign_in_p99_us)?,
        refused: rounds.iter().map(|it| it.refused).sum(),
        refused_p50_us: some(|it| it.refused_p50_us),
        refused_p99_us: some(|it| it.refused_p99_us),
        error: rounds.into_iter().find_map(|it| it.error),
    })
}
