//! The doctor: one thing is broken at a time, and he says which, and what to do.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use authsome::kernel::entropy::Entropy;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use rusqlite::Connection;
use serde_json::Value;

use super::server::{Home, Ran};
use crate::support::smtp::MailServer;
use crate::support::stores::{Backend, on_both_stores, run};

const LOGIN_SECRET: &str = "four-hushed-otters-2207";

/// An installation with nothing to complain of but that its letters are files.
struct Sound(Home);

impl Sound {
    async fn on(backend: Backend) -> Self {
        let home = Home::on(backend).await;
        let home = home.with("SERVER__PUBLIC_URL", "https://id.shop.example");
        home.bootstrap(&["--app", "Shop"]);
        Self(home)
    }
}

/// What he found, as JSON; he must have been able to tell.
fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {ran:?}"))
}

/// The lines of one check: `status: detail → advice`.
fn lines(ran: &Ran, check: &str) -> Vec<String> {
    let report = report(ran);
    let all = report["checks"].as_array().expect("checks");
    let own = all.iter().filter(|it| it["check"] == check);
    own.map(|it| {
        let text = |name: &str| it[name].as_str().unwrap_or("nothing").to_owned();
        format!(
            "{}: {} → {}",
            text("status"),
            text("detail"),
            text("advice")
        )
    })
    .collect()
}

fn examined(home: &Home) -> Ran {
    home.run(&["doctor", "--json"])
}

#[track_caller]
fn assert_says(ran: &Ran, check: &str, words: &[&str]) {
    let lines = lines(ran, check);
    let says = |line: &String| words.iter().all(|word| line.contains(word));
    assert!(lines.iter().any(says), "{words:?} in {lines:?}\n{ran:?}");
}

/// Changes the database behind the back of the binary: by a command of MongoDB, or in SQL.
async fn changes(home: &Home, command: Document, sql: &str) {
    if let Some(url) = home.setting("STORE__URL") {
        let client = Client::with_uri_str(url).await.expect("the server answers");
        let database = client.default_database().expect("the URL names one");
        let done = database.run_command(command).await;
        done.expect("a command that can be done");
    } else {
        let file = home.folder().join("authsome-data/authsome.db");
        let database = Connection::open(file).expect("a database");
        database.execute_batch(sql).expect("SQL that can be done");
    }
}

async fn drops_index(home: &Home, collection: &str, index: &str) {
    let command = doc! {"dropIndexes": collection, "index": index};
    changes(home, command, &format!("DROP INDEX {index}")).await;
}

async fn replaces_index(home: &Home, collection: &str, index: &str) {
    drops_index(home, collection, index).await;
    let key = doc! {"key": {"another": 1}, "name": index};
    let command = doc! {"createIndexes": collection, "indexes": [key]};
    let sql = format!("CREATE INDEX {index} ON {collection} (id)");
    changes(home, command, &sql).await;
}

