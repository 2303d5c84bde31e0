//! Two owners of an organisation, of whom both would go at once, again and again.

use std::rc::Rc;

use futures_util::future::join;
use serde_json::{Value, json};

use super::asking::{Answer, As, Ask};
use super::load::Load;
use crate::e2e::server::text;

/// An organisation, and the memberships of its owners.
#[derive(Debug)]
pub(super) struct Owners {
    path: String,
    members: [String; 2],
}

impl Load {
    /// An organisation with two owners.
    pub(super) async fn found(&self, number: usize) -> Owners {
        let one = self.somebody(&format!("one-{number}@example.org")).await;
        let other = self.somebody(&format!("other-{number}@example.org")).await;
        let founder = As::Holder(text(&one, "/access_token"));
        let name = json!({"name": format!("House {number}"), "slug": format!("house-{number}")});
        let new = Ask::post("/v1/orgs", name).by(&founder);
        let org = self.insists(&new).await.done().expect("an organisation");
        let path = format!("/v1/orgs/{}/members", text(&org, "/id"));
        let heir = json!({"user_id": text(&other, "/user/id"), "roles": ["owner"]});
        let _ = self
            .insists(&Ask::post(&path, heir).by(&self.backend))
            .await;
        let told = self.insists(&Ask::get(&path).by(&self.backend)).await;
        let all = told.done().expect("members");
        let ids = all["members"].as_array().expect("a list");
        self.ledger.founded(&path);
        Owners {
            path,
            members: [text(&ids[0], "/id"), text(&ids[1], "/id")],
        }
    }

    pub(super) async fn hands_over(self: Rc<Self>, owners: Owners) {
        while !self.is_over() {
            let go = |at: usize| self.sets(&owners, at, "admin");
            let (here, there) = (go(0), go(1));
            let (here, there) = join(self.ask(0, &here), self.ask(1, &there)).await;
            if let (Answer::Done(_), Answer::Done(_)) = (&here, &there) {
                self.ledger.broken("both owners have gone");
            }
            self.counts_owners(&owners.path).await;
            for at in 0..owners.members.len() {
                let back = self.insists(&self.sets(&owners, at, "owner")).await;
                if back.done().is_none() {
                    self.ledger.broken("an owner cannot come back");
                }
            }
        }
    }

    /// Whoever looks among the members finds an owner.
    pub(super) async fn counts_owners(&self, members: &str) {
        let ask = Ask::get(members).by(&self.backend);
        let told = self.insists(&ask).await.done().expect("members");
        let all = told["members"].as_array().expect("a list").iter();
        let owns = |member: &&Value| {
            let roles = member["roles"].as_array();
            roles.is_some_and(|roles| roles.contains(&json!("owner")))
        };
        if all.filter(owns).count() == 0 {
            self.ledger.broken(format!("nobody owns it: {told}"));
        }
    }

    fn sets(&self, owners: &Owners, at: usize, role: &str) -> Ask {
        let path = format!("{}/{}", owners.path, owners.members[at]);
        Ask::patch(path, json!({"roles": [role]})).by(&self.backend)
    }
}
