//! What an app asks of people, and which ways in it has.

use serde_json::json;

use super::Scenario;
use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::persona::PASSWORD;

impl Scenario {
    pub(super) async fn configures(&mut self, app: &TestApp) {
        let machine = app.key();
        let at = |what: &str| format!("/v1/admin/apps/{}/{what}", app.own.development.app_id);
        let form = at("form-configs/signup");
        let field = json!({"name": "motto", "type": "text", "label": "Motto"});
        // Enough that the oldest versions go.
        for _ in 0..51 {
            let body = json!({"fields": [field]});
            let reply = machine.request("PUT", &form).json(body).await;
            self.calls("admin.form_configs.replace", reply);
        }
        self.calls("admin.form_configs.read", machine.get(&form).await);
        let mut query = "?limit=2".to_owned();
        for _ in 0..2 {
            let list = format!("{form}/versions{query}");
            let list = machine.get(&list).await;
            let page = self.calls("admin.form_configs.versions.list", list);
            let next = page["next_cursor"].as_str().expect("a page more");
            query = format!("?limit=2&cursor={next}");
        }
        let config = at("client-config");
        let body = json!({"methods": ["password"]});
        let reply = machine.request("PUT", &config).json(body).await;
        self.calls("admin.client_config.replace", reply);
        self.calls("admin.client_config.read", machine.get(&config).await);
        let mona = app.person("mona@example.org").await;
        let motto = json!({"metadata": {"motto": "On"}});
        self.calls("me.update", mona.patch("/v1/me").json(motto).await);
        let visitor = mona.visitor();
        let _ = visitor.signs_in(&mona.email, PASSWORD).await.expect(200);
        self.calls("admin.form_configs.remove", machine.delete(&form).await);
        self.calls("admin.client_config.reset", machine.delete(&config).await);
    }

    pub(super) async fn brands(&mut self, acme: &Acme) {
        let app = &acme.app;
        let machine = app.key();
        let of_app = format!("/v1/admin/apps/{}/branding", app.own.development.app_id);
        let of_org = acme.at("/branding");
        let body = || json!({"accent_color": "#445566"});
        for _ in 0..2 {
            let reply = machine.request("PUT", &of_app).json(body()).await;
            self.calls("admin.branding.replace", reply);
            let reply = acme.owner.request("PUT", &of_org).json(body()).await;
            self.calls("orgs.branding.replace", reply);
        }
        self.calls("admin.branding.read", machine.get(&of_app).await);
        self.calls("orgs.branding.read", acme.owner.get(&of_org).await);
        self.calls("admin.branding.reset", machine.delete(&of_app).await);
        self.calls("orgs.branding.reset", acme.owner.delete(&of_org).await);
    }
}
