//! Rounds: everybody who answers a scenario takes his turn, again and again, so that what slows the
//! machine down slows all of them down.

use serde::Serialize;

use super::figure::{Figure, Round};
use super::options::Options;
use super::scenario::{ALL, About, Kind, Scenario, Subject};

/// What one subject came to in one scenario with so many clients.
#[derive(Debug, Serialize)]
pub struct Row {
    pub scenario: Scenario,
    pub clients: usize,
    #[serde(flatten)]
    pub about: About,
    /// The median of the rounds; absent where one of them had a failure.
    pub figure: Option<Figure>,
    pub error: Option<String>,
}

/// All rows of a run.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Table {
    pub rows: Vec<Row>,
}

/// Measures all scenarios, and tells each as soon as it is there.
pub fn measure(subjects: &mut [&mut dyn Subject], options: &Options, tell: fn(&[Row])) -> Table {
    let mut table = Table::default();
    for scenario in ALL {
        for clients in &options.clients {
            let rows = one(subjects, options, (scenario, *clients));
            tell(&rows);
            table.rows.extend(rows);
        }
    }
    table
}

fn one(
    subjects: &mut [&mut dyn Subject],
    options: &Options,
    (scenario, clients): (Scenario, usize),
) -> Vec<Row> {
    let mut rounds: Vec<Vec<Round>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..options.rounds {
        for (subject, rounds) in subjects.iter_mut().zip(&mut rounds) {
            rounds.extend(subject.round(scenario, clients, options.time()));
        }
    }
    let measured = subjects.iter().zip(rounds).filter(|(_, it)| !it.is_empty());
    measured
        .map(|(subject, rounds)| {
            let rounds: Result<Vec<Figure>, String> = rounds.into_iter().collect();
            Row {
                scenario,
                clients,
                about: subject.about().clone(),
                figure: rounds.as_ref().ok().and_then(|it| Figure::median(it)),
                error: rounds.err(),
            }
        })
        .collect()
}

/// A limit that a scenario is held against, by the beginning of its name.
pub const fn limit_of(scenario: Scenario) -> Option<&'static str> {
    match scenario {
        Scenario::SignIn | Scenario::SignUp => Some("limit: bcrypt"),
        Scenario::Me => Some("limit: actix, ES256 verified once"),
        Scenario::MeAnew => Some("limit: actix, ES256 verified"),
        Scenario::Refresh => Some("limit: update"),
        Scenario::Check | Scenario::List => Some("limit: a handler"),
        Scenario::Found => Some("limit: two inserts"),
        Scenario::Mixed => None,
    }
}

/// The limit of a row among those that were measured with it.
pub fn limit<'a>(rows: &'a [Row], of: &Row) -> Option<&'a Figure> {
    let name = limit_of(of.scenario)?;
    let same = |row: &&Row| row.scenario == of.scenario && row.clients == of.clients;
    let is_limit = |row: &&Row| {
        let on_its_store = row.about.store.is_none() || row.about.store == of.about.store;
        row.about.kind == Kind::Limit && row.about.name.starts_with(name) && on_its_store
    };
    rows.iter().filter(same).find(is_limit)?.figure.as_ref()
}

impl Table {
    /// A figure by the beginning of a name; none where it was not measured, or failed.
    pub fn figure(
        &self,
        (name, store): (&str, Option<&str>),
        (scenario, clients): (Scenario, usize),
    ) -> Option<&Figure> {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| {
            row.scenario == scenario
                && row.clients == clients
                && row.about.name.starts_with(name)
                && row.about.store == store
        });
        row?.figure.as_ref()
    }

    pub fn failures(&self) -> usize {
        self.rows.iter().filter(|row| row.error.is_some()).count()
    }
}
