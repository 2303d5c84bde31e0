//! Starts that are refused: each ends at once, with a sentence that says what to do.

use std::fs;
use std::process::{Child, Command, Stdio};

use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, IndexOptions};
use mongodb::{Client, IndexModel};
use tempfile::TempDir;

use super::provided;
use super::server::{Home, PASSWORD, Ran, eventually, free_port, text};
use crate::support::client::Asks;
use crate::support::stores::run;

/// Standard error of a start that must end with this code.
async fn refused(home: &Home, code: i32) -> String {
    let mut process = home.start();
    let status = process.ended().await;
    let log = process.log();
    assert_eq!(status.code(), Some(code), "{log}");
    assert_eq!(process.said(), "");
    log
}

#[test]
fn secrets_are_not_made_up_on_mongodb() {
    run(async {
        for missing in [
            "SECURITY__ENCRYPTION_KEY",
            "SECURITY__REFRESH_SECRET",
            "SECURITY__PEPPER",
        ] {
            let home = Home::on_mongodb().without(missing);

            let log = refused(&home, 2).await;

            assert!(log.contains(&format!("AUTHSOME_{missing}")), "{log}");
            assert!(log.contains("openssl rand"), "{log}");
        }
    });
}

#[test]
fn a_setting_that_is_none_is_named_with_the_nearest() {
    run(async {
        for (given, nearest) in [
            ("SERVER__BNID", "AUTHSOME_SERVER__BIND"),
            ("SEVER__BIND", "AUTHSOME_SERVER__BIND"),
            ("SECURITY__BCRYPT", "AUTHSOME_SECURITY__BCRYPT_COST"),
            ("TOKENS__ACCES_TTL", "AUTHSOME_TOKENS__ACCESS_TTL"),
        ] {
            let home = Home::embedded().with(given, "1");

            let log = refused(&home, 2).await;

            let sentence = format!("AUTHSOME_{given} is not a setting; did you mean {nearest}?");
            assert!(log.contains(&sentence), "{log}");
        }
    });
}

