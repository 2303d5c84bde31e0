//! Teams: what they give to whoever is in them, and who decides about it.

use std::future::IntoFuture;

use authsome::access::{OrgRole, TeamRole};
use authsome::events::Name;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{MemberId, TeamId, TeamMemberId, UserId};
use authsome::memberships::{self, Team, TeamMember};
use authsome::store::StoreError;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::acme::{Acme, Colleague};
use crate::support::app::eventually;
use crate::support::client::{Asks, Reply, assert_has};
use crate::support::orgs::text;
use crate::support::stores::on_both_stores;

/// The members of a team, as the owner sees them: who, and as what.
async fn members(acme: &Acme, team: &Value) -> Vec<(String, String)> {
    let at = format!("{}/members", acme.of_team(team));
    let page = acme.owner.get(&at).await.told(200);
    let all = page["members"].as_array().expect("a page of members");
    let mut all: Vec<_> = all
        .iter()
        .map(|it| (text(&it["member_id"]), text(&it["role"])))
        .collect();
    all.sort();
    all
}

/// A member's place below a team.
fn place_of(acme: &Acme, team: &Value, whose: &Colleague) -> String {
    format!("{}/members/{}", acme.of_team(team), whose.member_id)
}

/// Fills a team with members whom nobody knows.
async fn crowds(acme: &Acme, team: &Value, count: usize) {
    let (tenant, now) = (acme.owner.door.tenant(), acme.app.clock.now());
    let (org, entropy) = (acme.org.id.parse().expect("one"), Entropy::system());
    let team: TeamId = text(&team["id"]).parse().expect("a team");
    let place = |_| TeamMember {
        id: TeamMemberId::new(now, &entropy),
        app_id: tenant.app_id,
        env_id: tenant.env_id,
        org_id: org,
        team_id: team,
        member_id: MemberId::new(now, &entropy),
        user_id: UserId::new(now, &entropy),
        role: TeamRole::Member,
        created_at: now,
        updated_at: now,
    };
    let places: Vec<TeamMember> = (0..count).map(place).collect();
    let written = acme.app.store().write(async |tx| {
        let mut tx = tx.within(tenant);
        for place in &places {
            memberships::add_team_member(&mut tx, place).await?;
        }
        Ok::<_, StoreError>(())
    });
    written.await.expect("the store answers");
}

