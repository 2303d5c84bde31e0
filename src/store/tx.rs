//! Transactions as repositories see them: fifteen verbs, each within a scope.
//!
//! The scope's owner conditions are conjoined to every filter and checked on every insert, so a
//! query that forgets its tenant cannot be written.

use std::fmt::Display;

use bson::Bson;
use serde::{Deserialize, Serialize};

use super::error::{StoreError, Stored};
use super::follow::Follower;
use super::op::{Encoded, Find, Op, Outcome, Sweep, Verb};
use super::query::{Field, Filter, Node, Query, Sort, Test};
use super::schema::{
    AcrossTenants, Entity, OfEnvironment, Ownership, PartOf, Reaches, Schema, Unscoped,
};
use super::unit::{Notation, Unit};
use super::update::Update;
use super::{reference, value};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// A unit of work, seen within a scope.
#[derive(Debug)]
pub struct Tx<'u, S = Unscoped> {
    pub(super) unit: &'u mut Unit,
    scope: S,
}

impl<'u> Tx<'u, Unscoped> {
    pub(super) fn new(unit: &'u mut Unit) -> Self {
        Self {
            unit,
            scope: Unscoped,
        }
    }

    pub(super) fn into_scope<N: Copy>(self, scope: N) -> Tx<'u, N> {
        Tx {
            unit: self.unit,
            scope,
        }
    }
}

