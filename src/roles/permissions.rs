//! The permissions of a template, one by one.

use super::ground::Visit;
use super::service::{RoleError, Roles};
use crate::access::Pattern;
use crate::rbac::{CustomRole, RoleChanges};

impl Roles {
    /// Grants one permission more; nothing changes where the role has it.
    pub(super) async fn grant(
        &self,
        visit: &Visit<'_>,
        which: &str,
        line: &Pattern,
    ) -> Result<(), RoleError> {
        let also = |role: &CustomRole| {
            let mut lines = role.permissions.clone();
            if !lines.contains(line) {
                lines.push(line.clone());
            }
            Ok(lines)
        };
        let granted = self.regrant(visit, which, also).await;
        granted.map_err(|error| {
            if matches!(error, RoleError::UnknownPermission(_)) {
                return RoleError::UnknownGrant;
            }
            error
        })
    }

    /// Takes one permission away; [`RoleError::Unknown`] where the role does not have exactly it.
    pub(super) async fn withdraw(
        &self,
        visit: &Visit<'_>,
        which: &str,
        line: &Pattern,
    ) -> Result<(), RoleError> {
        let without = |role: &CustomRole| {
            let mut left = role.permissions.clone();
            left.retain(|other| other != line);
            if left.len() == role.permissions.len() {
                return Err(RoleError::Unknown);
            }
            Ok(left)
        };
        self.regrant(visit, which, without).await
    }

    async fn regrant(
        &self,
        visit: &Visit<'_>,
        which: &str,
        lines: impl Fn(&CustomRole) -> Result<Vec<Pattern>, RoleError>,
    ) -> Result<(), RoleError> {
        let (_, revoked) = self
            .write(async |tx| {
                let mut tx = tx.within(visit.caller.tenant);
                let ground = self.ground(&mut tx, visit).await?;
                let role = ground.own(which)?;
                let changes = RoleChanges {
                    permissions: Some(lines(role)?),
                    ..RoleChanges::default()
                };
                let wanted = changes.applied_to(role);
                self.redefine(&mut tx, visit, (&ground, role, wanted)).await
            })
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(())
    }
}
