//! By which ways the caller can prove who he is.

use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::service::{SessionError, Sessions};
use crate::access::{Permission, ReadMe};
use crate::client_config::Method;
use crate::credentials;
use crate::http::{Allowed, Answer, Ok200, Routing};
use crate::kernel::id::UserId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::users;

pub(super) fn routes(config: &mut Routing) {
    config.service(methods);
}

/// The ways by which somebody can sign in, as things are.
#[derive(Debug, Serialize, ToSchema)]
struct AuthMethods {
    methods: Vec<AuthMethod>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
struct AuthMethod {
    #[serde(rename = "type")]
    #[schema(example = "password")]
    kind: Method,
    /// Who vouches for it: this server.
    #[schema(example = "authsome")]
    provider: &'static str,
    /// What people call it; of a link the address that it goes to.
    #[schema(example = "Password")]
    label: String,
    /// Since when there is a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    linked_at: Option<Timestamp>,
}

const PROVIDER: &str = "authsome";

/// List my sign-in methods
///
/// By which ways the caller can sign in at this moment: none that his app has switched off, and a
/// password only where he has one.
#[utoipa::path(
    tag = "me", operation_id = "me.auth_methods",
    responses((status = 200, description = "The ways", body = AuthMethods)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ReadMe::NAME))),
)]
#[get("/v1/me/auth-methods")]
async fn methods(access: Allowed<ReadMe>, sessions: Data<Sessions>) -> Answer<Ok200<AuthMethods>> {
    let (user, _) = access.user()?;
    let methods = sessions.methods_of(access.tenant(), user).await?;
    Ok(Ok200::new(AuthMethods { methods }))
}

impl Sessions {
    async fn methods_of(
        &self,
        tenant: Tenant,
        id: UserId,
    ) -> Result<Vec<AuthMethod>, SessionError> {
        let offered = self.client_configs.of(tenant.app_id).await?;
        let mut once = self.store.once();
        let mut tx = once.within(tenant);
        let user = users::get(&mut tx, id).await?;
        let user = user.ok_or(SessionError::Unknown)?;
        let password = credentials::by_user(&mut tx, id).await?;
        let of = |kind: &Method| match kind {
            Method::Password => password.as_ref().map(|password| AuthMethod {
                kind: Method::Password,
                provider: PROVIDER,
                label: "Password".to_owned(),
                linked_at: Some(password.created_at),
            }),
            Method::MagicLink => Some(AuthMethod {
                kind: Method::MagicLink,
                provider: PROVIDER,
                label: user.email.to_string(),
                linked_at: None,
            }),
        };
        Ok(offered.methods().iter().filter_map(of).collect())
    }
}
