use actix_web::web::Data;
use actix_web::{Either, get, rt};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::service::Feed;
use super::telling::Telling;
use crate::access::{Permission, ReadRevocations};
use crate::http::{
    Allowed, Answer, EventStream, Fields, FromFields, Ok200, Problem, ProblemKind, Query, Routing,
    Subscription,
};
use crate::kernel::id::{OrgId, RevocationId, SessionId, SigningKeyId, UserId};
use crate::kernel::page::{Limit, Position};
use crate::kernel::sweep::{Sweep, after};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::tokens::{Member, Revocation};

pub fn routes(config: &mut Routing) {
    config.service(list);
}

/// What a revocation stops.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RevocationType {
    /// Tokens whose `sid` is `session_id`.
    Session,
    /// Tokens whose `sub` is `user_id` and whose `ver` is below `min_version`.
    User,
    /// Tokens whose header names `key_id` as its `kid`.
    Key,
    /// Tokens whose `org_id` is `org_id` and whose `org_ver` is below `min_org_version`.
    Organization,
    /// Tokens whose `org_id` and `sub` are the `org_id` and `user_id` of `member` and whose `org_ver` is
    /// below `min_member_version`: neither the user's other tokens nor other members'.
    Member,
    /// Tokens with any `org_id` whose `app_ver` is below `min_app_version`.
    AppRoles,
}

/// Tokens that must be refused although they are signed and not over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revocation)]
pub(super) struct RevocationView {
    id: RevocationId,
    #[serde(rename = "type")]
    kind: RevocationType,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session_id: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<UserId>,
    /// The lowest `ver` that is still accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min_version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_id: Option<SigningKeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    /// The lowest `org_ver` that is still accepted; of a deleted organisation none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min_org_version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    member: Option<Member>,
    /// The lowest `org_ver` of this member that is still accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min_member_version: Option<i64>,
    /// The lowest `app_ver` that is still accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min_app_version: Option<i64>,
    created_at: Timestamp,
    /// From then on no token that it stops is good anyway: forget it.
    expires_at: Timestamp,
}

impl RevocationType {
    fn of(revocation: &Revocation) -> Self {
        let of_fields = [
            (revocation.session_id.is_some(), Self::Session),
            (revocation.user_id.is_some(), Self::User),
            (revocation.org_id.is_some(), Self::Organization),
            (revocation.member.is_some(), Self::Member),
            (revocation.roles_of.is_some(), Self::AppRoles),
        ];
        let of_it = of_fields.into_iter().find(|(is_there, _)| *is_there);
        of_it.map_or(Self::Key, |(_, kind)| kind)
    }
}

impl From<Revocation> for RevocationView {
    fn from(revocation: Revocation) -> Self {
        Self {
            id: revocation.id,
            kind: RevocationType::of(&revocation),
            session_id: revocation.session_id,
            user_id: revocation.user_id,
            min_version: revocation.min_version,
            key_id: revocation.key_id,
            org_id: revocation.org_id,
            min_org_version: revocation.min_org_version,
            member: revocation.member,
            min_member_version: revocation.min_member_version,
            min_app_version: revocation.min_app_version,
            created_at: revocation.created_at,
            expires_at: revocation.expires_at,
        }
    }
}

/// Revocations, oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct RevocationPage {
    revocations: Vec<RevocationView>,
    /// Send it as `after`: the rest follows, or what has been revoked since.
    next: String,
    /// Whether there are more already.
    has_more: bool,
}

/// Where to read on.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct FeedQuery {
    #[param(required = false, inline)]
    limit: Limit,
    /// The `next` of the page before, or the `id` of an event; without it everything that counts is told.
    #[param(value_type = Option<String>, nullable = false)]
    after: Option<Position>,
}

impl FromFields for FeedQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional("limit", Limit::parse);
        let after = fields.cursor("after");
        Some(Self {
            limit: limit?.unwrap_or_default(),
            after: after?,
        })
    }
}

/// Follow revocations
///
/// What a backend that verifies access tokens by itself must refuse, oldest first: sessions of this
/// environment, its organisations and their members, users and roles of the app, signing keys. Refuse
/// everything on a `type` that you do not know. Each is told at least once, and again to a reader that
/// comes back within two minutes; ask again with `next`. With `Accept: text/event-stream` the answer
/// goes on: an event `revocation` each as it happens, whose `data` is a revocation and whose `id` is a
/// cursor (`Last-Event-ID` or `after`), and a comment every 15 seconds.
#[utoipa::path(
    tag = "revocations", operation_id = "revocations.list",
    params(
        FeedQuery,
        ("Last-Event-ID" = Option<String>, Header, nullable = false,
            description = "The `id` of the last event seen; it counts before `after`"),
    ),
    responses((
        status = 200, description = "Revocations, as a page or as events",
        content((RevocationPage = "application/json"), (String = "text/event-stream")),
    )),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ReadRevocations::NAME)),
        ("x-problems" = json!([ProblemKind::BadCursor, ProblemKind::Busy])),
    ),
)]
#[get("/v1/revocations")]
async fn list(
    access: Allowed<ReadRevocations>,
    query: Query<FeedQuery>,
    subscription: Subscription,
    feed: Data<Feed>,
) -> Answer<Either<Ok200<RevocationPage>, EventStream>> {
    let query = query.into_inner();
    if subscription.is_live() {
        let events = events(&feed, access, subscription, &query)?;
        return Ok(Either::Right(events));
    }
    let page = page(&feed, access.tenant(), &subscription, &query).await?;
    Ok(Either::Left(Ok200::new(page)))
}

async fn page(
    feed: &Feed,
    tenant: Tenant,
    subscription: &Subscription,
    query: &FeedQuery,
) -> Result<RevocationPage, Problem> {
    let mut sweep = Sweep::at(query.after.as_ref(), feed.clock.now());
    let (found, has_more) = feed.read(tenant, &sweep, query.limit).await?;
    for revocation in &found {
        sweep.passes(revocation.created_at, revocation.id);
    }
    let next = if has_more {
        sweep.place()
    } else {
        after(sweep.began)
    };
    Ok(RevocationPage {
        revocations: found.into_iter().map(RevocationView::from).collect(),
        next: subscription.cursor(&next),
        has_more,
    })
}

/// Leaves a task behind that tells, on this worker.
fn events(
    feed: &Feed,
    access: Allowed<ReadRevocations>,
    subscription: Subscription,
    query: &FeedQuery,
) -> Result<EventStream, Problem> {
    let place = feed.place(access.tenant()).ok_or(ProblemKind::Busy)?;
    let from = subscription.last().or(query.after.as_ref());
    let sweep = Sweep::at(from, feed.clock.now());
    let (line, events) = EventStream::open();
    let telling = Telling::new(feed.clone(), access, subscription, line, place);
    rt::spawn(telling.run(sweep));
    Ok(events)
}
