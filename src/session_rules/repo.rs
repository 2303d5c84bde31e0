use serde::Serialize;

use super::record::{ChosenRules, SessionConfig, TokenFormat};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, SessionConfigId};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Reaches, Stored, Tx, Update};

const TOKEN_TTL: Field<SessionConfig, u32> = Field::at("token_ttl_seconds");
const REFRESH_TOKEN_TTL: Field<SessionConfig, u32> = Field::at("refresh_token_ttl_seconds");
const IDLE_TIMEOUT: Field<SessionConfig, u32> = Field::at("idle_timeout_seconds");
const MAX_ACTIVE_SESSIONS: Field<SessionConfig, u32> = Field::at("max_active_sessions");
const BIND_TO_IP: Field<SessionConfig, bool> = Field::at("bind_to_ip");
const BIND_TO_DEVICE: Field<SessionConfig, bool> = Field::at("bind_to_device");
const ROTATE_REFRESH_TOKEN: Field<SessionConfig, bool> = Field::at("rotate_refresh_token");
const TOKEN_FORMAT: Field<SessionConfig, TokenFormat> = Field::at("token_format");
const SIGNING_ALG: Field<SessionConfig, Algorithm> = Field::at("signing_alg");
const UPDATED_AT: Field<SessionConfig, Timestamp> = Field::at("updated_at");

/// What is set for the app in scope.
pub(super) async fn of_app<S>(tx: &mut Tx<'_, S>) -> Stored<Option<SessionConfig>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(Filter::all()).await
}

/// Sets exactly what is chosen. Of two first times at once, one is refused as a duplicate.
pub(super) async fn replace<S>(
    tx: &mut Tx<'_, S>,
    app_id: AppId,
    chosen: &ChosenRules,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    let update = UPDATED_AT
        .set(now)
        .and(exactly(TOKEN_TTL, chosen.token_ttl_seconds))
        .and(exactly(REFRESH_TOKEN_TTL, chosen.refresh_token_ttl_seconds))
        .and(exactly(IDLE_TIMEOUT, chosen.idle_timeout_seconds))
        .and(exactly(MAX_ACTIVE_SESSIONS, chosen.max_active_sessions))
        .and(exactly(BIND_TO_IP, chosen.bind_to_ip))
        .and(exactly(BIND_TO_DEVICE, chosen.bind_to_device))
        .and(exactly(ROTATE_REFRESH_TOKEN, chosen.rotate_refresh_token))
        .and(exactly(TOKEN_FORMAT, chosen.token_format))
        .and(exactly(SIGNING_ALG, chosen.signing_alg));
    if tx.update_one(Filter::all(), update).await?.is_some() {
        return Ok(());
    }
    tx.insert(&SessionConfig {
        id: SessionConfigId::new(now, entropy),
        app_id,
        token_ttl_seconds: chosen.token_ttl_seconds,
        refresh_token_ttl_seconds: chosen.refresh_token_ttl_seconds,
        idle_timeout_seconds: chosen.idle_timeout_seconds,
        max_active_sessions: chosen.max_active_sessions,
        bind_to_ip: chosen.bind_to_ip,
        bind_to_device: chosen.bind_to_device,
        rotate_refresh_token: chosen.rotate_refresh_token,
        token_format: chosen.token_format,
        signing_alg: chosen.signing_alg,
        created_at: now,
        updated_at: now,
    })
    .await
}

fn exactly<T: Serialize>(
    field: Field<SessionConfig, T>,
    chosen: Option<T>,
) -> Update<SessionConfig> {
    match chosen {
        Some(value) => field.set(value),
        None => field.unset(),
    }
}

/// Takes away what is set; whether anything was.
pub(super) async fn remove<S>(tx: &mut Tx<'_, S>) -> Stored<bool>
where
    S: Copy + Reaches<OfApp>,
{
    let taken: Option<SessionConfig> = tx.take_one(Filter::all()).await?;
    Ok(taken.is_some())
}