on_both_stores! {
    async fn what_is_sound_is_told_line_by_line(home: Sound) {
        let home = home.0;

        let ran = examined(&home);

        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(report(&ran)["status"], "warn");
        for check in ["store", "indexes", "clock", "signing keys", "encryption keys", "pepper", "refresh secret", "outbox", "webhooks"] {
            assert_says(&ran, check, &["ok: "]);
        }
        assert_says(&ran, "mail", &["warn: ", "files", "AUTHSOME_MAIL__URL"]);
        assert!(ran.err.is_empty(), "{ran:?}");
        let text = home.run(&["doctor"]);
        assert_eq!(text.code, Some(0), "{text:?}");
        assert!(text.out.contains("\nok    indexes "), "{}", text.out);
        assert!(text.out.ends_with(", 0 fail\n"), "{}", text.out);
    }

    async fn he_looks_also_while_a_server_runs_and_changes_nothing(home: Sound) {
        let home = home.0;
        let server = home.serve().await;
        let index = "notifications_due";
        drops_index(&home, "authsome_notifications", index).await;

        for _ in 0..2 {
            let ran = examined(&home);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            let missing = "the index notifications_due of authsome_notifications is missing";
            assert_says(&ran, "indexes", &["fail: ", missing, "authsome migrate"]);
            assert_says(&ran, "store", &["ok: "]);
        }

        drop(server);
        assert_eq!(home.run(&["migrate"]).code, Some(0));
        assert_eq!(examined(&home).code, Some(0));
    }

    async fn an_index_with_another_definition_is_told(home: Sound) {
        let home = home.0;
        replaces_index(&home, "authsome_users", "users_email").await;

        let ran = examined(&home);

        assert_eq!(ran.code, Some(1), "{ran:?}");
        let differs = "the index users_email of authsome_users has another definition";
        assert_says(&ran, "indexes", &["fail: ", differs, "drop it"]);
    }

    /// Keys that open under no encryption key that is left, and those that wait to be sealed anew.
    async fn encryption_keys_that_are_missing_or_old_are_told(home: Sound) {
        let home = home.0;
        let file = home.folder().join("authsome-data/encryption.key");
        let before = home.setting("SECURITY__ENCRYPTION_KEY").map(str::to_owned);
        let before = before.unwrap_or_else(|| fs::read_to_string(&file).expect("a key").trim().to_owned());
        let another = Entropy::system().token();

        let home = home.with("SECURITY__ENCRYPTION_KEY", &another);
        let lost = examined(&home);
        let home = home.with("SECURITY__ENCRYPTION_KEY", format!("{another},{before}"));
        let old = examined(&home);
        assert_eq!(home.run(&["keys", "reseal"]).code, Some(0));
        let anew = examined(&home);

        assert_eq!((lost.code, old.code, anew.code), (Some(1), Some(0), Some(0)), "{lost:?}");
        assert_says(&lost, "signing keys", &["fail: ", "is not configured", "AUTHSOME_SECURITY__ENCRYPTION_KEY"]);
        assert_says(&lost, "encryption keys", &["fail: ", "private_key of authsome_signing_keys"]);
        assert_says(&old, "encryption keys", &["warn: ", "under an older key", "authsome keys reseal"]);
        assert_says(&anew, "encryption keys", &["ok: "]);
        for ran in [lost, old, anew] {
            assert!(!ran.out.contains(&another) && !ran.out.contains(&before), "{ran:?}");
        }
    }
}

on_both_stores! {
    /// Nothing else says why no password is right any more.
    async fn secrets_that_are_others_than_the_store_was_filled_under_are_told(home: Sound) {
        let [pepper, refresh] = [(); 2].map(|()| Entropy::system().token());
        let home = home.0.with("SECURITY__PEPPER", &pepper).with("SECURITY__REFRESH_SECRET", &refresh);

        let before = examined(&home);
        let server = home.serve().await;
        let log = server.process.log();
        drop(server);
        let after = examined(&home);
        assert_eq!(home.run(&["keys", "accept-pepper"]).code, Some(0));
        assert_says(&examined(&home), "pepper", &["ok: "]);

        assert_eq!((before.code, after.code), (Some(1), Some(1)), "{before:?}");
        assert_says(&before, "pepper", &["fail: ", "none is right", "AUTHSOME_SECURITY__PEPPER"]);
        assert_says(&before, "refresh secret", &["warn: ", "every node the same"]);
        assert_says(&after, "pepper", &["fail: "]);
        // The node that has started has made it the store's.
        assert_says(&after, "refresh secret", &["ok: "]);
        for said in [" ERROR ", "none is right", " WARN ", "open links are void"] {
            assert!(log.contains(said), "{log}");
        }
        assert!([before.out, after.out, log].iter().all(|it| !it.contains(&pepper) && !it.contains(&refresh)));
    }
}

#[test]
fn letters_cannot_become_files_below_a_file() {
    let home = Home::embedded();
    let file = home.folder().join("file");
    fs::write(&file, "").expect("a file in a folder of ours");
    let home = home.with("MAIL__URL", format!("file:{}", file.join("mail").display()));
    home.bootstrap(&[]);

    let ran = examined(&home);

    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_says(&ran, "mail", &["fail: ", "is no folder", "can write"]);
}

#[test]
fn before_the_first_start_there_is_nothing_and_nothing_is_made() {
    let home = Home::embedded();

    let ran = examined(&home);

    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_says(&ran, "store", &["ok: there is no database yet"]);
    assert_says(
        &ran,
        "configuration",
        &["warn: server.public_url is not set"],
    );
    let left = fs::read_dir(home.folder()).expect("a folder").count();
    assert_eq!(left, 0, "the doctor makes nothing");
}

#[test]
fn a_configuration_that_cannot_be_used_is_told_like_anything_else() {
    let home = Home::embedded()
        .with("SERVER__BNID", "127.0.0.1:1")
        .with("SECURITY__PEPPER", "changeme-changeme-changeme-changeme");

    let ran = examined(&home);

    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_says(
        &ran,
        "configuration",
        &["fail: ", "AUTHSOME_SERVER__BNID", "AUTHSOME_SERVER__BIND"],
    );
    assert_says(
        &ran,
        "configuration",
        &["fail: ", "AUTHSOME_SECURITY__PEPPER", "an example"],
    );
    assert!(!ran.out.contains("changeme"), "{ran:?}");
}

