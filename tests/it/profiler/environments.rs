//! Making environments, changing and deleting them.

use serde_json::json;

use super::Scenario;
use crate::support::app::TestApp;
use crate::support::client::Asks;

impl Scenario {
    pub(super) async fn keeps_environments(&mut self, app: &TestApp) {
        let key = app.key();
        let new = json!({"name": "Stage", "type": "staging"});
        let made = key.post("/v1/environments").json(new).await;
        let made = self.calls("environments.create", made);
        let stage = app.door(&made).await;
        let there = app.machine(&stage);
        let read = there.get(&stage.path("")).await;
        self.calls("environments.read", read);
        let name = json!({"name": "Preview", "slug": "preview", "color": "#123456"});
        let update = there.patch(&stage.path("")).json(name).await;
        self.calls("environments.update", update);
        let rotate = there.post(&stage.path("/rotate-key")).json(json!({})).await;
        self.calls("environments.rotate_key", rotate);
        let _ = app.get("/v1/client-config").at(&stage).await.expect(200);
        let own = &app.own.development;
        for door in [&stage, own] {
            let set = app.machine(door).post(&door.path("/set-default")).await;
            self.calls("environments.set_default", set);
        }
        let clone = key
            .post(&own.path("/clone"))
            .json(json!({"name": "Twin"}))
            .await;
        self.calls("environments.clone", clone);
        self.chooses_settings(app).await;
        let deleted = app.deletes_environment(&stage).await;
        self.calls("environments.delete", deleted);
        app.clears_away().await;
    }

    async fn chooses_settings(&mut self, app: &TestApp) {
        let key = app.key();
        let list = key.get("/v1/admin/settings").await;
        self.calls("admin.settings.list", list);
        let path = "/v1/admin/settings/default_language";
        self.calls("admin.settings.read", key.get(path).await);
        for level in ["app", "environment"] {
            let at = format!("{path}?level={level}");
            for value in ["en", "de"] {
                let put = key.request("PUT", &at).json(json!({"value": value})).await;
                self.calls("admin.settings.choose", put);
            }
            self.calls("admin.settings.take_back", key.delete(&at).await);
        }
        let owner = app.person("settings.owner@example.org").await;
        let org = app.org("settled", &owner).await;
        let list = owner.get(&org.path("/settings")).await;
        self.calls("orgs.settings.list", list);
        let at = org.path("/settings/default_language");
        let put = owner.request("PUT", &at).json(json!({"value": "de"})).await;
        self.calls("orgs.settings.choose", put);
        self.calls("orgs.settings.take_back", owner.delete(&at).await);
        let _ = owner.delete(&org.path("")).await.expect(204);
    }
}
