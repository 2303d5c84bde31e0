//! Ownership as it is declared, held against what is stored: whose a document is, and what goes with
//! an organisation.
//!
//! ```text
//! SCHEMAS ─▶ owner ────▶ the fields that name a tenant, and the scope no other tenant reaches past
//!        └─▶ part of ──▶ what is gone with the organisation it names
//! ```
//!
//! A collection that is added is walked by being declared.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::pin::Pin;

use authsome::app::SCHEMAS;
use authsome::kernel::tenant::Tenant;
use authsome::memberships::Organization;
use authsome::store::{
    Entity, Field, Index, OfApp, OfEnvironment, Ownership, Reaches, Schema, StoreError, by_id,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::isolation::{Home, Neighbours};
use crate::support::app::{Door, TestApp};
use crate::support::client::Asks;
use crate::support::dump;
use crate::support::stores::{Backend, on_both_stores};

/// Collections that name an environment without belonging to it, and why.
const NAME_AN_ENVIRONMENT: [(&str, &str); 4] = [
    (
        "authsome_revocations",
        "a user's count in every environment of his app",
    ),
    (
        "authsome_roles",
        "those of the app are for all its organisations",
    ),
    (
        "authsome_settings",
        "those of the app are for all its environments",
    ),
    (
        "authsome_signing_keys",
        "they are looked for before a tenant is known",
    ),
];

/// Collections that name an organisation without being parts of it, and why.
const NAME_AN_ORGANIZATION: [(&str, &str); 5] = [
    ("authsome_events", "what has happened stays on record"),
    (
        "authsome_revocations",
        "its tokens are refused as long as they could be presented",
    ),
    (
        "authsome_roles",
        "they go by a rule of their own, as roles of the app have no organisation",
    ),
    (
        "authsome_settings",
        "they go by a rule of their own, as settings of the app have no organisation",
    ),
    (
        "authsome_sessions",
        "a session outlives the organisation that it was for",
    ),
];

/// Of them, those that may still name one that is gone.
const REMEMBER: [&str; 3] = [
    "authsome_events",
    "authsome_revocations",
    "authsome_sessions",
];

/// Tenants who have something of everything.
struct Town {
    app: TestApp,
    neighbours: Neighbours,
    acme: Home,
}

impl Town {
    async fn on(backend: Backend) -> Self {
        let app = TestApp::on(backend).await;
        let neighbours = Box::pin(Neighbours::of(&app)).await;
        let acme = Home::of(&app, &app.own.development, "acme").await;
        Self {
            app,
            neighbours,
            acme,
        }
    }

    async fn documents(&self) -> BTreeMap<String, Vec<Value>> {
        dump::collections(self.app.location()).await
    }

    /// Every tenant, and what he is to the first one.
    fn tenants(&self) -> [Tenant; 3] {
        let (app, shop) = (&self.app, &self.neighbours.shop);
        [&app.own.development, &app.own.production, &shop.development].map(Door::tenant)
    }
}

/// A document of the product's `N`th collection, whatever is in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Document<O, const N: usize> {
    #[serde(rename = "_id")]
    id: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
    #[serde(skip)]
    owner: PhantomData<fn() -> O>,
}

impl<O, const N: usize> Clone for Document<O, N> {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            rest: self.rest.clone(),
            owner: PhantomData,
        }
    }
}

/// The `N`th collection; of none where there are fewer.
const fn collection(number: usize) -> &'static str {
    if number < SCHEMAS.len() {
        SCHEMAS[number].collection()
    } else {
        ""
    }
}

impl<O: Ownership, const N: usize> Entity for Document<O, N> {
    type Owner = O;
    const COLLECTION: &'static str = collection(N);
    const INDEXES: &'static [Index] = &[];
}

/// Whether a tenant owns a document, by the fields that its schema declares.
fn is_of(schema: &Schema, document: &Value, tenant: Tenant) -> bool {
    let named = |field: &&str| match *field {
        "app_id" => document["app_id"] == tenant.app_id.to_string(),
        _ => document["env_id"] == tenant.env_id.to_string(),
    };
    schema.owner().iter().all(named)
}

/// Of one collection: no tenant reads, changes, takes or makes what another owns. How many documents
/// were asked for. In a box, since the walk over all collections would fill the stack of a test.
fn is_walled<'a, O: Ownership, const N: usize>(
    town: &'a Town,
    documents: &'a [Value],
) -> Pin<Box<dyn Future<Output = usize> + 'a>>
where
    Tenant: Reaches<O>,
{
    Box::pin(async move {
        let mut asked = 0;
        for tenant in town.tenants() {
            let is_foreign = |it: &&Value| !is_of(&SCHEMAS[N], it, tenant);
            for document in documents.iter().filter(is_foreign) {
                is_out_of_reach::<O, N>(town, tenant, document).await;
                asked += 1;
            }
        }
        asked
    })
}

