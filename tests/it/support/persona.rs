//! Personas: people, machines and operators, with the verbs of the product.
//!
//! ```ignore
//! let mia = app.person("mia@example.org").await;      // signed up and in, in development
//! mia.refreshes().await.expect(200);
//! app.admin().await.assigns(&mia, &["ADMIN"]).await.expect(200);
//! ```

use std::cell::RefCell;

use serde_json::{Value, json};

use super::app::{Door, TestApp};
use super::client::{Asks, Client, Reply, Request};

/// The password of everybody: long, not common, and marked, so that it is found where it leaks.
pub const PASSWORD: &str = "a long quiet river, 42";

/// Somebody with an account, on one device.
#[derive(Debug)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub password: String,
    pub door: Door,
    client: Client,
    tokens: RefCell<Tokens>,
}

/// What the last sign-in or refresh gave.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub session_id: String,
}

/// A backend with the secret key of an environment.
#[derive(Debug, Clone)]
pub struct Machine {
    pub door: Door,
    client: Client,
}

/// Somebody who acts as another.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What he was told as he began.
    pub told: Value,
    client: Client,
}

/// Somebody who has loaded the sign-in page of an environment: a publishable key, no credential.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub door: Door,
    client: Client,
}

impl TestApp {
    /// Signs up in the default environment, where nobody must verify anything.
    pub async fn person(&self, email: &str) -> Person {
        self.person_with(email, json!({})).await
    }

    /// As [`TestApp::person`], with an address that is proven.
    pub async fn proven_person(&self, email: &str) -> Person {
        let person = self.person(email).await;
        let token = json!({"token": self.letter_to(email).await.token()});
        let _ = self.post("/v1/verify-email").json(token).await.expect(200);
        person
    }

    /// As [`TestApp::person`], with more fields in the sign-up.
    pub async fn person_with(&self, email: &str, more: Value) -> Person {
        self.visitor(&self.own.development)
            .becomes(email, more)
            .await
    }

    /// Somebody with the role `ADMIN`, who has it in his tokens.
    pub async fn admin(&self) -> Person {
        self.admin_of(&self.own.development).await
    }

    /// An administrator of the app behind `door`, signed in there.
    pub async fn admin_of(&self, door: &Door) -> Person {
        let admin = self
            .visitor(door)
            .becomes("admin@example.org", json!({}))
            .await;
        let machine = self.machine(door);
        let _ = machine.assigns(&admin.id, &["ADMIN"]).await.expect(200);
        let _ = admin.refreshes().await.expect(200);
        admin
    }

    /// The `OWNER` of the platform, signed in there.
    pub async fn operator(&self) -> Person {
        let visitor = self.visitor(&self.platform);
        visitor
            .enters(&self.operator.email, &self.operator.password)
            .await
    }

    /// Somebody else of the platform, with these roles.
    pub async fn colleague(&self, email: &str, roles: &[&str]) -> Person {
        let id = self.appoints(&self.platform, email, PASSWORD).await;
        let operator = self.operator().await;
        let _ = operator.assigns(&id.to_string(), roles).await.expect(200);
        self.visitor(&self.platform).enters(email, PASSWORD).await
    }

    /// The secret key of the default environment.
    pub fn key(&self) -> Machine {
        self.machine(&self.own.development)
    }

    pub fn machine(&self, door: &Door) -> Machine {
        Machine {
            door: door.clone(),
            client: self.client().clone(),
        }
    }

    pub fn visitor(&self, door: &Door) -> Visitor {
        Visitor {
            door: door.clone(),
            client: self.client().clone(),
        }
    }

    /// Lets people into an environment whose addresses are not verified.
    pub async fn trusts_addresses(&self, door: &Door) {
        let settings = json!({"require_verification": false});
        let _ = self.machine(door).sets(door, settings).await.expect(200);
    }
}

impl Visitor {
    /// Of another node.
    #[must_use]
    pub fn by(&self, client: &Client) -> Self {
        Self {
            door: self.door.clone(),
            client: client.clone(),
        }
    }

    pub fn signs_up(&self, email: &str, password: &str) -> Request {
        self.post("/v1/signup")
            .json(json!({"email": email, "password": password}))
    }

    pub fn signs_in(&self, email: &str, password: &str) -> Request {
        self.post("/v1/signin")
            .json(json!({"email": email, "password": password}))
    }

    pub fn presents(&self, refresh_token: &str) -> Request {
        self.post("/v1/refresh")
            .json(json!({"refresh_token": refresh_token}))
    }

    /// Signs up, with these fields as well, where that signs in at once.
    pub async fn becomes(&self, email: &str, more: Value) -> Person {
        let mut body = json!({"email": email, "password": PASSWORD});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let reply = self.post("/v1/signup").json(body).await;
        self.person(email, PASSWORD, &reply.told(201))
    }

    /// Signs in to an account that exists.
    pub async fn enters(&self, email: &str, password: &str) -> Person {
        let reply = self.signs_in(email, password).await;
        self.person(email, password, &reply.told(200))
    }

    /// Signs in, with the password of everybody, on the device that has this name.
    pub async fn enters_on(&self, email: &str, device_id: &str) -> Person {
        let body = json!({"email": email, "password": PASSWORD, "device_id": device_id});
        let reply = self.post("/v1/signin").json(body).await;
        self.person(email, PASSWORD, &reply.told(200))
    }

    fn person(&self, email: &str, password: &str, told: &Value) -> Person {
        Person {
            id: told["user"]["id"]
                .as_str()
                .expect("a user has an identifier")
                .to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
            door: self.door.clone(),
            client: self.client.clone(),
            tokens: RefCell::new(Tokens::of(told)),
        }
    }
}

