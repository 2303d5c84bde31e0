//! Invitations as documents: what is offered to whom. A place in the organisation closes the offer of
//! one, however it came and however it ends; the verbs are in `invitations`.

mod repo;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use self::repo::close_offers;
use super::authority::Authority;
use super::record::Organization;
use crate::access::OrgRole;
use crate::kernel::id::{AppId, EnvId, InvitationId, OrgId, TeamId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Reason};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment, PartOf};

/// At most one pending invitation for an address in an organisation.
pub const ALREADY_INVITED: &str = "invitations_pending_once";

/// How long an invitation is kept after its term.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// An offer of a place in an organisation, to whoever holds an address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    #[serde(rename = "_id")]
    pub id: InvitationId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub org_id: OrgId,
    pub email: Email,
    /// At least one, each once, in the order of [`OrgRole`].
    pub roles: Vec<OrgRole>,
    pub team_ids: Vec<TeamId>,
    /// Who has invited; absent for a backend, and for who is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inviter_id: Option<UserId>,
    pub authority: Authority,
    /// What the inviter wants to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Reason>,
    pub status: InvitationStatus,
    /// SHA-256 of the token of this generation.
    pub token: String,
    /// Bumped whenever it is sent anew: the links before lead nowhere.
    pub generation: i64,
    /// Exclusive: at this moment it is over.
    pub expires_at: Timestamp,
    /// Who has accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What has become of an invitation, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InvitationStatus {
    Pending,
    Accepted,
    Declined,
    Revoked,
    Superseded,
}

impl Entity for Invitation {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_invitations";
    const PART_OF: Option<PartOf> = Some(PartOf {
        collection: Organization::COLLECTION,
        field: "org_id",
    });
    const INDEXES: &'static [Index] = &[
        Index::unique(ALREADY_INVITED, &["org_id", "email"]).when_equals("status", "pending"),
        Index::on("invitations_environment", &["env_id"]),
        Index::unique("invitations_token", &["token"]),
        Index::on("invitations_organization", &["org_id", "created_at", "_id"]),
        Index::on(
            "invitations_status",
            &["org_id", "status", "created_at", "_id"],
        ),
        Index::on(
            "invitations_address",
            &["app_id", "email", "created_at", "_id"],
        ),
        Index::on("invitations_inviter", &["inviter_id"]).when_present("inviter_id"),
        Index::on("invitations_user", &["user_id"]).when_present("user_id"),
        Index::on("invitations_expiry", &["expires_at"]).expires_after(KEPT),
    ];
}

impl Invitation {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }
}
