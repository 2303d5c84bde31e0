//! Two at once, in one organisation: by way of one node, and of two that share the database.
//!
//! ```text
//! demote ┐
//! remove │
//! leave  ├─ × each of them, by two owners at the same time ──▶ one is told 409, and one owner stays
//! delete │
//! ban    │
//! hand over ┘
//! ```

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::support::acme::Acme;
use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Client, Reply};
use crate::support::orgs::{Org, claims, text};
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::on_both_stores;

/// What ends somebody's ownership.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Demote,
    Remove,
    Leave,
    DeleteAccount,
    Ban,
    /// To a member who is no owner: it makes one as it ends one.
    HandOver,
}

const VERBS: [Verb; 6] = [
    Verb::Demote,
    Verb::Remove,
    Verb::Leave,
    Verb::DeleteAccount,
    Verb::Ban,
    Verb::HandOver,
];

/// An organisation of two owners, and an heir.
struct Pair {
    org: Org,
    owners: [Person; 2],
    members: [String; 2],
    heir: String,
}

impl Pair {
    async fn of(app: &TestApp, name: &str) -> Self {
        let person = async |who: &str| app.person(&format!("{name}-{who}@example.org")).await;
        let owners = [person("mia").await, person("noah").await];
        let org = app.org(name, &owners[0]).await;
        org.takes(&owners[1], &["owner"]).await;
        let members = [org.member(&owners[0]).await, org.member(&owners[1]).await];
        let heir = org.takes(&person("olga").await, &["member"]).await;
        Self {
            org,
            owners,
            members,
            heir,
        }
    }

    /// Ends the ownership of one of them, by way of a node.
    async fn ends(&self, which: usize, verb: Verb, node: &Client) -> Reply {
        let (owner, key) = (&self.owners[which], &self.owners[which].door.secret_key);
        let member = self.org.path(&format!("/members/{}", self.members[which]));
        let his =
            |method: &str, path: &str| node.request(method, path).bearer(&owner.access_token());
        match verb {
            Verb::Demote => {
                let less = json!({"roles": ["viewer"]});
                node.patch(&member).api_key(key).json(less).await
            }
            Verb::Remove => node.delete(&member).api_key(key).await,
            Verb::Leave => his("POST", &self.org.path("/leave")).await,
            Verb::DeleteAccount => {
                his("DELETE", "/v1/me")
                    .json(json!({"password": PASSWORD}))
                    .await
            }
            Verb::Ban => {
                let path = format!("/v1/admin/users/{}/ban", owner.id);
                node.post(&path).api_key(key).json(json!({})).await
            }
            Verb::HandOver => {
                let to = json!({"member_id": self.heir});
                his("POST", &self.org.path("/transfer")).json(to).await
            }
        }
    }

    /// Those whose membership says owner, and who can act.
    async fn acting_owners(&self, app: &TestApp) -> i64 {
        let mut count = 0;
        for member in self.org.members().await {
            let roles = member["roles"].as_array().expect("a list");
            if !roles.contains(&json!("owner")) {
                continue;
            }
            let path = format!("/v1/admin/users/{}", text(&member["user_id"]));
            let user = app.key().get(&path).await.told(200);
            count += i64::from(user["banned"] != json!(true));
        }
        count
    }
}

/// Every verb with every other, and with itself: each pair once, at first by way of one node and
/// then split over two.
fn pairings() -> Vec<(Verb, Verb)> {
    let with_the_rest = |(at, first): (usize, &Verb)| {
        VERBS[at..]
            .iter()
            .map(|second| (*first, *second))
            .collect::<Vec<_>>()
    };
    VERBS.iter().enumerate().flat_map(with_the_rest).collect()
}

/// Whether this ends with the ownership of both, where nobody is made owner instead.
fn empties((first, second): (Verb, Verb)) -> bool {
    first != Verb::HandOver && second != Verb::HandOver
}

async fn races(app: &TestApp, nodes: [&Client; 2], round: &str) {
    for (number, (first, second)) in pairings().into_iter().enumerate() {
        let pair = Pair::of(app, &format!("{round}-{number}")).await;

        let (one, two) = join(
            pair.ends(0, first, nodes[0]),
            pair.ends(1, second, nodes[1]),
        )
        .await;

        let told = format!(
            "{first:?} × {second:?}: {}, {}",
            one.outcome(),
            two.outcome()
        );
        let outcomes = [one, two];
        let done = outcomes.iter().filter(|it| it.status < 300).count();
        let last = outcomes
            .iter()
            .filter(|it| it.outcome() == "409 last_owner")
            .count();
        if empties((first, second)) {
            assert_eq!((done, last), (1, 1), "{told}");
        } else {
            // The heir is an owner too, at once or never: both may go.
            assert!(done >= 1 && done + last == 2, "{told}");
        }
        let owners = pair.acting_owners(app).await;
        assert!(owners >= 1, "{told}");
        assert_eq!(pair.org.owner_count(app).await, owners, "{told}");
    }
}

