//! Declared schemas: what a collection holds, who owns its documents, and its indexes.

use std::time::Duration;

use bson::Document;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Stored;
use super::op::Sweep;
use super::query::{Node, Test};
use super::value;
use super::whole::typed_as;
use crate::kernel::id::AppId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// The field that names the app which owns a document.
const APP: &str = "app_id";

/// A document of one collection.
///
/// Optional fields are left out when `None` (`skip_serializing_if`), never stored as null: partial
/// indexes and `absent` rely on it.
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// [`Nobody`], [`OfApp`] or [`OfEnvironment`].
    type Owner: Ownership;
    const COLLECTION: &'static str;
    const INDEXES: &'static [Index];
    /// Of what its documents are parts, in the same environment.
    const PART_OF: Option<PartOf> = None;
    /// What its documents stay without, until they are over.
    const OUTLIVES: Outlives = Outlives::Nothing;
    /// Whether somebody keeps them in memory, so that whoever writes some names what he changes
    /// ([`super::Tx::mark`]).
    const KEPT: bool = false;
}

/// What is no more while documents are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlives {
    /// They go with their owner.
    Nothing,
    /// The environment that they name, as what happened there stays on record. They go with its app.
    Environment,
    /// The app as well, as what must not be accepted is not accepted for all that.
    App,
}

/// Documents of this kind are each part of one document of `collection`, which `field` names by its
/// identifier, and go with it ([`super::Tx::remove_parts`]). An index leads from the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOf {
    pub collection: &'static str,
    pub field: &'static str,
}

/// Which fields name the owner of a document.
pub trait Ownership: 'static {
    const FIELDS: &'static [&'static str];
}

/// The field that names an environment.
pub(super) const ENVIRONMENT: &str = "env_id";

/// Owned by the installation.
#[derive(Debug)]
pub struct Nobody;
/// Owned by an app: carries `app_id`.
#[derive(Debug)]
pub struct OfApp;
/// Owned by an environment of an app: carries `app_id` and `env_id`.
#[derive(Debug)]
pub struct OfEnvironment;

impl Ownership for Nobody {
    const FIELDS: &'static [&'static str] = &[];
}

impl Ownership for OfApp {
    const FIELDS: &'static [&'static str] = &["app_id"];
}

impl Ownership for OfEnvironment {
    const FIELDS: &'static [&'static str] = &["app_id", "env_id"];
}

/// The reach of a transaction: `Reaches<O>` is what lets it touch documents owned as `O`.
pub trait Reaches<O: Ownership> {
    /// The owner fields and the values they must have.
    fn owner(&self) -> Vec<(&'static str, String)>;
}

/// A transaction that named no tenant: ownerless documents only.
#[derive(Debug, Clone, Copy)]
pub struct Unscoped;
/// A transaction that said why it must reach every tenant.
#[derive(Debug, Clone, Copy)]
pub struct AcrossTenants;

impl Reaches<Nobody> for Unscoped {
    fn owner(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl<O: Ownership> Reaches<O> for AcrossTenants {
    fn owner(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl Reaches<OfApp> for AppId {
    fn owner(&self) -> Vec<(&'static str, String)> {
        vec![("app_id", self.to_string())]
    }
}

/// An app reaches what any of its environments owns: ending every session of a user is one change.
impl Reaches<OfEnvironment> for AppId {
    fn owner(&self) -> Vec<(&'static str, String)> {
        vec![("app_id", self.to_string())]
    }
}

impl Reaches<OfApp> for Tenant {
    fn owner(&self) -> Vec<(&'static str, String)> {
        vec![("app_id", self.app_id.to_string())]
    }
}

impl Reaches<OfEnvironment> for Tenant {
    fn owner(&self) -> Vec<(&'static str, String)> {
        vec![
            ("app_id", self.app_id.to_string()),
            ("env_id", self.env_id.to_string()),
        ]
    }
}

/// A declared index, made at start-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Index {
    pub(super) name: &'static str,
    pub(super) fields: &'static [&'static str],
    pub(super) unique: bool,
    pub(super) when: When,
    pub(super) expires_after: Option<Duration>,
}

/// Which documents an index covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum When {
    Always,
    /// The field is there. Two documents without it never collide.
    Present(&'static str),
    /// The field has this text.
    Equals(&'static str, &'static str),
}

impl Index {
    pub const fn on(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self {
            name,
            fields,
            unique: false,
            when: When::Always,
            expires_after: None,
        }
    }

    /// No two documents have the same values; a field that may be absent needs [`Index::when_present`].
    pub const fn unique(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self {
            name,
            fields,
            unique: true,
            when: When::Always,
            expires_after: None,
        }
    }

    #[must_use]
    pub const fn when_present(mut self, field: &'static str) -> Self {
        self.when = When::Present(field);
        self
    }

    #[must_use]
    pub const fn when_equals(mut self, field: &'static str, text: &'static str) -> Self {
        self.when = When::Equals(field, text);
        self
    }

    /// Documents may be removed this long after the time in the (only) field. A broom, never a
    /// rule: expiry is always part of the filter too.
    #[must_use]
    pub const fn expires_after(mut self, after: Duration) -> Self {
        self.expires_after = Some(after);
        self
    }
}

/// An entity's declaration as a value, for the drivers and for start-up.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    pub(super) collection: &'static str,
    pub(super) owner: &'static [&'static str],
    pub(super) indexes: &'static [Index],
    pub(super) part_of: Option<PartOf>,
    pub(super) outlives: Outlives,
    pub(super) kept: bool,
    /// A document of it in JSON, as its entity understands it.
    pub(super) typed: fn(&str) -> Stored<Document>,
}

impl Schema {
    pub const fn of<E: Entity>() -> Self {
        Self {
            collection: E::COLLECTION,
            owner: <E::Owner as Ownership>::FIELDS,
            indexes: E::INDEXES,
            part_of: E::PART_OF,
            outlives: E::OUTLIVES,
            kept: E::KEPT,
            typed: typed_as::<E>,
        }
    }

