//! Settings as operators write them: see [`crate::kernel::fuzz`].

use std::ffi::OsString;
use std::fs;

use proptest::collection::vec;
use tempfile::TempDir;

use super::*;
use crate::kernel::fuzz::{always, one_of, texts};

const SECRET: &str = "hunter2hunter2hunter2hunter2hunter2hunter2";

const VALUES: [&str; 22] = [
    "127.0.0.1:8080",
    "15m",
    "900",
    "10/1m,100/1d",
    "https://auth.example.com/base/",
    "/auth/v2",
    "10.0.0.0/8, ::1",
    "sqlite:authsome-data/authsome.db",
    "sqlite::memory:",
    "mongodb://mia:hunter2hunter2hunter2hunter2hunter2hunter2@a,b/authsome?replicaSet=rs0",
    "smtps://mia:hunter2hunter2hunter2hunter2hunter2hunter2@mail.example.com:465?tls=required",
    "file:letters",
    "Shop <no-reply@shop.example>",
    "ES256",
    "cores",
    "12",
    "true",
    "info,authsome=debug",
    "hunter2hunter2hunter2hunter2hunter2hunter2",
    "new:7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
    "authorization=Bearer hunter2hunter2hunter2hunter2hunter2hunter2",
    "",
];

fn names() -> Vec<setting::Name> {
    settings().map(Setting::name).collect()
}

/// A fault names the setting and never quotes a secret; what is taken is within its range.
#[test]
fn a_variable_is_taken_or_refused_by_its_name() {
    let cases = vec((proptest::sample::select(names()), texts(VALUES)), 1..4);
    let folder = TempDir::new().expect("a folder");
    always(cases, |given| {
        let is_secret = |name: &setting::Name| name.known().is_some_and(|(it, _)| it.secret);
        let are_secret = given.iter().all(|(name, _)| is_secret(name));
        let environment = given
            .iter()
            .map(|(name, value)| (OsString::from(name.variable()), OsString::from(value)));
        match Config::load_beside(folder.path(), None, environment) {
            Ok(config) => {
                assert!(config.server.workers > 0 && config.server.max_connections > 0);
                assert!((10..=15).contains(&config.security.bcrypt_cost));
                assert!(!are_secret || !format!("{config:?}").contains("hunter2"));
            }
            Err(faults) => {
                let told = faults.to_string();
                let is_named = |name: &setting::Name| told.contains(&name.variable());
                assert!(given.iter().any(|(name, _)| is_named(name)) || told.contains("AUTHSOME"));
                assert!(!are_secret || !told.contains("hunter2"), "{told}");
            }
        }
    });
}

/// A file that is no TOML, or says what nobody knows, is refused with a sentence.
#[test]
fn a_file_is_taken_or_told_apart() {
    let seeds = [
        "[server]\nbind = \"127.0.0.1:1111\"\nkeep_alive = 30\n[tokens]\nalgorithm = \"EdDSA\"",
        "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[limits]\nsignin = \"10/1m\"",
        "[security]\npepper = \"hunter2hunter2hunter2hunter2hunter2hunter2\"\nrefresh_secret = 5",
        "server.bind = '127.0.0.1:1'\n[[server]]",
        "[server]\nbind = 2026-01-01T00:00:00Z\nworkers = 9223372036854775808",
        "a = [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
    ];
    let folder = TempDir::new().expect("a folder");
    always(texts(seeds), |text| {
        fs::write(folder.path().join(USUAL_FILE), &text).expect("a file");
        if let Err(faults) = Config::load_beside(folder.path(), None, []) {
            let told = faults.to_string();
            assert!(!told.is_empty() && !told.contains(SECRET), "{told}");
        }
    });
}

/// Names of one setting are one; any other beginning with `AUTHSOME_` is told of.
#[test]
fn a_name_that_is_nearly_a_setting_is_none() {
    let known: Vec<String> = names().iter().map(setting::Name::variable).collect();
    let folder = TempDir::new().expect("a folder");
    let forms = ["", "_FILE"];
    always(
        (texts(known.clone()), one_of(&["", "1"])),
        |(name, value)| {
            if name.contains(['\0', '=']) {
                return;
            }
            let environment = [(OsString::from(&name), OsString::from(value))];
            let loaded = Config::load_beside(folder.path(), None, environment);
            let is_known = known
                .iter()
                .any(|it| forms.iter().any(|form| name == format!("{it}{form}")));
            let is_ours = name.starts_with("AUTHSOME_") && !name.starts_with("AUTHSOME_TEST_");
            assert!(is_ours || loaded.is_ok(), "{name}");
            assert!(!is_ours || is_known || loaded.is_err(), "{name}");
        },
    );
}
