//! What must hold when a load has ended and everything is well again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::asking::{Answer, Ask};
use super::house::{PROVEN, SIGNED_UP};
use super::ledger::Counts;
use super::load::Load;
use super::{PATIENCE, until};
use crate::e2e::server::{PASSWORD, text};
use crate::support::receiver::{Got, Receiver};

/// Refresh tokens that are presented though they were exchanged.
const SPENT: usize = 20;

/// The name of an event, and who did what it tells of.
type Act = (String, String);

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
        for members in self.ledger.organizations() {
            self.counts_owners(&members).await;
        }
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

    /// The event of everything that was acknowledged has arrived, or arrives; nothing has two.
    pub(super) async fn is_told_to(&self, receiver: &Receiver) {
        let wanted = self.acts();
        let mut told: BTreeMap<Act, BTreeSet<String>> = BTreeMap::new();
        let mut read = 0;
        until("every event is delivered", PATIENCE, async || {
            let got = receiver.got();
            for message in got.iter().skip(read).map(Got::message) {
                // Whoever asks again after an answer that was lost is refused, and nobody still.
                if message["data"]["outcome"] == json!("success") {
                    let act = (text(&message, "/type"), text(&message, "/data/actor/id"));
                    let events = told.entry(act).or_default();
                    events.insert(text(&message, "/id"));
                }
            }
            read = got.len();
            let is_told = wanted.iter().all(|act| told.contains_key(act));
            is_told.then_some(())
        })
        .await;
        told.retain(|_, events| events.len() > 1);
        assert_eq!(told, BTreeMap::new(), "told of as done twice");
    }

    /// What was acknowledged and is to be told of.
    fn acts(&self) -> BTreeSet<Act> {
        let (accounts, proven) = (self.ledger.accounts(), self.ledger.addresses_proven());
        let signed_up = accounts.values().map(|user| (SIGNED_UP, user));
        let has_proven = proven.iter().map(|address| (PROVEN, &accounts[address]));
        let all = signed_up.chain(has_proven);
        all.map(|(what, user)| (what.to_owned(), user.clone()))
            .collect()
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
        let letters = self.letters.as_ref().expect("a mailbox");
        let tokens = letters.tokens_for(address);
        // Whoever follows links has asked to sign up once.
        assert_eq!(tokens.len(), 1, "letters to {address}: {tokens:?}");
        let proof = json!({"token": tokens[0]});
        let again = self.insists(&Ask::post("/v1/verify-email", proof)).await;
        assert_eq!(again.done(), None, "the link to {address} is good again");
    }

    /// Sessions, new ones and those of before, go on from one token to the next and no other.
    async fn families_go_on(&self, acknowledged: &BTreeMap<String, String>) {
        for address in acknowledged.keys().take(5) {
            let account = json!({"email": address, "password": PASSWORD});
            let begins = Ask::post("/v1/signin", account).by(&self.visitor);
            let session = self.insists(&begins).await.done().expect("a session");
            self.is_good_once(&text(&session, "/refresh_token"), address)
                .await;
        }
        for token in self.ledger.take_unused() {
            self.is_good_once(&token, "the last of its family").await;
        }
        for token in self.ledger.spent(SPENT) {
            let ask = Ask::post("/v1/refresh", json!({"refresh_token": token}));
            let again = self.ask(0, &ask).await;
            assert!(again.is_refused_with(401), "it was exchanged: {again:?}");
        }
    }

    async fn is_good_once(&self, refresh_token: &str, whose: &str) {
        let ask = Ask::post("/v1/refresh", json!({"refresh_token": refresh_token}));
        let on = self.ask(0, &ask).await;
        assert!(matches!(on, Answer::Done(_)), "{whose}: {on:?}");
        let again = self.ask(1, &ask).await;
        assert!(again.is_refused_with(401), "{whose}: {again:?}");
    }
}
