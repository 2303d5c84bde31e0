//! Who inherits from a role of the app: other roles of the app, and those of its organisations.

use super::ground::Ground;
use super::service::{MOST_DEEP, RoleError};
use crate::access::OrgRole;
use crate::kernel::id::{AppId, RoleId};
use crate::kernel::tenant::Tenant;
use crate::rbac::{self, CustomRole};
use crate::store::{Stored, Tx};

/// How many roles are looked for that inherit from one.
const MOST_BELOW: u32 = 1_000;

/// Those that inherit from a role, the nearest first: each list is one step further away.
pub(super) async fn levels_below(tx: &mut Tx<'_, AppId>, role: RoleId) -> Stored<Vec<Vec<RoleId>>> {
    let (mut levels, mut known) = (Vec::new(), vec![role]);
    let mut level = vec![role];
    while known.len() <= MOST_BELOW as usize {
        let mut next = Vec::new();
        for parent in &level {
            for child in rbac::children(tx, *parent, MOST_BELOW).await? {
                if !known.contains(&child.id) {
                    known.push(child.id);
                    next.push(child.id);
                }
            }
        }
        if next.is_empty() {
            break;
        }
        levels.push(next.clone());
        level = next;
    }
    Ok(levels)
}

/// Refuses a place below `above` others for a role of the app, or for who takes its place, where
/// roles of organisations would then inherit through too many. Those that an organisation has it sees
/// itself.
pub(super) async fn may_sink(
    tx: &mut Tx<'_, Tenant>,
    ground: &Ground,
    (role, above): (&CustomRole, usize),
) -> Result<(), RoleError> {
    if ground.org.is_some() {
        return Ok(());
    }
    let below = levels_below(&mut tx.within(role.app_id), role.id).await?;
    if above + below.len() > MOST_DEEP {
        return Err(RoleError::TooDeep);
    }
    Ok(())
}

impl Ground {
    /// How many defined roles a role inherits through, itself counted.
    pub(super) fn depth(&self, role: Option<OrgRole>) -> usize {
        let first = role.and_then(OrgRole::custom);
        first.map_or(0, |first| self.chain_from(first).len())
    }
}
