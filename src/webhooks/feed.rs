//! The feed: the messages that webhooks get, to be asked for.
//!
//! A reader goes on with `next` and misses nothing: what was committed behind his back is told when he
//! comes back, and with it once more what he may know ([`crate::kernel::sweep`]). Messages have
//! identifiers, by which he knows one that he has seen.

use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::message::Message;
use super::pattern::{Pattern, matched};
use crate::access::{Permission, ReadEvents};
use crate::events::{self, Event, Name};
use crate::http::{
    Allowed, Answer, Fields, FromFields, Ok200, ProblemKind, Query, Routing, Subscription,
};
use crate::kernel::page::{Limit, Position};
use crate::kernel::sweep::{Sweep, after};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Clock;
use crate::store::{Store, Stored};

/// How many patterns a reader names at most.
const MOST_TYPES: usize = 50;

pub(super) fn routes(config: &mut Routing) {
    config.service(list);
}

/// The events of environments, to be asked for.
#[derive(Debug, Clone)]
pub struct EventFeed {
    pub store: Store,
    pub clock: Clock,
}

impl EventFeed {
    /// The events behind a place, oldest first; and whether there are more.
    async fn read(
        &self,
        tenant: Tenant,
        (sweep, names): (&Sweep, Option<&[Name]>),
        limit: Limit,
    ) -> Stored<(Vec<Event>, bool)> {
        let mut once = self.store.once();
        let mut tx = once.within(tenant);
        let mut found = events::after(&mut tx, &sweep.behind, names, limit.get() + 1).await?;
        let has_more = found.len() > limit.get() as usize;
        found.truncate(limit.get() as usize);
        Ok((found, has_more))
    }
}

/// Events, oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct EventFeedPage {
    events: Vec<Message>,
    /// Send it as `after`: the rest follows, or what has happened since.
    next: String,
    /// Whether there are more already.
    has_more: bool,
}

/// Where to read on, and of which events.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct FeedQuery {
    #[param(required = false, inline)]
    limit: Limit,
    /// The `next` of the page before; without it everything that is kept is told.
    #[param(value_type = Option<String>, nullable = false)]
    after: Option<Position>,
    /// Names of events or beginnings of them, separated by commas: `user.*,member.added`.
    #[param(value_type = Option<String>, nullable = false, max_length = 1024)]
    types: Option<Vec<Name>>,
}

impl FromFields for FeedQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional("limit", Limit::parse);
        let after = fields.cursor("after");
        let types = fields.optional("types", types);
        Some(Self {
            limit: limit?.unwrap_or_default(),
            after: after?,
            types: types?,
        })
    }
}

fn types(text: &str) -> Result<Vec<Name>, &'static str> {
    let patterns: Vec<&str> = text.split(',').collect();
    if patterns.len() > MOST_TYPES {
        return Err("must be at most 50");
    }
    let patterns: Result<Vec<_>, _> = patterns.into_iter().map(Pattern::parse).collect();
    Ok(matched(&patterns?))
}

/// Follow events
///
/// What happens in the environment, oldest first: the messages that webhooks are sent, for a backend
/// that would rather ask. Ask again with `next`, also when there is nothing more. Each is told at least
/// once, and again to a reader that comes back within two minutes: go by its `id`. Events are kept as
/// long as the installation is configured to keep them.
#[utoipa::path(
    tag = "webhooks", operation_id = "events.list",
    params(FeedQuery),
    responses((status = 200, description = "A page of events", body = EventFeedPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ReadEvents::NAME)),
        ("x-problems" = json!([ProblemKind::BadCursor])),
    ),
)]
#[get("/v1/events")]
async fn list(
    access: Allowed<ReadEvents>,
    query: Query<FeedQuery>,
    subscription: Subscription,
    feed: Data<EventFeed>,
) -> Answer<Ok200<EventFeedPage>> {
    let query = query.into_inner();
    let mut sweep = Sweep::at(query.after.as_ref(), feed.clock.now());
    let which = (&sweep, query.types.as_deref());
    let (found, has_more) = feed.read(access.tenant(), which, query.limit).await?;
    for event in &found {
        sweep.passes(event.created_at, event.id);
    }
    let next = if has_more {
        sweep.place()
    } else {
        after(sweep.began)
    };
    Ok(Ok200::new(EventFeedPage {
        events: found.into_iter().map(Message::from).collect(),
        next: subscription.cursor(&next),
        has_more,
    }))
}
