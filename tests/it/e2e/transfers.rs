//! `authsome import` and `authsome export`: users that come and go by file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::server::{Home, PASSWORD, text};
use super::{provided, script, succeeds};
use crate::support::client::Asks;
use crate::support::stores::{on_both_stores, run};

fn writes(home: &Home, name: &str, lines: &[Value]) {
    let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
    fs::write(home.folder().join(name), lines.join("\n")).expect("a file can be written");
}

fn lines(text: &str) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).expect("a line is JSON");
    text.lines().map(read).collect()
}

on_both_stores! {
    async fn users_come_by_file_and_sign_in_and_go_by_file(home: Home) {
        let told = home.bootstrap(&["--app", "Shop"]);
        let python = provided("E2E_PYTHON");
        let mut hashing = std::process::Command::new(python);
        let users = succeeds(hashing.arg(script("hashes.py")).arg(PASSWORD));
        fs::write(home.folder().join("users.ndjson"), users).expect("a file can be written");

        let dry = home.run(&["import", "users.ndjson", "--app", "shop", "--dry-run"]);
        let done = home.run(&["import", "users.ndjson", "--app", "shop", "--results", "results.ndjson"]);
        let again = home.run(&["import", "users.ndjson", "--app", "shop"]);

        assert_eq!((dry.code, dry.out.trim()), (Some(0), "10 lines: 10 would be created, 0 skipped, 0 failed"), "{dry:?}");
        assert_eq!((done.code, done.out.trim()), (Some(0), "10 lines: 10 created, 0 skipped, 0 failed"), "{done:?}");
        assert_eq!((again.code, again.out.trim()), (Some(0), "10 lines: 0 created, 10 skipped, 0 failed"), "{again:?}");
        let results = lines(&fs::read_to_string(home.folder().join("results.ndjson")).expect("results"));
        assert!(results.len() == 10 && results.iter().all(|it| it["status"] == "created"));
        let server = home.serve().await;
        let key = text(&told, "/publishable_key");
        server.sign_in(&key, "django@example.org", PASSWORD).await;
        let users = server.get("/v1/admin/users?include=total").api_key(&text(&told, "/secret_key")).await.told(200);
        assert_eq!(users["total"], 10);

        let bare = home.run(&["export", "--app", "shop"]);
        let whole = home.run(&["export", "--app", "shop", "--hashes", "--out", "taken.ndjson"]);
        assert_eq!((bare.code, lines(&bare.out).len()), (Some(0), 10), "{bare:?}");
        assert!(!bare.out.contains("password_hash") && bare.err.contains("10 users"), "{bare:?}");
        assert_eq!((whole.code, &*whole.out), (Some(0), ""), "{whole:?}");
        let taken = home.folder().join("taken.ndjson");
        let mode = fs::metadata(&taken).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        home.bootstrap(&["--app", "Store"]);
        let moved = home.run(&["import", "taken.ndjson", "--app", "store"]);
        assert_eq!(moved.out.trim(), "10 lines: 10 created, 0 skipped, 0 failed", "{moved:?}");
        let kept = home.run(&["export", "--app", "shop", "--out", "taken.ndjson"]);
        assert_eq!(kept.code, Some(1), "a file that is there stays: {kept:?}");
    }
}

#[test]
fn a_line_that_fails_is_named_and_the_exit_code_says_so() {
    let home = Home::embedded();
    home.bootstrap(&["--app", "Shop"]);
    let mia = json!({"email": "mia@example.org"});
    writes(
        &home,
        "users.ndjson",
        &[mia.clone(), json!({"email": "max"}), json!([])],
    );

    let ran = home.run(&["import", "users.ndjson", "--app", "shop"]);

    assert_eq!(
        (ran.code, ran.out.trim()),
        (Some(1), "3 lines: 1 created, 0 skipped, 2 failed"),
        "{ran:?}"
    );
    assert!(
        ran.err.contains("line 2: invalid_email, /email"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("line 3: malformed_json"), "{}", ran.err);
    for (arguments, code) in [
        (&["import", "nothing.ndjson", "--app", "shop"] as &[&str], 1),
        (&["import", "users.ndjson", "--app", "nowhere"], 1),
        (&["import", "users.ndjson"], 2),
        (&["export"], 2),
        (&["export", "--app", "nowhere"], 1),
    ] {
        assert_eq!(home.run(arguments).code, Some(code), "{arguments:?}");
    }
}

/// An editor finds the line that is named, and a second run finds nothing else to do.
#[test]
fn a_line_that_is_too_long_is_named_and_the_others_are_brought_in() {
    let home = Home::embedded();
    home.bootstrap(&["--app", "Shop"]);
    let long = json!({"email": "long@example.org", "metadata": {"about": "x".repeat(200_000)}});
    let text = format!(
        "{}\n\n{long}\n\n{}\n",
        json!({"email": "mia@example.org"}),
        json!({"email": "max@example.org"})
    );
    fs::write(home.folder().join("users.ndjson"), text).expect("a file can be written");

    let ran = home.run(&["import", "users.ndjson", "--app", "shop"]);
    let again = home.run(&["import", "users.ndjson", "--app", "shop"]);

    let told = "3 lines: 2 created, 0 skipped, 1 failed";
    assert_eq!((ran.code, ran.out.trim()), (Some(1), told), "{ran:?}");
    let named = "line 3: body_too_large, a line has at most 64 KiB";
    assert!(ran.err.contains(named), "{}", ran.err);
    let told = "3 lines: 0 created, 2 skipped, 1 failed";
    assert_eq!((again.code, again.out.trim()), (Some(1), told), "{again:?}");
}

/// The published example of Firebase's own hash.
#[test]
fn users_of_a_firebase_project_come_with_its_parameters() {
    run(async {
        let home = Home::embedded();
        let told = home.bootstrap(&["--app", "Shop"]);
        let hash = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
        let key = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
        fs::write(home.folder().join("signer.key"), format!("{key}\n"))
            .expect("a file can be written");
        let user = json!({"email": "mia@example.org", "password_hash": hash, "password_salt": "42xEC+ixf3L2lw=="});
        writes(&home, "users.ndjson", &[user]);

        let without = home.run(&["import", "users.ndjson", "--app", "shop"]);
        let with = home.run(&[
            "import",
            "users.ndjson",
            "--app",
            "shop",
            "--firebase-signer-key-file",
            "signer.key",
            "--firebase-salt-separator",
            "Bw==",
            "--firebase-rounds",
            "8",
            "--firebase-mem-cost",
            "14",
        ]);

        assert!(
            without.code == Some(1) && without.err.contains("unknown_hash"),
            "{without:?}"
        );
        assert_eq!(with.code, Some(0), "{with:?}");
        let server = home.serve().await;
        server
            .sign_in(
                &text(&told, "/publishable_key"),
                "mia@example.org",
                "user1password",
            )
            .await;
    });
}
