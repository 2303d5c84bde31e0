//! Refusing the older tokens of members whose rights change: of each, or, where they are many, of
//! everybody in the organisation by one word.

use super::holders::reached_by;
use super::teams::everybody_in;
use crate::access::OrgRole;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{OrgId, TeamId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};
use crate::tokens::{Revocation, revoke_member, revoke_organization};

/// Of more members than these, each is not named.
const MOST: u32 = 20;

/// Refuses the tokens of whoever is in a team that are older than this version of the organisation.
pub async fn revoke_team(
    tx: &mut Tx<'_, Tenant>,
    team: TeamId,
    older: (OrgId, i64),
    made: (Timestamp, &Entropy),
) -> Stored<Vec<Revocation>> {
    let places = everybody_in(tx, team, MOST + 1).await?;
    let whose: Vec<UserId> = places.iter().map(|place| place.user_id).collect();
    revoke(tx, (&whose, whose.len() > MOST as usize), older, made).await
}

/// Refuses the same of whomever any of these roles reaches.
pub async fn revoke_reached(
    tx: &mut Tx<'_, Tenant>,
    roles: &[OrgRole],
    older: (OrgId, i64),
    made: (Timestamp, &Entropy),
) -> Stored<Vec<Revocation>> {
    let reached = reached_by(tx, Some(older.0), roles, MOST).await?;
    let whose = reached.members.iter().map(|member| member.user_id);
    let whose: Vec<UserId> = whose.collect();
    revoke(tx, (&whose, reached.has_more), older, made).await
}

async fn revoke(
    tx: &mut Tx<'_, Tenant>,
    (whose, are_many): (&[UserId], bool),
    (org, below): (OrgId, i64),
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Vec<Revocation>> {
    if are_many {
        let all = revoke_organization(tx, org, below, now, entropy).await?;
        return Ok(vec![all]);
    }
    let mut revoked = Vec::new();
    for user in whose {
        revoked.push(revoke_member(tx, (org, *user), below, now, entropy).await?);
    }
    Ok(revoked)
}
