//! Scale: the same asked of a small installation and of a large one, in turns.
//!
//! ```text
//! small     1,000 users with a session each, in     1 organisation
//! large 1,000,000 users with a session each, in 10,000 organisations of 20 rules
//! ```

use serde::Serialize;

use super::figure::Figure;
use super::options::Options;
use super::ours::{Ground, Ours};
use super::scenario::{Scenario, Subject};
use super::starting;
use crate::organizations::seed::Plan;
use crate::server::Where;

const SMALL: Plan = Plan {
    organizations: 1,
    members: 1_000,
    in_the_first: 100,
    sessions: true,
};
const LARGE: Plan = Plan {
    organizations: 10_000,
    members: 1_000_000,
    in_the_first: 100,
    sessions: true,
};

const CLIENTS: usize = 16;
/// Three rounds at the least: a ratio of single rounds says little.
const ROUNDS: usize = 3;
const SCENARIOS: [Scenario; 5] = [
    Scenario::Me,
    Scenario::Refresh,
    Scenario::Check,
    Scenario::List,
    Scenario::SignIn,
];

/// One scenario, small and large.
#[derive(Debug, Serialize)]
pub struct Row {
    pub store: &'static str,
    pub scenario: Scenario,
    pub small: Option<Figure>,
    pub large: Option<Figure>,
    /// Time on the core for an answer of the large one, by that of the small one, but for hashing.
    pub growth: Option<f64>,
    pub error: Option<String>,
}

pub fn measure(ground: &Ground<'_>, place: &Where, options: &Options) -> (Vec<Row>, starting::Row) {
    let at = |plan| {
        let place = place.anew();
        Ours::of(ground, &place, ground.patient(&place, &[]), plan)
    };
    let (mut small, mut large) = (at(SMALL), at(LARGE));
    let mut rows = Vec::new();
    for scenario in SCENARIOS {
        let mut rounds = (Vec::new(), Vec::new());
        for _ in 0..options.rounds.max(ROUNDS) {
            let time = options.time();
            rounds.0.extend(small.round(scenario, CLIENTS, time));
            rounds.1.extend(large.round(scenario, CLIENTS, time));
        }
        let all = |rounds: Vec<_>| rounds.into_iter().collect::<Result<Vec<Figure>, String>>();
        let (few, many) = (all(rounds.0), all(rounds.1));
        let error = few.as_ref().err().or(many.as_ref().err()).cloned();
        let median = |all: Result<Vec<Figure>, String>| Figure::median(&all.ok()?);
        let (few, many) = (median(few), median(many));
        let both = few.as_ref().zip(many.as_ref());
        rows.push(Row {
            store: place.name(),
            scenario,
            growth: both.map(|(few, many)| many.besides_hashing_us / few.besides_hashing_us),
            small: few,
            large: many,
            error,
        });
    }
    starting::found(&large.running, options.apps);
    let counts = (options.apps, LARGE.members);
    let start = starting::row(&mut large.running, place, options, counts);
    (rows, start)
}
