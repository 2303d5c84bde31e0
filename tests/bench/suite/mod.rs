//! The suite: the server, its limits and its peers, in one run; `cargo bench`, or `tests/bench/run`.
//!
//! ```text
//! scenarios × 1, 16, 64 at once   limits, server on both stores, peers: in turns, medians
//! beside       who am I beside sign-ins, as many as can be and more
//! memory       idle, and with thousands of sessions
//! starts       empty, and with many apps
//! decisions    in this process, of ten organisations and of ten thousand
//! scale        a thousand users against a million (`--scale`)
//! goals        each with its figure: met, or not
//! ```
//!
//! Time of the processor for an answer is the figure to trust: it hardly moves between runs. See
//! [`report`] for what is written.

mod beside;
mod decisions;
mod figure;
mod goals;
mod limits;
mod memory;
mod options;
mod ours;
mod peer_askers;
mod peers;
mod person;
mod print;
mod report;
mod rounds;
mod scale;
mod scenario;
mod starting;

use authsome::config::{Config, Synchronous};

use self::beside::Scene;
use self::decisions::Decisions;
use self::ours::{Ground, Ours};
use self::report::Report;
use self::rounds::Table;
use self::scenario::{Scenario, Subject};
use crate::machine::Cores;
use crate::mongod::Mongo;
use crate::server::Where;

pub use self::options::Options;

/// Says whether everything could be measured. Goals that are not met are told, and are no failure:
/// what they were held against is this machine.
pub fn measure(options: &Options) -> bool {
    let cores = Cores::split();
    let mongo = cores.serving(Mongo::obtain);
    let ground = Ground {
        cores,
        cost: options.cost,
        people: options.most(),
        mongo: mongo.as_ref(),
    };
    let places = places(mongo.as_ref());
    let mut report = Report::new(options.clone(), cores, mongo.as_ref());
    report.durable = is_durable();
    print::beginning(&report);
    let mut ours: Vec<Ours> = places.iter().map(|it| Ours::on(&ground, it)).collect();
    report.table = everybody(&ground, options, &mut ours);
    for (ours, place) in ours.iter().zip(&places) {
        let capacity = (Scenario::SignIn, 16);
        let of = ("authsome", Some(place.name()));
        if let Some(figure) = report.table.figure(of, capacity) {
            let scene = Scene::of(&ground, place, ours, figure.per_second);
            report.beside.extend(scene.measure(options));
        }
    }
    drop(ours);
    print::beside(&report);
    for place in &places {
        report
            .memory
            .push(memory::measure(&ground, &place.anew(), options));
        report
            .starts
            .extend(starting::measure(&ground, &place.anew(), options));
    }
    report.decisions = decisions::measure(&ground, options);
    if options.scale {
        // It takes long: what there is already is kept, whatever becomes of it.
        report.write();
        for place in &places {
            let (rows, start) = scale::measure(&ground, place, options);
            report.scale.extend(rows);
            report.starts.push(start);
        }
    }
    report.goals = goals::judge(&report);
    print::rest(&report);
    report.write();
    report.failures() == 0
}

fn places(mongo: Option<&Mongo>) -> Vec<Where> {
    let mongo = mongo.map(|mongo| Where::mongo(&mongo.uri));
    [Where::embedded()].into_iter().chain(mongo).collect()
}

/// Limits, ours and peers, in this order.
fn everybody(ground: &Ground<'_>, options: &Options, ours: &mut [Ours]) -> Table {
    let mut limits = limits::all(ground.cores, ground.cost, ground.mongo);
    let mut peers = if options.peers {
        peers::all(ground)
    } else {
        Vec::new()
    };
    let mut all: Vec<&mut dyn Subject> = Vec::new();
    all.extend(limits.iter_mut().map(|it| it.as_mut() as &mut dyn Subject));
    all.extend(ours.iter_mut().map(|it| it as &mut dyn Subject));
    all.extend(peers.iter_mut().map(|it| it.as_mut() as &mut dyn Subject));
    print::subjects(&all);
    rounds::measure(&mut all, options, print::rows)
}

/// Nothing of the run sets it, and an installation inherits no settings: it is what everybody has.
/// That a store then writes so is a test of the store.
fn is_durable() -> bool {
    let config = Config::load(Some("/dev/null".as_ref()), []);
    config.is_ok_and(|config| matches!(config.store.synchronous, Synchronous::Full))
}
