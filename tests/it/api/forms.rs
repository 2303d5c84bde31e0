//! The forms of an app: what it asks of people, and what becomes of their answers.

use authsome::events::Name;
use authsome::users::User;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Reply, Request, assert_has};
use crate::support::invitations::looks_up;
use crate::support::persona::{PASSWORD, Person, Visitor};
use crate::support::stores::on_both_stores;

pub fn path(door: &Door, form: &str) -> String {
    format!("/v1/admin/apps/{}/form-configs/{form}", door.app_id)
}

pub fn sets(asks: &impl Asks, door: &Door, form: &str, body: Value) -> Request {
    asks.request("PUT", &path(door, form)).json(body)
}

/// Has the app of development ask this, by its `signup`.
pub async fn asked(app: &TestApp, fields: Value) -> Value {
    let body = json!({"fields": fields});
    sets(&app.key(), &app.own.development, "signup", body)
        .await
        .told(200)
}

pub fn company() -> Value {
    json!({"name": "company", "type": "text", "label": "Company", "required": true, "max": 20})
}

/// One question of every type.
fn every_type() -> Value {
    let options = json!([{"value": "a"}, {"value": "b", "label": "Bee"}, {"value": "c"}]);
    json!([
        company(),
        {"name": "about", "type": "textarea", "label": "About you"},
        {"name": "billing", "type": "email", "label": "Where do bills go?"},
        {"name": "office", "type": "phone", "label": "Office"},
        {"name": "site", "type": "url", "label": "Site"},
        {"name": "seats", "type": "number", "label": "Seats", "format": "integer", "min": 1, "max": 500},
        {"name": "founded", "type": "date", "label": "Founded", "earliest": "1900-01-01"},
        {"name": "terms", "type": "checkbox", "label": "Terms", "required": true},
        {"name": "plan", "type": "select", "label": "Plan", "options": options, "default": "b"},
        {"name": "uses", "type": "multiselect", "label": "Uses", "options": options, "max": 2},
        {"name": "size", "type": "radio", "label": "Size", "options": options},
    ])
}

impl Visitor {
    pub async fn answers(&self, email: &str, metadata: Option<Value>) -> Reply {
        let mut body = json!({"email": email, "password": PASSWORD});
        if let Some(metadata) = metadata {
            body["metadata"] = metadata;
        }
        self.post("/v1/signup").json(body).await
    }
}

/// Pointer and type of every fault, in one order.
pub fn faults(refusal: &Value) -> Vec<String> {
    let all = refusal["errors"].as_array().into_iter().flatten();
    let told = |it: &Value| format!("{} {}", it["pointer"], it["type"]).replace('"', "");
    let mut told: Vec<String> = all.map(told).collect();
    told.sort();
    told
}

async fn metadata_of(person: &Person) -> Value {
    person.me().await.told(200)["metadata"].clone()
}

#[expect(clippy::needless_pass_by_value, reason = "callers say it in place")]
fn changes(person: &Person, metadata: Value) -> Request {
    person.patch("/v1/me").json(json!({"metadata": metadata}))
}