on_both_stores! {
    async fn however_two_owners_go_at_once_one_owner_stays(app: TestApp) {
        races(&app, [app.client(), app.client()], "here").await;
    }

    async fn nor_is_it_ownerless_by_way_of_two_nodes(app: TestApp) {
        let second = app.another_node(&[]).await;
        races(&app, [app.client(), second.client()], "split").await;
    }

    async fn of_two_heirs_by_way_of_two_nodes_one_gets_it(app: TestApp) {
        let second = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let heirs = [app.person("noah@example.org").await, app.person("olga@example.org").await];
        for round in 0..20 {
            let acme = app.org(&format!("acme-{round}"), &mia).await;
            let members = [acme.takes(&heirs[0], &["member"]).await,
                acme.takes(&heirs[1], &["member"]).await];
            let path = acme.path("/transfer");
            let to = async |node: &Client, heir: &str| {
                let body = json!({"member_id": heir});
                node.post(&path).bearer(&mia.access_token()).json(body).await
            };

            let (one, two) = join(
                to(app.client(), &members[0]),
                to(second.client(), &members[1]),
            ).await;

            let done = [&one, &two].iter().filter(|it| it.status == 200).count();
            assert_eq!(done, 1, "{}, {}", one.outcome(), two.outcome());
            assert_eq!(acme.owner_count(&app).await, 1);
            let all = acme.members().await;
            let is_owner = |it: &&serde_json::Value| {
                it["roles"].as_array().expect("a list").contains(&json!("owner"))
            };
            assert_eq!(all.iter().filter(is_owner).count(), 1, "{all:?}");
        }
    }

    /// A token that is issued as a place in a team is taken has what is left, or is refused.
    async fn a_refresh_at_the_moment_a_team_is_left_gives_nothing_old(acme: Acme) {
        let second = acme.app.another_node(&[]).await;
        let noah = acme.joined("noah@example.org", &["viewer"]).await;
        let team = acme.team("Design", &["admin"]).await;
        let path = format!("{}/members/{}", acme.of_team(&team), noah.member_id);
        for round in 0..10 {
            acme.puts(&noah, &team, "member").await.told(201);
            let _ = noah.person.refreshes().await.expect(200);
            assert!(claims(&noah.person.access_token())["teams"] != json!([]));
            let owner = acme.owner.access_token();
            let there = async || second.client().delete(&path).bearer(&owner).await;

            let (_, taken) = join(noah.person.refreshes(), there()).await;

            let _ = taken.expect(204);
            let said = noah.person.claims();
            if said["teams"] == json!([]) {
                assert_eq!(said["org_roles"], json!(["viewer"]), "round {round}");
            } else {
                // By the other node: this one hears of it within a second.
                eventually(async || noah.person.me().await.status == 401).await;
            }
            let _ = noah.person.refreshes().await.expect(200);
            let now = noah.person.claims();
            assert_eq!((&now["teams"], &now["org_roles"]), (&json!([]), &json!(["viewer"])));
        }
    }

    /// Members, teams, tokens: while all of it goes on, the organisation is deleted, and another takes
    /// its name. Nothing of what was, and nothing that was under way, is found in it.
    async fn an_organisation_that_takes_the_name_of_one_deleted_in_use_inherits_nothing(acme: Acme) {
        let second = acme.app.another_node(&[]).await;
        let mut people = Vec::new();
        for number in 0..4 {
            people.push(acme.joined(&format!("p{number}@example.org"), &["admin"]).await);
        }
        let newcomer = acme.app.person("new@example.org").await;
        let (owner, nodes) = (acme.owner.access_token(), [acme.app.client(), second.client()]);
        let works = async |number: usize| {
            let node = nodes[number % 2];
            let him = &people[number % people.len()].person;
            let ask = |path: &str| node.post(&acme.at(path)).bearer(&him.access_token());
            let reply = match number / people.len() % 4 {
                0 => ask("/members").json(json!({"user_id": newcomer.id})).await,
                1 => ask("/teams").json(json!({"name": format!("Team {number}")})).await,
                2 => him.refreshes().await,
                _ => him.switches_to(Some(&acme.org)).await,
            };
            assert!(reply.status < 500, "{}", reply.text());
        };
        let deletes = async || second.client().delete(&acme.at("")).bearer(&owner).await;

        let before = join_all((0..16).map(works));
        let (_, gone) = join(before, deletes()).await;

        let _ = gone.expect(204);
        let _ = newcomer.signs_in().await.expect(200);
        let again = acme.app.org("acme", &newcomer).await;
        assert_eq!(again.members().await.len(), 1);
        let teams = newcomer.get(&again.path("/teams")).await.told(200);
        assert_eq!(teams["teams"], json!([]));
        for number in 0..16 {
            works(number).await;
        }
        assert_eq!(again.members().await.len(), 1);
        for colleague in &people {
            colleague.person.get(&again.path("")).await;
            let him = acme.app.visitor(&colleague.person.door).enters(&colleague.person.email, PASSWORD).await;
            him.get(&again.path("")).await.refuses(404, "not_found");
            him.get(&acme.at("")).await.refuses(404, "not_found");
            assert_eq!(claims(&him.access_token()).get("org_id"), None);
        }
        let all = crate::support::dump::collections(acme.app.location()).await;
        for collection in ["authsome_members", "authsome_teams", "authsome_team_members"] {
            let left = all[collection].iter().find(|it| it["org_id"] == json!(acme.org.id));
            assert_eq!(left, None, "{collection}");
        }
    }
}
