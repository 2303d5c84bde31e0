//! Walls between tenants: what belongs to another one is not there, and asking changes nothing.
//!
//! ```text
//! the document ──▶ operations with identifiers ─┐
//! neighbours ───▶ who has nothing of it ────────┼─▶ his own and the victim's, in every mixture:
//! homes ────────▶ one thing of every kind ──────┘   told as what nobody has, and nothing changed
//! ```
//!
//! Nothing here names an operation: what is documented is walked. An identifier of a kind that no
//! [`homes::Home`] has fails the test by its name.

mod homes;
mod neighbours;
mod places;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::homes::Home;
pub use self::neighbours::Neighbours;
use self::neighbours::{Neighbour, VICTIM, at_home};
use self::places::{Place, places};
use super::{Operation, guarded, nothing, operations};
use crate::support::app::TestApp;
use crate::support::client::Reply;
use crate::support::dump;
use crate::support::stores::{Backend, on_both_stores, run};

/// Collections that say how often somebody asked, or who does which job.
const COUNTERS: [&str; 3] = [
    "authsome_rate_counters",
    "authsome_lockouts",
    "authsome_leases",
];

/// The least number of requests that a walk sends for things of others.
const FEWEST: usize = 700;

/// Neighbours and whose things they ask for.
struct Street {
    app: TestApp,
    neighbours: Neighbours,
    victim: Home,
}

/// The same request three times over: which identifiers are the victim's.
struct Mixture<'a> {
    operation: &'a Operation,
    places: Vec<&'a Place>,
    foreign: Vec<&'a Place>,
}

impl Street {
    async fn on(backend: Backend) -> Self {
        let app = TestApp::on(backend).await;
        let neighbours = Neighbours::of(&app).await;
        let victim = Home::of(&app, &app.own.development, VICTIM).await;
        for door in [
            &app.own.development,
            &app.own.production,
            &neighbours.shop.development,
        ] {
            app.delivers_everything(door).await;
        }
        Self {
            app,
            neighbours,
            victim,
        }
    }

    /// Every document of every tenant, but for counters and what is written down of failures.
    async fn state(&self) -> BTreeMap<String, Vec<String>> {
        let mut all = dump::collections(self.app.location()).await;
        all.retain(|name, _| !COUNTERS.contains(&&**name));
        if let Some(events) = all.get_mut("authsome_events") {
            events.retain(|event| event["outcome"] != "failure");
        }
        let texts = |documents: Vec<Value>| {
            let mut texts: Vec<_> = documents.iter().map(Value::to_string).collect();
            texts.sort();
            texts
        };
        all.into_iter()
            .map(|(name, it)| (name, texts(it)))
            .collect()
    }

    async fn asks(&self, neighbour: &Neighbour<'_>, mixture: &Mixture<'_>) {
        let operation = mixture.operation;
        let ids = |of: &dyn Fn(&Place) -> String| -> Vec<(&Place, String)> {
            let own = |place: &Place| neighbour.home.id(operation, place);
            let id = |it: &Place| {
                if mixture.is_foreign(it) {
                    of(it)
                } else {
                    own(it)
                }
            };
            mixture.places.iter().map(|it| (*it, id(it))).collect()
        };
        let foreign = ids(&|place| self.victim.id(operation, place));
        let unknown = ids(&|place| nothing(&place.kind));

        let told = said(&neighbour.request(operation, &foreign).await);
        let of_nothing = said(&neighbour.request(operation, &unknown).await);

        let asked = format!("{}, {}: {foreign:?}", neighbour.who, operation.id);
        assert_eq!(told, of_nothing, "{asked}");
        // A check is answered, with no, and with the same no for what is not there.
        let is_no = operation.id == "permissions.check" && told.1["results"][0]["allowed"] == false;
        assert!(is_no || mixture.is_refused(told.0), "{asked}: {told:?}");
        // Who may do as he asks at home learns that there is nothing, and no more.
        let may = neighbour.owns_his_home() && operation.is_of_an_organization();
        if may && mixture.foreign.iter().any(|it| it.is_in_path()) {
            assert_eq!(told.0, 404, "{asked}: {told:?}");
        }
    }
}

impl<'a> Mixture<'a> {
    /// Every mixture of one's own identifiers and the victim's that a request needs, and each that it
    /// may have besides.
    fn all(operation: &'a Operation, places: &'a [Place]) -> Vec<Self> {
        let (needed, more): (Vec<&Place>, Vec<&Place>) =
            places.iter().partition(|it| it.is_needed(operation));
        let subset = |bits: usize| {
            let all = needed.iter().enumerate();
            all.filter(move |(at, _)| bits >> at & 1 == 1)
                .map(|(_, it)| *it)
                .collect()
        };
        let of = |foreign: Vec<&'a Place>, places: Vec<&'a Place>| Self {
            operation,
            places,
            foreign,
        };
        let mut all: Vec<Self> = (1..1 << needed.len())
            .map(|bits| of(subset(bits), needed.clone()))
            .collect();
        for place in &more {
            let places = [needed.as_slice(), &[*place]].concat();
            all.push(of(vec![*place], places.clone()));
            all.push(of(places.clone(), places));
        }
        all
    }

