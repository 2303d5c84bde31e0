//! The commands that look, and change nothing.

use std::fs;
use std::path::Path;

use super::server::Home;
use crate::support::stores::run;

#[test]
fn openapi_prints_the_committed_document() {
    let home = Home::embedded();

    let ran = home.run(&["openapi"]);

    assert_eq!(ran.code, Some(0), "{ran:?}");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/authsome.json");
    let committed = fs::read_to_string(committed).expect("the document is committed");
    assert!(
        ran.out == committed,
        "openapi/authsome.json is not what the code says: run `just update`"
    );
}

#[test]
fn the_policy_decides_as_its_cases_expect() {
    let ran = Home::embedded().run(&["policy", "test"]);

    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains(" passed, 0 failed"), "{}", ran.out);
}

#[test]
fn healthcheck_tells_by_its_exit_code_whether_the_server_is_ready() {
    run(async {
        let home = Home::embedded();
        assert_eq!(
            home.run(&["healthcheck"]).code,
            Some(1),
            "nobody serves yet"
        );
        let server = home.serve().await;

        let by_settings = home.run(&["healthcheck"]);
        let by_url = home.run(&["healthcheck", "--url", &format!("{}/livez", server.url)]);
        let elsewhere = home.run(&["healthcheck", "--url", &format!("{}/nowhere", server.url)]);

        assert_eq!(
            (by_settings.code, by_settings.out.trim()),
            (Some(0), "ready")
        );
        assert_eq!(by_url.code, Some(0), "{by_url:?}");
        assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
    });
}

#[test]
fn looking_leaves_nothing_behind() {
    let home = Home::embedded();

    for look in [
        &["openapi"] as &[&str],
        &["policy", "test"],
        &["config"],
        &["--help"],
        &["healthcheck"],
        &["mail", "preview"],
    ] {
        home.run(look);
    }

    let left: Vec<_> = fs::read_dir(home.folder())
        .expect("the folder is there")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn config_lists_every_setting_with_its_default() {
    let ran = Home::embedded().run(&["config"]);

    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (variable, default) in [
        ("AUTHSOME_SERVER__BIND", "127.0.0.1:8080"),
        ("AUTHSOME_STORE__URL", "sqlite:authsome-data/authsome.db"),
        ("AUTHSOME_SECURITY__BCRYPT_COST", "12"),
        ("AUTHSOME_TOKENS__ALGORITHM", "ES256"),
    ] {
        let row = ran.out.lines().find(|line| line.contains(variable));
        assert!(
            row.is_some_and(|row| row.contains(default)),
            "{variable}: {row:?}"
        );
    }
}

#[test]
fn migrate_can_be_repeated_and_makes_no_app() {
    let home = Home::embedded();

    let codes = [home.run(&["migrate"]).code, home.run(&["migrate"]).code];

    assert_eq!(codes, [Some(0), Some(0)]);
    let told = home.bootstrap(&[]);
    assert!(
        told["admin"]["password"].is_string(),
        "the operator was there before: {told}"
    );
}

#[test]
fn letters_can_be_looked_at_before_anybody_gets_one() {
    let home = Home::embedded();

    let one = home.run(&[
        "mail",
        "preview",
        "--template",
        "verify_email",
        "--lang",
        "de",
    ]);
    let all = home.run(&["mail", "preview", "--out", "letters"]);
    let none = home.run(&["mail", "preview", "--template", "verify_emial"]);

    assert_eq!(one.code, Some(0), "{one:?}");
    assert!(one.out.contains("Subject: Bestätigen Sie"), "{}", one.out);
    assert!(!one.out.contains("Confirm"), "{}", one.out);
    assert_eq!(all.code, Some(0), "{all:?}");
    let files = fs::read_dir(home.folder().join("letters")).expect("a folder");
    let names: Vec<_> = files
        .map(|file| file.expect("a file").file_name())
        .collect();
    for name in [
        "new_device.en.1.html",
        "new_device.de.2.txt",
        "reset_password.en.1.eml",
    ] {
        assert!(names.iter().any(|it| it == name), "{name} in {names:?}");
    }
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.err.contains("verify_email"), "{none:?}");
}
