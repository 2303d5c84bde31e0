//! Standing: what somebody may do in one organisation, at one moment.
//!
//! ```text
//! Footing    what he is there, whoever asks: of the store      ┐
//! subjects   what he is besides, by the credential he shows    ┴─▶ Standing
//! ```

use std::ops::Deref;
use std::sync::Arc;

use super::record::{Member, Organization, Team};
use crate::access::{
    InOrganization, OrgPolicy, OrgRole, Permission, ReadOrganization, TeamRole, unlimited,
};
use crate::kernel::id::TeamId;
use crate::tokens::{ActiveOrganization, Membership};

/// What a user is in an organisation, and the policy that says what this means there.
#[derive(Debug, Clone)]
pub struct Footing {
    pub organization: Organization,
    /// `None` for administrators of the app who are no members.
    pub member: Option<Member>,
    pub teams: Vec<Place>,
    pub policy: Arc<OrgPolicy>,
    /// The version of what the app defines for all its organisations.
    pub app_version: i64,
}

/// What a caller or a user is in an organisation: his footing, and what he is in the app.
#[derive(Debug, Clone)]
pub struct Standing {
    footing: Arc<Footing>,
    /// What he is, as the policy knows it.
    subjects: Vec<String>,
}

/// A place in a team.
#[derive(Debug, Clone)]
pub struct Place {
    pub team: Team,
    pub role: TeamRole,
}

/// What a footing takes beside its texts.
const OF_A_FOOTING: usize = 1024;
/// What a place in a team takes, or a role.
const OF_A_PLACE: usize = 512;
const OF_A_ROLE: usize = 32;

impl Footing {
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

    /// The versions that a token made of it has.
    pub(super) fn versions(&self) -> Membership {
        Membership {
            org_id: self.organization.id,
            org_ver: self.organization.version,
            app_ver: self.app_version,
        }
    }

    /// About how many bytes it takes in memory; the policy is everybody's.
    pub(super) fn weight(&self) -> usize {
        let organization = &self.organization;
        let logo = organization.logo.as_ref().map_or(0, String::len);
        let roles = self.member.as_ref().map_or(0, |it| it.roles.len());
        let of_team = |place: &Place| OF_A_PLACE + place.team.roles.len() * OF_A_ROLE;
        let teams: usize = self.teams.iter().map(of_team).sum();
        OF_A_FOOTING + organization.metadata.weight() + logo + roles * OF_A_ROLE + teams
    }
}

impl Deref for Standing {
    type Target = Footing;

    fn deref(&self) -> &Footing {
        &self.footing
    }
}

impl Standing {
    /// Of whoever has this footing, and is this in the app or by his key.
    pub(super) fn new(footing: Arc<Footing>, mut subjects: Vec<String>) -> Self {
        if footing.member.is_some() {
            subjects.extend(footing.roles().into_iter().map(OrgRole::subject));
        }
        Self { footing, subjects }
    }

    /// The same in the organisation as it has become by what he did.
    #[must_use]
    pub fn of_changed(self, organization: Organization) -> Self {
        let mut footing = self.footing;
        Arc::make_mut(&mut footing).organization = organization;
        Self { footing, ..self }
    }

    pub fn allows<P: Permission<In = InOrganization>>(&self) -> bool {
        self.policy.grants::<P>(&self.subjects)
    }

    /// Whether the organisation exists to him: members, and who administers the app. A key whose
    /// scopes are for something else is forbidden to look, but knows.
    pub(super) fn is_let_in(&self) -> bool {
        let own = || unlimited(&self.subjects);
        self.member.is_some() || self.policy.grants::<ReadOrganization>(&own())
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
