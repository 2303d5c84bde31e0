//! Keys of machines: made, used, changed, exchanged and looked into.

use serde_json::json;

use super::Scenario;
use crate::support::acme::Acme;
use crate::support::client::Asks;
use crate::support::machines::{Key, keyed};
use crate::support::orgs::text;

impl Scenario {
    pub(super) async fn gives_keys(&mut self, acme: &Acme) {
        let kai = acme.joined("kai@example.org", &["admin"]).await;
        let of_org = json!({"name": "Ci", "scopes": ["members:*"], "org_id": acme.org.id});
        for new in [keyed("Own", &["members:read"]), of_org] {
            let made = kai.person.post("/v1/keys").json(new).await;
            let made = self.calls("keys.create", made);
            self.keeps_one(acme, &kai.person, &made).await;
        }
        for query in ["", "?limit=1", &format!("?org_id={}", acme.org.id)] {
            let list = kai.person.get(&format!("/v1/keys{query}")).await;
            self.calls("keys.list", list);
        }
        let key = acme.app.key();
        self.calls("keys.list", key.get("/v1/keys?limit=1").await);
        let one = kai.person.get("/v1/keys?limit=1").await.told(200);
        let path = format!("/v1/keys/{}", text(&one["keys"][0]["id"]));
        self.calls("keys.revoke", kai.person.delete(&path).await);
        let member = acme.org.member(&kai.person).await;
        let _ = acme.org.removes(&acme.owner, &member).await.expect(204);
        self.keeps_accounts(acme).await;
    }

    async fn keeps_one(&mut self, acme: &Acme, asks: &impl Asks, made: &serde_json::Value) {
        let path = format!("/v1/keys/{}", text(&made["id"]));
        self.calls("keys.read", asks.get(&path).await);
        let name = asks.patch(&path).json(json!({"name": "Other"})).await;
        self.calls("keys.update", name);
        let rotate = asks.post(&format!("{path}/rotate"));
        let rotated = rotate.json(json!({"grace_seconds": 60})).await;
        let rotated = self.calls("keys.rotate", rotated);
        for told in [made, &rotated] {
            let own = Key::of(acme.app.client(), told);
            let _ = own.get(&acme.at("/members")).await.expect(200);
        }
        let own = Key::of(acme.app.client(), &rotated);
        let token = self.calls("tokens.exchange", own.exchanges().await);
        let token = text(&token["access_token"]);
        let _ = acme
            .app
            .get(&acme.at("/members"))
            .bearer(&token)
            .await
            .expect(200);
        for asked in [token, own.secret, acme.owner.refresh_token()] {
            let asked = json!({"token": asked});
            let told = acme.app.key().post("/v1/introspect").json(asked).await;
            self.calls("tokens.introspect", told);
        }
    }

    async fn keeps_accounts(&mut self, acme: &Acme) {
        let (key, at) = (acme.app.key(), "/v1/admin/service-accounts");
        let new = json!({"name": "Import", "roles": ["ADMIN"]});
        let made = key.post(at).json(new).await;
        let made = self.calls("admin.service_accounts.create", made);
        for query in ["", "?limit=1"] {
            let list = key.get(&format!("{at}{query}")).await;
            self.calls("admin.service_accounts.list", list);
        }
        let path = format!("{at}/{}", text(&made["id"]));
        self.calls("admin.service_accounts.read", key.get(&path).await);
        let keys = key.post(&format!("{path}/api-keys"));
        let given = keys.json(keyed("First", &["users:*"])).await;
        let given = self.calls("admin.service_accounts.create_key", given);
        let own = Key::of(acme.app.client(), &given);
        let _ = own.get("/v1/admin/users").await.expect(200);
        let changed = key.patch(&path).json(json!({"disabled": true})).await;
        self.calls("admin.service_accounts.update", changed);
        self.calls("admin.service_accounts.delete", key.delete(&path).await);
    }
}
