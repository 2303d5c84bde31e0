//! Roles that somebody defines, in tests.
//!
//! ```ignore
//! let billing = acme.role(json!({"name": "billing", "parent_id": "viewer"})).await;
//! let mia = acme.joined("mia@example.org", &["billing"]).await;
//! acme.redefines(&billing, json!({"permissions": []})).await.told(200);
//! ```

use authsome::kernel::entropy::Entropy;
use authsome::kernel::text::Word;
use authsome::rbac::{self, RegisteredResource};
use authsome::store::StoreError;
use serde_json::{Value, json};

use super::acme::{Acme, Colleague};
use super::client::{Asks, Request};
use super::orgs::text;
use super::persona::Person;

/// Permissions as they are sent, from `resource:action`.
pub fn lines(all: &[&str]) -> Value {
    let line = |it: &&str| {
        let (resource, action) = it.split_once(':').expect("a resource and an action");
        json!({"resource": resource, "action": action})
    };
    all.iter().map(line).collect()
}

/// A role to define.
pub fn new_role(name: &str, permissions: &[&str]) -> Value {
    json!({"name": name, "permissions": lines(permissions)})
}

impl Acme {
    /// Defines a role of the organisation, as its owner does.
    pub async fn role(&self, new: Value) -> Value {
        let made = self.owner.post(&self.at("/roles")).json(new);
        made.await.told(201)
    }

    /// Defines a role of the app, as its backend does.
    pub async fn template(&self, new: Value) -> Value {
        let made = self.app.key().post("/v1/roles").json(new);
        made.await.told(201)
    }

    /// Where a role of the organisation is.
    pub fn of_role(&self, role: &Value) -> String {
        self.at(&format!("/roles/{}", text(&role["id"])))
    }

    pub fn redefines(&self, role: &Value, changes: Value) -> Request {
        self.owner.patch(&self.of_role(role)).json(changes)
    }

    pub fn redefines_template(&self, role: &Value, changes: Value) -> Request {
        self.app.key().patch(&of_template(role)).json(changes)
    }

    /// Deletes a role of the organisation, as its owner does.
    pub fn drops(&self, role: &Value, query: &str) -> Request {
        let at = self.of_role(role);
        self.owner.delete(&format!("{at}{query}"))
    }

    pub fn drops_template(&self, role: &Value, query: &str) -> Request {
        let at = of_template(role);
        self.app.key().delete(&format!("{at}{query}"))
    }

    /// What the app's backend guards itself.
    pub async fn registers(&self, resource: &str, actions: &[&str]) {
        let word = |text: &str| Word::parse(text).expect("a word");
        let own = RegisteredResource {
            name: word(resource),
            actions: actions.iter().map(|it| word(it)).collect(),
            description: None,
        };
        let (tenant, now) = (self.owner.door.tenant(), self.app.clock.now());
        let written = self.app.store().write(async |tx| {
            let mut tx = tx.within(tenant.app_id);
            let made = (now, &Entropy::system());
            rbac::replace_catalogue(&mut tx, vec![own.clone()], made).await?;
            Ok::<_, StoreError>(())
        });
        written.await.expect("the store answers");
    }

    /// What a member is called to be, without his teams.
    pub async fn roles_of(&self, whose: &Colleague) -> Vec<String> {
        let roles = self.org.roles_of(&whose.person).await;
        roles.expect("a member")
    }
}

/// Where a role of the app is.
pub fn of_template(role: &Value) -> String {
    format!("/v1/roles/{}", text(&role["id"]))
}

/// Whether a person's token says that he may do this.
pub fn may(person: &Person, permission: &str) -> bool {
    let claims = person.claims();
    let all = claims["permissions"].as_array().expect("permissions");
    all.contains(&json!(permission))
}
