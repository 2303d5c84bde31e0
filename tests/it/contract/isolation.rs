//! Walls between tenants: what belongs to another one is not there, and asking changes nothing.

use authsome::credentials::Credential;
use authsome::devices::Device;
use authsome::environments::Environment;
use authsome::events::Event;
use authsome::invitations::Invitation;
use authsome::kernel::time::Timestamp;
use authsome::notifications::Notification;
use authsome::session_rules::SessionConfig;
use authsome::store::{Field, Query};
use authsome::tokens::Revocation;
use authsome::users::User;
use serde_json::{Value, json};

use super::{Operation, guarded, unknown};
use crate::support::app::{Estate, NEW_YEAR, TestApp};
use crate::support::client::{Asks, Reply};
use crate::support::persona::{Machine, Person};
use crate::support::stores::on_both_stores;

const REVOKED_AT: Field<Revocation, Timestamp> = Field::at("created_at");

/// Whose things are asked for: a user who is signed in to `development`, and her environment.
struct Victim {
    app: TestApp,
    mia: Person,
    /// The device that she is signed in on.
    device: String,
    /// One to her.
    invitation: String,
}

/// Who asks, and what he is to the victim.
struct Neighbours {
    shop: Estate,
    machine: Machine,
    admin: Person,
    customer: Person,
    /// Of the same app, in its other environment.
    next_door: Machine,
    colleague: Person,
    /// Of the same environment.
    stranger: Person,
}

impl Victim {
    async fn of(app: TestApp) -> Self {
        let mia = app.person("mia@example.org").await;
        let devices = mia.get("/v1/devices").await.told(200);
        let device = devices["devices"][0]["id"].as_str().expect("a device");
        let device = device.to_owned();
        let invitation = invited(&app, &mia).await;
        Self {
            app,
            mia,
            device,
            invitation,
        }
    }

    /// The identifier of the victim's thing of this kind.
    fn thing(&self, kind: &str) -> String {
        match kind {
            "UserId" => self.mia.id.clone(),
            "AppId" => self.mia.door.app_id.clone(),
            "DeviceId" => self.device.clone(),
            "SessionId" => self.mia.session_id(),
            "InvitationId" => self.invitation.clone(),
            "EnvironmentId" => self.mia.door.env_id.clone(),
            other => panic!("say here whose {other} it is that neighbours ask for"),
        }
    }

    /// Everything that is stored of the victim's app, once its letters are out: what the outbox does
    /// in the background is no trace of a neighbour.
    async fn state(&self) -> Value {
        let (app, own) = (&self.app, &self.app.own);
        app.delivers_everything(&own.development).await;
        json!([
            app.of_app::<User>(&own.development).await,
            app.of_app::<Credential>(&own.development).await,
            app.of_app::<Environment>(&own.development).await,
            app.of_app::<SessionConfig>(&own.development).await,
            app.of_environment::<Device>(&own.development).await,
            self.mia.sessions().await.told(200),
            self.revocations().await,
            app.of_environment::<Invitation>(&own.development).await,
            app.of_environment::<Event>(&own.development).await,
            app.of_environment::<Notification>(&own.development).await,
        ])
    }
}

impl Victim {
    /// By an index, as everything is read here.
    async fn revocations(&self) -> Vec<Revocation> {
        let mut once = self.app.store().once();
        let mut tx = once.within(self.mia.door.tenant());
        let all = Query::of(REVOKED_AT.gte(NEW_YEAR));
        tx.find(all).await.expect("the store answers")
    }
}

impl Neighbours {
    async fn of(app: &TestApp) -> Self {
        let shop = app.founds("Shop").await;
        app.trusts_addresses(&app.own.production).await;
        Self {
            machine: app.machine(&shop.development),
            admin: app.admin_of(&shop.development).await,
            customer: app
                .visitor(&shop.development)
                .becomes("mia@example.org", json!({}))
                .await,
            next_door: app.machine(&app.own.production),
            colleague: app
                .visitor(&app.own.production)
                .becomes("noah@example.org", json!({}))
                .await,
            stranger: app.person("olga@example.org").await,
            shop,
        }
    }

    /// Those who are at home in another tenant.
    fn elsewhere(&self) -> Vec<(&'static str, &dyn Asks)> {
        vec![
            ("a key of another app", &self.machine),
            ("an admin of another app", &self.admin),
            ("a user of another app", &self.customer),
            ("a key of another environment", &self.next_door),
            ("a user of another environment", &self.colleague),
        ]
    }

