//! Owners who can act: how they are counted while bans are spoken, run out and are lifted.
//!
//! Whoever has a ban on record is not counted, also when it has run out: a count must not depend on
//! what time it is. So such a ban is lifted as soon as he is given a place or other roles, and
//! whoever is counted can act.

use super::record::Member;
use super::repo;
use crate::apps;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx, Unscoped};
use crate::users::{self, User};

/// Counts a user who is to be banned out of the owners of his organisations; `false` where he is the
/// last of one.
pub async fn ban_owner(tx: &mut Tx<'_, AppId>, user: &User, now: Timestamp) -> Stored<bool> {
    if user.banned {
        return Ok(true);
    }
    for place in owned(tx, user.id).await? {
        if repo::count(tx, place.org_id, (0, -1), now).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes a ban off the record, also one that has run out, and counts him whose it was again: among
/// those who guard the app, and among the owners of his organisations. `None`, and nothing changed,
/// where there is none.
pub async fn lift_ban(
    tx: &mut Tx<'_, Tenant>,
    user: UserId,
    now: Timestamp,
) -> Stored<Option<User>> {
    let Some(back) = users::unban(tx, user, now).await? else {
        return Ok(None);
    };
    let mut apps = tx.within(Unscoped);
    let app = apps::get(&mut apps, back.app_id).await?;
    if app.is_some_and(|app| back.is_counted_guardian(app.is_platform)) {
        apps::count_holder(&mut apps, back.app_id, now).await?;
    }
    let mut everywhere = tx.within(back.app_id);
    for place in owned(&mut everywhere, user).await? {
        repo::count(&mut everywhere, place.org_id, (0, 1), now).await?;
    }
    Ok(Some(back))
}

/// Holds a user who is given a place, or other roles, and lifts a ban of his that has run out.
pub(super) async fn hold(
    tx: &mut Tx<'_, Tenant>,
    user: UserId,
    now: Timestamp,
) -> Stored<Option<User>> {
    match users::hold(tx, user).await? {
        Some(held) if held.banned && held.may_sign_in(now) => lift_ban(tx, user, now).await,
        held => Ok(held),
    }
}

async fn owned(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<Vec<Member>> {
    let mut places = repo::memberships_of(tx, user).await?;
    places.retain(Member::is_owner);
    Ok(places)
}
