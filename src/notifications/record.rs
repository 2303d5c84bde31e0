use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::id::{
    AppId, EnvId, InvitationId, NotificationId, OrgId, PasswordResetId, UserId, VerificationId,
    WebhookId,
};
use crate::kernel::language::Language;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::mail::{self, Template};
use crate::store::{Entity, Index, OfEnvironment, Sealed};

/// How long the history of a letter is kept.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Where a letter that invites names its invitation.
pub(super) const INVITATION: &str = "data.invitation.invitation_id";

/// Where it names the organisation.
pub(super) const ORGANIZATION: &str = "data.invitation.org_id";

/// A letter to deliver, or one that was delivered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    #[serde(rename = "_id")]
    pub id: NotificationId,
    pub app_id: AppId,
    pub env_id: EnvId,
    /// Whom it concerns; the address may be another's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    pub channel: Channel,
    /// The name of the message, for lists.
    pub template: String,
    /// The address, sealed; gone with a letter that was the last to somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    pub language: Language,
    pub data: Message,
    pub status: Status,
    pub attempts: i64,
    pub next_attempt_at: Timestamp,
    /// Until when the node that has it in hand is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// After this nobody needs it any more.
    pub give_up_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = NotificationChannel)]
pub enum Channel {
    Email,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = NotificationStatus)]
pub enum Status {
    Pending,
    Sent,
    Failed,
}

/// What a letter says: facts and identifiers, from which the rest is derived when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Prove that this is your address.
    VerifyEmail {
        verification_id: VerificationId,
        expires_at: Timestamp,
    },
    /// Somebody signed up with an address that has an account.
    AccountExists,
    ResetPassword {
        reset_id: PasswordResetId,
        expires_at: Timestamp,
    },
    MagicLink {
        verification_id: VerificationId,
        expires_at: Timestamp,
    },
    PasswordChanged,
    /// To the new address.
    ConfirmEmailChange {
        verification_id: VerificationId,
        expires_at: Timestamp,
    },
    /// To the old address, when a change is asked for.
    EmailChangeRequested,
    /// To the old address, when the new one has been confirmed.
    EmailChanged,
    NewDevice {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        os: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ip_address: Option<String>,
    },
    AccountDeleted,
    Invitation(Invited),
    WebhookDisabled {
        webhook_id: WebhookId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        org_id: Option<OrgId>,
        host: String,
        is_gone: bool,
    },
}

/// What an invitation says. Its link is derived from the invitation and its generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub invitation_id: InvitationId,
    pub generation: i64,
    pub org_id: OrgId,
    /// The name of the organization.
    pub organization: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// The name of whoever invites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inviter: Option<String>,
    pub roles: Vec<String>,
    /// What the inviter wants to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub expires_at: Timestamp,
}

impl Message {
    pub const fn template(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => mail::VerifyEmail::NAME,
            Self::AccountExists => mail::AccountExists::NAME,
            Self::ResetPassword { .. } => mail::ResetPassword::NAME,
            Self::MagicLink { .. } => mail::MagicLink::NAME,
            Self::PasswordChanged => mail::PasswordChanged::NAME,
            Self::ConfirmEmailChange { .. } => mail::ConfirmEmailChange::NAME,
            Self::EmailChangeRequested => mail::EmailChangeRequested::NAME,
            Self::EmailChanged => mail::EmailChanged::NAME,
            Self::NewDevice { .. } => mail::NewDevice::NAME,
            Self::AccountDeleted => mail::AccountDeleted::NAME,
            Self::Invitation(_) => mail::Invitation::NAME,
            Self::WebhookDisabled { .. } => mail::WebhookDisabled::NAME,
        }
    }

    /// The organization that it is about, whose look it wears.
    pub const fn organization(&self) -> Option<OrgId> {
        match self {
            Self::Invitation(invited) => Some(invited.org_id),
            Self::WebhookDisabled { org_id, .. } => *org_id,
            Self::VerifyEmail { .. }
            | Self::AccountExists
            | Self::ResetPassword { .. }
            | Self::MagicLink { .. }
            | Self::PasswordChanged
            | Self::ConfirmEmailChange { .. }
            | Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::NewDevice { .. }
            | Self::AccountDeleted => None,
        }
    }

    /// Whether its reader has no account any more, so that nothing is to name him once it is gone.
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::AccountDeleted)
    }

    /// Until when its link is good; `None` for letters without one.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::VerifyEmail { expires_at, .. }
            | Self::ResetPassword { expires_at, .. }
            | Self::MagicLink { expires_at, .. }
            | Self::ConfirmEmailChange { expires_at, .. }
            | Self::Invitation(Invited { expires_at, .. }) => Some(*expires_at),
            Self::AccountExists
            | Self::PasswordChanged
            | Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::NewDevice { .. }
            | Self::AccountDeleted
            | Self::WebhookDisabled { .. } => None,
        }
    }
}

impl Notification {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }
}

impl Sealed for Notification {
    type Home = EnvId;
    const FIELD: &'static str = "to";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn home(&self) -> EnvId {
        self.env_id
    }

    fn sealed(&self) -> Option<&str> {
        self.to.as_deref()
    }
}

impl Entity for Notification {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_notifications";
    const INDEXES: &'static [Index] = &[
        Index::on("notifications_due", &["status", "next_attempt_at", "_id"]),
        Index::on(
            "notifications_tenant_created",
            &["app_id", "env_id", "created_at", "_id"],
        ),
        Index::on("notifications_user", &["app_id", "user_id"]),
        Index::on("notifications_invitation", &[INVITATION]).when_present(INVITATION),
        Index::on("notifications_organization", &[ORGANIZATION, "status"])
            .when_present(ORGANIZATION),
        Index::on("notifications_created", &["created_at"]).expires_after(KEPT),
    ];
}