on_both_stores! {
    async fn answers_of_every_type_are_kept_in_one_spelling(app: TestApp) {
        asked(&app, every_type()).await;
        let answers = json!({
            "company": "  Zoe\u{308} & Co ", "about": "one\r\ntwo", "billing": "Bills@EXAMPLE.org",
            "office": "+49 (30) 123-456", "site": "HTTPS://Example.org", "seats": 12,
            "founded": "2001-02-03", "terms": true, "plan": "a", "uses": ["c", "a"], "size": "b",
        });

        let visitor = app.visitor(&app.own.development);
        let told = visitor.answers("zoe@example.org", Some(answers)).await.told(201);

        assert_eq!(told["user"]["metadata"], json!({
            "company": "Zoë & Co", "about": "one\ntwo", "billing": "bills@example.org",
            "office": "+4930123456", "site": "https://example.org/", "seats": 12,
            "founded": "2001-02-03", "terms": true, "plan": "a", "uses": ["a", "c"], "size": "b",
        }));
    }

    async fn every_bad_answer_is_told_at_once_and_nobody_is_made(app: TestApp) {
        asked(&app, every_type()).await;
        let answers = json!({
            "company": "x".repeat(21), "about": 7, "billing": "nobody", "office": "0170",
            "site": "javascript:alert(1)", "seats": 501, "founded": "1899-12-31", "terms": false,
            "plan": "d", "uses": ["a", "b", "c"], "size": ["a"], "a/b~c": 1,
        });

        let visitor = app.visitor(&app.own.development);
        let refusal = visitor.answers("zoe@example.org", Some(answers)).await.refuses(400, "invalid_body");

        assert_eq!(faults(&refusal), [
            "/metadata/about wrong_type", "/metadata/a~1b~0c unknown_field",
            "/metadata/billing invalid_email", "/metadata/company too_long",
            "/metadata/founded too_early", "/metadata/office invalid_phone",
            "/metadata/plan not_an_option", "/metadata/seats too_large",
            "/metadata/site invalid_url", "/metadata/size wrong_type",
            "/metadata/terms required", "/metadata/uses too_many",
        ]);
        assert_eq!(app.user_count(&app.own.development).await, 0);
    }

    async fn a_question_that_needs_an_answer_needs_it_also_where_nothing_is_said(app: TestApp) {
        asked(&app, every_type()).await;
        let visitor = app.visitor(&app.own.development);

        for nothing in [None, Some(json!(null)), Some(json!({})), Some(json!({"company": " ", "terms": null}))] {
            let refusal = visitor.answers("zoe@example.org", nothing).await.refuses(400, "invalid_body");
            assert_eq!(faults(&refusal), ["/metadata/company required", "/metadata/terms required"]);
        }

        let least = json!({"company": "Acme", "terms": true});
        let told = visitor.answers("zoe@example.org", Some(least)).await.told(201);
        let kept = json!({"company": "Acme", "terms": true, "plan": "b"});
        assert_eq!(told["user"]["metadata"], kept);
    }

    /// Whether there is an account is not told by what is asked of it.
    async fn a_known_address_and_a_new_one_are_asked_alike(app: TestApp) {
        let production = app.visitor(&app.own.production);
        let _ = production.answers("zoe@example.org", None).await.expect(202);
        asked(&app, json!([company()])).await;

        for email in ["zoe@example.org", "new@example.org"] {
            production.answers(email, None).await.refuses(400, "invalid_body");
            let _ = production.answers(email, Some(json!({"company": "Acme"}))).await.expect(202);
        }
    }

    async fn where_no_form_is_active_anything_can_be_said(app: TestApp) {
        let (key, door) = (app.key(), &app.own.development);
        let free = || Some(json!({"any": {"thing": [1]}}));
        let visitor = app.visitor(door);
        let _ = visitor.answers("a@example.org", free()).await.expect(201);

        asked(&app, json!([company()])).await;
        visitor.answers("b@example.org", free()).await.refuses(400, "invalid_body");
        let idle = json!({"fields": [company()], "active": false});
        assert_has(&sets(&key, door, "signup", idle).await.told(200), json!({"active": false, "version": 2}));
        let _ = visitor.answers("b@example.org", free()).await.expect(201);

        asked(&app, json!([company()])).await;
        visitor.answers("c@example.org", free()).await.refuses(400, "invalid_body");
        let _ = key.delete(&path(door, "signup")).await.expect(204);
        let _ = visitor.answers("c@example.org", free()).await.expect(201);
    }

    async fn a_form_holds_in_every_environment_of_its_app_and_in_no_other(app: TestApp) {
        let shop = app.founds("Shop").await;
        asked(&app, json!([company()])).await;

        app.visitor(&app.own.production).answers("zoe@example.org", None).await.refuses(400, "invalid_body");
        let _ = app.visitor(&shop.development).answers("zoe@example.org", None).await.expect(201);
        app.machine(&shop.development).get(&path(&shop.development, "signup")).await.refuses(404, "not_found");
    }

    async fn another_node_asks_the_same_within_a_second(app: TestApp) {
        let node = app.another_node(&[]).await;
        let there = app.visitor(&app.own.development).by(node.client());
        let _ = there.answers("before@example.org", None).await.expect(201);

        asked(&app, json!([company()])).await;

        let unseen = |n: usize| format!("new{n}@example.org");
        let tries = std::cell::Cell::new(0);
        eventually(async || {
            tries.set(tries.get() + 1);
            there.answers(&unseen(tries.get()), None).await.status == 400
        })
        .await;
    }

    async fn changes_of_a_profile_keep_to_the_form(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"metadata": {"seen": 3}})).await;
        asked(&app, json!([company(), {"name": "site", "type": "url", "label": "Site"}])).await;

        changes(&mia, json!({})).await.refuses(400, "invalid_body");
        let refusal = changes(&mia, json!({"company": "Acme", "site": "x", "seen": 4})).await;
        let refusal = refusal.refuses(400, "invalid_body");
        assert_eq!(faults(&refusal), ["/metadata/seen unknown_field", "/metadata/site invalid_url"]);
        // Whatever is no answer can be changed without one.
        mia.patch("/v1/me").json(json!({"first_name": "Mia"})).await.told(200);
        assert_eq!(metadata_of(&mia).await, json!({"seen": 3}));

        let full = json!({"company": " Acme", "site": "https://acme.example", "seen": 3});
        changes(&mia, full).await.told(200);
        let kept = json!({"company": "Acme", "site": "https://acme.example/", "seen": 3});
        assert_eq!(metadata_of(&mia).await, kept);
        changes(&mia, json!({"company": "Other"})).await.told(200);
        assert_eq!(metadata_of(&mia).await, json!({"company": "Other", "seen": 3}));
    }

    async fn a_profile_has_a_form_of_its_own_where_there_is_one(app: TestApp) {
        let door = &app.own.development;
        asked(&app, json!([company()])).await;
        let mia = app.person_with("mia@example.org", json!({"metadata": {"company": "Acme"}})).await;
        let motto = json!({"fields": [{"name": "motto", "type": "text", "label": "Motto"}]});
        sets(&app.key(), door, "profile", motto).await.told(200);

        changes(&mia, json!({"motto": "On"})).await.told(200);

        // What the other form asked for is not this one's to change.
        assert_eq!(metadata_of(&mia).await, json!({"company": "Acme", "motto": "On"}));
        changes(&mia, json!({"company": "Other"})).await.refuses(400, "invalid_body");
        app.visitor(door).answers("max@example.org", Some(json!({"motto": "On"}))).await.refuses(400, "invalid_body");
        let _ = app.key().delete(&path(door, "profile")).await.expect(204);
        changes(&mia, json!({"company": "Other"})).await.told(200);
    }

    async fn whoever_is_invited_and_new_answers_too(acme: Acme) {
        let app = &acme.app;
        asked(app, json!([company()])).await;
        let invitation = acme.invited("mia@example.org", &["member"]).await;
        let token = acme.token_of(&invitation);
        let accepts = |metadata: Value| {
            let body = json!({"token": token, "password": PASSWORD, "metadata": metadata});
            app.post("/v1/orgs/invitations/accept").json(body)
        };

        let offer = looks_up(app, &token).await.told(200);
        assert_eq!(offer["form"]["version"], 1);
        assert_has(&offer["form"]["fields"][0], json!({"name": "company", "type": "text", "required": true}));

        for nothing in [json!(null), json!({})] {
            let refusal = accepts(nothing).await.refuses(400, "invalid_body");
            assert_eq!(faults(&refusal), ["/metadata/company required"]);
        }
        assert_eq!(acme.status_of(&invitation).await, "pending");
        let told = accepts(json!({"company": " Acme "})).await.told(201);

        assert_eq!(told["user"]["metadata"], json!({"company": "Acme"}));
        let events = app.events(&acme.owner.door, Name::UserSignedUp).await;
        assert!(events.iter().any(|event| event.details.get("form_version") == Some(&json!(1))));
    }

    /// Somebody had signed up with the address before, and left what was asked then.
    async fn whoever_proves_an_address_late_answers_for_himself(acme: Acme) {
        let app = &acme.app;
        let before = json!({"metadata": {"company": "Evil", "note": "of a stranger"}});
        app.person_with("mia@example.org", before).await;
        asked(app, json!([company()])).await;
        let invitation = acme.invited("mia@example.org", &["member"]).await;
        let body = json!({
            "token": acme.token_of(&invitation), "password": PASSWORD, "metadata": {"company": "Acme"},
        });

        let told = app.post("/v1/orgs/invitations/accept").json(body).await.told(201);

        assert_eq!(told["user"]["metadata"], json!({"company": "Acme"}));
    }

    /// Whoever makes it answers for its user.
    async fn an_account_that_is_made_for_somebody_answers_too(app: TestApp) {
        asked(&app, every_type()).await;
        let key = app.key();
        let makes = |metadata: Value| {
            let body = json!({"email": "mia@example.org", "password": PASSWORD, "metadata": metadata});
            key.post("/v1/admin/users/create").json(body)
        };

        for nothing in [json!(null), json!({})] {
            let refusal = makes(nothing).await.refuses(400, "invalid_body");
            assert_eq!(faults(&refusal), ["/metadata/company required", "/metadata/terms required"]);
        }
        let wrong = json!({"company": "Acme", "terms": true, "seats": 0, "note": "of ours"});
        let refusal = makes(wrong).await.refuses(400, "invalid_body");
        assert_eq!(faults(&refusal), ["/metadata/note unknown_field", "/metadata/seats too_small"]);
        assert_eq!(app.user_count(&app.own.development).await, 0);
        let told = makes(json!({"company": " Acme", "terms": true, "uses": ["c", "a"]})).await.told(201);

        let kept = json!({"company": "Acme", "terms": true, "plan": "b", "uses": ["a", "c"]});
        assert_eq!(told["metadata"], kept);
        let events = app.events(&app.own.development, Name::UserCreated).await;
        assert_eq!(events[0].details.get("form_version"), Some(&json!(1)));
        // What a backend notes is its own affair, afterwards.
        let path = format!("/v1/admin/users/{}", told["id"].as_str().unwrap());
        let noted = key.patch(&path).json(json!({"metadata": {"note": "of ours"}})).await.told(200);
        assert_eq!(noted["metadata"], json!({"note": "of ours"}));
    }

    /// They never saw the form: they owe it nothing, and what is said of them is what it could hold.
    async fn what_is_brought_in_is_held_against_the_form_line_by_line(app: TestApp) {
        asked(&app, every_type()).await;
        let user = |name: &str, metadata: Value| {
            json!({"email": format!("{name}@example.org"), "metadata": metadata})
        };
        let users = [
            json!({"email": "nothing@example.org"}),
            user("some", json!({"company": " Acme", "terms": false, "uses": ["c", "a"]})),
            user("bad", json!({"seats": 501, "site": "x"})),
            user("more", json!({"company": "Acme", "note": 1})),
        ];
        let lines = users.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let imports = |query: &str| {
            let path = format!("/v1/admin/bulk/users/import{query}");
            app.key().post(&path).body("application/x-ndjson", lines.clone())
        };

        for query in ["?dry_run=true", ""] {
            let told = imports(query).await.expect(200).lines();
            let failed: Vec<_> = told.iter().filter(|it| it["status"] == "failed").collect();
            assert_eq!(failed.iter().map(|it| &it["line"]).collect::<Vec<_>>(), [3, 4], "{told:?}");
            let why: Vec<_> = failed.iter().flat_map(|it| faults(&it["error"])).collect();
            assert_eq!(why, [
                "/metadata/seats too_large", "/metadata/site invalid_url", "/metadata/note unknown_field",
            ]);
            assert_eq!(told.last().unwrap()["summary"]["created"], 2);
        }

        let mut kept: Vec<_> = app.of_app::<User>(&app.own.development).await;
        kept.sort_by_key(|user| user.email.to_string());
        let kept: Vec<_> = kept.iter().map(|user| json!(user.metadata)).collect();
        let some = json!({"company": "Acme", "terms": false, "uses": ["a", "c"]});
        assert_eq!(kept, [json!({}), some]);
        // Where nothing is asked any more, anything can be brought in, at once.
        let _ = app.key().delete(&path(&app.own.development, "signup")).await.expect(204);
        let told = imports("").await.expect(200).lines();
        assert_has(&told.last().unwrap()["summary"], json!({"created": 2, "skipped": 2}));
    }

    /// The form is asked for once a second at most.
    async fn a_form_costs_a_change_of_a_profile_one_look_at_the_account(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let free = app.calls_for(async || {
            let _ = changes(&mia, json!({"company": "Acme"})).await.expect(200);
        });
        let free = free.await;
        asked(&app, json!([company()])).await;

        let judged = app.calls_for(async || {
            let _ = changes(&mia, json!({"company": "Acme"})).await.expect(200);
        });

        assert_eq!(judged.await, free + 1);
    }
}
