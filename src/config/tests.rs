use std::{fs, time::Duration};

use tempfile::TempDir;

use crate::kernel::algorithm::Algorithm;

use super::*;

mod secrets;
mod values;

/// A working directory, perhaps with an `authsome.toml`, and an environment.
struct World {
    folder: TempDir,
    variables: Vec<(OsString, OsString)>,
}

impl World {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            variables: Vec::new(),
        }
    }

    fn file(self, toml: &str) -> Self {
        fs::write(self.folder.path().join(USUAL_FILE), toml).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn load(&self) -> Result<Config, Faults> {
        Config::load_beside(self.folder.path(), None, self.variables.clone())
    }

    /// The sentences of a refusal, without the folder in front of the file's name.
    fn refusal(&self) -> String {
        let folder = format!("{}/", self.folder.path().display());
        self.load().unwrap_err().to_string().replace(&folder, "")
    }
}

#[test]
fn the_environment_beats_the_file_and_the_file_beats_the_default() {
    let world = World::new()
        .file(
            "[server]\nbind = \"127.0.0.1:1111\"\nkeep_alive = 30\n[tokens]\nalgorithm = \"EdDSA\"",
        )
        .variable("AUTHSOME_SERVER__BIND", "127.0.0.1:2222")
        .variable("PATH", "/bin");

    let config = world.load().unwrap();

    assert_eq!(config.server.bind.port(), 2222);
    assert_eq!(config.server.keep_alive, Duration::from_secs(30));
    assert_eq!(config.tokens.algorithm, Algorithm::EdDsa);
    assert_eq!(config.server.max_connections, 10_000);
}

/// The sample, where every line that tells a default says it.
fn sample_without_comments() -> String {
    let mut lines = vec![];
    let (sample, mut is_unset) = (sample(), false);
    for line in sample.lines() {
        let said = line.strip_prefix("# ").filter(|it| it.contains(" = \""));
        let said = said.filter(|it| !is_unset && !it.contains("_file = "));
        lines.push(said.unwrap_or(line).to_owned());
        is_unset = line.starts_with("# Not set: ");
    }
    lines.join("\n")
}

#[test]
fn the_sample_says_each_default_in_its_section_and_changes_nothing() {
    let unsaid = World::new().load().unwrap();
    let (all, said) = (sample(), sample_without_comments());

    for setting in settings() {
        let head = format!("\n[{}]\n", setting.section);
        let (_, rest) = all.split_once(&head).unwrap();
        let rows = rest.split("\n[").next().unwrap_or_default();
        let row = format!("\n# {} = \"", setting.key);
        assert!(rows.contains(&row), "{row} of {head}");
    }
    for file in [all, said] {
        let config = World::new().file(&file).load().unwrap();
        assert_eq!(format!("{config:?}"), format!("{unsaid:?}"));
    }
}

#[test]
fn a_file_that_is_named_must_exist_and_replaces_the_usual_one() {
    let world = World::new().file("[server]\nbind = \"127.0.0.1:1111\"");
    let other = world.folder.path().join("other.toml");
    let load = || Config::load_beside(world.folder.path(), Some(&other), Vec::new());

    let missing = load().unwrap_err().to_string();
    fs::write(&other, "[log]\nformat = \"json\"").unwrap();
    let config = load().unwrap();

    assert!(
        missing.contains("--config") && missing.contains("other.toml"),
        "{missing}"
    );
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.server.bind.port(), 8080);
}

#[test]
fn an_unknown_variable_is_fatal_and_names_the_nearest() {
    for (unknown, nearest) in [
        ("AUTHSOME_SERVER__BNID", "AUTHSOME_SERVER__BIND"),
        ("AUTHSOME_SERVER_BIND", "AUTHSOME_SERVER__BIND"),
        ("AUTHSOME_BIND", "AUTHSOME_SERVER__BIND"),
        ("AUTHSOME_STROE__URL", "AUTHSOME_STORE__URL"),
        ("AUTHSOME_DATABASE__URL", "AUTHSOME_STORE__URL"),
        (
            "AUTHSOME_SECURITY__ENCRYPTION_KEYS",
            "AUTHSOME_SECURITY__ENCRYPTION_KEY",
        ),
        (
            "AUTHSOME_SECURITY__PEPER_FILE",
            "AUTHSOME_SECURITY__PEPPER_FILE",
        ),
        ("AUTHSOME_server__bind", "AUTHSOME_SERVER__BIND"),
    ] {
        let refusal = World::new()
            .variable(unknown, "whatever-it-holds")
            .refusal();

        assert_eq!(
            refusal,
            format!("{unknown} is not a setting; did you mean {nearest}?")
        );
    }
}

#[test]
fn an_unknown_name_in_the_file_is_fatal_and_names_the_nearest() {
    for (toml, sentence) in [
        (
            "[server]\nbnid = 1",
            "server.bnid in authsome.toml is not a setting; did you mean server.bind?",
        ),
        (
            "bind = \"127.0.0.1:1\"",
            "bind in authsome.toml is not a setting; did you mean server.bind?",
        ),
        (
            "[servr]\nbind = 1",
            "[servr] in authsome.toml is not a section; did you mean [server]?",
        ),
        (
            "[Store]",
            "[Store] in authsome.toml is not a section; did you mean [store]?",
        ),
        (
            "server = 1",
            "server in authsome.toml is not a setting; did you mean server.workers?",
        ),
    ] {
        let refusal = World::new().file(toml).refusal();

        assert_eq!(refusal.split(';').next(), sentence.split(';').next());
        if !toml.starts_with("server") {
            assert_eq!(refusal, sentence);
        }
    }
}

#[test]
fn variables_of_tests_and_of_others_are_not_settings() {
    let world = World::new()
        .variable("AUTHSOME_TEST_MONGODB", "1")
        .variable("AUTHSOMEWHERE", "1")
        .variable("AUTHSOME_SERVICE_HOST", "10.0.0.7");

    assert!(world.load().is_ok());
}

#[test]
fn everything_wrong_is_told_at_once() {
    let refusal = World::new()
        .file("[tokens]\naccess_ttl = \"2h\"\n[log]\nfromat = \"json\"")
        .variable("AUTHSOME_SECURITY__BCRYPT_COST", "9")
        .variable("AUTHSOME_SERVER__BNID", "x")
        .refusal();

    let mut sentences: Vec<_> = refusal.lines().collect();
    sentences.sort_unstable();
    assert_eq!(
        sentences,
        [
            "AUTHSOME_SECURITY__BCRYPT_COST is \"9\", but it takes a whole number from 10 to 15.",
            "AUTHSOME_SERVER__BNID is not a setting; did you mean AUTHSOME_SERVER__BIND?",
            "log.fromat in authsome.toml is not a setting; did you mean log.format?",
            "tokens.access_ttl in authsome.toml is \"2h\", but it takes a duration from 1m to 1h.",
        ]
    );
}
