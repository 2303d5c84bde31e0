use actix_web::web::Data;
use actix_web::{get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::service::{LockError, Locks};
use crate::access::{Permission, ReadUser, UnlockUser};
use crate::http::{Allowed, Answer, NoContent, Ok200, PathId, Problem, ProblemKind, Routing};
use crate::kernel::id::UserId;
use crate::kernel::time::Timestamp;
use crate::limits::Lock;

pub fn routes(config: &mut Routing) {
    config.service(read).service(unlock);
}

/// How an account stands after wrong passwords.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lock)]
struct LockView {
    /// Wrong passwords in a row; a right one starts again from zero.
    #[schema(minimum = 0)]
    failed_attempts: i64,
    locked: bool,
    /// While the account is locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    locked_until: Option<Timestamp>,
}

impl From<Lock> for LockView {
    fn from(lock: Lock) -> Self {
        Self {
            failed_attempts: lock.failed_attempts,
            locked: lock.locked_until.is_some(),
            locked_until: lock.locked_until,
        }
    }
}

/// Read the lock of a user
///
/// How often in a row the password was wrong, and until when it is not tried. A device that is
/// known as the user's own is counted apart, and not shown here.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.lock.read",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The lock", body = LockView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadUser::NAME))),
)]
#[get("/v1/admin/users/{id}/lock")]
async fn read(
    access: Allowed<ReadUser>,
    id: PathId<UserId>,
    locks: Data<Locks>,
) -> Answer<Ok200<LockView>> {
    let lock = locks.of(access.tenant(), id.into_inner()).await?;
    Ok(Ok200::new(lock.into()))
}

/// Unlock a user
///
/// Lifts the lock and forgets the wrong passwords that led to it. Unlocking a user who is not
/// locked changes nothing.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.unlock",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "The user is not locked")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UnlockUser::NAME))),
)]
#[post("/v1/admin/users/{id}/unlock")]
async fn unlock(
    access: Allowed<UnlockUser>,
    id: PathId<UserId>,
    locks: Data<Locks>,
) -> Answer<NoContent> {
    locks
        .lift(access.caller(), id.into_inner(), access.origin())
        .await?;
    Ok(NoContent)
}

impl From<LockError> for Problem {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Unknown => ProblemKind::NotFound.into(),
            LockError::Store(error) => error.into(),
        }
    }
}