impl<S: Copy> Tx<'_, S> {
    /// The same unit of work, limited to what `scope` owns.
    pub fn within<N: Copy>(&mut self, scope: N) -> Tx<'_, N> {
        Tx {
            unit: self.unit,
            scope,
        }
    }

    /// The same unit of work without a tenant. `why` is a sentence for the reader; every use is
    /// listed in the architecture test.
    pub fn across_tenants(&mut self, why: &'static str) -> Tx<'_, AcrossTenants> {
        debug_assert!(!why.is_empty(), "the escape from tenancy needs its reason");
        Tx {
            unit: self.unit,
            scope: AcrossTenants,
        }
    }

    /// The scope this transaction was limited to.
    pub fn scope(&self) -> S {
        self.scope
    }

    fn owner<E: Entity>(&self) -> Vec<Node>
    where
        S: Reaches<E::Owner>,
    {
        let is = |(path, value)| Node::Is {
            path,
            test: Test::Eq(Bson::String(value)),
        };
        self.scope.owner().into_iter().map(is).collect()
    }

    fn scoped<E: Entity>(&self, filter: Filter<E>) -> Node
    where
        S: Reaches<E::Owner>,
    {
        let mut nodes = self.owner::<E>();
        match filter.node {
            Node::All(all) => nodes.extend(all),
            node @ (Node::Any(_) | Node::Is { .. }) => nodes.push(node),
        }
        Node::All(nodes)
    }

    async fn run<E: Entity, T>(
        &mut self,
        verb: Verb,
        answer: impl FnOnce(Outcome) -> Stored<T>,
    ) -> Stored<T> {
        let answered = self
            .unit
            .run(Op {
                schema: Schema::of::<E>(),
                verb,
            })
            .await
            .and_then(answer);
        self.unit.noted(answered)
    }

    pub(super) async fn run_on(&mut self, schema: &Schema, verb: Verb) -> Stored<Outcome> {
        let schema = *schema;
        let answered = self.unit.run(Op { schema, verb }).await;
        self.unit.noted(answered)
    }

    pub(super) fn notation(&self) -> Notation {
        self.unit.notation()
    }

    /// Adds a document. [`StoreError::Duplicate`] names the unique index that refused it;
    /// [`StoreError::OutsideScope`] means the document names another owner than the scope.
    pub async fn insert<E: Entity>(&mut self, record: &E) -> Stored<()>
    where
        S: Reaches<E::Owner>,
    {
        let encoded = self.encoded(record);
        let encoded = self.unit.noted(encoded)?;
        self.run::<E, _>(Verb::Insert(encoded), |_| Ok(())).await
    }

    /// As [`Tx::insert`], of many, in one call; within a unit of work. One that is refused ends it.
    pub async fn insert_all<E: Entity>(&mut self, records: &[E]) -> Stored<()>
    where
        S: Reaches<E::Owner>,
    {
        if records.is_empty() {
            return Ok(());
        }
        let encoded = records.iter().map(|record| self.encoded(record)).collect();
        let encoded = self.unit.noted(encoded)?;
        self.run::<E, _>(Verb::InsertAll(encoded), |_| Ok(())).await
    }

    fn encoded<E: Entity>(&self, record: &E) -> Stored<Encoded>
    where
        S: Reaches<E::Owner>,
    {
        let document = value::document(record)?;
        if !reference::matches(&Node::All(self.owner::<E>()), &document) {
            return Err(StoreError::OutsideScope(E::COLLECTION));
        }
        match self.notation() {
            Notation::Json => Ok(Encoded::Json {
                id: document.get_str("_id").unwrap_or_default().to_owned(),
                text: serde_json::to_string(record)
                    .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            }),
            Notation::Bson => bson::serialize_to_raw_document_buf(record)
                .map(Encoded::Bson)
                .map_err(|error| StoreError::Corrupt(error.to_string())),
        }
    }

    /// The document with this identifier, if it is within the scope.
    pub async fn get<E: Entity>(&mut self, id: impl Serialize) -> Stored<Option<E>>
    where
        S: Reaches<E::Owner>,
    {
        self.find_one(by_id(id)).await
    }

    pub async fn find_one<E: Entity>(&mut self, filter: Filter<E>) -> Stored<Option<E>>
    where
        S: Reaches<E::Owner>,
    {
        Ok(self
            .find(Query::of(filter).window(0, 1))
            .await?
            .into_iter()
            .next())
    }

    pub async fn find<E: Entity>(&mut self, query: Query<E>) -> Stored<Vec<E>>
    where
        S: Reaches<E::Owner>,
    {
        let find = Find {
            filter: self.scoped(query.filter),
            after: None,
            sort: query.sort,
            skip: query.skip,
            limit: query.limit,
        };
        self.run::<E, _>(Verb::Find(find), Outcome::documents).await
    }

    /// How many documents match, exactly.
    pub async fn count<E: Entity>(&mut self, filter: Filter<E>) -> Stored<u64>
    where
        S: Reaches<E::Owner>,
    {
        let filter = self.scoped(filter);
        self.run::<E, _>(Verb::Count(filter), |counted| Ok(counted.count()))
            .await
    }

    /// Changes one matching document and returns it as it is afterwards. The filter is selector
    /// *and* precondition: of any number of racers on a precondition that the change ends, exactly
    /// one gets `Some`.
    pub async fn update_one<E: Entity>(
        &mut self,
        filter: Filter<E>,
        update: Update<E>,
    ) -> Stored<Option<E>>
    where
        S: Reaches<E::Owner>,
    {
        let filter = self.scoped(filter);
        self.run::<E, _>(Verb::UpdateOne(filter, update.changes), Outcome::document)
            .await
    }

    /// As [`Tx::update_one`], for who knows what the document is afterwards: whether there was one.
    /// That spares the database to read it out, which is a good part of a small change.
    pub async fn change_one<E: Entity>(
        &mut self,
        filter: Filter<E>,
        update: Update<E>,
    ) -> Stored<bool>
    where
        S: Reaches<E::Owner>,
    {
        let filter = self.scoped(filter);
        let verb = Verb::ChangeOne(filter, update.changes);
        self.run::<E, _>(verb, |changed| Ok(changed.count() > 0))
            .await
    }

    /// Changes every matching document; the number changed.
    pub async fn update_many<E: Entity>(
        &mut self,
        filter: Filter<E>,
        update: Update<E>,
    ) -> Stored<u64>
    where
        S: Reaches<E::Owner>,
    {
        let filter = self.scoped(filter);
        let verb = Verb::UpdateMany(filter, update.changes);
        self.run::<E, _>(verb, |changed| Ok(changed.count())).await
    }

    /// Removes one matching document and returns it: of any number of racers, exactly one gets it.
    pub async fn take_one<E: Entity>(&mut self, filter: Filter<E>) -> Stored<Option<E>>
    where
        S: Reaches<E::Owner>,
    {
        let filter = self.scoped(filter);
        self.run::<E, _>(Verb::TakeOne(filter), Outcome::document)
            .await
    }

    /// Removes every matching document; the number removed.
    pub async fn delete_many<E: Entity>(&mut self, filter: Filter<E>) -> Stored<u64>
    where
        S: Reaches<E::Owner>,
    {
        let filter = self.scoped(filter);
        self.run::<E, _>(Verb::DeleteMany(filter), |removed| Ok(removed.count()))
            .await
    }

    /// Removes documents whose time is before `before`, the oldest first and `most` at most; the
    /// number removed. An index should begin with the owner and the field.
    pub async fn sweep<E: Entity>(
        &mut self,
        field: Field<E, Timestamp>,
        before: Timestamp,
        most: u32,
    ) -> Stored<u64>
    where
        S: Reaches<E::Owner>,
    {
        let sweep = Sweep {
            filter: self.scoped(field.lt(before)),
            path: field.path,
            most,
        };
        self.run::<E, _>(Verb::Sweep(sweep), |removed| Ok(removed.count()))
            .await
    }

    /// One page, newest first by `by` and then by identifier, of what comes after `after`.
    /// A page boundary loses and repeats nothing, also while documents are inserted.
    pub async fn page<E: Entity>(
        &mut self,
        filter: Filter<E>,
        by: Field<E, Timestamp>,
        after: Option<&Position>,
        limit: Limit,
    ) -> Stored<Slice<E>>
    where
        S: Reaches<E::Owner>,
    {
        let wanted = limit.get();
        let find = Find {
            filter: self.scoped(filter),
            after: after.map(|last| (value::of(&last.at), last.id.clone())),
            sort: Some(Sort {
                path: by.path,
                descending: true,
            }),
            skip: 0,
            limit: Some(wanted + 1),
        };
        let mut items: Vec<E> = self
            .run::<E, _>(Verb::Find(find), Outcome::documents)
            .await?;
        let more = items.len() > wanted as usize;
        items.truncate(wanted as usize);
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| position(last, by))
            .transpose();
        Ok(Slice {
            next: self.unit.noted(next)?,
            items,
        })
    }
}

