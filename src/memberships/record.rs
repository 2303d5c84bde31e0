use serde::{Deserialize, Serialize};

use crate::access::{OrgRole, TeamRole};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, MemberId, OrgId, PolicyId, TeamId, TeamMemberId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment, PartOf};

pub const SLUG_TAKEN: &str = "organizations_slug";
pub(super) const ALREADY_MEMBER: &str = "members_once";
pub const TEAM_SLUG_TAKEN: &str = "teams_slug";
pub const ALREADY_IN_TEAM: &str = "team_members_once";

/// A customer's organisation, in one environment of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Organization {
    #[serde(rename = "_id")]
    pub id: OrgId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub name: Label,
    pub slug: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// How many owners have no ban on record. Never less than one.
    pub owner_count: i64,
    pub member_count: i64,
    /// How many members there may be; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_members: Option<i64>,
    /// Bumped by every change in the organisation. Access tokens for it carry it as `org_ver`; whoever
    /// loses a right here has those refused that are older.
    pub version: i64,
    /// The version of its own roles; absent while it has never had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<PolicyId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A user's place in an organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    #[serde(rename = "_id")]
    pub id: MemberId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub org_id: OrgId,
    pub user_id: UserId,
    /// At least one, each once, in the order of [`OrgRole`].
    pub roles: Vec<OrgRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<UserId>,
    /// When he joined.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A group of members. They have its roles beside their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Team {
    #[serde(rename = "_id")]
    pub id: TeamId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub org_id: OrgId,
    pub name: Label,
    pub slug: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Label>,
    pub roles: Vec<OrgRole>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A member's place in a team.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TeamMember {
    #[serde(rename = "_id")]
    pub id: TeamMemberId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub org_id: OrgId,
    pub team_id: TeamId,
    pub member_id: MemberId,
    pub user_id: UserId,
    pub role: TeamRole,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl TeamMember {
    /// A new place in a team, for a member of its organisation.
    pub fn new(
        member: &Member,
        (team, role): (TeamId, TeamRole),
        (now, entropy): (Timestamp, &Entropy),
    ) -> Self {
        Self {
            id: TeamMemberId::new(now, entropy),
            app_id: member.app_id,
            env_id: member.env_id,
            org_id: member.org_id,
            team_id: team,
            member_id: member.id,
            user_id: member.user_id,
            role,
            created_at: now,
            updated_at: now,
        }
    }
}

const PART_OF_ORGANIZATION: Option<PartOf> = Some(PartOf {
    collection: Organization::COLLECTION,
    field: "org_id",
});

impl Entity for Organization {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_organizations";
    const KEPT: bool = true;
    const INDEXES: &'static [Index] = &[
        Index::unique(SLUG_TAKEN, &["app_id", "env_id", "slug"]),
        Index::on(
            "organizations_created",
            &["app_id", "env_id", "created_at", "_id"],
        ),
    ];
}

impl Entity for Member {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_members";
    const KEPT: bool = true;
    const PART_OF: Option<PartOf> = PART_OF_ORGANIZATION;
    const INDEXES: &'static [Index] = &[
        Index::unique(ALREADY_MEMBER, &["org_id", "user_id"]),
        Index::on("members_environment", &["env_id"]),
        Index::on("members_user", &["user_id", "created_at", "_id"]),
        Index::on("members_organization", &["org_id", "created_at", "_id"]),
        Index::on("members_role", &["app_id", "roles"]),
    ];
}

impl Entity for Team {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_teams";
    const KEPT: bool = true;
    const PART_OF: Option<PartOf> = PART_OF_ORGANIZATION;
    const INDEXES: &'static [Index] = &[
        Index::unique(TEAM_SLUG_TAKEN, &["org_id", "slug"]),
        Index::on("teams_environment", &["env_id"]),
        Index::on("teams_organization", &["org_id", "created_at", "_id"]),
        Index::on("teams_role", &["app_id", "roles"]),
    ];
}

impl Entity for TeamMember {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_team_members";
    const KEPT: bool = true;
    const PART_OF: Option<PartOf> = PART_OF_ORGANIZATION;
    const INDEXES: &'static [Index] = &[
        Index::unique(ALREADY_IN_TEAM, &["team_id", "user_id"]),
        Index::on("team_members_organization", &["org_id", "user_id"]),
        Index::on("team_members_user", &["user_id"]),
        Index::on("team_members_app", &["app_id", "env_id"]),
        Index::on("team_members_team", &["team_id", "created_at", "_id"]),
    ];
}

impl Organization {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// Whether somebody more may join.
    pub(super) fn has_room(&self) -> bool {
        self.max_members.is_none_or(|most| self.member_count < most)
    }
}

impl Member {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    pub fn is_owner(&self) -> bool {
        self.roles.contains(&OrgRole::OWNER)
    }
}
