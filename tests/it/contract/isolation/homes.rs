//! A home: one tenant's things, of every kind that an operation asks for by its identifier.

use std::collections::BTreeMap;

use authsome::store::{Field, by_id};
use authsome::users::User;
use serde_json::{Value, json};

use super::super::{Operation, operations};
use super::places::Place;
use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::Asks;
use crate::support::orgs::{Org, text};
use crate::support::persona::{Machine, Person};

/// A role of the app, for all its organisations; its identifiers are like those of an organisation's.
pub const TEMPLATE: &str = "arol of the app";

/// Another role of the organisation, which stands beside or above the first.
const ANOTHER: &str = "another arol";
const ANOTHER_TEMPLATE: &str = "another arol of the app";

/// The kind, where it is made, and of what.
type Made = (&'static str, &'static str, fn(&str) -> Value);

/// What the API makes in an organisation. What no operation makes yet, none asks for either.
const MADE_BY_THE_API: [Made; 2] = [
    ("atm", "/teams", |name| json!({"name": name})),
    (
        "ainv",
        "/invitations",
        |name| json!({"email": format!("{name}-guest@example.org"), "role": "member"}),
    ),
];

/// An organisation in an environment, and all that is its own.
#[derive(Debug)]
pub struct Home {
    pub door: Door,
    pub owner: Person,
    pub member: Person,
    /// Who is invited, by an address that is his.
    pub guest: Person,
    pub org: Org,
    ids: BTreeMap<&'static str, String>,
}

impl TestApp {
    /// What roles in homes are about, for all organisations of an app.
    pub async fn registers_documents(&self, door: &Door) {
        let resources = json!([{"name": "documents", "actions": ["read", "write"]}]);
        let request = self
            .machine(door)
            .request("PUT", "/v1/permissions/catalogue");
        let all = json!({"resources": resources});
        let _ = request.json(all).await.expect(200);
    }

    /// A form of the app that nobody is asked, whatever was asked before.
    async fn has_an_idle_form(&self, door: &Door) {
        let form = format!("/v1/admin/apps/{}/form-configs/signup", door.app_id);
        let request = self.machine(door).request("PUT", &form);
        let idle = json!({"fields": [], "active": false});
        let _ = request.json(idle).await.expect(200);
    }

    /// Takes an address for proven, as if its letter had been answered.
    async fn verifies_by_hand(&self, door: &Door, person: &Person) {
        let verified = Field::<User, bool>::at("email_verified").set(true);
        let mut once = self.store().once();
        let mut tx = once.within(door.app());
        let changed = tx.update_one(by_id(person.id.clone()), verified).await;
        assert!(changed.expect("the store answers").is_some());
    }
}

impl Home {
    pub async fn of(app: &TestApp, door: &Door, name: &str) -> Self {
        app.has_an_idle_form(door).await;
        let visitor = app.visitor(door);
        let becomes = async |who: &str| {
            let email = format!("{name}-{who}@example.org");
            visitor.becomes(&email, json!({})).await
        };
        let (owner, member) = (becomes("owner").await, becomes("member").await);
        let guest = becomes("guest").await;
        app.verifies_by_hand(door, &guest).await;
        let org = app.org(name, &owner).await;
        let member_id = org.takes(&member, &["member"]).await;
        let devices = owner.get("/v1/devices").await.told(200);
        let lines = [("documents", "read"), ("members", "read")];
        let ids = BTreeMap::from([
            ("aapp", door.app_id.clone()),
            ("aenv", door.env_id.clone()),
            ("aorg", org.id.clone()),
            ("amem", member_id),
            ("ausr", member.id.clone()),
            ("ases", owner.session_id()),
            ("adev", text(&devices["devices"][0]["id"])),
            (
                "arol",
                app.defines(door, Some(&org), "editors", &lines).await,
            ),
            (
                ANOTHER,
                app.defines(door, Some(&org), "readers", &lines).await,
            ),
            (TEMPLATE, app.defines(door, None, name, &lines).await),
            (
                ANOTHER_TEMPLATE,
                app.defines(door, None, &format!("{name}-too"), &lines)
                    .await,
            ),
        ]);
        let mut home = Self {
            door: door.clone(),
            owner,
            member,
            guest,
            org,
            ids,
        };
        home.makes_the_rest(name, &app.machine(door)).await;
        home
    }

    async fn makes_the_rest(&mut self, name: &str, machine: &Machine) {
        let all = operations();
        for (kind, below, new) in MADE_BY_THE_API {
            let path = format!("/v1/orgs/{{org}}{below}");
            if !all.iter().any(|it| it.method == "POST" && it.path == path) {
                continue;
            }
            let made = self.owner.post(&self.org.path(below)).json(new(name)).await;
            self.ids.insert(kind, text(&made.told(201)["id"]));
        }
        self.makes_a_webhook().await;
        let key = json!({"name": name, "scopes": ["members:read"], "org_id": self.org.id});
        let key = self.owner.post("/v1/keys").json(key).await.told(201);
        self.ids.insert("akey", text(&key["id"]));
        let account = json!({"name": name, "roles": ["ADMIN"]});
        let account = machine.post("/v1/admin/service-accounts").json(account);
        self.ids.insert("svc", text(&account.await.told(201)["id"]));
        let place = json!({"member_id": self.ids["amem"], "role": "member"});
        let path = self
            .org
            .path(&format!("/teams/{}/members", self.ids["atm"]));
        let _ = self.owner.post(&path).json(place).await.expect(201);
    }

    /// One that has been tested, and is off, so that nothing goes on behind the back of a test.
    async fn makes_a_webhook(&mut self) {
        let new = json!({
            "url": "https://hooks.example.com/", "events": ["webhook.tested"], "org_id": self.org.id,
        });
        let made = self.owner.post("/v1/webhooks").json(new).await.told(201);
        let path = format!("/v1/webhooks/{}", text(&made["id"]));
        let sent = self.owner.post(&format!("{path}/test")).await.told(202);
        let off = self.owner.patch(&path).json(json!({"active": false}));
        let _ = off.await.expect(200);
        let deliveries = format!("{path}/deliveries");
        eventually(async || {
            let page = self.owner.get(&deliveries).await.told(200);
            page["deliveries"][0].get("failure").is_some()
        })
        .await;
        self.ids.insert("awhk", text(&made["id"]));
        self.ids.insert("awhd", text(&sent["id"]));
    }

    /// What is here of the kind that belongs into this place.
    pub fn id(&self, operation: &Operation, place: &Place) -> String {
        let kind = kind(operation, place);
        let own = self.ids.get(kind);
        let missing = || panic!("say in `Home` how a `{kind}` is made: {}", operation.id);
        own.cloned().unwrap_or_else(missing)
    }

    /// The role that is of the organisation alone.
    pub fn role(&self) -> &str {
        &self.ids["arol"]
    }

    /// Everything that is here, with its kind.
    pub fn ids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ids.iter().map(|(kind, id)| (*kind, id.as_str()))
    }
}

/// The kind of a place, roles of the app apart from those of organisations.
fn kind<'a>(operation: &Operation, place: &'a Place) -> &'a str {
    let is_role_of_the_app = operation.path.starts_with("/v1/roles");
    match (place.kind.as_str(), place.is_in_path()) {
        ("arol", true) if is_role_of_the_app => TEMPLATE,
        ("arol", false) if is_role_of_the_app => ANOTHER_TEMPLATE,
        ("arol", false) => ANOTHER,
        (kind, _) => kind,
    }
}
