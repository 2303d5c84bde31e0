//! Roles that reach many: through more teams than are looked at one by one.

use serde_json::json;

use crate::support::acme::{Acme, Colleague};
use crate::support::client::Asks;
use crate::support::orgs::text;
use crate::support::roles::{new_role, of_template};
use crate::support::stores::on_both_stores;

const EVENTS: &str = "organization_events:read";

/// Members who have a role through the first and the last of many teams that give it to nobody else.
async fn ends_of(acme: &Acme, teams: usize, role: &str) -> [Colleague; 2] {
    let mia = acme.joined("mia@example.org", &["viewer"]).await;
    let max = acme.joined("max@example.org", &["viewer"]).await;
    let place = (&acme.owner.door, &acme.org);
    let teams = acme.app.teams_at_once(place, teams, &[role]).await;
    let ends = [(&mia, teams.first()), (&max, teams.last())];
    for (whose, team) in ends {
        let _ = acme
            .puts(whose, team.expect("some"), "member")
            .await
            .expect(201);
        let _ = whose.person.refreshes().await.expect(200);
        whose.person.get(&acme.at("/events")).await.told(200);
    }
    [mia, max]
}

/// Nobody keeps what his older token says.
async fn assert_lost(acme: &Acme, all: &[Colleague]) {
    for Colleague { person, .. } in all {
        person
            .get(&acme.at("/events"))
            .await
            .refuses(401, "invalid_token");
        let _ = person.refreshes().await.expect(200);
        person
            .get(&acme.at("/events"))
            .await
            .refuses(403, "forbidden");
    }
}

on_both_stores! {
    /// Teams were looked at up to as many as members are named: who was in another one kept his token.
    async fn a_role_that_many_teams_give_changes_for_whoever_is_in_one_of_them(acme: Acme) {
        let role = acme.role(new_role("crowd", &[EVENTS])).await;
        let all = ends_of(&acme, 22, &text(&role["id"])).await;

        let _ = acme.redefines(&role, json!({"permissions": []})).await.expect(200);

        assert_lost(&acme, &all).await;
    }

    async fn a_role_that_many_teams_give_is_replaced_for_whoever_is_in_one_of_them(acme: Acme) {
        let role = acme.role(new_role("crowd", &[EVENTS])).await;
        let all = ends_of(&acme, 22, &text(&role["id"])).await;

        let _ = acme.drops(&role, "?replacement=viewer").await.expect(204);

        assert_lost(&acme, &all).await;
    }

    /// More than one organisation has of them; as many teams of one organisation are all looked at.
    async fn a_dry_run_says_that_teams_were_not_looked_at(acme: Acme) {
        let template = acme.template(new_role("shared", &[EVENTS])).await;
        let at = format!("{}?dry_run=true", of_template(&template));
        let change = json!({"permissions": []});
        let examined = async || {
            let told = acme.app.key().patch(&at).json(change.clone()).await.told(200);
            (told["impact"]["examined"].clone(), told["impact"]["has_more"].clone())
        };
        let role = text(&template["id"]);
        ends_of(&acme, 22, &role).await;
        assert_eq!(examined().await, (json!(2), json!(false)));
        let umbra = acme.app.org("umbra", &acme.owner).await;

        acme.app.teams_at_once((&acme.owner.door, &umbra), 480, &[&role]).await;

        assert_eq!(examined().await.1, json!(true));
    }
}