    fn is_foreign(&self, place: &Place) -> bool {
        self.foreign.contains(&place)
    }

    /// A list that is asked for what another has may be empty.
    fn is_refused(&self, status: u16) -> bool {
        if self.foreign.iter().any(|it| it.is_in_path()) {
            return matches!(status, 403 | 404);
        }
        let is_list = self.operation.method == "GET" && status == 200;
        is_list || (400..500).contains(&status)
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

/// Every operation that is asked for something by its identifier, and where.
fn walked() -> Vec<(Operation, Vec<Place>)> {
    let all = operations().into_iter();
    let all = all.map(|operation| (places(&operation), operation));
    all.filter(|(places, _)| !places.is_empty())
        .map(|(places, operation)| (operation, places))
        .collect()
}

on_both_stores! {
    async fn what_is_another_s_and_what_nobody_has_look_alike_and_nothing_changes(street: Street) {
        let neighbours = street.neighbours.all();
        let before = street.state().await;
        let (mut asked, all) = (0, walked());
        for (operation, places) in &all {
            for neighbour in &neighbours {
                for mixture in Mixture::all(operation, places) {
                    let mut foreign = mixture.foreign.iter();
                    if foreign.all(|place| neighbour.knows(operation, place)) {
                        continue;
                    }
                    street.asks(neighbour, &mixture).await;
                    asked += 1;
                }
            }
            assert_eq!(street.state().await, before, "{} changed something", operation.id);
        }
        println!("{} operations × {} neighbours: {asked} requests", all.len(), neighbours.len());
        assert!(asked >= FEWEST, "{asked} requests");
        street.victim.owner.me().await.told(200);
    }

    async fn nobody_but_an_operator_acts_on_another_app(street: Street) {
        let before = street.state().await;
        let own = street.victim.door.query();
        let unknown = format!("?app_id={}&env_id={}", nothing("aapp"), nothing("aenv"));
        for operation in guarded() {
            let all = places(&operation);
            let in_path = all.iter().filter(|it| it.is_in_path());
            let ids: Vec<_> = in_path.map(|it| (it, street.victim.id(&operation, it))).collect();
            let (path, body) = places::filled(&operation, &ids);
            for neighbour in street.neighbours.elsewhere() {
                let ask = async |query: &str| {
                    let path = format!("{path}{query}");
                    said(&neighbour.sends(&operation, &path, body.clone()).await)
                };
                let foreign = ask(&own).await;
                assert_eq!(foreign, ask(&unknown).await, "{}, {}", neighbour.who, operation.id);
                assert_eq!(foreign.0, 404, "{}, {}: {foreign:?}", neighbour.who, operation.id);
            }
        }
        assert_eq!(street.state().await, before);
    }

    async fn nothing_that_is_read_shows_what_another_tenant_has(street: Street) {
        for operation in guarded().into_iter().filter(|it| it.method == "GET") {
            let all = places(&operation);
            let in_path: Vec<_> = all.iter().filter(|it| it.is_in_path()).collect();
            for neighbour in street.neighbours.all() {
                let own = |it: &&'_ Place| neighbour.home.id(&operation, it);
                let ids: Vec<_> = in_path.iter().map(|it| (*it, own(it))).collect();
                let text = neighbour.request(&operation, &ids).await.text();
                let hidden = street.victim.ids().filter(|(kind, _)| !neighbour.knows_kind(kind));
                for (kind, id) in hidden {
                    assert!(!text.contains(id), "{}, {}: {kind}", neighbour.who, operation.id);
                }
            }
        }
    }
}

/// The requests that neighbours are refused are good ones: with one's own identifiers each is let
/// through. What is there already, or must stay, is a conflict and no mistake of the request.
#[test]
fn at_home_each_of_these_requests_is_good() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        let (door, admin) = (&app.own.development, app.admin().await);
        let (machine, visitor) = (app.machine(door), app.visitor(door));
        let mut made = 0;
        for (operation, places) in &walked() {
            for mixture in Mixture::all(operation, places) {
                // One for each set of places.
                if mixture.foreign != mixture.places && mixture.foreign.len() != 1 {
                    continue;
                }
                made += 1;
                let home = Home::of(&app, door, &format!("home-{made}")).await;
                let own = |it: &&'_ Place| home.id(operation, it);
                let ids: Vec<_> = mixture.places.iter().map(|it| (*it, own(it))).collect();
                let mut told = Vec::new();
                for caller in at_home(&home, (&machine, &admin, &visitor)) {
                    let reply = caller.request(operation, &ids).await;
                    told.push(format!("{}: {}", caller.who, reply.outcome()));
                    if reply.status < 300 || reply.status == 409 {
                        told.clear();
                        break;
                    }
                }
                assert!(told.is_empty(), "{}, {ids:?}: {told:?}", operation.id);
            }
        }
    });
}
