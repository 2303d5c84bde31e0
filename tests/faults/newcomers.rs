//! People who sign up, wait for the letter, and follow its link on two nodes at once.

use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join;
use serde_json::json;

use super::asking::{Answer, Ask};
use super::load::Load;
use crate::e2e::server::{PASSWORD, text};

/// How long somebody waits for his letter before he leaves it.
const LETTER: Duration = Duration::from_secs(10);

impl Load {
    pub(super) async fn signs_up(self: Rc<Self>, number: usize) {
        for turn in 0.. {
            if self.is_over() {
                return;
            }
            let address = format!("new-{number}-{turn}@example.org");
            let account = json!({"email": address, "password": PASSWORD});
            let new = Ask::post("/v1/signup", account).by(&self.visitor);
            let Answer::Done(told) = self.ask(number + turn, &new).await else {
                continue;
            };
            self.ledger.signed_up(&address, &text(&told, "/user/id"));
            self.follows_the_link(&address).await;
        }
    }

    async fn follows_the_link(&self, address: &str) {
        let Some(token) = self.letter_for(address).await else {
            return;
        };
        let proof = Ask::post("/v1/verify-email", json!({"token": token}));
        let (here, there) = join(self.ask(0, &proof), self.ask(1, &proof)).await;
        let mut answers = vec![here, there];
        // Whoever does not know whether it worked follows it again.
        while answers.iter().all(|answer| !answer.is_certain()) && !self.is_over() {
            answers.push(self.ask(answers.len(), &proof).await);
        }
        for answer in answers {
            if let Answer::Done(_) = answer {
                self.ledger.proven(address);
            }
        }
    }

    async fn letter_for(&self, address: &str) -> Option<String> {
        let letters = self.letters.as_ref()?;
        let began = Instant::now();
        while began.elapsed() < LETTER && !self.is_over() {
            if let Some(token) = letters.token_for(address) {
                return Some(token);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }
}
