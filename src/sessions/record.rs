use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::id::{AccessTokenId, AppId, DeviceId, EnvId, OrgId, SessionId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Reason;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment};

/// One sign-in on one device.
///
/// ```text
/// live ──refresh──▶ live (next generation)     A refresh never moves `expires_at`.
///   ├──sign-out, revoke, replay──▶ revoked     A replayed refresh token ends the session.
///   ├──idle for too long──▶ revoked          Found out at the next refresh.
///   └──expires_at──▶ over                      Removed some time after.
/// ```
///
/// A session that somebody else carries, who impersonates the user, is never refreshed, and ends
/// with the session that it was begun from, of whatever app that is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    #[serde(rename = "_id")]
    pub id: SessionId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub user_id: UserId,
    /// The organisation that its newest access token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    /// The `jti` of the newest access token.
    pub token: AccessTokenId,
    /// SHA-256 of the one refresh token that is good.
    pub refresh_token: String,
    /// How often it has been exchanged.
    pub generation: i64,
    /// How the user proved to be himself (RFC 8176).
    pub amr: Vec<String>,
    pub auth_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The device that it began on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// When it was refreshed last, or began.
    pub last_activity_at: Timestamp,
    /// When the refresh token ends, and with it the session.
    pub expires_at: Timestamp,
    /// Who carries it in the user's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonated_by: Option<UserId>,
    /// The session of his that it was begun from, and ends with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonator_session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonation_reason: Option<Reason>,
    /// What was begun from this session, and ends with it; what was over by the next one is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub impersonations: Vec<Begun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_reason: Option<Ending>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A session of somebody else, as its impersonator's keeps it: he may be at home in another app.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Begun {
    pub session_id: SessionId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub expires_at: Timestamp,
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SessionEnding)]
pub enum Ending {
    SignedOut,
    SignedOutEverywhere,
    RevokedByUser,
    RevokedByAdmin,
    Banned,
    RefreshTokenReused,
    PasswordChanged,
    PasswordReset,
    /// The account turned out to be another's: its address was proven by somebody else.
    Reclaimed,
    /// Not refreshed for as long as a session may be idle.
    Idle,
    /// A newer one took its place.
    SessionLimit,
    DeviceRemoved,
    /// Who impersonated the user has stopped.
    ImpersonationStopped,
    /// The session ended from which the user was impersonated.
    ImpersonatorLeft,
    /// The roles of either changed, of the user or of who impersonated him.
    RolesChanged,
    /// With the account. The session itself is removed: only events say so.
    AccountDeleted,
}

impl Ending {
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::SignedOut => "signed_out",
            Ending::SignedOutEverywhere => "signed_out_everywhere",
            Ending::RevokedByUser => "revoked_by_user",
            Ending::RevokedByAdmin => "revoked_by_admin",
            Ending::Banned => "banned",
            Ending::RefreshTokenReused => "refresh_token_reused",
            Ending::PasswordChanged => "password_changed",
            Ending::PasswordReset => "password_reset",
            Ending::Reclaimed => "reclaimed",
            Ending::Idle => "idle",
            Ending::SessionLimit => "session_limit",
            Ending::DeviceRemoved => "device_removed",
            Ending::ImpersonationStopped => "impersonation_stopped",
            Ending::ImpersonatorLeft => "impersonator_left",
            Ending::RolesChanged => "roles_changed",
            Ending::AccountDeleted => "account_deleted",
        }
    }
}

impl Entity for Session {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_sessions";
    const INDEXES: &'static [Index] = &[
        Index::unique("sessions_token", &["token"]),
        Index::unique("sessions_refresh_token", &["refresh_token"]),
        Index::on("sessions_user", &["user_id"]),
        Index::on("sessions_environment", &["app_id", "env_id", "expires_at"]),
        Index::on("sessions_expiry", &["expires_at"]).expires_after(Duration::ZERO),
    ];
}

impl Begun {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            session_id: session.id,
            app_id: session.app_id,
            env_id: session.env_id,
            expires_at: session.expires_at,
        }
    }

    pub(super) fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }
}

impl Session {
    pub(super) fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// Whether it has not been refreshed for as long as it may be; the bound is exclusive.
    pub(super) fn is_idle(&self, now: Timestamp, idle: Option<Duration>) -> bool {
        idle.is_some_and(|idle| now.since(self.last_activity_at) >= idle)
    }

    /// Neither revoked nor over at `now`; the bound is exclusive. The same rule as
    /// [`super::repo::live`], for a session already in hand.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::entropy::Entropy;

    const END: Timestamp = Timestamp::from_millis(2_208_988_800_000);
    const MS: Duration = Duration::from_millis(1);

    fn session(revoked_at: Option<Timestamp>) -> Session {
        let entropy = Entropy::seeded(1);
        let session = json!({
            "_id": SessionId::new(END, &entropy), "app_id": AppId::new(END, &entropy),
            "env_id": EnvId::new(END, &entropy), "user_id": UserId::new(END, &entropy),
            "token": AccessTokenId::new(END, &entropy), "refresh_token": "digest",
            "generation": 0, "amr": [], "auth_time": END, "last_activity_at": END,
            "expires_at": END, "created_at": END, "updated_at": END,
        });
        Session {
            revoked_at,
            ..serde_json::from_value(session).unwrap()
        }
    }

    #[test]
    fn the_store_and_a_session_in_hand_agree_which_are_live_and_which_idle() {
        for now in [END.minus(MS), END, END.plus(MS)] {
            for revoked_at in [None, Some(END)] {
                let session = session(revoked_at);
                let live = session.is_live(now);
                assert_eq!(super::super::repo::live(now).matches(&session), live);
                assert_eq!(live, now < END && revoked_at.is_none());
                for idle in [None, Some(MS), Some(2 * MS)] {
                    let used = super::super::repo::in_use(now, idle).matches(&session);
                    assert_eq!(used, live && !session.is_idle(now, idle));
                }
            }
        }
    }
}
