//! Roles that are redefined: what becomes of tokens, and what a change would mean.

use std::future::IntoFuture;

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::acme::{Acme, Colleague};
use crate::support::app::eventually;
use crate::support::client::Asks;
use crate::support::orgs::text;
use crate::support::persona::PASSWORD;
use crate::support::roles::{lines, may, new_role, of_template};
use crate::support::stores::on_both_stores;

const EVENTS: &str = "organization_events:read";

/// The roles by which a member may see what happened: one of the organisation, or one of the app.
async fn both_kinds(acme: &Acme) -> [(Value, String); 2] {
    let own = acme.role(new_role("own", &[EVENTS])).await;
    let template = acme.template(new_role("shared", &[EVENTS])).await;
    let (at, of_app) = (acme.of_role(&own), of_template(&template));
    [(own, at), (template, of_app)]
}

/// Where a change is thought through.
fn dry(at: &str) -> String {
    format!("{at}?dry_run=true")
}

/// A permission of everybody, each by his member id, that a preview tells.
fn told_of<'a>(preview: &'a Value, whose: &Colleague) -> &'a Value {
    let all = preview["impact"]["members"].as_array().expect("a list");
    let one = all
        .iter()
        .find(|it| it["member_id"] == whose.member_id.as_str());
    one.expect("a member whose rights would be others")
}

