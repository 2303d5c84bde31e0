//! Reading roles: one, or all that there are, built-in ones first.

use super::ground::{Ground, Visit};
use super::service::{RoleError, Roles};
use crate::access::{BuiltInRole, OrgPolicy, OrgRole, Pattern};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::time::Timestamp;
use crate::rbac::CustomRole;

/// A role as clients are told of it.
#[derive(Debug, Clone)]
pub(super) enum KnownRole {
    BuiltIn {
        role: BuiltInRole,
        parent: Option<OrgRole>,
        permissions: Vec<Pattern>,
    },
    Custom(CustomRole),
}

impl KnownRole {
    fn built_in(role: BuiltInRole, policy: &OrgPolicy) -> Self {
        let whole = OrgRole::BuiltIn(role);
        let own = policy.lines(whole).into_iter();
        let own = own.filter(|source| source.path.len() == 1);
        Self::BuiltIn {
            role,
            parent: policy.parent(whole),
            permissions: own.map(|source| source.line).collect(),
        }
    }

    /// Its place in the list: built-in ones as they are ranked, then the others, oldest first.
    fn place(&self) -> Position {
        match self {
            Self::BuiltIn { role, .. } => {
                let rank = BuiltInRole::ALL.iter().take_while(|it| *it != role);
                Position {
                    at: Timestamp::from_millis(i64::try_from(rank.count()).unwrap_or_default()),
                    id: role.as_str().to_owned(),
                }
            }
            Self::Custom(role) => Position {
                at: role.created_at,
                id: role.id.to_string(),
            },
        }
    }
}

impl Roles {
    /// The roles that there are, oldest first: those that come while pages are read come last.
    pub(super) async fn list(
        &self,
        visit: &Visit<'_>,
        (after, limit): (Option<&Position>, Limit),
    ) -> Result<Slice<KnownRole>, RoleError> {
        let read = self.store.read(async |tx| {
            let mut tx = tx.within(visit.caller.tenant);
            self.ground(&mut tx, visit).await
        });
        let mut all: Vec<(Position, KnownRole)> = known(&read.await?)
            .map(|role| (role.place(), role))
            .collect();
        let key = |place: &Position| (place.at, place.id.clone());
        all.sort_by_cached_key(|(place, _)| key(place));
        all.retain(|(place, _)| after.is_none_or(|after| key(place) > key(after)));
        let more = all.len() > limit.get() as usize;
        all.truncate(limit.get() as usize);
        Ok(Slice {
            next: all.last().filter(|_| more).map(|(place, _)| place.clone()),
            items: all.into_iter().map(|(_, role)| role).collect(),
        })
    }

    pub(super) async fn get(&self, visit: &Visit<'_>, which: &str) -> Result<KnownRole, RoleError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(visit.caller.tenant);
                let ground = self.ground(&mut tx, visit).await?;
                match ground.policy.role(which).ok_or(RoleError::Unknown)? {
                    OrgRole::BuiltIn(role) => Ok(KnownRole::built_in(role, &ground.policy)),
                    OrgRole::Custom(id) => {
                        let role = ground.custom(id).ok_or(RoleError::Unknown)?;
                        Ok(KnownRole::Custom(role.clone()))
                    }
                }
            })
            .await
    }
}

fn known(ground: &Ground) -> impl Iterator<Item = KnownRole> {
    let built_in = BuiltInRole::ALL.map(|role| KnownRole::built_in(role, &ground.policy));
    let defined = ground.roles.iter().cloned().map(KnownRole::Custom);
    built_in.into_iter().chain(defined)
}
