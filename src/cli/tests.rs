use std::io::Write;

use clap::CommandFactory;

use super::*;

fn command(line: &str) -> Option<Command> {
    let cli = Cli::try_parse_from(line.split_whitespace()).ok()?;
    Some(cli.into_command())
}

fn bootstrap(line: &str) -> Bootstrap {
    match command(line) {
        Some(Command::Bootstrap(asked)) => asked,
        other => panic!("{line} is {other:?}"),
    }
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn nothing_asked_is_to_serve() {
    assert!(matches!(command("authsome"), Some(Command::Serve)));
    assert!(matches!(command("authsome serve"), Some(Command::Serve)));
}

#[test]
fn the_file_is_named_before_or_after_the_command() {
    for line in [
        "authsome --config a.toml migrate",
        "authsome migrate --config a.toml",
    ] {
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();

        assert_eq!(
            cli.config.as_deref(),
            Some(std::path::Path::new("a.toml")),
            "{line}"
        );
    }
}

#[test]
fn keys_are_rotated_everywhere_or_in_one_place() {
    let everywhere = command("authsome keys rotate --now");
    assert!(matches!(
        everywhere,
        Some(Command::Keys(Keys::Rotate(Rotate {
            app: None,
            env: None,
            now: true
        })))
    ));
    assert!(command("authsome keys rotate --app shop --env production").is_some());
    // The slug of an environment says nothing without its app.
    assert!(command("authsome keys rotate --env production").is_none());
    assert!(command("authsome keys rotate --app Not_A_Slug").is_none());
    assert!(command("authsome keys reseal").is_some());
}

#[test]
fn a_policy_is_asked_for_one_decision_or_tested() {
    let question = command("authsome policy explain --file suite.toml editor documents read");
    let Some(Command::Policy(Policy::Explain(asked))) = question else {
        panic!("{question:?}")
    };
    assert_eq!((&*asked.subject, &*asked.resource), ("editor", "documents"));
    assert!(asked.file.is_some() && asked.action == "read");
    assert!(command("authsome policy check editor documents").is_none());
    for (line, has_file) in [
        ("authsome policy test", false),
        ("authsome policy test a.toml", true),
    ] {
        let Some(Command::Policy(Policy::Test(asked))) = command(line) else {
            panic!("{line}")
        };
        assert_eq!(asked.file.is_some(), has_file, "{line}");
    }
}

#[test]
fn arguments_are_parsed_before_anything_runs() {
    let asked = bootstrap("authsome bootstrap --json --app Shop --admin-email Mia@Example.org");

    assert!(asked.json);
    assert_eq!(
        asked.app.map(|app| app.to_string()).as_deref(),
        Some("Shop")
    );
    assert_eq!(
        asked.admin_email.map(|email| email.to_string()).as_deref(),
        Some("mia@example.org")
    );
    assert!(command("authsome bootstrap --admin-email nobody").is_none());
}

#[test]
fn a_password_comes_from_the_line_a_file_or_standard_input() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"from a file \n").unwrap();
    let by_file = format!(
        "authsome bootstrap --admin-password-file {}",
        file.path().display()
    );

    for (line, expected) in [
        ("authsome bootstrap", None),
        ("authsome bootstrap --admin-password given", Some("given")),
        (
            "authsome bootstrap --admin-password -leading",
            Some("-leading"),
        ),
        (
            "authsome bootstrap --admin-password -",
            Some("from standard input"),
        ),
        (by_file.as_str(), Some("from a file ")),
    ] {
        let password = bootstrap(line).admin_password(&mut "from standard input\r\n".as_bytes());

        let password = password.unwrap();
        assert_eq!(
            password.as_ref().map(ExposeSecret::expose_secret),
            expected,
            "{line}"
        );
    }
    assert!(command("authsome bootstrap --admin-password a --admin-password-file b").is_none());
}

#[test]
fn a_password_is_not_shown() {
    let asked = bootstrap("authsome bootstrap --admin-password hunter22");

    assert!(!format!("{asked:?}").contains("hunter22"));
}

#[test]
fn help_tells_first_steps_and_where_settings_come_from() {
    let help = Cli::command().render_long_help().to_string();

    for part in [
        "bootstrap",
        "healthcheck",
        "AUTHSOME_<SECTION>__<KEY>",
        "authsome.toml",
        "First steps",
    ] {
        assert!(help.contains(part), "{part}");
    }
}
