//! Deleting roles: whoever has one has another from then on, all at once.

use std::future::IntoFuture;

use authsome::access::OrgRole;
use authsome::events::Name;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::TeamId;
use authsome::kernel::text::{Label, Slug};
use authsome::memberships::{self, Member, Team};
use authsome::rbac::CustomRole;
use authsome::store::StoreError;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::client::{Asks, assert_has};
use crate::support::orgs::text;
use crate::support::roles::new_role;
use crate::support::stores::on_both_stores;

/// Teams that nobody made by asking, which give this role.
async fn teams_with(acme: &Acme, role: &Value, count: usize) {
    let (tenant, now) = (acme.owner.door.tenant(), acme.app.clock.now());
    let (org, entropy) = (acme.org.id.parse().expect("one"), Entropy::system());
    let role: OrgRole = text(&role["id"]).parse().expect("a role");
    let team = |number: usize| Team {
        id: TeamId::new(now, &entropy),
        app_id: tenant.app_id,
        env_id: tenant.env_id,
        org_id: org,
        name: Label::parse("Crowd").expect("a name"),
        slug: Slug::parse(&format!("crowd-{number}")).expect("a slug"),
        description: None,
        roles: vec![role],
        created_at: now,
        updated_at: now,
    };
    for first in (0..count).step_by(1_000) {
        let some: Vec<Team> = (first..count.min(first + 1_000)).map(team).collect();
        let written = acme.app.store().write(async |tx| {
            let mut tx = tx.within(tenant);
            for team in &some {
                memberships::insert_team(&mut tx, team).await?;
            }
            Ok::<_, StoreError>(())
        });
        written.await.expect("the store answers");
    }
}

