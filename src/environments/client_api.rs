use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::record::{Environment, Kind};
use super::service::Environments;
use crate::http::{Answer, Fields, FromFields, Ok200, Problem, ProblemKind, Public, Query};
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Slug};
use crate::settings::Key;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(client_config);
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
    /// Whether people must send `signup_code` to make accounts for themselves.
    signup_code_required: bool,
    /// The fewest characters of a new password.
    password_min_length: u32,
    /// Where people find help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    support_url: Option<String>,
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
        let chosen = &environment.chosen;
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
            signup_code_required: chosen.secret(Key::SignupCode).is_some(),
            password_min_length: chosen.number(Key::PasswordMinLength),
            support_url: chosen.text(Key::SupportUrl),
            methods: vec![Method::Password],
            signup_fields: SIGNUP_FIELDS.into_iter().map(field).collect(),
        })
    }
}
