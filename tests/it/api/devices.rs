//! Devices: known by what their client keeps, never by what it calls itself.

use std::collections::HashSet;
use std::time::Duration;

use authsome::devices::Device;
use authsome::events::{Event, Name, Outcome};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::DeviceId;
use authsome::notifications::{Message, Notification};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{NEW_YEAR, TestApp};
use crate::support::client::{Asks, Reply, Request, assert_has};
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::on_both_stores;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const PHONE: &str = "my-phone-0123456789.~_";
const DAY: Duration = Duration::from_hours(24);

/// A sign-in that names its device in the body.
fn from(person: &Person, device: &str) -> Request {
    let body = json!({"email": person.email, "password": PASSWORD, "device_id": device});
    person.visitor().post("/v1/signin").json(body)
}

/// A sign-in with these lines of cookies, and no name in the body.
fn with_cookies(person: &Person, lines: &[&str]) -> Request {
    let ask = person.visitor().signs_in(&person.email, PASSWORD);
    lines
        .iter()
        .fold(ask, |ask, line| ask.header("cookie", line))
}

fn device_id(reply: &Value) -> String {
    reply["device_id"]
        .as_str()
        .expect("a name of the device")
        .to_owned()
}

fn cookie(reply: &Reply) -> Option<&str> {
    assert!(reply.headers.get_all("set-cookie").iter().count() <= 1);
    reply.header("set-cookie")
}

async fn devices(person: &Person) -> Vec<Value> {
    let told = person.get("/v1/devices").await.told(200);
    told["devices"]
        .as_array()
        .expect("a list of devices")
        .clone()
}

async fn current(person: &Person) -> Value {
    let mut all = devices(person).await;
    all.retain(|device| device["current"] == true);
    let [one] = &all[..] else { panic!("{all:?}") };
    one.clone()
}

fn path(device: &Value) -> String {
    format!(
        "/v1/devices/{}",
        device["id"].as_str().expect("an identifier")
    )
}

/// Letters about new devices.
async fn letters(app: &TestApp) -> Vec<Notification> {
    let mut all: Vec<Notification> = app.of_environment(&app.own.development).await;
    all.retain(|letter| matches!(letter.data, Message::NewDevice { .. }));
    all
}

async fn told_of(app: &TestApp, name: Name) -> Vec<Event> {
    app.events(&app.own.development, name).await
}

