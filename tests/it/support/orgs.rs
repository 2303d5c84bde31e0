//! Organisations in tests: an organisation with the verbs of whoever acts in it.
//!
//! ```ignore
//! let acme = app.org("acme", &mia).await;               // mia founds it
//! let noah = acme.hires(&app, "noah@example.org", "admin").await;
//! acme.changes(&noah, &acme.member(&mia).await, &["member"]).await.refuses(403, "role_not_held");
//! ```

use authsome::kernel::id::OrgId;
use authsome::memberships::Organization;
use authsome::store::Stored;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use super::app::TestApp;
use super::client::{Asks, Request};
use super::persona::{Machine, Person};

/// An organisation, as tests name it.
#[derive(Debug, Clone)]
pub struct Org {
    pub id: String,
    pub slug: String,
    key: Machine,
}

impl TestApp {
    /// An organisation in the default environment that `owner` founds.
    pub async fn org(&self, slug: &str, owner: &Person) -> Org {
        let new = json!({"name": slug, "slug": slug});
        let told = owner.post("/v1/orgs").json(new).await.told(201);
        Org {
            id: text(&told["id"]),
            slug: slug.to_owned(),
            key: self.machine(&owner.door),
        }
    }
}

impl Org {
    /// Below the organisation: `/members`, or nothing for itself.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/orgs/{}{below}", self.id)
    }

    /// Somebody new, who is a member with this role.
    pub async fn hires(&self, app: &TestApp, email: &str, role: &str) -> Person {
        let person = app.person(email).await;
        self.takes(&person, &[role]).await;
        person
    }

    /// Makes somebody a member, by the hand of the backend.
    pub async fn takes(&self, person: &Person, roles: &[&str]) -> String {
        let new = json!({"user_id": person.id, "roles": roles});
        let told = self
            .key
            .post(&self.path("/members"))
            .json(new)
            .await
            .told(201);
        text(&told["id"])
    }

    /// The identifier of somebody's membership.
    pub async fn member(&self, person: &Person) -> String {
        let all = self.members().await;
        let own = all.iter().find(|member| member["user_id"] == person.id);
        text(&own.expect("a member")["id"])
    }

    /// Every member, newest first.
    pub async fn members(&self) -> Vec<Value> {
        let page = self
            .key
            .get(&self.path("/members?limit=100"))
            .await
            .told(200);
        page["members"].as_array().expect("a list").clone()
    }

    /// What somebody is called to be here, without his teams; `None` for who is no member.
    pub async fn roles_of(&self, person: &Person) -> Option<Vec<String>> {
        let all = self.members().await;
        let own = all
            .into_iter()
            .find(|member| member["user_id"] == person.id)?;
        let roles = own["roles"].as_array().expect("a list").iter();
        Some(roles.map(text).collect())
    }

    pub fn changes(&self, by: &impl Asks, member: &str, roles: &[&str]) -> Request {
        let path = self.path(&format!("/members/{member}"));
        by.patch(&path).json(json!({"roles": roles}))
    }

    pub fn removes(&self, by: &impl Asks, member: &str) -> Request {
        by.delete(&self.path(&format!("/members/{member}")))
    }

    pub fn is_left_by(&self, person: &Person) -> Request {
        person.post(&self.path("/leave"))
    }

    pub fn goes_to(&self, by: &impl Asks, member: &str) -> Request {
        by.post(&self.path("/transfer"))
            .json(json!({"member_id": member}))
    }

    /// How many owners are counted, past the API.
    pub async fn owner_count(&self, app: &TestApp) -> i64 {
        self.counted(app, "owner_count").await
    }

    pub async fn counted(&self, app: &TestApp, field: &str) -> i64 {
        let id: OrgId = self.id.parse().expect("an identifier");
        let mut once = app.store().once();
        let found: Stored<Option<Organization>> = once.within(self.key.door.tenant()).get(id).await;
        let own = found.expect("the store answers").expect("it is there");
        let own = serde_json::to_value(own).expect("a document");
        own[field].as_i64().expect("a number")
    }
}

impl Person {
    /// Goes on in this organisation, or in none.
    pub async fn switches_to(&self, org: Option<&Org>) -> super::client::Reply {
        let wanted = json!({"org_id": org.map(|org| &org.id)});
        let reply = self.post("/v1/me/switch-org").json(wanted).await;
        self.keeps(reply)
    }

    /// What the access token says.
    pub fn claims(&self) -> Value {
        claims(&self.access_token())
    }
}

/// What a token says, whoever has signed it.
pub fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).expect("a token has three parts");
    let body = BASE64_URL_SAFE_NO_PAD.decode(body).expect("base64url");
    serde_json::from_slice(&body).expect("claims are JSON")
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