on_both_stores! {
    async fn what_a_role_no_longer_grants_is_gone_at_once_and_after_every_way_in(acme: Acme) {
        let events = acme.at("/events");
        for (number, (role, at)) in both_kinds(&acme).await.into_iter().enumerate() {
            let name = text(&role["name"]);
            let mia = acme.joined(&format!("mia{number}@example.org"), &[&name]).await.person;
            let bystander = acme.joined(&format!("max{number}@example.org"), &["viewer"]).await.person;
            mia.get(&events).await.told(200);

            let _ = acme.app.key().patch(&at).json(json!({"permissions": lines(&["members:read"])})).await.expect(200);

            mia.get(&events).await.refuses(401, "invalid_token");
            // A role of the organisation concerns those who have it.
            let of_others = bystander.get(&acme.at("/members")).await.status;
            assert_eq!(of_others, if number == 0 { 200 } else { 401 });
            let _ = mia.refreshes().await.expect(200);
            assert_eq!(mia.claims()["permissions"], json!(["members:read"]));
            mia.get(&events).await.refuses(403, "forbidden");
            let _ = mia.switches_to(Some(&acme.org)).await.expect(200);
            assert!(!may(&mia, EVENTS));
            let anew = mia.visitor().enters(&mia.email, PASSWORD).await;
            assert_eq!(anew.claims()["permissions"], json!(["members:read"]));
            let _ = acme.app.key().patch(&at).json(json!({"permissions": lines(&[EVENTS])})).await.expect(200);
            let _ = mia.refreshes().await.expect(200);
            mia.get(&events).await.told(200);
        }
    }

    /// Through a parent and through a team as well.
    async fn a_change_reaches_whoever_has_the_role_by_whatever_way(acme: Acme) {
        let base = acme.role(new_role("base", &[EVENTS])).await;
        let middle = acme.role(json!({"name": "middle", "parent_id": base["id"]})).await;
        acme.role(json!({"name": "top", "parent_id": middle["id"]})).await;
        let heir = acme.joined("heir@example.org", &["top"]).await;
        let mate = acme.joined("mate@example.org", &["viewer"]).await;
        let team = acme.team("Design", &["middle"]).await;
        let _ = acme.puts(&mate, &team, "member").await.expect(201);
        let _ = mate.person.refreshes().await.expect(200);
        for whose in [&heir, &mate] {
            assert!(may(&whose.person, EVENTS));
        }

        let _ = acme.redefines(&base, json!({"permissions": []})).await.expect(200);

        for whose in [&heir, &mate] {
            whose.person.get(&acme.at("/events")).await.refuses(401, "invalid_token");
            let _ = whose.person.refreshes().await.expect(200);
            assert!(!may(&whose.person, EVENTS));
        }
    }

    async fn of_many_who_have_a_role_none_keeps_an_older_token(acme: Acme) {
        let role = acme.role(new_role("crowd", &[EVENTS])).await;
        let mut crowd = Vec::new();
        for number in 0..25 {
            crowd.push(acme.joined(&format!("mia{number}@example.org"), &["crowd"]).await.person);
        }

        let _ = acme.redefines(&role, json!({"permissions": []})).await.expect(200);

        for person in &crowd {
            person.get(&acme.at("/events")).await.refuses(401, "invalid_token");
        }
        let _ = crowd[0].refreshes().await.expect(200);
        crowd[0].get(&acme.at("/events")).await.refuses(403, "forbidden");
    }

    async fn a_new_name_is_in_new_tokens_and_a_description_ends_none(acme: Acme) {
        let role = acme.role(new_role("billing", &["members:read"])).await;
        let mia = acme.joined("mia@example.org", &["billing"]).await.person;
        let _ = acme.redefines(&role, json!({"description": "Who pays"})).await.expect(200);
        mia.get(&acme.at("/members")).await.told(200);

        let _ = acme.redefines(&role, json!({"name": "finance"})).await.expect(200);

        mia.get(&acme.at("/members")).await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(mia.claims()["org_roles"], json!(["finance"]));
    }

    async fn a_dry_run_tells_whose_rights_would_change_and_changes_nothing(acme: Acme) {
        for (number, (role, at)) in both_kinds(&acme).await.into_iter().enumerate() {
            let name = text(&role["name"]);
            let heir = acme.role(json!({"name": format!("heir{number}"), "parent_id": role["id"]})).await;
            let one = acme.joined(&format!("one{number}@example.org"), &[&name]).await;
            let through_parent = acme.joined(&format!("two{number}@example.org"), &[&text(&heir["name"])]).await;
            let through_team = acme.joined(&format!("three{number}@example.org"), &["viewer"]).await;
            let unchanged = acme.joined(&format!("four{number}@example.org"), &[&name, "owner"]).await;
            let team = acme.team(&format!("Team {number}"), &[&name]).await;
            let _ = acme.puts(&through_team, &team, "member").await.expect(201);
            let _ = through_team.person.refreshes().await.expect(200);
            let change = json!({"permissions": lines(&["members:read", "teams:create"]), "name": format!("new{number}")});

            let told = acme.app.key().patch(&dry(&at)).json(change).await.told(200);

            assert_eq!((&told["id"], &told["name"]), (&role["id"], &json!(format!("new{number}"))));
            assert_eq!((&told["impact"]["examined"], &told["impact"]["has_more"]), (&json!(4), &json!(false)));
            assert_eq!(told["impact"]["members"].as_array().unwrap().len(), 3);
            for whose in [&one, &through_parent] {
                let id = &whose.person.id;
                assert_eq!(told_of(&told, whose), &json!({
                    "org_id": acme.org.id, "member_id": whose.member_id, "user_id": id,
                    "gained": ["members:read", "teams:create"], "lost": [EVENTS],
                }));
            }
            let mate = told_of(&told, &through_team);
            assert_eq!((&mate["gained"], &mate["lost"]), (&json!(["teams:create"]), &json!([EVENTS])));
            assert_eq!(acme.app.key().get(&at).await.told(200), role);
            for whose in [&one, &through_parent, &through_team, &unchanged] {
                whose.person.get(&acme.at("/events")).await.told(200);
            }
            // It would be refused as the change would.
            let cycle = json!({"parent_id": role["id"]});
            acme.app.key().patch(&dry(&at)).json(cycle).await.refuses(400, "role_cycle");
        }
    }

    /// A template is looked at in every organisation of the app.
    async fn a_dry_run_of_a_template_tells_the_organisations(acme: Acme) {
        let template = acme.template(new_role("shared", &[EVENTS])).await;
        let other = acme.app.org("umbra", &acme.owner).await;
        let here = acme.joined("mia@example.org", &["shared"]).await;
        let there = other.takes(&here.person, &["shared"]).await;

        let change = json!({"permissions": []});
        let told = acme.app.key().patch(&dry(&of_template(&template))).json(change).await.told(200);

        let mut seen: Vec<_> = told["impact"]["members"].as_array().unwrap().iter()
            .map(|it| (text(&it["org_id"]), text(&it["member_id"])))
            .collect();
        seen.sort();
        let mut expected = [(acme.org.id.clone(), here.member_id.clone()), (other.id.clone(), there)];
        expected.sort();
        assert_eq!(seen, expected);
    }

    /// Whichever is faster, no token that is good afterwards has what was taken.
    async fn refreshing_while_a_role_changes_keeps_nothing(acme: Acme) {
        let node = acme.app.another_node(&[]).await;
        for (role, at) in both_kinds(&acme).await {
            let name = text(&role["name"]);
            let mia = acme.joined(&format!("{name}@example.org"), &[&name]).await.person;
            for _ in 0..5 {
                let there = mia.visitor().by(node.client());
                let _ = acme.app.key().patch(&at).json(json!({"permissions": lines(&[EVENTS])})).await.expect(200);
                let _ = mia.refreshes().await.expect(200);
                mia.get(&acme.at("/events")).await.told(200);

                let taken = acme.app.key().patch(&at).json(json!({"permissions": []})).into_future();
                let refreshed = there.presents(&mia.refresh_token()).into_future();
                let (taken, refreshed) = join(taken, refreshed).await;

                assert_eq!(taken.outcome(), "200");
                let _ = mia.keeps(refreshed).expect(200);
                let good = mia.access_token();
                let events = acme.at("/events");
                assert_ne!(acme.app.get(&events).bearer(&good).await.status, 200);
                eventually(async || node.client().get(&events).bearer(&good).await.status != 200).await;
                let _ = mia.refreshes().await.expect(200);
                assert!(!may(&mia, EVENTS));
            }
        }
    }

    async fn a_role_redefined_here_counts_there_within_a_second(acme: Acme) {
        let node = acme.app.another_node(&[]).await;
        for (role, at) in both_kinds(&acme).await {
            let name = text(&role["name"]);
            let mia = acme.joined(&format!("{name}@example.org"), &[&name]).await.person;
            let there = || node.client().get(&acme.at("/events")).bearer(&mia.access_token());
            there().await.told(200);

            let _ = acme.app.key().patch(&at).json(json!({"permissions": []})).await.expect(200);

            eventually(async || there().await.status == 401).await;
            let refreshed = mia.visitor().by(node.client()).presents(&mia.refresh_token()).await;
            let _ = mia.keeps(refreshed).expect(200);
            assert!(!may(&mia, EVENTS));
            there().await.refuses(403, "forbidden");
        }
    }
}
