//! What is sealed: one table, of which each collection with a sealed field is a line.

use crate::idempotency::IdempotencyKey;
use crate::kernel::secret::KeyRing;
use crate::notifications::Notification;
use crate::settings::Setting;
use crate::store::{self, Entity, Resealed, Store, Stored};
use crate::tokens::SigningKey;
use crate::webhooks::Webhook;

macro_rules! sealed {
    ($($Document:ty),+ $(,)?) => {
        /// The collections whose documents have a sealed field.
        pub const SEALED: &[&str] = &[$(<$Document as Entity>::COLLECTION),+];

        /// Seals everything anew that is sealed under another key than the first.
        pub(super) async fn reseal(store: &Store, ring: &KeyRing) -> Stored<Resealed> {
            let mut done = Resealed::default();
            $(done.add(store::reseal::<$Document>(store, ring).await?);)+
            Ok(done)
        }

        /// What [`reseal`] would find. Changes nothing.
        pub(super) async fn survey(store: &Store, ring: &KeyRing) -> Stored<Resealed> {
            let mut found = Resealed::default();
            $(found.add(store::survey::<$Document>(store, ring).await?);)+
            Ok(found)
        }

        /// Whether what is sealed in a document of a collection opens; true where nothing is.
        pub(super) fn opens(ring: &KeyRing, collection: &str, document: &str) -> bool {
            $(if collection == <$Document as Entity>::COLLECTION {
                return store::opens::<$Document>(ring, document);
            })+
            true
        }
    };
}

sealed!(SigningKey, Notification, Setting, Webhook, IdempotencyKey);
