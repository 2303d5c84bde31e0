//! Apps, as their operators found, describe and close them.

use std::collections::BTreeSet;

use authsome::apps::App;
use authsome::events::Name;
use authsome::store::by_id;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, assert_has};
use crate::support::dump;
use crate::support::orgs::text;
use crate::support::persona::PASSWORD;
use crate::support::stores::on_both_stores;

const APPS: &str = "/v1/admin/apps";

/// The development environment of an app that was just founded.
fn door(founded: &Value) -> Door {
    let all = founded["environments"].as_array().expect("environments");
    let own = all
        .iter()
        .find(|it| it["slug"] == "development")
        .expect("one for development");
    Door {
        app_id: text(&founded["app"]["id"]),
        env_id: text(&own["id"]),
        publishable_key: text(&own["publishable_key"]),
        secret_key: text(&own["secret_key"]),
    }
}

on_both_stores! {
    async fn an_operator_founds_an_app_that_works_at_once(app: TestApp) {
        let operator = app.operator().await;
        let new = json!({
            "name": "The Shop", "description": "What we sell\nand where",
            "logo": "https://cdn.example.com/shop.png", "metadata": {"plan": "pro"},
        });

        let founded = operator.post(APPS).json(new.clone()).await.told(201);

        assert_has(&founded["app"], new);
        assert_has(&founded["app"], json!({"slug": "the-shop", "is_platform": false}));
        let kinds: Vec<_> = founded["environments"].as_array().unwrap().iter()
            .map(|it| (text(&it["slug"]), it["is_default"] == true)).collect();
        assert_eq!(kinds, [("production".to_owned(), false), ("development".to_owned(), true)]);
        let shop = door(&founded);
        assert!(shop.publishable_key.starts_with("pk_test_") && shop.secret_key.starts_with("sk_test_"));
        let mia = app.visitor(&shop).becomes("mia@example.org", json!({})).await;
        mia.me().await.told(200);
        app.machine(&shop).get("/v1/admin/users").await.told(200);
        let read = operator.get(&format!("{APPS}/{}", shop.app_id)).await.told(200);
        assert_eq!(read, founded["app"]);
        let told = app.events(&app.platform, Name::AppCreated).await;
        assert_eq!(told[0].target.as_ref().and_then(|it| it.id.clone()), Some(shop.app_id));
    }

    async fn a_slug_is_made_of_the_name_and_is_one_app_s(app: TestApp) {
        let operator = app.operator().await;
        let founds = async |body: Value| operator.post(APPS).json(body).await;

        assert_eq!(founds(json!({"name": "Shop"})).await.told(201)["app"]["slug"], "shop");
        let second = founds(json!({"name": "Shop"})).await.told(201);
        assert!(text(&second["app"]["slug"]).starts_with("shop-"), "{second}");
        founds(json!({"name": "Else", "slug": "SHOP"})).await.refuses(409, "app_slug_taken");
        founds(json!({"name": "Else", "slug": "platform"})).await.refuses(409, "app_slug_taken");
        assert_eq!(founds(json!({"name": "日本語"})).await.told(201)["app"]["name"], "日本語");
        for (body, pointer) in [
            (json!({"name": "x", "slug": "-a-"}), "/slug"),
            (json!({"name": ""}), "/name"),
            (json!({"name": "x", "logo": "http://cdn.example.com/x.png"}), "/logo"),
            (json!({"name": "x", "logo": "javascript:alert(1)"}), "/logo"),
            (json!({"name": "x", "description": "a\r\nb: c"}), "/description"),
            (json!({"name": "x", "metadata": {"$a": 1}}), "/metadata"),
        ] {
            let refusal = founds(body).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], pointer);
        }
    }

    async fn of_twenty_who_found_one_slug_one_does(app: TestApp) {
        let operator = app.operator().await;

        let ask = || async { operator.post(APPS).json(json!({"name": "Shop", "slug": "shop"})).await.outcome() };
        let outcomes = join_all((0..20).map(|_| ask())).await;

        let won = outcomes.iter().filter(|it| *it == "201").count();
        assert_eq!(won, 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|it| it == "201" || it == "409 app_slug_taken"), "{outcomes:?}");
    }

    async fn apps_are_the_operators_and_one_is_its_administrators(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let (operator, shop) = (app.operator().await, app.founds("Shop").await);
        let own = format!("{APPS}/{}", app.own.development.app_id);
        let other = format!("{APPS}/{}", shop.development.app_id);
        let new = || json!({"name": "Mine"});
        let change = || json!({"description": "Ours"});

        for asks in [&admin as &dyn Asks, &app.key(), &mia] {
            asks.get(APPS).await.refuses(403, "forbidden");
            asks.post(APPS).json(new()).await.refuses(403, "forbidden");
            asks.delete(&format!("{own}?confirm=default")).await.refuses(403, "forbidden");
        }
        mia.get(&own).await.refuses(403, "forbidden");
        for asks in [&admin as &dyn Asks, &app.key()] {
            asks.get(&own).await.told(200);
            assert_eq!(asks.patch(&own).json(change()).await.told(200)["description"], "Ours");
            asks.get(&other).await.refuses(404, "not_found");
            asks.patch(&other).json(change()).await.refuses(404, "not_found");
        }
        let all = operator.get(APPS).await.told(200);
        let slugs: BTreeSet<_> = all["apps"].as_array().unwrap().iter().map(|it| text(&it["slug"])).collect();
        assert_eq!(slugs, ["default", "platform", "shop"].map(str::to_owned).into());
        let page = operator.get(&format!("{APPS}?limit=2")).await.told(200);
        let next = format!("{APPS}?limit=2&cursor={}", text(&page["next_cursor"]));
        assert_eq!(operator.get(&next).await.told(200)["apps"].as_array().map(Vec::len), Some(1));
        let renamed = operator.patch(&other).json(json!({"name": "Store", "slug": "store", "description": null})).await.told(200);
        assert_has(&renamed, json!({"name": "Store", "slug": "store"}));
        operator.patch(&other).json(json!({"slug": "default"})).await.refuses(409, "app_slug_taken");
        let platform = format!("{APPS}/{}", app.platform.app_id);
        operator.patch(&platform).json(json!({"slug": "another"})).await.refuses(409, "platform_app");
        operator.patch(&platform).json(json!({"name": "Ours"})).await.told(200);
        assert_eq!(app.events(&app.own.development, Name::AppUpdated).await.len(), 2);
        assert_eq!(app.events(&shop.development, Name::AppUpdated).await.len(), 1);
    }

    /// Whatever it owned is gone, on every node, and nothing of the others.
    async fn an_app_goes_with_everything_that_is_its_own(app: TestApp) {
        let operator = app.operator().await;
        let founded = operator.post(APPS).json(json!({"name": "Shop"})).await.told(201);
        let shop = door(&founded);
        let mia = app.visitor(&shop).becomes("mia@example.org", json!({})).await;
        let org = app.org("acme", &mia).await;
        let _ = mia.post(&org.path("/teams")).json(json!({"name": "Design"})).await.expect(201);
        let other = app.person("mia@example.org").await;
        let node = app.another_node(&[]).await;
        node.client().get("/v1/me").bearer(&mia.access_token()).await.told(200);
        let before = dump::collections(app.location()).await;
        let path = format!("{APPS}/{}", shop.app_id);

        operator.delete(&path).await.refuses(400, "not_confirmed");
        operator.delete(&format!("{path}?confirm=Shop")).await.refuses(400, "not_confirmed");
        mia.me().await.told(200);
        let _ = operator.delete(&format!("{path}?confirm=shop")).await.expect(204);

        mia.me().await.refuses(401, "invalid_token");
        app.machine(&shop).get("/v1/admin/users").await.refuses(401, "invalid_token");
        app.visitor(&shop).signs_in("mia@example.org", PASSWORD).await.refuses(401, "invalid_publishable_key");
        mia.presents(&mia.refresh_token()).await.refuses(401, "invalid_publishable_key");
        eventually(async || node.client().get("/v1/me").bearer(&mia.access_token()).await.status == 401).await;
        operator.get(&path).await.refuses(404, "not_found");
        operator.delete(&format!("{path}?confirm=shop")).await.refuses(404, "not_found");
        operator.get(&format!("/v1/admin/users{}", shop.query())).await.refuses(404, "not_found");
        let left = dump::collections(app.location()).await;
        for (collection, documents) in &left {
            let is_remembered = collection == "authsome_revocations";
            let own = documents.iter().find(|it| it["app_id"] == shop.app_id);
            assert!(own.is_none() || is_remembered, "{collection}: {own:?}");
            let of_others = |all: &[Value]| all.iter().filter(|it| it.get("app_id").is_some_and(|id| *id != shop.app_id)).count();
            assert!(of_others(documents) >= before.get(collection).map_or(0, |it| of_others(it)), "{collection}");
        }
        other.me().await.told(200);
        assert_eq!(app.events(&app.platform, Name::AppDeleted).await.len(), 1);
        // The name is free at once.
        let again = operator.post(APPS).json(json!({"name": "Shop", "slug": "shop"})).await;
        again.told(201);
    }

    async fn what_comes_late_to_a_closed_app_is_removed_and_so_is_the_app(app: TestApp) {
        let operator = app.operator().await;
        let founded = operator.post(APPS).json(json!({"name": "Shop"})).await.told(201);
        let shop = door(&founded);
        let path = format!("{APPS}/{}?confirm=shop", shop.app_id);
        let _ = operator.delete(&path).await.expect(204);
        app.appoints(&shop, "late@example.org", PASSWORD).await;

        Box::pin(app.tends_apps()).await;
        assert_eq!(app.user_count(&shop).await, 0);
        let stored = async || {
            let mut once = app.store().once();
            once.shared().find_one::<App>(by_id(shop.app())).await.expect("an answer")
        };
        assert!(stored().await.is_some());
        app.clock.advance(std::time::Duration::from_mins(10));
        Box::pin(app.tends_apps()).await;

        assert!(stored().await.is_none());
    }

    async fn of_ten_who_close_an_app_one_does(app: TestApp) {
        let operator = app.operator().await;
        let founded = operator.post(APPS).json(json!({"name": "Shop"})).await.told(201);
        let path = format!("{APPS}/{}?confirm=shop", text(&founded["app"]["id"]));

        let outcomes = join_all((0..10).map(|_| async { operator.delete(&path).await.status })).await;

        assert_eq!(outcomes.iter().filter(|it| **it == 204).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|it| [204, 404].contains(it)), "{outcomes:?}");
        assert_eq!(app.events(&app.platform, Name::AppDeleted).await.len(), 1);
    }

    async fn the_platform_stays_and_keeps_an_owner(app: TestApp) {
        let operator = app.operator().await;
        let platform = format!("{APPS}/{}", app.platform.app_id);
        operator.delete(&format!("{platform}?confirm=platform")).await.refuses(409, "platform_app");

        let owners = "/v1/admin/platform/owners";
        let who = |id: &str| json!({"user_id": id});
        operator.delete(owners).json(who(&app.operator.user_id)).await.refuses(409, "last_admin");
        let colleague = app.colleague("olaf@example.org", &["ADMIN"]).await;
        colleague.post(owners).json(who(&colleague.id)).await.refuses(403, "forbidden");
        let mia = app.person("mia@example.org").await;
        operator.post(owners).json(who(&mia.id)).await.refuses(404, "not_found");
        app.admin().await.post(owners).json(who(&mia.id)).await.refuses(403, "forbidden");

        // Whichever app he acts on.
        let elsewhere = format!("{owners}{}", app.own.development.query());
        let added = operator.post(&elsewhere).json(who(&colleague.id)).await.told(200);
        assert_eq!(added["roles"], json!(["OWNER", "ADMIN", "USER"]));
        assert_eq!(app.guardians(&app.platform).await, 2);
        let _ = colleague.refreshes().await.expect(200);
        let both = [&app.operator.user_id, &colleague.id];
        let asked = both.map(|id| { let colleague = &colleague; async move { colleague.delete(owners).json(who(id)).await.status } });
        let statuses = join_all(asked).await;
        assert_eq!(statuses.iter().filter(|it| **it == 204).count(), 1, "{statuses:?}");
        assert_eq!(app.guardians(&app.platform).await, 1);
    }
}
