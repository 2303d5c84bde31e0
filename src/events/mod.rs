//! Events: what happened, written in the transaction of the fact.
//!
//! One collection, `authsome_events`: the audit log *is* the outbox. [`record`] takes the
//! transaction, so an event outside one does not compile. Each is marked as untold when it is
//! written, and whoever passes events on takes the mark away. Events hold identifiers, never
//! addresses, tokens or passwords. Not here: who may read them, and to whom they are told
//! ([`crate::webhooks`]).

#[cfg(test)]
mod fuzz;
mod names;
mod origin;
mod outbox;
mod reading;

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use self::names::Name;
pub use self::origin::Origin;
pub use self::outbox::{after, get, told, told_all, untold, untold_count};
pub use self::reading::{Which, concerning, count, expire, page};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, EventId, OrgId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment, Outlives, Reaches, Stored, Tx};

/// One thing that happened in an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    #[serde(rename = "_id")]
    pub id: EventId,
    pub app_id: AppId,
    pub env_id: EnvId,
    /// Where it happened in an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    pub name: Name,
    pub outcome: Outcome,
    pub actor: Party,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Party>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
    pub request_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
    /// Since when it waits to be passed on; absent once it has been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold_since: Option<Timestamp>,
}

/// Whether it was done or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EventOutcome)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Success,
    Denied,
}

/// Somebody or something: `user`, `key`, `session`, `anonymous`, `system` …, with its identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EventParty)]
pub struct Party {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<String>,
}

impl Party {
    pub fn new(kind: &str, id: impl Display) -> Self {
        Self {
            kind: kind.to_owned(),
            id: Some(id.to_string()),
        }
    }

    /// Nobody known: a caller without a credential.
    pub fn anonymous() -> Self {
        Self {
            kind: "anonymous".to_owned(),
            id: None,
        }
    }

    /// The server itself, or its operator on the command line.
    pub fn system() -> Self {
        Self {
            kind: "system".to_owned(),
            id: None,
        }
    }
}

impl Entity for Event {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_events";
    const OUTLIVES: Outlives = Outlives::Environment;
    const INDEXES: &'static [Index] = &[
        Index::on(
            "events_tenant_created",
            &["app_id", "env_id", "created_at", "_id"],
        ),
        Index::on(
            "events_actor_created",
            &["app_id", "env_id", "actor.id", "created_at", "_id"],
        )
        .when_present("actor.id"),
        Index::on(
            "events_target_created",
            &["app_id", "env_id", "target.id", "created_at", "_id"],
        )
        .when_present("target.id"),
        Index::on(
            "events_org_created",
            &["app_id", "env_id", "org_id", "created_at", "_id"],
        )
        .when_present("org_id"),
        Index::on(
            "events_name_created",
            &["app_id", "env_id", "name", "outcome", "created_at"],
        ),
        Index::on("events_created", &["created_at"]),
        Index::on("events_untold", &["untold_since", "_id"]).when_present("untold_since"),
    ];
}

impl Event {
    /// A success by `actor`, now, in `tenant`. Where somebody impersonates the caller of the
    /// request, `acting` among the details says who.
    pub fn new(
        name: Name,
        tenant: Tenant,
        actor: Party,
        origin: &Origin,
        (now, entropy): (Timestamp, &Entropy),
    ) -> Self {
        let acting = origin
            .acting
            .map(|id| ("acting".to_owned(), id.to_string().into()));
        Self {
            id: EventId::new(now, entropy),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            org_id: None,
            name,
            outcome: Outcome::Success,
            actor,
            target: None,
            details: acting.into_iter().collect(),
            request_id: origin.request_id.clone(),
            ip_address: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.clone(),
            created_at: now,
            untold_since: Some(now),
        }
    }

    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// One that is not passed on to all: whoever it concerns is told by its own means.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.untold_since = None;
        self
    }

    #[must_use]
    pub fn denied(mut self) -> Self {
        self.outcome = Outcome::Denied;
        self
    }

    #[must_use]
    pub fn within(mut self, organization: impl Into<Option<OrgId>>) -> Self {
        self.org_id = organization.into();
        self
    }

    #[must_use]
    pub fn on(mut self, target: impl Into<Option<Party>>) -> Self {
        self.target = target.into();
        self
    }

    #[must_use]
    pub fn with(mut self, detail: &str, value: impl Into<Value>) -> Self {
        self.details.insert(detail.to_owned(), value.into());
        self
    }
}

/// Writes `event` as part of the unit of work whose fact it tells.
pub async fn record<S>(tx: &mut Tx<'_, S>, event: &Event) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.insert(event).await
}

/// As [`record`], of many, in one call.
pub async fn record_all<S>(tx: &mut Tx<'_, S>, events: &[Event]) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.insert_all(events).await
}
