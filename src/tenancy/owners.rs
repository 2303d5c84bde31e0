//! The owners of the installation.

use actix_web::web::Data;
use actix_web::{delete, post};
use utoipa::ToSchema;

use super::service::{Tenancy, TenancyError};
use crate::access::{ChangePlatformOwners, Permission, Role};
use crate::events::Origin;
use crate::http::{
    Allowed, Answer, Body, Caller, Fields, FromFields, NoContent, Ok200, ProblemKind, Routing,
};
use crate::kernel::id::UserId;
use crate::users::{User, UserView, WantedRoles};

pub(super) fn routes(config: &mut Routing) {
    config.service(add).service(remove);
}

/// A user of the platform app.
#[derive(Debug, ToSchema)]
struct PlatformOwner {
    user_id: UserId,
}

impl FromFields for PlatformOwner {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let user_id = fields.required("user_id", str::parse);
        Some(Self { user_id: user_id? })
    }
}

impl Tenancy {
    /// Gives or takes the role of an owner, in the caller's own app, whichever he acts on: only the
    /// platform has owners.
    async fn owns(
        &self,
        caller: &Caller,
        wanted: (UserId, WantedRoles),
        origin: &Origin,
    ) -> Result<User, TenancyError> {
        let at_home = Caller {
            tenant: caller.home,
            ..caller.clone()
        };
        let assigned = self.accounts.assign_roles(&at_home, &wanted, origin);
        Ok(assigned.await?)
    }
}

/// Make somebody an owner of the installation
///
/// He must be a user of the platform app. Only owners make owners.
#[utoipa::path(
    tag = "administration", operation_id = "admin.platform.owners.add",
    request_body(
        content = PlatformOwner,
        example = json!({"user_id": "ausr_01h2xcejqtf2nbrexx3vqjhp41"}),
    ),
    responses((status = 200, description = "The user, an owner", body = UserView)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(ChangePlatformOwners::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[post("/v1/admin/platform/owners")]
async fn add(
    access: Allowed<ChangePlatformOwners>,
    owner: Body<PlatformOwner>,
    tenancy: Data<Tenancy>,
) -> Answer<Ok200<UserView>> {
    let wanted = (owner.into_inner().user_id, WantedRoles::With(Role::Owner));
    let user = tenancy
        .owns(access.caller(), wanted, access.origin())
        .await?;
    let now = tenancy.accounts.clock.now();
    Ok(Ok200::new(UserView::of(user, now)))
}

/// Take an owner's role
///
/// He stays a user of the platform app, with his other roles. The last owner stays one.
#[utoipa::path(
    tag = "administration", operation_id = "admin.platform.owners.remove",
    request_body(
        content = PlatformOwner,
        example = json!({"user_id": "ausr_01h2xcejqtf2nbrexx3vqjhp41"}),
    ),
    responses((status = 204, description = "He is no owner any more")),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(ChangePlatformOwners::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld, ProblemKind::LastAdmin])),
    ),
)]
#[delete("/v1/admin/platform/owners")]
async fn remove(
    access: Allowed<ChangePlatformOwners>,
    owner: Body<PlatformOwner>,
    tenancy: Data<Tenancy>,
) -> Answer<NoContent> {
    let wanted = (
        owner.into_inner().user_id,
        WantedRoles::Without(Role::Owner),
    );
    tenancy
        .owns(access.caller(), wanted, access.origin())
        .await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<PlatformOwner>();
    }
}
