//! `authsome backup` and `authsome restore`: a server that is used while a backup is taken, a house that
//! moves, and a restore that is killed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use authsome::kernel::entropy::Entropy;
use serde_json::{Value, json};

use super::server::{Home, PASSWORD, Ran, text};
use crate::support::client::Asks;
use crate::support::stores::{on_both_stores, run};

const SECRETS: [(&str, &str); 3] = [
    ("SECURITY__ENCRYPTION_KEY", "encryption.key"),
    ("SECURITY__REFRESH_SECRET", "refresh.secret"),
    ("SECURITY__PEPPER", "pepper"),
];

/// The secrets of a home, wherever they are.
fn given(mut home: Home, of: &Home) -> Home {
    for (name, file) in SECRETS {
        let kept = of.folder().join("authsome-data").join(file);
        let secret = match of.setting(name) {
            Some(secret) => secret.to_owned(),
            None => fs::read_to_string(kept)
                .expect("a secret")
                .trim()
                .to_owned(),
        };
        home = home.with(name, secret);
    }
    home
}

fn done(ran: &Ran) -> &str {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    &ran.out
}

/// What is told of each collection: how many documents, its name, its checksum.
fn counts(out: &str) -> BTreeSet<Vec<&str>> {
    let lines = out.lines().filter(|line| line.contains(" authsome_"));
    let lines = lines.filter(|line| !line.contains("authsome_leases"));
    lines
        .map(|line| line.split_whitespace().collect())
        .collect()
}

fn path(home: &Home, name: &str) -> String {
    home.folder().join(name).to_string_lossy().into_owned()
}

/// Documents of a collection in an archive.
fn documents(archive: &Path, collection: &str) -> Vec<Value> {
    let text = fs::read_to_string(archive).expect("an archive");
    let (begin, end) = (format!("[\"collection\",\"{collection}\"]"), "[\"end\",");
    let lines = text.lines().skip_while(|line| **line != *begin).skip(1);
    let lines = lines.take_while(|line| !line.starts_with(end));
    lines
        .map(|line| serde_json::from_str(line).expect("a document"))
        .collect()
}

