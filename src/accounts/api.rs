use actix_web::web::Data;
use actix_web::{patch, post};
use utoipa::ToSchema;

use super::service::{AccountError, Accounts, NewAccount};
use crate::access::{CreateUser, Permission, UpdateUser};
use crate::http::{
    Allowed, Answer, Body, Created, Fields, FromFields, Ok200, PathId, Problem, ProblemKind,
    Routing,
};
use crate::kernel::id::UserId;
use crate::kernel::metadata::Metadata;
use crate::kernel::password::Password;
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::users::{AccountChanges, NewUser, UserView, image_url};

pub fn routes(config: &mut Routing) {
    config.service(create_user).service(update_user);
}

/// An account to be made for somebody.
#[derive(Debug, ToSchema)]
#[schema(as = NewAccount)]
struct Wanted {
    email: Email,
    /// Whether the address is known to be his. Not, unless it is said.
    email_verified: Option<bool>,
    /// Judged like one that he would choose. Without one he signs in by letter, or sets one by
    /// letter.
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, format = Password)]
    password: Option<Password>,
    /// Sends him a letter by which he sets a password.
    invite: Option<bool>,
    first_name: Option<Label>,
    last_name: Option<Label>,
    username: Option<Username>,
    phone: Option<Phone>,
    /// None but what the caller holds himself; `USER` is always among them.
    roles: Option<Vec<String>>,
    metadata: Option<Metadata>,
}

impl FromFields for Wanted {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", Email::parse);
        let email_verified = fields.flag("email_verified");
        let weak = ProblemKind::WeakPassword;
        let password = fields.optional_else("password", weak, Password::parse);
        let invite = fields.flag("invite");
        let first_name = fields.optional("first_name", Label::parse);
        let last_name = fields.optional("last_name", Label::parse);
        let username = fields.optional("username", Username::parse);
        let phone = fields.optional("phone", Phone::parse);
        let roles = fields.optional_list("roles", str::parse::<String>);
        let metadata = fields.map("metadata", Metadata::parse);
        Some(Self {
            email: email?,
            email_verified: email_verified?,
            password: password?,
            invite: invite?,
            first_name: first_name?,
            last_name: last_name?,
            username: username?,
            phone: phone?,
            roles: roles?,
            metadata: metadata?,
        })
    }
}

impl From<Wanted> for NewAccount {
    fn from(wanted: Wanted) -> Self {
        let user = NewUser {
            email: wanted.email,
            email_verified: wanted.email_verified.unwrap_or(false),
            phone: wanted.phone,
            username: wanted.username,
            first_name: wanted.first_name,
            last_name: wanted.last_name,
            roles: Vec::new(),
            metadata: wanted.metadata.unwrap_or_default(),
        };
        Self {
            user,
            roles: wanted.roles.unwrap_or_default(),
            password: wanted.password,
            is_invited: wanted.invite.unwrap_or(false),
        }
    }
}

impl FromFields for AccountChanges {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.optional("email", Email::parse);
        let email_verified = fields.flag("email_verified");
        let phone_verified = fields.flag("phone_verified");
        let first_name = fields.change("first_name", Label::parse);
        let last_name = fields.change("last_name", Label::parse);
        let username = fields.change("username", Username::parse);
        let display_username = fields.change("display_username", Label::parse);
        let phone = fields.change("phone", Phone::parse);
        let image = fields.change("image", image_url);
        let metadata = fields.map("metadata", Metadata::parse);
        Some(Self {
            email: email?,
            email_verified: email_verified?,
            phone_verified: phone_verified?,
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

/// Make an account for somebody
///
/// With a password, or with an invitation by letter to set one, or with neither: then he signs in by
/// magic link, or asks for a letter himself. Where sign-up is closed, this is the way in.
///
/// `metadata` answers the app's sign-up form where one is active, as sign-up does: what it requires
/// must be there, a name that it does not have is refused, and each answer is kept in one spelling.
/// What a backend notes besides, it writes afterwards (`PATCH`).
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.create",
    request_body(
        content = Wanted,
        example = json!({"email": "mia@example.org", "first_name": "Mia", "invite": true}),
    ),
    responses((status = 201, description = "The new user", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(CreateUser::NAME)),
        ("x-problems" = json!([
            ProblemKind::EmailTaken, ProblemKind::UsernameTaken, ProblemKind::PhoneTaken,
            ProblemKind::WeakPassword, ProblemKind::InvalidEmail, ProblemKind::UnknownRole,
            ProblemKind::RoleNotHeld, ProblemKind::Busy,
        ])),
    ),
)]
#[post("/v1/admin/users/create")]
async fn create_user(
    access: Allowed<CreateUser>,
    wanted: Body<Wanted>,
    accounts: Data<Accounts>,
) -> Answer<Created<UserView>> {
    let new = wanted.into_inner().into();
    let user = accounts
        .create(access.caller(), new, access.origin())
        .await?;
    Ok(Created::new(UserView::of(
        user,
        accounts.accounts.clock.now(),
    )))
}

/// Change a user
///
/// What is said of him; roles, bans and deletion are operations of their own, and nobody sets another's
/// password. Another address is not verified unless it is said as well: links to the old one are void,
/// its reader is told, and the user's access tokens are refused until he refreshes. Nobody changes a
/// user who has a role that he does not hold himself. `metadata` is what a backend notes: it is held
/// against no form.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.update",
    params(("id" = UserId, Path, description = "The user")),
    request_body(content = AccountChanges, example = json!({"first_name": "Mia", "phone": null})),
    responses((status = 200, description = "The user, changed", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateUser::NAME)),
        ("x-problems" = json!([
            ProblemKind::EmailTaken, ProblemKind::UsernameTaken, ProblemKind::PhoneTaken,
            ProblemKind::InvalidEmail, ProblemKind::RoleNotHeld,
        ])),
    ),
)]
#[patch("/v1/admin/users/{id}")]
async fn update_user(
    access: Allowed<UpdateUser>,
    id: PathId<UserId>,
    changes: Body<AccountChanges>,
    accounts: Data<Accounts>,
) -> Answer<Ok200<UserView>> {
    let changes = changes.into_inner();
    let user = accounts
        .change(
            access.caller(),
            (id.into_inner(), &changes),
            access.origin(),
        )
        .await?;
    Ok(Ok200::new(UserView::of(
        user,
        accounts.accounts.clock.now(),
    )))
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::EmailTaken => ProblemKind::EmailTaken.into(),
            AccountError::User(error) => error.into(),
            AccountError::Password(refused) => refused.at("/password"),
            AccountError::Form(error) => error.into(),
            AccountError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<Wanted>();
        assert_documented::<AccountChanges>();
    }
}
