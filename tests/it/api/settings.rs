//! Settings: chosen at four levels, decided by one rule, and each of them changes what happens.

use std::future::IntoFuture;

use authsome::events::Name;
use authsome::settings::Setting;
use authsome::store::Entity;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Reply, Request, assert_has};
use crate::support::dump;
use crate::support::orgs::text;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::on_both_stores;

const CODE: &str = "open sesame 4711";

fn at(key: &str, level: &str) -> String {
    format!("/v1/admin/settings/{key}?level={level}")
}

fn choice(asks: &impl Asks, key: &str, level: &str, body: Value) -> Request {
    asks.request("PUT", &at(key, level)).json(body)
}

impl TestApp {
    /// Chooses at a level by the key of the environment behind `door`.
    async fn chooses(&self, door: &Door, key: &str, level: &str, value: Value) -> Value {
        let machine = self.machine(door);
        choice(&machine, key, level, json!({"value": value}))
            .await
            .told(200)
    }

    /// The setting as the environment behind `door` sees it.
    async fn setting(&self, door: &Door, key: &str) -> Value {
        let path = format!("/v1/admin/settings/{key}");
        self.machine(door).get(&path).await.told(200)
    }
}

fn decided(setting: &Value) -> (Value, Option<&str>, bool) {
    let enforced = setting["enforced"] == true;
    (
        setting["value"].clone(),
        setting["decided_by"].as_str(),
        enforced,
    )
}

fn status(reply: &Reply) -> u16 {
    reply.status
}

