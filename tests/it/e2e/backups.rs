//! `authsome backup` and `authsome restore`: a server that is used while a backup is taken, a house that
//! moves, and a restore that is killed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Stdio};

use authsome::kernel::entropy::Entropy;
use mongodb::bson::{Document, doc};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::server::{Home, PASSWORD, Ran, eventually, text};
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

/// How many files are on their way to their names.
fn drafts(home: &Home) -> usize {
    let files = fs::read_dir(home.folder()).expect("a folder").flatten();
    let drafts = files.filter(|it| it.path().extension() == Some("partial".as_ref()));
    drafts.count()
}

fn has_open(process: &Child, file: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{}/fd", process.id()));
    let open = open.into_iter().flatten().flatten();
    let mut open = open.filter_map(|it| fs::read_link(it.path()).ok());
    open.any(|it| it == file)
}

/// How many documents a restore that goes on has brought here; 0 where there is none.
async fn brought(home: &Home) -> i64 {
    if let Some(url) = home.setting("STORE__URL") {
        let client = mongodb::Client::with_uri_str(url).await.expect("a client");
        let database = client.default_database().expect("the URL names a database");
        let marks = database.collection::<Document>("authsome_restores");
        let mark = marks.find_one(doc! { "_id": "restore" }).await;
        let mark = mark.expect("the test server answers");
        return mark.map_or(0, |it| it.get_i64("documents").expect("a number"));
    }
    let path = home.folder().join("authsome-data/authsome.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let Ok(database) = Connection::open_with_flags(path, flags) else {
        return 0;
    };
    let sql = "SELECT doc ->> '$.documents' FROM authsome_restores";
    // No table yet, or no row any more.
    database.query_row(sql, [], |row| row.get(0)).unwrap_or(0)
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

    /// `kill -9`, again and again, whenever it has come further.
    async fn a_restore_that_is_killed_goes_on_where_it_was(home: Home) {
        let source = Home::embedded();
        source.bootstrap(&["--app", "Shop"]);
        has_three_thousand_users(&source);
        let taken = source.run(&["backup", "shop.backup"]);
        let archive = path(&source, "shop.backup");
        let home = given(home, &source);

        let mut kills = Vec::new();
        let restored = loop {
            let mut restore = home.command(&["restore", &archive]);
            let mut restore = restore.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a restore");
            let known = kills.last().copied().unwrap_or_default();
            let ended = eventually("it ends, or more is there", async || {
                let ended = restore.try_wait().expect("a child of ours").is_some();
                let is_further = kills.len() < 4 && brought(&home).await > known;
                (ended || is_further).then_some(ended)
            });
            if ended.await {
                break restore.wait_with_output().expect("a restore");
            }
            restore.kill().expect("it is killed");
            restore.wait().expect("it is gone");
            kills.push(brought(&home).await);
            let examined = home.run(&["doctor"]);
            assert!(examined.out.contains("not all there yet"), "{examined:?}");
        };

        assert!(restored.status.success() && kills.len() > 2, "{kills:?}: {restored:?}");
        let last = kills.last().copied().unwrap_or_default();
        let said = String::from_utf8(restored.stdout).expect("text");
        assert!(last == 0 || said.contains(&format!("{last} documents were there already")), "{said}");
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
    let left = home.folder().join("a.backup.partial");
    fs::write(left, "what a killed run has left\n").expect("a file can be written");
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
    assert_eq!(drafts(&home), 0);
}

/// Whoever may write in the folder can have been there first, and gets nothing of the backup by it.
#[test]
fn what_stands_where_a_backup_is_drafted_is_neither_followed_nor_written_in() {
    let home = Home::embedded();
    home.bootstrap(&["--app", "Shop"]);
    let there = path(&home, "a.backup.partial");
    fs::write(&there, "mine").expect("a file can be written");
    let mut open = File::open(&there).expect("a file");
    let elsewhere = path(&home, "elsewhere");
    fs::write(&elsewhere, "mine").expect("a file can be written");
    symlink(&elsewhere, path(&home, "b.backup.partial")).expect("a link can be made");

    let over_a_file = home.run(&["backup", "a.backup"]);
    let over_a_link = home.run(&["backup", "b.backup"]);

    done(&over_a_file);
    done(&over_a_link);
    let mut kept = String::new();
    open.read_to_string(&mut kept).expect("text");
    assert_eq!(kept, "mine");
    assert_eq!(fs::read_to_string(&elsewhere).expect("text"), "mine");
    let backup = fs::symlink_metadata(path(&home, "b.backup"));
    assert!(backup.expect("a backup").is_file());
    assert_eq!(drafts(&home), 0);
}

#[test]
fn a_backup_that_fails_leaves_nothing() {
    let home = Home::embedded();
    home.bootstrap(&["--app", "Shop"]);
    let other = "YW5vdGhlciBlbmNyeXB0aW9uIGtleSBvZiBhIHRlc3Q=";
    let home = home.with("SECURITY__ENCRYPTION_KEY", other);

    let failed = home.run(&["backup", "shop.backup"]);

    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.err.contains("another encryption key"), "{failed:?}");
    assert_eq!(drafts(&home), 0);
    assert!(!home.folder().join("shop.backup").exists());
}

/// RACE: between judging a file and bringing it, its name comes to stand for another one. The lock on
/// the database holds the restore up in between.
#[test]
fn what_was_judged_is_brought_whatever_its_name_stands_for_by_then() {
    run(async {
        let source = Home::embedded();
        source.bootstrap(&["--app", "Shop"]);
        let first = source.run(&["backup", "first.backup"]);
        source.bootstrap(&["--app", "Later"]);
        let second = source.run(&["backup", "second.backup"]);
        assert_ne!(counts(done(&first)), counts(done(&second)));
        let home = given(Home::embedded(), &source);
        let name = home.folder().join("shop.backup");
        symlink(path(&source, "first.backup"), &name).expect("a link can be made");
        let data = home.folder().join("authsome-data");
        fs::create_dir(&data).expect("a folder can be made");
        let database = data.join("authsome.db");
        let lock = Connection::open(&database).expect("a database");
        let locked = lock.execute_batch("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;");
        locked.expect("a lock");

        let mut restore = home.command(&["restore", "shop.backup"]);
        let restore = restore.stdout(Stdio::piped()).stderr(Stdio::piped());
        let restore = restore.spawn().expect("a restore");
        let database = database.canonicalize().expect("a path");
        let is_judged = async || has_open(&restore, &database).then_some(());
        eventually("the file is judged", is_judged).await;
        fs::remove_file(&name).expect("a link can be removed");
        symlink(path(&source, "second.backup"), &name).expect("a link can be made");
        drop(lock);

        let output = restore.wait_with_output().expect("a restore");
        assert!(output.status.success(), "{output:?}");
        let there = home.run(&["backup", "there.backup"]);
        assert_eq!(counts(done(&there)), counts(&first.out));
    });
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
