//! The organisation in a token: chosen when it is issued, true then, and refused soon after it is
//! not true any more.

use std::time::{Duration, Instant};

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::Asks;
use crate::support::orgs::{Org, claims, text};
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::on_both_stores;

/// What the token says of organisations.
fn place(claims: &Value) -> Value {
    json!([claims["org_id"], claims["org_slug"], claims["org_roles"]])
}

fn none() -> Value {
    json!([null, null, null])
}

fn of(org: &Org, roles: &[&str]) -> Value {
    json!([org.id, org.slug, roles])
}

async fn enters(app: &TestApp, person: &Person, org: &str) -> crate::support::client::Reply {
    let visitor = app.visitor(&person.door);
    let body = json!({"email": person.email, "password": PASSWORD, "org_id": org});
    visitor.post("/v1/signin").json(body).await
}

on_both_stores! {
    async fn who_is_in_one_organisation_signs_in_to_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        assert_eq!(place(&mia.claims()), none());
        let acme = app.org("acme", &mia).await;
        // The session goes on as it is until it is told otherwise.
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(place(&mia.claims()), none());

        let told = mia.signs_in().await.told(200);

        assert_eq!(told["org_id"], json!(acme.id));
        let said = mia.claims();
        assert_eq!(place(&said), of(&acme, &["owner"]));
        assert_eq!(said["teams"], json!([]));
        assert!(said["org_ver"].is_i64() && said["app_ver"] == 0, "{said}");
        let permissions: Vec<String> =
            said["permissions"].as_array().expect("a list").iter().map(text).collect();
        assert!(permissions.contains(&"organization:delete".to_owned()), "{permissions:?}");
        assert!(permissions.iter().all(|it| !it.starts_with("users:")));
    }

    async fn who_is_in_several_names_one_or_has_none(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        app.clock.advance(Duration::from_millis(1));
        let globex = app.org("globex", &mia).await;

        let _ = mia.signs_in().await.expect(200);
        assert_eq!(place(&mia.claims()), none());

        let named = enters(&app, &mia, &globex.id).await;
        let _ = mia.keeps(named);
        assert_eq!(place(&mia.claims()), of(&globex, &["owner"]));
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(place(&mia.claims()), of(&globex, &["owner"]));
        let other = json!({"refresh_token": mia.refresh_token(), "org_id": acme.id});
        let _ = mia.keeps(mia.visitor().post("/v1/refresh").json(other).await);
        assert_eq!(place(&mia.claims()), of(&acme, &["owner"]));
        let own = mia.get("/v1/me/orgs").await.told(200);
        assert_eq!(own["organizations"][0]["slug"], "globex");
        assert_eq!(own["organizations"][1]["roles"], json!(["owner"]));
        assert_eq!(own, mia.get("/v1/orgs").await.told(200));
    }

    async fn a_session_goes_on_in_another_organisation_or_none(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (acme, globex) = (app.org("acme", &mia).await, app.org("globex", &mia).await);
        let before = (mia.session_id(), mia.refresh_token());

        let told = mia.switches_to(Some(&acme)).await.told(200);

        assert_eq!((&told["session_id"], &told["org_id"]), (&json!(before.0), &json!(acme.id)));
        assert_eq!(place(&mia.claims()), of(&acme, &["owner"]));
        let _ = mia.switches_to(Some(&globex)).await.expect(200);
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(place(&mia.claims()), of(&globex, &["owner"]));
        let none_left = mia.switches_to(None).await.told(200);
        assert_eq!(none_left.get("org_id"), None);
        assert_eq!(place(&mia.claims()), none());
        assert_eq!(mia.sessions().await.told(200)["sessions"][0].get("org_id"), None);
        for body in [json!({}), json!({"org_id": 7}), json!({"org_id": "acme"})] {
            assert_eq!(mia.post("/v1/me/switch-org").json(body).await.status, 400);
        }
        // The refresh token from before is spent: whoever has it has a copy.
        mia.presents(&before.1).await.refuses(401, "refresh_token_reused");
        mia.me().await.refuses(401, "invalid_token");
    }

    async fn an_organisation_that_is_not_one_s_own_is_told_as_one_that_is_not(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let noah = app.person("noah@example.org").await;
        let acme = app.org("acme", &mia).await;
        let nothing = crate::contract::unknown("OrganizationId");

        for org in [&acme.id, &nothing] {
            enters(&app, &noah, org).await.refuses(403, "not_a_member");
            let next = json!({"refresh_token": noah.refresh_token(), "org_id": org});
            noah.visitor().post("/v1/refresh").json(next).await.refuses(403, "not_a_member");
            let wanted = json!({"org_id": org});
            noah.post("/v1/me/switch-org").json(wanted).await.refuses(403, "not_a_member");
        }
        // What was refused has spent nothing.
        let _ = noah.refreshes().await.expect(200);
        let wrong = json!({"email": "noah@example.org", "password": "wrong", "org_id": acme.id});
        let visitor = app.visitor(&noah.door);
        visitor.post("/v1/signin").json(wrong).await.refuses(401, "invalid_credentials");
    }

    async fn nothing_but_the_issuing_chooses_the_organisation(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (acme, globex) = (app.org("acme", &mia).await, app.org("globex", &mia).await);
        let _ = mia.switches_to(Some(&acme)).await.expect(200);

        for header in ["x-org-id", "x-organization-id", "x-authsome-org", "x-authsome-organization"] {
            let refresh = json!({"refresh_token": mia.refresh_token()});
            let reply = mia.visitor().post("/v1/refresh").json(refresh).header(header, &globex.id).await;
            let _ = mia.keeps(reply).expect(200);
            assert_eq!(place(&mia.claims()), of(&acme, &["owner"]), "{header}");
        }
    }

    async fn a_change_of_roles_is_in_the_next_token_and_refuses_the_last(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (acme, globex) = (app.org("acme", &mia).await, app.org("globex", &mia).await);
        let noah = acme.hires(&app, "noah@example.org", "member").await;
        globex.takes(&noah, &["member"]).await;
        let elsewhere = noah.on_another_device().await;
        let _ = noah.switches_to(Some(&acme)).await.expect(200);
        let _ = elsewhere.switches_to(Some(&globex)).await.expect(200);
        let member = acme.member(&noah).await;
        let second = app.another_node(&[]).await;
        let there = async |token: &str| second.client().get("/v1/me").bearer(token).await;
        let _ = there(&noah.access_token()).await.expect(200);

        acme.changes(&mia, &member, &["admin"]).await.told(200);

        let since = Instant::now();
        noah.me().await.refuses(401, "invalid_token");
        let old = noah.access_token();
        eventually(async || there(&old).await.kind() == "invalid_token").await;
        assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
        // His tokens for another organisation stay as they are.
        elsewhere.me().await.told(200);
        let _ = noah.refreshes().await.expect(200);
        assert_eq!(place(&noah.claims()), of(&acme, &["admin"]));
        noah.me().await.told(200);
        let _ = there(&noah.access_token()).await.expect(200);
    }

    async fn who_is_removed_is_outside_at_once(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "admin").await;
        let free = noah.on_another_device().await;
        let _ = free.switches_to(None).await.expect(200);
        let _ = noah.switches_to(Some(&acme)).await.expect(200);
        let member = acme.member(&noah).await;

        let _ = acme.removes(&mia, &member).await.expect(204);

        noah.me().await.refuses(401, "invalid_token");
        // A token without the organisation opens nothing of it either.
        free.get(&acme.path("")).await.refuses(404, "not_found");
        free.me().await.told(200);
        let told = noah.refreshes().await.told(200);
        assert_eq!(told.get("org_id"), None);
        assert_eq!(place(&noah.claims()), none());
        enters(&app, &noah, &acme.id).await.refuses(403, "not_a_member");
        let _ = noah.signs_in().await.expect(200);
        assert_eq!(place(&noah.claims()), none());
        // Back again, he is what he is then.
        acme.takes(&noah, &["viewer"]).await;
        let _ = noah.switches_to(Some(&acme)).await.expect(200);
        assert_eq!(place(&noah.claims()), of(&acme, &["viewer"]));
        noah.me().await.told(200);
    }

    async fn tokens_for_an_organisation_die_with_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "member").await;
        let free = noah.on_another_device().await;
        let _ = free.switches_to(None).await.expect(200);
        let _ = noah.switches_to(Some(&acme)).await.expect(200);

        let _ = mia.delete(&acme.path("")).await.expect(204);

        noah.me().await.refuses(401, "invalid_token");
        free.me().await.told(200);
        let _ = noah.refreshes().await.expect(200);
        assert_eq!(place(&noah.claims()), none());
        noah.me().await.told(200);
    }

    async fn a_refresh_at_the_moment_of_a_change_gives_nothing_old(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "admin").await;
        let _ = noah.switches_to(Some(&acme)).await.expect(200);
        let member = acme.member(&noah).await;
        for round in 0..8 {
            let roles: &[&str] = if round % 2 == 0 { &["viewer"] } else { &["admin"] };
            let (_, changed) = join(
                noah.refreshes(),
                async { acme.changes(&mia, &member, roles).await },
            ).await;
            let _ = changed.expect(200);
            let said = noah.claims();
            // Either the new roles, or a token that is good for nothing.
            let is_new = said["org_roles"] == json!(roles);
            assert_eq!(noah.me().await.status, if is_new { 200 } else { 401 }, "round {round}");
            let _ = noah.refreshes().await.expect(200);
            assert_eq!(noah.claims()["org_roles"], json!(roles));
        }
    }

    /// The node that refreshes has not heard of the change: what it signs at that moment says no more
    /// than the database, or is refused wherever it is shown.
    async fn a_refresh_by_one_node_while_another_changes_roles_keeps_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "admin").await;
        let _ = noah.switches_to(Some(&acme)).await.expect(200);
        let (member, node) = (acme.member(&noah).await, app.another_node(&[]).await);
        for round in 0..8 {
            let roles: &[&str] = if round % 2 == 0 { &["viewer"] } else { &["admin"] };
            let there = noah.visitor().by(node.client());

            let (refreshed, changed) = join(
                async { there.presents(&noah.refresh_token()).await },
                async { acme.changes(&mia, &member, roles).await },
            ).await;

            let _ = changed.expect(200);
            let _ = noah.keeps(refreshed).expect(200);
            let good = noah.access_token();
            let is_new = noah.claims()["org_roles"] == json!(roles);
            let status = if is_new { 200 } else { 401 };
            assert_eq!(noah.me().await.status, status, "round {round}");
            eventually(async || node.client().get("/v1/me").bearer(&good).await.status == status).await;
            let refreshed = there.presents(&noah.refresh_token()).await;
            let _ = noah.keeps(refreshed).expect(200);
            assert_eq!(noah.claims()["org_roles"], json!(roles));
        }
    }

    async fn a_token_says_what_its_user_may_in_the_app_as_well(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let admin = app.admin().await;
        acme.takes(&admin, &["viewer"]).await;

        let _ = admin.switches_to(Some(&acme)).await.expect(200);

        let said = admin.claims();
        assert_eq!(said["org_roles"], json!(["viewer"]));
        let permissions = said["permissions"].as_array().expect("a list");
        assert!(permissions.contains(&json!("members:remove")), "{said}");
        let told = mia.signs_in().await.told(200);
        assert_eq!(claims(&text(&told["access_token"]))["roles"], json!(["USER"]));
    }
}
