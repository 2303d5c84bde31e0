use super::record::{Member, Organization};
use crate::access::OrgRole;
use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{MemberId, OrgId, PolicyId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, Update, by_id};

const NAME: Field<Organization, Label> = Field::at("name");
const SLUG: Field<Organization, Slug> = Field::at("slug");
const LOGO: Field<Organization, String> = Field::at("logo");
const METADATA: Field<Organization, Metadata> = Field::at("metadata");
const OWNER_COUNT: Field<Organization, i64> = Field::at("owner_count");
const MEMBER_COUNT: Field<Organization, i64> = Field::at("member_count");
const MAX_MEMBERS: Field<Organization, i64> = Field::at("max_members");
const VERSION: Field<Organization, i64> = Field::at("version");
const POLICY_ID: Field<Organization, PolicyId> = Field::at("policy_id");
const CREATED_AT: Field<Organization, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Organization, Timestamp> = Field::at("updated_at");

const ORG_ID: Field<Member, OrgId> = Field::at("org_id");
const USER_ID: Field<Member, UserId> = Field::at("user_id");
const ROLES: Field<Member, Vec<OrgRole>> = Field::at("roles");
const JOINED_AT: Field<Member, Timestamp> = Field::at("created_at");
const CHANGED_AT: Field<Member, Timestamp> = Field::at("updated_at");

/// What becomes of an organisation.
#[derive(Debug, Clone, Default)]
pub struct OrganizationChanges {
    pub name: Option<Label>,
    pub slug: Option<Slug>,
    pub logo: Change<String>,
    pub metadata: Option<Metadata>,
    pub max_members: Change<i64>,
}

pub async fn get<S>(tx: &mut Tx<'_, S>, id: OrgId) -> Stored<Option<Organization>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.get(id).await
}

pub async fn by_slug(tx: &mut Tx<'_, Tenant>, slug: &Slug) -> Stored<Option<Organization>> {
    tx.find_one(SLUG.eq(slug.clone())).await
}

/// How many organisations the environment has.
pub async fn organization_count(tx: &mut Tx<'_, Tenant>) -> Stored<u64> {
    tx.count::<Organization>(Filter::all()).await
}

/// [`super::SLUG_TAKEN`] where another one of the environment has the slug.
pub(super) async fn insert(tx: &mut Tx<'_, Tenant>, organization: &Organization) -> Stored<()> {
    tx.mark(organization.id);
    tx.insert(organization).await
}

/// Notes that something in the organisation changes; `None` where it is gone.
pub(super) async fn changed(
    tx: &mut Tx<'_, Tenant>,
    id: OrgId,
    now: Timestamp,
) -> Stored<Option<Organization>> {
    tx.mark(id);
    tx.update_one(by_id(id), change(now)).await
}

fn change(now: Timestamp) -> Update<Organization> {
    VERSION.inc(1).and(UPDATED_AT.set(now))
}

