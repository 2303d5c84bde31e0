//! The whole document, tried by schemathesis: a promise that the server does not keep is a finding.
//!
//! Each persona has a server of its own, since what it does is not kind. Half a minute each, with the
//! same cases every time; to look for longer, and elsewhere:
//!
//! ```sh
//! FUZZ_SECONDS=600 FUZZ_SEED=$RANDOM tests/run fuzzing
//! ```

use std::process::Command;

use super::server::Home;
use super::{in_a_file, provided, script, succeeds};
use crate::support::stores::run;

/// What a persona alone cannot do as often as is tried here.
const WIDE: [&str; 12] = [
    "SIGNIN",
    "SIGNUP",
    "RECOVERY",
    "CODE",
    "REFRESH",
    "EXCHANGES",
    "FAILED_EXCHANGES",
    "INTROSPECTIONS",
    "LETTERS",
    "CODE_GUESSES",
    "INVITATIONS",
    "FAILED_SIGNINS",
];

/// Fewer are tried only where something is wrong with the trying.
const FEWEST: u32 = 200;

fn chosen(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

fn tries_everything(persona: &str) {
    run(async {
        let widen = |home: Home, rule| home.with(&format!("LIMITS__{rule}"), "100000/1m");
        let home = WIDE.into_iter().fold(Home::embedded(), widen);
        let home = home.with("LIMITS__LOCKOUT_AFTER", "100");
        let file = in_a_file(&home, &home.bootstrap(&[]));
        let server = home.serve().await;

        let mut fuzz = Command::new(provided("E2E_PYTHON"));
        fuzz.arg(script("fuzz/fuzz.py")).arg(&server.url).arg(file);
        fuzz.args([
            persona,
            &chosen("FUZZ_SECONDS", "30"),
            &chosen("FUZZ_SEED", "1"),
        ]);
        let told = succeeds(fuzz.current_dir(home.folder()));

        let generated = told
            .lines()
            .filter_map(|line| line.trim().split_once(" generated"));
        let generated = generated.filter_map(|(count, _)| count.parse::<u32>().ok());
        assert!(generated.sum::<u32>() > FEWEST, "{told}");
        let log = server.process.log();
        // actix tells so of a head that is no HTTP, which is tried too.
        let errors = log
            .lines()
            .filter(|line| !line.contains(" ERROR actix_http::"));
        let errors: Vec<_> = errors.filter(|line| line.contains(" ERROR ")).collect();
        assert_eq!(errors, [""; 0]);
    });
}

#[test]
fn nothing_breaks_for_the_anonymous() {
    tries_everything("anonymous");
}

#[test]
fn nothing_breaks_for_a_user() {
    tries_everything("user");
}

#[test]
fn nothing_breaks_for_the_owner_of_an_organization() {
    tries_everything("owner");
}

#[test]
fn nothing_breaks_for_an_administrator() {
    tries_everything("admin");
}

#[test]
fn nothing_breaks_for_an_operator() {
    tries_everything("operator");
}

#[test]
fn nothing_breaks_for_a_backend_with_a_key() {
    tries_everything("key");
}
