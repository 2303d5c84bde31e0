//! What is done with accounts, and with apps as a whole.

use serde_json::json;

use super::Scenario;
use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::orgs::text;

impl Scenario {
    pub(super) async fn runs_an_app(&mut self, app: &TestApp) {
        let key = app.key();
        let new = json!({
            "email": "anna@example.org", "username": "anna", "phone": "+4930999111", "invite": true,
        });
        let made = key.post("/v1/admin/users/create").json(new).await;
        let made = self.calls("admin.users.create", made);
        let anna = format!("/v1/admin/users/{}", text(&made["id"]));
        let changes = json!({"email": "anna@example.net", "username": "anna2"});
        self.calls("admin.users.update", key.patch(&anna).json(changes).await);

        let user = |number: usize| {
            json!({
                "email": format!("brought{number}@example.org"), "username": format!("brought{number}"),
                "phone": format!("+49301230{number:03}"),
                "password_hash": "$2b$04$KKKKKKKKKKKKKKKKKKKKK.eeeeeeeeeeeeeeeeeeeeeeeeeeeeee.",
            })
        };
        let import = "/v1/admin/bulk/users/import";
        for path in [import, &format!("{import}?dry_run=true")] {
            let all: Vec<_> = (0..300).map(user).collect();
            let reply = key.post(path).json(json!({"users": all})).await;
            self.calls("admin.users.import", reply);
        }
        let lines: Vec<_> = (0..10).map(|number| user(number).to_string()).collect();
        let lines = lines.join("\n");
        let reply = key.post(import).body("application/x-ndjson", lines).await;
        self.calls("admin.users.import", reply);
        let export = "/v1/admin/bulk/users/export";
        self.calls("admin.users.export", key.get(export).await);
        let operator = app.operator().await;
        let query = app.own.development.query();
        let all = format!("{export}{query}&include=hashes");
        self.calls("admin.users.export", operator.get(&all).await);

        self.calls("admin.statistics.read", key.get("/v1/admin/stats").await);
        let these = json!({"user_ids": [made["id"]]});
        let sessions = "/v1/admin/bulk/sessions";
        for whose in [these, json!({"everybody": true})] {
            let reply = key.delete(sessions).json(whose).await;
            self.calls("admin.sessions.revoke", reply);
        }
    }

    pub(super) async fn runs_apps(&mut self, app: &TestApp) {
        let operator = app.operator().await;
        let apps = "/v1/admin/apps";
        let new = json!({"name": "Passing", "description": "Soon gone"});
        let founded = operator.post(apps).json(new).await;
        let founded = self.calls("admin.apps.create", founded);
        let id = text(&founded["app"]["id"]);
        for query in ["", "?limit=1"] {
            let list = format!("{apps}{query}");
            self.calls("admin.apps.list", operator.get(&list).await);
        }
        let one = format!("{apps}/{id}");
        self.calls("admin.apps.read", operator.get(&one).await);
        let changes = json!({"slug": "passing-by"});
        self.calls(
            "admin.apps.update",
            operator.patch(&one).json(changes).await,
        );
        let confirmed = format!("{one}?confirm=passing-by");
        self.calls("admin.apps.delete", operator.delete(&confirmed).await);

        let owners = "/v1/admin/platform/owners";
        let colleague = app.colleague("olive@example.org", &["ADMIN"]).await;
        let who = || json!({"user_id": colleague.id});
        let added = operator.post(owners).json(who()).await;
        self.calls("admin.platform.owners.add", added);
        let removed = operator.delete(owners).json(who()).await;
        self.calls("admin.platform.owners.remove", removed);
    }
}