impl Tx<'_, Tenant> {
    /// Removes what is part of the document `id` of `collection`, wherever `schemas` say that there
    /// may be parts; the number removed. Parts of parts are not
    /// looked for.
    pub async fn remove_parts(
        &mut self,
        schemas: &[Schema],
        collection: &str,
        id: impl Display,
    ) -> Stored<u64> {
        let (id, mut removed) = (id.to_string(), 0);
        for schema in schemas {
            let part_of = schema.part_of.filter(|part| part.collection == collection);
            if let Some(PartOf { field, .. }) = part_of {
                removed += self.remove_named(schema, field, &id).await?;
            }
        }
        Ok(removed)
    }

    /// Removes documents of the collection that name the environment in scope, `most` at most and in
    /// no order; the number removed.
    pub async fn remove_of_environment(&mut self, schema: &Schema, most: u32) -> Stored<u64> {
        debug_assert!(schema.leads_from_environment(), "an index leads to them");
        let owner = Reaches::<OfEnvironment>::owner(&self.scope);
        let is = |(path, value)| Node::Is {
            path,
            test: Test::Eq(Bson::String(value)),
        };
        let named: Vec<Node> = owner.into_iter().map(is).collect();
        let find = Find {
            filter: Node::All(named.clone()),
            after: None,
            sort: None,
            skip: 0,
            limit: Some(most),
        };
        let found = self.run_on(schema, Verb::Find(find)).await?;
        let ids = found.documents::<Identified>();
        let ids: Vec<Bson> = self
            .unit
            .noted(ids)?
            .into_iter()
            .map(|it| it.id.into())
            .collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let these = Node::Is {
            path: "_id",
            test: Test::OneOf(ids),
        };
        let filter = Node::All(named.into_iter().chain([these]).collect());
        let removed = self.run_on(schema, Verb::DeleteMany(filter)).await?;
        Ok(removed.count())
    }

    async fn remove_named(
        &mut self,
        schema: &Schema,
        field: &'static str,
        id: &str,
    ) -> Stored<u64> {
        debug_assert_eq!(schema.owner, <OfEnvironment as Ownership>::FIELDS);
        debug_assert!(schema.leads_from(field), "an index leads to the parts");
        let owner = Reaches::<OfEnvironment>::owner(&self.scope);
        let named = owner.into_iter().chain([(field, id.to_owned())]);
        let is = |(path, value)| Node::Is {
            path,
            test: Test::Eq(Bson::String(value)),
        };
        let verb = Verb::DeleteMany(Node::All(named.map(is).collect()));
        Ok(self.run_on(schema, verb).await?.count())
    }
}

impl Tx<'_, AcrossTenants> {
    /// Hears of every document that is added from now on, in any unit of any process; `None` from a
    /// database that has to be asked. No part of this unit of work.
    pub async fn follow<E: Entity>(&mut self) -> Stored<Option<Follower<E>>> {
        let words = self.unit.follow(&Schema::of::<E>()).await?;
        Ok(words.map(Follower::hearing))
    }
}

/// Of any document, what it is called.
#[derive(Debug, Deserialize)]
struct Identified {
    #[serde(rename = "_id")]
    id: String,
}

/// Selects by identifier.
pub fn by_id<E>(id: impl Serialize) -> Filter<E> {
    Field::at("_id").eq(id)
}

fn position<E: Entity>(last: &E, by: Field<E, Timestamp>) -> Stored<Position> {
    let document = value::document(last)?;
    match (document.get_datetime(by.path), document.get_str("_id")) {
        (Ok(at), Ok(id)) => Ok(Position {
            at: Timestamp::from_millis(at.timestamp_millis()),
            id: id.to_owned(),
        }),
        _ => Err(StoreError::Corrupt(format!(
            "{} has no {}",
            E::COLLECTION,
            by.path
        ))),
    }
}
