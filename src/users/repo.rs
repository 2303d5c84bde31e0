use serde::Serialize;

use super::record::{AccountChanges, Ban, NewUser, ProfileChanges, Status, User};
use crate::access::Role;
use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Query, Reaches, Stored, Tx, Update, by_id};

const EMAIL: Field<User, Email> = Field::at("email");
const EMAIL_VERIFIED: Field<User, bool> = Field::at("email_verified");
const PHONE: Field<User, Phone> = Field::at("phone");
const PHONE_VERIFIED: Field<User, bool> = Field::at("phone_verified");
const USERNAME: Field<User, Username> = Field::at("username");
const DISPLAY_USERNAME: Field<User, Label> = Field::at("display_username");
const FIRST_NAME: Field<User, Label> = Field::at("first_name");
const LAST_NAME: Field<User, Label> = Field::at("last_name");
const PASSWORD_CHANGED_AT: Field<User, Timestamp> = Field::at("password_changed_at");
const PASSWORD_VERSION: Field<User, i64> = Field::at("password_version");
const IMAGE: Field<User, String> = Field::at("image");
const ROLES: Field<User, Vec<Role>> = Field::at("roles");
const STATUS: Field<User, Status> = Field::at("status");
const BANNED: Field<User, bool> = Field::at("banned");
const BAN_REASON: Field<User, Label> = Field::at("ban_reason");
const BAN_EXPIRES: Field<User, Timestamp> = Field::at("ban_expires");
const RIGHTS_VERSION: Field<User, i64> = Field::at("rights_version");
const LAST_SIGN_IN_AT: Field<User, Timestamp> = Field::at("last_sign_in_at");
const SIGN_IN_COUNT: Field<User, i64> = Field::at("sign_in_count");
const HOLD_COUNT: Field<User, i64> = Field::at("hold_count");
const CONTESTED_AT: Field<User, Timestamp> = Field::at("contested_at");
const METADATA: Field<User, Metadata> = Field::at("metadata");
const CREATED_AT: Field<User, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<User, Timestamp> = Field::at("updated_at");
const DELETED_AT: Field<User, Timestamp> = Field::at("deleted_at");

/// Whoever is there. Every query of this file looks among these only, and every change too.
pub(super) fn living() -> Filter<User> {
    STATUS.eq(Status::Active)
}

fn living_one(id: UserId) -> Filter<User> {
    by_id(id) & living()
}

/// Under a ban at `now`. The bound is exclusive: at `ban_expires` it is over.
pub(super) fn banned(now: Timestamp) -> Filter<User> {
    BANNED.eq(true) & (BAN_EXPIRES.absent() | BAN_EXPIRES.gt(now))
}

/// The opposite of [`banned`].
pub(super) fn not_banned(now: Timestamp) -> Filter<User> {
    BANNED.ne(true) | BAN_EXPIRES.lte(now)
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
    tx.find_one(living_one(id)).await
}

pub async fn by_email<S>(tx: &mut Tx<'_, S>, email: &Email) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(EMAIL.eq(email.clone()) & living()).await
}

pub async fn by_username<S>(tx: &mut Tx<'_, S>, username: &Username) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(USERNAME.eq(username.clone()) & living()).await
}

pub async fn by_phone<S>(tx: &mut Tx<'_, S>, phone: &Phone) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(PHONE.eq(phone.clone()) & living()).await
}

/// Some user of the app who holds `role`, the longest-standing first.
pub async fn first_with_role<S>(tx: &mut Tx<'_, S>, role: Role) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    Ok(with_role(tx, role, 1).await?.into_iter().next())
}

/// Users of the app who hold `role`, the longest-standing first and `most` at most.
pub async fn with_role<S>(tx: &mut Tx<'_, S>, role: Role, most: u32) -> Stored<Vec<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let oldest = Query::of(ROLES.has(&role) & living()).oldest_by(CREATED_AT);
    tx.find(oldest.window(0, most)).await
}

/// One change for all the fields that a patch names.
pub async fn update_profile<S>(
    tx: &mut Tx<'_, S>,
    id: UserId,
    changes: &ProfileChanges,
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.update_one(living_one(id), of_profile(changes, now))
        .await
}

/// A number that its holder typed is not a verified one.
fn of_profile(changes: &ProfileChanges, now: Timestamp) -> Update<User> {
    let update = of_profile_without_proof(changes, now);
    match changes.phone {
        Change::Keep => update,
        Change::Clear | Change::Set(_) => update.and(PHONE_VERIFIED.set(false)),
    }
}

