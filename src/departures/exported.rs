//! What an export says of each kind of document.

use std::cmp::Reverse;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::export::{MOST, each};
use crate::access::{OrgRole, TeamRole};
use crate::credentials::Credential;
use crate::devices::{self, Device};
use crate::events::{Event, Name, Outcome, Party};
use crate::kernel::id::{
    DeviceId, EnvId, EventId, InvitationId, Kind, MemberId, NotificationId, OrgId, SessionId,
    TeamId, UserId,
};
use crate::kernel::language::Language;
use crate::kernel::text::{Email, Label, Reason};
use crate::kernel::time::Timestamp;
use crate::limits::Lockout;
use crate::links::{Link, LinkPurpose, PasswordReset, Verification};
use crate::memberships::{Invitation, InvitationStatus, Member, TeamMember};
use crate::notifications::{self, Channel, Message, Notification};
use crate::sessions::{Ending, Session};
use crate::users::User;

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedPassword {
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub changed_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedSession {
    pub id: SessionId,
    pub env_id: EnvId,
    /// The organisation that its tokens are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub org_id: Option<OrgId>,
    pub amr: Vec<String>,
    pub auth_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub device_id: Option<DeviceId>,
    pub created_at: Timestamp,
    pub last_activity_at: Timestamp,
    pub expires_at: Timestamp,
    /// Who acted as the user by it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub impersonated_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub impersonation_reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revoke_reason: Option<Ending>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedDevice {
    pub id: DeviceId,
    pub env_id: EnvId,
    /// As its owner calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<Label>,
    #[serde(rename = "type")]
    pub kind: devices::Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub browser: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub os: Option<String>,
    /// Where it was signed in from last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ip_address: Option<String>,
    /// Whether it is trusted now.
    pub trusted: bool,
    /// Until when it is or was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub trusted_until: Option<Timestamp>,
    /// How often it was signed in from.
    pub sign_ins: i64,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedMembership {
    pub id: MemberId,
    pub env_id: EnvId,
    pub org_id: OrgId,
    /// Built-in ones by name, others by identifier.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<OrgRole>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invited_by: Option<UserId>,
    pub joined_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedTeamMembership {
    pub env_id: EnvId,
    pub org_id: OrgId,
    pub team_id: TeamId,
    pub role: TeamRole,
    pub joined_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedInvitation {
    pub id: InvitationId,
    pub env_id: EnvId,
    pub org_id: OrgId,
    /// Where its letter went.
    pub email: Email,
    /// Built-in ones by name, others by identifier.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<OrgRole>,
    pub team_ids: Vec<TeamId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub inviter_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<Reason>,
    /// As it is stored: one that is pending may be over.
    pub status: InvitationStatus,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedNotification {
    pub id: NotificationId,
    pub env_id: EnvId,
    pub channel: Channel,
    pub template: String,
    /// Where it goes. Absent where the key that the address is sealed under is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub to: Option<Email>,
    pub language: Language,
    /// Of the new device that it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub browser: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub os: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ip_address: Option<String>,
    pub status: notifications::Status,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sent_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedLink {
    pub env_id: EnvId,
    pub purpose: LinkPurpose,
    /// Where its letter went.
    pub address: Email,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub voided_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedWrongPasswords {
    pub failed_attempts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub locked_until: Option<Timestamp>,
    pub last_attempt_at: Timestamp,
    /// When they are forgotten.
    pub expires_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedEvent {
    pub id: EventId,
    pub env_id: EnvId,
    /// The organisation that it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub org_id: Option<OrgId>,
    pub name: Name,
    pub outcome: Outcome,
    pub actor: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub target: Option<Party>,
    pub details: Map<String, Value>,
    /// Not of requests of somebody else who is known, such as an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
}

impl ExportedPassword {
    pub(super) fn of(credential: &Credential, user: &User) -> Self {
        Self {
            created_at: credential.created_at,
            changed_at: user.password_changed_at,
        }
    }
}

impl From<Session> for ExportedSession {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            env_id: session.env_id,
            org_id: session.org_id,
            amr: session.amr,
            auth_time: session.auth_time,
            ip_address: session.ip_address,
            user_agent: session.user_agent,
            device_id: session.device_id,
            created_at: session.created_at,
            last_activity_at: session.last_activity_at,
            expires_at: session.expires_at,
            impersonated_by: session.impersonated_by,
            impersonation_reason: session.impersonation_reason,
            revoked_at: session.revoked_at,
            revoke_reason: session.revoke_reason,
        }
    }
}

impl ExportedDevice {
    pub(super) fn at(now: Timestamp, device: Device) -> Self {
        Self {
            id: device.id,
            env_id: device.env_id,
            trusted: device.is_trusted(now),
            name: device.name,
            kind: device.kind,
            browser: device.browser,
            os: device.os,
            ip_address: device.ip_address,
            trusted_until: device.trusted_until,
            sign_ins: device.sign_ins,
            created_at: device.created_at,
            last_seen_at: device.last_seen_at,
        }
    }
}

impl From<Member> for ExportedMembership {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            env_id: member.env_id,
            org_id: member.org_id,
            roles: member.roles,
            invited_by: member.invited_by,
            joined_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}

impl From<TeamMember> for ExportedTeamMembership {
    fn from(place: TeamMember) -> Self {
        Self {
            env_id: place.env_id,
            org_id: place.org_id,
            team_id: place.team_id,
            role: place.role,
            joined_at: place.created_at,
            updated_at: place.updated_at,
        }
    }
}

impl From<Invitation> for ExportedInvitation {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            env_id: invitation.env_id,
            org_id: invitation.org_id,
            email: invitation.email,
            roles: invitation.roles,
            team_ids: invitation.team_ids,
            inviter_id: invitation.inviter_id,
            message: invitation.message,
            status: invitation.status,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            updated_at: invitation.updated_at,
        }
    }
}

impl ExportedNotification {
    pub(super) fn to(to: Option<Email>, letter: Notification) -> Self {
        let (browser, os, ip_address) = told_of_device(letter.data);
        Self {
            id: letter.id,
            env_id: letter.env_id,
            channel: letter.channel,
            template: letter.template,
            to,
            language: letter.language,
            browser,
            os,
            ip_address,
            status: letter.status,
            created_at: letter.created_at,
            sent_at: letter.sent_at,
        }
    }
}

/// What a letter says of a device: browser, system, address.
fn told_of_device(message: Message) -> (Option<String>, Option<String>, Option<String>) {
    match message {
        Message::NewDevice {
            browser,
            os,
            ip_address,
        } => (browser, os, ip_address),
        Message::VerifyEmail { .. }
        | Message::AccountExists
        | Message::ResetPassword { .. }
        | Message::MagicLink { .. }
        | Message::PasswordChanged
        | Message::ConfirmEmailChange { .. }
        | Message::EmailChangeRequested
        | Message::EmailChanged
        | Message::AccountDeleted
        | Message::Invitation(_)
        | Message::WebhookDisabled { .. } => (None, None, None),
    }
}

impl ExportedLink {
    /// The links of both kinds in one list, newest first.
    pub(super) fn of(verifications: Vec<Verification>, resets: Vec<PasswordReset>) -> Vec<Self> {
        let mut all = each(verifications, Self::from);
        all.extend(resets.into_iter().map(Self::from));
        all.sort_by_key(|link| Reverse(link.created_at));
        all.truncate(MOST as usize);
        all
    }
}

impl<K: Kind> From<Link<K>> for ExportedLink {
    fn from(link: Link<K>) -> Self {
        Self {
            env_id: link.env_id,
            purpose: link.purpose,
            address: link.address,
            created_at: link.created_at,
            expires_at: link.expires_at,
            used_at: link.used_at,
            voided_at: link.voided_at,
        }
    }
}

impl From<Lockout> for ExportedWrongPasswords {
    fn from(lockout: Lockout) -> Self {
        Self {
            failed_attempts: lockout.failed,
            locked_until: lockout.locked_until,
            last_attempt_at: lockout.touched_at,
            expires_at: lockout.expires_at,
        }
    }
}

impl ExportedEvent {
    pub(super) fn to(reader: UserId, event: Event) -> Self {
        let is_own = [Party::new("user", reader), Party::anonymous()].contains(&event.actor)
            && !event.details.contains_key("acting");
        Self {
            id: event.id,
            env_id: event.env_id,
            org_id: event.org_id,
            name: event.name,
            outcome: event.outcome,
            actor: event.actor,
            target: event.target,
            details: event.details,
            ip_address: event.ip_address.filter(|_| is_own),
            user_agent: event.user_agent.filter(|_| is_own),
            created_at: event.created_at,
        }
    }
}
