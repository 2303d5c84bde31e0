//! Many organisations: what a decision, a policy, a switch and a list cost, by how many there are.
//!
//! ```text
//! 10, 1,000, 10,000 organisations × 20 rules ─┐ in this process: decisions, compiling
//! 100,000 members spread over them ───────────┴ by HTTP: switch-org, members; memory of the server
//! ```
//!
//! A database of its own for each number, filled past the API. At the end the goals are held against
//! the figures; a goal that is missed is named, and the run fails.

pub mod decisions;
pub mod seed;
mod serving;

use std::time::Duration;

use self::decisions::Decisions;
use self::seed::{Plan, Town};
use self::serving::Served;
use crate::load::Load;
use crate::mongod::Mongo;
use crate::server::{Running, Where};

const SCALES: [usize; 3] = [10, 1_000, 10_000];
const MEMBERS: usize = 100_000;
const IN_THE_FIRST: usize = 1_000;

/// A decision's median may grow by this much from the fewest organisations to the most.
const GROWTH: f64 = 1.2;
const CACHED: Duration = Duration::from_micros(2);
const FIRST: Duration = Duration::from_micros(50);
const COMPILED: Duration = Duration::from_millis(1);

/// What one number of organisations comes to on one store.
struct Figures {
    store: &'static str,
    count: usize,
    decisions: Decisions,
    served: Served,
}

/// Measures all stores that there are; says whether every goal was met.
pub fn measure(mongo: Option<&Mongo>) -> bool {
    let mut missed = Vec::new();
    println!(
        "store    orgs   decision cached  first asked      compiled         switch-org          100 members         RSS"
    );
    println!(
        "                p50      p99     p50      p99     p50      p99     p50       p99       p50       p99"
    );
    missed.extend(on(Where::embedded));
    match mongo {
        Some(mongo) => missed.extend(on(|| Where::mongo(&mongo.uri))),
        None => println!("MongoDB is not measured: neither MONGOD nor MONGODB_URI is set"),
    }
    for goal in &missed {
        println!("missed: {goal}");
    }
    missed.is_empty()
}

/// The goals that are missed on one store.
fn on(place: impl Fn() -> Where) -> Vec<String> {
    let all: Vec<Figures> = SCALES.iter().map(|count| at(&place(), *count)).collect();
    let mut missed: Vec<String> = all.iter().flat_map(Figures::missed).collect();
    if let [fewest, .., most] = all.as_slice() {
        missed.extend(most.growth_since(fewest));
    }
    missed
}

fn at(place: &Where, count: usize) -> Figures {
    let running = Running::start(place);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let guests = serving::guests(&running);
    let users: Vec<_> = guests.iter().map(|guest| guest.user).collect();
    let plan = Plan {
        organizations: count,
        members: MEMBERS,
        in_the_first: IN_THE_FIRST,
        sessions: false,
    };
    let town = runtime.block_on(Town::of(&running, plan, &users));
    let decisions = runtime.block_on(decisions::measure(&town));
    let figures = Figures {
        store: place.name(),
        count,
        decisions,
        served: serving::measure(&running, &town, &guests),
    };
    figures.print();
    runtime.block_on(place.forget());
    figures
}

impl Figures {
    fn print(&self) {
        let (asked, served) = (&self.decisions, &self.served);
        println!(
            "{:<8} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>6} MiB",
            self.store,
            self.count,
            short(asked.cached.0),
            short(asked.cached.1),
            short(asked.first.0),
            short(asked.first.1),
            short(asked.compiled.0),
            short(asked.compiled.1),
            short(served.switch.percentile(0.50)),
            short(served.switch.percentile(0.99)),
            short(served.list.percentile(0.50)),
            short(served.list.percentile(0.99)),
            served.rss_kib / 1024,
        );
    }

    fn missed(&self) -> Vec<String> {
        let (asked, served) = (&self.decisions, &self.served);
        let at = format!("{} organisations on {}", self.count, self.store);
        let over = |what: &str, median: Duration, most: Duration| {
            (median > most).then(|| format!("{what} takes {median:?}, {most:?} is the goal: {at}"))
        };
        let failed: usize = [&served.switch, &served.list]
            .map(Load::missed)
            .iter()
            .sum();
        let all = [
            over("a decision whose answer is cached", asked.cached.0, CACHED),
            over("a decision that is asked first", asked.first.0, FIRST),
            over("compiling a policy", asked.compiled.0, COMPILED),
            (failed > 0).then(|| format!("{failed} requests failed: {at}")),
        ];
        all.into_iter().flatten().collect()
    }

    fn growth_since(&self, fewest: &Self) -> Vec<String> {
        let kinds = [
            ("cached", fewest.decisions.cached.0, self.decisions.cached.0),
            (
                "first asked",
                fewest.decisions.first.0,
                self.decisions.first.0,
            ),
        ];
        let grown = kinds.into_iter().filter_map(|(kind, few, many)| {
            let growth = many.as_secs_f64() / few.as_secs_f64();
            (growth > GROWTH).then(|| {
                format!(
                    "a decision ({kind}) costs {growth:.2} times as much at {} organisations as at \
                     {}, {GROWTH} is the goal: {}",
                    self.count, fewest.count, self.store
                )
            })
        });
        grown.collect()
    }
}

/// A time in three digits or so.
fn short(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    match time.as_nanos() {
        0..10_000 => format!("{nanos:.0}ns"),
        10_000..10_000_000 => format!("{:.1}µs", nanos / 1e3),
        _ => format!("{:.1}ms", nanos / 1e6),
    }
}
