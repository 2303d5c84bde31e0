//! Organisations and members: founding, seeing, changing, leaving, and nobody else's business.

use std::collections::BTreeSet;
use std::time::Duration;

use authsome::events::Name;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply, assert_has};
use crate::support::dump::collections;
use crate::support::orgs::text;
use crate::support::stores::on_both_stores;

fn outcomes(replies: &[Reply]) -> Vec<String> {
    let mut all: Vec<String> = replies.iter().map(Reply::outcome).collect();
    all.sort();
    all
}

/// Every document of a collection, past the port.
async fn stored(app: &TestApp, collection: &str) -> Vec<Value> {
    let all = collections(app.location()).await;
    all.get(&format!("authsome_{collection}"))
        .cloned()
        .unwrap_or_default()
}

on_both_stores! {
    async fn whoever_founds_an_organisation_owns_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({
            "name": "Acme Research", "slug": "Acme", "metadata": {"plan": "pro"},
            "logo": "https://cdn.example.com/acme.png",
        });

        let told = mia.post("/v1/orgs").json(new).await.told(201);

        assert_has(&told, json!({
            "name": "Acme Research", "slug": "acme", "metadata": {"plan": "pro"},
            "logo": "https://cdn.example.com/acme.png", "created_by": mia.id, "member_count": 1,
            "roles": ["owner"], "env_id": mia.door.env_id, "app_id": mia.door.app_id,
        }));
        let path = format!("/v1/orgs/{}", text(&told["id"]));
        assert_eq!(mia.get(&path).await.told(200)["roles"], json!(["owner"]));
        let members = mia.get(&format!("{path}/members")).await.told(200);
        assert_has(&members["members"][0], json!({
            "user_id": mia.id, "role": "owner", "roles": ["owner"],
            "user": {"id": mia.id, "email": "mia@example.org"},
        }));
        let events = app.events(&mia.door, Name::OrganizationCreated).await;
        assert_eq!(events[0].org_id.map(|it| it.to_string()), Some(text(&told["id"])));
    }

    async fn a_slug_is_made_of_the_name_and_is_another_where_it_is_taken(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let found = async |name: &str| {
            let told = mia.post("/v1/orgs").json(json!({"name": name})).await.told(201);
            text(&told["slug"])
        };

        assert_eq!(found("Änderungs-Büro 7").await, "anderungs-buro-7");
        assert!(found("Änderungs-Büro 7").await.starts_with("anderungs-buro-7-"));
        assert!(found("株式会社").await.starts_with("org-"));
        // Nobody gets a word of the site by calling himself so.
        assert!(found("Admin").await.starts_with("org-"));
    }

    async fn a_slug_is_one_organisation_s_in_its_environment(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.org("acme", &mia).await;
        let asks = async |slug: &str| mia.post("/v1/orgs").json(json!({"name": "X", "slug": slug})).await;
        let long = "a".repeat(41);

        for taken in ["acme", "ACME", "Acme"] {
            assert_eq!(asks(taken).await.outcome(), "409 slug_taken", "{taken}");
        }
        for kept in ["admin", "API", "well-known", "www"] {
            assert_eq!(asks(kept).await.outcome(), "400 slug_reserved", "{kept}");
        }
        for bad in ["", "ab", ".well-known", "../x", "a/b", "äcme", "-acme", "ac me", &long] {
            assert_eq!(asks(bad).await.outcome(), "400 invalid_body", "{bad}");
        }
        // Another environment is another place.
        app.trusts_addresses(&app.own.production).await;
        let elsewhere = mia.enters(&app.own.production).await;
        app.org("acme", &elsewhere).await;
    }

    async fn a_slug_can_be_asked_for(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.org("acme", &mia).await;
        let path = |slug: &str| format!("/v1/orgs/check-slug?slug={slug}");

        for (slug, answer) in [
            ("Globex", json!({"slug": "globex", "available": true})),
            ("ACME", json!({"slug": "acme", "available": false, "reason": "slug_taken"})),
            ("admin", json!({"slug": "admin", "available": false, "reason": "slug_reserved"})),
            ("..", json!({"slug": "..", "available": false, "reason": "invalid_slug"})),
        ] {
            assert_eq!(mia.get(&path(slug)).await.told(200), answer);
        }
        mia.get("/v1/orgs/check-slug").await.refuses(400, "invalid_query");
    }

    async fn of_twenty_who_want_one_slug_one_gets_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({"name": "Acme", "slug": "acme"});

        let asks = (0..20).map(async |_| mia.post("/v1/orgs").json(new.clone()).await);
        let replies = join_all(asks).await;

        let won = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(won, 1, "{:?}", outcomes(&replies));
        assert!(replies.iter().all(|it| it.status == 201 || it.kind() == "slug_taken"));
        assert_eq!(stored(&app, "organizations").await.len(), 1);
        assert_eq!(stored(&app, "members").await.len(), 1);
    }

    async fn a_key_founds_for_somebody_and_nobody_else_does(app: TestApp) {
        let (mia, noah) = (app.person("mia@example.org").await, app.person("noah@example.org").await);
        let new = json!({"name": "Acme", "owner_id": noah.id, "max_members": 5});

        let told = app.key().post("/v1/orgs").json(new.clone()).await.told(201);

        assert_has(&told, json!({"created_by": noah.id, "max_members": 5, "member_count": 1}));
        assert_eq!(told.get("roles"), None);
        app.key().post("/v1/orgs").json(json!({"name": "Acme"})).await.refuses(403, "user_required");
        mia.post("/v1/orgs").json(new).await.refuses(403, "forbidden");
        let limited = json!({"name": "Acme", "max_members": 5});
        mia.post("/v1/orgs").json(limited).await.refuses(403, "forbidden");
        let gone = json!({"name": "X", "owner_id": crate::contract::unknown("UserId")});
        app.key().post("/v1/orgs").json(gone).await.refuses(404, "not_found");
    }

    async fn an_organisation_is_changed_by_who_runs_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (acme, globex) = (app.org("acme", &mia).await, app.org("globex", &mia).await);
        let noah = acme.hires(&app, "noah@example.org", "admin").await;
        let olga = acme.hires(&app, "olga@example.org", "member").await;
        let change = json!({"name": "Acme 2", "slug": "acme-2", "metadata": {"a": [1]}});

        let told = noah.patch(&acme.path("")).json(change).await.told(200);

        assert_has(&told, json!({"name": "Acme 2", "slug": "acme-2", "metadata": {"a": [1]}}));
        olga.patch(&acme.path("")).json(json!({"name": "X"})).await.refuses(403, "forbidden");
        let path = acme.path("");
        for (body, status, kind) in [
            (json!({"slug": "globex"}), 409, "slug_taken"),
            (json!({"slug": "admin"}), 400, "slug_reserved"),
            (json!({"logo": "http://x.example/a.png"}), 400, "invalid_body"),
            (json!({"logo": "javascript:alert(1)"}), 400, "invalid_body"),
            (json!({"metadata": {"$where": 1}}), 400, "invalid_body"),
            (json!({"owner_count": 0}), 400, "unknown_field"),
            (json!({"env_id": mia.door.env_id}), 400, "unknown_field"),
            (json!({"max_members": 3}), 403, "forbidden"),
        ] {
            mia.patch(&path).json(body.clone()).await.refuses(status, kind);
        }
        let logo = json!({"logo": "https://cdn.example.com/a.png"});
        mia.patch(&path).json(logo).await.told(200);
        let none = mia.patch(&path).json(json!({"logo": null})).await.told(200);
        assert_eq!(none.get("logo"), None);
        assert_eq!(mia.get(&globex.path("")).await.told(200)["slug"], "globex");
    }

    async fn to_who_is_no_member_there_is_no_organisation(app: TestApp) {
        let (mia, noah) = (app.person("mia@example.org").await, app.person("noah@example.org").await);
        let acme = app.org("acme", &mia).await;
        let member = acme.member(&mia).await;

        for (method, below, body) in [
            ("GET", String::new(), json!(null)),
            ("PATCH", String::new(), json!({"name": "X"})),
            ("DELETE", String::new(), json!(null)),
            ("POST", "/leave".into(), json!(null)),
            ("POST", "/transfer".into(), json!({"member_id": member})),
            ("GET", "/members".into(), json!(null)),
            ("POST", "/members".into(), json!({"user_id": noah.id})),
            ("GET", format!("/members/{member}"), json!(null)),
            ("PATCH", format!("/members/{member}"), json!({"role": "viewer"})),
            ("DELETE", format!("/members/{member}"), json!(null)),
        ] {
            let ask = noah.request(method, &acme.path(&below));
            let ask = if body.is_null() { ask } else { ask.json(body) };
            ask.await.refuses(404, "not_found");
        }
        assert_eq!(noah.get("/v1/orgs").await.told(200)["organizations"], json!([]));
        assert_eq!(acme.roles_of(&mia).await, Some(vec!["owner".to_owned()]));
    }

    async fn a_viewer_sees_and_changes_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let vera = acme.hires(&app, "vera@example.org", "viewer").await;
        let noah = app.person("noah@example.org").await;
        let (own, boss) = (acme.member(&vera).await, acme.member(&mia).await);

        vera.get(&acme.path("")).await.told(200);
        vera.get(&acme.path("/members")).await.told(200);
        vera.get(&acme.path(&format!("/members/{boss}"))).await.told(200);
        let add = json!({"user_id": noah.id});
        vera.post(&acme.path("/members")).json(add).await.refuses(403, "forbidden");
        vera.patch(&acme.path("")).json(json!({"name": "X"})).await.refuses(403, "forbidden");
        vera.delete(&acme.path("")).await.refuses(403, "forbidden");
        acme.changes(&vera, &own, &["owner"]).await.refuses(403, "forbidden");
        acme.removes(&vera, &boss).await.refuses(403, "forbidden");
        acme.goes_to(&vera, &own).await.refuses(403, "forbidden");
    }

    async fn nobody_rises_above_himself_or_touches_who_is_above_him(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let admin = acme.hires(&app, "admin2@example.org", "admin").await;
        let olga = acme.hires(&app, "olga@example.org", "member").await;
        let noah = app.person("noah@example.org").await;
        let [boss, own, friend] = [&mia, &admin, &olga].map(|person| acme.member(person));
        let (boss, own, friend) = (boss.await, own.await, friend.await);

        for (member, roles) in [
            (&own, &["owner"][..]), (&own, &["owner", "admin"]), (&friend, &["owner"]),
            (&boss, &["member"]), (&boss, &["owner", "admin"]),
        ] {
            let reply = acme.changes(&admin, member, roles).await;
            // To add what one has is allowed; to touch ownership is not.
            let is_harmless = roles == ["owner", "admin"] && member == &boss;
            assert_eq!(reply.status == 200, is_harmless, "{roles:?} {}", reply.text());
            assert!(is_harmless || reply.kind() == "role_not_held");
        }
        acme.removes(&admin, &boss).await.refuses(403, "role_not_held");
        let add = json!({"user_id": noah.id, "role": "owner"});
        admin.post(&acme.path("/members")).json(add).await.refuses(403, "role_not_held");
        acme.changes(&olga, &friend, &["admin"]).await.refuses(403, "forbidden");
        assert_eq!(acme.owner_count(&app).await, 1);
        // What he has, he gives.
        acme.changes(&admin, &friend, &["admin"]).await.told(200);
    }

    async fn roles_are_those_there_are(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let olga = acme.hires(&app, "olga@example.org", "member").await;
        let member = acme.member(&olga).await;
        let path = acme.path(&format!("/members/{member}"));

        for role in ["Owner", "OWNER", "lead", "org:owner", "*", "", "owner,admin", "ADMIN",
            "p, org:member, *, *", "owner\n", "role:ADMIN", "arol_01h2xcejqtf2nbrexx3vqjhp41"] {
            let reply = acme.changes(&mia, &member, &[role]).await;
            assert_eq!(reply.outcome(), "400 unknown_role", "{role:?}");
        }
        for body in [json!({}), json!({"roles": []}), json!({"role": "admin", "roles": ["admin"]}),
            json!({"roles": vec!["member"; 21]}), json!({"role": 7})] {
            assert_eq!(mia.patch(&path).json(body).await.status, 400);
        }
        let told = mia.patch(&path).json(json!({"roles": ["viewer", "admin", "viewer"]})).await.told(200);
        assert_eq!(told["roles"], json!(["admin", "viewer"]));
    }

    async fn members_come_page_by_page(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        for number in 0..4 {
            acme.hires(&app, &format!("member{number}@example.org"), "member").await;
        }
        let (mut seen, mut path) = (BTreeSet::new(), acme.path("/members?limit=2"));
        loop {
            let page = mia.get(&path).await.told(200);
            for member in page["members"].as_array().expect("a list") {
                assert!(seen.insert(text(&member["id"])), "a member twice");
            }
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            path = acme.path(&format!("/members?limit=2&cursor={next}"));
        }
        assert_eq!(seen.len(), 5);
        // A cursor of one list is none of another.
        let globex = app.org("globex", &mia).await;
        let first = mia.get(&acme.path("/members?limit=2")).await.told(200);
        let stolen = format!("/members?cursor={}", text(&first["next_cursor"]));
        mia.get(&globex.path(&stolen)).await.refuses(400, "bad_cursor");
    }

    async fn somebody_joins_once_however_often_he_is_added(app: TestApp) {
        let (mia, noah) = (app.person("mia@example.org").await, app.person("noah@example.org").await);
        let acme = app.org("acme", &mia).await;
        let new = json!({"user_id": noah.id});

        let asks = (0..20).map(async |_| mia.post(&acme.path("/members")).json(new.clone()).await);
        let replies = join_all(asks).await;

        assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 1);
        assert!(replies.iter().all(|it| it.status == 201 || it.kind() == "already_member"));
        assert_eq!(acme.members().await.len(), 2);
        assert_eq!(acme.counted(&app, "member_count").await, 2);
    }

    async fn seats_are_never_more_than_there_are(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let limit = json!({"max_members": 3});
        app.key().patch(&acme.path("")).json(limit).await.told(200);
        let mut people = Vec::new();
        for number in 0..8 {
            people.push(app.person(&format!("member{number}@example.org")).await);
        }

        let asks = people.iter().map(async |person| {
            mia.post(&acme.path("/members")).json(json!({"user_id": person.id})).await
        });
        let replies = join_all(asks).await;

        assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 2);
        assert!(replies.iter().all(|it| it.status == 201 || it.kind() == "seat_limit"));
        assert_eq!(acme.members().await.len(), 3);
    }

    async fn an_organisation_goes_with_all_that_was_part_of_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (acme, globex) = (app.org("acme", &mia).await, app.org("globex", &mia).await);
        let noah = acme.hires(&app, "noah@example.org", "admin").await;
        globex.takes(&noah, &["member"]).await;
        noah.delete(&acme.path("")).await.refuses(403, "forbidden");

        let _ = mia.delete(&acme.path("")).await.expect(204);

        mia.get(&acme.path("")).await.refuses(404, "not_found");
        mia.delete(&acme.path("")).await.refuses(404, "not_found");
        let left = stored(&app, "members").await;
        assert!(left.iter().all(|member| member["org_id"] == json!(globex.id)));
        assert_eq!(left.len(), 2);
        assert_eq!(app.events(&mia.door, Name::OrganizationDeleted).await.len(), 1);
        // The slug is free, and what comes inherits nothing.
        let again = app.org("acme", &noah).await;
        mia.get(&again.path("")).await.refuses(404, "not_found");
        assert_eq!(again.members().await.len(), 1);
    }

    async fn nothing_is_written_into_an_organisation_that_goes(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for round in 0..5 {
            let acme = app.org(&format!("acme-{round}"), &mia).await;
            let mut people = Vec::new();
            for number in 0..3 {
                people.push(app.person(&format!("m{round}-{number}@example.org")).await);
            }
            let adds = people.iter().map(async |person| {
                mia.post(&acme.path("/members")).json(json!({"user_id": person.id})).await
            });
            let (added, gone) = join(join_all(adds), async { mia.delete(&acme.path("")).await }).await;

            let _ = gone.expect(204);
            assert!(added.iter().all(|it| matches!(it.status, 201 | 404)), "{:?}", outcomes(&added));
            let left = stored(&app, "members").await;
            assert!(left.is_empty(), "orphans: {left:?}");
        }
    }

    async fn administrators_see_every_organisation_of_their_environment(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let acme = app.org("acme", &mia).await;
        app.clock.advance(Duration::from_millis(1));
        app.org("globex", &mia).await;
        let slugs = |page: &Value| -> Vec<String> {
            let all = page["organizations"].as_array().expect("a list").iter();
            all.map(|it| text(&it["slug"])).collect()
        };

        let all = admin.get("/v1/admin/orgs").await.told(200);
        assert_eq!(slugs(&all), ["globex", "acme"]);
        let some = app.key().get("/v1/admin/orgs?slug=AC").await.told(200);
        assert_eq!(slugs(&some), ["acme"]);
        mia.get("/v1/admin/orgs").await.refuses(403, "forbidden");
        assert_eq!(admin.get(&acme.path("")).await.told(200).get("roles"), None);
        admin.patch(&acme.path("")).json(json!({"name": "Acme 2"})).await.told(200);
        acme.is_left_by(&admin).await.refuses(404, "not_found");
        // An operator of the platform acts on the app by naming it.
        let operator = app.operator().await;
        operator.get(&acme.path("")).await.refuses(404, "not_found");
        let there = format!("{}{}", acme.path(""), mia.door.query());
        assert_eq!(operator.get(&there).await.told(200)["slug"], "acme");
        let shop = app.founds("Shop").await;
        let none = app.machine(&shop.development).get("/v1/admin/orgs").await.told(200);
        assert_eq!(slugs(&none), Vec::<String>::new());
    }
}
