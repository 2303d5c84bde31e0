use super::record::Notification;
use crate::store::{OfEnvironment, Reaches, Stored, Tx};

pub(super) async fn insert<S>(tx: &mut Tx<'_, S>, notification: &Notification) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.insert(notification).await
}
