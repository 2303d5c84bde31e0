//! Machines: whoever acts by an API key, or by a token that it was exchanged for.
//!
//! ```ignore
//! let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
//! key.get("/v1/me").await.told(200);
//! ```

use serde_json::{Value, json};

use super::app::TestApp;
use super::client::{Asks, Client, Request};
use super::orgs::text;

/// A key, as whoever was told it has it.
#[derive(Debug, Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
    client: Client,
}

/// The scopes that leave nothing out: what no `*` covers is named.
pub const EVERYTHING: [&str; 6] = [
    "*:*",
    "api_keys:own",
    "api_keys:manage",
    "service_accounts:manage",
    "organization_keys:manage",
    "users:impersonate",
];

/// A key to make.
pub fn keyed(name: &str, scopes: &[&str]) -> Value {
    json!({"name": name, "scopes": scopes})
}

impl TestApp {
    /// A key that somebody makes.
    pub async fn key_of(&self, by: &impl Asks, new: Value) -> Key {
        let made = by.post("/v1/keys").json(new).await;
        Key::of(self.client(), &made.told(201))
    }

    /// A service account with these roles, which the backend makes, and a key of it.
    pub async fn account(&self, roles: &[&str], scopes: &[&str]) -> (String, Key) {
        let machine = self.key();
        let at = "/v1/admin/service-accounts";
        let new = json!({"name": "Nightly import", "roles": roles});
        let id = text(&machine.post(at).json(new).await.told(201)["id"]);
        let keys = machine.post(&format!("{at}/{id}/api-keys"));
        let made = keys.json(keyed("First", scopes)).await;
        (id, Key::of(self.client(), &made.told(201)))
    }
}

impl Key {
    pub fn of(client: &Client, told: &Value) -> Self {
        Self {
            id: text(&told["id"]),
            secret: text(&told["key"]),
            client: client.clone(),
        }
    }

    /// The same key at another node.
    pub fn at(&self, client: &Client) -> Self {
        Self {
            client: client.clone(),
            ..self.clone()
        }
    }

    pub fn path(&self) -> String {
        format!("/v1/keys/{}", self.id)
    }

    /// Has somebody give it another secret.
    pub fn rotated_by(&self, by: &impl Asks, how: Value) -> Request {
        by.post(&format!("{}/rotate", self.path())).json(how)
    }

    pub fn exchanges(&self) -> Request {
        self.post("/v1/token/exchange")
    }

    /// An access token that it is exchanged for.
    pub async fn token(&self) -> String {
        text(&self.exchanges().await.told(200)["access_token"])
    }

    /// Exchanges it as a client of RFC 6749.
    pub fn grants(&self, form: &str) -> Request {
        let body = format!("{form}&client_secret={}", self.secret);
        self.client
            .post("/v1/token/exchange")
            .body("application/x-www-form-urlencoded", body)
    }
}

/// With the secret.
impl Asks for Key {
    fn request(&self, method: &str, path: &str) -> Request {
        self.client.request(method, path).api_key(&self.secret)
    }
}