/// Notes the same in several organisations; how many of them are there.
pub async fn all_changed<S>(tx: &mut Tx<'_, S>, ids: &[OrgId], now: Timestamp) -> Stored<u64>
where
    S: Copy + Reaches<OfEnvironment>,
{
    for id in ids {
        tx.mark(*id);
    }
    let which = Field::at("_id").one_of(ids.iter().copied());
    tx.update_many(which, change(now)).await
}

/// Gives the organisation's part of its policy a new version, in the unit of work that changes one
/// of its roles.
pub async fn own_roles_changed(
    tx: &mut Tx<'_, Tenant>,
    id: OrgId,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Option<Organization>> {
    tx.mark(id);
    let update = change(now).and(POLICY_ID.set(PolicyId::new(now, entropy)));
    tx.update_one(by_id(id), update).await
}

/// [`super::SLUG_TAKEN`] where another one of the environment has the slug.
pub async fn update(
    tx: &mut Tx<'_, Tenant>,
    id: OrgId,
    changes: &OrganizationChanges,
    now: Timestamp,
) -> Stored<Option<Organization>> {
    tx.mark(id);
    let mut update = change(now);
    if let Some(name) = &changes.name {
        update = update.and(NAME.set(name.clone()));
    }
    if let Some(slug) = &changes.slug {
        update = update.and(SLUG.set(slug.clone()));
    }
    match &changes.logo {
        Change::Keep => {}
        Change::Clear => update = update.and(LOGO.unset()),
        Change::Set(logo) => update = update.and(LOGO.set(logo.clone())),
    }
    if let Some(metadata) = &changes.metadata {
        update = update.and(METADATA.set(metadata.clone()));
    }
    match changes.max_members {
        Change::Keep => {}
        Change::Clear => update = update.and(MAX_MEMBERS.unset()),
        Change::Set(most) => update = update.and(MAX_MEMBERS.set(most)),
    }
    tx.update_one(by_id(id), update).await
}

/// The organisation as it was; `None` where it is gone already.
pub async fn remove(tx: &mut Tx<'_, Tenant>, id: OrgId) -> Stored<Option<Organization>> {
    tx.mark(id);
    tx.take_one(by_id(id)).await
}

/// Counts members and owners in, or out again. Owners go only while another one remains: `None`,
/// and nothing changed, where he is the last, or the organisation is gone.
pub(super) async fn count<S>(
    tx: &mut Tx<'_, S>,
    id: OrgId,
    (members, owners): (i64, i64),
    now: Timestamp,
) -> Stored<Option<Organization>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.mark(id);
    let mut which = by_id(id);
    if owners < 0 {
        which = which & OWNER_COUNT.gt(-owners);
    }
    let update = change(now)
        .and(MEMBER_COUNT.inc(members))
        .and(OWNER_COUNT.inc(owners));
    tx.update_one(which, update).await
}

/// The organisations of the environment, newest first, of names beginning with this.
pub async fn organizations(
    tx: &mut Tx<'_, Tenant>,
    slug: Option<&str>,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Organization>> {
    tx.page(of_environment(slug), CREATED_AT, after, limit)
        .await
}

/// All of the environment, or those whose slug begins so.
fn of_environment(slug: Option<&str>) -> Filter<Organization> {
    slug.map_or_else(Filter::all, |prefix| SLUG.starts_with(prefix))
}

/// Several organisations at once.
pub(super) async fn by_ids<S>(
    tx: &mut Tx<'_, S>,
    ids: impl IntoIterator<Item = OrgId>,
) -> Stored<Vec<Organization>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.find(Query::of(Field::at("_id").one_of(ids))).await
}

pub(super) async fn insert_member(tx: &mut Tx<'_, Tenant>, member: &Member) -> Stored<()> {
    tx.insert(member).await
}

/// A member of this organisation.
pub async fn member(tx: &mut Tx<'_, Tenant>, org: OrgId, id: MemberId) -> Stored<Option<Member>> {
    tx.find_one(by_id(id) & ORG_ID.eq(org)).await
}

/// A user's place in an organisation.
pub async fn member_of<S>(tx: &mut Tx<'_, S>, org: OrgId, user: UserId) -> Stored<Option<Member>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.find_one(ORG_ID.eq(org) & USER_ID.eq(user)).await
}

/// One page of the members of an organisation, newest first.
pub async fn members(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Member>> {
    tx.page(ORG_ID.eq(org), JOINED_AT, after, limit).await
}

/// Every place of a user, in the environment or in all of his app, oldest first.
pub async fn memberships_of<S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<Vec<Member>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.find(Query::of(USER_ID.eq(user)).oldest_by(JOINED_AT))
        .await
}

/// One page of a user's places in the environment, newest first, each with its organisation.
pub async fn of_user(
    tx: &mut Tx<'_, Tenant>,
    user: UserId,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<(Member, Organization)>> {
    let page = tx.page(USER_ID.eq(user), JOINED_AT, after, limit).await?;
    let all = by_ids(tx, page.items.iter().map(|member: &Member| member.org_id)).await?;
    let whole = |member: Member| {
        let organization = all.iter().find(|it| it.id == member.org_id);
        organization
            .cloned()
            .map(|organization| (member, organization))
    };
    Ok(Slice {
        items: page.items.into_iter().filter_map(whole).collect(),
        next: page.next,
    })
}

/// The organisation of a user who is in exactly one of the environment.
pub async fn only_one(tx: &mut Tx<'_, Tenant>, user: UserId) -> Stored<Option<OrgId>> {
    let first_two = Query::of(USER_ID.eq(user))
        .oldest_by(JOINED_AT)
        .window(0, 2);
    let places: Vec<Member> = tx.find(first_two).await?;
    Ok(match places.as_slice() {
        [one] => Some(one.org_id),
        _ => None,
    })
}

/// Gives a member other roles, in a unit of work that has changed the organisation before.
pub(super) async fn replace_roles(
    tx: &mut Tx<'_, Tenant>,
    id: MemberId,
    roles: &[OrgRole],
    now: Timestamp,
) -> Stored<Option<Member>> {
    let update = ROLES.set(roles.to_vec()).and(CHANGED_AT.set(now));
    tx.update_one(by_id(id), update).await
}

/// The member as he was; `None` where he is gone already.
pub(super) async fn remove_member<S>(tx: &mut Tx<'_, S>, id: MemberId) -> Stored<Option<Member>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.take_one(by_id(id)).await
}
