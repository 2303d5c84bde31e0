//! What is removed with a user, feature by feature.

use crate::api_keys::MayTell;
use crate::kernel::id::AppId;
use crate::kernel::time::Timestamp;
use crate::memberships::Invitation;
use crate::store::{Stored, Tx};
use crate::users::User;
use crate::{
    api_keys, credentials, devices, idempotency, invitations, limits, links, notifications,
    sessions,
};

/// Removes what is kept about a user, in every environment of his app. Whatever keeps documents
/// about users has a line here. Events stay, and revocations for as long as they count; the letter
/// that says farewell comes after this. `gone` is the user as he was; what it gives are the
/// invitations by him that are revoked.
pub(super) async fn forget(
    tx: &mut Tx<'_, AppId>,
    gone: &User,
    now: Timestamp,
    tell: &MayTell<'_>,
) -> Stored<Vec<Invitation>> {
    let user = gone.id;
    let revoked = invitations::forget(tx, gone, now).await?;
    credentials::forget(tx, user).await?;
    links::forget(tx, user).await?;
    devices::forget(tx, user).await?;
    sessions::forget(tx, user).await?;
    idempotency::forget_sessions(tx, user).await?;
    api_keys::forget(tx, user, tell).await?;
    limits::forget(tx, user).await?;
    notifications::forget(tx, user).await?;
    Ok(revoked)
}
