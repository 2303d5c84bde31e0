//! Standing: what somebody may do in one organisation, at one moment.

use std::sync::Arc;

use super::record::{Member, Organization, Team};
use crate::access::{
    InOrganization, OrgPolicy, OrgRole, Permission, ReadOrganization, TeamRole, unlimited,
};
use crate::kernel::id::TeamId;
use crate::tokens::ActiveOrganization;

/// What a caller or a user is in an organisation, and the policy that says what this means there.
#[derive(Debug, Clone)]
pub struct Standing {
    pub organization: Organization,
    /// `None` for administrators of the app who are no members.
    pub member: Option<Member>,
    pub teams: Vec<Place>,
    pub policy: Arc<OrgPolicy>,
    pub app_version: i64,
    /// What he is, as the policy knows it.
    pub(super) subjects: Vec<String>,
}

/// A place in a team.
#[derive(Debug, Clone)]
pub struct Place {
    pub team: Team,
    pub role: TeamRole,
}

impl Standing {
    pub fn allows<P: Permission<In = InOrganization>>(&self) -> bool {
        self.policy.grants::<P>(&self.subjects)
    }

    /// Whether the organisation exists to him: members, and who administers the app. A key whose
    /// scopes are for something else is forbidden to look, but knows.
    pub(super) fn is_let_in(&self) -> bool {
        let own = unlimited(&self.subjects);
        self.member.is_some() || self.policy.grants::<ReadOrganization>(&own)
    }

    /// What he is, as the policy knows it: roles in the app, in the organisation, and of his teams.
    pub fn subjects(&self) -> &[String] {
        &self.subjects
    }

    /// The same in one of the teams, where a place in it counts too.
    pub fn subjects_in(&self, team: TeamId) -> Vec<String> {
        let own = self.teams.iter().find(|place| place.team.id == team);
        let own = own.map(|place| place.role.subject().to_owned());
        self.subjects.iter().cloned().chain(own).collect()
    }

    /// Whether he has all that a role amounts to.
    pub fn holds(&self, role: OrgRole) -> bool {
        self.policy.holds(&self.subjects, role)
    }

    /// His roles in the organisation, those of his teams included, each once.
    pub fn roles(&self) -> Vec<OrgRole> {
        let own = self.member.iter().flat_map(|member| member.roles.clone());
        let of_teams = self.teams.iter().flat_map(|place| place.team.roles.clone());
        let mut roles: Vec<OrgRole> = own.chain(of_teams).collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// What his roles are called. One that is gone is left out: it gives nothing.
    pub fn role_names(&self) -> Vec<String> {
        self.policy.names(&self.roles())
    }

    /// What an access token for the organisation says.
    pub fn claims(&self) -> ActiveOrganization {
        ActiveOrganization {
            id: self.organization.id,
            slug: self.organization.slug.to_string(),
            roles: self.role_names(),
            teams: self
                .teams
                .iter()
                .map(|place| place.team.id.to_string())
                .collect(),
            permissions: self.policy.permissions(&self.subjects),
            version: self.organization.version,
            app_version: self.app_version,
        }
    }
}
