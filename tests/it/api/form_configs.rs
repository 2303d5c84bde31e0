//! Forms as administrators make them: what can be asked, by whom, and every change as a version.

use std::collections::BTreeSet;

use authsome::events::Name;
use authsome::forms::{FormConfig, FormVersion};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::forms::{asked, company, faults, path, sets};
use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn every_change_is_a_version_and_the_old_ones_are_explained(app: TestApp) {
        let (key, door) = (app.key(), &app.own.development);
        key.get(&path(door, "signup")).await.refuses(404, "not_found");
        let first = asked(&app, json!([company()])).await;
        assert_has(&first, json!({"version": 1, "active": true, "form_type": "signup"}));
        let said = json!({"metadata": {"company": "Acme"}});
        app.person_with("mia@example.org", said).await;
        let told = app.events(door, Name::UserSignedUp).await;
        assert_eq!(told[0].details["form_version"], 1);

        let second = asked(&app, json!([])).await;
        assert_has(&second, json!({"id": first["id"], "version": 2, "fields": []}));
        assert_eq!(key.get(&path(door, "signup")).await.told(200), second);
        let _ = key.delete(&path(door, "signup")).await.expect(204);
        let _ = key.delete(&path(door, "signup")).await.expect(204);
        assert_has(&asked(&app, json!([company()])).await, json!({"version": 3}));

        let list = format!("{}/versions", path(door, "signup"));
        let mut numbers = Vec::new();
        let mut query = "?limit=2".to_owned();
        loop {
            let page = key.get(&format!("{list}{query}")).await.told(200);
            let versions = page["versions"].as_array().expect("a list").clone();
            numbers.extend(versions.iter().map(|it| it["version"].clone()));
            assert_eq!(versions[0]["fields"].as_array().map(Vec::len), Some(1));
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=2&cursor={next}");
        }
        assert_eq!(numbers, [3, 2, 1]);
        assert_eq!(app.events(door, Name::FormConfigUpdated).await.len(), 3);
        assert_eq!(app.events(door, Name::FormConfigRemoved).await.len(), 1);
    }

    async fn the_last_fifty_versions_are_kept(app: TestApp) {
        for _ in 0..52 {
            asked(&app, json!([])).await;
        }

        let kept = app.of_app::<FormVersion>(&app.own.development).await;

        assert_eq!(kept.len(), 50);
        assert!(kept.iter().all(|it| (3..=52).contains(&it.version)));
    }

    /// Two administrators on two nodes, neither of whom loses what he has written.
    async fn of_twenty_changes_at_once_each_is_a_version(app: TestApp) {
        let (key, door) = (app.key(), &app.own.development);
        let node = app.another_node(&[]).await;
        let ask = async |number: usize| {
            let field = json!({"name": format!("f{number}"), "type": "text", "label": "F"});
            let body = json!({"fields": [field]});
            let request = match number % 2 {
                0 => sets(&key, door, "signup", body),
                _ => sets(node.client(), door, "signup", body).api_key(&door.secret_key),
            };
            request.await.told(200)["version"].as_i64().expect("a number")
        };

        let mut versions = join_all((0..20).map(ask)).await;

        versions.sort_unstable();
        assert_eq!(versions, (1..=20).collect::<Vec<_>>());
        let kept = app.of_app::<FormVersion>(door).await;
        let names: BTreeSet<_> =
            kept.iter().map(|it| it.fields[0].name.to_string()).collect();
        assert_eq!((kept.len(), names.len()), (20, 20));
        let now = app.of_app::<FormConfig>(door).await;
        assert_eq!((now.len(), now[0].version), (1, 20));
        assert_eq!(app.events(door, Name::FormConfigUpdated).await.len(), 20);
    }

    async fn of_twenty_changes_of_one_version_one_is_made(app: TestApp) {
        let (key, door) = (app.key(), &app.own.development);
        asked(&app, json!([company()])).await;
        let ask = async |_| sets(&key, door, "signup", json!({"fields": [], "version": 1})).await;

        let replies = join_all((0..20).map(ask)).await;

        let (made, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|it| it.status == 200);
        assert_eq!(made.len(), 1);
        for reply in refused {
            reply.refuses(409, "stale_version");
        }
        let first = json!({"fields": [], "version": 0});
        sets(&key, door, "signup", first.clone()).await.refuses(409, "stale_version");
        sets(&key, door, "profile", first).await.told(200);
    }

    async fn a_question_that_cannot_be_answered_is_refused(app: TestApp) {
        let (key, door) = (app.key(), &app.own.development);
        let field = |more: Value| {
            let mut field = json!({"name": "x", "type": "text", "label": "X"});
            for (name, value) in more.as_object().expect("members") {
                field[name] = value.clone();
            }
            field
        };
        let two = json!([{"value": "a"}, {"value": "a"}]);
        let many: Vec<_> = (0..101).map(|n| json!({"value": n.to_string()})).collect();
        for (more, wanted) in [
            (json!({"name": "password"}), "/fields/0/name invalid_name"),
            (json!({"name": "First-Name"}), "/fields/0/name invalid_name"),
            (json!({"name": "a.b"}), "/fields/0/name invalid_name"),
            (json!({"name": "$a"}), "/fields/0/name invalid_name"),
            (json!({"type": "file"}), "/fields/0/type invalid_type"),
            (json!({"label": "a\u{202e}b"}), "/fields/0/label invalid_label"),
            (json!({"label": "x".repeat(101)}), "/fields/0/label invalid_label"),
            (json!({"pattern": "(a+)+$"}), "/fields/0/pattern unknown_field"),
            (json!({"type": "select"}), "/fields/0/options required"),
            (json!({"type": "select", "options": []}), "/fields/0/options too_few"),
            (json!({"type": "select", "options": two}), "/fields/0/options/1/value duplicate"),
            (json!({"type": "radio", "options": many}), "/fields/0/options too_many"),
            (json!({"options": [{"value": "a"}]}), "/fields/0/options invalid_options"),
            (json!({"min": 3, "max": 2}), "/fields/0/min invalid_min"),
            (json!({"min": 256}), "/fields/0/min invalid_min"),
            (json!({"type": "textarea", "min": 5_001}), "/fields/0/min invalid_min"),
            (json!({"min": 0.5}), "/fields/0/min invalid_min"),
            (json!({"max": 1001}), "/fields/0/max invalid_max"),
            (json!({"max": "9"}), "/fields/0/max invalid_max"),
            (json!({"type": "email", "min": 1}), "/fields/0/min invalid_min"),
            (json!({"earliest": "2000-01-01"}), "/fields/0/earliest invalid_earliest"),
            (json!({"type": "date", "latest": "2000-13-01"}), "/fields/0/latest invalid_latest"),
            (json!({"type": "date", "earliest": "2000-01-02", "latest": "2000-01-01"}), "/fields/0/earliest invalid_earliest"),
            (json!({"format": "integer"}), "/fields/0/format invalid_format"),
            (json!({"format": "^a+$"}), "/fields/0/format invalid_format"),
            (json!({"type": "number", "default": "1"}), "/fields/0/default wrong_type"),
            (json!({"type": "select", "options": [{"value": "a"}], "default": "b"}), "/fields/0/default not_an_option"),
            (json!({"type": "checkbox", "required": true, "default": true}), "/fields/0/default invalid_default"),
        ] {
            let body = json!({"fields": [field(more.clone())]});
            let reply = sets(&key, door, "signup", body).await;
            assert_eq!(reply.status, 400, "{more}");
            assert_eq!(faults(&reply.json()), [wanted], "{more}");
        }
        let twice = json!({"fields": [field(json!({})), field(json!({}))]});
        let refusal = sets(&key, door, "signup", twice).await.refuses(400, "invalid_body");
        assert_eq!(faults(&refusal), ["/fields/1/name duplicate"]);
        let long = |n: u32| {
            field(json!({"name": format!("f{n}"), "type": "textarea", "required": true, "min": 4_000}))
        };
        let long = json!({"fields": (0..4).map(long).collect::<Vec<_>>()});
        let refusal = sets(&key, door, "signup", long).await.refuses(400, "invalid_body");
        assert_eq!(faults(&refusal), ["/fields too_long"]);
        let many: Vec<_> = (0..51).map(|n| field(json!({"name": format!("f{n}")}))).collect();
        sets(&key, door, "signup", json!({"fields": many})).await.refuses(400, "invalid_body");
        key.get(&path(door, "signup")).await.refuses(404, "not_found");
    }

    async fn fields_are_asked_in_their_order(app: TestApp) {
        let field = |name: &str, order: Value| json!({"name": name, "type": "text", "label": name, "order": order});

        let told = asked(&app, json!([field("c", json!(9)), field("b", json!(null)), field("a", json!(0))])).await;

        let names: Vec<_> = told["fields"].as_array().into_iter().flatten().map(|it| it["name"].clone()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    async fn forms_are_made_by_administrators_of_that_app(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let shop = app.founds("Shop").await;
        let (own, other) = (&app.own.development, &shop.development);
        let body = || json!({"fields": [company()]});

        mia.get(&path(own, "signup")).await.refuses(403, "forbidden");
        sets(&mia, own, "signup", body()).await.refuses(403, "forbidden");
        mia.delete(&path(own, "signup")).await.refuses(403, "forbidden");
        sets(&admin, other, "signup", body()).await.refuses(404, "not_found");
        admin.delete(&path(other, "signup")).await.refuses(404, "not_found");
        for unknown in ["login", "Signup", "signup%00"] {
            sets(&admin, own, unknown, body()).await.refuses(404, "not_found");
            admin.get(&path(own, unknown)).await.refuses(404, "not_found");
        }

        sets(&admin, own, "signup", body()).await.told(200);
        let operator = app.operator().await;
        let elsewhere = format!("{}{}", path(other, "signup"), other.query());
        operator.request("PUT", &elsewhere).json(body()).await.told(200);
        app.visitor(other).answers("zoe@example.org", None).await.refuses(400, "invalid_body");
    }
}
