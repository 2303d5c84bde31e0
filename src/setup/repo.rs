//! Marks of the secrets that a store is filled under: with another one nothing fails but what people
//! try, and nothing says why.

use super::record::SecretMark;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Store, StoreError, Stored, by_id};

const MARK: Field<SecretMark, String> = Field::at("mark");

/// Whether the store was filled under another secret than the one of this mark.
pub async fn is_other(store: &Store, secret: &str, mark: &str) -> Stored<bool> {
    let known: Option<SecretMark> = store.once().shared().get(secret).await?;
    Ok(known.is_some_and(|known| known.mark != mark))
}

/// The same, of a store that is filled under it from now on if it was under none.
pub async fn is_other_than_ever(
    store: &Store,
    (secret, mark): (&str, &str),
    now: Timestamp,
) -> Stored<bool> {
    let own = SecretMark {
        id: secret.to_owned(),
        mark: mark.to_owned(),
        created_at: now,
    };
    match store.once().shared().insert(&own).await {
        Ok(()) => Ok(false),
        Err(StoreError::Duplicate(_)) => is_other(store, secret, mark).await,
        Err(error) => Err(error),
    }
}

/// From now on the store is filled under this one.
pub async fn mark_anew(store: &Store, (secret, mark): (&str, &str)) -> Stored<()> {
    let mut once = store.once();
    let mut shared = once.shared();
    let update = MARK.set(mark.to_owned());
    shared.update_one(by_id(secret), update).await.map(drop)
}
