//! On whose authority users come and go: asked again and again, for a transfer lasts.

use super::importing::CutShort;
use crate::access::{InApp, Permission, Role, assignable};
use crate::events::Party;
use crate::http::{Allowed, Problem};

/// Whoever transfers users.
#[derive(Debug)]
pub enum Authority<P> {
    /// Who has the machine in hand.
    Machine,
    /// Who was let in by a guard.
    Caller(Box<Allowed<P>>),
}

/// Whom a unit of work is by, and which roles he could give at that moment.
#[derive(Debug)]
pub(super) struct By {
    pub party: Party,
    may_give: Vec<Role>,
}

impl<P: Permission<In = InApp>> Authority<P> {
    pub fn caller(access: Allowed<P>) -> Self {
        Self::Caller(Box::new(access))
    }

    /// The caller, judged anew; `None` for who has the machine in hand.
    pub(super) async fn again(&self) -> Result<Option<Allowed<P>>, Problem> {
        match self {
            Self::Machine => Ok(None),
            Self::Caller(access) => access.again().await.map(Some),
        }
    }

    pub(super) async fn by(&self, is_platform: bool) -> Result<By, CutShort> {
        let access = self.again().await.map_err(CutShort::Refused)?;
        let Some(access) = access else {
            return Ok(By {
                party: Party::system(),
                may_give: assignable(is_platform).to_vec(),
            });
        };
        let caller = access.caller();
        let all = assignable(is_platform).iter().copied();
        Ok(By {
            party: caller.party(),
            may_give: all
                .filter(|role| caller.holds(*role, is_platform))
                .collect(),
        })
    }
}

impl By {
    /// Whether he could give these. What everybody is, is nobody's to give.
    pub(super) fn may_give(&self, roles: &[Role]) -> bool {
        let mut beyond = roles.iter().filter(|role| **role != Role::User);
        beyond.all(|role| self.may_give.contains(role))
    }
}
