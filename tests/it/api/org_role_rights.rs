//! Who defines roles of an organisation: nobody what amounts to more than he has.

use serde_json::json;

use crate::support::acme::Acme;
use crate::support::client::Asks;
use crate::support::orgs::text;
use crate::support::roles::{lines, new_role};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn nobody_defines_what_he_does_not_hold(acme: Acme) {
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let high = acme.role(new_role("liquidator", &["organization:delete"])).await;
        let deputy = acme.role(json!({"name": "deputy", "parent_id": high["id"]})).await;
        let low = acme.role(new_role("billing", &["members:add"])).await;
        let (admin, at) = (&pia.person, acme.at("/roles"));

        for escalation in [
            admin.post(&at).json(new_role("mine", &["organization:delete"])),
            admin.post(&at).json(new_role("mine", &["organization:*"])),
            admin.post(&at).json(new_role("mine", &["*:*"])),
            admin.post(&at).json(new_role("mine", &["*:read"])),
            admin.post(&at).json(json!({"name": "mine", "parent_id": "owner"})),
            admin.post(&at).json(json!({"name": "mine", "parent_id": high["id"]})),
            admin.post(&at).json(json!({"name": "mine", "parent_id": deputy["id"]})),
            admin.patch(&acme.of_role(&low)).json(json!({"permissions": lines(&["organization:delete"])})),
            admin.patch(&acme.of_role(&low)).json(json!({"parent_id": "owner"})),
            admin.patch(&acme.of_role(&low)).json(json!({"parent_id": deputy["id"]})),
            // What it amounts to before counts as well.
            admin.patch(&acme.of_role(&high)).json(json!({"permissions": []})),
            admin.patch(&acme.of_role(&high)).json(json!({"name": "nobody"})),
            admin.patch(&acme.of_role(&deputy)).json(json!({"parent_id": null})),
            admin.patch(&format!("{}?dry_run=true", acme.of_role(&high))).json(json!({"permissions": []})),
            admin.delete(&acme.of_role(&high)),
            admin.delete(&acme.of_role(&deputy)),
            admin.delete(&format!("{}?replacement=liquidator", acme.of_role(&low))),
        ] {
            escalation.await.refuses(403, "role_not_held");
        }

        for role in [&high, &deputy, &low] {
            assert_eq!(&acme.owner.get(&acme.of_role(role)).await.told(200), role);
        }
        let all = acme.owner.get(&acme.at("/roles?limit=100")).await.told(200);
        assert_eq!(all["roles"].as_array().unwrap().len(), 7);
    }

    /// What somebody has through the role itself that he would make of it is not what he has.
    async fn nobody_lifts_himself_by_the_role_that_he_has(acme: Acme) {
        let role = acme.role(new_role("roleist", &["organization_roles:*"])).await;
        let base = acme.role(new_role("base", &["organization_roles:*"])).await;
        let mia = acme.joined("mia@example.org", &["roleist"]).await;
        let (mia, at) = (&mia.person, acme.of_role(&role));

        for escalation in [
            json!({"permissions": lines(&["organization_roles:*", "members:*"])}),
            json!({"permissions": lines(&["*:*"])}),
            json!({"parent_id": "owner"}),
            json!({"parent_id": "viewer"}),
        ] {
            mia.patch(&at).json(escalation.clone()).await.refuses(403, "role_not_held");
            mia.patch(&acme.of_role(&base)).json(escalation).await.refuses(403, "role_not_held");
        }
        mia.post(&acme.at("/roles")).json(new_role("mine", &["members:read"])).await.refuses(403, "role_not_held");

        // What he has he hands on, and takes.
        let own = mia.post(&acme.at("/roles")).json(new_role("mine", &["organization_roles:read"])).await.told(201);
        let _ = mia.patch(&acme.of_role(&own)).json(json!({"permissions": []})).await.expect(200);
        let _ = mia.delete(&acme.of_role(&own)).await.expect(204);
    }

    async fn whoever_runs_an_organisation_defines_its_roles(acme: Acme) {
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let admin = acme.app.admin().await;
        acme.registers("documents", &["read", "write"]).await;
        for (number, asks) in [&pia.person as &dyn Asks, &admin, &acme.app.key(), &acme.owner].into_iter().enumerate() {
            let new = new_role(&format!("role{number}"), &["documents:*", "members:*", "teams:create"]);
            let made = asks.post(&acme.at("/roles")).json(new).await.told(201);
            let change = json!({"parent_id": "member"});
            let _ = asks.patch(&acme.of_role(&made)).json(change).await.expect(200);
            let _ = asks.delete(&acme.of_role(&made)).await.expect(204);
        }
        // Who administers the app acts in its organisations as their owners do.
        acme.app.key().post(&acme.at("/roles")).json(json!({"name": "deputy", "parent_id": "owner"})).await.told(201);
    }

    /// Nothing that only looks may write: also not what tries, or thinks a change through.
    async fn members_and_viewers_define_nothing(acme: Acme) {
        let role = acme.role(new_role("billing", &["members:add"])).await;
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let vera = acme.joined("vera@example.org", &["viewer"]).await;
        let at = acme.of_role(&role);

        for person in [&mia.person, &vera.person] {
            let holder = json!({"user_id": person.id, "org_id": acme.org.id});
            for write in [
                person.post(&acme.at("/roles")).json(new_role("mine", &[])),
                person.patch(&at).json(json!({"permissions": []})),
                person.patch(&format!("{at}?dry_run=true")).json(json!({"permissions": []})),
                person.delete(&at),
                person.delete(&format!("{at}?replacement=viewer")),
                person.post("/v1/roles/billing/assign").json(holder.clone()),
                person.post("/v1/roles/viewer/unassign").json(holder),
                person.post("/v1/roles/ADMIN/assign").json(json!({"user_id": person.id})),
                person.get("/v1/roles"),
                person.post("/v1/roles").json(new_role("mine", &[])),
                person.patch("/v1/roles/billing?dry_run=true").json(json!({})),
                person.delete("/v1/roles/billing"),
                person.get("/v1/roles/billing/permissions"),
                person.post("/v1/roles/billing/permissions").json(json!({"resource": "members", "action": "*"})),
                person.delete("/v1/roles/billing/permissions/members:add"),
            ] {
                write.await.refuses(403, "forbidden");
            }
        }
        mia.person.get(&at).await.told(200);
        vera.person.get(&at).await.refuses(403, "forbidden");
        assert_eq!(acme.owner.get(&at).await.told(200), role);
    }

    /// An organisation's owners are those who have the built-in role, which is what it is.
    async fn built_in_roles_stay_as_they_are(acme: Acme) {
        let template = acme.template(new_role("auditor", &["organization_events:read"])).await;
        let id = text(&template["id"]);
        for name in ["owner", "admin", "member", "viewer", "auditor", &id] {
            let at = acme.at(&format!("/roles/{name}"));
            for change in [json!({"permissions": []}), json!({"name": "nobody"}), json!({"parent_id": null}), json!({})] {
                acme.owner.patch(&at).json(change).await.refuses(409, "role_fixed");
            }
            acme.owner.patch(&format!("{at}?dry_run=true")).json(json!({})).await.refuses(409, "role_fixed");
            acme.owner.delete(&at).await.refuses(409, "role_fixed");
            acme.owner.delete(&format!("{at}?replacement=viewer")).await.refuses(409, "role_fixed");
        }
        for name in ["owner", "admin", "member", "viewer"] {
            let (key, at) = (acme.app.key(), format!("/v1/roles/{name}"));
            key.patch(&at).json(json!({"permissions": []})).await.refuses(409, "role_fixed");
            key.delete(&format!("{at}?replacement=viewer")).await.refuses(409, "role_fixed");
            let line = json!({"resource": "members", "action": "*"});
            key.post(&format!("{at}/permissions")).json(line).await.refuses(409, "role_fixed");
            key.delete(&format!("{at}/permissions/members:read")).await.refuses(409, "role_fixed");
        }
        assert_eq!(acme.org.owner_count(&acme.app).await, 1);
        acme.owner.get(&acme.at("/events")).await.told(200);
    }
}