fn of_profile_without_proof(changes: &ProfileChanges, now: Timestamp) -> Update<User> {
    let changes = changes.clone();
    UPDATED_AT
        .set(now)
        .and_if(changed(FIRST_NAME, changes.first_name))
        .and_if(changed(LAST_NAME, changes.last_name))
        .and_if(changed(USERNAME, changes.username))
        .and_if(changed(DISPLAY_USERNAME, changes.display_username))
        .and_if(changed(PHONE, changes.phone))
        .and_if(changed(IMAGE, changes.image))
        .and_if(changes.metadata.map(|metadata| METADATA.set(metadata)))
}

/// The same, and what only an administrator changes. Where the address or its proof is another one,
/// access tokens, which name them, lose their standing. `None` where the user was changed meanwhile.
pub async fn update_account<S>(
    tx: &mut Tx<'_, S>,
    seen: &User,
    changes: &AccountChanges,
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let email = changes.email.clone().filter(|email| *email != seen.email);
    let verified = changes.email_verified.or(email.as_ref().map(|_| false));
    let verified = verified.filter(|it| email.is_some() || *it != seen.email_verified);
    let is_told = email.is_some() || verified.is_some();
    let mut profile = changes.profile();
    // A number that stays keeps its proof.
    if matches!((&profile.phone, &seen.phone), (Change::Set(new), Some(old)) if new == old) {
        profile.phone = Change::Keep;
    }
    let phone_verified = match (changes.phone_verified, &profile.phone) {
        (Some(verified), _) => Some(verified),
        (None, Change::Keep) => None,
        (None, Change::Clear | Change::Set(_)) => Some(false),
    };
    let has_phone = match &profile.phone {
        Change::Keep => seen.phone.is_some(),
        Change::Clear => false,
        Change::Set(_) => true,
    };
    let phone_verified = phone_verified.map(|it| it && has_phone);
    let update = of_profile_without_proof(&profile, now)
        .and_if(phone_verified.map(|it| PHONE_VERIFIED.set(it)))
        .and_if(email.map(|email| EMAIL.set(email)))
        .and_if(verified.map(|it| EMAIL_VERIFIED.set(it)))
        .and_if(is_told.then(|| RIGHTS_VERSION.inc(1)));
    let unchanged = living_one(seen.id) & RIGHTS_VERSION.eq(seen.rights_version);
    tx.update_one(unchanged & EMAIL.eq(seen.email.clone()), update)
        .await
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
    let unchanged = living_one(seen.id) & RIGHTS_VERSION.eq(seen.rights_version);
    let update = ROLES
        .set(roles.to_vec())
        .and(RIGHTS_VERSION.inc(1))
        .and(UPDATED_AT.set(now));
    tx.update_one(unchanged, update).await
}

/// Notes that the user signs in, and gives him as he is at this moment. Whatever ends his sessions
/// changes the same document, so that of the two that happen at once, one sees the other. The count
/// makes sure that there is a change: MongoDB overlooks one that sets what is there, and two
/// sign-ins may be of one millisecond.
pub async fn signs_in<S>(tx: &mut Tx<'_, S>, id: UserId, now: Timestamp) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let update = LAST_SIGN_IN_AT.set(now).and(SIGN_IN_COUNT.inc(1));
    tx.update_one(living_one(id), update).await
}

/// Those of these users who are there, in no order.
pub async fn by_ids<S>(
    tx: &mut Tx<'_, S>,
    ids: impl IntoIterator<Item = UserId>,
) -> Stored<Vec<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let wanted = Field::at("_id").one_of(ids);
    tx.find(Query::of(wanted & living())).await
}

/// Gives a user as he is at this moment, and as he stays until the unit of work commits: before a
/// letter to him, or a place for him. What takes an account away changes the same document, so that
/// of the two that happen at once, one sees the other.
pub async fn hold<S>(tx: &mut Tx<'_, S>, id: UserId) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.update_one(living_one(id), HOLD_COUNT.inc(1)).await
}

pub async fn hold_by_email<S>(tx: &mut Tx<'_, S>, email: &Email) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.update_one(EMAIL.eq(email.clone()) & living(), HOLD_COUNT.inc(1))
        .await
}

/// [`hold`] of who has the address and has not proven it; notes that somebody signed up with it.
pub async fn contest<S>(tx: &mut Tx<'_, S>, email: &Email, now: Timestamp) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let unproven = EMAIL.eq(email.clone()) & living() & EMAIL_VERIFIED.eq(false);
    tx.update_one(unproven, CONTESTED_AT.set(now)).await
}

/// The address is proven to be the user's; `None` where it is no longer his.
pub async fn verify_email<S>(
    tx: &mut Tx<'_, S>,
    (id, address): (UserId, &Email),
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let his = living_one(id) & EMAIL.eq(address.clone());
    let update = EMAIL_VERIFIED.set(true).and(CONTESTED_AT.unset());
    tx.update_one(his, update.and(UPDATED_AT.set(now))).await
}

