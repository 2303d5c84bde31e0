use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::repo;
use crate::http::ProblemKind;
use crate::kernel::time::Timestamp;
use crate::memberships::{Invitation, InvitationStatus, Inviter};

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

impl Invitation {
    pub(super) fn inviter(&self) -> Inviter {
        Inviter {
            authority: self.authority,
            id: self.inviter_id,
        }
    }

    pub(super) fn state(&self, now: Timestamp) -> State {
        match self.status {
            InvitationStatus::Pending if repo::live(now).matches(self) => State::Pending,
            InvitationStatus::Pending => State::Expired,
            InvitationStatus::Accepted => State::Accepted,
            InvitationStatus::Declined => State::Declined,
            InvitationStatus::Revoked => State::Revoked,
            InvitationStatus::Superseded => State::Superseded,
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
    use crate::access::OrgRole;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::id::{AppId, EnvId, InvitationId, OrgId};
    use crate::kernel::text::Email;
    use crate::memberships::Authority;

    const NOON: Timestamp = Timestamp::from_millis(43_200_000);

    fn invitation(status: InvitationStatus) -> Invitation {
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
        let pending = invitation(InvitationStatus::Pending);
        let before = Timestamp::from_millis(NOON.as_millis() - 1);

        assert_eq!(pending.state(before), State::Pending);
        assert_eq!(pending.state(NOON), State::Expired);
    }

    #[test]
    fn what_has_ended_does_not_expire() {
        for (status, state) in [
            (InvitationStatus::Accepted, State::Accepted),
            (InvitationStatus::Declined, State::Declined),
            (InvitationStatus::Revoked, State::Revoked),
            (InvitationStatus::Superseded, State::Superseded),
        ] {
            assert_eq!(invitation(status).state(NOON), state);
            assert!(state.refusal().is_some());
        }
    }
}
