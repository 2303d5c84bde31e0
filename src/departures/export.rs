//! Everything that is kept about a user, as he may have it (GDPR, articles 15 and 20).
//!
//! One section for each feature that keeps something; none shows what proves who somebody is:
//! no hash of a password, no digest of a token. What is left out besides says nothing of a person:
//! how a letter is delivered, below which version of his rights a token is refused.

use std::cmp::Reverse;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::service::{DepartureError, Departures};
use crate::credentials::{self, Credential};
use crate::devices::{self, Device};
use crate::environments;
use crate::events::{self, Event, Name, Origin, Outcome, Party};
use crate::http::Caller;
use crate::kernel::id::{DeviceId, EnvId, EventId, Kind, NotificationId, OrgId, SessionId, UserId};
use crate::kernel::language::Language;
use crate::kernel::text::{Email, Label, Reason};
use crate::kernel::time::Timestamp;
use crate::limits::{self, Lockout};
use crate::links::{self, Link, LinkPurpose, PasswordReset, Verification};
use crate::notifications::{self, Channel, Message, Notification};
use crate::sessions::{self, Ending, Session};
use crate::store::{Stored, Tx};
use crate::users::{User, UserView};

/// Of each kind the newest so many, over all environments; an account that is used has fewer.
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
    /// Links that letters carried; not their tokens.
    pub links: Vec<ExportedLink>,
    /// Wrong passwords in a row, for each known device and for all others together.
    pub wrong_passwords: Vec<ExportedWrongPasswords>,
    /// What the user did, and what was done to the account, in every environment of the app.
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
                let export = self.gathered(tx, &seen, now).await?;
                Ok::<_, DepartureError>((seen, export))
            })
            .await?;
        let told = self.event(Name::UserExported, caller, &seen, (now, origin));
        events::record(&mut self.store.once().within(caller.tenant), &told).await?;
        Ok(export)
    }

    async fn gathered(&self, tx: &mut Tx<'_>, user: &User, now: Timestamp) -> Stored<Export> {
        let (id, told) = (user.id, told_of(tx, user).await?);
        let mut app = tx.within(user.app_id);
        let credential = credentials::by_user(&mut app, id).await?;
        let sessions = sessions::of_user(&mut app, id, MOST).await?;
        let seen = devices::of_user(&mut app, id, MOST).await?;
        let letters = notifications::of_user(&mut app, id, MOST).await?;
        let verifications: Vec<Verification> = links::of_user(&mut app, id, MOST).await?;
        let resets: Vec<PasswordReset> = links::of_user(&mut app, id, MOST).await?;
        let lanes = limits::of_user(&mut app, id).await?;
        Ok(Export {
            exported_at: now,
            user: UserView::of(user.clone(), now),
            password: credential.map(|it| ExportedPassword::of(&it, user)),
            sessions: each(sessions, ExportedSession::from),
            devices: each(seen, |device| ExportedDevice::at(now, device)),
            notifications: each(letters, |letter| {
                let to = self.outbox.address(&letter);
                ExportedNotification::to(to, letter)
            }),
            links: ExportedLink::of(verifications, resets),
            wrong_passwords: each(lanes, ExportedWrongPasswords::from),
            events: each(told, |event| ExportedEvent::to(id, event)),
        })
    }
}

/// The events of every environment in one list.
async fn told_of(tx: &mut Tx<'_>, user: &User) -> Stored<Vec<Event>> {
    let mut told = Vec::new();
    for environment in environments::list(&mut tx.within(user.app_id)).await? {
        let mut tx = tx.within(environment.tenant());
        told.extend(events::concerning(&mut tx, user.id, MOST).await?);
    }
    told.sort_by_key(|event| Reverse((event.created_at, event.id)));
    told.truncate(MOST as usize);
    Ok(told)
}

fn each<T, U>(kept: Vec<T>, shown: impl FnMut(T) -> U) -> Vec<U> {
    kept.into_iter().map(shown).collect()
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
            impersonated_by: session.impersonated_by,
            impersonation_reason: session.impersonation_reason,
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

impl ExportedNotification {
    fn to(to: Option<Email>, letter: Notification) -> Self {
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
        | Message::Invitation(_) => (None, None, None),
    }
}

impl ExportedLink {
    /// The links of both kinds in one list, newest first.
    fn of(verifications: Vec<Verification>, resets: Vec<PasswordReset>) -> Vec<Self> {
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
    fn to(reader: UserId, event: Event) -> Self {
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
