use std::str::FromStr;

use actix_web::web::Data;
use actix_web::{get, patch};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::record::{Environment, INVITATION_TTL, Kind, Settings};
use super::service::{EnvironmentError, Environments, SettingsChanges};
use crate::access::{Permission, ReadEnvironments, UpdateEnvironments};
use crate::http::{
    Allowed, Answer, Body, Fields, FromFields, Ok200, PathId, Problem, ProblemKind, Public, Query,
};
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::language::Language;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Origin, Slug, WebUrl};
use crate::kernel::time::Timestamp;

/// Origins an environment may allow, at most.
const MOST_ORIGINS: usize = 50;

pub fn routes(config: &mut ServiceConfig) {
    config
        .service(client_config)
        .service(list)
        .service(settings)
        .service(change_settings);
}

/// An environment as administrators see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Environment)]
struct EnvironmentView {
    id: EnvId,
    app_id: AppId,
    name: Label,
    slug: Slug,
    #[serde(rename = "type")]
    kind: Kind,
    is_default: bool,
    publishable_key: String,
    settings: Settings,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Environment> for EnvironmentView {
    fn from(environment: Environment) -> Self {
        Self {
            id: environment.id,
            app_id: environment.app_id,
            name: environment.name,
            slug: environment.slug,
            kind: environment.kind,
            is_default: environment.is_default,
            publishable_key: environment.publishable_key,
            settings: environment.settings,
            created_at: environment.created_at,
            updated_at: environment.updated_at,
        }
    }
}

/// Every environment of the app.
#[derive(Debug, Serialize, ToSchema)]
struct EnvironmentList {
    environments: Vec<EnvironmentView>,
}

impl FromFields for SettingsChanges {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let signup_open = fields.flag("signup_open");
        let require_verification = fields.flag("require_verification");
        let allowed_origins = fields.optional_list("allowed_origins", Origin::parse)?;
        if allowed_origins
            .as_ref()
            .is_some_and(|origins| origins.len() > MOST_ORIGINS)
        {
            return fields.fault("allowed_origins", "too_many", "at most 50 origins");
        }
        let default_language = fields.optional("default_language", Language::from_str);
        let verify_email_url = fields.change("verify_email_url", WebUrl::parse);
        let reset_password_url = fields.change("reset_password_url", WebUrl::parse);
        let magic_link_url = fields.change("magic_link_url", WebUrl::parse);
        let change_email_url = fields.change("change_email_url", WebUrl::parse);
        let invitation_url = fields.change("invitation_url", WebUrl::parse);
        let invitation_ttl = fields.number("invitation_ttl_seconds", INVITATION_TTL);
        Some(Self {
            signup_open: signup_open?,
            require_verification: require_verification?,
            allowed_origins,
            default_language: default_language?,
            verify_email_url: verify_email_url?,
            reset_password_url: reset_password_url?,
            magic_link_url: magic_link_url?,
            change_email_url: change_email_url?,
            invitation_url: invitation_url?,
            invitation_ttl_seconds: invitation_ttl?,
        })
    }
}

/// What a sign-in page needs to know of its app. All of it is public.
#[derive(Debug, Serialize, ToSchema)]
struct ClientConfig {
    app_id: AppId,
    env_id: EnvId,
    app_name: Label,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    logo: Option<String>,
    environment: Slug,
    #[serde(rename = "type")]
    kind: Kind,
    signup_open: bool,
    require_verification: bool,
    /// How people can sign in.
    methods: Vec<Method>,
    /// What a sign-up form asks for, in order.
    signup_fields: Vec<SignUpField>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignInMethod)]
enum Method {
    Password,
}

/// One field of the sign-up form.
#[derive(Debug, Serialize, ToSchema)]
struct SignUpField {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
}

const SIGNUP_FIELDS: [(&str, &str, bool); 6] = [
    ("email", "email", true),
    ("password", "password", true),
    ("first_name", "text", false),
    ("last_name", "text", false),
    ("username", "text", false),
    ("phone", "tel", false),
];

/// Which environment, where it is not named by header.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ClientConfigQuery {
    /// The publishable key; `X-Publishable-Key` says the same.
    key: Option<String>,
}

impl FromFields for ClientConfigQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let key = fields.optional("key", str::parse::<String>);
        Some(Self { key: key? })
    }
}