/// Makes `seen` an account of nobody but the holder of its address: whoever made it before the
/// address was proven may have left a username or a number of his own to come back by, and names
/// and pictures to be met again.
pub async fn reclaim<S>(tx: &mut Tx<'_, S>, seen: &User, now: Timestamp) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let his = living_one(seen.id) & EMAIL.eq(seen.email.clone());
    let update = EMAIL_VERIFIED
        .set(true)
        .and(CONTESTED_AT.unset())
        .and(USERNAME.unset())
        .and(DISPLAY_USERNAME.unset())
        .and(PHONE.unset())
        .and(PHONE_VERIFIED.set(false))
        .and(FIRST_NAME.unset())
        .and(LAST_NAME.unset())
        .and(IMAGE.unset())
        .and(METADATA.set(Metadata::default()))
        .and(UPDATED_AT.set(now));
    tx.update_one(his, update).await
}

/// Gives the user another, proven address; access tokens that name the old one lose their standing.
pub async fn change_email<S>(
    tx: &mut Tx<'_, S>,
    seen: &User,
    address: &Email,
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let unchanged = living_one(seen.id) & EMAIL.eq(seen.email.clone());
    let update = EMAIL
        .set(address.clone())
        .and(EMAIL_VERIFIED.set(true))
        .and(RIGHTS_VERSION.inc(1))
        .and(UPDATED_AT.set(now));
    tx.update_one(unchanged, update).await
}

/// Notes that the password is another one: a sign-in under way with the old one fails.
pub async fn password_changed<S>(
    tx: &mut Tx<'_, S>,
    id: UserId,
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let update = PASSWORD_CHANGED_AT
        .set(now)
        .and(PASSWORD_VERSION.inc(1))
        .and(UPDATED_AT.set(now));
    tx.update_one(living_one(id), update).await
}

/// Ends the standing of every access token of the user; the new version.
pub async fn bump_rights<S>(tx: &mut Tx<'_, S>, id: UserId, now: Timestamp) -> Stored<Option<i64>>
where
    S: Copy + Reaches<OfApp>,
{
    let update = RIGHTS_VERSION.inc(1).and(UPDATED_AT.set(now));
    Ok(tx
        .update_one(living_one(id), update)
        .await?
        .map(|user| user.rights_version))
}

/// Puts a ban on record, in place of one that is there; the user's access tokens lose their
/// standing.
pub async fn ban<S>(
    tx: &mut Tx<'_, S>,
    id: UserId,
    ban: &Ban,
    now: Timestamp,
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let Ban { reason, expires } = ban.clone();
    let reason = reason.map_or_else(|| BAN_REASON.unset(), |reason| BAN_REASON.set(reason));
    let expires = expires.map_or_else(|| BAN_EXPIRES.unset(), |at| BAN_EXPIRES.set(at));
    let update = BANNED
        .set(true)
        .and(reason)
        .and(expires)
        .and(RIGHTS_VERSION.inc(1))
        .and(UPDATED_AT.set(now));
    tx.update_one(living_one(id), update).await
}

/// Takes a ban off the record, also one that has run out; `None` where there is none.
pub async fn unban<S>(tx: &mut Tx<'_, S>, id: UserId, now: Timestamp) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    let update = BANNED
        .set(false)
        .and(BAN_REASON.unset())
        .and(BAN_EXPIRES.unset())
        .and(UPDATED_AT.set(now));
    tx.update_one(living_one(id) & BANNED.eq(true), update)
        .await
}

/// Leaves nothing of a user but his identifier, and frees his address. Answers with what is left.
pub async fn erase<S>(
    tx: &mut Tx<'_, S>,
    id: UserId,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Option<User>>
where
    S: Copy + Reaches<OfApp>,
{
    // Of chance: an address that somebody could foresee could be taken before, and hinder this.
    let nowhere = Email::nowhere(UserId::new(now, entropy));
    let update = STATUS
        .set(Status::Deleted)
        .and(DELETED_AT.set(now))
        .and(UPDATED_AT.set(now))
        .and(RIGHTS_VERSION.inc(1))
        .and(ROLES.set(Vec::new()))
        .and(EMAIL.set(nowhere))
        .and(EMAIL_VERIFIED.set(false))
        .and(PHONE.unset())
        .and(PHONE_VERIFIED.set(false))
        .and(USERNAME.unset())
        .and(DISPLAY_USERNAME.unset())
        .and(FIRST_NAME.unset())
        .and(LAST_NAME.unset())
        .and(IMAGE.unset())
        .and(METADATA.set(Metadata::default()))
        .and(BANNED.set(false))
        .and(BAN_REASON.unset())
        .and(BAN_EXPIRES.unset())
        .and(PASSWORD_CHANGED_AT.unset())
        .and(LAST_SIGN_IN_AT.unset())
        .and(SIGN_IN_COUNT.unset())
        .and(HOLD_COUNT.unset())
        .and(CONTESTED_AT.unset());
    tx.update_one(living_one(id), update).await
}
