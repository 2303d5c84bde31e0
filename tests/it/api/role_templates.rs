//! Roles that an app defines for all its organisations.

use authsome::events::Name;
use authsome::rbac::{Catalogue, CustomRole};
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::client::{Asks, assert_has};
use crate::support::orgs::text;
use crate::support::roles::{lines, may, new_role, of_template};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_template_is_defined_read_changed_and_deleted(acme: Acme) {
        let admin = acme.app.admin().await;
        for asks in [&admin as &dyn Asks, &acme.app.key()] {
            let new = json!({
                "name": "auditor", "description": "Who looks", "parent_id": "viewer",
                "permissions": lines(&["organization_events:read"]),
            });

            let made = asks.post("/v1/roles").json(new).await.told(201);

            assert_has(&made, json!({
                "scope": "app", "name": "auditor", "description": "Who looks", "parent_id": "viewer",
                "permissions": lines(&["organization_events:read"]),
            }));
            assert_eq!(made.get("org_id"), None);
            let at = of_template(&made);
            assert_eq!(asks.get(&at).await.told(200), made);
            let change = json!({"name": "reviewer", "description": null, "permissions": []});
            let changed = asks.patch(&at).json(change).await.told(200);
            assert_has(&changed, json!({"name": "reviewer", "parent_id": "viewer", "permissions": []}));
            assert_eq!(asks.get("/v1/roles/reviewer").await.told(200), changed);
            let list = asks.get("/v1/roles").await.told(200);
            let names: Vec<String> = list["roles"].as_array().unwrap().iter().map(|it| text(&it["name"])).collect();
            assert_eq!(names, ["owner", "admin", "member", "viewer", "reviewer"]);
            let _ = asks.delete(&at).await.expect(204);
            asks.get(&at).await.refuses(404, "not_found");
        }
        let catalogue = acme.app.of_app::<Catalogue>(&acme.owner.door).await;
        assert_eq!((catalogue.len(), catalogue[0].version), (1, 6));
    }

    async fn permissions_are_granted_and_taken_one_by_one(acme: Acme) {
        let role = acme.template(new_role("auditor", &["members:read"])).await;
        acme.registers("documents", &["read", "write"]).await;
        let (key, at) = (acme.app.key(), format!("{}/permissions", of_template(&role)));
        let ids = async || -> Vec<String> {
            let told = key.get(&at).await.told(200);
            told["permissions"].as_array().unwrap().iter().map(|it| text(&it["id"])).collect()
        };
        let line = |resource: &str, action: &str| json!({"resource": resource, "action": action});

        let granted = key.post(&at).json(line("documents", "*")).await.told(201);

        assert_eq!(granted, json!({"id": "documents:*", "resource": "documents", "action": "*"}));
        assert_eq!(ids().await, ["members:read", "documents:*"]);
        // Once is enough.
        assert_eq!(key.post(&at).json(line("documents", "*")).await.told(201), granted);
        assert_eq!(acme.app.events(&acme.owner.door, Name::RoleUpdated).await.len(), 1);
        let refusal = key.post(&at).json(line("cats", "*")).await.refuses(400, "invalid_body");
        assert_has(&refusal["errors"][0], json!({"pointer": "/resource", "type": "unknown_permission"}));
        key.post(&at).json(line("docu*", "read")).await.told(400);
        for absent in ["documents:read", "cats:read", "nothing", "a:b:c", "*", "%2A:%2A"] {
            key.delete(&format!("{at}/{absent}")).await.refuses(404, "not_found");
        }
        let _ = key.delete(&format!("{at}/documents:*")).await.expect(204);
        let _ = key.delete(&format!("{at}/members%3Aread")).await.expect(204);
        assert!(ids().await.is_empty());
        let of_owner = key.get("/v1/roles/owner/permissions").await.told(200);
        assert_eq!(of_owner["permissions"][0]["id"], "*:*");
    }

    async fn a_role_has_a_hundred_permissions_at_most(acme: Acme) {
        let actions: Vec<String> = (0..=100).map(|number| format!("act{number}")).collect();
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        acme.registers("documents", &actions).await;
        let all: Vec<String> = actions[..100].iter().map(|it| format!("documents:{it}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let role = acme.template(new_role("busy", &all)).await;
        let (key, at) = (acme.app.key(), format!("{}/permissions", of_template(&role)));

        let one_more = json!({"resource": "documents", "action": "act100"});
        key.post(&at).json(one_more.clone()).await.refuses(409, "role_limit");

        let _ = key.delete(&format!("{at}/documents:act0")).await.expect(204);
        let _ = key.post(&at).json(one_more).await.expect(201);
    }

    /// A template is one role in every organisation: of every environment, whoever runs it.
    async fn a_template_amounts_to_the_same_in_every_organisation(acme: Acme) {
        let role = acme.template(new_role("auditor", &["organization_events:read"])).await;
        let other = acme.app.org("umbra", &acme.owner).await;
        let mia = acme.joined("mia@example.org", &["auditor"]).await.person;
        other.takes(&mia, &["auditor"]).await;
        assert!(may(&mia, "organization_events:read"));
        let before = mia.access_token();

        let _ = acme.redefines_template(&role, json!({"permissions": lines(&["members:read"])})).await.expect(200);

        mia.get(&acme.at("/members")).await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(mia.claims()["permissions"], json!(["members:read"]));
        let _ = mia.switches_to(Some(&other)).await.expect(200);
        assert_eq!(mia.claims()["permissions"], json!(["members:read"]));
        acme.app.get("/v1/me").bearer(&before).await.refuses(401, "invalid_token");
        mia.get(&other.path("/events")).await.refuses(403, "forbidden");
        mia.get(&other.path("/members")).await.told(200);
    }

    async fn a_template_of_another_app_is_not_there(acme: Acme) {
        let role = acme.template(new_role("auditor", &["members:read"])).await;
        let shop = acme.app.founds("Shop").await;
        let neighbour = acme.app.machine(&shop.development);
        let at = of_template(&role);
        for way in [at.clone(), "/v1/roles/auditor".to_owned(), "/v1/roles/arol_01h2xcejqtf2nbrexx3vqjhp41".to_owned()] {
            neighbour.get(&way).await.refuses(404, "not_found");
            neighbour.patch(&way).json(json!({"permissions": []})).await.refuses(404, "not_found");
            neighbour.delete(&way).await.refuses(404, "not_found");
            neighbour.get(&format!("{way}/permissions")).await.refuses(404, "not_found");
            let line = json!({"resource": "members", "action": "*"});
            neighbour.post(&format!("{way}/permissions")).json(line).await.refuses(404, "not_found");
            neighbour.delete(&format!("{way}/permissions/members:read")).await.refuses(404, "not_found");
        }
        let child = json!({"name": "mine", "parent_id": role["id"]});
        neighbour.post("/v1/roles").json(child).await.refuses(400, "unknown_role");
        let list = neighbour.get("/v1/roles").await.told(200);
        assert_eq!(list["roles"].as_array().unwrap().len(), 4);
        neighbour.post("/v1/roles").json(new_role("auditor", &[])).await.told(201);
        // Environments of one app share its users, and its templates.
        let next_door = acme.app.machine(&acme.app.own.production);
        assert_eq!(next_door.get(&at).await.told(200), role);
        assert_eq!(acme.app.key().get(&at).await.told(200), role);
    }

    async fn only_who_manages_the_app_s_roles_sees_and_defines_templates(acme: Acme) {
        let role = acme.template(new_role("auditor", &["members:read"])).await;
        let at = of_template(&role);
        for (method, at, body) in [
            ("GET", "/v1/roles", Value::Null),
            ("POST", "/v1/roles", new_role("mine", &[])),
            ("GET", &at, Value::Null),
            ("PATCH", &at, json!({"permissions": []})),
            ("DELETE", &at, Value::Null),
        ] {
            // Who owns an organisation manages its own.
            let asked = acme.owner.request(method, at);
            let asked = if body.is_null() { asked } else { asked.json(body) };
            asked.await.refuses(403, "forbidden");
            acme.app.request(method, at).await.refuses(401, "unauthenticated");
        }
        acme.app.colleague("ops@example.org", &["ADMIN"]).await
            .get(&format!("{at}{}", acme.owner.door.query())).await.told(200);
        assert_eq!(acme.app.of_app::<CustomRole>(&acme.owner.door).await.len(), 1);
    }

    /// Templates that inherit from one another change together.
    async fn a_template_passes_on_what_it_is_granted(acme: Acme) {
        let base = acme.template(new_role("base", &["members:read"])).await;
        let middle = acme.template(json!({"name": "middle", "parent_id": base["id"]})).await;
        let own = acme.role(json!({"name": "own", "parent_id": middle["id"]})).await;
        let mia = acme.joined("mia@example.org", &["own"]).await.person;
        assert_eq!(mia.claims()["permissions"], json!(["members:read"]));

        let _ = acme.redefines_template(&base, json!({"permissions": lines(&["teams:read"])})).await.expect(200);

        let _ = mia.refreshes().await.expect(200);
        assert_eq!(mia.claims()["permissions"], json!(["teams:read"]));
        acme.redefines_template(&base, json!({"parent_id": middle["id"]})).await.refuses(400, "role_cycle");
        acme.redefines_template(&base, json!({"parent_id": own["id"]})).await.refuses(400, "unknown_role");
    }

    async fn what_becomes_of_templates_is_told(acme: Acme) {
        let admin = acme.app.admin().await;
        let role = admin.post("/v1/roles").json(new_role("auditor", &["members:read"])).await.told(201);
        let at = of_template(&role);
        let _ = admin.patch(&format!("{at}?dry_run=true")).json(json!({"permissions": []})).await.expect(200);
        let _ = admin.patch(&at).json(json!({"description": "Who looks"})).await.expect(200);
        let _ = admin.delete(&at).await.expect(204);

        for name in [Name::RoleCreated, Name::RoleUpdated, Name::RoleDeleted] {
            let told = acme.app.events(&acme.owner.door, name).await;
            assert_eq!(told.len(), 1, "{name:?}");
            assert_eq!((told[0].org_id, told[0].actor.id.as_ref()), (None, Some(&admin.id)));
            assert_eq!(told[0].target.as_ref().and_then(|it| it.id.as_deref()), role["id"].as_str());
            assert_eq!(told[0].details["name"], "auditor");
        }
    }
}
