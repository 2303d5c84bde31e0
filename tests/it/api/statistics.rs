//! Statistics, of a population that is known.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::persona::Administers;
use crate::support::stores::on_both_stores;

const DAY: Duration = Duration::from_hours(24);

fn by_day(figures: &Value) -> Vec<u64> {
    let all = figures.as_array().expect("days").iter();
    all.map(|it| it["count"].as_u64().expect("a count"))
        .collect()
}

on_both_stores! {
    async fn every_figure_is_the_true_count(app: TestApp) {
        let old = json!({"users": [
            {"email": "old@example.org", "created_at": "2039-12-01T10:00:00Z"},
            {"email": "older@example.org", "created_at": "2039-06-01T10:00:00Z", "email_verified": true},
        ]});
        app.key().post("/v1/admin/bulk/users/import").json(old).await.told(200);
        let mia = app.proven_person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let moe = app.person("moe@example.org").await;
        app.org("acme", &mia).await;
        app.clock.advance(DAY);
        let gone = app.person("gone@example.org").await;
        let _ = app.key().deletes(&gone.id).await.expect(204);
        let brief = json!({"expires_at": "2040-01-02T00:10:00Z"});
        let _ = app.key().bans(&max.id, json!({})).await.expect(200);
        let _ = app.key().bans(&moe.id, brief).await.expect(200);
        mia.visitor().signs_in("mia@example.org", "a wrong password").await.refuses(401, "invalid_credentials");
        mia.on_another_device().await;
        let stats = async || app.key().get("/v1/admin/stats").await.told(200);

        let figures = stats().await;

        let users = &figures["users"];
        let named = ["total", "active", "banned", "verified"].map(|it| users[it].as_u64().unwrap());
        assert_eq!(named, [5, 3, 2, 2], "{figures}");
        let new = by_day(&users["new_by_day"]);
        assert_eq!((new.len(), new[28], new[29], new.iter().sum::<u64>()), (30, 3, 0, 3));
        assert_eq!(figures["sessions"]["active"], 2, "mia's two");
        assert_eq!(figures["organizations"]["total"], 1);
        let succeeded = by_day(&figures["sign_ins"]["succeeded_by_day"]);
        assert_eq!((succeeded[28], succeeded[29]), (3, 2));
        assert_eq!(by_day(&figures["sign_ins"]["failed_by_day"])[29], 1);
        assert_eq!(users["new_by_day"][29]["day"], "2040-01-02T00:00:00.000Z");

        app.clock.advance(Duration::from_mins(10));
        let later = stats().await;
        assert_eq!((&later["users"]["banned"], &later["users"]["active"]), (&json!(1), &json!(4)));
    }

    async fn figures_are_of_the_own_app_and_environment(app: TestApp) {
        let (mia, shop) = (app.person("mia@example.org").await, app.founds("Shop").await);

        let there = app.machine(&shop.development).get("/v1/admin/stats").await.told(200);
        let next_door = app.machine(&app.own.production).get("/v1/admin/stats").await.told(200);

        assert_eq!((&there["users"]["total"], &there["sessions"]["active"]), (&json!(0), &json!(0)));
        assert_eq!((&next_door["users"]["total"], &next_door["sessions"]["active"]), (&json!(1), &json!(0)));
        mia.get("/v1/admin/stats").await.refuses(403, "forbidden");
    }
}
