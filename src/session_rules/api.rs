use actix_web::web::Data;
use actix_web::{delete, get, put};
use serde::Serialize;
use utoipa::ToSchema;

use super::record::{
    ChosenRules, IDLE_TIMEOUT, MAX_ACTIVE_SESSIONS, REFRESH_TOKEN_TTL, Rules, TOKEN_TTL,
    TokenFormat,
};
use super::service::SessionRules;
use crate::access::{Permission, ReadSessionConfig, UpdateSessionConfig};
use crate::http::{Allowed, Answer, Body, Fields, FromFields, NoContent, Ok200, PathId, Routing};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::id::AppId;

pub fn routes(config: &mut Routing) {
    config.service(read).service(replace).service(reset);
}

impl FromFields for ChosenRules {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token_ttl = fields.number("token_ttl_seconds", TOKEN_TTL);
        let refresh_token_ttl = fields.number("refresh_token_ttl_seconds", REFRESH_TOKEN_TTL);
        let idle_timeout = fields.number("idle_timeout_seconds", IDLE_TIMEOUT);
        let max_active = fields.number("max_active_sessions", MAX_ACTIVE_SESSIONS);
        let bind_to_ip = fields.flag("bind_to_ip");
        let bind_to_device = fields.flag("bind_to_device");
        let rotate_refresh_token = fields.flag("rotate_refresh_token");
        let token_format = fields.optional("token_format", str::parse::<TokenFormat>);
        let signing_alg = fields.optional("signing_alg", verifiable);
        Some(Self {
            token_ttl_seconds: token_ttl?,
            refresh_token_ttl_seconds: refresh_token_ttl?,
            idle_timeout_seconds: idle_timeout?,
            max_active_sessions: max_active?,
            bind_to_ip: bind_to_ip?,
            bind_to_device: bind_to_device?,
            rotate_refresh_token: rotate_refresh_token?,
            token_format: token_format?,
            signing_alg: signing_alg?,
        })
    }
}

/// An algorithm whose tokens others can verify, by a public key.
fn verifiable(text: &str) -> Result<Algorithm, &'static str> {
    let all = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];
    let named = all.into_iter().find(|it| it.as_str() == text);
    named.ok_or("must be `ES256`, `EdDSA` or `RS256`, which backends verify by a public key")
}

/// The session rules of an app: what is set, and what holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionRules)]
struct RulesView {
    app_id: AppId,
    set: ChosenRules,
    effective: EffectiveView,
}

/// The rules that hold: what is set, and for the rest the server's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EffectiveSessionRules)]
struct EffectiveView {
    token_ttl_seconds: u64,
    refresh_token_ttl_seconds: u64,
    /// Absent where a session may be idle for all its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    idle_timeout_seconds: Option<u64>,
    /// Absent where a user may have any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_active_sessions: Option<u32>,
    bind_to_ip: bool,
    bind_to_device: bool,
    rotate_refresh_token: bool,
    token_format: TokenFormat,
    /// Absent: whatever the keys sign with that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    signing_alg: Option<Algorithm>,
}

impl RulesView {
    fn of(app_id: AppId, set: ChosenRules, rules: Rules) -> Self {
        let effective = EffectiveView {
            token_ttl_seconds: rules.access_ttl.as_secs(),
            refresh_token_ttl_seconds: rules.refresh_ttl.as_secs(),
            idle_timeout_seconds: rules.idle.map(|idle| idle.as_secs()),
            max_active_sessions: rules.most,
            bind_to_ip: rules.bind_to_ip,
            bind_to_device: rules.bind_to_device,
            rotate_refresh_token: rules.rotates,
            token_format: TokenFormat::Jwt,
            signing_alg: rules.signing_alg,
        };
        Self {
            app_id,
            set,
            effective,
        }
    }
}

/// Read the session rules of an app
///
/// What is set, and what holds: the defaults of the installation where nothing is.
#[utoipa::path(
    tag = "administration", operation_id = "admin.session_config.read",
    params(("app" = AppId, Path, description = "The app")),
    responses((status = 200, description = "The rules", body = RulesView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadSessionConfig::NAME))),
)]
#[get("/v1/admin/apps/{app}/session-config")]
async fn read(
    access: Allowed<ReadSessionConfig>,
    app: PathId<AppId>,
    rules: Data<SessionRules>,
) -> Answer<Ok200<RulesView>> {
    let app = access.own(app.into_inner())?;
    let set = rules.chosen(app).await?;
    let effective = rules.effective(&set);
    Ok(Ok200::new(RulesView::of(app, set, effective)))
}

/// Set the session rules of an app
///
/// Replaces all of them: what is left out is the server's own again. They hold for every environment
/// of the app, within two seconds. A session keeps the end that it was given when it began; every
/// other rule counts for the sessions that there are, at their next refresh or sign-in. A refresh
/// that a binding refuses leaves the session as it is: whoever holds a stolen token must not be able
/// to end the session of its owner.
#[utoipa::path(
    tag = "administration", operation_id = "admin.session_config.replace",
    params(("app" = AppId, Path, description = "The app")),
    request_body(
        content = ChosenRules,
        example = json!({"idle_timeout_seconds": 86400, "max_active_sessions": 5}),
    ),
    responses((status = 200, description = "The rules that hold now", body = RulesView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateSessionConfig::NAME))),
)]
#[put("/v1/admin/apps/{app}/session-config")]
async fn replace(
    access: Allowed<UpdateSessionConfig>,
    app: PathId<AppId>,
    chosen: Body<ChosenRules>,
    rules: Data<SessionRules>,
) -> Answer<Ok200<RulesView>> {
    let (app, set) = (access.own(app.into_inner())?, chosen.into_inner());
    rules
        .replace(access.caller(), &set, access.origin())
        .await?;
    let effective = rules.effective(&set);
    Ok(Ok200::new(RulesView::of(app, set, effective)))
}

/// Reset the session rules of an app
///
/// Back to the server's own.
#[utoipa::path(
    tag = "administration", operation_id = "admin.session_config.reset",
    params(("app" = AppId, Path, description = "The app")),
    responses((status = 204, description = "Nothing is set")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateSessionConfig::NAME))),
)]
#[delete("/v1/admin/apps/{app}/session-config")]
async fn reset(
    access: Allowed<UpdateSessionConfig>,
    app: PathId<AppId>,
    rules: Data<SessionRules>,
) -> Answer<NoContent> {
    access.own(app.into_inner())?;
    rules.reset(access.caller(), access.origin()).await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<ChosenRules>();
    }
}
