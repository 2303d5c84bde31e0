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
fn a_policy_says_who_may_do_what_and_why() {
    let home = Home::embedded();

    let may = home.run(&["policy", "check", "admin", "members", "add"]);
    let may_not = home.run(&["policy", "check", "role:USER", "users", "list"]);
    let why = home.run(&["policy", "explain", "member", "teams", "read"]);
    let whom = home.run(&["policy", "explain", "viewer", "members", "add"]);
    let nobody = home.run(&["policy", "check", "org:boss", "members", "add"]);

    assert_eq!((may.code, may.out.trim()), (Some(0), "allow"), "{may:?}");
    assert_eq!(
        (may_not.code, may_not.out.trim()),
        (Some(1), "deny"),
        "{may_not:?}"
    );
    assert_eq!(
        why.out, "member ← viewer has teams:read\nallow\n",
        "{why:?}"
    );
    assert_eq!(whom.out, "allowed to owner, admin\ndeny\n", "{whom:?}");
    assert_eq!(whom.code, Some(1), "{whom:?}");
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
}

/// A suite of a team's own: two cases hold, and the third does not.
const SUITE: &str = r#"
    [[resources]]
    name = "documents"
    actions = ["read", "write"]

    [[roles]]
    name = "editor"
    parent = "member"
    permissions = ["documents:*"]

    [[cases]]
    roles = ["editor"]
    resource = "documents"
    action = "write"
    expect = "allow"

    [[cases]]
    roles = ["viewer", "USER"]
    resource = "documents"
    action = "write"
    expect = "deny"
"#;

#[test]
fn a_team_tests_its_own_policy() {
    let home = Home::embedded();
    let test = |text: &str| {
        fs::write(home.folder().join("suite.toml"), text).expect("a file can be written");
        home.run(&["policy", "test", "suite.toml"])
    };

    let right = test(SUITE);
    let wrong = test(
        &SUITE
            .replace("\"deny\"", "\"allow\"")
            .replace("viewer", "member"),
    );
    let wide = test(&SUITE.replace("\"viewer\", \"USER\"", "\"editor\""));
    let without_cases = SUITE
        .split("[[cases]]")
        .next()
        .expect("it begins with roles");
    let empty = test(without_cases);
    let none = test("[[roles]]\nname = \"owner\"");
    let missing = home.run(&["policy", "test", "nothing.toml"]);

    assert_eq!(
        (right.code, right.out.trim()),
        (Some(0), "2 passed, 0 failed"),
        "{right:?}"
    );
    assert_eq!(
        (wrong.code, wrong.out.trim()),
        (Some(1), "1 passed, 1 failed"),
        "{wrong:?}"
    );
    assert!(
        wrong
            .err
            .contains("case 2: member, USER, documents:write: expected allow, decided deny"),
        "{wrong:?}"
    );
    assert!(
        wrong.err.contains("allowed to owner, admin, editor"),
        "{wrong:?}"
    );
    assert!(wide.err.contains("editor has documents:*"), "{wide:?}");
    for bad in [empty, none, missing] {
        assert_eq!(bad.code, Some(2), "{bad:?}");
    }
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
        &["policy", "check", "admin", "members", "add"],
        &["policy", "explain", "viewer", "members", "add"],
        &["policy", "test", "nothing.toml"],
        &["config"],
        &["config", "--toml"],
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
fn the_sample_of_a_configuration_is_the_committed_one_and_can_be_started_with() {
    let home = Home::embedded();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/authsome.toml");
    let named = committed.to_str().expect("a path that is text");

    let printed = home.run(&["config", "--toml"]);
    let started = home.run(&["--config", named, "migrate"]);

    assert_eq!(printed.code, Some(0), "{printed:?}");
    let committed = fs::read_to_string(&committed).expect("the sample is committed");
    assert!(
        printed.out == committed,
        "deploy/authsome.toml is not what the code says: run `just update`"
    );
    assert_eq!(started.code, Some(0), "{started:?}");
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
