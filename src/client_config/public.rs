use actix_web::get;
use actix_web::web::Data;
use utoipa::IntoParams;

use super::service::ClientConfigs;
use super::shown::ShownConfig;
use crate::environments::Environments;
use crate::http::{Answer, Cacheable, Fields, FromFields, ProblemKind, Public, Query, Routing};

/// How long a page may show what it has been told. What is admitted is not its affair.
const SHOWN_FOR: &str = "private, max-age=10";

pub(super) fn routes(config: &mut Routing) {
    config.service(read);
}

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
/// What a sign-in page needs to know of the app whose publishable key it holds. A browser may keep it
/// for ten seconds; whoever sends its `ETag` in `If-None-Match` is answered 304 while it is the same.
#[utoipa::path(
    tag = "discovery", operation_id = "client_config.read",
    params(ClientConfigQuery),
    responses(
        (status = 200, description = "The configuration", body = ShownConfig),
        (status = 304, description = "The configuration is the one that the client has"),
    ),
    security((), ("publishable_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::InvalidPublishableKey, ProblemKind::AppContextRequired,
        ProblemKind::TenantMismatch,
    ]))),
)]
#[get("/v1/client-config")]
async fn read(
    access: Public,
    query: Query<ClientConfigQuery>,
    environments: Data<Environments>,
    configs: Data<ClientConfigs>,
) -> Answer<Cacheable<ShownConfig>> {
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
    let app = environments.app(tenant).await?;
    let offered = configs.of(app.id).await?;
    let form = configs.forms.of_signup(app.id).await?;
    let brand = configs.brands.of(tenant, None).await?.by_app(&app);
    let shown = ShownConfig::of((app, brand), &environment, &offered, form.as_deref());
    Ok(Cacheable::new(shown, SHOWN_FOR, "X-Publishable-Key"))
}
