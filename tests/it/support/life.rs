//! A rich life: somebody of whom the server keeps all that it keeps of anybody.

use authsome::links::{LinkPurpose, PasswordReset, Verification};
use authsome::notifications::{Notification, Status};
use serde_json::json;

use super::app::{TestApp, eventually};
use super::client::Asks;
use super::persona::{Administers, PASSWORD, Person};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const WRONG: &str = "another calm brook";

impl TestApp {
    /// Somebody with something in every field that people can fill: in two environments, on devices
    /// that are named and trusted, with a key of her own, letters that were sent, links that were followed and links
    /// that are void, sessions that have ended, wrong passwords, and places in an organisation and a team. The server must lock after
    /// five.
    pub async fn person_of_a_rich_life(&self) -> Person {
        self.trusts_addresses(&self.own.production).await;
        let given = json!({
            "username": "mia.k", "phone": "+4917012345", "first_name": "Mia",
            "last_name": "Kästner", "metadata": {"remark": "plays the lute"},
        });
        let mia = self.person_with("mia@example.org", given).await;
        let changes = json!({"display_username": "Mia ♥", "image": "https://example.org/mia.png"});
        mia.patch("/v1/me").json(changes).await.told(200);
        let token = json!({"token": self.letter_to(&mia.email).await.token()});
        let _ = self.post("/v1/verify-email").json(token).await.expect(200);
        mia.enters(&self.own.production).await;
        let _ = self
            .key()
            .bans(&mia.id, json!({"reason": "Sends spam"}))
            .await
            .expect(200);
        let _ = self.key().unbans(&mia.id).await.expect(200);
        self.is_helped(&mia).await;
        keeps_a_device(&mia).await;
        let key = json!({"name": "Mia's laptop", "scopes": ["me:read"]});
        mia.post("/v1/keys").json(key).await.told(201);
        self.has_a_place(&mia).await;
        self.lets_links_lie(&mia).await;
        self.runs_an_errand(&mia).await;
        for _ in 0..5 {
            let wrong = mia.visitor().signs_in(&mia.email, WRONG).await;
            wrong.refuses(401, "invalid_credentials");
        }
        mia.signs_in().await.refuses(429, "too_many_attempts");
        self.all_is_sent(&mia).await;
        mia
    }

    /// An operator looks at what she sees.
    async fn is_helped(&self, mia: &Person) {
        self.operator().await.becomes(&mia.id, &mia.door).await;
    }

    /// Joins an organisation of somebody else by an invitation, and a team there, and invites another.
    async fn has_a_place(&self, mia: &Person) {
        let founder = self.person("founder@example.org").await;
        let org = self.org("northwind", &founder).await;
        let team = founder.post(&org.path("/teams"));
        let team = team.json(json!({"name": "Design"})).await.told(201);
        let invite = async |by: &Person, whom: &str, role: &str| {
            let new = json!({
                "email": whom, "role": role, "team_ids": [team["id"]], "message": "Hello",
            });
            by.post(&org.path("/invitations")).json(new).await.told(201)
        };
        let own = invite(&founder, &mia.email, "admin").await;
        let own = own["id"].as_str().expect("an identifier");
        let accepted = mia.post(&format!("/v1/me/invitations/{own}/accept")).await;
        let _ = accepted.expect(200);
        invite(mia, "zoe@example.org", "member").await;
    }

    /// Asks for links, which another password then makes void.
    async fn lets_links_lie(&self, mia: &Person) {
        let whose = json!({"email": mia.email});
        for (path, status) in [("/v1/forgot-password", 200), ("/v1/magic-link/send", 202)] {
            let asked = mia.visitor().post(path).json(whose.clone()).await;
            let _ = asked.expect(status);
        }
        eventually(async || {
            let resets: Vec<PasswordReset> = self.of_environment(&mia.door).await;
            let others: Vec<Verification> = self.of_environment(&mia.door).await;
            let is_magic = |link: &Verification| link.purpose == LinkPurpose::MagicLink;
            !resets.is_empty() && others.iter().any(is_magic)
        })
        .await;
        let both = json!({"current_password": PASSWORD, "new_password": PASSWORD});
        let changed = mia.post("/v1/change-password").json(both).await;
        let _ = changed.expect(200);
    }

    /// Signs in somewhere else, by a request that may be sent twice, and out again.
    async fn runs_an_errand(&self, mia: &Person) {
        let proof = json!({"email": mia.email, "password": PASSWORD});
        let entry = mia.visitor().post("/v1/signin").json(proof);
        let entered = entry.header("idempotency-key", "an-errand").await.told(200);
        let token = entered["access_token"].as_str().expect("a token");
        let _ = self.post("/v1/signout").bearer(token).await.expect(204);
    }

    /// Waits for the letters of an environment to be sent.
    async fn all_is_sent(&self, person: &Person) {
        eventually(async || {
            let all: Vec<Notification> = self.of_environment(&person.door).await;
            all.iter().all(|letter| letter.status == Status::Sent)
        })
        .await;
    }
}

/// Goes over to a browser that is known, named and trusted.
async fn keeps_a_device(mia: &Person) {
    let entry = json!({"email": mia.email, "password": PASSWORD, "device_id": "m".repeat(43)});
    let entry = mia.visitor().post("/v1/signin").json(entry);
    mia.keeps(entry.header("user-agent", FIREFOX).await.expect(200));
    let told = mia.get("/v1/devices").await.told(200);
    let devices = told["devices"].as_array().expect("a list of devices");
    let current = devices.iter().find(|device| device["current"] == true);
    let id = current.and_then(|it| it["id"].as_str()).expect("a device");
    let path = format!("/v1/devices/{id}");
    let named = mia.patch(&path).json(json!({"name": "Mia's lap"})).await;
    let _ = named.expect(200);
    let trust = mia.patch(&format!("{path}/trust"));
    let trusted = trust.json(json!({"trusted": true, "days": 7})).await;
    let _ = trusted.expect(200);
}
