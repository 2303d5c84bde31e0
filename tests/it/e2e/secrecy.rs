//! The log: one line a request, and nothing in it that is anybody else's business.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::server::{Home, PASSWORD, Server, text};
use crate::support::client::Asks;
use crate::support::stores::{on_both_stores, run};

const EMAIL: &str = "mia.secretive@example.org";
const OTHERS: &str = "noah.unknown@example.org";
const WRONG: &str = "a wrong password 7715";
const PHONE: &str = "+4930123456789";
const CLIENT: &str = "203.0.113.77";

/// A day of a user and an administrator, with mistakes; every secret that was used.
async fn a_day(server: &Server, told: &Value) -> Vec<String> {
    let (key, secret) = (text(told, "/publishable_key"), text(told, "/secret_key"));
    let account = json!({"email": EMAIL, "password": PASSWORD, "phone": PHONE});
    let made = server
        .post_at(&key, "/v1/signup", account)
        .header("x-forwarded-for", CLIENT)
        .await;
    let first = made.told(201);
    for (email, password) in [(EMAIL, WRONG), (OTHERS, PASSWORD)] {
        let wrong = json!({"email": email, "password": password});
        server
            .post_at(&key, "/v1/signin", wrong)
            .await
            .refuses(401, "invalid_credentials");
    }
    let bad = json!({"email": EMAIL, "password": PASSWORD, "nickname": PASSWORD});
    server
        .post_at(&key, "/v1/signup", bad)
        .await
        .refuses(400, "unknown_field");
    let second = server.sign_in(&key, EMAIL, PASSWORD).await;
    let refresh = json!({"refresh_token": text(&second, "/refresh_token")});
    let fresh = server
        .post_at(&key, "/v1/refresh", refresh.clone())
        .await
        .told(200);
    server
        .post_at(&key, "/v1/refresh", refresh)
        .await
        .refuses(401, "refresh_token_reused");
    server.me(&text(&first, "/access_token")).await.told(200);
    let forged = format!("{}x", text(&first, "/access_token"));
    server.me(&forged).await.refuses(401, "invalid_token");
    let found = server
        .get(&format!("/v1/admin/users?email={EMAIL}"))
        .api_key(&secret)
        .await;
    assert_eq!(found.told(200)["users"][0]["phone"], PHONE);
    let in_the_query = format!("/v1/me?access_token={}", text(&first, "/access_token"));
    server
        .get(&in_the_query)
        .await
        .refuses(401, "unauthenticated");
    let tokens = [&first, &second, &fresh].into_iter();
    let tokens = tokens.flat_map(|it| [text(it, "/access_token"), text(it, "/refresh_token")]);
    tokens
        .chain([secret, text(told, "/admin/password"), forged])
        .collect()
}

/// What a log must not hold, with what it is.
fn forbidden(home: &Home, used: Vec<String>) -> Vec<(&'static str, String)> {
    // A token is as good without its last part: what is logged of it can be cut anywhere.
    let parts = used
        .iter()
        .flat_map(|token| token.split('.').skip(1))
        .map(str::to_owned);
    let parts = parts.filter(|part| part.len() > 20).collect::<Vec<_>>();
    let named = |what: &'static str| move |text: String| (what, text);
    let mut all: Vec<_> = used.into_iter().map(named("a secret")).collect();
    all.extend(parts.into_iter().map(named("a part of a token")));
    let personal = [
        PASSWORD,
        WRONG,
        EMAIL,
        OTHERS,
        PHONE,
        "mia.secretive",
        CLIENT,
    ];
    all.extend(personal.map(str::to_owned).map(named("a word of a person")));
    let given = [
        "SECURITY__ENCRYPTION_KEY",
        "SECURITY__REFRESH_SECRET",
        "SECURITY__PEPPER",
    ];
    let given = given
        .into_iter()
        .filter_map(|name| home.setting(name))
        .map(str::to_owned);
    all.extend(given.map(named("a secret of the installation")));
    all
}

on_both_stores! {
    async fn not_even_at_its_most_talkative_does_the_log_tell_secrets_or_addresses(home: Home) {
        let home = home
            .with("LOG__LEVEL", "trace")
            .with("LOG__FORMAT", "json")
            .with("SERVER__TRUSTED_PROXIES", "127.0.0.1");
        let told = home.bootstrap(&[]);
        let mut server = home.serve().await;

        let used = a_day(&server, &told).await;

        server.process.signal(Signal::TERM);
        server.process.ended().await;
        let log = server.process.log();
        let is_talkative = log.contains("/v1/signup") && log.contains("/v1/refresh");
        assert!(is_talkative, "nothing is logged: {log}");
        for (what, text) in forbidden(&home, used) {
            let line = log.lines().find(|line| line.contains(&text));
            assert!(line.is_none(), "{what}, {text}, is in the log: {line:?}");
        }
    }
}

#[test]
fn a_request_has_one_line_that_names_route_status_and_identifier() {
    run(async {
        let home = Home::embedded().with("LOG__FORMAT", "json");
        let mut server = home.serve().await;

        let asked = server
            .get("/problems/email_taken?secret=of-the-query")
            .await
            .expect(200);

        let id = asked
            .header("x-request-id")
            .expect("every reply has one")
            .to_owned();
        server.process.signal(Signal::TERM);
        server.process.ended().await;
        let log = server.process.log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&id)).collect();
        assert_eq!(lines.len(), 1, "{log}");
        let line: Value = serde_json::from_str(lines[0]).expect("a line is one JSON object");
        assert_eq!(line["fields"]["route"], "/problems/{type}", "{line}");
        assert_eq!(line["fields"]["status"], 200, "{line}");
        assert!(!lines[0].contains("of-the-query"), "{line}");
    });
}

/// Standard output is for what was made; what happens is on standard error.
#[test]
fn nothing_of_a_request_is_said_on_standard_output() {
    run(async {
        let home = Home::embedded();
        let told = home.bootstrap(&[]);
        let server = home.serve().await;
        let before = server.process.said();

        a_day(&server, &told).await;

        assert_eq!(server.process.said(), before);
    });
}
