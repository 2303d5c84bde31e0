use serde::Serialize;
use utoipa::ToSchema;

use super::record::{NewUser, Status, User};
use super::service::UserQuery;
use crate::access::Role;
use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Query, Reaches, Stored, Tx, Update, by_id};

const EMAIL: Field<User, Email> = Field::at("email");
const PHONE: Field<User, Phone> = Field::at("phone");
const PHONE_VERIFIED: Field<User, bool> = Field::at("phone_verified");
const USERNAME: Field<User, Username> = Field::at("username");
const DISPLAY_USERNAME: Field<User, Label> = Field::at("display_username");
const FIRST_NAME: Field<User, Label> = Field::at("first_name");
const LAST_NAME: Field<User, Label> = Field::at("last_name");
const IMAGE: Field<User, String> = Field::at("image");
const ROLES: Field<User, Vec<Role>> = Field::at("roles");
const STATUS: Field<User, Status> = Field::at("status");
const RIGHTS_VERSION: Field<User, i64> = Field::at("rights_version");
const LAST_SIGN_IN_AT: Field<User, Timestamp> = Field::at("last_sign_in_at");
const SIGN_INS: Field<User, i64> = Field::at("sign_ins");
const METADATA: Field<User, Metadata> = Field::at("metadata");
const CREATED_AT: Field<User, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<User, Timestamp> = Field::at("updated_at");

/// A change to one's own profile; `null` clears a field, absence keeps it.
#[derive(Debug, Clone, ToSchema)]
pub struct ProfileChanges {
    #[schema(value_type = Option<Label>)]
    pub first_name: Change<Label>,
    #[schema(value_type = Option<Label>)]
    pub last_name: Change<Label>,
    #[schema(value_type = Option<Username>)]
    pub username: Change<Username>,
    #[schema(value_type = Option<Label>)]
    pub display_username: Change<Label>,
    #[schema(value_type = Option<Phone>)]
    pub phone: Change<Phone>,
    /// An `https` URL of at most 2,048 characters.
    #[schema(value_type = Option<String>)]
    pub image: Change<String>,
    /// Replaces the whole map.
    pub metadata: Option<Metadata>,
}

pub async fn create<S>(
    tx: &mut Tx<'_, S>,
    app_id: AppId,
    new: NewUser,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<User>
where
    S: Copy + Reaches<OfApp>,
{
    let user = new.made(app_id, now, entropy);
    tx.insert(&user).await?;
    Ok(user)
}

pub async fn get<S>(tx: &mut Tx<'_, S>, id: UserId) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.get(id).await
}

pub async fn by_email<S>(tx: &mut Tx<'_, S>, email: &Email) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(EMAIL.eq(email.clone())).await
}

pub async fn by_username<S>(tx: &mut Tx<'_, S>, username: &Username) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(USERNAME.eq(username.clone())).await
}

pub async fn by_phone<S>(tx: &mut Tx<'_, S>, phone: &Phone) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(PHONE.eq(phone.clone())).await
}

/// Some user of the app who holds `role`, the longest-standing first.
pub async fn first_with_role<S>(tx: &mut Tx<'_, S>, role: Role) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let oldest = Query::of(ROLES.has(&role))
        .oldest_by(CREATED_AT)
        .window(0, 1);
    Ok(tx.find(oldest).await?.into_iter().next())
}

/// One change for all the fields that a patch names.
pub(super) async fn update_profile<S>(
    tx: &mut Tx<'_, S>,
    id: UserId,
    changes: &ProfileChanges,
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let changes = changes.clone();
    let update = UPDATED_AT
        .set(now)
        .and_if(changed(FIRST_NAME, changes.first_name))
        .and_if(changed(LAST_NAME, changes.last_name))
        .and_if(changed(USERNAME, changes.username))
        .and_if(changed(DISPLAY_USERNAME, changes.display_username))
        // A number that its holder typed is not a verified one.
        .and_if(changed(PHONE, changes.phone).map(|phone| phone.and(PHONE_VERIFIED.set(false))))
        .and_if(changed(IMAGE, changes.image))
        .and_if(changes.metadata.map(|metadata| METADATA.set(metadata)));
    tx.update_one(by_id(id), update).await
}

fn changed<T: Serialize>(field: Field<User, T>, change: Change<T>) -> Option<Update<User>> {
    match change {
        Change::Keep => None,
        Change::Clear => Some(field.unset()),
        Change::Set(value) => Some(field.set(value)),
    }
}

/// Gives the user exactly `roles`, if his rights are still those of `seen`; older access tokens
/// lose their standing with the version.
pub(super) async fn set_roles<S>(
    tx: &mut Tx<'_, S>,
    seen: &User,
    roles: &[Role],
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let unchanged = by_id(seen.id) & RIGHTS_VERSION.eq(seen.rights_version);
    let update = ROLES
        .set(roles.to_vec())
        .and(RIGHTS_VERSION.inc(1))
        .and(UPDATED_AT.set(now));
    tx.update_one(unchanged, update).await
}

/// Notes that the user signs in, and gives him as he is at this moment. Whatever ends his sessions
/// changes the same document, so that of the two that happen at once, one sees the other. It is
/// counted, because MongoDB takes a time that is there already for no change.
pub async fn signs_in<S>(tx: &mut Tx<'_, S>, id: UserId, now: Timestamp) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let signed_in = LAST_SIGN_IN_AT.set(now).and(SIGN_INS.inc(1));
    tx.update_one(by_id::<User>(id), signed_in).await
}

/// Ends the standing of every access token of the user; the new version.
pub async fn bump_rights<S>(tx: &mut Tx<'_, S>, id: UserId, now: Timestamp) -> Stored<Option<i64>>
where
    S: Copy + Reaches<OfApp>,
{
    let update = RIGHTS_VERSION.inc(1).and(UPDATED_AT.set(now));
    Ok(tx
        .update_one(by_id::<User>(id), update)
        .await?
        .map(|user| user.rights_version))
}

pub(super) async fn page<S>(
    tx: &mut Tx<'_, S>,
    query: &UserQuery,
    after: Option<&Position>,
    limit: Limit,
) -> Stored<Slice<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.page(wanted(query), CREATED_AT, after, limit).await
}

pub(super) async fn numbered_page<S>(
    tx: &mut Tx<'_, S>,
    query: &UserQuery,
    skip: u64,
    limit: Limit,
) -> Stored<Vec<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find(
        Query::of(wanted(query))
            .newest_by(CREATED_AT)
            .window(skip, limit.get()),
    )
    .await
}

pub(super) async fn count<S>(tx: &mut Tx<'_, S>, query: &UserQuery) -> Stored<u64>
where
    S: Copy + Reaches<OfApp>,
{
    tx.count(wanted(query)).await
}

fn wanted(query: &UserQuery) -> Filter<User> {
    let conditions = [
        query
            .email
            .as_deref()
            .map(|prefix| EMAIL.starts_with(prefix)),
        query.role.map(|role| ROLES.has(&role)),
        query.status.map(|status| STATUS.eq(status)),
    ];
    conditions
        .into_iter()
        .flatten()
        .fold(Filter::all(), |all, condition| all & condition)
}
