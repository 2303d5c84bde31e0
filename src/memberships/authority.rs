//! Authority: who stands behind an offer, and what he may do in an organisation at this moment.

use serde::{Deserialize, Serialize};

use super::entering::Memberships;
use super::standing::Standing;
use crate::access::{Role, subjects};
use crate::http::{Caller, Principal};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};
use crate::users;

/// Subjects that an operator takes along into another app.
const OF_THE_PLATFORM: &str = "platform:";

/// As what somebody has made an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// A user of the app, by his place in the organisation or his roles in the app.
    User,
    /// A user of the platform.
    Operator,
    /// The app itself, by a secret key.
    Backend,
}

/// Who has made an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inviter {
    pub authority: Authority,
    /// `None` for a backend, and for who is gone.
    pub id: Option<UserId>,
}

impl Inviter {
    pub fn of(caller: &Caller) -> Self {
        match caller.principal {
            Principal::User { user_id, .. } => Self {
                authority: if caller.home == caller.tenant {
                    Authority::User
                } else {
                    Authority::Operator
                },
                id: Some(user_id),
            },
            Principal::Key { .. } => Self {
                authority: caller
                    .user()
                    .map_or(Authority::Backend, |_| Authority::User),
                id: caller.user(),
            },
        }
    }

    /// Him, where he is a user of the app.
    pub fn user(self) -> Option<UserId> {
        self.id.filter(|_| self.authority == Authority::User)
    }
}

impl Memberships {
    /// What an inviter is in an organisation now; `None` where he is gone or may not sign in, or the
    /// organisation is gone. An app speaks for itself whichever of its keys has spoken.
    pub async fn present(
        &self,
        tx: &mut Tx<'_>,
        (tenant, org): (Tenant, OrgId),
        inviter: Inviter,
        now: Timestamp,
    ) -> Stored<Option<Standing>> {
        let Some((user, own)) = self.behind(tx, tenant, inviter, now).await? else {
            return Ok(None);
        };
        let mut tx = tx.within(tenant);
        let footing = self.footing(&mut tx, (org, user)).await?;
        Ok(footing.map(|footing| Standing::new(footing, own)))
    }

    /// Him, where he may be a member, and what he is in the app.
    async fn behind(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        inviter: Inviter,
        now: Timestamp,
    ) -> Stored<Option<(Option<UserId>, Vec<String>)>> {
        let is_platform = tenant.app_id == self.platform;
        let home = match inviter.authority {
            Authority::Backend => return Ok(Some((None, subjects(is_platform, &[Role::Admin])))),
            Authority::Operator => self.platform,
            Authority::User => tenant.app_id,
        };
        let Some(id) = inviter.id else {
            return Ok(None);
        };
        let user = users::get(&mut tx.within(home), id).await?;
        let Some(user) = user.filter(|user| user.may_sign_in(now)) else {
            return Ok(None);
        };
        let mut own = subjects(home == self.platform, &user.roles);
        if inviter.authority == Authority::Operator {
            own.retain(|subject| subject.starts_with(OF_THE_PLATFORM));
        }
        Ok(Some((inviter.user(), own)))
    }
}