fn has_three_thousand_users(home: &Home) {
    let lines = (0..3_000).map(|number| {
        json!({"email": format!("{number}@example.org"), "first_name": format!("Person {number}")})
            .to_string()
    });
    let users = lines.collect::<Vec<_>>().join("\n");
    fs::write(home.folder().join("users.ndjson"), users).expect("a file can be written");
    let ran = home.run(&["import", "users.ndjson", "--app", "shop"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

on_both_stores! {
    /// Each sign-up is one unit of work: of an instant, there is no user without his password.
    async fn a_backup_of_a_server_at_work_is_of_one_instant_and_serves_elsewhere(home: Home) {
        let home = home.with("LIMITS__SIGNUP", "100000/1m");
        let told = home.bootstrap(&["--app", "Shop"]);
        let key = text(&told, "/publishable_key");
        let server = home.serve().await;
        let mia = server.sign_up(&key, "mia@example.org").await;
        let mut backup = home.command(&["backup", "shop.backup"]);
        let mut backup = backup.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a backup");

        let mut during = 0;
        while backup.try_wait().expect("a child of ours").is_none() {
            server.sign_up(&key, &format!("{during}@example.org")).await;
            during += 1;
        }

        let output = backup.wait_with_output().expect("a backup");
        assert!(output.status.success(), "{output:?}");
        assert!(during > 0, "the server went on");
        let archive = home.folder().join("shop.backup");
        assert_eq!(fs::metadata(&archive).expect("a file").permissions().mode() & 0o777, 0o600);
        let of = |collection, field: &str| -> BTreeSet<String> {
            let all = documents(&archive, collection);
            all.iter().map(|it| text(it, field)).collect()
        };
        assert_eq!(of("authsome_users", "/_id"), of("authsome_credentials", "/user_id"));
        drop(server);
        for other in [Home::embedded(), Home::on_mongodb()] {
            let other = given(other, &home);
            let restored = other.run(&["restore", &archive.to_string_lossy()]);
            let said = String::from_utf8(output.stdout.clone()).expect("text");
            assert_eq!(counts(done(&restored)), counts(&said));
            let server = other.serve().await;
            server.sign_in(&key, "mia@example.org", PASSWORD).await;
            let token = json!({"refresh_token": mia["refresh_token"]});
            let refreshed = server.post("/v1/refresh").json(token).await.told(200);
            assert_eq!(server.me(&text(&refreshed, "/access_token")).await.status, 200);
            let users = server.get("/v1/admin/users?include=total").api_key(&text(&told, "/secret_key"));
            assert_eq!(users.await.told(200)["total"], of("authsome_users", "/_id").len() - 1);
        }
    }

    /// `kill -9`, at any moment, again and again.
    async fn a_restore_that_is_killed_goes_on_where_it_was(home: Home) {
        let source = Home::embedded();
        source.bootstrap(&["--app", "Shop"]);
        has_three_thousand_users(&source);
        let taken = source.run(&["backup", "shop.backup"]);
        let archive = path(&source, "shop.backup");
        let home = given(home, &source);

        let mut kills = 0_u64;
        let restored = loop {
            let mut restore = home.command(&["restore", &archive]);
            let mut restore = restore.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a restore");
            // Later each time, and never twice at the same moment.
            let moment = 40 * kills + u64::from(Entropy::system().bytes::<1>()[0]) / 4;
            tokio::time::sleep(Duration::from_millis(moment)).await;
            if restore.try_wait().expect("a child of ours").is_some() {
                break restore.wait_with_output().expect("a restore");
            }
            restore.kill().expect("it is killed");
            restore.wait().expect("it is gone");
            kills += 1;
        };

        assert!(restored.status.success() && kills > 3, "{kills} kills: {restored:?}");
        let there = home.run(&["backup", "there.backup"]);
        assert_eq!(counts(done(&there)), counts(done(&taken)));
        assert!(counts(&there.out).iter().any(|it| it[..2] == ["3001", "authsome_users"]), "{there:?}");
    }
}

#[test]
fn a_copy_of_the_embedded_database_is_served_as_it_is() {
    run(async {
        let home = Home::embedded();
        let told = home.bootstrap(&["--app", "Shop"]);
        let key = text(&told, "/publishable_key");
        let server = home.serve().await;
        let mia = server.sign_up(&key, "mia@example.org").await;

        let copied = home.run(&["backup", "--database", "copy.db"]);
        server.sign_up(&key, "later@example.org").await;

        assert!(done(&copied).contains("database of its own"), "{copied:?}");
        assert!(copied.err.contains("encryption.key"), "{copied:?}");
        let copy = home.folder().join("copy.db");
        let mode = fs::metadata(&copy).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other =
            given(Home::embedded(), &home).with("STORE__URL", format!("sqlite:{}", copy.display()));
        let elsewhere = other.serve().await;
        let token = json!({"refresh_token": mia["refresh_token"]});
        elsewhere.post("/v1/refresh").json(token).await.told(200);
        let later = json!({"email": "later@example.org", "password": PASSWORD});
        let later = elsewhere.post_at(&key, "/v1/signin", later).await;
        assert_eq!(later.status, 401, "it is of one instant");
    });
}

#[test]
fn what_cannot_be_backed_up_or_brought_back_is_told_and_nothing_is_left() {
    let home = Home::embedded();
    let early = home.run(&["backup", "a.backup"]);
    assert!(
        early.code == Some(1) && early.err.contains("no database yet"),
        "{early:?}"
    );
    home.bootstrap(&["--app", "Shop"]);
    done(&home.run(&["backup", "a.backup"]));

    let again = home.run(&["backup", "a.backup"]);
    let nowhere = home.run(&["backup", "no/such/folder"]);
    let used = home.run(&["restore", "a.backup"]);
    let none = home.run(&["restore", "users.ndjson"]);
    let judged = home.run(&["restore", "a.backup", "--dry-run"]);
    let fresh = Home::embedded();
    let strange = fresh.run(&["restore", &path(&home, "a.backup")]);
    let memory = Home::embedded().with("STORE__URL", "sqlite::memory:");
    let memory = memory.run(&["backup", "a.backup"]);

    assert!(again.err.contains("there already"), "{again:?}");
    assert!(used.err.contains("not empty"), "{used:?}");
    assert!(done(&judged).contains("the file is whole"), "{judged:?}");
    for ran in [&again, &nowhere, &used, &none, &memory] {
        assert_eq!(ran.code, Some(1), "{ran:?}");
    }
    assert_eq!(strange.code, Some(2), "{strange:?}");
    for (name, file) in SECRETS {
        let told = strange.err.contains(file) && strange.err.contains(&format!("AUTHSOME_{name}"));
        assert!(told, "{strange:?}");
    }
    let data = fresh.folder().join("authsome-data");
    assert_eq!(
        fs::read_dir(data).map_or(0, Iterator::count),
        0,
        "no secret was made up"
    );
    let left = fs::read_dir(home.folder()).expect("a folder");
    let partial = left.filter(|it| {
        it.as_ref()
            .is_ok_and(|it| it.path().extension() == Some("partial".as_ref()))
    });
    assert_eq!(partial.count(), 0);
}

/// Elsewhere than on a terminal it says now and then how far it has come.
#[test]
fn a_long_way_is_told_line_by_line() {
    let home = Home::embedded();
    home.bootstrap(&["--app", "Shop"]);
    for _ in 0..4 {
        let lines = (0..3_000).map(|_| {
            let name = Entropy::system().token();
            json!({"email": format!("{}@example.org", &name[..20].to_lowercase().replace(['-', '_'], "x"))})
                .to_string()
        });
        let users = lines.collect::<Vec<_>>().join("\n");
        fs::write(home.folder().join("users.ndjson"), users).expect("a file can be written");
        home.run(&["import", "users.ndjson", "--app", "shop"]);
    }

    let taken = home.run(&["backup", "shop.backup"]);

    done(&taken);
    assert!(
        taken.err.contains("authsome: 10000 of authsome_users"),
        "{}",
        taken.err
    );
}
