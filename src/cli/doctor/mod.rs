//! The doctor: looks at everything an installation needs, says what is wrong, and what to do.
//!
//! ```text
//! configuration ─▶ secrets ─▶ store ─▶ indexes, clock, signing keys, sealed, outbox, webhooks
//!       └────────▶ data directory, mail
//! ```
//!
//! It changes nothing: what is missing is told and not made. Each line is `ok`, `warn` or `fail`;
//! the exit code is 1 where one fails. No line holds a secret. What cannot be looked at, because
//! something before it fails, is left out.

mod finding;
mod machine;
mod mail;
mod settings;
mod store;

use std::io::Write;

use anyhow::{Context, anyhow};

use self::finding::{Finding, Health, Report};
use super::DoctorAsked;
use crate::app::World;
use crate::config::{Config, Faults};

/// Looks at everything, tells it on standard output, and fails where something fails.
pub(super) async fn examine(
    loaded: Result<Config, Faults>,
    asked: &DoctorAsked,
) -> anyhow::Result<()> {
    let report = Report(findings(loaded).await);
    let told = if asked.json {
        serde_json::to_string_pretty(&report.document())?
    } else {
        report.text()
    };
    writeln!(std::io::stdout(), "{told}").context("the report could not be written")?;
    match report.count(Health::Fail) {
        0 => Ok(()),
        1 => Err(anyhow!("one check fails")),
        some => Err(anyhow!("{some} checks fail")),
    }
}

async fn findings(loaded: Result<Config, Faults>) -> Vec<Finding> {
    let config = match loaded {
        Ok(config) => config,
        Err(faults) => return settings::faults(&faults),
    };
    let mut findings = settings::findings(&config);
    findings.extend(machine::findings(&config));
    findings.extend(store::findings(&config, &World::real()).await);
    findings.extend(mail::findings(&config).await);
    findings
}
