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

use authsome::access::{Policy, Role, subjects};
use serde_json::Value;

pub use self::homes::Home;
pub use self::neighbours::Neighbours;
use self::neighbours::{Neighbour, Shares, VICTIM, at_home};
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

/// The least number of mixtures that one or two neighbours ask for.
const FEWEST: usize = 100;

/// Neighbours and whose things they ask for.
struct Street {
    app: TestApp,
    neighbours: Neighbours,
    victim: Home,
}

/// Every document as a text, by its collection.
type Documents = BTreeMap<String, Vec<String>>;

/// One request: where identifiers stand in it, and which of them are the victim's.
struct Mixture<'a> {
    operation: &'a Operation,
    places: Vec<&'a Place>,
    foreign: Vec<&'a Place>,
}

impl Street {
    async fn on(backend: Backend) -> Self {
        let app = TestApp::on(backend).await;
        let neighbours = Box::pin(Neighbours::of(&app)).await;
        let victim = Home::of(&app, &app.own.development, VICTIM).await;
        for door in [
            &app.own.development,
            &app.own.production,
            &neighbours.shop.development,
        ] {
            app.delivers_everything(door).await;
            app.all_is_told(door).await;
        }
        Self {
            app,
            neighbours,
            victim,
        }
    }

    /// Every document of every tenant, but for counters and what is written down of refusals.
    async fn state(&self) -> Documents {
        let mut all = dump::collections(self.app.location()).await;
        all.retain(|name, _| !COUNTERS.contains(&&**name));
        // When a key was used last is noted after the request.
        for key in all.get_mut("authsome_api_keys").into_iter().flatten() {
            for noted in ["last_used_at", "last_used_ip"] {
                key.as_object_mut().expect("a document").remove(noted);
            }
        }
        if let Some(events) = all.get_mut("authsome_events") {
            events.retain(|event| event["outcome"] == "success");
            for event in events {
                // Whether it has been passed on is no one's doing.
                event
                    .as_object_mut()
                    .expect("a document")
                    .remove("untold_since");
            }
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
        let foreign = ids(&|place| neighbour.wants(&self.victim, operation, place));
        let unknown = ids(&|place| nothing(&place.kind));

        let told = said(&neighbour.request(operation, &foreign).await, &foreign);
        let of_nothing = said(&neighbour.request(operation, &unknown).await, &unknown);

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
    /// The places that a request needs, and with each that it may have besides.
    fn of_places(operation: &Operation, places: &'a [Place]) -> Vec<Vec<&'a Place>> {
        let (needed, more): (Vec<&Place>, Vec<&Place>) =
            places.iter().partition(|it| it.is_needed(operation));
        let with = more
            .iter()
            .map(|more| [needed.as_slice(), &[*more]].concat());
        let mut all: Vec<_> = with.collect();
        if !needed.is_empty() {
            all.insert(0, needed);
        }
        all
    }

    /// Every mixture of one's own identifiers and the victim's.
    fn all(operation: &'a Operation, places: &'a [Place]) -> Vec<Self> {
        let mut all = Vec::new();
        for (number, places) in Self::of_places(operation, places).into_iter().enumerate() {
            let last = places.len() - 1;
            for bits in 1..1_usize << places.len() {
                let is_foreign = |at: &usize| bits >> at & 1 == 1;
                // Of what a request may have besides, the rest was mixed already.
                if number > 0 && bits != 1 << last && bits != (1 << places.len()) - 1 {
                    continue;
                }
                let foreign = (0..places.len()).filter(is_foreign).map(|at| places[at]);
                all.push(Self {
                    operation,
                    foreign: foreign.collect(),
                    places: places.clone(),
                });
            }
        }
        all
    }

    fn is_foreign(&self, place: &Place) -> bool {
        self.foreign.contains(&place)
    }

    /// What is asked of a thing is refused. What is asked about it is refused, or answered as of
    /// nothing: a list may be empty, and a question denied.
    fn is_refused(&self, status: u16) -> bool {
        if self.foreign.iter().any(|it| it.is_in_path()) {
            return matches!(status, 403 | 404);
        }
        status == 200 || (400..500).contains(&status)
    }
}

/// What an answer says, without what is different in every answer, and with the kinds of the
/// identifiers that it was asked for.
fn said(reply: &Reply, ids: &[(&Place, String)]) -> (u16, Value) {
    let mut body = reply.json();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    let told = ids.iter().fold(body.to_string(), |told, (place, id)| {
        told.replace(id, &place.kind)
    });
    (reply.status, Value::String(told))
}

/// Every operation that is asked for something by its identifier, and where.
fn walked() -> Vec<(Operation, Vec<Place>)> {
    let all = operations().into_iter();
    let all = all.map(|operation| (places(&operation), operation));
    all.filter(|(places, _)| !places.is_empty())
        .map(|(places, operation)| (operation, places))
        .collect()
}

/// What somebody shares with the victim gives him nothing of it.
async fn is_walled_from(street: &Street, shares: Shares, fewest: usize) {
    let neighbours = street.neighbours.who_share(shares);
    let before = street.state().await;
    let (mut asked, all) = (0, walked());
    for (operation, places) in &all {
        for neighbour in &neighbours {
            for mixture in Mixture::all(operation, places) {
                let mut foreign = mixture.foreign.iter();
                if foreign.all(|place| neighbour.knows(place)) {
                    continue;
                }
                street.asks(neighbour, &mixture).await;
                asked += 1;
            }
        }
    }
    println!(
        "{} operations × {} neighbours who share {shares:?}: {asked} mixtures",
        all.len(),
        neighbours.len()
    );
    assert!(asked >= fewest, "{asked} mixtures");
    assert_eq!(
        changes(&before, &street.state().await),
        Vec::<String>::new()
    );
    street.victim.owner.me().await.told(200);
}

/// The documents that are no longer there, and those that are there instead.
fn changes(before: &Documents, after: &Documents) -> Vec<String> {
    let only = |these: &Documents, others: &Documents, mark: &str| {
        let mut found = Vec::new();
        for (collection, documents) in these {
            let known = others.get(collection);
            let is_new = |it: &&String| known.is_none_or(|known| !known.contains(*it));
            let new = documents.iter().filter(is_new);
            found.extend(new.map(|it| format!("{mark} {collection}: {it}")));
        }
        found
    };
    [only(before, after, "gone"), only(after, before, "new")].concat()
}

on_both_stores! {
    async fn what_another_app_has_and_what_nobody_has_look_alike(street: Street) {
        is_walled_from(&street, Shares::Nothing, FEWEST * 3).await;
    }

    async fn what_another_environment_has_and_what_nobody_has_look_alike(street: Street) {
        is_walled_from(&street, Shares::App, FEWEST).await;
    }

    async fn what_another_organisation_has_and_what_nobody_has_look_alike(street: Street) {
        is_walled_from(&street, Shares::Environment, FEWEST * 2).await;
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
                    said(&neighbour.sends(&operation, &path, body.clone()).await, &[])
                };
                let foreign = ask(&own).await;
                assert_eq!(foreign, ask(&unknown).await, "{}, {}", neighbour.who, operation.id);
                assert_eq!(foreign.0, 404, "{}, {}: {foreign:?}", neighbour.who, operation.id);
            }
        }
        assert_eq!(changes(&before, &street.state().await), Vec::<String>::new());
    }

