//! Secrets: where they may come from, and where they never go.

use super::*;
use crate::kernel::secret::ExposeSecret;

const KEY: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=";
const TEXT: &str = "kX2vT9mQ4wZ7bN1cR5jL8pF3hD6sG0yA";

#[test]
fn a_secret_may_come_from_a_file_of_its_own() {
    let world = World::new();
    let path = world.folder.path().join("pepper");
    fs::write(&path, format!("{TEXT}\n")).unwrap();
    let path = path.display().to_string();

    let by_variable = World::new().variable("AUTHSOME_SECURITY__PEPPER_FILE", &path);
    let by_file = World::new().file(&format!("[security]\npepper_file = \"{path}\""));

    for world in [by_variable, by_file] {
        let pepper = world.load().unwrap().security.pepper;
        assert_eq!(pepper.as_ref().map(ExposeSecret::expose_secret), Some(TEXT));
    }
}

#[test]
fn a_secret_given_twice_in_one_place_is_refused() {
    let refusal = World::new()
        .variable("AUTHSOME_SECURITY__PEPPER", TEXT)
        .variable("AUTHSOME_SECURITY__PEPPER_FILE", "/run/secrets/pepper")
        .refusal();
    assert_eq!(
        refusal,
        "AUTHSOME_SECURITY__PEPPER and AUTHSOME_SECURITY__PEPPER_FILE are both given; keep one of them."
    );

    // The environment outranks the file, in whichever form either gives the secret.
    let world = World::new()
        .file("[security]\npepper_file = \"/nowhere/pepper\"")
        .variable("AUTHSOME_SECURITY__PEPPER", TEXT);
    assert!(world.load().is_ok());
}

#[test]
fn a_missing_secret_file_is_told_without_its_name_which_may_be_the_secret() {
    let refusal = World::new()
        .variable("AUTHSOME_SECURITY__PEPPER_FILE", "hunter22")
        .refusal();

    assert!(refusal.starts_with("AUTHSOME_SECURITY__PEPPER_FILE names a file that cannot be read"));
    assert!(!refusal.contains("hunter22"), "{refusal}");
}

#[test]
fn only_secrets_come_from_files() {
    let refusal = World::new()
        .variable("AUTHSOME_SERVER__BIND_FILE", "/nowhere")
        .refusal();

    assert!(
        refusal.contains("AUTHSOME_SERVER__BIND_FILE is not a setting"),
        "{refusal}"
    );
}

#[test]
fn secrets_are_in_no_message_and_no_debug_text() {
    for (variable, secret) in [
        ("AUTHSOME_SECURITY__PEPPER", "hunter22"),
        (
            "AUTHSOME_SECURITY__REFRESH_SECRET",
            "changeme-hunter22-hunter22-hunter22",
        ),
        ("AUTHSOME_SECURITY__ENCRYPTION_KEY", "hunter22"),
        ("AUTHSOME_STORE__URL", "mongodb://mia:hunter22@127.0.0.1"),
        ("AUTHSOME_STORE__URL", "mongo://mia:hunter22@127.0.0.1/shop"),
        ("AUTHSOME_SECURITY__PEPER", "hunter22"),
    ] {
        let faults = World::new().variable(variable, secret).load().unwrap_err();

        let told = format!("{faults} {faults:?}");
        assert!(
            told.contains(variable) && !told.contains("hunter22"),
            "{told}"
        );
    }
    let config = World::new()
        .variable("AUTHSOME_SECURITY__PEPPER", TEXT)
        .variable("AUTHSOME_SECURITY__ENCRYPTION_KEY", KEY)
        .variable(
            "AUTHSOME_STORE__URL",
            "mongodb://mia:hunter22@127.0.0.1/shop",
        )
        .load()
        .unwrap();
    let shown = format!("{config:?}");
    assert!(
        ![TEXT, KEY, "hunter22"]
            .iter()
            .any(|secret| shown.contains(secret)),
        "{shown}"
    );
}

/// The parser quotes the line it stumbles over; here that line is the secret.
#[test]
fn a_file_that_is_not_toml_is_told_by_place_and_not_quoted() {
    for toml in [
        "[security]\npepper = \"hunter22",
        "[security]\npepper = hunter22",
        "[security]\npepper = \"hunter22\" trailing",
        "[security]\npepper = \"hunter22\\q\"",
    ] {
        let refusal = World::new().file(toml).refusal();

        assert!(
            refusal.starts_with("authsome.toml is not a TOML file: line 2"),
            "{refusal}"
        );
        assert!(!refusal.contains("hunter22"), "{refusal}");
    }
}