    /// Those to whom a thing of this kind does not exist. Users and session rules belong to the app
    /// as a whole, so its other environment knows them.
    fn of_kind(&self, kind: &str) -> Vec<(&'static str, &dyn Asks)> {
        let mut all = self.elsewhere();
        all.retain(|(who, _)| {
            !matches!(kind, "UserId" | "AppId") || *who != "a key of another environment"
        });
        all.push(("another user", &self.stranger));
        all
    }
}

/// What an answer says, without what is different in every answer.
fn said(reply: &Reply) -> (u16, Value) {
    let mut body = reply.json();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    (reply.status, body)
}

fn with_identifiers() -> impl Iterator<Item = (Operation, String)> {
    guarded().into_iter().filter_map(|it| {
        let kind = (*it.identifiers().first()?).to_owned();
        Some((it, kind))
    })
}

on_both_stores! {
    async fn a_foreign_identifier_and_an_unknown_one_look_alike_and_nothing_changes(app: TestApp) {
        let neighbours = Neighbours::of(&app).await;
        let victim = Victim::of(app).await;
        let before = victim.state().await;
        for (operation, kind) in with_identifiers() {
            for (who, asks) in neighbours.of_kind(&kind) {
                let ask = |id: &str| operation.request(asks, &operation.path_with(|_| id.to_owned()));

                let foreign = said(&ask(&victim.thing(&kind)).await);
                let unknown = said(&ask(&unknown(&kind)).await);

                assert_eq!(foreign, unknown, "{who}, {}", operation.id);
                let is_refused = matches!(foreign.0, 403 | 404);
                assert!(is_refused, "{who}, {}: {foreign:?}", operation.id);
            }
        }
        assert_eq!(victim.state().await, before);
        victim.mia.me().await.told(200);
    }

    async fn nobody_but_an_operator_acts_on_another_app(app: TestApp) {
        let neighbours = Neighbours::of(&app).await;
        let victim = Victim::of(app).await;
        let before = victim.state().await;
        let own = victim.mia.door.query();
        let nothing = format!("?app_id={}&env_id={}", unknown_app(), unknown("EnvironmentId"));
        for operation in guarded() {
            let path = operation.path_with(|kind| victim.thing(kind));
            for (who, asks) in neighbours.elsewhere() {
                let ask = async |query: &str| {
                    said(&operation.request(asks, &format!("{path}{query}")).await)
                };
                let foreign = ask(&own).await;
                assert_eq!(foreign, ask(&nothing).await, "{who}, {}", operation.id);
                assert_eq!(foreign.0, 404, "{who}, {}: {foreign:?}", operation.id);
            }
        }
        assert_eq!(victim.state().await, before);
    }

    async fn no_list_shows_what_another_tenant_has(app: TestApp) {
        let neighbours = Neighbours::of(&app).await;
        let victim = Victim::of(app).await;
        let is_list = |it: &Operation| it.method == "GET" && it.identifiers().is_empty();
        for operation in guarded().into_iter().filter(is_list) {
            for (who, asks) in neighbours.of_kind("SessionId") {
                let text = asks.request("GET", &operation.path).await.text();
                assert!(!text.contains(&victim.mia.session_id()), "{who}, {}", operation.id);
                // The other environment of the app has the same users.
                let is_same_app = who.contains("environment") || who == "another user";
                assert!(is_same_app || !text.contains(&victim.mia.id), "{who}, {}", operation.id);
                assert!(
                    is_same_app || !text.contains(&victim.mia.door.app_id),
                    "{who}, {}",
                    operation.id
                );
            }
        }
    }

    /// The neighbours are somebody at home: what they are refused elsewhere, they may do there.
    async fn at_home_the_neighbours_are_let_in(app: TestApp) {
        let neighbours = Neighbours::of(&app).await;
        let users = neighbours.machine.get("/v1/admin/users").await.told(200);
        assert_eq!(users["users"].as_array().map(Vec::len), Some(2));
        let settings = format!("/v1/environments/{}/settings", neighbours.shop.development.env_id);
        neighbours.admin.get(&settings).await.told(200);
        neighbours.customer.me().await.told(200);
        neighbours.colleague.me().await.told(200);
        neighbours.next_door.get("/v1/environments").await.told(200);
    }
}

/// An invitation to somebody, into an organisation of somebody else.
async fn invited(app: &TestApp, whom: &Person) -> String {
    let founder = app.person("founder@example.org").await;
    let org = app.org("victim", &founder).await;
    let new = json!({"email": whom.email});
    let made = founder.post(&org.path("/invitations")).json(new).await;
    let id = &made.told(201)["id"];
    id.as_str().expect("an identifier").to_owned()
}

fn unknown_app() -> String {
    unknown("UserId").replace("ausr_", "aapp_")
}