    /// The collection's name.
    pub const fn collection(&self) -> &'static str {
        self.collection
    }

    /// The fields that name a document's owner, outermost first.
    pub const fn owner(&self) -> &'static [&'static str] {
        self.owner
    }

    /// Of what its documents are parts.
    pub const fn part_of(&self) -> Option<PartOf> {
        self.part_of
    }

    /// Whether an index leads from a value of `field` to an owner's documents that have it.
    pub fn leads_from(&self, field: &str) -> bool {
        let begins = |index: &Index| {
            let mut behind_owner = index.fields.iter().filter(|it| !self.owner.contains(it));
            let covers = match index.when {
                When::Always => true,
                When::Present(path) => path == field,
                When::Equals(..) => false,
            };
            covers && behind_owner.next() == Some(&field)
        };
        self.indexes.iter().any(begins)
    }

    /// Whether an index leads from an app to its documents.
    pub fn leads_from_app(&self) -> bool {
        let leads =
            |index: &Index| index.when == When::Always && index.fields.first() == Some(&APP);
        self.indexes.iter().any(leads)
    }

    /// Whether its documents go with the app that owns them.
    pub fn goes_with_app(&self) -> bool {
        self.owner.contains(&APP) && self.outlives != Outlives::App
    }

    /// Whether its documents go with the environment that they name.
    pub fn goes_with_environment(&self) -> bool {
        self.names_an_environment() && self.outlives == Outlives::Nothing
    }

    /// What an app owns of it; `None` where that stays.
    pub(super) fn owned(&self, app: AppId, most: u32) -> Option<Sweep> {
        let test = Test::Eq(value::of(&app));
        self.goes_with_app().then_some(Sweep {
            filter: Node::Is { path: APP, test },
            path: APP,
            most,
        })
    }

    pub(super) fn is_missing(&self) -> String {
        format!("the collection {} is missing", self.collection)
    }

    pub(super) fn lacks(&self, index: &Index) -> String {
        format!("the index {} of {} is missing", index.name, self.collection)
    }

    pub(super) fn differs(&self, index: &Index) -> String {
        let Self { collection, .. } = self;
        format!(
            "the index {} of {collection} has another definition",
            index.name
        )
    }

    /// Whether its documents name an environment, as their owner or beside it.
    fn names_an_environment(&self) -> bool {
        self.owner.contains(&ENVIRONMENT) || self.leads_from_environment()
    }

    /// Whether an index leads from an environment to its documents.
    pub fn leads_from_environment(&self) -> bool {
        let begins = |index: &Index| {
            let covers = match index.when {
                When::Always => true,
                When::Present(path) => path == ENVIRONMENT,
                When::Equals(..) => false,
            };
            let mut behind_app = index.fields.iter().skip_while(|it| **it == "app_id");
            covers && behind_app.next() == Some(&ENVIRONMENT)
        };
        self.indexes.iter().any(begins)
    }

    /// What is over at `now`, one sweep for each field that says so.
    pub(super) fn sweeps(&self, now: Timestamp, most: u32) -> impl Iterator<Item = Sweep> {
        let expiring = self.indexes.iter().filter_map(move |index| {
            let path = *index.fields.first()?;
            Some((path, now.minus(index.expires_after?)))
        });
        expiring.map(move |(path, before)| Sweep {
            filter: Node::Is {
                path,
                test: Test::Lt(value::of(&before)),
            },
            path,
            most,
        })
    }

    /// The declared index of that name, or the identifier's.
    pub(super) fn index_named(&self, name: &str) -> Option<&'static str> {
        if name == "_id_" || name == "_id" {
            return Some("_id");
        }
        self.indexes
            .iter()
            .map(|index| index.name)
            .find(|known| *known == name)
    }

    /// Whether some index uses `path`.
    pub(super) fn indexes_path(&self, path: &str) -> bool {
        self.indexes.iter().any(|index| {
            let condition = match index.when {
                When::Always => None,
                When::Present(field) | When::Equals(field, _) => Some(field),
            };
            index.fields.contains(&path) || condition == Some(path)
        })
    }

    /// Every path that some index uses, each once, in order of first use.
    pub(super) fn indexed_paths(&self) -> Vec<&'static str> {
        let mut paths: Vec<&'static str> = Vec::new();
        for index in self.indexes {
            let condition = match index.when {
                When::Always => None,
                When::Present(field) | When::Equals(field, _) => Some(field),
            };
            for path in index.fields.iter().copied().chain(condition) {
                if path != "_id" && !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        paths
    }
}
