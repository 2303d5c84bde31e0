//! Invitations in tests: who invites whom, and what whoever is invited does with the link.
//!
//! ```ignore
//! let offer = acme.invited("mia@example.org", &["admin"]).await;
//! accepts(&mia, &acme.token_of(&offer)).await.told(200);
//! ```

use authsome::kernel::secret::ExposeSecret;
use authsome::memberships::Invitation;
use serde_json::{Value, json};

use super::acme::Acme;
use super::app::{TestApp, eventually};
use super::client::{Asks, Request};
use super::mail::Letter;
use super::orgs::text;
use super::persona::{PASSWORD, Person};

impl Acme {
    /// Asks to invite, with these fields besides.
    #[expect(clippy::needless_pass_by_value, reason = "callers say it in place")]
    pub fn invites(&self, by: &impl Asks, email: &str, more: Value) -> Request {
        let mut body = json!({"email": email});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        by.post(&self.at("/invitations")).json(body)
    }

    /// An invitation by the owner.
    pub async fn invited(&self, email: &str, roles: &[&str]) -> Value {
        let asked = self.invites(&self.owner, email, json!({"roles": roles}));
        asked.await.told(201)
    }

    /// Where an invitation is.
    pub fn of_invitation(&self, invitation: &Value) -> String {
        self.at(&format!("/invitations/{}", text(&invitation["id"])))
    }

    /// The token of its first letter, without waiting for that.
    pub fn token_of(&self, invitation: &Value) -> String {
        self.token_of_generation(invitation, 1)
    }

    pub fn token_of_generation(&self, invitation: &Value, generation: i64) -> String {
        let id = text(&invitation["id"]).parse().expect("an invitation");
        let tokens = &self.app.foundation().links.tokens;
        let token = tokens.invitation(id, generation);
        token.expose_secret().to_owned()
    }

    /// What has become of an invitation, as the organisation sees it.
    pub async fn status_of(&self, invitation: &Value) -> String {
        let told = self.owner.get(&self.of_invitation(invitation)).await;
        text(&told.told(200)["status"])
    }

    /// Invitations that are stored, past the API.
    pub async fn stored_invitations(&self) -> Vec<Invitation> {
        self.app.of_environment(&self.owner.door).await
    }

    pub async fn is_member(&self, user_id: &str) -> bool {
        let all = self.org.members().await;
        all.iter().any(|member| member["user_id"] == user_id)
    }
}

impl TestApp {
    /// Somebody whose address is proven, although other letters than the one that proves it may have
    /// gone there before.
    pub async fn holder_of(&self, email: &str) -> Person {
        let door = &self.own.development;
        self.appoints(door, email, PASSWORD).await;
        self.visitor(door).enters(email, PASSWORD).await
    }

    /// The newest of the letters to an address that invite, once there are `count` of them.
    pub async fn invitation_to(&self, address: &str, count: usize) -> Letter {
        let all = || {
            let mut letters = self.letters_to(address);
            letters.retain(|it| it.links().iter().any(|link| link.contains("/invitation?")));
            letters
        };
        eventually(async || all().len() >= count).await;
        all().pop().expect("a letter")
    }
}

/// Accepts by a link, as whoever is signed in, or as nobody.
pub fn accepts(asks: &impl Asks, token: &str) -> Request {
    let body = json!({"token": token});
    asks.post("/v1/orgs/invitations/accept").json(body)
}

/// Accepts by a link as a newcomer.
pub fn joins(asks: &impl Asks, token: &str) -> Request {
    let body = json!({
        "token": token, "password": PASSWORD, "first_name": "Mia", "last_name": "Kästner",
    });
    asks.post("/v1/orgs/invitations/accept").json(body)
}

pub fn declines(asks: &impl Asks, token: &str) -> Request {
    let body = json!({"token": token});
    asks.post("/v1/orgs/invitations/decline").json(body)
}

pub fn looks_up(asks: &impl Asks, token: &str) -> Request {
    asks.get(&format!("/v1/orgs/invitations/lookup?token={token}"))
}