on_both_stores! {
    async fn a_browser_that_names_no_device_is_given_a_cookie(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let up = visitor.signs_up("mia@example.org", PASSWORD).await.expect(201);
        let into = visitor.signs_in("mia@example.org", PASSWORD).await.expect(200);

        for reply in [&up, &into] {
            let named = device_id(&reply.json());
            let expected = format!(
                "authsome_device={named}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=34560000"
            );
            assert_eq!(named.len(), 43);
            assert_eq!(cookie(reply), Some(&*expected));
        }
        assert_ne!(device_id(&up.json()), device_id(&into.json()));
    }

    async fn a_cookie_names_the_device_and_is_prolonged(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let first = mia.signs_in().await.expect(200);
        let named = device_id(&first.json());
        let line = format!("theme=dark; authsome_device={named}");

        let again = with_cookies(&mia, &[&line]).await.expect(200);

        assert_eq!(device_id(&again.json()), named);
        assert_eq!(cookie(&again), cookie(&first));
        assert_eq!(devices(&mia).await.len(), 2);
    }

    async fn who_names_the_device_in_the_body_is_given_no_cookie(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let up = json!({"email": "max@example.org", "password": PASSWORD, "device_id": PHONE});

        let into = from(&mia, PHONE).await.expect(200);
        let up = mia.visitor().post("/v1/signup").json(up).await.expect(201);
        let other = format!("authsome_device={}", "x".repeat(43));
        let both = from(&mia, PHONE).header("cookie", other).await.expect(200);

        for reply in [into, up, both] {
            assert_eq!(cookie(&reply), None);
            assert_eq!(device_id(&reply.json()), PHONE);
        }
        assert_eq!(devices(&mia).await.len(), 2);
    }

    /// One of two may have been tossed in by a page of a sibling domain.
    async fn two_cookies_of_the_name_or_a_damaged_one_do_not_count(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (a, b) = ("a".repeat(43), "b".repeat(43));
        let long = "a".repeat(129);
        let lines: [&[&str]; 6] = [
            &[&format!("authsome_device={a}; authsome_device={b}")],
            &[&format!("authsome_device={a}"), &format!("authsome_device={a}")],
            &["authsome_device=short"],
            &[&format!("authsome_device={long}")],
            &[&format!("AUTHSOME_DEVICE={a}")],
            &[&format!("__Host-authsome_device={a}")],
        ];

        for lines in lines {
            let reply = with_cookies(&mia, lines).await.expect(200);
            let named = device_id(&reply.json());
            assert!(named != a && named != b && named.len() == 43, "{lines:?}");
            assert!(cookie(&reply).is_some_and(|cookie| cookie.contains(&named)));
        }
        assert_eq!(devices(&mia).await.len(), 7);
    }

    async fn what_is_no_name_of_a_device_is_refused_in_a_body(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let longest = "a".repeat(128);
        let long = "a".repeat(129);

        for bad in ["", "0123456789abcde", "0123456789abcdef ", "0123456789abcde;", &long] {
            from(&mia, bad).await.refuses(400, "invalid_body");
        }
        from(&mia, &longest).await.told(200);
        from(&mia, "0123456789abcdef").await.told(200);
    }

    async fn what_a_device_calls_itself_does_not_name_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        from(&mia, PHONE).header("user-agent", FIREFOX).await.told(200);
        from(&mia, PHONE).header("user-agent", "curl/8.14.1").await.told(200);
        from(&mia, "another-phone-0001").header("user-agent", FIREFOX).await.told(200);

        let all = devices(&mia).await;
        assert_eq!(all.len(), 3);
        let firefoxes = all.iter().filter(|device| device["browser"] == "Firefox");
        assert_eq!(firefoxes.count(), 2);
        assert!(all.iter().filter(|it| it["type"] == "desktop").all(|it| it["os"] == "Linux"));
    }

    async fn the_list_shows_what_people_know_of_a_device_and_nothing_secret(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.clock.advance(DAY);
        from(&mia, PHONE).header("user-agent", FIREFOX).await.told(200);
        let stored: Vec<Device> = app.of_environment(&mia.door).await;
        let _ = mia.refreshes().await.expect(200);

        let reply = mia.get("/v1/devices").await.expect(200);

        let told = reply.json();
        let shown = told["devices"][0].as_object().unwrap();
        let names: HashSet<_> = shown.keys().map(String::as_str).collect();
        let public = [
            "id", "current", "type", "browser", "os", "ip_address", "trusted", "last_seen_at",
            "created_at",
        ];
        assert_eq!(names, HashSet::from(public));
        assert_has(&told["devices"][0], json!({
            "current": false, "type": "desktop", "browser": "Firefox", "os": "Linux",
            "ip_address": "127.0.0.1", "trusted": false,
            "last_seen_at": "2040-01-02T00:00:00.000Z",
        }));
        assert_eq!(told["devices"][1]["current"], true);
        assert!(!reply.text().contains(PHONE));
        assert!(stored.iter().all(|device| !reply.text().contains(&device.fingerprint)));
        let one = mia.get(&path(&told["devices"][0])).await.told(200);
        assert_eq!(one, told["devices"][0]);
    }

    async fn the_devices_come_in_pages(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for number in 0..6 {
            from(&mia, &format!("{PHONE}{number}")).await.told(200);
        }

        let first = mia.get("/v1/devices?limit=4").await.told(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = mia.get(&format!("/v1/devices?limit=4&cursor={cursor}")).await.told(200);

        let pages = [&first, &rest].map(|page| page["devices"].as_array().unwrap().clone());
        let ids: HashSet<_> = pages.iter().flatten().map(path).collect();
        assert_eq!((pages[0].len(), pages[1].len(), ids.len()), (4, 3, 7));
        assert_eq!((&first["has_more"], &rest["has_more"]), (&json!(true), &json!(false)));
    }

    async fn a_device_is_named_by_its_owner(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let here = path(&current(&mia).await);

        let named = mia.patch(&here).json(json!({"name": " Kitchen tablet "})).await.told(200);
        let kept = mia.patch(&here).json(json!({})).await.told(200);
        let cleared = mia.patch(&here).json(json!({"name": null})).await.told(200);

        assert_has(&named, json!({"name": "Kitchen tablet", "current": true}));
        assert_eq!(kept, named);
        assert_eq!(cleared.get("name"), None);
        mia.patch(&here).json(json!({"name": ""})).await.refuses(400, "invalid_body");
        assert_eq!(told_of(&app, Name::DeviceRenamed).await.len(), 3);
    }

    async fn trust_has_a_term(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let here = path(&current(&mia).await);
        let trust = format!("{here}/trust");
        let ask = |body: Value| mia.patch(&trust).json(body);

        let usual = ask(json!({"trusted": true})).await.told(200);
        assert_has(&usual, json!({"trusted": true, "trusted_until": "2040-01-31T00:00:00.000Z"}));
        let day = ask(json!({"trusted": true, "days": 1})).await.told(200);
        assert_eq!(day["trusted_until"], "2040-01-02T00:00:00.000Z");

        app.clock.advance(DAY.saturating_sub(Duration::from_millis(1)));
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(mia.get(&here).await.told(200)["trusted"], true);
        app.clock.advance(Duration::from_millis(1));
        let over = mia.get(&here).await.told(200);
        assert_eq!((&over["trusted"], over.get("trusted_until")), (&json!(false), None));

        ask(json!({"trusted": true})).await.told(200);
        let withdrawn = ask(json!({"trusted": false})).await.told(200);
        assert_eq!((&withdrawn["trusted"], withdrawn.get("trusted_until")), (&json!(false), None));
        let counts = [Name::DeviceTrusted, Name::DeviceUntrusted];
        let counts = join_all(counts.map(async |name| told_of(&app, name).await.len())).await;
        assert_eq!(counts, [3, 1]);
    }

    async fn trust_is_asked_for_properly(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let trust = format!("{}/trust", path(&current(&mia).await));
        for bad in [
            json!({}), json!({"trusted": null}), json!({"trusted": "yes"}), json!({"days": 3}),
            json!({"trusted": true, "days": 0}), json!({"trusted": true, "days": 366}),
            json!({"trusted": true, "days": -1}), json!({"trusted": true, "days": 1.5}),
            json!({"trusted": true, "days": "30"}), json!({"trusted": false, "days": 30}),
        ] {
            mia.patch(&trust).json(bad).await.refuses(400, "invalid_body");
        }
        mia.patch(&trust).json(json!({"trusted": true, "days": 365})).await.told(200);
        assert_eq!(current(&mia).await["trusted"], true);
    }

    async fn removing_a_device_ends_its_sessions_at_once_and_no_other(app: TestApp) {
        let mia = app.proven_person("mia@example.org").await;
        let phone = mia.visitor().enters_on(&mia.email, PHONE).await;
        let again = mia.visitor().enters_on(&mia.email, PHONE).await;
        let there = path(&current(&phone).await);

        let _ = mia.delete(&there).await.expect(204);

        for session in [&phone, &again] {
            session.me().await.refuses(401, "invalid_token");
            session.refreshes().await.refuses(401, "invalid_refresh_token");
        }
        mia.me().await.told(200);
        mia.refreshes().await.told(200);
        mia.get(&there).await.refuses(404, "not_found");
        mia.delete(&there).await.refuses(404, "not_found");
        assert_eq!(told_of(&app, Name::DeviceRemoved).await.len(), 1);
        let ended = told_of(&app, Name::SessionRevoked).await;
        let reasons: Vec<_> = ended.iter().map(|it| it.details["reason"].clone()).collect();
        assert_eq!(reasons, ["device_removed", "device_removed"]);
        from(&mia, PHONE).await.told(200);
        assert_eq!(letters(&app).await.len(), 2);
    }

    async fn whoever_removes_the_device_in_his_hand_is_signed_out(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let here = path(&current(&mia).await);

        let _ = mia.delete(&here).await.expect(204);

        mia.me().await.refuses(401, "invalid_token");
        mia.refreshes().await.refuses(401, "invalid_refresh_token");
    }

    async fn a_stranger_s_device_is_as_unknown_as_one_that_never_was(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let elsewhere = mia.enters(&app.own.production).await;
        let random = DeviceId::new(NEW_YEAR, &Entropy::system()).to_string();
        let foreign = [path(&current(&max).await), path(&current(&elsewhere).await)];
        let nothing = ["x".to_owned(), mia.id.clone(), random].map(|id| format!("/v1/devices/{id}"));

        for path in foreign.iter().chain(&nothing) {
            let trust = format!("{path}/trust");
            mia.get(path).await.refuses(404, "not_found");
            mia.delete(path).await.refuses(404, "not_found");
            mia.patch(path).json(json!({"name": "Mine"})).await.refuses(404, "not_found");
            mia.patch(&trust).json(json!({"trusted": true})).await.refuses(404, "not_found");
        }

        assert_has(&current(&max).await, json!({"trusted": false}));
        assert_eq!(current(&elsewhere).await.get("name"), None);
        assert_eq!(devices(&mia).await.len(), 1);
    }

    /// Two people at one browser: the second has a device of his own, and nothing of the first's.
    async fn a_browser_that_two_people_use_is_a_device_of_each(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let mia = mia.visitor().enters_on(&mia.email, PHONE).await;
        let max = max.visitor().enters_on(&max.email, PHONE).await;
        let (hers, his) = (current(&mia).await, current(&max).await);
        assert_ne!(hers["id"], his["id"]);

        mia.patch(&format!("{}/trust", path(&hers))).json(json!({"trusted": true})).await.told(200);
        assert_eq!(current(&max).await["trusted"], false);
        let _ = mia.delete(&path(&hers)).await.expect(204);

        max.me().await.told(200);
        assert_eq!(current(&max).await, his);
        assert_ne!(max.session_id(), mia.session_id());
    }

    async fn a_first_device_and_a_known_one_are_no_news(app: TestApp) {
        let mia = app.proven_person("mia@example.org").await;
        let here = device_id(&mia.signs_in().await.told(200));
        assert_eq!(letters(&app).await.len(), 1);

        from(&mia, &here).await.told(200);
        from(&mia, &here).header("user-agent", FIREFOX).await.told(200);

        assert_eq!(letters(&app).await.len(), 1);
        assert_eq!(told_of(&app, Name::DeviceAdded).await.len(), 2);
    }

    async fn a_new_device_is_told_by_mail_without_a_word_of_its_own(app: TestApp) {
        let mia = app.proven_person("mia@example.org").await;
        let lies = "Firefox/1 visit evil.example now";

        from(&mia, PHONE).header("user-agent", lies).header("accept-language", "de").await.told(200);

        let letters = letters(&app).await;
        let [letter] = &letters[..] else { panic!("{letters:?}") };
        assert_eq!(letter.user_id.map(|id| id.to_string()), Some(mia.id.clone()));
        assert_eq!(letter.language.to_string(), "de");
        let browser = Some("Firefox".to_owned());
        let ip_address = Some("127.0.0.1".to_owned());
        assert_eq!(letter.data, Message::NewDevice { browser, os: None, ip_address });
        let stored = serde_json::to_string(letter).unwrap();
        assert!(!stored.contains(PHONE) && !stored.contains("evil"));
    }

    /// Anybody can sign up with the address of another, and sign in as often as he likes.
    async fn an_address_that_nobody_has_proven_is_told_of_no_device(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        from(&mia, PHONE).await.told(200);

        assert_eq!(told_of(&app, Name::DeviceAdded).await.len(), 2);
        assert!(letters(&app).await.is_empty());
    }

    async fn a_wrong_password_makes_no_device_and_sets_no_cookie(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let reply = mia.visitor().signs_in(&mia.email, "another password").await;

        assert_eq!(cookie(&reply), None);
        reply.refuses(401, "invalid_credentials");
        assert_eq!(devices(&mia).await.len(), 1);
        assert!(letters(&app).await.is_empty());
    }

    async fn of_twenty_sign_ins_on_a_new_device_one_makes_it_and_one_letter_is_sent(app: TestApp) {
        let mia = app.proven_person("mia@example.org").await;

        let replies = join_all((0..20).map(async |_| from(&mia, PHONE).await)).await;

        let sessions: HashSet<_> = replies
            .into_iter()
            .map(|reply| reply.told(200)["session_id"].to_string())
            .collect();
        assert_eq!(sessions.len(), 20);
        assert_eq!(devices(&mia).await.len(), 2);
        assert_eq!(letters(&app).await.len(), 1);
        let added = told_of(&app, Name::DeviceAdded).await;
        assert_eq!(added.len(), 2);
        assert!(added.iter().all(|event| event.outcome == Outcome::Success));
    }

    /// Whichever comes first, no session is left on a device that is gone.
    async fn a_removal_and_sign_ins_at_once_leave_no_session_behind(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let phone = mia.visitor().enters_on(&mia.email, PHONE).await;
        let there = path(&current(&phone).await);
        let enters = async |_| mia.visitor().enters_on(&mia.email, PHONE).await;

        let (entered, _) = futures_util::future::join(
            join_all((0..10).map(enters)),
            async { mia.delete(&there).await.expect(204) },
        )
        .await;

        let known: HashSet<_> = devices(&mia).await.iter().map(path).collect();
        for session in &entered {
            let reply = session.get("/v1/devices").await;
            if reply.status == 200 {
                assert!(known.contains(&path(&current(session).await)));
            } else {
                reply.refuses(401, "invalid_token");
            }
        }
        phone.me().await.refuses(401, "invalid_token");
    }

    async fn a_machine_has_no_devices(app: TestApp) {
        app.key().get("/v1/devices").await.refuses(403, "forbidden");
        app.get("/v1/devices").await.refuses(401, "unauthenticated");
    }
}
