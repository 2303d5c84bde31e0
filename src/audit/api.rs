use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::organization::OrganizationRecord;
use super::service::Audit;
use crate::access::{Permission, ReadEvents, ReadOrganizationEvents};
use crate::events::{Event, Name, Outcome, Party, Which};
use crate::http::{
    Allowed, Answer, Entering, Fields, FromFields, Ok200, Paging, PathId, Query, Routing,
};
use crate::kernel::id::{AppId, EnvId, EventId, OrgId, UserId};
use crate::kernel::page::Slice;
use crate::kernel::time::Timestamp;

/// The longest identifier of anything that events name.
const IDENTIFIER_MAX: usize = 64;

pub fn routes(config: &mut Routing) {
    config.service(list).service(of_organization);
}

/// Something that happened: a success, a refusal or a change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecurityEvent)]
struct EventView {
    id: EventId,
    name: Name,
    outcome: Outcome,
    actor: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    target: Option<Party>,
    /// What else is to be known, by the name of the event. Never a secret.
    details: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip_address: Option<String>,
    /// What the client called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
    request_id: String,
    created_at: Timestamp,
    app_id: AppId,
    env_id: EnvId,
    /// The organisation that it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            name: event.name,
            outcome: event.outcome,
            actor: event.actor,
            target: event.target,
            details: event.details,
            ip_address: event.ip_address,
            user_agent: event.user_agent,
            request_id: event.request_id,
            created_at: event.created_at,
            app_id: event.app_id,
            env_id: event.env_id,
            org_id: event.org_id,
        }
    }
}

/// A page of events, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct EventPage {
    events: Vec<EventView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

impl EventPage {
    fn of(slice: Slice<Event>, paging: &Paging) -> Self {
        Self {
            next_cursor: paging.cursor(slice.next.as_ref()),
            has_more: slice.next.is_some(),
            events: slice.items.into_iter().map(EventView::from).collect(),
        }
    }
}

/// Which events of an organisation, and which page of them. Conditions are met together.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Conditions {
    #[param(ignore)]
    paging: Paging,
    #[param(inline)]
    name: Option<Name>,
    #[param(inline)]
    outcome: Option<Outcome>,
    /// The identifier of who did it: of a user, a key …
    #[param(max_length = 64)]
    actor: Option<String>,
    /// The identifier of what it was done to.
    #[param(max_length = 64)]
    target: Option<String>,
    /// A user who did it, or to whom it was done.
    #[param(inline)]
    user_id: Option<UserId>,
    /// From this time on.
    #[param(inline)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(inline)]
    to: Option<Timestamp>,
}

impl FromFields for Conditions {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let name = fields.optional("name", name);
        let outcome = fields.optional("outcome", outcome);
        let actor = fields.optional("actor", identifier);
        let target = fields.optional("target", identifier);
        let user_id = fields.optional("user_id", str::parse::<UserId>);
        let from = fields.optional("from", str::parse::<Timestamp>);
        let to = fields.optional("to", str::parse::<Timestamp>);
        Some(Self {
            paging: paging?,
            name: name?,
            outcome: outcome?,
            actor: actor?,
            target: target?,
            user_id: user_id?,
            from: from?,
            to: to?,
        })
    }
}

impl Conditions {
    fn which(&self) -> Which {
        Which {
            org_id: None,
            name: self.name,
            outcome: self.outcome,
            actor: self.actor.clone(),
            target: self.target.clone(),
            party: self.user_id.map(|id| id.to_string()),
            from: self.from,
            to: self.to,
        }
    }
}

/// The same of an environment, where an organisation is one more condition.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(ignore)]
    conditions: Conditions,
    /// The organisation that it happened in.
    #[param(inline)]
    org_id: Option<OrgId>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let conditions = Conditions::from_fields(fields);
        let org_id = fields.optional("org_id", str::parse::<OrgId>);
        Some(Self {
            conditions: conditions?,
            org_id: org_id?,
        })
    }
}

fn name(text: &str) -> Result<Name, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "is not the name of an event")
}

fn outcome(text: &str) -> Result<Outcome, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be `success` or `denied`")
}

fn identifier(text: &str) -> Result<String, &'static str> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if text.is_empty() || text.len() > IDENTIFIER_MAX || !text.chars().all(is_letter) {
        return Err("is not an identifier");
    }
    Ok(text.to_owned())
}

/// List security events
///
/// What happened in the environment, newest first: successes, refusals and changes, with who did
/// it, to whom, and from where. Events can only be read; they are kept as long as the installation
/// is configured to keep them (`AUTHSOME_EVENTS__RETENTION`).
#[utoipa::path(
    tag = "administration", operation_id = "admin.security_events.list",
    params(Paging, Conditions, ListQuery),
    responses((status = 200, description = "A page of events", body = EventPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadEvents::NAME))),
)]
#[get("/v1/admin/security-events")]
async fn list(
    access: Allowed<ReadEvents>,
    query: Query<ListQuery>,
    audit: Data<Audit>,
) -> Answer<Ok200<EventPage>> {
    let ListQuery { conditions, org_id } = query.into_inner();
    let (paging, which) = (&conditions.paging, conditions.which());
    let which = Which { org_id, ..which };
    let slice = audit
        .page(access.tenant(), &which, paging.after.as_ref(), paging.limit)
        .await?;
    Ok(Ok200::new(EventPage::of(slice, paging)))
}

/// List the events of an organisation
///
/// What happened in it, newest first, with who did it, to whom, and from where.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.events.list",
    params(("org" = OrgId, Path, description = "The organisation"), Paging, Conditions),
    responses((status = 200, description = "A page of events", body = EventPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganizationEvents::NAME))),
)]
#[get("/v1/orgs/{org}/events")]
async fn of_organization(
    access: Entering<ReadOrganizationEvents>,
    org: PathId<OrgId>,
    query: Query<Conditions>,
    record: Data<OrganizationRecord>,
) -> Answer<Ok200<EventPage>> {
    let conditions = query.into_inner();
    let (paging, which) = (&conditions.paging, conditions.which());
    let (which, page) = (
        (org.into_inner(), which),
        (paging.after.as_ref(), paging.limit),
    );
    let slice = record.page(&access.entrance(), which, page).await?;
    Ok(Ok200::new(EventPage::of(slice, paging)))
}
