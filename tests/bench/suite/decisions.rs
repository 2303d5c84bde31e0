//! Decisions in this process, by how many organisations there are.

use serde::Serialize;

use super::figure::micros;
use super::options::Options;
use super::ours::Ground;
use crate::load::run;
use crate::organizations::decisions;
use crate::organizations::seed::{Plan, Town};
use crate::server::Where;

/// Medians in microseconds.
#[derive(Debug, Serialize)]
pub struct Decisions {
    pub organizations: usize,
    /// Asked before, so that the answer is in the table of answers.
    pub cached_us: f64,
    /// Asked for the first time, of a policy that is compiled.
    pub compiled_us: f64,
    /// Compiling a policy of twenty rules.
    pub compiling_us: f64,
}

/// From the fewest organisations to the most.
pub fn measure(ground: &Ground<'_>, options: &Options) -> Vec<Decisions> {
    let most = if options.quick { 1_000 } else { 10_000 };
    [10, most]
        .into_iter()
        .map(|count| of(ground, count))
        .collect()
}

fn of(ground: &Ground<'_>, organizations: usize) -> Decisions {
    let running = ground.raise(&Where::embedded(), &[]);
    let plan = Plan {
        organizations,
        members: organizations,
        in_the_first: 1,
        sessions: false,
    };
    let asked = run(async {
        let town = Town::of(&running, plan, &[]).await;
        decisions::measure(&town).await
    });
    Decisions {
        organizations,
        cached_us: micros(asked.cached.0),
        compiled_us: micros(asked.first.0),
        compiling_us: micros(asked.compiled.0),
    }
}
