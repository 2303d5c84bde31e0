//! The first start on an empty store: what it makes, what it prints, and what it prints once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::server::{Home, Server, eventually, text};
use super::succeeds;
use crate::support::client::Asks;
use crate::support::stores::{on_both_stores, run};

/// What follows a word in a text that people read.
fn after(text: &str, word: &str) -> String {
    let rest = text
        .split_once(word)
        .unwrap_or_else(|| panic!("no {word} in {text}"))
        .1;
    rest.split_whitespace()
        .next()
        .expect("something follows")
        .to_owned()
}

/// The curl commands of a text, each with its continuation lines.
fn curl_lines(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        match found.last_mut() {
            Some(command) if goes_on => command.extend(["\n", line]),
            _ if line.trim_start().starts_with("curl ") => found.push(line.to_owned()),
            _ => {}
        }
        goes_on =
            line.ends_with('\\') && found.last().is_some_and(|command| command.ends_with(line));
    }
    found
}

on_both_stores! {
    async fn the_curl_lines_work_as_they_are_printed(home: Home) {
        let server = home.serve().await;

        let lines = curl_lines(&server.process.said());

        assert_eq!(lines.len(), 2, "{}", server.process.said());
        for line in lines {
            let answer = succeeds(Command::new("sh").args(["-c", &line]));
            let answer: Value = serde_json::from_str(&answer).expect("an answer in JSON");
            assert!(answer["access_token"].is_string(), "{line}\n{answer}");
        }
    }

    async fn what_is_printed_opens_what_it_says(home: Home) {
        let server = home.serve().await;
        let said = server.process.said();
        let (_, development) = said.split_once("\ndevelopment").expect("the default environment");
        let (development, operator) = development.split_once("\noperator").expect("the operator");

        let secret = after(development, "secret key");
        server.get("/v1/admin/users").api_key(&secret).await.told(200);

        let email = operator.split_whitespace().next().expect("an address");
        let (key, password) = (after(operator, "publishable key"), after(operator, "password"));
        server.sign_in(&key, email, &password).await;
    }

    async fn a_second_start_prints_no_secret_and_makes_nothing(home: Home) {
        let mut first = home.serve().await;
        assert!(first.process.said().contains("sk_"));
        first.process.signal(Signal::TERM);
        assert!(first.process.ended().await.success());
        let before = home.bootstrap(&[]);

        let second = home.serve().await;

        let said = second.process.said();
        assert!(!said.contains("sk_") && !said.contains("password"), "{said}");
        assert_eq!(home.bootstrap(&[]), before);
    }
}

#[test]
fn secrets_that_are_made_are_nobody_elses_to_read() {
    run(async {
        let home = Home::embedded();
        let _server = home.serve().await;

        let data = home.folder().join("authsome-data");

        let mode = |path: &std::path::Path| {
            let about =
                fs::metadata(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            about.permissions().mode() & 0o777
        };
        assert_eq!(mode(&data), 0o700);
        for secret in ["encryption.key", "refresh.secret", "pepper"] {
            assert_eq!(mode(&data.join(secret)), 0o600, "{secret}");
        }
    });
}

/// A database without the secrets that filled it would refuse every password and open no key.
#[test]
fn a_database_whose_secret_is_gone_is_not_served() {
    run(async {
        let home = Home::embedded();
        home.bootstrap(&[]);
        fs::remove_file(home.folder().join("authsome-data/pepper")).expect("the pepper is there");

        let mut process = home.start();

        assert_eq!(process.ended().await.code(), Some(2));
        let log = process.log();
        assert!(
            log.contains("pepper") && log.contains("AUTHSOME_SECURITY__PEPPER"),
            "{log}"
        );
    });
}

/// Of any number of nodes on an empty database, one makes what the others find.
#[test]
fn five_servers_that_start_at_once_on_one_empty_database_agree() {
    run(async {
        // Nodes of one installation have one name, which their tokens say.
        let home = Home::on_mongodb().with("SERVER__PUBLIC_URL", "https://auth.example.com");
        let mut started = Vec::new();
        for _ in 0..5 {
            home.move_on();
            started.push((home.start(), home.url()));
        }

        let mut servers = Vec::new();
        for (process, url) in started {
            servers.push(
                Server::ready(process, url)
                    .await
                    .expect("a port of its own"),
            );
        }

        let tellers: Vec<_> = servers
            .iter()
            .map(|server| server.process.said())
            .filter(|said| said.contains("sk_"))
            .collect();
        assert_eq!(tellers.len(), 1, "{tellers:?}");
        let told = home.bootstrap(&[]);
        assert!(told.get("secret_key").is_none(), "{told}");
        let key = text(&told, "/publishable_key");
        assert!(tellers[0].contains(&key), "{key} is not in {}", tellers[0]);
        let token = servers[0].sign_up(&key, "mia@example.org").await;
        let token = text(&token, "/access_token");
        for server in &servers {
            eventually("every node accepts the token", async || {
                (server.me(&token).await.status == 200).then_some(())
            })
            .await;
        }
    });
}

#[test]
fn curl_lines_are_found_with_their_continuations() {
    let text = "Sign up:\n\ncurl -sS a \\\n  -H 'b' \\\n  -d 'c'\n\ncurl -sS d\nnot this";

    assert_eq!(
        curl_lines(text),
        ["curl -sS a \\\n  -H 'b' \\\n  -d 'c'", "curl -sS d"]
    );
}