on_both_stores! {
    async fn every_setting_says_what_it_is_and_who_has_decided_it(app: TestApp) {
        let door = &app.own.production;

        let told = app.machine(door).get("/v1/admin/settings").await.told(200);

        let all = told["settings"].as_array().expect("a list");
        assert_eq!(all.len(), authsome::settings::Key::ALL.len());
        let named = |key: &str| all.iter().find(|it| it["key"] == key).expect("it is there");
        assert_has(named("password_min_length"), json!({
            "type": "integer", "minimum": 8, "maximum": 64, "value": 8, "enforced": false,
            "levels": ["platform", "app", "environment"], "chosen": [], "is_set": true,
        }));
        assert_has(named("default_language"), json!({"type": "choice", "options": ["en", "de"]}));
        assert_eq!(named("require_verification")["value"], true);
        assert_eq!(app.setting(&app.own.development, "require_verification").await["value"], false);
        assert_has(named("signup_code"), json!({"type": "secret", "is_set": false}));
        assert!(all.iter().all(|it| it["help"].as_str().is_some_and(|help| !help.is_empty())));
        assert!(all.iter().all(|it| it.get("decided_by").is_none()), "{told}");
    }

    async fn the_most_special_choice_counts_unless_one_above_is_enforced(app: TestApp) {
        let (door, other) = (&app.own.development, &app.own.production);
        let operator = app.operator().await;
        let key = "password_min_length";
        let see = async |door: &Door| {
            let setting = app.setting(door, key).await;
            let (value, level, enforced) = decided(&setting);
            (value, level.map(str::to_owned), enforced)
        };
        let is = |value: u32, level: &str, enforced: bool| {
            (json!(value), (level != "default").then(|| level.to_owned()), enforced)
        };
        assert_eq!(see(door).await, is(8, "default", false));

        choice(&operator, key, "platform", json!({"value": 10})).await.told(200);
        eventually(async || see(door).await == is(10, "platform", false)).await;
        app.chooses(door, key, "app", json!(12)).await;
        app.chooses(door, key, "environment", json!(9)).await;
        assert_eq!(see(door).await, is(9, "environment", false));
        assert_eq!(see(other).await, is(12, "app", false));

        choice(&app.key(), key, "app", json!({"value": 14, "enforced": true})).await.told(200);
        assert_eq!(see(door).await, is(14, "app", true));
        let refused = choice(&app.key(), key, "environment", json!({"value": 8})).await;
        assert!(text(&refused.refuses(409, "setting_enforced")["detail"]).contains("app"));
        choice(&operator, key, "platform", json!({"value": 16, "enforced": true})).await.told(200);
        assert_eq!(see(door).await, is(16, "platform", true));

        let _ = operator.delete(&at(key, "platform")).await.expect(204);
        let _ = app.key().delete(&at(key, "app")).await.expect(204);
        assert_eq!(see(door).await, is(9, "environment", false));
        let _ = app.key().delete(&at(key, "environment")).await.expect(204);
        let _ = app.key().delete(&at(key, "environment")).await.expect(204);
        assert_eq!(see(door).await, is(8, "default", false));
        let told = app.events(door, Name::SettingTakenBack).await;
        assert_eq!(told.len(), 2, "of the platform's the platform is told, and of nothing nobody");
    }

    /// Whichever app he acts on meanwhile.
    async fn what_an_operator_chooses_for_everybody_is_the_platforms_affair(app: TestApp) {
        let (door, operator) = (&app.own.development, app.operator().await);
        let path = format!("{}&app_id={}", at("password_min_length", "platform"), door.app_id);

        operator.request("PUT", &path).json(json!({"value": 10})).await.told(200);
        let _ = operator.delete(&path).await.expect(204);

        for name in [Name::SettingChosen, Name::SettingTakenBack] {
            assert!(app.events(door, name).await.is_empty());
            assert_eq!(app.events(&operator.door, name).await.len(), 1);
        }
    }

    async fn what_is_enforced_above_no_environment_can_loosen(app: TestApp) {
        let door = &app.own.development;
        let visitor = app.visitor(door);
        let enforced = json!({"value": 30, "enforced": true});
        choice(&app.key(), "password_min_length", "app", enforced).await.told(200);
        let enforced = json!({"value": true, "enforced": true});
        choice(&app.key(), "require_verification", "app", enforced).await.told(200);

        choice(&app.key(), "password_min_length", "environment", json!({"value": 8})).await
            .refuses(409, "setting_enforced");
        app.key().sets(door, json!({"require_verification": false})).await
            .refuses(409, "setting_enforced");

        visitor.signs_up("mia@example.org", PASSWORD).await.refuses(400, "weak_password");
        visitor.signs_up("mia@example.org", "thirty characters are quite a lot").await.told(202);
    }

    async fn a_new_password_is_as_long_as_it_is_wanted(app: TestApp) {
        let door = &app.own.development;
        let mia = app.person("mia@example.org").await;
        let changes = |new: &str| {
            let both = json!({"current_password": PASSWORD, "new_password": new});
            mia.post("/v1/change-password").json(both)
        };
        app.chooses(door, "password_min_length", "environment", json!(20)).await;

        let refused = app.visitor(door).signs_up("max@example.org", "nineteen characters").await;
        let problem = refused.refuses(400, "weak_password");
        assert_eq!(problem["errors"][0]["detail"], "shorter than 20 characters");
        changes("nineteen characters").await.refuses(400, "weak_password");

        // Passwords that there are stay good.
        let _ = mia.signs_in().await.expect(200);
        let _ = changes("twenty characters :)").await.expect(200);
        let config = app.visitor(door).get("/v1/client-config").await.told(200);
        assert_eq!(config["password"]["min_length"], 20);
    }

    async fn sign_up_is_open_closed_or_takes_a_code(app: TestApp) {
        let door = &app.own.development;
        let visitor = app.visitor(door);
        let signs_up = |email: &str, code: Value| {
            let body = json!({"email": email, "password": PASSWORD, "signup_code": code});
            visitor.post("/v1/signup").json(body)
        };
        // Whoever needs no code may send one.
        signs_up("ann@example.org", json!("whatever")).await.told(201);
        let set = app.chooses(door, "signup_code", "environment", json!(CODE)).await;
        assert_has(&set, json!({"is_set": true, "decided_by": "environment"}));

        visitor.signs_up("mia@example.org", PASSWORD).await.refuses(403, "signup_code_wrong");
        signs_up("mia@example.org", json!("open sesame 4712")).await.refuses(403, "signup_code_wrong");
        signs_up("mia@example.org", json!(CODE)).await.told(201);
        let config = visitor.get("/v1/client-config").await.told(200);
        assert_has(&config, json!({"signup_code_required": true, "signup_open": true}));

        app.chooses(door, "signup_open", "app", json!(false)).await;
        signs_up("max@example.org", json!(CODE)).await.refuses(403, "signup_closed");
        app.chooses(door, "signup_open", "environment", json!(true)).await;
        signs_up("max@example.org", json!(CODE)).await.told(201);
        assert_eq!(app.visitor(&app.own.production).get("/v1/client-config").await.told(200)["signup_open"], false);
    }

    async fn a_secret_is_sealed_where_it_is_and_told_nowhere(app: TestApp) {
        let (door, key) = (&app.own.development, app.key());
        let mut answers = vec![
            choice(&key, "signup_code", "environment", json!({"value": CODE})).await.expect(200).text(),
            choice(&key, "signup_code", "app", json!({"value": CODE})).await.expect(200).text(),
        ];
        for path in ["/v1/admin/settings", "/v1/admin/settings/signup_code", "/v1/admin/security-events"] {
            answers.push(key.get(path).await.expect(200).text());
        }
        let clone = key.post(&door.path("/clone")).json(json!({"name": "Twin"})).await.told(201);
        let stored: Vec<Setting> = app.of_app(door).await;
        let dump = dump::documents(&app).await;

        assert!(answers.iter().all(|text| !text.contains("sesame")));
        assert!(!String::from_utf8_lossy(&dump).contains("sesame"));
        let sealed: Vec<_> = stored.iter().filter_map(|it| it.sealed.clone()).collect();
        assert_eq!(sealed.len(), 3, "of the app, and of two environments");
        // Each opens where it is, and nowhere else.
        let ring = app.key_ring();
        for setting in &stored {
            let place = |id: String| format!("{}|{}|{id}", Setting::COLLECTION, door.app_id);
            for text in &sealed {
                let opened = ring.open(text, &place(setting.id.to_string()));
                assert_eq!(opened.is_ok(), setting.sealed.as_ref() == Some(text));
            }
        }
        let clone = app.door(&clone).await;
        let body = json!({"email": "mia@example.org", "password": PASSWORD, "signup_code": CODE});
        app.visitor(&clone).post("/v1/signup").json(body).await.told(201);
        let done = app.foundation().reseal().await.expect("the store answers");
        assert!(done.unopened.is_empty() && done.already >= 3, "{done:?}");
    }

    async fn letters_are_from_whom_and_in_what_language_is_chosen(app: TestApp) {
        let door = &app.own.development;
        app.person("ann@example.org").await;
        let plain = app.letter_to("ann@example.org").await;
        app.chooses(door, "mail_sender_name", "app", json!("Acme Accounts")).await;
        app.chooses(door, "default_language", "environment", json!("de")).await;

        app.person("mia@example.org").await;

        let letter = app.letter_to("mia@example.org").await;
        assert!(letter.raw.contains("Acme Accounts"), "{}", letter.raw);
        assert_eq!(letter.from, plain.from);
        assert!(letter.html.contains("lang=\"de\""));
    }

    async fn people_found_organisations_and_teams_as_far_as_they_may(app: TestApp) {
        let door = &app.own.development;
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let team = |name: &str| mia.post(&acme.path("/teams")).json(json!({"name": name}));
        app.chooses(door, "teams_per_organization", "environment", json!(1)).await;
        app.chooses(door, "organization_creation_open", "environment", json!(false)).await;

        team("Design").await.told(201);
        team("Sales").await.refuses(409, "team_limit");
        let new = json!({"name": "Other", "slug": "other"});
        mia.post("/v1/orgs").json(new).await.refuses(403, "organization_creation_closed");
        let new = json!({"name": "Other", "slug": "other", "owner_id": mia.id});
        app.key().post("/v1/orgs").json(new).await.told(201);

        let _ = app.key().delete(&at("teams_per_organization", "environment")).await.expect(204);
        team("Sales").await.told(201);
    }

    async fn sign_in_pages_are_told_where_help_is(app: TestApp) {
        let door = &app.own.development;
        let config = async || app.visitor(door).get("/v1/client-config").await.told(200);
        assert_eq!(config().await.get("support_url"), None);

        app.chooses(door, "support_url", "app", json!("https://acme.example/help")).await;

        assert_eq!(config().await["support_url"], "https://acme.example/help");
    }

    async fn an_organisation_chooses_for_itself_alone(acme: Acme) {
        let (app, door) = (&acme.app, &acme.owner.door);
        let other = app.org("other", &acme.owner).await;
        let choose = |key: &str, value: Value| {
            let path = acme.at(&format!("/settings/{key}"));
            acme.owner.request("PUT", &path).json(json!({"value": value}))
        };
        let lives = async |org: &str, email: &str| {
            let path = format!("/v1/orgs/{org}/invitations");
            let new = json!({"email": email, "role": "member"});
            let made = app.key().post(&path).json(new).await.told(201);
            (text(&made["expires_at"]), app.letter_to(email).await.html)
        };

        let set = choose("invitation_ttl_seconds", json!(3_600)).await.told(200);
        choose("default_language", json!("de")).await.told(200);

        assert_has(&set, json!({"value": 3_600, "decided_by": "organization"}));
        let (until, letter) = lives(&acme.org.id, "ann@example.org").await;
        assert_eq!(until, "2040-01-01T01:00:00.000Z");
        assert!(letter.contains("lang=\"de\""));
        let (until, letter) = lives(&other.id, "ben@example.org").await;
        assert_eq!(until, "2040-01-08T00:00:00.000Z");
        assert!(letter.contains("lang=\"en\""));
        choose("password_min_length", json!(8)).await.refuses(400, "setting_level");
        let list = acme.owner.get(&acme.at("/settings")).await.told(200);
        assert_eq!(list["settings"].as_array().map(Vec::len), Some(2));
        assert_has(&list["settings"][1], json!({"chosen": [{"level": "organization", "value": 3_600, "enforced": false}]}));

        // What the app enforces counts there too.
        let enforced = json!({"value": 7_200, "enforced": true});
        choice(&app.key(), "invitation_ttl_seconds", "app", enforced).await.told(200);
        choose("invitation_ttl_seconds", json!(3_600)).await.refuses(409, "setting_enforced");
        assert_eq!(lives(&acme.org.id, "cas@example.org").await.0, "2040-01-01T02:00:00.000Z");
        let told = acme.told(Name::SettingChosen).await;
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].actor.id.as_ref(), Some(&acme.owner.id));

        let _ = acme.owner.delete(&acme.org.path("")).await.expect(204);
        let left: Vec<Setting> = app.of_app(door).await;
        assert_eq!(left.len(), 1, "the app's");
    }

    async fn settings_are_the_business_of_those_who_administer_the_level(acme: Acme) {
        let app = &acme.app;
        let mia = acme.joined("mia@example.org", &["member"]).await.person;
        let admin = acme.joined("max@example.org", &["admin"]).await.person;
        let shop = app.founds("Shop").await.development;
        let body = || json!({"value": 10});
        let key = "password_min_length";

        mia.get("/v1/admin/settings").await.refuses(403, "forbidden");
        choice(&mia, key, "app", body()).await.refuses(403, "forbidden");
        choice(&app.key(), key, "platform", body()).await.refuses(403, "forbidden");
        app.key().delete(&at(key, "platform")).await.refuses(403, "forbidden");
        choice(app, key, "app", body()).await.refuses(401, "unauthenticated");
        let own = acme.at("/settings/default_language");
        let german = || json!({"value": "de"});
        mia.request("PUT", &own).json(german()).await.refuses(403, "forbidden");
        mia.get(&acme.at("/settings")).await.refuses(403, "forbidden");
        let stranger = app.person("eve@example.org").await;
        stranger.request("PUT", &own).json(german()).await.refuses(404, "not_found");
        admin.request("PUT", &own).json(german()).await.told(200);
        let operator = app.operator().await;
        let elsewhere = format!("{}&{}", at(key, "app"), &shop.query()[1..]);
        operator.request("PUT", &elsewhere).json(body()).await.told(200);
        assert_eq!(app.setting(&shop, key).await["value"], 10);
        assert_eq!(app.setting(&app.own.development, key).await["value"], 8);
    }

    async fn what_does_not_fit_is_refused_with_its_bounds(app: TestApp) {
        let key = app.key();
        let refused = [
            ("password_min_length", json!(7), "from 8 to 64"),
            ("password_min_length", json!("12"), "from 8 to 64"),
            ("password_min_length", json!(8.5), "from 8 to 64"),
            ("signup_open", json!("yes"), "true or false"),
            ("default_language", json!("fr"), "en, de"),
            ("support_url", json!("javascript:alert(1)"), "https"),
            ("mail_sender_name", json!("a\r\nBcc: x@example.org"), "a line"),
            ("mail_sender_name", json!("x".repeat(65)), "64 characters"),
            ("signup_code", json!("short"), "8 to 128"),
            ("signup_open", json!([true]), "true or false"),
        ];
        for (name, value, says) in refused {
            let reply = choice(&key, name, "environment", json!({"value": value})).await;
            let problem = reply.told(400);
            assert_eq!(problem["errors"][0]["pointer"], "/value", "{problem}");
            assert!(text(&problem["errors"][0]["detail"]).contains(says), "{problem}");
        }
        for body in [json!({}), json!({"value": null}), json!({"value": 8, "enforced": "no"})] {
            assert_eq!(status(&choice(&key, "password_min_length", "app", body).await), 400);
        }
        let put = |path: &str| key.request("PUT", path).json(json!({"value": 8}));
        put("/v1/admin/settings/password_min_length").await.refuses(400, "invalid_query");
        put(&at("password_min_length", "nowhere")).await.refuses(400, "invalid_query");
        put(&at("password_min_length", "organization")).await.refuses(400, "setting_level");
        put(&at("no_such_setting", "app")).await.refuses(404, "not_found");
        choice(&key, "signup_code", "platform", json!({"value": CODE})).await.refuses(403, "forbidden");
        let operator = app.operator().await;
        choice(&operator, "signup_code", "platform", json!({"value": CODE})).await.refuses(400, "setting_level");
        let stored: Vec<Setting> = app.of_app(&app.own.development).await;
        assert!(stored.is_empty(), "{stored:?}");
    }

    async fn of_twenty_first_choices_at_once_one_document_is_left(app: TestApp) {
        let key = app.key();
        let ask = |value: u32| {
            choice(&key, "password_min_length", "app", json!({"value": value})).into_future()
        };

        for reply in join_all((20..40).map(ask)).await {
            reply.told(200);
        }

        let stored: Vec<Setting> = app.of_app(&app.own.development).await;
        assert_eq!(stored.len(), 1);
        assert_eq!(app.events(&app.own.development, Name::SettingChosen).await.len(), 20);
    }

    async fn a_choice_here_counts_there_within_a_second(app: TestApp) {
        let node = app.another_node(&[]).await;
        let door = &app.own.development;
        let there = async || {
            let config = node.client().get("/v1/client-config").at(door).await.told(200);
            config["signup_open"] == true
        };
        assert!(there().await);

        app.chooses(door, "signup_open", "app", json!(false)).await;

        app.visitor(door).signs_up("mia@example.org", PASSWORD).await.refuses(403, "signup_closed");
        let chosen = std::time::Instant::now();
        eventually(async || !there().await).await;
        assert!(chosen.elapsed() < std::time::Duration::from_millis(1_500), "{:?}", chosen.elapsed());
    }

    async fn the_settings_of_an_environment_are_its_level_of_the_same_truth(app: TestApp) {
        let door = &app.own.development;
        app.key().sets(door, json!({"invitation_ttl_seconds": 7_200})).await.told(200);
        let seen = app.setting(door, "invitation_ttl_seconds").await;
        assert_has(&seen, json!({"value": 7_200, "decided_by": "environment"}));

        app.chooses(door, "invitation_ttl_seconds", "environment", json!(3_600)).await;
        let settings = app.key().get(&door.path("/settings")).await.told(200);
        assert_eq!(settings["invitation_ttl_seconds"], 3_600);

        let _ = app.key().delete(&at("invitation_ttl_seconds", "environment")).await.expect(204);
        app.chooses(door, "invitation_ttl_seconds", "app", json!(10_000)).await;
        let settings = app.key().get(&door.path("/settings")).await.told(200);
        assert_eq!(settings["invitation_ttl_seconds"], 10_000);
    }
}