/// Read the client configuration
///
/// What a sign-in page needs to know of the app whose publishable key it holds.
#[utoipa::path(
    tag = "discovery", operation_id = "client_config.read",
    params(ClientConfigQuery),
    responses((status = 200, description = "The configuration", body = ClientConfig)),
    security((), ("publishable_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::InvalidPublishableKey, ProblemKind::AppContextRequired,
        ProblemKind::TenantMismatch,
    ]))),
)]
#[get("/v1/client-config")]
async fn client_config(
    access: Public,
    query: Query<ClientConfigQuery>,
    environments: Data<Environments>,
) -> Answer<Ok200<ClientConfig>> {
    let named = access.tenant()?;
    let environment = match query.into_inner().key {
        Some(key) => environments
            .named_by(&key)
            .await?
            .ok_or(ProblemKind::InvalidPublishableKey)?,
        None => {
            environments
                .of(named.ok_or(ProblemKind::AppContextRequired)?)
                .await?
        }
    };
    let tenant = environment.tenant();
    if named.is_some_and(|named| named != tenant) {
        return Err(ProblemKind::TenantMismatch.into());
    }
    Ok(Ok200::new(
        ClientConfig::of(&environments, tenant, &environment).await?,
    ))
}

impl ClientConfig {
    async fn of(
        environments: &Environments,
        tenant: Tenant,
        environment: &Environment,
    ) -> Result<Self, Problem> {
        let app = environments.app(tenant).await?;
        let field = |(name, kind, required)| SignUpField {
            name,
            kind,
            required,
        };
        Ok(Self {
            app_id: app.id,
            env_id: environment.id,
            app_name: app.name,
            logo: app.logo,
            environment: environment.slug.clone(),
            kind: environment.kind,
            signup_open: environment.settings.signup_open,
            require_verification: environment.settings.require_verification,
            methods: vec![Method::Password],
            signup_fields: SIGNUP_FIELDS.into_iter().map(field).collect(),
        })
    }
}

/// List environments
///
/// Every environment of the app, oldest first.
#[utoipa::path(
    tag = "environments", operation_id = "environments.list",
    responses((status = 200, description = "The environments", body = EnvironmentList)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadEnvironments::NAME))),
)]
#[get("/v1/environments")]
async fn list(
    access: Allowed<ReadEnvironments>,
    environments: Data<Environments>,
) -> Answer<Ok200<EnvironmentList>> {
    let found = environments.list(access.tenant()).await?;
    let environments = found.into_iter().map(EnvironmentView::from).collect();
    Ok(Ok200::new(EnvironmentList { environments }))
}

/// Read the settings of an environment
#[utoipa::path(
    tag = "environments", operation_id = "environments.settings.read",
    params(("id" = EnvId, Path, description = "The environment")),
    responses((status = 200, description = "The settings", body = Settings)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadEnvironments::NAME))),
)]
#[get("/v1/environments/{id}/settings")]
async fn settings(
    access: Allowed<ReadEnvironments>,
    id: PathId<EnvId>,
    environments: Data<Environments>,
) -> Answer<Ok200<Settings>> {
    Ok(Ok200::new(
        environments
            .get(access.tenant(), id.into_inner())
            .await?
            .settings,
    ))
}

/// Change the settings of an environment
#[utoipa::path(
    tag = "environments", operation_id = "environments.settings.update",
    params(("id" = EnvId, Path, description = "The environment")),
    request_body(
        content = SettingsChanges,
        example = json!({"allowed_origins": ["https://app.example.com"]}),
    ),
    responses((status = 200, description = "The changed settings", body = Settings)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateEnvironments::NAME))),
)]
#[patch("/v1/environments/{id}/settings")]
async fn change_settings(
    access: Allowed<UpdateEnvironments>,
    id: PathId<EnvId>,
    changes: Body<SettingsChanges>,
    environments: Data<Environments>,
) -> Answer<Ok200<Settings>> {
    let (id, changes) = (id.into_inner(), changes.into_inner());
    let origin = access.origin();
    let after = environments
        .change_settings(access.caller(), id, &changes, origin)
        .await?;
    Ok(Ok200::new(after.settings))
}

impl From<EnvironmentError> for Problem {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Unknown => ProblemKind::NotFound.into(),
            EnvironmentError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<SettingsChanges>();
    }
}
