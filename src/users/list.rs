//! The list of users: filtered, newest first, by cursor or by number.

use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use utoipa::{IntoParams, ToSchema};

use super::api::UserView;
use super::record::Standing;
use super::service::{UserQuery, Users};
use crate::access::{ListUsers, Permission, Role};
use crate::http::{Allowed, Answer, Fields, FromFields, Ok200, Paging, Problem, Query, Routing};
use crate::kernel::page::Limit;
use crate::kernel::time::Timestamp;

pub(super) fn routes(config: &mut Routing) {
    config.service(list);
}

/// A page of users, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct UserPage {
    users: Vec<UserView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
    /// With `include=total`: how many users match in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<u64>,
    /// With `page`: how many users match in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total_count: Option<u64>,
    /// With `page`: the same users as in `users`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_items: Option<Vec<UserView>>,
}

/// Which users, and which page of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(ignore)]
    paging: Paging,
    /// `total` adds the number of all matching users.
    #[param(rename = "include", value_type = Option<String>, pattern = "^total$")]
    with_total: bool,
    /// A page by its number, from 1; not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u64>,
    /// The size of a numbered page; `limit` by another name.
    #[param(rename = "recordPerPage", inline)]
    record_per_page: Option<Limit>,
    /// The beginning of an address.
    email: Option<String>,
    #[param(inline)]
    role: Option<Role>,
    #[param(inline)]
    status: Option<Standing>,
    /// The beginning of an address, username or telephone number, or of a first or last name, which
    /// may be typed without its capital letter. Nothing in it is a pattern.
    search: Option<String>,
    /// Made at this time or later.
    created_from: Option<Timestamp>,
    /// Made before this time.
    created_to: Option<Timestamp>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let include = fields.optional("include", total);
        let page = fields.optional("page", page_number);
        let record_per_page = fields.optional("recordPerPage", Limit::parse);
        let email = fields.optional("email", beginning_of_an_address);
        let role = fields.optional("role", str::parse::<Role>);
        let status = fields.optional("status", status);
        let search = fields.optional("search", beginning_of_a_name);
        let created_from = fields.optional("created_from", str::parse);
        let created_to = fields.optional("created_to", str::parse);
        let query = Self {
            paging: paging?,
            with_total: include?.is_some(),
            page: page?,
            record_per_page: record_per_page?,
            email: email?,
            role: role?,
            status: status?,
            search: search?,
            created_from: created_from?,
            created_to: created_to?,
        };
        if query.page.is_some() && query.paging.after.is_some() {
            return fields.fault("page", "invalid_page", "cannot be combined with a cursor");
        }
        Some(query)
    }
}

impl ListQuery {
    /// The number asked for, where the page is asked for by number.
    fn number(&self) -> Option<u64> {
        self.page.or(self.record_per_page.map(|_| 1))
    }

    fn which(&self) -> UserQuery {
        UserQuery {
            email: self.email.clone(),
            role: self.role,
            standing: self.status,
            search: self.search.clone(),
            created_from: self.created_from,
            created_to: self.created_to,
        }
    }
}

fn total(text: &str) -> Result<(), &'static str> {
    if text == "total" {
        Ok(())
    } else {
        Err("can only be `total`")
    }
}

pub(super) fn page_number(text: &str) -> Result<u64, &'static str> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=10_000).contains(number));
    number.ok_or("must be a whole number from 1 to 10,000")
}

pub(super) fn beginning_of_an_address(text: &str) -> Result<String, &'static str> {
    if text.len() > 254 {
        Err("is longer than an address")
    } else {
        Ok(text.to_lowercase())
    }
}

pub(super) fn beginning_of_a_name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > 254 {
        Err("must be 1 to 254 bytes long")
    } else {
        Ok(text.nfc().collect())
    }
}

pub(super) fn status(text: &str) -> Result<Standing, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be `active` or `banned`")
}

/// List users
///
/// Newest first, by cursor; or by number with `page` and `recordPerPage`, which also answers
/// `total_count` and `user_items`.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.list",
    params(Paging, ListQuery),
    responses((status = 200, description = "A page of users", body = UserPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ListUsers::NAME))),
)]
#[get("/v1/admin/users")]
async fn list(
    access: Allowed<ListUsers>,
    query: Query<ListQuery>,
    users: Data<Users>,
) -> Answer<Ok200<UserPage>> {
    let query = query.into_inner();
    Ok(Ok200::new(UserPage::of(&users, &access, &query).await?))
}

impl UserPage {
    async fn of(
        users: &Users,
        access: &Allowed<ListUsers>,
        query: &ListQuery,
    ) -> Result<Self, Problem> {
        match query.number() {
            Some(number) => Self::numbered(users, access, (query, number)).await,
            None => Self::behind_cursor(users, access, query).await,
        }
    }

    async fn numbered(
        users: &Users,
        access: &Allowed<ListUsers>,
        (query, number): (&ListQuery, u64),
    ) -> Result<Self, Problem> {
        let limit = query.record_per_page.unwrap_or(query.paging.limit);
        let (found, total) = users
            .numbered_page(access.tenant(), &query.which(), number, limit)
            .await?;
        let views: Vec<UserView> = found.into_iter().map(|user| users.shown(user)).collect();
        Ok(Self {
            users: views.clone(),
            next_cursor: None,
            has_more: number.saturating_mul(u64::from(limit.get())) < total,
            total: query.with_total.then_some(total),
            total_count: Some(total),
            user_items: Some(views),
        })
    }

    async fn behind_cursor(
        users: &Users,
        access: &Allowed<ListUsers>,
        query: &ListQuery,
    ) -> Result<Self, Problem> {
        let (tenant, which, paging) = (access.tenant(), query.which(), &query.paging);
        let slice = users
            .page(tenant, &which, paging.after.as_ref(), paging.limit)
            .await?;
        let total = if query.with_total {
            Some(users.count(tenant, &which).await?)
        } else {
            None
        };
        Ok(Self {
            next_cursor: paging.cursor(slice.next.as_ref()),
            has_more: slice.next.is_some(),
            users: slice
                .items
                .into_iter()
                .map(|user| users.shown(user))
                .collect(),
            total,
            total_count: None,
            user_items: None,
        })
    }
}