async fn is_out_of_reach<O: Ownership, const N: usize>(
    town: &Town,
    tenant: Tenant,
    document: &Value,
) where
    Tenant: Reaches<O>,
{
    let id = document["_id"].as_str().expect("an identifier");
    let mut once = town.app.store().once();
    let mut tx = once.within(tenant);
    let seen = tx.get::<Document<O, N>>(id).await.expect("an answer");
    assert!(seen.is_none(), "{document}");
    let touched = Field::<Document<O, N>, bool>::at("touched");
    let changed = tx.update_one(by_id(id), touched.set(true)).await;
    assert!(changed.expect("an answer").is_none(), "{document}");
    let taken = tx.take_one::<Document<O, N>>(by_id(id)).await;
    assert!(taken.expect("an answer").is_none(), "{document}");
    let forged = Document::<O, N> {
        id: "forged".to_owned(),
        rest: document.as_object().expect("a document").clone(),
        owner: PhantomData,
    };
    let made = tx.insert(&forged).await;
    assert!(matches!(made, Err(StoreError::OutsideScope(_))), "{made:?}");
}

/// Walks the collections of these numbers; how many documents of each were asked for.
macro_rules! walled {
    ($town:expr, $documents:expr, $($number:literal)+) => {{
        assert!(SCHEMAS.len() <= [$($number),+].len(), "give the walk more numbers");
        let mut walked = BTreeMap::new();
        $(if let Some(schema) = SCHEMAS.get($number) {
            let none = Vec::new();
            let own = $documents.get(schema.collection()).unwrap_or(&none);
            let asked = match schema.owner() {
                ["app_id"] => is_walled::<OfApp, $number>($town, own).await,
                ["app_id", "env_id"] => is_walled::<OfEnvironment, $number>($town, own).await,
                owner => {
                    assert!(owner.is_empty(), "{owner:?}");
                    0
                }
            };
            walked.insert(schema.collection(), asked);
        })+
        walked
    }};
}

on_both_stores! {
    async fn no_tenant_reaches_what_another_owns_in_any_collection(town: Town) {
        let before = town.documents().await;

        let walked = walled!(
            &town, before,
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41
        );

        println!("{walked:?}");
        let found = walked.values().filter(|asked| **asked > 0).count();
        assert!(found >= 14, "{walked:?}");
        for (collection, documents) in town.documents().await {
            assert!(documents.iter().all(|it| it.get("touched").is_none()), "{collection}");
        }
    }

    async fn a_document_that_names_a_tenant_is_owned_by_it(town: Town) {
        let all = town.documents().await;
        for schema in SCHEMAS {
            for document in all.get(schema.collection()).into_iter().flatten() {
                for field in ["app_id", "env_id"] {
                    let is_excused = field == "env_id"
                        && NAME_AN_ENVIRONMENT.iter().any(|(it, _)| *it == schema.collection());
                    let is_owner = schema.owner().contains(&field);
                    let is_named = document.get(field).is_some();
                    assert!(
                        is_owner == is_named || is_excused,
                        "{field} of {}: {document}",
                        schema.collection()
                    );
                }
            }
        }
    }

    async fn what_is_in_an_organisation_goes_with_it(town: Town) {
        let (before, gone) = (town.documents().await, &town.acme.org.id);
        let names = |document: &Value| document["org_id"] == *gone;
        let mut parts = 0;
        for schema in SCHEMAS {
            let own = before.get(schema.collection()).into_iter().flatten();
            let is_part = schema.part_of().is_some_and(|it| {
                it.field == "org_id" && it.collection == Organization::COLLECTION
            });
            let is_excused =
                NAME_AN_ORGANIZATION.iter().any(|(it, _)| *it == schema.collection());
            let count = own.filter(|it| names(it)).count();
            assert!(count == 0 || is_part || is_excused, "{}", schema.collection());
            parts += usize::from(count > 0 && is_part);
        }
        assert!(parts >= 3, "members, teams, and who is in a team: {parts}");

        let _ = town.acme.owner.delete(&town.acme.org.path("")).await.expect(204);

        for (collection, documents) in town.documents().await {
            let is_remembered = REMEMBER.contains(&&*collection);
            let left = documents.iter().find(|it| names(it));
            assert!(left.is_none() || is_remembered, "{collection}: {left:?}");
            // Nothing of the others went along.
            let own = |all: &[Value]| all.iter().filter(|it| !names(it)).count();
            let had = before.get(&collection).map_or(0, |it| own(it));
            let is_organizations = collection == Organization::COLLECTION;
            assert!(own(&documents) + usize::from(is_organizations) >= had, "{collection}");
        }
    }
}
