//! Sealed fields, and sealing them anew when the encryption key changes.
//!
//! ```text
//! sealed under any key of the ring ──[`reseal`]──▶ sealed under the first one
//! ```
//!
//! Each document is one conditional write, on the sealed text that was read: servers may write
//! meanwhile, and a run that was killed is simply made again. What does not open is left as it is
//! and told. Not here: the keys ([`crate::kernel::secret::KeyRing`]).

use std::fmt::Display;

use super::error::Stored;
use super::query::{Field, Filter, Query};
use super::schema::{AcrossTenants, Entity};
use super::tx::{Tx, by_id};
use super::{Once, Store};
use crate::kernel::secret::{KeyRing, Unopened};

/// Documents read at a time.
const PAGE: u32 = 100;

/// A document with a field that is sealed.
pub trait Sealed: Entity {
    /// What names the tenant of a document: of an environment, or of an app.
    type Home: Display;
    /// The field's path.
    const FIELD: &'static str;

    fn id(&self) -> String;

    fn home(&self) -> Self::Home;

    /// The field's value; `None` where this document has none.
    fn sealed(&self) -> Option<&str>;

    /// What the value is bound to, so that it opens nowhere else.
    fn bound_to(&self) -> String {
        Self::place(self.home(), self.id())
    }

    /// The same for a document that is being made.
    fn place(home: Self::Home, id: impl Display) -> String {
        format!("{}|{home}|{id}", Self::COLLECTION)
    }
}

/// What has become of the sealed fields.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed anew, under the first key of the ring.
    pub anew: u64,
    /// Sealed so before.
    pub already: u64,
    /// A sentence for each that does not open. It names the document, and the key that is missing.
    pub unopened: Vec<String>,
}

impl Resealed {
    /// This, and what has become of others.
    pub fn add(&mut self, other: Self) {
        self.anew += other.anew;
        self.already += other.already;
        self.unopened.extend(other.unopened);
    }
}

/// Seals the field of every `E` anew that is not sealed under the first key of `ring`.
pub async fn reseal<E: Sealed>(store: &Store, ring: &KeyRing) -> Stored<Resealed> {
    let (mut done, mut behind) = (Resealed::default(), String::new());
    let mut once = store.once();
    let mut every = everything(&mut once);
    loop {
        let documents: Vec<E> = every.find(page(behind)).await?;
        let Some(last) = documents.last() else {
            return Ok(done);
        };
        behind = last.id();
        for document in &documents {
            one(&mut every, ring, document, &mut done).await?;
        }
    }
}

/// What [`reseal`] would find. Changes nothing.
pub async fn survey<E: Sealed>(store: &Store, ring: &KeyRing) -> Stored<Resealed> {
    let (mut found, mut behind) = (Resealed::default(), String::new());
    let mut once = store.once();
    let mut every = everything(&mut once);
    loop {
        let documents: Vec<E> = every.find(page(behind)).await?;
        let Some(last) = documents.last() else {
            return Ok(found);
        };
        behind = last.id();
        for document in &documents {
            let Some(sealed) = document.sealed() else {
                continue;
            };
            match ring.reseal(sealed, &document.bound_to()) {
                Ok(Some(_)) => found.anew += 1,
                Ok(None) => found.already += 1,
                Err(why) => found.unopened.push(sentence(document, &why)),
            }
        }
    }
}

/// Whether the field of a document in JSON opens under a key of `ring`; true where there is none.
pub fn opens<E: Sealed>(ring: &KeyRing, document: &str) -> bool {
    let read: Result<E, _> = serde_json::from_str(document);
    read.is_ok_and(|document| {
        let sealed = document.sealed();
        sealed.is_none_or(|sealed| ring.open(sealed, &document.bound_to()).is_ok())
    })
}

fn everything(once: &mut Once) -> Tx<'_, AcrossTenants> {
    once.across_tenants("an encryption key seals for every tenant")
}

fn page<E: Sealed>(behind: String) -> Query<E> {
    let id: Field<E, String> = Field::at("_id");
    Query::of(id.gt(behind)).oldest_by(id).window(0, PAGE)
}

async fn one<E: Sealed>(
    every: &mut Tx<'_, AcrossTenants>,
    ring: &KeyRing,
    found: &E,
    done: &mut Resealed,
) -> Stored<()> {
    let field: Field<E, String> = Field::at(E::FIELD);
    let mut document = Some(found.clone());
    // Somebody else may write between the look and the change: then it is looked at again.
    while let Some(sealed) = document.as_ref().and_then(Sealed::sealed) {
        let anew = match ring.reseal(sealed, &found.bound_to()) {
            Ok(Some(anew)) => anew,
            Ok(None) => {
                done.already += 1;
                return Ok(());
            }
            Err(why) => {
                done.unopened.push(sentence(found, &why));
                return Ok(());
            }
        };
        let unchanged: Filter<E> = by_id::<E>(found.id()) & field.eq(sealed.to_owned());
        if every
            .update_one(unchanged, field.set(anew))
            .await?
            .is_some()
        {
            done.anew += 1;
            return Ok(());
        }
        document = every.get(found.id()).await?;
    }
    Ok(())
}

fn sentence<E: Sealed>(document: &E, why: &Unopened) -> String {
    format!("{} of {} {}: {why}", E::FIELD, E::COLLECTION, document.id())
}
