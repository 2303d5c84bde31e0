use super::{Invitation, InvitationStatus};
use crate::kernel::id::OrgId;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::notifications;
use crate::store::{Field, Stored, Tx};

const ORG_ID: Field<Invitation, OrgId> = Field::at("org_id");
const EMAIL: Field<Invitation, Email> = Field::at("email");
const STATUS: Field<Invitation, InvitationStatus> = Field::at("status");
const UPDATED_AT: Field<Invitation, Timestamp> = Field::at("updated_at");

/// Revokes what is pending for an address, so that nobody who has had a place comes back by an offer
/// from before, and takes back its letter.
pub(in crate::memberships) async fn close_offers(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    email: &Email,
    now: Timestamp,
) -> Stored<()> {
    let pending = STATUS.eq(InvitationStatus::Pending);
    let theirs = ORG_ID.eq(org) & EMAIL.eq(email.clone()) & pending;
    let revoked = STATUS.set(InvitationStatus::Revoked);
    // At most one is pending: `ALREADY_INVITED`.
    let closed = tx.update_one(theirs, revoked.and(UPDATED_AT.set(now)));
    match closed.await? {
        Some(closed) => notifications::retract(tx, closed.id).await,
        None => Ok(()),
    }
}
