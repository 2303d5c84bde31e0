//! Roles given and taken one by one, and what a user has.

use std::future::IntoFuture;

use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::{Acme, Colleague};
use crate::support::client::{Asks, Request};
use crate::support::roles::{may, new_role};
use crate::support::stores::on_both_stores;

/// Gives or takes a role in the organisation.
fn step(acme: &Acme, by: &(impl Asks + ?Sized), way: &str, whose: &str) -> Request {
    let body = json!({"user_id": whose, "org_id": acme.org.id});
    by.post(&format!("/v1/roles/{way}")).json(body)
}

/// The same in the app.
fn in_app(by: &impl Asks, way: &str, whose: &str) -> Request {
    by.post(&format!("/v1/roles/{way}"))
        .json(json!({"user_id": whose}))
}

async fn mia(acme: &Acme, roles: &[&str]) -> Colleague {
    acme.joined("mia@example.org", roles).await
}

on_both_stores! {
    async fn a_member_is_given_a_role_and_it_is_taken_again(acme: Acme) {
        let own = acme.role(new_role("billing", &["organization:update"])).await;
        let mia = mia(&acme, &["viewer"]).await;
        let id = &mia.person.id;

        let given = step(&acme, &acme.owner, "billing/assign", id).await.told(200);

        assert_eq!(given, json!({"user_id": id, "org_id": acme.org.id, "roles": ["viewer", "billing"]}));
        mia.person.get(&acme.at("/members")).await.refuses(401, "invalid_token");
        let _ = mia.person.refreshes().await.expect(200);
        assert!(may(&mia.person, "organization:update"));
        // Twice is once, by name or by identifier, and ends no token.
        let by_id = format!("{}/assign", own["id"].as_str().unwrap());
        assert_eq!(step(&acme, &acme.owner, &by_id, id).await.told(200), given);
        mia.person.get(&acme.at("/members")).await.told(200);
        let taken = step(&acme, &acme.owner, "billing/unassign", id).await.told(200);
        assert_eq!(taken["roles"], json!(["viewer"]));
        mia.person.get(&acme.at("/members")).await.refuses(401, "invalid_token");
        let _ = mia.person.refreshes().await.expect(200);
        assert!(!may(&mia.person, "organization:update"));
        step(&acme, &acme.owner, "viewer/unassign", id).await.refuses(409, "last_role");
        assert_eq!(acme.roles_of(&mia).await, ["viewer"]);
        let told = acme.app.events(&acme.owner.door, Name::MemberRolesChanged).await;
        let details: Vec<Value> = told.iter().map(|it| it.details["roles"].clone()).collect();
        assert_eq!(details.len(), 2);
        assert!(details.contains(&json!(["viewer", "billing"])) && details.contains(&json!(["viewer"])));
    }

    async fn the_last_owner_stays_one_and_nobody_makes_owners_who_is_none(acme: Acme) {
        let mia = mia(&acme, &["admin"]).await;
        let _ = step(&acme, &acme.owner, "viewer/assign", &acme.owner.id).await.expect(200);
        let _ = acme.owner.refreshes().await.expect(200);

        step(&acme, &acme.owner, "owner/unassign", &acme.owner.id).await.refuses(409, "last_owner");
        for (way, whose) in [("owner/assign", &mia.person.id), ("owner/unassign", &acme.owner.id)] {
            step(&acme, &mia.person, way, whose).await.refuses(403, "role_not_held");
        }

        let _ = step(&acme, &acme.owner, "owner/assign", &mia.person.id).await.expect(200);
        assert_eq!(acme.org.owner_count(&acme.app).await, 2);
        let _ = step(&acme, &acme.owner, "owner/unassign", &acme.owner.id).await.expect(200);
        assert_eq!(acme.org.owner_count(&acme.app).await, 1);
    }

    async fn whom_or_what_is_not_there_nobody_gives(acme: Acme) {
        let mia = mia(&acme, &["viewer"]).await;
        let stranger = acme.app.person("stranger@example.org").await;
        let nobody = "ausr_01h2xcejqtf2nbrexx3vqjhp41";
        for (way, whose) in [
            ("viewer/assign", stranger.id.as_str()), ("viewer/unassign", nobody), ("billing/assign", &mia.person.id),
            ("Owner/assign", &mia.person.id), ("ADMIN/assign", &mia.person.id), ("lead/assign", &mia.person.id),
        ] {
            step(&acme, &acme.owner, way, whose).await.refuses(404, "not_found");
        }
        step(&acme, &stranger, "owner/assign", &stranger.id).await.refuses(404, "not_found");
        let bodies = [json!({}), json!({"user_id": "x"}), json!({"user_id": mia.person.id, "org_id": "x"})];
        for body in bodies {
            acme.owner.post("/v1/roles/viewer/assign").json(body).await.told(400);
        }
        assert_eq!(acme.roles_of(&mia).await, ["viewer"]);
    }

    async fn roles_of_the_app_go_by_the_rules_of_the_app(acme: Acme) {
        let (key, mia) = (acme.app.key(), mia(&acme, &["viewer"]).await.person);
        in_app(&key, "ADMIN/assign", &mia.id).await.told(200);
        in_app(&key, "ADMIN/unassign", &mia.id).await.refuses(409, "last_admin");
        let _other = acme.app.admin().await;
        in_app(&key, "ADMIN/unassign", &mia.id).await.told(200);
        let _ = mia.refreshes().await.expect(200);
        let door = &acme.owner.door;

        let given = in_app(&key, "ADMIN/assign", &mia.id).await.told(200);

        assert_eq!(given, json!({"user_id": mia.id, "roles": ["ADMIN", "USER"]}));
        mia.me().await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        mia.get("/v1/admin/users").await.told(200);
        let before = acme.app.events(door, Name::UserRolesChanged).await.len();
        assert_eq!(in_app(&key, "ADMIN/assign", &mia.id).await.told(200), given);
        assert_eq!(in_app(&key, "USER/unassign", &mia.id).await.told(200), given);
        assert_eq!(acme.app.events(door, Name::UserRolesChanged).await.len(), before);
        in_app(&key, "OWNER/assign", &mia.id).await.refuses(400, "unknown_role");
        in_app(&key, "owner/assign", &mia.id).await.refuses(404, "not_found");
        in_app(&acme.owner, "ADMIN/assign", &acme.owner.id).await.refuses(403, "forbidden");
        in_app(&key, "ADMIN/unassign", &mia.id).await.told(200);
        assert_eq!(acme.app.events(door, Name::UserRolesChanged).await.len(), before + 1);
        let _ = mia.refreshes().await.expect(200);
        mia.get("/v1/admin/users").await.refuses(403, "forbidden");
    }

    async fn what_a_user_has_is_told_to_who_may_know_it(acme: Acme) {
        acme.role(new_role("billing", &[])).await;
        let mia = mia(&acme, &["billing", "viewer"]).await.person;
        let stranger = acme.app.person("stranger@example.org").await;
        let at = format!("/v1/users/{}/roles", mia.id);
        let in_org = format!("{at}?org_id={}", acme.org.id);
        let (of_app, of_org) = (
            json!({"user_id": mia.id, "roles": ["USER"]}),
            json!({"user_id": mia.id, "org_id": acme.org.id, "roles": ["viewer", "billing"]}),
        );

        for asks in [&mia as &dyn Asks, &acme.app.key()] {
            assert_eq!(asks.get(&at).await.told(200), of_app);
            assert_eq!(asks.get(&in_org).await.told(200), of_org);
        }
        assert_eq!(acme.owner.get(&in_org).await.told(200), of_org);

        acme.owner.get(&at).await.refuses(404, "not_found");
        stranger.get(&at).await.refuses(404, "not_found");
        stranger.get(&in_org).await.refuses(404, "not_found");
        acme.app.machine(&acme.app.own.production).get(&in_org).await.refuses(404, "not_found");
        let of_stranger = format!("/v1/users/{}/roles?org_id={}", stranger.id, acme.org.id);
        acme.owner.get(&of_stranger).await.refuses(404, "not_found");
        acme.owner.get(&format!("{at}?org_id=x")).await.refuses(400, "invalid_query");
    }

    /// However often, and in whatever order: what was last is what is.
    async fn giving_and_taking_at_once_leaves_the_role_once_or_not_at_all(acme: Acme) {
        acme.role(new_role("billing", &["organization:update"])).await;
        let mia = mia(&acme, &["viewer"]).await;
        let id = &mia.person.id;
        for _ in 0..5 {
            let ways = (0..20).map(|number| if number % 2 == 0 { "billing/assign" } else { "billing/unassign" });
            let steps = ways.map(|way| step(&acme, &acme.owner, way, id).into_future());

            let replies = join_all(steps).await;

            assert!(replies.iter().all(|it| it.status == 200 || it.status == 503), "{replies:?}");
            let roles = acme.roles_of(&mia).await;
            assert!(roles == ["viewer"] || roles == ["viewer", "billing"], "{roles:?}");
            let _ = mia.person.refreshes().await.expect(200);
            assert_eq!(may(&mia.person, "organization:update"), roles.len() == 2);
        }
        let _ = step(&acme, &acme.owner, "billing/unassign", id).await.expect(200);
        let _ = mia.person.refreshes().await.expect(200);
        assert!(!may(&mia.person, "organization:update"));
    }

    async fn of_the_app_too_nothing_is_lost_between_two_who_give_and_take(acme: Acme) {
        let (key, mia) = (acme.app.key(), mia(&acme, &["viewer"]).await.person);
        let _other = acme.app.admin().await;
        let ways = (0..20).map(|number| if number % 2 == 0 { "ADMIN/assign" } else { "ADMIN/unassign" });

        let replies = join_all(ways.map(|way| in_app(&key, way, &mia.id).into_future())).await;

        assert!(replies.iter().all(|it| it.status == 200 || it.status == 503), "{replies:?}");
        let told = key.get(&format!("/v1/users/{}/roles", mia.id)).await.told(200);
        let is_admin = told["roles"] == json!(["ADMIN", "USER"]);
        assert!(is_admin || told["roles"] == json!(["USER"]), "{told}");
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(mia.claims()["roles"], told["roles"]);
    }
}
