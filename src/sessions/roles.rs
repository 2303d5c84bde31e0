//! The roles of a user, as administrators give and take them: with them goes what was lent on them.

use actix_web::post;
use actix_web::web::Data;
use utoipa::ToSchema;

use super::service::Sessions;
use crate::access::{AssignRoles, Permission};
use crate::events::Origin;
use crate::http::{
    Allowed, Answer, Body, Caller, Fields, FromFields, Ok200, PathId, ProblemKind, Routing,
};
use crate::kernel::id::UserId;
use crate::users::{self, User, UserError, UserView, WantedRoles};

pub(super) fn routes(config: &mut Routing) {
    config.service(assign_roles);
}

impl Sessions {
    /// As [`users::assign_roles`]. Whoever acts as the user, or as whom the user acts, was judged by
    /// the roles of before: it ends.
    pub async fn assign_roles(
        &self,
        caller: &Caller,
        (id, roles): &(UserId, WantedRoles),
        origin: &Origin,
    ) -> Result<User, UserError> {
        let now = self.clock.now();
        let (user, revoked) = self
            .store
            .write(async |tx| {
                let (wanted, made) = ((*id, roles), (now, &self.entropy));
                let assigned = users::assign_roles(tx, caller, wanted, made, origin).await?;
                let (user, Some(revoked)) = assigned else {
                    return Ok::<_, UserError>((assigned.0, Vec::new()));
                };
                let mut app = tx.within(user.app_id);
                let mut all = self.disentangle(&mut app, *id, (now, origin)).await?;
                all.push(revoked);
                Ok((user, all))
            })
            .await?;
        self.apply(&revoked);
        self.recent.forget(user.app_id, *id);
        Ok(user)
    }
}

/// The roles a user is to have.
#[derive(Debug, ToSchema)]
struct RoleAssignment {
    /// Every role the user shall have; `USER` is always among them.
    roles: Vec<String>,
}

impl FromFields for RoleAssignment {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let roles = fields.list("roles", str::parse::<String>);
        Some(Self { roles: roles? })
    }
}

/// Assign roles to a user
///
/// Nobody gives or takes a role that he does not hold, and the last administrator stays one. The
/// user's access tokens are refused from then on; refreshing gives new ones. Nobody goes on acting
/// as the user, nor the user as anybody.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.assign_roles",
    params(("id" = UserId, Path, description = "The user")),
    request_body(content = RoleAssignment, example = json!({"roles": ["ADMIN", "USER"]})),
    responses((status = 200, description = "The user, with the roles", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(AssignRoles::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleNotHeld, ProblemKind::LastAdmin,
        ])),
    ),
)]
#[post("/v1/admin/users/{id}/roles")]
async fn assign_roles(
    access: Allowed<AssignRoles>,
    id: PathId<UserId>,
    wanted: Body<RoleAssignment>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<UserView>> {
    let wanted = WantedRoles::Exactly(wanted.into_inner().roles);
    let wanted = (id.into_inner(), wanted);
    let user = sessions
        .assign_roles(access.caller(), &wanted, access.origin())
        .await?;
    Ok(Ok200::new(UserView::of(user, sessions.clock.now())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<RoleAssignment>();
    }
}
