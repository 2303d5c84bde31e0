//! Roles that an organisation defines for itself: names, parents, permissions.

use std::future::IntoFuture;

use authsome::events::Name;
use authsome::rbac::CustomRole;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::client::{Asks, assert_has};
use crate::support::orgs::text;
use crate::support::persona::Administers;
use crate::support::roles::{lines, new_role};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_role_is_defined_read_changed_and_deleted(acme: Acme) {
        let new = json!({
            "name": "billing", "description": "Who pays", "parent_id": "viewer",
            "permissions": lines(&["organization:update", "members:*", "members:*"]),
        });

        let made = acme.owner.post(&acme.at("/roles")).json(new).await.told(201);

        assert_has(&made, json!({
            "scope": "organization", "org_id": acme.org.id, "name": "billing", "description": "Who pays",
            "parent_id": "viewer", "permissions": lines(&["organization:update", "members:*"]),
        }));
        let at = acme.of_role(&made);
        assert_eq!(acme.owner.get(&at).await.told(200), made);
        assert_eq!(acme.owner.get(&acme.at("/roles/billing")).await.told(200), made);
        let wanted = json!({"name": "finance", "description": null, "parent_id": null, "permissions": []});
        let changed = acme.redefines(&made, wanted).await.told(200);
        assert_has(&changed, json!({"id": made["id"], "name": "finance", "permissions": []}));
        assert_eq!((changed.get("description"), changed.get("parent_id")), (None, None));
        assert_eq!(acme.owner.get(&at).await.told(200), changed);
        let _ = acme.drops(&made, "").await.expect(204);
        acme.owner.get(&at).await.refuses(404, "not_found");
        acme.redefines(&made, json!({})).await.refuses(404, "not_found");
        acme.drops(&made, "").await.refuses(404, "not_found");
    }

    /// So that a client can offer them: built-in ones first, each with what it grants.
    async fn all_roles_that_members_can_have_are_listed_page_by_page(acme: Acme) {
        let template = acme.template(new_role("auditor", &["organization_events:read"])).await;
        let own = acme.role(new_role("billing", &["organization:update"])).await;
        let mia = acme.joined("mia@example.org", &["member"]).await;

        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = acme.at(&format!("/roles?limit=2{cursor}"));
            let page = mia.person.get(&page).await.told(200);
            seen.extend(page["roles"].as_array().unwrap().clone());
            if page["has_more"] == false {
                break;
            }
            cursor = format!("&cursor={}", text(&page["next_cursor"]));
        }

        let names: Vec<String> = seen.iter().map(|it| text(&it["name"])).collect();
        assert_eq!(names[..4], ["owner", "admin", "member", "viewer"]);
        assert_eq!(seen.len(), 6);
        assert!(seen.contains(&template) && seen.contains(&own), "{names:?}");
        assert_has(&seen[0], json!({
            "id": "owner", "scope": "built_in", "parent_id": "admin", "permissions": lines(&["*:*"]),
        }));
        assert_eq!(template["scope"], "app");
        assert_eq!(mia.person.get(&acme.at("/roles/owner")).await.told(200), seen[0]);
        let of_template = acme.at(&format!("/roles/{}", text(&template["id"])));
        assert_eq!(mia.person.get(&of_template).await.told(200), template);
    }

    async fn names_of_the_product_are_kept_whatever_they_are_written_like(acme: Acme) {
        let billing = acme.role(new_role("billing", &[])).await;
        for name in [
            "owner", "admin", "member", "viewer", "super-admin", "super_admin", "platform-admin",
            "platform_owner", "o-w-n-e-r", "root", "org-owner", "impersonated", "user", "lead",
            "arol_01h2xcejqtf2nbrexx3vqjhp41", "arol_mine",
        ] {
            for (asks, at) in [(&acme.owner as &dyn Asks, acme.at("/roles")), (&acme.app.key(), "/v1/roles".into())] {
                asks.post(&at).json(new_role(name, &[])).await.refuses(400, "role_reserved");
            }
            acme.redefines(&billing, json!({"name": name})).await.refuses(400, "role_reserved");
        }
        for name in [
            "Owner", "OWNER", "Super-Admin", "a", "", " owner", "owner ", "org:owner", "role:ADMIN", "*",
            "p, admin, *, *", "x\np, role:USER, *, *", "a,b", "\"", "a.*", "keyMatch(a)", "ownér", "оwner",
        ] {
            let refusal = acme.owner.post(&acme.at("/roles")).json(new_role(name, &[])).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], "/name", "{name}");
        }
        assert_eq!(acme.app.of_app::<CustomRole>(&acme.owner.door).await.len(), 1);
    }

    /// Names are data: what looks like a line of policy is either refused or grants nothing.
    async fn a_definition_is_never_read_as_policy(acme: Acme) {
        let mia = acme.app.person("mia@example.org").await;
        let at = acme.at("/roles");
        let _ = acme.role(new_role("g2", &[])).await;
        let _ = acme.role(new_role("true", &[])).await;
        for side in ["*, *", "a\nb", "\"", "p", "members, read", "mem*", "::", ".*", "members:read", "", "r.sub"] {
            for grant in [json!({"resource": side, "action": "read"}), json!({"resource": "members", "action": side})] {
                let new = json!({"name": "odd", "permissions": [grant]});
                acme.owner.post(&at).json(new).await.told(400);
            }
        }
        for parent in ["role:ADMIN", "org:owner", "platform:OWNER", "Owner", "team:lead", &mia.id, "g2", ""] {
            let refusal = acme.owner.post(&at).json(json!({"name": "odd", "parent_id": parent})).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], "/parent_id", "{parent}");
        }
        // Whoever has a role that is called like a subject has no more than it grants.
        let whose = acme.joined("max@example.org", &["g2", "true"]).await;
        whose.person.get(&acme.at("/members")).await.refuses(403, "forbidden");
        assert_eq!(whose.person.claims()["permissions"], json!([]));
    }

    async fn a_name_is_one_role_s_in_an_organisation_and_another_s_elsewhere(acme: Acme) {
        let made = acme.role(new_role("billing", &["members:add"])).await;
        acme.owner.post(&acme.at("/roles")).json(new_role("billing", &[])).await.refuses(409, "role_name_taken");
        let other = acme.role(new_role("sales", &[])).await;
        acme.redefines(&other, json!({"name": "billing"})).await.refuses(409, "role_name_taken");

        let next_door = acme.app.org("umbra", &acme.owner).await.id;
        let there = acme.owner.post(&format!("/v1/orgs/{next_door}/roles"));
        let there = there.json(new_role("billing", &[])).await.told(201);
        assert_eq!(acme.owner.get(&acme.at("/roles/billing")).await.told(200), made);
        let nearest = acme.owner.get(&format!("/v1/orgs/{next_door}/roles/billing"));
        assert_eq!(nearest.await.told(200), there);
    }

    /// Backends go by the names in tokens: what the app has defined cannot be counterfeited.
    async fn the_name_of_an_app_s_role_is_no_other_role_s(acme: Acme) {
        let own = acme.role(new_role("billing", &[])).await;
        let other = acme.role(new_role("sales", &[])).await;
        let mia = acme.joined("mia@example.org", &["billing"]).await;
        let template = acme.template(new_role("billing", &[])).await;
        acme.template(new_role("audit", &[])).await;

        acme.owner.post(&acme.at("/roles")).json(new_role("audit", &[])).await.refuses(409, "role_name_taken");
        acme.redefines(&other, json!({"name": "audit"})).await.refuses(409, "role_name_taken");

        let _ = mia.person.refreshes().await.expect(200);
        assert_eq!(mia.person.claims()["org_roles"], json!([own["id"]]));
        let meant = acme.owner.get(&acme.at("/roles/billing")).await.told(200);
        assert_eq!(meant["id"], template["id"]);
        assert_eq!(acme.app.key().get("/v1/roles/billing").await.told(200), template);
    }

    async fn of_many_who_define_one_name_at_once_one_does(acme: Acme) {
        let at = acme.at("/roles");
        let own = (0..8).map(|_| acme.owner.post(&at).json(new_role("billing", &[])).into_future());
        let key = acme.app.key();
        let templates = (0..8).map(|_| key.post("/v1/roles").json(new_role("billing", &[])).into_future());

        let (own, templates) = futures_util::future::join(join_all(own), join_all(templates)).await;

        for replies in [own, templates] {
            let made = replies.iter().filter(|it| it.status == 201).count();
            assert_eq!(made, 1);
            assert!(replies.iter().all(|it| ["201", "409 role_name_taken"].contains(&&*it.outcome())));
        }
        assert_eq!(acme.app.of_app::<CustomRole>(&acme.owner.door).await.len(), 2);
    }

    async fn no_role_inherits_from_itself(acme: Acme) {
        let a = acme.role(new_role("aa", &["members:add"])).await;
        let b = acme.role(json!({"name": "bb", "parent_id": a["id"]})).await;
        let c = acme.role(json!({"name": "cc", "parent_id": b["id"]})).await;

        for parent in [&a, &b, &c] {
            let change = json!({"parent_id": parent["id"]});
            acme.redefines(&a, change).await.refuses(400, "role_cycle");
        }

        assert_eq!(acme.owner.get(&acme.of_role(&a)).await.told(200), a);
        let whose = acme.joined("mia@example.org", &["cc"]).await;
        assert_eq!(whose.person.claims()["permissions"], json!(["members:add"]));
    }

    async fn of_two_who_make_a_circle_together_one_is_refused(acme: Acme) {
        for number in 0..5 {
            let a = acme.role(new_role(&format!("aa{number}"), &[])).await;
            let b = acme.role(new_role(&format!("bb{number}"), &[])).await;

            let one = acme.redefines(&a, json!({"parent_id": b["id"]})).into_future();
            let other = acme.redefines(&b, json!({"parent_id": a["id"]})).into_future();
            let (one, other) = futures_util::future::join(one, other).await;

            let mut outcomes = [one.outcome(), other.outcome()];
            outcomes.sort();
            assert_eq!(outcomes, ["200", "400 role_cycle"]);
        }
    }

    async fn a_chain_of_inheritance_has_ten_roles_at_most(acme: Acme) {
        let mut chain = vec![acme.role(json!({"name": "step0", "parent_id": "viewer"})).await];
        for number in 1..10 {
            let new = json!({"name": format!("step{number}"), "parent_id": chain[number - 1]["id"]});
            chain.push(acme.role(new).await);
        }

        let new = json!({"name": "step10", "parent_id": chain[9]["id"]});
        acme.owner.post(&acme.at("/roles")).json(new).await.refuses(400, "role_too_deep");
        let below = acme.role(new_role("below", &[])).await;
        let change = json!({"parent_id": below["id"]});
        acme.redefines(&chain[0], change).await.refuses(400, "role_too_deep");
        // A place for one more is made where the chain is cut.
        let _ = acme.redefines(&chain[5], json!({"parent_id": null})).await.expect(200);
        acme.redefines(&chain[0], json!({"parent_id": below["id"]})).await.told(200);
        let whose = acme.joined("mia@example.org", &["step4"]).await;
        assert_eq!(whose.person.claims()["org_roles"], json!(["step4"]));
    }

    /// Whoever defines roles of the app does not see those of its organisations, which count as well.
    async fn a_chain_counts_from_the_app_s_roles_to_those_of_an_organisation(acme: Acme) {
        let top = acme.template(new_role("top", &[])).await;
        let mut last = top.clone();
        for number in 1..10 {
            last = acme.role(json!({"name": format!("step{number}"), "parent_id": last["id"]})).await;
        }
        let more = acme.template(new_role("more", &[])).await;
        let most = acme.template(json!({"name": "most", "parent_id": more["id"]})).await;

        acme.redefines_template(&top, json!({"parent_id": more["id"]})).await.refuses(400, "role_too_deep");
        let replacement = format!("?replacement={}", text(&most["id"]));
        acme.drops_template(&top, &replacement).await.refuses(400, "role_too_deep");
        let _ = acme.drops_template(&top, &format!("?replacement={}", text(&more["id"]))).await.expect(204);
    }

    async fn a_parent_is_built_in_of_the_app_or_of_the_organisation(acme: Acme) {
        let next_door = acme.app.org("umbra", &acme.owner).await.id;
        let foreign = acme.owner.post(&format!("/v1/orgs/{next_door}/roles")).json(new_role("there", &[]));
        let foreign = foreign.await.told(201);
        let template = acme.template(new_role("auditor", &["organization_events:read"])).await;
        let own = acme.role(json!({"name": "own", "parent_id": template["id"]})).await;
        for parent in [&json!("admin"), &template["id"], &own["id"]] {
            let name = format!("of-{}", text(parent).replace('_', "-"));
            acme.role(json!({"name": name, "parent_id": parent})).await;
        }

        for parent in [&foreign["id"], &json!("arol_01h2xcejqtf2nbrexx3vqjhp41")] {
            let new = json!({"name": "odd", "parent_id": parent});
            let refusal = acme.owner.post(&acme.at("/roles")).json(new).await.refuses(400, "unknown_role");
            assert_eq!(refusal["errors"][0]["pointer"], "/parent_id");
            acme.redefines(&own, json!({"parent_id": parent})).await.refuses(400, "unknown_role");
        }
        // What is for all organisations inherits from nothing that is one's.
        let of_one = json!({"name": "odd", "parent_id": own["id"]});
        acme.app.key().post("/v1/roles").json(of_one).await.refuses(400, "unknown_role");
    }

    async fn only_what_the_catalogue_has_is_granted(acme: Acme) {
        let wanted = new_role("writer", &["members:read", "documents:write"]);
        let refusal = acme.owner.post(&acme.at("/roles")).json(wanted.clone()).await.refuses(400, "invalid_body");
        assert_has(&refusal["errors"][0], json!({"pointer": "/permissions/1", "type": "unknown_permission"}));
        for line in ["documents:*", "*:fly", "users:list", "roles:manage", "apps:operate", "me:read"] {
            acme.owner.post(&acme.at("/roles")).json(new_role("odd", &[line])).await.refuses(400, "invalid_body");
        }

        acme.registers("documents", &["read", "write"]).await;

        acme.role(wanted).await;
        let role = acme.role(new_role("reader", &["documents:read"])).await;
        let whose = acme.joined("mia@example.org", &["writer"]).await;
        assert_eq!(whose.person.claims()["permissions"], json!(["members:read", "documents:write"]));
        // What is not there any more is no obstacle, but is not granted anew.
        acme.registers("invoices", &["read"]).await;
        acme.redefines(&role, json!({"permissions": lines(&["documents:read", "invoices:read"])})).await.told(200);
        acme.redefines(&role, json!({"permissions": lines(&["documents:write"])})).await.refuses(400, "invalid_body");
    }

    async fn bodies_are_read_to_the_last_field(acme: Acme) {
        let (at, role) = (acme.at("/roles"), acme.role(new_role("billing", &[])).await);
        for (body, pointer) in [
            (json!({}), "/name"),
            (json!({"name": "aa", "description": ""}), "/description"),
            (json!({"name": "aa", "permissions": [{"resource": "members"}]}), "/permissions/0/action"),
            (json!({"name": "aa", "permissions": [{"resource": "members", "action": "read", "x": 1}]}), "/permissions/0/x"),
            (json!({"name": "aa", "permissions": vec![json!({"resource": "members", "action": "read"}); 101]}), "/permissions"),
            (json!({"name": "aa", "org_id": acme.org.id}), "/org_id"),
            (json!({"name": "aa", "scope": "app"}), "/scope"),
        ] {
            let refusal = acme.owner.post(&at).json(body).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], pointer);
        }
        let odd = format!("{}?dry_run=perhaps", acme.of_role(&role));
        acme.owner.patch(&odd).json(json!({})).await.refuses(400, "invalid_query");
        acme.drops(&role, "?replacement=").await.refuses(400, "invalid_query");
        acme.owner.get(&acme.of_role(&role)).await.told(200);
    }

    async fn an_organisation_has_a_hundred_roles_and_a_role_a_hundred_permissions(acme: Acme) {
        let first = acme.role(new_role("role0", &[])).await;
        for number in 1..100 {
            acme.role(new_role(&format!("role{number}"), &[])).await;
        }

        acme.owner.post(&acme.at("/roles")).json(new_role("one-more", &[])).await.refuses(409, "role_limit");

        let _ = acme.drops(&first, "").await.expect(204);
        acme.role(new_role("one-more", &[])).await;
    }

    /// Whether he holds them all is judged while nobody else can write: it must not take long.
    async fn twenty_roles_of_a_hundred_permissions_are_all_and_can_be_given_at_once(acme: Acme) {
        let actions: Vec<String> = (0..100).map(|number| format!("act{number}")).collect();
        acme.registers("documents", &actions.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let all: Vec<String> = actions.iter().map(|it| format!("documents:{it}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let mut parent = json!("viewer");
        let mut names = Vec::new();
        for number in 0..20 {
            let name = format!("role{number}");
            let mut new = new_role(&name, &all);
            new["parent_id"] = if number % 10 == 0 { json!("viewer") } else { parent };
            parent = acme.role(new).await["id"].clone();
            names.push(name);
        }

        let one_more = new_role("one-more", &["members:read"]);
        acme.owner.post(&acme.at("/roles")).json(one_more).await.refuses(409, "role_limit");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mia = acme.joined("mia@example.org", &names).await;
        assert_eq!(acme.roles_of(&mia).await.len(), 20);
    }

    async fn what_becomes_of_roles_is_told(acme: Acme) {
        let role = acme.role(json!({"name": "billing", "parent_id": "viewer", "permissions": lines(&["members:add"])})).await;
        let _ = acme.redefines(&role, json!({"permissions": []})).await.expect(200);
        // What changes nothing, is thought through or is refused is no event.
        let _ = acme.redefines(&role, json!({"permissions": []})).await.expect(200);
        let dry = format!("{}?dry_run=true", acme.of_role(&role));
        let _ = acme.owner.patch(&dry).json(json!({"permissions": lines(&["members:add"])})).await.expect(200);
        acme.redefines(&role, json!({"name": "owner"})).await.refuses(400, "role_reserved");
        let _ = acme.drops(&role, "").await.expect(204);

        for (name, details) in [
            (Name::RoleCreated, json!({"name": "billing", "parent_id": "viewer", "permissions": ["members:add"]})),
            (Name::RoleUpdated, json!({"name": "billing", "parent_id": "viewer", "permissions": []})),
            (Name::RoleDeleted, json!({"name": "billing"})),
        ] {
            let told = acme.app.events(&acme.owner.door, name).await;
            assert_eq!(told.len(), 1, "{name:?}");
            assert_eq!(told[0].org_id.map(|it| it.to_string()), Some(acme.org.id.clone()));
            assert_eq!(told[0].actor.id.as_ref(), Some(&acme.owner.id));
            let target = told[0].target.as_ref().expect("a target");
            assert_eq!((&*target.kind, target.id.as_deref()), ("role", role["id"].as_str()));
            assert_eq!(Value::from(told[0].details.clone()), details);
        }
        let record = acme.owner.get(&acme.at("/events?name=role.created")).await.told(200);
        assert_eq!(record["events"].as_array().unwrap().len(), 1);
    }

    async fn roles_of_another_organisation_environment_or_app_are_not_there(acme: Acme) {
        let role = acme.role(new_role("billing", &["members:add"])).await;
        let next_door = acme.app.org("umbra", &acme.owner).await.id;
        let shop = acme.app.founds("Shop").await;
        let olga = acme.app.person("other@example.org").await;
        let elsewhere = [
            acme.app.machine(&acme.app.own.production),
            acme.app.machine(&shop.development),
        ];
        let there = format!("/v1/orgs/{next_door}/roles/{}", text(&role["id"]));
        let mut asked: Vec<(&dyn Asks, String)> = vec![(&acme.owner, there)];
        asked.extend(elsewhere.iter().map(|key| (key as &dyn Asks, acme.of_role(&role))));
        asked.push((&olga, acme.of_role(&role)));
        asked.push((&acme.owner, acme.at("/roles/arol_01h2xcejqtf2nbrexx3vqjhp41")));
        for (asks, at) in asked {
            asks.get(&at).await.refuses(404, "not_found");
            asks.patch(&at).json(json!({"permissions": []})).await.refuses(404, "not_found");
            asks.patch(&format!("{at}?dry_run=true")).json(json!({})).await.refuses(404, "not_found");
            asks.delete(&at).await.refuses(404, "not_found");
        }
        for key in &elsewhere {
            key.get(&acme.at("/roles")).await.refuses(404, "not_found");
            key.post(&acme.at("/roles")).json(new_role("mine", &[])).await.refuses(404, "not_found");
            let member = json!({"user_id": acme.owner.id, "org_id": acme.org.id});
            key.post("/v1/roles/viewer/assign").json(member).await.refuses(404, "not_found");
        }
        // Of the app it is none either, and members of another organisation cannot have it.
        acme.app.key().get(&format!("/v1/roles/{}", text(&role["id"]))).await.refuses(404, "not_found");
        let max = acme.app.person("max@example.org").await;
        let new = json!({"user_id": max.id, "roles": [role["id"]]});
        acme.owner.post(&format!("/v1/orgs/{next_door}/members")).json(new).await.refuses(400, "unknown_role");
        let replaced = acme.owner.post(&format!("/v1/orgs/{next_door}/roles")).json(new_role("there", &[]));
        let replaced = text(&replaced.await.told(201)["id"]);
        let at = format!("/v1/orgs/{next_door}/roles/{replaced}?replacement={}", text(&role["id"]));
        acme.owner.delete(&at).await.refuses(400, "unknown_role");
        assert_eq!(acme.owner.get(&acme.of_role(&role)).await.told(200), role);
        assert_eq!(acme.app.key().assigns(&max.id, &["billing"]).await.outcome(), "400 unknown_role");
    }

    async fn roles_go_with_their_organisation(acme: Acme) {
        acme.role(new_role("billing", &[])).await;

        let _ = acme.owner.delete(&acme.at("")).await.expect(204);

        assert!(acme.app.of_app::<CustomRole>(&acme.owner.door).await.is_empty());
    }
}
