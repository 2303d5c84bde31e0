//! The events of an organisation: who sees them, and which they are.

use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::client::{Asks, assert_has};
use crate::support::orgs::text;
use crate::support::stores::on_both_stores;

/// The events that an asker sees below an organisation, with this query.
async fn seen(asks: &(impl Asks + ?Sized), acme: &Acme, query: &str) -> Vec<Value> {
    let page = asks
        .get(&acme.at(&format!("/events{query}")))
        .await
        .told(200);
    page["events"].as_array().expect("a page of events").clone()
}

on_both_stores! {
    async fn an_organisation_s_events_are_its_own(acme: Acme) {
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let team = acme.team("Design", &[]).await;
        let next_door = acme.app.org("umbra", &acme.owner).await.id;

        let told = seen(&pia.person, &acme, "").await;

        assert!(told.iter().all(|it| it["org_id"] == acme.org.id.as_str()), "{told:?}");
        let names: Vec<String> = told.iter().map(|it| text(&it["name"])).collect();
        for name in ["organization.created", "member.added", "team.created"] {
            assert_eq!(names.iter().filter(|it| *it == name).count(), 1, "{names:?}");
        }
        let made = told.iter().find(|it| it["name"] == "team.created").unwrap();
        assert_has(made, json!({
            "outcome": "success", "actor": {"kind": "user", "id": acme.owner.id},
            "target": {"kind": "team", "id": team["id"]}, "ip_address": "127.0.0.1",
        }));
        let there = acme.owner.get(&format!("/v1/orgs/{next_door}/events")).await.told(200);
        assert_eq!(there["events"].as_array().unwrap().len(), 1);
        assert_eq!(seen(&acme.app.key(), &acme, "").await, told);
    }

    async fn events_are_found_by_what_they_say_and_page_by_page(acme: Acme) {
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let team = acme.team("Design", &[]).await;
        let (owner, team) = (&acme.owner, text(&team["id"]));
        for (query, names) in [
            ("?name=team.created".to_owned(), vec!["team.created"]),
            (format!("?target={team}"), vec!["team.created"]),
            (format!("?user_id={}", pia.person.id), vec!["member.added"]),
            (format!("?actor={}&name=team.created", owner.id), vec!["team.created"]),
            ("?outcome=denied".to_owned(), vec![]),
            ("?to=2030-01-01T00:00:00Z".to_owned(), vec![]),
        ] {
            let told = seen(owner, &acme, &query).await;
            assert_eq!(told.iter().map(|it| &it["name"]).collect::<Vec<_>>(), names, "{query}");
        }

        let first = owner.get(&acme.at("/events?limit=1")).await.told(200);
        let next = text(&first["next_cursor"]);
        let rest = seen(owner, &acme, &format!("?cursor={next}")).await;

        assert_eq!((&first["has_more"], rest.len() + 1), (&json!(true), seen(owner, &acme, "").await.len()));
        assert!(!rest.contains(&first["events"][0]));
        let next_door = acme.app.org("umbra", owner).await.id;
        let there = format!("/v1/orgs/{next_door}/events?cursor={next}");
        owner.get(&there).await.refuses(400, "bad_cursor");
        let other = acme.at(&format!("/events?org_id={next_door}"));
        owner.get(&other).await.refuses(400, "invalid_query");
    }

    async fn only_who_runs_the_organisation_sees_them(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["member"]).await;
        let stranger = acme.app.person("max@example.org").await;
        let events = acme.at("/events");

        mia.person.get(&events).await.refuses(403, "forbidden");
        stranger.get(&events).await.refuses(404, "not_found");
        acme.app.get(&events).await.refuses(401, "unauthenticated");
        let other = acme.app.machine(&acme.app.own.production);
        other.get(&events).await.refuses(404, "not_found");
        seen(&acme.app.admin().await, &acme, "").await;
    }
}
