use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::record::State;
use crate::kernel::id::{AppId, InvitationId, OrgId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::memberships::{self, Authority, Invitation, InvitationStatus, Inviter};
use crate::notifications;
use crate::store::{AcrossTenants, Field, Filter, Query, Stored, Tx, Update, by_id};
use crate::users::User;

const ID: Field<Invitation, InvitationId> = Field::at("_id");
const ORG_ID: Field<Invitation, OrgId> = Field::at("org_id");
const EMAIL: Field<Invitation, Email> = Field::at("email");
const INVITER_ID: Field<Invitation, UserId> = Field::at("inviter_id");
const AUTHORITY: Field<Invitation, Authority> = Field::at("authority");
const STATUS: Field<Invitation, InvitationStatus> = Field::at("status");
const TOKEN: Field<Invitation, String> = Field::at("token");
const GENERATION: Field<Invitation, i64> = Field::at("generation");
const EXPIRES_AT: Field<Invitation, Timestamp> = Field::at("expires_at");
const USER_ID: Field<Invitation, UserId> = Field::at("user_id");
const CREATED_AT: Field<Invitation, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Invitation, Timestamp> = Field::at("updated_at");

/// How many documents one filter names.
const AT_ONCE: u32 = 500;

/// A new secret and a new term, by whoever stands behind it from now on.
#[derive(Debug, Clone)]
pub(super) struct Renewal {
    /// Of the token of the next generation.
    pub digest: String,
    pub expires_at: Timestamp,
    pub inviter: Inviter,
}

/// Pending, and its term is not over at `now`. The bound is exclusive.
pub(super) fn live(now: Timestamp) -> Filter<Invitation> {
    STATUS.eq(InvitationStatus::Pending) & EXPIRES_AT.gt(now)
}

/// The opposite, among pending ones.
fn lapsed(now: Timestamp) -> Filter<Invitation> {
    STATUS.eq(InvitationStatus::Pending) & EXPIRES_AT.lte(now)
}

fn in_state(state: State, now: Timestamp) -> Filter<Invitation> {
    match state {
        State::Pending => live(now),
        State::Expired => lapsed(now),
        State::Accepted => STATUS.eq(InvitationStatus::Accepted),
        State::Declined => STATUS.eq(InvitationStatus::Declined),
        State::Revoked => STATUS.eq(InvitationStatus::Revoked),
        State::Superseded => STATUS.eq(InvitationStatus::Superseded),
    }
}

fn ended(status: InvitationStatus, now: Timestamp) -> Update<Invitation> {
    STATUS.set(status).and(UPDATED_AT.set(now))
}

/// [`crate::memberships::ALREADY_INVITED`] where one to the address is pending.
pub(super) async fn insert(tx: &mut Tx<'_, Tenant>, invitation: &Invitation) -> Stored<()> {
    tx.insert(invitation).await
}

/// An invitation into this organisation.
pub(super) async fn of_organization(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    id: InvitationId,
) -> Stored<Option<Invitation>> {
    tx.find_one(by_id(id) & ORG_ID.eq(org)).await
}

pub(super) async fn get(tx: &mut Tx<'_, Tenant>, id: InvitationId) -> Stored<Option<Invitation>> {
    tx.get(id).await
}

/// One page of the invitations into an organisation, newest first.
pub(super) async fn page(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    (state, now): (Option<State>, Timestamp),
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Invitation>> {
    let of_org = ORG_ID.eq(org);
    let wanted = match state {
        Some(state) => of_org & in_state(state, now),
        None => of_org,
    };
    tx.page(wanted, CREATED_AT, after, limit).await
}

/// One page of the live invitations to an address, newest first.
pub(super) async fn to_address(
    tx: &mut Tx<'_, Tenant>,
    (email, now): (&Email, Timestamp),
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Invitation>> {
    let wanted = EMAIL.eq(email.clone()) & live(now);
    tx.page(wanted, CREATED_AT, after, limit).await
}

/// The live invitation to an address into an organisation.
pub(super) async fn pending(
    tx: &mut Tx<'_, Tenant>,
    (org, email): (OrgId, &Email),
    now: Timestamp,
) -> Stored<Option<Invitation>> {
    let wanted = ORG_ID.eq(org) & EMAIL.eq(email.clone()) & live(now);
    tx.find_one(wanted).await
}

pub(super) async fn by_token(
    tx: &mut Tx<'_, AcrossTenants>,
    digest: &str,
) -> Stored<Option<Invitation>> {
    tx.find_one(TOKEN.eq(digest.to_owned())).await
}

/// The same within its tenant, in the unit of work that answers it.
pub(super) async fn by_token_within(
    tx: &mut Tx<'_, Tenant>,
    digest: &str,
) -> Stored<Option<Invitation>> {
    tx.find_one(TOKEN.eq(digest.to_owned())).await
}

/// Takes an invitation to the address whose term is over out of the way of a new one.
pub(super) async fn supersede(
    tx: &mut Tx<'_, Tenant>,
    (org, email): (OrgId, &Email),
    now: Timestamp,
) -> Stored<Option<Invitation>> {
    let which = ORG_ID.eq(org) & EMAIL.eq(email.clone()) & lapsed(now);
    tx.update_one(which, ended(InvitationStatus::Superseded, now))
        .await
}

/// Turns a live invitation into an accepted one. Of any number of racers, exactly one gets it.
pub(super) async fn accept(
    tx: &mut Tx<'_, Tenant>,
    invitation: &Invitation,
    user: UserId,
    now: Timestamp,
) -> Stored<Option<Invitation>> {
    let which = of_this_generation(invitation) & live(now);
    let accepted = ended(InvitationStatus::Accepted, now).and(USER_ID.set(user));
    tx.update_one(which, accepted).await
}

/// Turns a live invitation into a declined one.
pub(super) async fn decline(
    tx: &mut Tx<'_, Tenant>,
    invitation: &Invitation,
    now: Timestamp,
) -> Stored<Option<Invitation>> {
    let which = of_this_generation(invitation) & live(now);
    tx.update_one(which, ended(InvitationStatus::Declined, now))
        .await
}

/// Revokes a pending invitation, also one whose term is over.
pub(super) async fn revoke(
    tx: &mut Tx<'_, Tenant>,
    invitation: &Invitation,
    now: Timestamp,
) -> Stored<Option<Invitation>> {
    let which = by_id(invitation.id) & STATUS.eq(InvitationStatus::Pending);
    tx.update_one(which, ended(InvitationStatus::Revoked, now))
        .await
}

/// Gives a pending invitation another secret and term, also one whose term is over.
pub(super) async fn renew(
    tx: &mut Tx<'_, Tenant>,
    invitation: &Invitation,
    renewal: &Renewal,
    now: Timestamp,
) -> Stored<Option<Invitation>> {
    let which = of_this_generation(invitation) & STATUS.eq(InvitationStatus::Pending);
    let Inviter { authority, id } = renewal.inviter;
    let inviter = id.map_or_else(|| INVITER_ID.unset(), |id| INVITER_ID.set(id));
    let update = GENERATION
        .inc(1)
        .and(TOKEN.set(renewal.digest.clone()))
        .and(EXPIRES_AT.set(renewal.expires_at))
        .and(inviter)
        .and(AUTHORITY.set(authority))
        .and(UPDATED_AT.set(now));
    tx.update_one(which, update).await
}

fn of_this_generation(invitation: &Invitation) -> Filter<Invitation> {
    by_id(invitation.id) & GENERATION.eq(invitation.generation)
}

/// Invitations to a user, newest first: to his address, once it is proven, and those that he has
/// accepted under another; `most` of each at most.
pub async fn received(tx: &mut Tx<'_, AppId>, user: &User, most: u32) -> Stored<Vec<Invitation>> {
    let mut all = newest(tx, USER_ID.eq(user.id), most).await?;
    if user.email_verified {
        let to_him = newest(tx, EMAIL.eq(user.email.clone()), most).await?;
        let known: Vec<InvitationId> = all.iter().map(|it| it.id).collect();
        all.extend(to_him.into_iter().filter(|it| !known.contains(&it.id)));
        all.sort_by_key(|it| Reverse(it.created_at));
    }
    Ok(all)
}

/// Invitations that a user has sent, newest first, `most` at most.
pub async fn sent(tx: &mut Tx<'_, AppId>, user: UserId, most: u32) -> Stored<Vec<Invitation>> {
    newest(tx, INVITER_ID.eq(user), most).await
}

async fn newest(
    tx: &mut Tx<'_, AppId>,
    wanted: Filter<Invitation>,
    most: u32,
) -> Stored<Vec<Invitation>> {
    tx.find(Query::of(wanted).newest_by(CREATED_AT).window(0, most))
        .await
}

/// Removes the invitations to a user who leaves the app, and revokes those that he has sent, which
/// name him no more; their letters go too, because they name both. `user` is as he was before. What
/// it gives are those that have been revoked, each as it was.
pub async fn forget(
    tx: &mut Tx<'_, AppId>,
    user: &User,
    now: Timestamp,
) -> Stored<Vec<Invitation>> {
    remove_all(tx, &USER_ID.eq(user.id)).await?;
    if user.email_verified {
        remove_all(tx, &EMAIL.eq(user.email.clone())).await?;
    }
    let by_him = INVITER_ID.eq(user.id);
    let mut revoked = Vec::new();
    loop {
        let some = some_of(tx, &by_him).await?;
        if some.is_empty() {
            return Ok(revoked);
        }
        let ids: Vec<InvitationId> = some.iter().map(|it| it.id).collect();
        notifications::forget_invitations(tx, &ids).await?;
        let mut open = some;
        open.retain(|it| it.status == InvitationStatus::Pending);
        let orgs: BTreeSet<OrgId> = open.iter().map(|it| it.org_id).collect();
        let orgs: Vec<OrgId> = orgs.into_iter().collect();
        memberships::all_changed(tx, &orgs, now).await?;
        let pending = ID.one_of(ids.iter().copied()) & STATUS.eq(InvitationStatus::Pending);
        tx.update_many(pending, ended(InvitationStatus::Revoked, now))
            .await?;
        tx.update_many(ID.one_of(ids), INVITER_ID.unset()).await?;
        revoked.extend(open);
    }
}

async fn remove_all(tx: &mut Tx<'_, AppId>, wanted: &Filter<Invitation>) -> Stored<()> {
    loop {
        let some = some_of(tx, wanted).await?;
        if some.is_empty() {
            return Ok(());
        }
        let ids: Vec<InvitationId> = some.iter().map(|it| it.id).collect();
        notifications::forget_invitations(tx, &ids).await?;
        tx.delete_many(ID.one_of(ids)).await?;
    }
}

/// As many as one filter names.
async fn some_of(tx: &mut Tx<'_, AppId>, wanted: &Filter<Invitation>) -> Stored<Vec<Invitation>> {
    tx.find(Query::of(wanted.clone()).window(0, AT_ONCE)).await
}
