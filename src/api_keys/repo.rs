use super::record::ApiKey;
use crate::access::Role;
use crate::environments::Environment;
use crate::kernel::entropy::Entropy;
use crate::kernel::secret::SecretString;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Field, OfEnvironment, Reaches, Stored, Tx};

const KEY_HASH: Field<ApiKey, String> = Field::at("key_hash");

/// Makes a key of the environment and answers its secret, for the only time.
pub async fn create<S>(
    tx: &mut Tx<'_, S>,
    environment: &Environment,
    (name, roles): (Label, Vec<Role>),
    made: (Timestamp, &Entropy),
) -> Stored<SecretString>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let (key, secret) = ApiKey::new(environment, name, roles, made);
    tx.insert(&key).await?;
    Ok(secret)
}

/// By the digest of the whole key, never by its prefix.
pub(super) async fn by_hash(tx: &mut Tx<'_, AcrossTenants>, hash: &str) -> Stored<Option<ApiKey>> {
    tx.find_one(KEY_HASH.eq(hash.to_owned())).await
}