/// With the publishable key.
impl Asks for Visitor {
    fn request(&self, method: &str, path: &str) -> Request {
        self.client.request(method, path).at(&self.door)
    }
}

impl Person {
    /// Signs in again, on this device: the tokens are the new session's from now on.
    pub async fn signs_in(&self) -> Reply {
        let reply = self.visitor().signs_in(&self.email, &self.password).await;
        self.keeps(reply)
    }

    /// Signs in on another device; this one stays signed in.
    pub async fn on_another_device(&self) -> Self {
        self.visitor().enters(&self.email, &self.password).await
    }

    /// Signs in to another environment of the same app.
    pub async fn enters(&self, door: &Door) -> Self {
        let visitor = Visitor {
            door: door.clone(),
            client: self.client.clone(),
        };
        visitor.enters(&self.email, &self.password).await
    }

    pub async fn refreshes(&self) -> Reply {
        let reply = self.presents(&self.refresh_token()).await;
        self.keeps(reply)
    }

    /// Presents any refresh token; the device keeps its own.
    pub fn presents(&self, refresh_token: &str) -> Request {
        self.visitor().presents(refresh_token)
    }

    pub fn me(&self) -> Request {
        self.get("/v1/me")
    }

    pub fn sessions(&self) -> Request {
        self.get("/v1/sessions")
    }

    pub fn signs_out(&self) -> Request {
        self.post("/v1/signout")
    }

    pub fn signs_out_everywhere(&self) -> Request {
        self.post("/v1/signout/all")
    }

    /// Deletes his own account.
    pub fn leaves(&self, password: &str) -> Request {
        self.delete("/v1/me").json(json!({"password": password}))
    }

    /// Begins to act as a user of the environment behind `door`.
    pub async fn becomes(&self, user_id: &str, door: &Door) -> Actor {
        let reply = self.impersonates(user_id, &door.query()).await;
        Actor {
            told: reply.told(201),
            client: self.client.clone(),
        }
    }

    pub fn tokens(&self) -> Tokens {
        self.tokens.borrow().clone()
    }

    pub fn access_token(&self) -> String {
        self.tokens().access
    }

    pub fn refresh_token(&self) -> String {
        self.tokens().refresh
    }

    pub fn session_id(&self) -> String {
        self.tokens().session_id
    }

    /// The same device, as it was before anybody signed in on it.
    pub fn visitor(&self) -> Visitor {
        Visitor {
            door: self.door.clone(),
            client: self.client.clone(),
        }
    }

    /// Goes on with the session that a reply gave.
    pub fn keeps(&self, reply: Reply) -> Reply {
        if reply.status == 200 {
            self.tokens.replace(Tokens::of(&reply.json()));
        }
        reply
    }
}

/// With the access token, and without the publishable key: the token names its environment.
impl Asks for Person {
    fn request(&self, method: &str, path: &str) -> Request {
        self.client
            .request(method, path)
            .bearer(&self.access_token())
    }
}

impl Actor {
    pub fn access_token(&self) -> &str {
        self.told["access_token"].as_str().expect("a token")
    }

    pub fn session_id(&self) -> &str {
        self.told["session_id"].as_str().expect("a session")
    }

    pub fn me(&self) -> Request {
        self.get("/v1/me")
    }

    pub fn stops(&self) -> Request {
        self.post("/v1/admin/impersonate/stop")
    }
}

/// With the one token that he has.
impl Asks for Actor {
    fn request(&self, method: &str, path: &str) -> Request {
        self.client
            .request(method, path)
            .bearer(self.access_token())
    }
}

/// With the secret key.
impl Asks for Machine {
    fn request(&self, method: &str, path: &str) -> Request {
        self.client
            .request(method, path)
            .api_key(&self.door.secret_key)
    }
}

/// What administrators do, whether people or machines. Each is a request, to be awaited.
pub trait Administers: Asks {
    /// Gives a user exactly these roles, and `USER`.
    fn assigns(&self, user_id: &str, roles: &[&str]) -> Request {
        let path = format!("/v1/admin/users/{user_id}/roles");
        self.post(&path).json(json!({"roles": roles}))
    }

    fn bans(&self, user_id: &str, ban: Value) -> Request {
        self.post(&format!("/v1/admin/users/{user_id}/ban"))
            .json(ban)
    }

    fn unbans(&self, user_id: &str) -> Request {
        self.post(&format!("/v1/admin/users/{user_id}/unban"))
    }

    fn deletes(&self, user_id: &str) -> Request {
        self.delete(&format!("/v1/admin/users/{user_id}"))
    }

    /// Asks to act as a user; `query` names another app's environment, or is empty.
    fn impersonates(&self, user_id: &str, query: &str) -> Request {
        let path = format!("/v1/admin/impersonate/{user_id}{query}");
        self.post(&path)
            .json(json!({"reason": "Ticket 4711: no invoices"}))
    }

    /// Changes settings of an environment.
    fn sets(&self, door: &Door, settings: Value) -> Request {
        let path = format!("/v1/environments/{}/settings", door.env_id);
        self.patch(&path).json(settings)
    }
}

impl<A: Asks> Administers for A {}

impl Tokens {
    pub fn of(told: &Value) -> Self {
        let text = |name: &str| {
            told[name]
                .as_str()
                .expect("a sign-in gives tokens")
                .to_owned()
        };
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
            session_id: text("session_id"),
        }
    }
}
