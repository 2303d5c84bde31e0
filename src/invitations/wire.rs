//! What clients send and get of invitations.

use serde::Serialize;
use utoipa::ToSchema;

use super::inviting::NewInvitation;
use super::reading::Offer;
use super::record::State;
use super::service::{InviteError, KnownInvitation};
use crate::branding::Brand;
use crate::forms::Form;
use crate::http::{Fields, FromFields, Problem, ProblemKind};
use crate::kernel::id::{InvitationId, OrgId, TeamId, UserId};
use crate::kernel::text::{Email, Label, Reason, Slug};
use crate::kernel::time::Timestamp;
use crate::memberships::{Invitation, Organization};
use crate::orgs::Roles;

/// How many teams somebody can be invited into at once.
const MOST_TEAMS: usize = 20;

/// Whom to invite, and as what.
#[derive(Debug, ToSchema)]
pub(super) struct NewInvitationBody {
    email: Email,
    /// The name or identifier of a role; `member` where neither this nor `roles` is given.
    #[schema(nullable = false)]
    role: Option<String>,
    /// Names or identifiers, at least one.
    #[schema(nullable = false, min_items = 1, max_items = 20)]
    roles: Option<Vec<String>>,
    /// Teams of the organisation that whoever accepts is put into.
    #[schema(nullable = false, max_items = 20)]
    team_ids: Option<Vec<TeamId>>,
    /// What the letter says besides; what would become a link in it is broken up.
    #[schema(nullable = false)]
    message: Option<Reason>,
}

impl FromFields for NewInvitationBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_else("email", ProblemKind::InvalidEmail, Email::parse);
        let roles = Roles::if_any(fields);
        let team_ids = teams(fields);
        let message = fields.optional("message", Reason::parse);
        let (role, roles) = roles?.map_or((None, None), |it| (it.role, it.roles));
        Some(Self {
            email: email?,
            role,
            roles,
            team_ids: Some(team_ids?),
            message: message?,
        })
    }
}

/// Reads teams, each of which counts once; there may be none.
fn teams(fields: &mut Fields) -> Option<Vec<TeamId>> {
    let teams = fields.optional_list("team_ids", str::parse::<TeamId>)?;
    let mut teams = teams.unwrap_or_default();
    if teams.len() > MOST_TEAMS {
        return fields.fault("team_ids", "invalid_team_ids", "must name at most 20 teams");
    }
    teams.sort();
    teams.dedup();
    Some(teams)
}

impl From<NewInvitationBody> for NewInvitation {
    fn from(body: NewInvitationBody) -> Self {
        let one = body.role.unwrap_or_else(|| "member".to_owned());
        Self {
            email: body.email,
            roles: body.roles.unwrap_or_else(|| vec![one]),
            team_ids: body.team_ids.unwrap_or_default(),
            message: body.message,
        }
    }
}

/// An invitation as the organisation sees it. Its secret is in the letter alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct InvitationView {
    id: InvitationId,
    org_id: OrgId,
    email: Email,
    /// The first of `roles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    role: Option<String>,
    /// Built-in ones first, highest first.
    roles: Vec<String>,
    team_ids: Vec<TeamId>,
    status: State,
    /// Who has invited; absent for a backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    inviter_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<Reason>,
    expires_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl InvitationView {
    pub(super) fn at(now: Timestamp, known: KnownInvitation) -> Self {
        let KnownInvitation { invitation, roles } = known;
        Self {
            id: invitation.id,
            org_id: invitation.org_id,
            status: invitation.state(now),
            role: roles.first().cloned(),
            roles,
            email: invitation.email,
            team_ids: invitation.team_ids,
            inviter_id: invitation.inviter_id,
            message: invitation.message,
            expires_at: invitation.expires_at,
            created_at: invitation.created_at,
            updated_at: invitation.updated_at,
        }
    }
}

/// What has come of one of several invitations: `invitation`, or `problem`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationOutcome {
    email: Email,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    invitation: Option<InvitationView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<ItemProblem>,
}

/// Why one of several was refused.
#[derive(Debug, Serialize, ToSchema)]
struct ItemProblem {
    /// `GET /problems/{type}` explains it.
    #[serde(rename = "type")]
    #[schema(example = "already_invited")]
    kind: &'static str,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
}

impl InvitationOutcome {
    pub(super) fn at(
        now: Timestamp,
        (email, outcome): (Email, Result<KnownInvitation, InviteError>),
    ) -> Self {
        let (invitation, problem) = match outcome {
            Ok(known) => (Some(InvitationView::at(now, known)), None),
            Err(error) => (None, Some(ItemProblem::of(&error.into()))),
        };
        Self {
            email,
            invitation,
            problem,
        }
    }
}

impl ItemProblem {
    fn of(problem: &Problem) -> Self {
        let kind = problem.kind();
        Self {
            kind: kind.slug(),
            title: kind.title(),
            status: kind.status().as_u16(),
        }
    }
}

/// An invitation as whoever is invited sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvitationOffer)]
pub(super) struct OfferView {
    id: InvitationId,
    /// The address that it went to.
    email: Email,
    organization: OfferingOrganization,
    /// What the inviter is called; absent where he has no name, and for a backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    inviter: Option<String>,
    /// The first of `roles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    role: Option<String>,
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<Reason>,
    /// What the app asks of who is new; absent where it asks nothing, and where whoever is invited has
    /// an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    form: Option<Form>,
    /// How the organization looks, to whoever looks the invitation up by its token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    branding: Option<Brand>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl OfferView {
    /// To whoever may be new.
    pub(super) fn asking(self, form: Option<&Form>) -> Self {
        Self {
            form: form.cloned(),
            ..self
        }
    }

    /// To whoever has the link.
    pub(super) fn wearing(self, brand: Brand) -> Self {
        Self {
            branding: Some(brand),
            ..self
        }
    }
}

/// What whoever is invited is told of an organisation.
#[derive(Debug, Serialize, ToSchema)]
struct OfferingOrganization {
    id: OrgId,
    name: Label,
    slug: Slug,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    logo: Option<String>,
}

impl From<Organization> for OfferingOrganization {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            slug: organization.slug,
            logo: organization.logo,
        }
    }
}

impl From<Offer> for OfferView {
    fn from(offer: Offer) -> Self {
        let invitation: Invitation = offer.invitation;
        Self {
            id: invitation.id,
            email: invitation.email,
            organization: offer.organization.into(),
            inviter: offer.inviter,
            role: offer.roles.first().cloned(),
            roles: offer.roles,
            message: invitation.message,
            form: None,
            branding: None,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewInvitationBody>();
    }
}