#[test]
fn an_address_without_encryption_and_weak_secrets_are_told() {
    let text = "abcdefg".repeat(6);
    let home = Home::embedded()
        .with("SERVER__PUBLIC_URL", "http://auth.example.com")
        .with("SECURITY__REFRESH_SECRET", &text)
        .with("SECURITY__PEPPER", &text);

    let ran = examined(&home);

    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_says(
        &ran,
        "configuration",
        &["warn: ", "http://auth.example.com", "unencrypted"],
    );
    assert_says(
        &ran,
        "configuration",
        &["fail: security.pepper is made of a few characters"],
    );
    assert_says(
        &ran,
        "configuration",
        &["warn: ", "are the same text", "openssl rand"],
    );
    assert!(!ran.out.contains(&text), "{ran:?}");
}

#[test]
fn a_database_that_does_not_answer_is_told_and_its_password_is_not() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let url = format!(
        "mongodb://mia:{LOGIN_SECRET}@127.0.0.1:{port}/authsome?replicaSet=rs0&serverSelectionTimeoutMS=500"
    );
    let secret = || Entropy::system().token();
    let home = Home::embedded()
        .with("STORE__URL", url)
        .with("SECURITY__ENCRYPTION_KEY", secret())
        .with("SECURITY__REFRESH_SECRET", secret())
        .with("SECURITY__PEPPER", secret());

    let ran = examined(&home);

    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_says(
        &ran,
        "store",
        &["fail: ", "does it run", "AUTHSOME_STORE__URL"],
    );
    assert!(
        !ran.out.contains(LOGIN_SECRET) && !ran.err.contains(LOGIN_SECRET),
        "{ran:?}"
    );
}

#[test]
fn secrets_that_are_missing_beside_their_database_are_told_and_not_made() {
    run(async {
        let home = Sound::on(Backend::Sqlite).await.0;
        let file = home.folder().join("authsome-data/pepper");
        fs::remove_file(&file).expect("a pepper");

        let ran = examined(&home);

        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_says(&ran, "encryption keys", &["fail: ", "pepper", "backup"]);
        assert!(!file.exists());
    });
}

#[test]
fn a_folder_that_others_can_read_is_told() {
    run(async {
        let home = Sound::on(Backend::Sqlite).await.0;
        let folder = home.folder().join("authsome-data");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("its owner may");

        let ran = examined(&home);

        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_says(&ran, "data directory", &["warn: ", "755", "chmod 700"]);
    });
}

#[test]
fn a_mail_server_is_greeted_and_logged_in_at_and_gets_no_letter() {
    let login = format!("authsome:{LOGIN_SECRET}");
    let mail = MailServer::start(&["--tls", "starttls", "--login", &login]);
    let to = |login: &str| {
        Home::embedded()
            .with(
                "MAIL__URL",
                format!("smtp://{login}@localhost:{}?tls=required", mail.port),
            )
            .with("MAIL__CA_FILE", mail.ca_file().to_string_lossy())
            .with("MAIL__FROM", "Shop <no-reply@shop.example>")
    };

    let right = examined(&to(&login));
    let wrong = examined(&to("authsome:another-secret-3119"));
    let untrusted = examined(&to(&login).without("MAIL__CA_FILE"));
    let nameless = examined(&to(&login).without("MAIL__FROM"));

    assert_eq!(right.code, Some(0), "{right:?}");
    assert_says(&right, "mail", &["ok: localhost port", "takes letters"]);
    assert_eq!((wrong.code, untrusted.code), (Some(1), Some(1)));
    assert_says(&wrong, "mail", &["fail: ", "the user or the password"]);
    assert_says(&untrusted, "mail", &["fail: ", "AUTHSOME_MAIL__CA_FILE"]);
    assert_says(
        &nameless,
        "mail",
        &["warn: ", "no-reply@localhost", "AUTHSOME_MAIL__FROM"],
    );
    assert!(mail.received().is_empty());
    for ran in [right, wrong, untrusted, nameless] {
        assert!(
            !ran.out.contains(LOGIN_SECRET) && !ran.out.contains("another-secret"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_mail_server_that_nobody_reaches_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let home = Home::embedded().with("MAIL__URL", format!("smtp://127.0.0.1:{port}"));

    let ran = examined(&home);

    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_says(&ran, "mail", &["fail: ", "connection refused", "firewall"]);
}
