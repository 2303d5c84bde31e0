//! What comes all at once, what comes from another version of the server, and days that break clocks.

use std::time::{Duration, Instant};

use authsome::kernel::time::Timestamp;
use authsome::sessions::Session;
use authsome::store::{Entity, Field, Filter, by_id};
use authsome::users::User;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{NEW_YEAR, TestApp};
use crate::support::client::Asks;
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::raw;
use crate::support::stores::on_both_stores;

/// A field that a later version has added, which this one knows nothing of.
fn of_tomorrow<E: Entity>() -> Field<E, String> {
    Field::at("of_tomorrow")
}

/// Writes the field into a document, as a node of the later version would.
macro_rules! write_tomorrow {
    ($tx:expr, $entity:ty, $id:expr) => {{
        let set = of_tomorrow::<$entity>().set("kept".to_owned());
        let written = $tx.update_one::<$entity>(by_id($id), set).await;
        written.expect("the store answers").expect("it is there");
    }};
}

on_both_stores! {
    /// RL-13. While an older and a newer version serve together, each writes what the other has made.
    async fn what_a_later_version_has_written_stays_where_an_older_one_writes(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (tenant, user, session) = (mia.door.tenant(), mia.id.clone(), mia.session_id());
        let mut once = app.store().once();
        write_tomorrow!(once.within(mia.door.app()), User, &user);
        write_tomorrow!(once.within(tenant), Session, &session);

        mia.patch("/v1/me").json(json!({"first_name": "Mia"})).await.told(200);
        mia.refreshes().await.told(200);
        mia.visitor().signs_in(&mia.email, PASSWORD).await.told(200);
        let key = app.key();
        let _ = key.bans(&user, json!({"reason": "RL-13"})).await.expect(200);
        let _ = key.unbans(&user).await.expect(200);

        let kept = || "kept".to_owned();
        let of_user: Filter<User> = by_id(&user) & of_tomorrow().eq(kept());
        let of_session: Filter<Session> = by_id(&session) & of_tomorrow().eq(kept());
        let found = once.within(mia.door.app()).count(of_user).await.expect("the store answers");
        assert_eq!(found, 1, "the account");
        let found = once.within(tenant).count(of_session).await.expect("the store answers");
        assert_eq!(found, 1, "the session");
    }

    /// RL-23. After an outage everybody comes back at once, and each is let in.
    async fn everybody_may_come_back_at_once(app: TestApp) {
        let mut people = Vec::new();
        for nth in 0..50 {
            people.push(app.person(&format!("person-{nth}@example.org")).await);
        }
        let began = Instant::now();

        let back = join_all(people.iter().map(Person::refreshes)).await;

        assert!(back.iter().all(|reply| reply.status == 200));
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        join_all(people.iter().map(|person| async { person.me().await.told(200) })).await;
    }

    /// RL-15. 2038 is over in every test; this is about leap days, centuries and what follows them.
    async fn a_day_that_breaks_clocks_breaks_nothing(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let days = [
            "2040-02-29T23:59:59.999Z", "2040-03-25T00:59:59Z", "2099-12-31T23:59:59.999Z",
            "2100-02-28T23:59:59.999Z", "2106-02-07T06:28:15Z", "2400-02-29T12:00:00Z",
        ];
        let mut now = NEW_YEAR;
        for (nth, day) in days.iter().enumerate() {
            let then: Timestamp = day.parse().expect("a time");
            app.clock.advance(then.since(now));
            now = then;
            let person = visitor.becomes(&format!("person-{nth}@example.org"), json!({})).await;

            assert_eq!(person.claims()["exp"], json!(now.as_secs() + 900), "{day}");
            assert_eq!(person.me().await.told(200)["created_at"], json!(now.to_string()), "{day}");
            app.clock.advance(Duration::from_secs(2));
            now = now.plus(Duration::from_secs(2));
            person.refreshes().await.told(200);
            assert_eq!(person.claims()["iat"], json!(now.as_secs()), "{day}");
        }
    }

    /// DO-04. By its length alone: whatever a route is for, and whoever asks.
    async fn no_route_takes_ten_mebibytes_or_what_is_packed(app: TestApp) {
        let document = app.get("/.well-known/authsome/openapi").await.told(200);
        let key = &app.own.development.secret_key;
        let (mut refused, mut unpacked) = (0, 0);
        for (method, path) in with_bodies(&document) {
            let ask = |lines: [String; 2]| {
                let began = Instant::now();
                let lines = [&lines[..], &[format!("X-API-Key: {key}")]].concat();
                let reply = raw::examined(app.client().address(), &raw::request(&format!("{method} {path}"), &lines, b""));
                assert!(began.elapsed() < Duration::from_secs(5), "{method} {path}");
                reply.status
            };

            let long = ask(["Content-Type: application/json".into(), "Content-Length: 10485760".into()]);
            let packed = ask(["Content-Type: application/json\r\nContent-Encoding: gzip".into(), "Content-Length: 1000".into()]);

            assert!([401, 403, 404, 413].contains(&long), "{method} {path}: {long}");
            assert!([401, 403, 404, 415].contains(&packed), "{method} {path}: {packed}");
            refused += u32::from(long == 413);
            unpacked += u32::from(packed == 415);
        }
        assert!(refused > 20 && unpacked > 20, "{refused} {unpacked}");
    }
}

/// The operations of a document that have a body, with identifiers that are nobody's.
fn with_bodies(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut all = Vec::new();
    for (path, methods) in paths {
        let methods = methods.as_object().into_iter().flatten();
        for (method, _) in methods.filter(|(_, it)| it.get("requestBody").is_some()) {
            let parameter = |part: &str| {
                if part.starts_with('{') {
                    return "nobody".to_owned();
                }
                part.to_owned()
            };
            let path: Vec<String> = path.split('/').map(parameter).collect();
            all.push((method.to_uppercase(), path.join("/")));
        }
    }
    assert!(all.len() > 40, "{all:?}");
    all
}
