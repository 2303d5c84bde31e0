use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::headers::Headers;
use super::pattern::Pattern;
use crate::kernel::id::{AppId, EnvId, OrgId, WebhookId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::memberships::Organization;
use crate::store::{Entity, Index, OfEnvironment, PartOf, Sealed};

/// Of whoever holds webhooks, each has a seat of its own: so there are never more than seats.
pub(super) const SEAT_TAKEN: &str = "webhooks_holder_seat";

/// A URL that is told of events.
///
/// ```text
/// active ◀──by hand──▶ inactive
///    └──410, or nothing arrives for days──▶ disabled: inactive, with the reason
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhook {
    #[serde(rename = "_id")]
    pub id: WebhookId,
    pub app_id: AppId,
    pub env_id: EnvId,
    /// Whose events it hears of; absent for those of the whole environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    /// The identifier of the organisation, or of the environment where it is that one's.
    pub(super) holder: String,
    /// From 0 up, below the number of webhooks that its holder may have.
    pub(super) seat: i64,
    pub(super) url: String,
    pub(super) events: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Label>,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub(super) headers: Headers,
    /// Its secrets, sealed: the newest, and the one before.
    pub secret: String,
    /// Until when the one before signs as well. Exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous_secret_until: Option<Timestamp>,
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disabled_reason: Option<DisabledReason>,
    /// Since when nothing has arrived, where the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// Why the server has switched a webhook off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum DisabledReason {
    /// Nothing has arrived for five days.
    Failing,
    /// The receiver answered 410.
    Gone,
}

impl DisabledReason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }
}

impl Webhook {
    pub(super) fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }
}

impl Sealed for Webhook {
    type Home = EnvId;
    const FIELD: &'static str = "secret";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn home(&self) -> EnvId {
        self.env_id
    }

    fn sealed(&self) -> Option<&str> {
        Some(&self.secret)
    }
}

impl Entity for Webhook {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_webhooks";
    const INDEXES: &'static [Index] = &[
        Index::unique(SEAT_TAKEN, &["holder", "seat"]),
        Index::on(
            "webhooks_holder_created",
            &["app_id", "env_id", "holder", "created_at", "_id"],
        ),
        Index::on("webhooks_org", &["app_id", "env_id", "org_id"]).when_present("org_id"),
    ];
    const PART_OF: Option<PartOf> = Some(PartOf {
        collection: Organization::COLLECTION,
        field: "org_id",
    });
}
