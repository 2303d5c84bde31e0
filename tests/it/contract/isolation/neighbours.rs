//! Neighbours: who asks for another's things, what he has himself, and what he shares with him.

use serde_json::Value;

use super::super::Operation;
use super::homes::{Home, TEMPLATE};
use super::places::{Place, filled};
use crate::support::app::{Estate, TestApp};
use crate::support::client::{Asks, Request};
use crate::support::persona::{Machine, Person, Visitor};

/// Whose things are asked for.
pub const VICTIM: &str = "acme";

/// Everybody who has nothing to do with the victim's organisation.
#[derive(Debug)]
pub struct Neighbours {
    pub shop: Estate,
    /// In another app.
    pub abroad: Home,
    pub machine: Machine,
    pub admin: Person,
    /// In the other environment of the victim's app.
    pub next_door: Home,
    pub next_machine: Machine,
    /// In the victim's environment.
    pub globex: Home,
    /// There too, and in no organisation.
    pub loner: Person,
    visitors: [Visitor; 3],
}

/// What somebody has in common with the victim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shares {
    Nothing,
    App,
    Environment,
}

/// One who asks.
pub struct Neighbour<'a> {
    pub who: &'static str,
    pub home: &'a Home,
    pub shares: Shares,
    asks: &'a dyn Asks,
    /// Where he is a person: what he proves himself by, where an operation asks for that.
    person: Option<&'a Person>,
    visitor: &'a Visitor,
}

impl Neighbours {
    pub async fn of(app: &TestApp) -> Self {
        let shop = app.founds("Shop").await;
        app.trusts_addresses(&app.own.production).await;
        for door in [&shop.development, &app.own.development] {
            app.registers_documents(door).await;
        }
        let doors = [&shop.development, &app.own.production, &app.own.development];
        Self {
            abroad: Home::of(app, doors[0], "initech").await,
            machine: app.machine(doors[0]),
            admin: app.admin_of(doors[0]).await,
            next_door: Home::of(app, doors[1], "umbrella").await,
            next_machine: app.machine(doors[1]),
            globex: Home::of(app, doors[2], "globex").await,
            loner: app.person("loner@example.org").await,
            visitors: doors.map(|door| app.visitor(door)),
            shop,
        }
    }

    /// Those who are at home in another tenant.
    pub fn elsewhere(&self) -> Vec<Neighbour<'_>> {
        let (abroad, next_door) = (&self.abroad, &self.next_door);
        vec![
            self.machine_of("a key of another app", &self.machine, abroad),
            self.person_of("an admin of another app", &self.admin, abroad),
            self.person_of("a user of another app", &abroad.owner, abroad),
            self.machine_of(
                "a key of another environment",
                &self.next_machine,
                next_door,
            ),
            self.person_of("a user of another environment", &next_door.owner, next_door),
        ]
    }

    pub fn all(&self) -> Vec<Neighbour<'_>> {
        let here = [
            ("the owner of another organisation", &self.globex.owner),
            ("a member of another organisation", &self.globex.member),
            ("a user of no organisation", &self.loner),
        ];
        let here = here.map(|(who, person)| self.person_of(who, person, &self.globex));
        self.elsewhere().into_iter().chain(here).collect()
    }

    /// Those who have exactly this in common with the victim.
    pub fn who_share(&self, shares: Shares) -> Vec<Neighbour<'_>> {
        let mut all = self.all();
        all.retain(|it| it.shares == shares);
        all
    }

    fn person_of<'a>(
        &'a self,
        who: &'static str,
        person: &'a Person,
        home: &'a Home,
    ) -> Neighbour<'a> {
        let asking = self.machine_of(who, person, home);
        Neighbour {
            person: Some(person),
            ..asking
        }
    }

    /// Who has a credential, and proves himself by nothing else.
    fn machine_of<'a>(
        &'a self,
        who: &'static str,
        asks: &'a dyn Asks,
        home: &'a Home,
    ) -> Neighbour<'a> {
        let [abroad, next_door, here] = &self.visitors;
        let (shares, visitor) = match &home.door {
            door if door.env_id == here.door.env_id => (Shares::Environment, here),
            door if door.app_id == here.door.app_id => (Shares::App, next_door),
            _ => (Shares::Nothing, abroad),
        };
        Neighbour {
            who,
            home,
            shares,
            asks,
            person: None,
            visitor,
        }
    }
}

impl Neighbour<'_> {
    pub fn owns_his_home(&self) -> bool {
        self.person.is_some_and(|it| it.id == self.home.owner.id)
    }

    /// Whether it is no secret to him what belongs into this place: users and their app, to those who
    /// share it. Whoever is no administrator may still not ask for them.
    pub fn knows(&self, place: &Place) -> bool {
        let is_for_him = !place.is_in_path() || self.person.is_none();
        self.knows_kind(&place.kind) && is_for_him
    }

    fn knows_kind(&self, kind: &str) -> bool {
        match kind {
            "aapp" | "ausr" => self.shares >= Shares::App,
            "aenv" => self.shares >= Shares::Environment,
            _ => false,
        }
    }

    /// Whether a list of his own may name it: what belongs to the app, to those who share it.
    pub fn sees(&self, kind: &str) -> bool {
        let is_of_the_app =
            (kind == "aenv" || kind.ends_with(TEMPLATE)) && self.shares >= Shares::App;
        self.knows_kind(kind) || is_of_the_app
    }

    /// What the victim has that belongs into this place and is not his as well: roles of the app are
    /// for all who share it.
    pub fn wants(&self, of: &Home, operation: &Operation, place: &Place) -> String {
        if place.kind == "arol" && self.shares >= Shares::App {
            return of.role().to_owned();
        }
        of.id(operation, place)
    }

    /// The request with these identifiers in it, and what proves who he is.
    pub fn request(&self, operation: &Operation, ids: &[(&Place, String)]) -> Request {
        let (path, body) = filled(operation, ids);
        self.sends(operation, &path, body)
    }

    pub fn sends(&self, operation: &Operation, path: &str, body: Option<Value>) -> Request {
        let is_open = operation.permission.is_none();
        let request = if is_open {
            self.visitor.request(operation.method, path)
        } else {
            self.asks.request(operation.method, path)
        };
        let Some(mut body) = body else {
            return request;
        };
        if let Some(person) = self.person.filter(|_| is_open) {
            let proofs = [
                ("email", person.email.clone()),
                ("password", person.password.clone()),
                ("refresh_token", person.refresh_token()),
            ];
            for (name, proof) in proofs {
                if let Some(given) = body.get_mut(name) {
                    *given = proof.into();
                }
            }
        }
        request.json(body)
    }
}

/// Those who may do something at home, for a request that must be possible there.
pub fn at_home<'a>(
    home: &'a Home,
    (machine, admin, visitor): (&'a Machine, &'a Person, &'a Visitor),
) -> Vec<Neighbour<'a>> {
    let asks: [(_, &dyn Asks, _); 4] = [
        ("the owner", &home.owner, Some(&home.owner)),
        ("who is invited", &home.guest, Some(&home.guest)),
        ("a key", machine, None),
        ("an admin", admin, Some(admin)),
    ];
    let all = asks.map(|(who, asks, person)| Neighbour {
        who,
        home,
        shares: Shares::Environment,
        asks,
        person,
        visitor,
    });
    all.into()
}
