use actix_web::web::Data;
use actix_web::{get, patch};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::list;
use super::record::{ProfileChanges, Standing, User};
use super::service::{UserError, Users};
use crate::access::{Permission, ReadMe, ReadSelf, ReadUser, Role, UpdateMe};
use crate::http::{
    Allowed, Answer, Body, Fields, FromFields, Ok200, PathId, Problem, ProblemKind, Routing,
};
use crate::kernel::id::{AppId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Email, Label, Phone, Username, has_plain_host};
use crate::kernel::time::Timestamp;

pub fn routes(config: &mut Routing) {
    config
        .service(me)
        .service(update_me)
        .service(find)
        .configure(list::routes)
        .service(read);
}

/// A user as clients see one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    pub id: UserId,
    pub app_id: AppId,
    pub email: Email,
    pub email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub phone: Option<Phone>,
    pub phone_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub username: Option<Username>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub display_username: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub first_name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub image: Option<String>,
    pub roles: Vec<Role>,
    pub status: Standing,
    pub banned: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ban_reason: Option<Label>,
    /// When the ban ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ban_expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_sign_in_at: Option<Timestamp>,
    pub sign_in_count: i64,
    pub metadata: Metadata,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl UserView {
    /// As he is at `now`. Of a ban that has run out nothing is shown.
    pub fn of(user: User, now: Timestamp) -> Self {
        let standing = user.standing(now);
        let banned = standing == Standing::Banned;
        Self {
            id: user.id,
            app_id: user.app_id,
            email: user.email,
            email_verified: user.email_verified,
            phone: user.phone,
            phone_verified: user.phone_verified,
            username: user.username,
            display_username: user.display_username,
            first_name: user.first_name,
            last_name: user.last_name,
            image: user.image,
            roles: user.roles,
            status: standing,
            banned,
            ban_reason: user.ban_reason.filter(|_| banned),
            ban_expires: user.ban_expires.filter(|_| banned),
            last_sign_in_at: user.last_sign_in_at,
            sign_in_count: user.sign_in_count,
            metadata: user.metadata,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl FromFields for ProfileChanges {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let first_name = fields.change("first_name", Label::parse);
        let last_name = fields.change("last_name", Label::parse);
        let username = fields.change("username", Username::parse);
        let display_username = fields.change("display_username", Label::parse);
        let phone = fields.change("phone", Phone::parse);
        let image = fields.change("image", image_url);
        let metadata = fields.map("metadata", Metadata::parse);
        Some(Self {
            first_name: first_name?,
            last_name: last_name?,
            username: username?,
            display_username: display_username?,
            phone: phone?,
            image: image?,
            metadata: metadata?,
        })
    }
}

/// The address of a picture.
pub fn image_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    // What is kept may be longer than what was said: it is escaped.
    if !plain || !has_plain_host(&url) || url.as_str().len() > 2048 {
        return Err("must be an https URL of at most 2,048 characters");
    }
    Ok(url.to_string())
}

/// Who am I
///
/// The account behind the access token, or behind a key of one's own, as it is now.
#[utoipa::path(
    tag = "me", operation_id = "me.read",
    responses((status = 200, description = "The caller's account", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ReadMe::NAME)),
        ("x-problems" = json!([ProblemKind::UserRequired])),
    ),
)]
#[get("/v1/me")]
async fn me(access: Allowed<ReadMe>, users: Data<Users>) -> Answer<Ok200<UserView>> {
    let id = access.person()?;
    let own = users.own(access.tenant(), id).await?;
    Ok(Ok200::new(users.shown((*own).clone())))
}

/// Change my profile
///
/// A field that is absent stays as it is, and one that is `null` is cleared. The address is changed by
/// `POST /v1/me/change-email`. Where the app has a form, `metadata` answers it, as in a sign-up: what
/// the form does not ask for stays as it is, and cannot be changed here.
#[utoipa::path(
    tag = "me", operation_id = "me.update",
    request_body(content = ProfileChanges, example = json!({"first_name": "Mia"})),
    responses((status = 200, description = "The changed account", body = UserView)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(UpdateMe::NAME)),
        ("x-problems" = json!([ProblemKind::UsernameTaken, ProblemKind::PhoneTaken])),
    ),
)]
#[patch("/v1/me")]
async fn update_me(
    access: Allowed<UpdateMe>,
    changes: Body<ProfileChanges>,
    users: Data<Users>,
) -> Answer<Ok200<UserView>> {
    let (id, _) = access.user()?;
    let changes = changes.into_inner();
    let user = users
        .update_profile(access.tenant(), id, &changes, access.origin())
        .await?;
    Ok(Ok200::new(users.shown(user)))
}

/// Read a user
///
/// Oneself, or anybody for those who may read users. Everybody else is unknown.
#[utoipa::path(
    tag = "users", operation_id = "users.read",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The user", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadSelf::NAME))),
)]
#[get("/v1/users/{id}")]
async fn find(
    access: Allowed<ReadSelf>,
    id: PathId<UserId>,
    users: Data<Users>,
) -> Answer<Ok200<UserView>> {
    let id = id.into_inner();
    let is_own = access.user().is_ok_and(|(own, _)| own == id);
    if !is_own && !access.also::<ReadUser>() {
        return Err(ProblemKind::NotFound.into());
    }
    let user = users.get(access.tenant(), id).await?;
    Ok(Ok200::new(users.shown(user)))
}

/// Read any user
///
/// Users of other apps are unknown here.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.read",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The user", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadUser::NAME))),
)]
#[get("/v1/admin/users/{id}")]
async fn read(
    access: Allowed<ReadUser>,
    id: PathId<UserId>,
    users: Data<Users>,
) -> Answer<Ok200<UserView>> {
    let user = users.get(access.tenant(), id.into_inner()).await?;
    Ok(Ok200::new(users.shown(user)))
}

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Unknown => ProblemKind::NotFound.into(),
            UserError::UsernameTaken => ProblemKind::UsernameTaken.into(),
            UserError::PhoneTaken => ProblemKind::PhoneTaken.into(),
            UserError::UnknownRole => ProblemKind::UnknownRole.into(),
            UserError::RoleNotHeld => ProblemKind::RoleNotHeld.into(),
            UserError::LastAdmin => ProblemKind::LastAdmin.into(),
            UserError::Form(refused) => refused.into(),
            UserError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<ProfileChanges>();
    }

    #[test]
    fn an_image_is_an_https_url_without_credentials() {
        assert!(image_url("https://cdn.example.com/mia.png").is_ok());
        for bad in [
            "http://x.example/a.png",
            "javascript:alert(1)",
            "https://u:p@x.example/",
            "x",
        ] {
            assert!(image_url(bad).is_err(), "{bad}");
        }
    }
}