    async fn nothing_that_is_read_shows_what_another_tenant_has(street: Street) {
        for operation in guarded().into_iter().filter(|it| it.method == "GET") {
            let all = places(&operation);
            let in_path: Vec<_> = all.iter().filter(|it| it.is_in_path()).collect();
            for neighbour in street.neighbours.all() {
                let own = |it: &&'_ Place| neighbour.home.id(&operation, it);
                let ids: Vec<_> = in_path.iter().map(|it| (*it, own(it))).collect();
                let text = neighbour.request(&operation, &ids).await.text();
                let hidden = street.victim.ids().filter(|(kind, _)| !neighbour.sees(kind));
                for (kind, id) in hidden {
                    assert!(!text.contains(id), "{}, {}: {kind}", neighbour.who, operation.id);
                }
            }
        }
    }
}

/// The requests that neighbours are refused are good ones: with one's own identifiers each is let
/// through. What is there already, or must stay, is a conflict and no mistake of the request.
async fn is_good_at_home(methods: &[&str]) {
    let app = TestApp::on(Backend::Sqlite).await;
    let (door, admin) = (&app.own.development, app.admin().await);
    let (machine, visitor) = (app.machine(door), app.visitor(door));
    app.registers_documents(door).await;
    let policy = Policy::built_in().await.expect("the policy is sound");
    let all = walked().into_iter();
    let all = all.filter(|(operation, _)| methods.contains(&operation.method));
    let all = all.filter(|(operation, _)| !is_for_operators(operation, &policy));
    for (number, (operation, places)) in all.enumerate() {
        let mut home = Home::of(&app, door, &format!("home-{number}")).await;
        for (again, places) in Mixture::of_places(&operation, &places)
            .into_iter()
            .enumerate()
        {
            // What was deleted, or was answered, is not there for the next one.
            if again > 0 && !matches!(operation.method, "GET" | "PATCH" | "PUT") {
                home = Home::of(&app, door, &format!("home-{number}-{again}")).await;
            }
            let own = |it: &&'_ Place| home.id(&operation, it);
            let ids: Vec<_> = places.iter().map(|it| (*it, own(it))).collect();
            let mut told = Vec::new();
            for caller in at_home(&home, (&machine, &admin, &visitor)) {
                let reply = caller.request(&operation, &ids).await;
                told.push(format!("{}: {}", caller.who, reply.outcome()));
                if reply.status < 300 || reply.status == 409 {
                    told.clear();
                    break;
                }
            }
            assert!(told.is_empty(), "{}, {ids:?}: {told:?}", operation.id);
        }
    }
}

/// What nobody does in an app of his own: nobody is at home who could.
fn is_for_operators(operation: &Operation, policy: &Policy) -> bool {
    if operation.permission.is_none() || operation.is_of_an_organization() {
        return false;
    }
    let (row, own) = (operation.row(), subjects(false, &[Role::Admin, Role::User]));
    !policy.allows(&own, row.object, row.action)
}

#[test]
fn at_home_each_request_that_reads_or_changes_is_good() {
    run(is_good_at_home(&["GET", "PATCH", "PUT"]));
}

#[test]
fn at_home_each_request_that_makes_something_is_good() {
    run(is_good_at_home(&["POST"]));
}

#[test]
fn at_home_each_request_that_deletes_is_good() {
    run(is_good_at_home(&["DELETE"]));
}