#[test]
fn a_mistyped_line_of_the_file_is_named_with_the_nearest() {
    run(async {
        let home = Home::embedded();
        fs::write(
            home.folder().join("authsome.toml"),
            "[server]\nbase_pth = \"/auth\"\n",
        )
        .unwrap();

        let log = refused(&home, 2).await;

        assert!(
            log.contains("base_pth") && log.contains("base_path"),
            "{log}"
        );
    });
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let home = Home::embedded();
    let says = |home: &Home, arguments: &[&str]| {
        let ran = home.run(arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let at = ran.out.find("curl -sS ").expect("a curl line") + "curl -sS ".len();
        ran.out[at..]
            .split("/v1/")
            .next()
            .expect("a path")
            .to_owned()
    };
    let named = home.folder().join("named.toml");
    let file = |url: &str| format!("[server]\npublic_url = \"{url}\"\n");

    assert_eq!(says(&home, &["bootstrap"]), home.url());
    fs::write(
        home.folder().join("authsome.toml"),
        file("https://by-file.example"),
    )
    .unwrap();
    assert_eq!(says(&home, &["bootstrap"]), "https://by-file.example");
    fs::write(&named, file("https://by-name.example")).unwrap();
    let by_name = ["bootstrap", "--config", named.to_str().unwrap()];
    assert_eq!(says(&home, &by_name), "https://by-name.example");
    let home = home.with("SERVER__PUBLIC_URL", "https://by-variable.example");
    assert_eq!(says(&home, &by_name), "https://by-variable.example");
}

#[test]
fn secrets_can_come_from_files() {
    let home = Home::on_mongodb();
    let pepper = home.setting("SECURITY__PEPPER").unwrap().to_owned();
    let file = home.folder().join("pepper");
    fs::write(&file, format!("{pepper}\n")).unwrap();
    let first = home.bootstrap(&["--admin-password", PASSWORD]);
    let home = home.without("SECURITY__PEPPER");
    let home = home.with("SECURITY__PEPPER_FILE", file.to_str().unwrap());
    run(async {
        let server = home.serve().await;

        // The password was hashed with the pepper that was given as a variable.
        let platform = text(&first, "/platform/publishable_key");
        server
            .sign_in(&platform, &text(&first, "/admin/email"), PASSWORD)
            .await;
    });
}

#[test]
fn an_index_of_ours_with_another_definition_stops_the_start() {
    run(async {
        let home = Home::on_mongodb();
        let client = Client::with_uri_str(home.setting("STORE__URL").unwrap())
            .await
            .unwrap();
        let users = client
            .default_database()
            .unwrap()
            .collection::<Document>("authsome_users");
        let options = IndexOptions::builder()
            .name("users_created".to_owned())
            .build();
        let other = IndexModel::builder()
            .keys(doc! {"created_at": -1})
            .options(options)
            .build();
        users.create_index(other).await.unwrap();

        let log = refused(&home, 1).await;

        assert!(
            log.contains("users_created") && log.contains("drop it"),
            "{log}"
        );
    });
}

#[test]
fn every_fault_is_told_at_once_and_no_secret_with_it() {
    run(async {
        let home = Home::embedded()
            .with("SECURITY__PEPPER", "too-short-to-be-true")
            .with("TOKENS__ACCESS_TTL", "1 fortnight")
            .with("SECURITY__BCRYPT_COST", "4");

        let log = refused(&home, 2).await;

        for told in [
            "AUTHSOME_SECURITY__PEPPER",
            "1 fortnight",
            "AUTHSOME_SECURITY__BCRYPT_COST",
        ] {
            assert!(log.contains(told), "{told}: {log}");
        }
        assert!(!log.contains("too-short-to-be-true"), "{log}");
    });
}

#[test]
fn an_address_that_is_taken_is_said_to_be_so() {
    run(async {
        let home = Home::embedded();
        let first = home.serve().await;

        let log = refused(&home, 1).await;

        assert!(log.contains("cannot be listened on"), "{log}");
        first.get("/readyz").await.told(200);
    });
}

#[test]
fn an_unknown_command_ends_with_the_code_for_misuse() {
    let Ran { code, err, .. } = Home::embedded().run(&["sreve"]);

    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("serve"), "{err}");
}

/// A `mongod` without a replica set, ended with the test.
struct Standalone {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Drop for Standalone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn standalone() -> Standalone {
    let folder = TempDir::new().unwrap();
    let port = free_port();
    let child = Command::new(provided("MONGOD"))
        .args([
            "--bind_ip",
            "127.0.0.1",
            "--nounixsocket",
            "--port",
            &port.to_string(),
        ])
        .args(["--wiredTigerCacheSizeGB", "0.25", "--dbpath"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mongod can be started");
    let url = format!("mongodb://127.0.0.1:{port}/authsome");
    let standalone = Standalone {
        child,
        url,
        _folder: folder,
    };
    let options = ClientOptions::parse(&standalone.url).await.unwrap();
    let client = Client::with_options(options).unwrap();
    eventually("mongod answers", async || {
        let hello = client
            .database("admin")
            .run_command(doc! {"hello": 1})
            .await;
        hello.ok().map(drop)
    })
    .await;
    standalone
}

#[test]
fn a_mongod_without_a_replica_set_is_refused_with_the_way_to_one() {
    run(async {
        let mongod = standalone().await;
        let home = Home::on_mongodb().with("STORE__URL", &mongod.url);

        let log = refused(&home, 1).await;

        assert!(log.contains("standalone"), "{log}");
        assert!(
            log.contains("--replSet") && log.contains("rs.initiate()"),
            "{log}"
        );
    });
}

/// A server waits for its database; a command says that it is away.
#[test]
fn a_command_without_its_database_ends_within_seconds() {
    let nobody = format!("mongodb://127.0.0.1:{}/authsome", free_port());
    let home = Home::on_mongodb().with("STORE__URL", nobody);

    let Ran { code, err, .. } = home.run(&["migrate"]);

    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("unavailable"), "{err}");
}
