//! Environments in tests: made, entered, and cleared away.
//!
//! ```ignore
//! let staging = app.environment("Staging", "staging").await;      // a door, with a secret key
//! staging.of(&app, "").delete … ; app.clears_away().await;
//! ```

use std::time::Duration;

use authsome::access::Role;
use authsome::api_keys;
use authsome::app::HOLDINGS;
use authsome::environments::{Environment, Environments};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::secret::ExposeSecret;
use authsome::kernel::text::Label;
use authsome::settings::Levels;
use authsome::tokens::RevocationIndex;
use serde_json::{Value, json};

use super::app::{Door, TestApp};
use super::client::{Asks, Request};
use super::orgs::text;

impl Door {
    /// Where the environment is, and what is below it.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/environments/{}{below}", self.env_id)
    }
}

impl TestApp {
    /// An environment of the app that is tested, which lets people in and has a secret key.
    pub async fn environment(&self, name: &str, kind: &str) -> Door {
        let new = json!({"name": name, "type": kind});
        let made = self
            .key()
            .post("/v1/environments")
            .json(new)
            .await
            .told(201);
        let door = self.door(&made).await;
        self.trusts_addresses(&door).await;
        door
    }

    /// The door of an environment that the API tells of, with a secret key that is made here.
    pub async fn door(&self, told: &Value) -> Door {
        let door = Door {
            app_id: text(&told["app_id"]),
            env_id: text(&told["id"]),
            publishable_key: text(&told["publishable_key"]),
            secret_key: String::new(),
        };
        let all = self.of_app::<Environment>(&door).await;
        let own = all.iter().find(|it| it.id == door.tenant().env_id);
        let named = (
            Label::parse("Made by hand").expect("a name"),
            vec![Role::Admin],
        );
        let mut once = self.store().once();
        let made = (self.clock.now(), &Entropy::system());
        let mut tx = once.within(door.tenant());
        let key = api_keys::create(&mut tx, own.expect("it is there"), named, made).await;
        let secret = key.expect("the store answers");
        Door {
            secret_key: secret.expose_secret().to_owned(),
            ..door
        }
    }

    /// Every environment of the app that is tested, as its administrators see it.
    pub async fn environments(&self) -> Vec<Value> {
        let told = self.key().get("/v1/environments").await.told(200);
        told["environments"].as_array().expect("a list").clone()
    }

    /// Deletes the environment behind a door, by its own key.
    pub fn deletes_environment(&self, door: &Door) -> Request {
        self.machine(door).delete(&door.path(""))
    }

    /// Does what a node does a minute after environments were deleted.
    pub async fn clears_away(&self) -> u64 {
        let (store, foundation) = (self.store().clone(), self.foundation());
        let world = foundation.world.clone();
        let keys = foundation.keys.clone();
        let levels = Levels {
            store: store.clone(),
            entropy: world.entropy.clone(),
            ring: self.key_ring(),
            platform: self.platform.app(),
        };
        let environments = Environments::new(
            (store.clone(), world.clock.clone(), world.entropy),
            (keys, RevocationIndex::new(store)),
            (HOLDINGS, levels),
        );
        let later = world.clock.now().plus(Duration::from_mins(1));
        environments
            .remove_rest(later)
            .await
            .expect("the store answers")
    }
}
