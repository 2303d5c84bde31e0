//! Asking who is allowed what: the checks of one request, in order. What is not in memory is read as
//! of one instant.

use super::deciding::{self, Check, Decision, Explanation};
use super::looking::{Judged, Looks};
use super::service::Permissions;
use crate::access::ReadOrganizationRoles;
use crate::http::Caller;
use crate::kernel::id::{AppId, OrgId, UserId};
use crate::store::{Stored, Tx};

/// One check.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub what: Check,
    /// Absent: in the app.
    pub org_id: Option<OrgId>,
    /// Absent: about the asker.
    pub user_id: Option<UserId>,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Asker<'a> {
    pub caller: &'a Caller,
    /// Whether he may ask about any user of the app.
    pub may_ask_of_others: bool,
}

impl Asker<'_> {
    /// Whether he is this user of the app asked in. An operator who acts on another app is none of it.
    pub(super) fn is(&self, id: UserId) -> bool {
        self.caller.user() == Some(id)
    }
}

impl Permissions {
    /// Answers each check, in the order of the checks. With `explain`, says by which roles and lines,
    /// or who would be allowed.
    pub(super) async fn check(
        &self,
        asker: &Asker<'_>,
        (checks, explain): (&[Asked], bool),
    ) -> Stored<Vec<Decision>> {
        let now = self.clock.now();
        self.store
            .read(async |tx: &mut Tx<'_>| {
                let mut tx = tx.within(asker.caller.tenant);
                let mut looks = Looks::new((self, asker), &mut tx, now);
                let mut decisions = Vec::with_capacity(checks.len());
                for asked in checks {
                    decisions.push(self.answer(&mut looks, asked, explain).await?);
                }
                Ok(decisions)
            })
            .await
    }

    async fn answer(
        &self,
        looks: &mut Looks<'_, '_>,
        asked: &Asked,
        explain: bool,
    ) -> Stored<Decision> {
        let check = &asked.what;
        match looks.find((asked.org_id, asked.user_id)).await? {
            Err(reason) => Ok(Decision::new(reason, explain.then(Explanation::default))),
            Ok(Judged::InApp(subjects)) => {
                let is_platform = self.is_platform(looks.asker.caller.tenant.app_id);
                let reason = deciding::in_app(&self.policy, &subjects, check);
                let why = || deciding::why_in_app(&self.policy, (&subjects, is_platform), check);
                Ok(Decision::new(reason, explain.then(why)))
            }
            Ok(Judged::InOrganization { standing, asker }) => {
                let reason = deciding::in_organization(&standing, check);
                let why = || {
                    let knows_roles = asker.allows::<ReadOrganizationRoles>();
                    deciding::why_in_organization(&standing, knows_roles, check)
                };
                Ok(Decision::new(reason, explain.then(why)))
            }
        }
    }

    pub(super) fn is_platform(&self, app: AppId) -> bool {
        app == self.memberships.platform
    }
}