on_both_stores! {
    async fn a_team_is_made_read_changed_and_deleted(acme: Acme) {
        let new = json!({"name": "Desígn Crew", "description": "Who draws", "roles": ["viewer", "admin", "viewer"]});

        let made = acme.owner.post(&acme.at("/teams")).json(new).await.told(201);

        assert_has(&made, json!({
            "org_id": acme.org.id, "name": "Desígn Crew", "slug": "design-crew", "description": "Who draws",
            "roles": ["admin", "viewer"], "member_count": 0,
        }));
        let at = acme.of_team(&made);
        assert_eq!(acme.owner.get(&at).await.told(200), made);
        let changes = json!({"name": "Draughtsmen", "slug": "draughts", "description": null, "roles": []});
        let team = acme.owner.patch(&at).json(changes).await.told(200);
        assert_has(&team, json!({"name": "Draughtsmen", "slug": "draughts", "roles": []}));
        assert_eq!(team.get("description"), None);
        assert_eq!(acme.owner.get(&at).await.told(200), team);
        let _ = acme.owner.delete(&at).await.expect(204);
        acme.owner.get(&at).await.refuses(404, "not_found");
        acme.owner.delete(&at).await.refuses(404, "not_found");
    }

    async fn a_slug_is_one_team_s_in_an_organisation_and_another_s_elsewhere(acme: Acme) {
        let teams = acme.at("/teams");
        let made = acme.team("Design", &[]).await;
        let same = json!({"name": "Else", "slug": "Design"});
        acme.owner.post(&teams).json(same).await.refuses(409, "slug_taken");
        let other = acme.team("Sales", &[]).await;
        let taken = acme.owner.patch(&acme.of_team(&other)).json(json!({"slug": "design"}));
        taken.await.refuses(409, "slug_taken");

        let alike = text(&acme.team("Design", &[]).await["slug"]);
        let nameless = text(&acme.team("設計", &[]).await["slug"]);

        assert_eq!(made["slug"], "design");
        assert!(alike.starts_with("design-") && alike.len() == 15, "{alike}");
        assert!(nameless.starts_with("team-"), "{nameless}");
        let next_door = acme.app.org("umbra", &acme.owner).await.id;
        let new = json!({"name": "Design"});
        let there = acme.owner.post(&format!("/v1/orgs/{next_door}/teams")).json(new).await;
        assert_eq!(there.told(201)["slug"], "design");
    }

    async fn teams_and_members_are_listed_page_by_page(acme: Acme) {
        let (mia, max) = (acme.joined("mia@example.org", &["member"]).await, acme.joined("max@example.org", &["viewer"]).await);
        let first = acme.team("First", &[]).await;
        acme.team("Second", &[]).await;
        let _ = acme.puts(&mia, &first, "lead").await.expect(201);
        let _ = acme.puts(&max, &first, "member").await.expect(201);

        for (list, name) in [(acme.at("/teams"), "teams"), (format!("{}/members", acme.of_team(&first)), "members")] {
            let page = max.person.get(&format!("{list}?limit=1")).await;
            // Who was put into a team has new tokens.
            assert_eq!(page.outcome(), "401 invalid_token");
            let page = acme.owner.get(&format!("{list}?limit=1")).await.told(200);
            assert_eq!((page[name].as_array().unwrap().len(), &page["has_more"]), (1, &json!(true)));
            let next = text(&page["next_cursor"]);
            let rest = acme.owner.get(&format!("{list}?cursor={next}")).await.told(200);
            assert_eq!((rest[name].as_array().unwrap().len(), &rest["has_more"]), (1, &json!(false)));
            assert_ne!(page[name][0], rest[name][0]);
            let elsewhere = acme.at(&format!("/members?cursor={next}"));
            acme.owner.get(&elsewhere).await.refuses(400, "bad_cursor");
        }
        let _ = max.person.refreshes().await.expect(200);
        let told = max.person.get(&format!("{}/members", acme.of_team(&first))).await.told(200);
        let of_mia = told["members"].as_array().unwrap().iter().find(|it| it["role"] == "lead").unwrap();
        assert_has(of_mia, json!({
            "team_id": first["id"], "member_id": mia.member_id, "user_id": mia.person.id,
            "user": {"id": mia.person.id, "email": "mia@example.org"},
        }));
        assert_eq!(max.person.get(&acme.of_team(&first)).await.told(200)["member_count"], 2);
    }

    /// A member's rights are those of his roles and of his teams' together, in his next token; every
    /// token before is refused.
    async fn what_a_team_gives_is_in_the_tokens_of_its_members(acme: Acme) {
        acme.defines("auditor", &[("organization_events", "read")]).await;
        let mia = acme.joined("mia@example.org", &["viewer"]).await;
        let (mia, whose) = (&mia.person, &mia);
        let events = acme.at("/events");
        let team = acme.team("Auditors", &["auditor"]).await;
        let has = |claims: &Value, teams: Value, roles: Value| {
            assert_has(claims, json!({"teams": teams, "org_roles": roles}));
            let all = claims["permissions"].as_array().expect("permissions");
            let is_auditor = all.contains(&json!("organization_events:read"));
            assert_eq!(is_auditor, roles.as_array().unwrap().contains(&json!("auditor")), "{all:?}");
        };
        has(&mia.claims(), json!([]), json!(["viewer"]));
        mia.get(&events).await.refuses(403, "forbidden");

        let _ = acme.puts(whose, &team, "member").await.expect(201);
        mia.get(&events).await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        has(&mia.claims(), json!([team["id"]]), json!(["viewer", "auditor"]));
        mia.get(&events).await.told(200);

        let at = acme.of_team(&team);
        let without = acme.owner.patch(&at).json(json!({"roles": []})).await;
        let _ = without.expect(200);
        mia.me().await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        has(&mia.claims(), json!([team["id"]]), json!(["viewer"]));
        let _ = acme.owner.patch(&at).json(json!({"roles": ["auditor"]})).await.expect(200);
        let _ = mia.refreshes().await.expect(200);
        mia.get(&events).await.told(200);

        let _ = acme.owner.delete(&place_of(&acme, &team, whose)).await.expect(204);
        mia.get(&events).await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        has(&mia.claims(), json!([]), json!(["viewer"]));
        let _ = acme.puts(whose, &team, "lead").await.expect(201);
        let _ = mia.refreshes().await.expect(200);
        mia.get(&events).await.told(200);

        let _ = acme.owner.delete(&at).await.expect(204);
        mia.get(&events).await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        has(&mia.claims(), json!([]), json!(["viewer"]));
        mia.get(&events).await.refuses(403, "forbidden");
    }

    async fn what_changes_no_right_ends_no_token(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let max = acme.joined("max@example.org", &["member"]).await;
        let team = acme.team("Design", &["viewer"]).await;
        let _ = acme.puts(&mia, &team, "member").await.expect(201);
        let _ = mia.person.refreshes().await.expect(200);

        let (at, of_mia) = (acme.of_team(&team), place_of(&acme, &team, &mia));
        let renamed = json!({"name": "Drawing", "roles": ["viewer"]});
        let _ = acme.owner.patch(&at).json(renamed).await.expect(200);
        for role in ["lead", "lead", "member"] {
            let told = acme.owner.patch(&of_mia).json(json!({"role": role})).await.told(200);
            assert_eq!(told["role"], role);
        }

        mia.person.me().await.told(200);
        max.person.me().await.told(200);
        acme.owner.me().await.told(200);
        assert_eq!(acme.app.events(&acme.owner.door, Name::TeamMemberChanged).await.len(), 2);
    }

    async fn a_token_that_a_team_has_changed_is_refused_on_every_node_within_a_second(acme: Acme) {
        let node = acme.app.another_node(&[]).await;
        let mia = acme.joined("mia@example.org", &["viewer"]).await;
        let there = async || {
            node.client().get("/v1/me").bearer(&mia.person.access_token()).await.status
        };
        let team = acme.team("Admins", &["admin"]).await;
        let at = acme.of_team(&team);
        let of_mia = place_of(&acme, &team, &mia);
        let puts = || acme.puts(&mia, &team, "member").into_future();
        assert_eq!(there().await, 200);

        let _ = puts().await.expect(201);
        eventually(async || there().await == 401).await;
        let _ = mia.person.refreshes().await.expect(200);
        assert_eq!(there().await, 200);
        let _ = acme.owner.patch(&at).json(json!({"roles": ["member"]})).await.expect(200);
        eventually(async || there().await == 401).await;
        let _ = mia.person.refreshes().await.expect(200);
        let _ = acme.owner.delete(&of_mia).await.expect(204);
        eventually(async || there().await == 401).await;
        let _ = mia.person.refreshes().await.expect(200);
        let _ = puts().await.expect(201);
        let _ = mia.person.refreshes().await.expect(200);
        let _ = acme.owner.delete(&at).await.expect(204);
        eventually(async || there().await == 401).await;
    }

    /// One word about the organisation instead of one about each of them.
    async fn a_large_team_s_change_ends_every_older_token_for_the_organisation(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let max = acme.joined("max@example.org", &["member"]).await;
        let team = acme.team("Design", &[]).await;
        let _ = acme.puts(&mia, &team, "member").await.expect(201);
        let _ = mia.person.refreshes().await.expect(200);
        crowds(&acme, &team, 20).await;

        let _ = acme.owner.patch(&acme.of_team(&team)).json(json!({"roles": ["admin"]})).await.expect(200);

        for person in [&mia.person, &max.person, &acme.owner] {
            person.me().await.refuses(401, "invalid_token");
            let _ = person.refreshes().await.expect(200);
            person.me().await.told(200);
        }
        assert_eq!(mia.person.claims()["org_roles"], json!(["admin", "member"]));
    }

    async fn no_team_makes_owners_and_no_role_but_those_there_are(acme: Acme) {
        let team = acme.team("Design", &["member"]).await;
        let (teams, at) = (acme.at("/teams"), acme.of_team(&team));
        for roles in [json!(["owner"]), json!(["member", "owner"])] {
            let new = json!({"name": "Owners", "roles": roles});
            for asked in [acme.owner.post(&teams).json(new), acme.owner.patch(&at).json(json!({"roles": roles}))] {
                let refusal = asked.await.refuses(400, "invalid_body");
                assert_has(&refusal["errors"][0], json!({"pointer": "/roles", "type": "owner_not_for_teams"}));
            }
        }
        for unknown in ["Owner", "org:owner", "lead", "team:lead", "*", "", "ADMIN", "arol_01h2xcejqtf2nbrexx3vqjhp41"] {
            let roles = json!({"roles": [unknown]});
            let refused = acme.owner.patch(&at).json(roles).await;
            assert_eq!(refused.outcome(), "400 unknown_role", "{unknown:?}");
        }
        assert_eq!(acme.owner.get(&at).await.told(200), team);
    }

    async fn bodies_are_held_to_their_form(acme: Acme) {
        let team = acme.team("Design", &[]).await;
        let (teams, members) = (acme.at("/teams"), format!("{}/members", acme.of_team(&team)));
        let many: Vec<&str> = vec!["member"; 21];
        for (body, pointer) in [
            (json!({}), "/name"), (json!({"name": ""}), "/name"),
            (json!({"name": "A", "roles": "member"}), "/roles"), (json!({"name": "A", "roles": [1]}), "/roles/0"),
            (json!({"name": "A", "roles": many}), "/roles"), (json!({"name": "A", "slug": "a b"}), "/slug"),
        ] {
            let refusal = acme.owner.post(&teams).json(body).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], pointer);
        }
        for (body, pointer) in [
            (json!({}), "/member_id"), (json!({"member_id": "atm_x"}), "/member_id"),
            (json!({"member_id": "amem_01h2xcejqtf2nbrexx3vqjhp41", "role": "boss"}), "/role"),
            (json!({"member_id": "amem_01h2xcejqtf2nbrexx3vqjhp41", "role": "owner"}), "/role"),
        ] {
            let refusal = acme.owner.post(&members).json(body).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], pointer);
        }
        let more = json!({"name": "A", "org_id": acme.org.id});
        acme.owner.post(&teams).json(more).await.refuses(400, "unknown_field");
    }

    async fn nobody_gives_through_a_team_what_he_does_not_hold(acme: Acme) {
        acme.defines("liquidator", &[("organization", "delete")]).await;
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let max = acme.joined("max@example.org", &["member"]).await;
        let high = acme.team("Liquidators", &["liquidator"]).await;
        let low = acme.team("Design", &["member"]).await;
        let _ = acme.puts(&mia, &high, "member").await.expect(201);
        let (admin, at) = (&pia.person, acme.of_team(&high));
        let (of_mia, places) = (place_of(&acme, &high, &mia), format!("{at}/members"));
        let putting = |whom: &Colleague| admin.post(&places).json(json!({"member_id": whom.member_id}));

        for escalation in [
            admin.post(&acme.at("/teams")).json(json!({"name": "Mine", "roles": ["liquidator"]})),
            admin.patch(&acme.of_team(&low)).json(json!({"roles": ["member", "liquidator"]})),
            admin.patch(&at).json(json!({"roles": []})),
            admin.patch(&at).json(json!({"name": "Design"})),
            admin.delete(&at),
            putting(&pia),
            putting(&max),
            admin.patch(&of_mia).json(json!({"role": "lead"})),
            admin.delete(&of_mia),
        ] {
            escalation.await.refuses(403, "role_not_held");
        }

        let now = acme.owner.get(&at).await.told(200);
        assert_has(&now, json!({"name": "Liquidators", "roles": ["liquidator"], "member_count": 1}));
        assert_eq!(members(&acme, &high).await, [(mia.member_id.clone(), "member".to_owned())]);
        assert_eq!(acme.owner.get(&acme.of_team(&low)).await.told(200), low);
        let list = acme.owner.get(&acme.at("/teams")).await.told(200);
        assert_eq!(list["teams"].as_array().unwrap().len(), 2);
    }

    async fn whoever_runs_an_organisation_does_all_of_it_with_what_he_holds(acme: Acme) {
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let mia = acme.joined("mia@example.org", &["member"]).await;
        for asks in [&pia.person as &dyn Asks, &acme.app.key()] {
            let new = json!({"name": "Buyers", "roles": ["admin"]});
            let made = asks.post(&acme.at("/teams")).json(new).await.told(201);
            let at = acme.of_team(&made);
            let new = json!({"member_id": mia.member_id, "role": "lead"});
            let _ = asks.post(&format!("{at}/members")).json(new).await.expect(201);
            let of_mia = place_of(&acme, &made, &mia);
            let _ = asks.patch(&of_mia).json(json!({"role": "member"})).await.expect(200);
            let _ = asks.patch(&at).json(json!({"roles": ["viewer"]})).await.expect(200);
            let _ = asks.delete(&of_mia).await.expect(204);
            let _ = asks.delete(&at).await.expect(204);
        }
    }

    async fn a_lead_runs_his_own_team_and_nothing_else(acme: Acme) {
        let lea = acme.joined("lea@example.org", &["viewer"]).await;
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let (own, other) = (acme.team("Design", &["admin"]).await, acme.team("Sales", &[]).await);
        let plain = acme.team("Plain", &[]).await;
        let _ = acme.puts(&lea, &plain, "lead").await.expect(201);
        let _ = acme.puts(&mia, &other, "member").await.expect(201);
        let _ = lea.person.refreshes().await.expect(200);
        let (lead, at) = (&lea.person, acme.of_team(&plain));
        let puts = |team: &Value, role: &str| {
            let new = json!({"member_id": mia.member_id, "role": role});
            lead.post(&format!("{}/members", acme.of_team(team))).json(new)
        };

        let told = lead.patch(&at).json(json!({"name": "Simple", "description": "Ours"})).await.told(200);
        assert_has(&told, json!({"name": "Simple", "description": "Ours", "slug": "plain"}));
        assert_eq!(puts(&plain, "member").await.told(201)["role"], "member");
        let of_mia = place_of(&acme, &plain, &mia);
        assert_eq!(lead.patch(&of_mia).json(json!({"role": "lead"})).await.told(200)["role"], "lead");
        let _ = lead.delete(&of_mia).await.expect(204);

        for beyond in [
            lead.patch(&at).json(json!({"roles": ["admin"]})),
            lead.patch(&at).json(json!({"roles": ["viewer"]})),
            lead.patch(&at).json(json!({"roles": []})),
            lead.delete(&at),
            lead.post(&acme.at("/teams")).json(json!({"name": "Mine"})),
            lead.patch(&acme.of_team(&own)).json(json!({"name": "Mine"})),
            lead.patch(&acme.of_team(&other)).json(json!({"name": "Mine"})),
            puts(&own, "member"),
            puts(&other, "lead"),
            lead.patch(&place_of(&acme, &other, &mia)).json(json!({"role": "lead"})),
            lead.delete(&place_of(&acme, &other, &mia)),
            lead.post(&acme.at("/members")).json(json!({"user_id": mia.person.id})),
            lead.delete(&acme.at(&format!("/members/{}", mia.member_id))),
        ] {
            beyond.await.refuses(403, "forbidden");
        }
        assert_eq!(members(&acme, &plain).await, [(lea.member_id.clone(), "lead".to_owned())]);
        let _ = acme.owner.patch(&place_of(&acme, &plain, &lea)).json(json!({"role": "member"})).await.expect(200);
        lead.patch(&at).json(json!({"name": "Mine"})).await.refuses(403, "forbidden");
        puts(&plain, "member").await.refuses(403, "forbidden");
    }

    /// What a team gives, its lead hands on: it is his own.
    async fn a_lead_hands_on_the_roles_of_his_team_and_no_others(acme: Acme) {
        acme.defines("liquidator", &[("organization", "delete")]).await;
        let lea = acme.joined("lea@example.org", &["viewer"]).await;
        let mia = acme.joined("mia@example.org", &["viewer"]).await;
        let team = acme.team("Liquidators", &["liquidator"]).await;
        let _ = acme.puts(&lea, &team, "lead").await.expect(201);
        let _ = lea.person.refreshes().await.expect(200);
        let at = acme.of_team(&team);

        let new = json!({"member_id": mia.member_id});
        let _ = lea.person.post(&format!("{at}/members")).json(new).await.expect(201);
        let more = json!({"roles": ["liquidator", "admin"]});
        lea.person.patch(&at).json(more).await.refuses(403, "forbidden");

        let _ = mia.person.refreshes().await.expect(200);
        assert_eq!(mia.person.claims()["org_roles"], json!(["viewer", "liquidator"]));
        let _ = mia.person.delete(&acme.at("")).await.expect(204);
    }

    /// Who may only put people into teams makes no leads: a lead may take people out of it as well.
    async fn a_place_is_given_by_who_has_all_that_it_amounts_to(acme: Acme) {
        acme.defines("greeter", &[("team_members", "add"), ("team_members", "update")]).await;
        let gil = acme.joined("gil@example.org", &["viewer", "greeter"]).await;
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let team = acme.team("Design", &[]).await;
        let (places, of_mia) = (format!("{}/members", acme.of_team(&team)), place_of(&acme, &team, &mia));
        let puts = |whom: &Colleague, role: &str| {
            gil.person.post(&places).json(json!({"member_id": whom.member_id, "role": role}))
        };

        puts(&gil, "lead").await.refuses(403, "role_not_held");
        puts(&mia, "lead").await.refuses(403, "role_not_held");
        let _ = puts(&mia, "member").await.expect(201);
        gil.person.patch(&of_mia).json(json!({"role": "lead"})).await.refuses(403, "role_not_held");
        let _ = acme.owner.patch(&of_mia).json(json!({"role": "lead"})).await.expect(200);
        gil.person.patch(&of_mia).json(json!({"role": "member"})).await.refuses(403, "role_not_held");

        assert_eq!(members(&acme, &team).await, [(mia.member_id.clone(), "lead".to_owned())]);
    }

    /// Whoever ends a membership takes the member out of his teams: by that way as well, nobody takes
    /// somebody out of a team without holding what it gives.
    async fn nobody_removes_who_is_more_through_a_team(acme: Acme) {
        acme.defines("doorkeeper", &[("members", "remove")]).await;
        let gil = acme.joined("gil@example.org", &["viewer", "doorkeeper"]).await;
        let (mia, max) = (acme.joined("mia@example.org", &["viewer"]).await, acme.joined("max@example.org", &["viewer"]).await);
        let (strong, plain) = (acme.team("Strong", &["admin"]).await, acme.team("Plain", &["viewer"]).await);
        let _ = acme.puts(&mia, &strong, "member").await.expect(201);
        let _ = acme.puts(&max, &plain, "lead").await.expect(201);
        let removes = |whom: &Colleague| gil.person.delete(&acme.at(&format!("/members/{}", whom.member_id)));

        removes(&mia).await.refuses(403, "role_not_held");
        removes(&max).await.refuses(403, "role_not_held");

        assert_eq!(members(&acme, &strong).await, [(mia.member_id.clone(), "member".to_owned())]);
        let at = place_of(&acme, &plain, &max);
        let _ = acme.owner.patch(&at).json(json!({"role": "member"})).await.expect(200);
        let _ = removes(&max).await.expect(204);
        let _ = acme.owner.delete(&place_of(&acme, &strong, &mia)).await.expect(204);
        let _ = removes(&mia).await.expect(204);
    }

    async fn members_see_teams_and_change_none(acme: Acme) {
        acme.defines("nothing", &[]).await;
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let nil = acme.joined("nil@example.org", &["nothing"]).await;
        let (own, other) = (acme.team("Design", &[]).await, acme.team("Sales", &[]).await);
        let _ = acme.puts(&nil, &own, "member").await.expect(201);
        let _ = nil.person.refreshes().await.expect(200);

        for team in [&own, &other] {
            let at = acme.of_team(team);
            mia.person.get(&at).await.told(200);
            mia.person.get(&format!("{at}/members")).await.told(200);
            mia.person.patch(&at).json(json!({"name": "Mine"})).await.refuses(403, "forbidden");
            mia.person.delete(&at).await.refuses(403, "forbidden");
            let new = json!({"member_id": mia.member_id, "role": "lead"});
            mia.person.post(&format!("{at}/members")).json(new).await.refuses(403, "forbidden");
        }
        nil.person.get(&acme.at("/teams")).await.refuses(403, "forbidden");
        nil.person.get(&acme.of_team(&own)).await.told(200);
        nil.person.get(&format!("{}/members", acme.of_team(&own))).await.told(200);
        nil.person.get(&acme.of_team(&other)).await.refuses(403, "forbidden");
    }

    /// Of an organisation next door, which belongs to the same person, and of one he does not know.
    async fn teams_and_members_of_another_organisation_do_not_exist(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let own = acme.team("Design", &[]).await;
        let _ = acme.puts(&mia, &own, "member").await.expect(201);
        let next_door = acme.app.org("umbra", &acme.owner).await.id;
        let there = |path: &str| format!("/v1/orgs/{next_door}{path}");
        let team = acme.owner.post(&there("/teams")).json(json!({"name": "Sales"})).await.told(201);
        let list = acme.owner.get(&there("/members")).await.told(200);
        let stranger = text(&list["members"][0]["id"]);
        let (own_id, foreign) = (text(&own["id"]), text(&team["id"]));

        let putting = |team: &str, whom: &str| {
            acme.owner.post(&acme.at(&format!("/teams/{team}/members"))).json(json!({"member_id": whom}))
        };
        putting(&own_id, &stranger).await.refuses(404, "not_found");
        putting(&foreign, &mia.member_id).await.refuses(404, "not_found");
        putting(&foreign, &stranger).await.refuses(404, "not_found");
        for (org, team, member) in [
            (&acme.org.id, &foreign, &mia.member_id), (&next_door, &own_id, &mia.member_id),
            (&next_door, &own_id, &stranger), (&acme.org.id, &own_id, &stranger),
        ] {
            let at = format!("/v1/orgs/{org}/teams/{team}");
            if team == &foreign || org == &next_door {
                acme.owner.get(&at).await.refuses(404, "not_found");
                acme.owner.patch(&at).json(json!({"name": "Mine"})).await.refuses(404, "not_found");
                acme.owner.delete(&at).await.refuses(404, "not_found");
                acme.owner.get(&format!("{at}/members")).await.refuses(404, "not_found");
            }
            let place = format!("{at}/members/{member}");
            acme.owner.patch(&place).json(json!({"role": "lead"})).await.refuses(404, "not_found");
            acme.owner.delete(&place).await.refuses(404, "not_found");
        }
        let _ = mia.person.refreshes().await.expect(200);
        for path in [there("/teams"), there(&format!("/teams/{foreign}")), there("/events")] {
            mia.person.get(&path).await.refuses(404, "not_found");
        }
        assert_eq!(members(&acme, &own).await, [(mia.member_id.clone(), "member".to_owned())]);
    }

    async fn nobody_reaches_the_teams_of_another_app_or_environment(acme: Acme) {
        let team = acme.team("Design", &[]).await;
        let (at, other) = (acme.of_team(&team), acme.app.founds("Other").await);
        for door in [&acme.app.own.production, &other.development] {
            let machine = acme.app.machine(door);
            machine.get(&acme.at("/teams")).await.refuses(404, "not_found");
            machine.get(&at).await.refuses(404, "not_found");
            machine.delete(&at).await.refuses(404, "not_found");
        }
        acme.app.get(&at).await.refuses(401, "unauthenticated");
    }

    /// Every one of them sees a team without the member.
    async fn of_many_who_add_the_same_member_one_does(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let team = acme.team("Design", &["admin"]).await;

        let asked = (0..10).map(|_| acme.puts(&mia, &team, "member").into_future());
        let mut outcomes: Vec<_> = join_all(asked).await.iter().map(Reply::outcome).collect();

        outcomes.sort();
        assert_eq!(outcomes[0], "201");
        assert!(outcomes[1..].iter().all(|it| it == "409 already_in_team"), "{outcomes:?}");
        assert_eq!(members(&acme, &team).await.len(), 1);
        assert_eq!(acme.app.events(&acme.owner.door, Name::TeamMemberAdded).await.len(), 1);
    }

    /// A place in a team that is gone would be nobody's to take away.
    async fn a_team_that_is_deleted_meanwhile_gets_no_member(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        for _ in 0..10 {
            let team = acme.team("Design", &["admin"]).await;
            let at = acme.of_team(&team);

            let deleting = acme.owner.delete(&at).into_future();
            let (added, deleted) = join(acme.puts(&mia, &team, "lead").into_future(), deleting).await;

            assert_eq!(deleted.status, 204);
            assert!(["201", "404 not_found"].contains(&&*added.outcome()), "{}", added.outcome());
        }
        let left: Vec<TeamMember> = acme.parts().await;
        assert!(left.is_empty(), "{left:?}");
        let _ = mia.person.refreshes().await.expect(200);
        assert_has(&mia.person.claims(), json!({"teams": [], "org_roles": ["member"]}));
    }

    async fn a_member_who_goes_meanwhile_keeps_no_place(acme: Acme) {
        let team = acme.team("Design", &["admin"]).await;
        for number in 0..5 {
            let mia = acme.joined(&format!("mia{number}@example.org"), &["member"]).await;
            let at = acme.at(&format!("/members/{}", mia.member_id));

            let going = acme.owner.delete(&at).into_future();
            let (added, gone) = join(acme.puts(&mia, &team, "lead").into_future(), going).await;

            assert_eq!(gone.status, 204);
            assert!(["201", "404 not_found"].contains(&&*added.outcome()), "{}", added.outcome());
        }
        assert!(members(&acme, &team).await.is_empty());
    }

    async fn a_member_is_in_several_teams_and_leaves_them_with_the_organisation(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let (one, other) = (acme.team("One", &["admin"]).await, acme.team("Other", &["viewer"]).await);
        let _ = acme.puts(&mia, &one, "member").await.expect(201);
        let _ = acme.puts(&mia, &other, "lead").await.expect(201);
        let _ = mia.person.refreshes().await.expect(200);
        let claims = mia.person.claims();
        assert_eq!(claims["org_roles"], json!(["admin", "member", "viewer"]));
        assert_eq!(claims["teams"].as_array().unwrap().len(), 2);

        let _ = acme.owner.delete(&acme.at(&format!("/members/{}", mia.member_id))).await.expect(204);

        assert!(members(&acme, &one).await.is_empty() && members(&acme, &other).await.is_empty());
        acme.puts(&mia, &one, "member").await.refuses(404, "not_found");
        mia.person.get(&acme.of_team(&one)).await.refuses(401, "invalid_token");
    }

    async fn teams_go_with_their_organisation(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let team = acme.team("Design", &[]).await;
        let _ = acme.puts(&mia, &team, "member").await.expect(201);

        let _ = acme.owner.delete(&acme.at("")).await.expect(204);

        assert!(acme.parts::<Team>().await.is_empty());
        assert!(acme.parts::<TeamMember>().await.is_empty());
    }

    async fn an_organisation_has_so_many_teams_and_a_team_so_many_members(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let max = acme.joined("max@example.org", &["member"]).await;
        let team = acme.team("Design", &[]).await;
        acme.app.teams_at_once((&acme.owner.door, &acme.org), 498, &[]).await;
        crowds(&acme, &team, 999).await;

        let _ = acme.puts(&mia, &team, "member").await.expect(201);
        acme.team("Last", &[]).await;

        acme.puts(&max, &team, "member").await.refuses(409, "team_full");
        let new = json!({"name": "One more"});
        acme.owner.post(&acme.at("/teams")).json(new).await.refuses(409, "team_limit");
        let _ = acme.owner.delete(&place_of(&acme, &team, &mia)).await.expect(204);
        let _ = acme.puts(&max, &team, "member").await.expect(201);
        let _ = acme.owner.delete(&acme.of_team(&team)).await.expect(204);
        // So many lose their place that older tokens of all are refused, the owner's too.
        let _ = acme.owner.refreshes().await.expect(200);
        acme.team("One more", &[]).await;
    }

    async fn what_becomes_of_teams_is_told(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let team = acme.team("Design", &["viewer"]).await;
        let (at, of_mia) = (acme.of_team(&team), place_of(&acme, &team, &mia));
        let _ = acme.puts(&mia, &team, "member").await.expect(201);
        let _ = acme.owner.patch(&of_mia).json(json!({"role": "lead"})).await.expect(200);
        let _ = acme.owner.patch(&at).json(json!({"roles": []})).await.expect(200);
        acme.owner.patch(&at).json(json!({"roles": ["owner"]})).await.refuses(400, "invalid_body");
        let _ = acme.owner.delete(&of_mia).await.expect(204);
        let _ = acme.owner.delete(&at).await.expect(204);

        let of_user = ("user", mia.person.id.clone());
        let of_team = ("team", text(&team["id"]));
        for (name, target, details) in [
            (Name::TeamCreated, &of_team, json!({"slug": "design", "roles": ["viewer"]})),
            (Name::TeamMemberAdded, &of_user, json!({"team": team["id"], "role": "member"})),
            (Name::TeamMemberChanged, &of_user, json!({"team": team["id"], "role": "lead"})),
            (Name::TeamUpdated, &of_team, json!({"roles": []})),
            (Name::TeamMemberRemoved, &of_user, json!({"team": team["id"], "role": "lead"})),
            (Name::TeamDeleted, &of_team, json!({"slug": "design"})),
        ] {
            let told = acme.app.events(&acme.owner.door, name).await;
            assert_eq!(told.len(), 1, "{name:?}");
            let (event, (kind, id)) = (&told[0], target);
            assert_eq!(event.org_id.map(|it| it.to_string()), Some(acme.org.id.clone()));
            assert_eq!(event.actor.id.as_ref(), Some(&acme.owner.id));
            let target = event.target.as_ref().expect("a target");
            assert_eq!((&*target.kind, target.id.as_ref()), (*kind, Some(id)));
            assert_eq!(Value::from(event.details.clone()), details);
        }
    }

    /// Roles that were taken away since are no obstacle: they give nothing.
    async fn a_role_that_is_gone_gives_nothing_and_stops_nobody(acme: Acme) {
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let team = acme.team("Design", &["viewer"]).await;
        let gone = OrgRole::Custom("arol_01h2xcejqtf2nbrexx3vqjhp41".parse().expect("a role"));
        let (tenant, now) = (acme.owner.door.tenant(), acme.app.clock.now());
        let all: Vec<Team> = acme.parts().await;
        let changes = memberships::TeamChanges { roles: Some(vec![gone]), ..Default::default() };
        let written = acme.app.store().write(async |tx| {
            memberships::update_team(&mut tx.within(tenant), &all[0], &changes, now).await
        });
        written.await.expect("the store answers").expect("a team");

        let told = pia.person.get(&acme.of_team(&team)).await.told(200);

        assert_eq!(told["roles"], json!([]));
        let _ = pia.person.patch(&acme.of_team(&team)).json(json!({"roles": ["viewer"]})).await.expect(200);
    }
}