on_both_stores! {
    async fn a_role_in_use_goes_only_where_another_takes_its_place(acme: Acme) {
        let of_member = acme.role(new_role("of-member", &["members:add"])).await;
        let of_team = acme.role(new_role("of-team", &["members:add"])).await;
        let of_role = acme.role(new_role("of-role", &["members:add"])).await;
        let child = acme.role(json!({"name": "child", "parent_id": of_role["id"]})).await;
        let mia = acme.joined("mia@example.org", &["of-member", "viewer"]).await;
        let team = acme.team("Design", &["of-team"]).await;

        for role in [&of_member, &of_team, &of_role] {
            acme.drops(role, "").await.refuses(409, "role_in_use");
            let itself = format!("?replacement={}", text(&role["id"]));
            for (replacement, outcome) in [
                (itself.as_str(), "400 unknown_role"), ("?replacement=nothing", "400 unknown_role"),
                ("?replacement=owner", "400 invalid_query"), ("?replacement=Admin", "400 unknown_role"),
            ] {
                assert_eq!(acme.drops(role, replacement).await.outcome(), outcome);
            }
        }
        acme.drops(&of_role, "?replacement=child").await.refuses(400, "role_cycle");

        for role in [&of_member, &of_team, &of_role] {
            let _ = acme.drops(role, "?replacement=admin").await.expect(204);
        }
        assert_eq!(acme.roles_of(&mia).await, ["admin", "viewer"]);
        assert_eq!(acme.owner.get(&acme.of_team(&team)).await.told(200)["roles"], json!(["admin"]));
        assert_eq!(acme.owner.get(&acme.of_role(&child)).await.told(200)["parent_id"], "admin");
        mia.person.get(&acme.at("/members")).await.refuses(401, "invalid_token");
        let _ = mia.person.refreshes().await.expect(200);
        assert_eq!(mia.person.claims()["org_roles"], json!(["admin", "viewer"]));
    }

    async fn whoever_has_the_replacement_already_has_it_once(acme: Acme) {
        let role = acme.role(new_role("billing", &["members:add"])).await;
        let mia = acme.joined("mia@example.org", &["member", "billing"]).await;

        let _ = acme.drops(&role, "?replacement=member").await.expect(204);

        assert_eq!(acme.roles_of(&mia).await, ["member"]);
        assert_eq!(acme.org.owner_count(&acme.app).await, 1);
        let told = acme.app.events(&acme.owner.door, Name::RoleDeleted).await;
        let details = json!({"name": "billing", "replacement": "member", "members": 1, "teams": 0, "roles": 0});
        assert_eq!(Value::from(told[0].details.clone()), details);
    }

    /// In every organisation of every environment, in one unit of work.
    async fn a_template_is_replaced_wherever_somebody_has_it(acme: Acme) {
        let role = acme.template(new_role("auditor", &["organization_events:read"])).await;
        let other = acme.template(new_role("reviewer", &["teams:read"])).await;
        let (own, door) = (acme.app.own.clone(), &acme.app.own.production);
        acme.app.trusts_addresses(door).await;
        let next_door = acme.app.visitor(door).becomes("noah@example.org", json!({})).await;
        let there = next_door.post("/v1/orgs").json(json!({"name": "There", "slug": "there"})).await.told(201);
        let there = format!("/v1/orgs/{}", text(&there["id"]));
        let mia = acme.joined("mia@example.org", &["auditor"]).await;
        let team = next_door.post(&format!("{there}/teams")).json(json!({"name": "Lookers", "roles": ["auditor"]}));
        let team = team.await.told(201);
        let child = next_door.post(&format!("{there}/roles")).json(json!({"name": "child", "parent_id": role["id"]}));
        let child = child.await.told(201);

        acme.drops_template(&role, "").await.refuses(409, "role_in_use");
        acme.drops_template(&role, "?replacement=child").await.refuses(400, "unknown_role");
        let _ = acme.drops_template(&role, "?replacement=reviewer").await.expect(204);

        assert_eq!(acme.roles_of(&mia).await, ["reviewer"]);
        mia.person.get(&acme.at("/teams")).await.refuses(401, "invalid_token");
        let _ = mia.person.refreshes().await.expect(200);
        assert_eq!(mia.person.claims()["permissions"], json!(["teams:read"]));
        let seen = next_door.get(&format!("{there}/teams/{}", text(&team["id"]))).await.told(200);
        assert_eq!(seen["roles"], json!(["reviewer"]));
        let seen = next_door.get(&format!("{there}/roles/{}", text(&child["id"]))).await.told(200);
        assert_eq!(seen["parent_id"], other["id"]);
        let left = acme.app.of_app::<CustomRole>(&own.development).await;
        assert_eq!(left.len(), 2);
        let told = acme.app.events(&own.development, Name::RoleDeleted).await;
        assert_has(&Value::from(told[0].details.clone()), json!({"members": 1, "teams": 1, "roles": 1}));
    }

    async fn a_role_of_too_many_is_not_replaced_at_once(acme: Acme) {
        let role = acme.role(new_role("crowded", &[])).await;
        teams_with(&acme, &role, 5_001).await;

        acme.drops(&role, "?replacement=viewer").await.refuses(409, "too_many_holders");

        let first: Vec<Team> = acme.app.of_environment(&acme.owner.door).await;
        assert!(first.iter().all(|team| team.roles.len() == 1 && team.roles[0].custom().is_some()));
        let _ = acme.owner.delete(&acme.at(&format!("/teams/{}", first[0].id))).await.expect(204);
        let _ = acme.drops(&role, "?replacement=viewer").await.expect(204);
        let after: Vec<Team> = acme.app.of_environment(&acme.owner.door).await;
        assert_eq!(after.len(), 5_000);
        assert!(after.iter().all(|team| team.roles[0].custom().is_none()));
    }

    /// Whoever is faster: nobody is left with a role that is gone.
    async fn a_role_that_is_given_while_it_is_deleted_is_replaced_or_refused(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let max = acme.app.person("max@example.org").await;
        for number in 0..6 {
            // When a template goes, everybody's tokens for organisations are refused.
            let _ = acme.owner.refreshes().await.expect(200);
            let new = new_role(&format!("role{number}"), &["members:add"]);
            let is_template = number % 2 == 0;
            let role = if is_template { acme.template(new).await } else { acme.role(new).await };
            let id = text(&role["id"]);
            let holder = json!({"user_id": mia.person.id, "org_id": acme.org.id});

            let given = acme.owner.post(&format!("/v1/roles/{id}/assign")).json(holder).into_future();
            let added = acme.owner.post(&acme.at("/members")).json(json!({"user_id": max.id, "roles": [id]})).into_future();
            let team = acme.owner.post(&acme.at("/teams")).json(json!({"name": "Team", "roles": [id]})).into_future();
            let child = acme.owner.post(&acme.at("/roles")).json(json!({"name": format!("child{number}"), "parent_id": id}));
            let gone = if is_template { acme.drops_template(&role, "?replacement=viewer") } else { acme.drops(&role, "?replacement=viewer") };
            let all = join(join(given, added), join(team, child.into_future()));
            let (gone, ((given, added), (team, child))) = join(gone.into_future(), all).await;

            assert_eq!(gone.outcome(), "204");
            for (reply, late) in [(given, "404 not_found"), (added, "400 unknown_role"), (team, "400 unknown_role"), (child, "400 unknown_role")] {
                assert!(reply.status < 300 || reply.outcome() == late, "{}", reply.outcome());
            }
            let gone: OrgRole = id.parse().expect("a role");
            let members: Vec<Member> = acme.app.of_environment(&acme.owner.door).await;
            assert!(members.iter().all(|it| !it.roles.contains(&gone)), "{members:?}");
            let teams: Vec<Team> = acme.app.of_environment(&acme.owner.door).await;
            assert!(teams.iter().all(|it| !it.roles.contains(&gone)), "{teams:?}");
            let roles: Vec<CustomRole> = acme.app.of_app(&acme.owner.door).await;
            assert!(roles.iter().all(|it| it.parent_id != Some(gone)), "{roles:?}");
            if let Some(member) = members.iter().find(|it| it.user_id.to_string() == max.id) {
                let _ = acme.owner.delete(&acme.at(&format!("/members/{}", member.id))).await.expect(204);
            }
        }
    }

    async fn of_many_who_delete_a_role_at_once_one_does(acme: Acme) {
        let role = acme.role(new_role("billing", &["members:add"])).await;
        let mia = acme.joined("mia@example.org", &["billing"]).await;
        let goes = ["viewer", "member", "admin"].map(|other| acme.drops(&role, &format!("?replacement={other}")).into_future());

        let replies = join_all(goes).await;

        assert_eq!(replies.iter().filter(|it| it.status == 204).count(), 1);
        assert!(replies.iter().all(|it| ["204", "404 not_found"].contains(&&*it.outcome())));
        assert_eq!(acme.roles_of(&mia).await.len(), 1);
    }
}
