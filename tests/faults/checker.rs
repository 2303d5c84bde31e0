//! What must hold when a load has ended and everything is well again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::asking::Ask;
use super::ledger::Counts;
use super::load::Load;
use super::{PATIENCE, until};
use crate::e2e::server::{PASSWORD, text};
use crate::support::receiver::Receiver;

/// An account that is there.
#[derive(Debug)]
struct Found {
    user_id: String,
    is_proven: bool,
}

impl Load {
    /// No acknowledged write is lost, nothing that was used is good again, and nothing has happened
    /// that must not; how the answers were.
    pub(super) async fn holds(&self) -> Counts {
        let found = self.accounts().await;
        let acknowledged = self.ledger.accounts();
        for (address, user_id) in &acknowledged {
            let there = found.get(address).map(|it| &it.user_id);
            assert_eq!(there, Some(user_id), "{address} was acknowledged");
        }
        for address in self.ledger.addresses_proven() {
            assert!(found[&address].is_proven, "{address} was proven");
            self.is_spent(&address).await;
        }
        self.families_go_on(&acknowledged).await;
        assert_eq!(self.ledger.faults(), Vec::<String>::new());
        let counts = self.ledger.counts();
        eprintln!(
            "{} accounts, {} proven, {} refreshes, {} names guessed at: {counts:?}",
            acknowledged.len(),
            self.ledger.addresses_proven().len(),
            self.ledger.refreshes(),
            self.ledger.names_guessed(),
        );
        counts
    }

    /// Every event of an acknowledged account has arrived, or arrives.
    pub(super) async fn is_told_to(&self, receiver: &Receiver) {
        let wanted: BTreeSet<String> = self.ledger.accounts().into_values().collect();
        let (mut told, mut read) = (BTreeSet::new(), 0);
        until("every event is delivered", PATIENCE, async || {
            let got = receiver.got();
            for message in got.iter().skip(read) {
                // Who signs up again after an answer that was lost is refused, and nobody still.
                let message = message.message();
                let actor = message["data"]["actor"]["id"].as_str();
                told.extend(actor.map(str::to_owned));
            }
            read = got.len();
            wanted.is_subset(&told).then_some(())
        })
        .await;
    }

    /// Everybody, as the backend sees them.
    async fn accounts(&self) -> BTreeMap<String, Found> {
        let (mut found, mut next) = (BTreeMap::new(), String::new());
        loop {
            let ask = Ask::get(format!("/v1/admin/users?limit=20{next}")).by(&self.backend);
            let page = self.insists(&ask).await.done().expect("a page");
            for user in page["users"].as_array().expect("a list") {
                let one = Found {
                    user_id: text(user, "/id"),
                    is_proven: user["email_verified"] == json!(true),
                };
                let other = found.insert(text(user, "/email"), one);
                assert!(other.is_none(), "two accounts of one address: {user}");
            }
            if page["has_more"] != json!(true) {
                return found;
            }
            next = format!("&cursor={}", text(&page, "/next_cursor"));
        }
    }

    /// A link that was used is good for nothing.
    async fn is_spent(&self, address: &str) {
        let token = self.letters.as_ref().and_then(|it| it.token_for(address));
        let proof = json!({"token": token.expect("a letter that has arrived")});
        let again = self.insists(&Ask::post("/v1/verify-email", proof)).await;
        assert_eq!(again.done(), None, "the link to {address} is good again");
    }

    /// Sessions can be begun, and go on from one token to the next and no other.
    async fn families_go_on(&self, acknowledged: &BTreeMap<String, String>) {
        for address in acknowledged.keys().take(5) {
            let account = json!({"email": address, "password": PASSWORD});
            let begins = Ask::post("/v1/signin", account).by(&self.visitor);
            let session = self.insists(&begins).await.done().expect("a session");
            let parent = text(&session, "/refresh_token");
            let ask = Ask::post("/v1/refresh", json!({"refresh_token": parent}));
            assert!(self.ask(0, &ask).await.done().is_some(), "{address}");
            let again = self.ask(1, &ask).await;
            assert!(again.is_refused_with(401), "{address}: {again:?}");
        }
    }
}
