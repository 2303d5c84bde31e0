//! Everything that is kept about a user, as he may have it (GDPR, articles 15 and 20).
//!
//! One section for each feature that keeps something; none shows what proves who somebody is:
//! no hash of a password, no digest of a token.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::service::{DepartureError, Departures};
use crate::credentials::{self, Credential};
use crate::devices::{self, Device};
use crate::environments;
use crate::events::{self, Event, Name, Origin, Outcome, Party};
use crate::http::Caller;
use crate::kernel::id::{DeviceId, EnvId, EventId, NotificationId, SessionId, UserId};
use crate::kernel::language::Language;
use crate::kernel::time::Timestamp;
use crate::notifications::{self, Channel, Notification};
use crate::sessions::{self, Ending, Session};
use crate::store::Tx;
use crate::users::{User, UserView};

/// Of each kind the newest so many, in each environment; an account that is used has fewer.
const MOST: u32 = 10_000;

/// Everything that is kept about the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    pub exported_at: Timestamp,
    pub user: UserView,
    /// That there is a password, and since when; not what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub password: Option<ExportedPassword>,
    /// In every environment of the app, those that have ended included.
    pub sessions: Vec<ExportedSession>,
    /// Browsers and machines signed in from; not what their clients know them by.
    pub devices: Vec<ExportedDevice>,
    /// Letters that were sent or are to be sent.
    pub notifications: Vec<ExportedNotification>,
    /// What the user did, and what was done to the account.
    pub events: Vec<ExportedEvent>,
}

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
    /// As people know it: its name, or browser and system.
    pub label: String,
    #[serde(rename = "type")]
    pub kind: devices::Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ip_address: Option<String>,
    pub trusted: bool,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedNotification {
    pub id: NotificationId,
    pub env_id: EnvId,
    pub channel: Channel,
    pub template: String,
    pub language: Language,
    pub status: notifications::Status,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sent_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedEvent {
    pub id: EventId,
    pub env_id: EnvId,
    #[schema(value_type = String)]
    pub name: Name,
    #[schema(value_type = String)]
    pub outcome: Outcome,
    #[schema(value_type = Object)]
    pub actor: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub target: Option<Party>,
    #[schema(value_type = Object)]
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

impl Departures {
    /// Gathers everything about the caller, in one look.
    pub async fn export(
        &self,
        caller: &Caller,
        user: UserId,
        origin: &Origin,
    ) -> Result<Export, DepartureError> {
        let now = self.clock.now();
        let (seen, export) = self
            .store
            .read(async |tx| {
                let (_, seen) = Self::whom(tx, caller.tenant, user).await?;
                let export = gathered(tx, &seen, now).await?;
                Ok::<_, DepartureError>((seen, export))
            })
            .await?;
        let told = self.event(Name::UserExported, caller, &seen, (now, origin));
        events::record(&mut self.store.once().within(caller.tenant), &told).await?;
        Ok(export)
    }
}

async fn gathered(tx: &mut Tx<'_>, user: &User, now: Timestamp) -> Result<Export, DepartureError> {
    let id = user.id;
    let mut events = Vec::new();
    for environment in environments::list(&mut tx.within(user.app_id)).await? {
        let told = events::concerning(&mut tx.within(environment.tenant()), id, MOST).await?;
        events.extend(told.into_iter().map(|event| ExportedEvent::to(id, event)));
    }
    let mut app = tx.within(user.app_id);
    let credential = credentials::by_user(&mut app, id).await?;
    let sessions = sessions::of_user(&mut app, id, MOST).await?;
    let seen = devices::of_user(&mut app, id, MOST).await?;
    let letters = notifications::of_user(&mut app, id, MOST).await?;
    Ok(Export {
        exported_at: now,
        user: UserView::of(user.clone(), now),
        password: credential.map(|it| ExportedPassword::of(&it, user)),
        sessions: sessions.into_iter().map(ExportedSession::from).collect(),
        devices: seen
            .into_iter()
            .map(|device| ExportedDevice::at(now, device))
            .collect(),
        notifications: letters
            .into_iter()
            .map(ExportedNotification::from)
            .collect(),
        events,
    })
}

impl ExportedPassword {
    fn of(credential: &Credential, user: &User) -> Self {
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
            amr: session.amr,
            auth_time: session.auth_time,
            ip_address: session.ip_address,
            user_agent: session.user_agent,
            device_id: session.device_id,
            created_at: session.created_at,
            last_activity_at: session.last_activity_at,
            expires_at: session.expires_at,
            revoked_at: session.revoked_at,
            revoke_reason: session.revoke_reason,
        }
    }
}

impl ExportedDevice {
    fn at(now: Timestamp, device: Device) -> Self {
        Self {
            id: device.id,
            env_id: device.env_id,
            label: device.label(),
            kind: device.kind,
            trusted: device.is_trusted(now),
            ip_address: device.ip_address,
            created_at: device.created_at,
            last_seen_at: device.last_seen_at,
        }
    }
}

impl From<Notification> for ExportedNotification {
    fn from(letter: Notification) -> Self {
        Self {
            id: letter.id,
            env_id: letter.env_id,
            channel: letter.channel,
            template: letter.template,
            language: letter.language,
            status: letter.status,
            created_at: letter.created_at,
            sent_at: letter.sent_at,
        }
    }
}

impl ExportedEvent {
    fn to(reader: UserId, event: Event) -> Self {
        let is_own = [Party::new("user", reader), Party::anonymous()].contains(&event.actor);
        Self {
            id: event.id,
            env_id: event.env_id,
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
