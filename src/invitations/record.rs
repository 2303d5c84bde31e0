use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::repo;
use crate::access::OrgRole;
use crate::http::ProblemKind;
use crate::kernel::id::{AppId, EnvId, InvitationId, OrgId, TeamId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Reason};
use crate::kernel::time::Timestamp;
use crate::memberships::{Authority, Inviter, Organization};
use crate::store::{Entity, Index, OfEnvironment, PartOf};

/// At most one pending invitation for an address in an organisation.
pub(super) const ALREADY_INVITED: &str = "invitations_pending_once";

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
    pub status: Status,
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
#[schema(as = InvitationStatus)]
pub enum Status {
    Pending,
    Accepted,
    Declined,
    Revoked,
    Superseded,
}

/// What has become of an invitation, as of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvitationState)]
pub(super) enum State {
    Pending,
    Accepted,
    Declined,
    Revoked,
    Superseded,
    /// Pending, and its term is over.
    Expired,
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

    pub(super) fn inviter(&self) -> Inviter {
        Inviter {
            authority: self.authority,
            id: self.inviter_id,
        }
    }

    pub(super) fn state(&self, now: Timestamp) -> State {
        match self.status {
            Status::Pending if repo::live(now).matches(self) => State::Pending,
            Status::Pending => State::Expired,
            Status::Accepted => State::Accepted,
            Status::Declined => State::Declined,
            Status::Revoked => State::Revoked,
            Status::Superseded => State::Superseded,
        }
    }
}

impl State {
    /// What whoever has the link is told of one that is over; `None` while it can be accepted.
    pub(super) const fn refusal(self) -> Option<ProblemKind> {
        match self {
            Self::Pending => None,
            Self::Accepted => Some(ProblemKind::InvitationAccepted),
            Self::Declined => Some(ProblemKind::InvitationDeclined),
            Self::Revoked => Some(ProblemKind::InvitationRevoked),
            Self::Superseded => Some(ProblemKind::InvitationSuperseded),
            Self::Expired => Some(ProblemKind::InvitationExpired),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;

    const NOON: Timestamp = Timestamp::from_millis(43_200_000);

    fn invitation(status: Status) -> Invitation {
        let (made, entropy) = (Timestamp::from_millis(0), Entropy::seeded(7));
        Invitation {
            id: InvitationId::new(made, &entropy),
            app_id: AppId::new(made, &entropy),
            env_id: EnvId::new(made, &entropy),
            org_id: OrgId::new(made, &entropy),
            email: Email::parse("mia@example.org").unwrap(),
            roles: vec![OrgRole::MEMBER],
            team_ids: Vec::new(),
            inviter_id: None,
            authority: Authority::Backend,
            message: None,
            status,
            token: String::new(),
            generation: 1,
            expires_at: NOON,
            user_id: None,
            created_at: made,
            updated_at: made,
        }
    }

    #[test]
    fn a_pending_invitation_is_over_at_the_very_end_of_its_term() {
        let pending = invitation(Status::Pending);
        let before = Timestamp::from_millis(NOON.as_millis() - 1);

        assert_eq!(pending.state(before), State::Pending);
        assert_eq!(pending.state(NOON), State::Expired);
    }

    #[test]
    fn what_has_ended_does_not_expire() {
        for (status, state) in [
            (Status::Accepted, State::Accepted),
            (Status::Declined, State::Declined),
            (Status::Revoked, State::Revoked),
            (Status::Superseded, State::Superseded),
        ] {
            assert_eq!(invitation(status).state(NOON), state);
            assert!(state.refusal().is_some());
        }
    }
}
