//! The members of an organisation: who they are, and what becomes of them.

use std::collections::HashMap;

use super::service::{OrgError, Orgs, may_tell};
use crate::api_keys;
use crate::events::{self, Name, Party};
use crate::http::Entrance;
use crate::kernel::id::{MemberId, OrgId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::memberships::{self, EnterError, Member, NewMember, Standing};
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::Revocation;
use crate::users::{self, User};

/// A member, with what his roles are called and who he is.
#[derive(Debug, Clone)]
pub struct KnownMember {
    pub member: Member,
    pub roles: Vec<String>,
    pub user: Option<User>,
}

impl Orgs {
    pub(super) async fn members(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<KnownMember>, OrgError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let standing = self.memberships.enter(&mut tx, entrance, org).await?;
                let found = memberships::members(&mut tx, org, page).await?;
                Ok(Slice {
                    items: known(&mut tx, &standing, found.items).await?,
                    next: found.next,
                })
            })
            .await
    }

    pub(super) async fn member(
        &self,
        entrance: &Entrance<'_>,
        (org, id): (OrgId, MemberId),
    ) -> Result<KnownMember, OrgError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let (standing, member) = self.whom(&mut tx, entrance, (org, id)).await?;
                known_one(&mut tx, &standing, member).await
            })
            .await
    }

    async fn whom(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        (org, id): (OrgId, MemberId),
    ) -> Result<(Standing, Member), OrgError> {
        let standing = self.memberships.enter(tx, entrance, org).await?;
        let member = memberships::member(tx, org, id).await?;
        Ok((standing, member.ok_or(EnterError::Unknown)?))
    }

    /// Makes a user of the app a member at once.
    pub(super) async fn add(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
        (user, names): (UserId, &[String]),
    ) -> Result<KnownMember, OrgError> {
        let (now, caller) = (self.clock.now(), entrance.caller);
        let _turn = self.turns.of(org).await;
        self.store
            .write(async |tx| {
                let mut tx = tx.within(caller.tenant);
                let standing = self.memberships.enter(&mut tx, entrance, org).await?;
                let roles = standing.meant(names)?;
                standing.may_touch(&roles)?;
                let new = NewMember {
                    user,
                    roles,
                    invited_by: None,
                };
                let joined = memberships::join(&mut tx, org, new, (now, &self.entropy)).await?;
                let joined = known_one(&mut tx, &standing, joined).await?;
                let told = self
                    .event(Name::MemberAdded, (caller, org), (now, entrance.origin))
                    .on(Party::new("user", user))
                    .with("roles", joined.roles.clone());
                events::record(&mut tx, &told).await?;
                Ok::<_, OrgError>(joined)
            })
            .await
    }

    /// Gives a member exactly these roles. Nobody gives or takes one that amounts to more than he
    /// has.
    pub(super) async fn change_roles(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, MemberId),
        names: &[String],
    ) -> Result<KnownMember, OrgError> {
        let (changed, revoked) = self
            .store
            .write(async |tx| self.change_in(tx, entrance, which, names).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(changed)
    }

    async fn change_in(
        &self,
        tx: &mut Tx<'_>,
        entrance: &Entrance<'_>,
        which: (OrgId, MemberId),
        names: &[String],
    ) -> Result<(KnownMember, Option<Revocation>), OrgError> {
        let made = (self.clock.now(), &self.entropy);
        let mut tx = tx.within(entrance.caller.tenant);
        let (standing, member) = self.whom(&mut tx, entrance, which).await?;
        let (by, roles) = ((&standing, entrance), standing.meant(names)?);
        let changed = memberships::change_roles::<OrgError>(&mut tx, by, (member, &roles), made);
        let (changed, revoked) = changed.await?;
        Ok((known_one(&mut tx, &standing, changed).await?, revoked))
    }

    /// Ends a membership. Nobody removes a member who has a role that amounts to more than he has, or
    /// is in a team that he could not take him out of.
    pub(super) async fn remove(
        &self,
        entrance: &Entrance<'_>,
        (org, id): (OrgId, MemberId),
    ) -> Result<(), OrgError> {
        let (now, caller) = (self.clock.now(), entrance.caller);
        let revoked = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(caller.tenant);
                let (standing, member) = self.whom(&mut tx, entrance, (org, id)).await?;
                let places = memberships::places(&mut tx, org, member.user_id).await?;
                standing.may_remove(&member, &places)?;
                let made = (now, &self.entropy);
                let revoked = memberships::leave(&mut tx, &member, made).await?;
                let tell = may_tell(entrance, made);
                api_keys::creator_left(&mut tx, (org, member.user_id), &tell).await?;
                let told = self
                    .event(Name::MemberRemoved, (caller, org), (now, entrance.origin))
                    .on(Party::new("user", member.user_id));
                events::record(&mut tx, &told).await?;
                Ok::<_, OrgError>(revoked)
            })
            .await?;
        self.revocations.apply(&revoked);
        Ok(())
    }
}

async fn known_one(
    tx: &mut Tx<'_, Tenant>,
    standing: &Standing,
    member: Member,
) -> Result<KnownMember, OrgError> {
    let one = known(tx, standing, vec![member]).await?.pop();
    Ok(one.ok_or(StoreError::Conflict)?)
}

/// Members with what their roles are called and who they are.
async fn known(
    tx: &mut Tx<'_, Tenant>,
    standing: &Standing,
    members: Vec<Member>,
) -> Stored<Vec<KnownMember>> {
    let ids = members.iter().map(|member| member.user_id);
    let users = users::by_ids(tx, ids).await?.into_iter();
    let mut users: HashMap<UserId, User> = users.map(|user| (user.id, user)).collect();
    let whole = |member: Member| KnownMember {
        roles: standing.policy.names(&member.roles),
        user: users.remove(&member.user_id),
        member,
    };
    Ok(members.into_iter().map(whole).collect())
}
