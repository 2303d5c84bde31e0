//! What a request of checks has seen so far: each standing is looked up once.

use std::collections::HashMap;
use std::sync::Arc;

use super::asking::Asker;
use super::deciding::Reason;
use super::service::Permissions;
use crate::access::{CheckRights, EnterOrganizations, Permission, subjects};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::memberships::Standing;
use crate::store::{Stored, Tx};
use crate::users::{self, User};

/// Where, in the app or in an organisation; and about whom, the asker or somebody else.
pub(super) type About = (Option<OrgId>, Option<UserId>);

/// Whose rights are asked for, and so by which policy they are judged.
#[derive(Debug, Clone)]
pub(super) enum Judged {
    InApp(Vec<String>),
    InOrganization {
        standing: Arc<Standing>,
        /// The asker's own: it says what he may be told of the answer.
        asker: Arc<Standing>,
    },
}

/// Who is asked about, or why he is not to be judged.
type Found = Result<Judged, Reason>;

/// The looks of one request, in its one unit of work.
#[derive(Debug)]
pub(super) struct Looks<'a, 'tx> {
    pub asking: &'a Permissions,
    pub asker: &'a Asker<'a>,
    pub tx: &'a mut Tx<'tx, Tenant>,
    pub now: Timestamp,
    own: HashMap<OrgId, Option<Arc<Standing>>>,
    others: HashMap<(Option<OrgId>, UserId), Found>,
    users: HashMap<UserId, Option<Arc<User>>>,
}

impl<'a, 'tx> Looks<'a, 'tx> {
    pub(super) fn new(
        (asking, asker): (&'a Permissions, &'a Asker<'a>),
        tx: &'a mut Tx<'tx, Tenant>,
        now: Timestamp,
    ) -> Self {
        Self {
            asking,
            asker,
            tx,
            now,
            own: HashMap::new(),
            others: HashMap::new(),
            users: HashMap::new(),
        }
    }

    pub(super) async fn find(&mut self, (org, user): About) -> Stored<Found> {
        let user = user.filter(|id| !self.asker.is(*id));
        let Some(user) = user else {
            let Some(org) = org else {
                return Ok(Ok(Judged::InApp(self.asker.caller.subjects.clone())));
            };
            let own = self.own(org).await?;
            let judged = own.map(|own| Judged::InOrganization {
                standing: own.clone(),
                asker: own,
            });
            return Ok(judged.ok_or(Reason::Unknown));
        };
        if let Some(found) = self.others.get(&(org, user)) {
            return Ok(found.clone());
        }
        let found = match org {
            None => self.in_app(user).await?,
            Some(org) => self.in_organization(org, user).await?,
        };
        self.others.insert((org, user), found.clone());
        Ok(found)
    }

    /// The asker's own standing, where he may act in organisations at all.
    async fn own(&mut self, org: OrgId) -> Stored<Option<Arc<Standing>>> {
        if let Some(own) = self.own.get(&org) {
            return Ok(own.clone());
        }
        let caller = self.asker.caller;
        let own = if self.may_enter(&caller.subjects) {
            let memberships = &self.asking.memberships;
            memberships.seen_of_caller(self.tx, caller, org).await?
        } else {
            None
        };
        let own = own.map(Arc::new);
        self.own.insert(org, own.clone());
        Ok(own)
    }

    async fn in_app(&mut self, user: UserId) -> Stored<Found> {
        if !self.asker.may_ask_of_others {
            return Ok(Err(Reason::MayNotAsk));
        }
        let Some(user) = self.user(user).await? else {
            return Ok(Err(Reason::Unknown));
        };
        if !user.may_sign_in(self.now) {
            return Ok(Err(Reason::Inactive));
        }
        Ok(Ok(Judged::InApp(self.subjects_of(&user))))
    }

    /// Whoever may ask about others there, but not in the whole app, knows members only.
    async fn in_organization(&mut self, org: OrgId, user: UserId) -> Stored<Found> {
        let Some(own) = self.own(org).await? else {
            return Ok(Err(Reason::Unknown));
        };
        if !own.allows::<CheckRights>() {
            return Ok(Err(Reason::MayNotAsk));
        }
        let Some(user) = self.user(user).await? else {
            return Ok(Err(Reason::Unknown));
        };
        let memberships = &self.asking.memberships;
        let standing = memberships.seen_of_user(self.tx, &user, org).await?;
        let knows_all = self.asker.may_ask_of_others;
        let standing = standing.filter(|it| knows_all || it.member.is_some());
        let Some(standing) = standing else {
            return Ok(Err(Reason::Unknown));
        };
        if !user.may_sign_in(self.now) || !self.may_enter(&self.subjects_of(&user)) {
            return Ok(Err(Reason::Inactive));
        }
        Ok(Ok(Judged::InOrganization {
            standing: Arc::new(standing),
            asker: own,
        }))
    }

    async fn user(&mut self, id: UserId) -> Stored<Option<Arc<User>>> {
        if let Some(user) = self.users.get(&id) {
            return Ok(user.clone());
        }
        let user = users::get(self.tx, id).await?.map(Arc::new);
        self.users.insert(id, user.clone());
        Ok(user)
    }

    fn subjects_of(&self, user: &User) -> Vec<String> {
        subjects(self.asking.is_platform(user.app_id), &user.roles)
    }

    fn may_enter(&self, subjects: &[String]) -> bool {
        let (object, action) = (EnterOrganizations::OBJECT, EnterOrganizations::ACTION);
        self.asking.policy.allows(subjects, object, action)
    }
}
