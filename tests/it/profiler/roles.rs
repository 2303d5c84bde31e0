//! Defining roles, giving them, and asking what they amount to.

use serde_json::{Value, json};

use super::Scenario;
use crate::support::acme::Acme;
use crate::support::client::Asks;
use crate::support::orgs::text;
use crate::support::roles::new_role;

impl Scenario {
    pub(super) async fn defines_roles(&mut self, acme: &Acme) {
        let key = acme.app.key();
        let own = json!({"resources": [{"name": "documents", "actions": ["read", "write"]}]});
        let register = key.request("PUT", "/v1/permissions/catalogue").json(own);
        self.calls("permissions.register", register.await);
        self.calls("permissions.list", key.get("/v1/permissions").await);
        let _ = acme.owner.refreshes().await.expect(200);
        let template = self.defines_those_of_the_app(acme).await;
        self.defines_those_of_an_organization(acme, &template).await;
        self.gives_them(acme).await;
        self.calls("roles.delete", key.delete(&template).await);
    }

    /// Where one of them is.
    async fn defines_those_of_the_app(&mut self, acme: &Acme) -> String {
        let key = acme.app.key();
        let new = new_role("auditor", &["documents:read"]);
        let made = self.calls("roles.create", key.post("/v1/roles").json(new).await);
        let at = format!("/v1/roles/{}", text(&made["id"]));
        for query in ["", "?limit=1"] {
            let list = key.get(&format!("/v1/roles{query}")).await;
            self.calls("roles.list", list);
        }
        self.calls("roles.read", key.get(&at).await);
        let permissions = format!("{at}/permissions");
        let line = json!({"resource": "documents", "action": "write"});
        let granted = key.post(&permissions).json(line).await;
        self.calls("roles.permissions.grant", granted);
        self.calls("roles.permissions.list", key.get(&permissions).await);
        let withdrawn = key.delete(&format!("{permissions}/documents:write")).await;
        self.calls("roles.permissions.withdraw", withdrawn);
        for query in ["?dry_run=true", ""] {
            let parent = json!({"parent_id": "viewer"});
            let update = key.patch(&format!("{at}{query}")).json(parent).await;
            self.calls("roles.update", update);
        }
        let _ = acme.owner.refreshes().await.expect(200);
        at
    }

    async fn defines_those_of_an_organization(&mut self, acme: &Acme, template: &str) {
        let (owner, at) = (&acme.owner, acme.at("/roles"));
        let parent = template.rsplit('/').next().expect("an identifier");
        let new = json!({"name": "editor", "parent_id": parent});
        let made = self.calls("orgs.roles.create", owner.post(&at).json(new).await);
        for query in ["", "?limit=1"] {
            let list = owner.get(&format!("{at}{query}")).await;
            self.calls("orgs.roles.list", list);
        }
        let of_made = format!("{at}/{}", text(&made["id"]));
        self.calls("orgs.roles.read", owner.get(&of_made).await);
        let edda = acme.joined("edda@example.org", &["editor"]).await;
        for query in ["?dry_run=true", ""] {
            let lines = json!({"permissions": [{"resource": "documents", "action": "*"}]});
            let update = owner.patch(&format!("{of_made}{query}")).json(lines).await;
            self.calls("orgs.roles.update", update);
        }
        let replaced = owner.delete(&format!("{of_made}?replacement=member")).await;
        self.calls("orgs.roles.delete", replaced);
        let _ = edda.person.signs_out().await;
    }

    async fn gives_them(&mut self, acme: &Acme) {
        let key = acme.app.key();
        let nora = acme.joined("nora@example.org", &["member"]).await.person;
        let places: [Value; 2] = [
            json!({"user_id": nora.id, "org_id": acme.org.id}),
            json!({"user_id": nora.id}),
        ];
        for (whom, role) in places.iter().zip(["auditor", "ADMIN"]) {
            let at = format!("/v1/roles/{role}");
            let given = key.post(&format!("{at}/assign")).json(whom.clone()).await;
            self.calls("roles.assign", given);
            let query = whom
                .get("org_id")
                .map(|_| format!("?org_id={}", acme.org.id));
            let of_nora = format!("/v1/users/{}/roles{}", nora.id, query.unwrap_or_default());
            self.calls("users.roles", key.get(&of_nora).await);
            let check = json!({"resource": "documents", "action": "read", "org_id": acme.org.id,
                "user_id": nora.id});
            let asked = key.post("/v1/permissions/check");
            let asked = asked.json(json!({"checks": [check], "explain": true}));
            self.calls("permissions.check", asked.await);
            let taken = key.post(&format!("{at}/unassign")).json(whom.clone()).await;
            self.calls("roles.unassign", taken);
        }
    }
}
