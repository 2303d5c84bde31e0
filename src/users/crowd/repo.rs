use std::collections::HashMap;

use super::super::record::{Standing, Status, User};
use super::super::repo::{banned, living, not_banned};
use super::super::service::UserQuery;
use crate::access::Role;
use crate::kernel::id::UserId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Query, Reaches, Stored, Tx};

const EMAIL: Field<User, Email> = Field::at("email");
const EMAIL_VERIFIED: Field<User, bool> = Field::at("email_verified");
const PHONE: Field<User, Phone> = Field::at("phone");
const USERNAME: Field<User, Username> = Field::at("username");
const FIRST_NAME: Field<User, Label> = Field::at("first_name");
const LAST_NAME: Field<User, Label> = Field::at("last_name");
const ROLES: Field<User, Vec<Role>> = Field::at("roles");
const STATUS: Field<User, Status> = Field::at("status");
const CREATED_AT: Field<User, Timestamp> = Field::at("created_at");

/// How many users an app has, of each kind that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub total: u64,
    pub verified: u64,
    pub banned: u64,
}

/// Who has which of the names that others want.
#[derive(Debug, Default)]
pub struct Taken {
    pub emails: HashMap<Email, UserId>,
    pub usernames: HashMap<Username, UserId>,
    pub phones: HashMap<Phone, UserId>,
}

/// One page, newest first.
pub async fn page<S>(
    tx: &mut Tx<'_, S>,
    (query, now): (&UserQuery, Timestamp),
    after: Option<&Position>,
    limit: Limit,
) -> Stored<Slice<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.page(wanted(query, now), CREATED_AT, after, limit).await
}

pub(in crate::users) async fn numbered_page<S>(
    tx: &mut Tx<'_, S>,
    (query, now): (&UserQuery, Timestamp),
    skip: u64,
    limit: Limit,
) -> Stored<Vec<User>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find(
        Query::of(wanted(query, now))
            .newest_by(CREATED_AT)
            .window(skip, limit.get()),
    )
    .await
}

pub(in crate::users) async fn count<S>(
    tx: &mut Tx<'_, S>,
    (query, now): (&UserQuery, Timestamp),
) -> Stored<u64>
where
    S: Copy + Reaches<OfApp>,
{
    tx.count(wanted(query, now)).await
}

/// Counts by index alone, but for bans: of them the documents are looked at.
pub async fn counts<S>(tx: &mut Tx<'_, S>, now: Timestamp) -> Stored<Counts>
where
    S: Copy + Reaches<OfApp>,
{
    let active = || STATUS.eq(Status::Active);
    Ok(Counts {
        total: tx.count(active()).await?,
        verified: tx.count(active() & EMAIL_VERIFIED.eq(true)).await?,
        banned: tx.count(banned(now) & living()).await?,
    })
}

/// How many users who are there were made in `[from, to)`.
pub async fn made_between<S>(tx: &mut Tx<'_, S>, (from, to): (Timestamp, Timestamp)) -> Stored<u64>
where
    S: Copy + Reaches<OfApp>,
{
    let then = CREATED_AT.gte(from) & CREATED_AT.lt(to);
    tx.count(then & living()).await
}

/// Makes many users who are made up already; one who is refused ends the unit of work.
pub async fn create_all<S>(tx: &mut Tx<'_, S>, users: &[User]) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    tx.insert_all(users).await
}

/// Which of these addresses, usernames and numbers somebody has.
pub async fn taken<S>(
    tx: &mut Tx<'_, S>,
    (emails, usernames, phones): (Vec<Email>, Vec<Username>, Vec<Phone>),
) -> Stored<Taken>
where
    S: Copy + Reaches<OfApp>,
{
    let mut taken = Taken::default();
    let mut wanted = Vec::new();
    if !emails.is_empty() {
        wanted.push(EMAIL.one_of(emails));
    }
    if !usernames.is_empty() {
        wanted.push(USERNAME.one_of(usernames));
    }
    if !phones.is_empty() {
        wanted.push(PHONE.one_of(phones));
    }
    for filter in wanted {
        for user in tx.find(Query::of(filter)).await? {
            taken.emails.insert(user.email, user.id);
            taken
                .usernames
                .extend(user.username.map(|it| (it, user.id)));
            taken.phones.extend(user.phone.map(|it| (it, user.id)));
        }
    }
    Ok(taken)
}

fn wanted(query: &UserQuery, now: Timestamp) -> Filter<User> {
    let conditions = [
        query
            .email
            .as_deref()
            .map(|prefix| EMAIL.starts_with(prefix)),
        query.role.map(|role| ROLES.has(&role)),
        query.standing.map(|standing| match standing {
            Standing::Active => not_banned(now),
            Standing::Banned => banned(now),
        }),
        query.search.as_deref().map(called),
        query.created_from.map(|from| CREATED_AT.gte(from)),
        query.created_to.map(|to| CREATED_AT.lt(to)),
    ];
    conditions
        .into_iter()
        .flatten()
        .fold(living(), |all, condition| all & condition)
}

/// Whose address, username, number or name begins with a text, of which nothing is a pattern. Names
/// are compared as they are written, and with a capital letter in front.
fn called(text: &str) -> Filter<User> {
    let lower = text.to_lowercase();
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    let capital: String = first.chain(rest).collect();
    let named = |name: Field<User, Label>| name.starts_with(text) | name.starts_with(&capital);
    EMAIL.starts_with(&lower)
        | USERNAME.starts_with(&lower)
        | PHONE.starts_with(text)
        | named(FIRST_NAME)
        | named(LAST_NAME)
}
