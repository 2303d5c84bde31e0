use super::record::{ClientConfig, Offered};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, ClientConfigId};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Reaches, Stored, Tx};

const OFFERED: Field<ClientConfig, Offered> = Field::at("offered");
const UPDATED_AT: Field<ClientConfig, Timestamp> = Field::at("updated_at");

/// What is set for the app in scope.
pub(super) async fn of_app<S>(tx: &mut Tx<'_, S>) -> Stored<Option<ClientConfig>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(Filter::all()).await
}

/// Sets exactly this. Of two first times at once, one is refused as a duplicate.
pub(super) async fn replace<S>(
    tx: &mut Tx<'_, S>,
    app_id: AppId,
    offered: &Offered,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    let update = OFFERED.set(offered.clone()).and(UPDATED_AT.set(now));
    if tx.update_one(Filter::all(), update).await?.is_some() {
        return Ok(());
    }
    tx.insert(&ClientConfig {
        id: ClientConfigId::new(now, entropy),
        app_id,
        offered: offered.clone(),
        created_at: now,
        updated_at: now,
    })
    .await
}

/// Takes away what is set; whether anything was.
pub(super) async fn remove<S>(tx: &mut Tx<'_, S>) -> Stored<bool>
where
    S: Copy + Reaches<OfApp>,
{
    let taken: Option<ClientConfig> = tx.take_one(Filter::all()).await?;
    Ok(taken.is_some())
}
