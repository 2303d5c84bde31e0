use std::str::FromStr;

use actix_web::web::Data;
use actix_web::{delete, get, put};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::public;
use super::record::{Method, Offered, SignInName};
use super::service::ClientConfigs;
use crate::access::{Permission, ReadClientConfig, UpdateClientConfig};
use crate::http::{Allowed, Answer, Body, Fields, FromFields, NoContent, Ok200, PathId, Routing};
use crate::kernel::id::AppId;
use crate::kernel::language::Language;
use crate::kernel::text::{Email, WebUrl};

pub fn routes(config: &mut Routing) {
    config
        .configure(public::routes)
        .service(read)
        .service(replace)
        .service(reset);
}

impl FromStr for Method {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text).ok_or("is no way to sign in here")
    }
}

impl FromStr for SignInName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text).ok_or("is no name to sign in by")
    }
}

/// Reads one of the names of an enumeration.
fn named<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

impl FromFields for Offered {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let methods = fields.choice("methods", Method::from_str);
        let sign_in_names = fields.choice("sign_in_names", SignInName::from_str);
        let signup_enabled = fields.flag("signup_enabled");
        let redirect_url = fields.optional("redirect_url", WebUrl::parse);
        let terms_url = fields.optional("terms_url", WebUrl::parse);
        let privacy_url = fields.optional("privacy_url", WebUrl::parse);
        let support_email = fields.optional("support_email", Email::parse);
        let languages = fields.choice("languages", Language::from_str);
        Some(Self {
            methods: methods?,
            sign_in_names: sign_in_names?,
            signup_enabled: signup_enabled?,
            redirect_url: redirect_url?,
            terms_url: terms_url?,
            privacy_url: privacy_url?,
            support_email: support_email?,
            languages: languages?,
        })
    }
}

/// The client configuration of an app: what is set, and what holds.
#[derive(Debug, Serialize, ToSchema)]
struct ClientConfigSettings {
    app_id: AppId,
    set: Offered,
    effective: EffectiveView,
}

/// Which ways in are open: those that are set, and where none are, every one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EffectiveClientSettings)]
struct EffectiveView {
    methods: Vec<Method>,
    sign_in_names: Vec<SignInName>,
    signup_enabled: bool,
}

impl ClientConfigSettings {
    fn of(app_id: AppId, set: Offered) -> Self {
        let effective = EffectiveView {
            methods: set.methods().to_vec(),
            sign_in_names: set.sign_in_names().to_vec(),
            signup_enabled: set.is_signup_enabled(),
        };
        Self {
            app_id,
            set,
            effective,
        }
    }
}

/// Read the client configuration of an app
///
/// What is set, and which ways in are open.
#[utoipa::path(
    tag = "administration", operation_id = "admin.client_config.read",
    params(("app" = AppId, Path, description = "The app")),
    responses((status = 200, description = "The configuration", body = ClientConfigSettings)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadClientConfig::NAME))),
)]
#[get("/v1/admin/apps/{app}/client-config")]
async fn read(
    access: Allowed<ReadClientConfig>,
    app: PathId<AppId>,
    configs: Data<ClientConfigs>,
) -> Answer<Ok200<ClientConfigSettings>> {
    let app = access.own(app.into_inner())?;
    let set = configs.set_for(app).await?;
    Ok(Ok200::new(ClientConfigSettings::of(app, set)))
}

/// Set the client configuration of an app
///
/// Replaces all of it: what is left out is as if it had never been set. It holds for every
/// environment of the app, within a second: a way in that is not among `methods`, a name that is not
/// among `sign_in_names` and a sign-up that is not enabled are refused by the server too
/// (`method_disabled`). Sessions that there are go on. Where passwords do not sign in they still
/// prove their user again, so a sign-up takes one, and one can be reset.
#[utoipa::path(
    tag = "administration", operation_id = "admin.client_config.replace",
    params(("app" = AppId, Path, description = "The app")),
    request_body(
        content = Offered,
        example = json!({
            "methods": ["password"], "sign_in_names": ["email"],
            "terms_url": "https://app.example.com/terms", "languages": ["de", "en"],
        }),
    ),
    responses((status = 200, description = "What holds now", body = ClientConfigSettings)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateClientConfig::NAME))),
)]
#[put("/v1/admin/apps/{app}/client-config")]
async fn replace(
    access: Allowed<UpdateClientConfig>,
    app: PathId<AppId>,
    offered: Body<Offered>,
    configs: Data<ClientConfigs>,
) -> Answer<Ok200<ClientConfigSettings>> {
    let (app, set) = (access.own(app.into_inner())?, offered.into_inner());
    configs
        .replace(access.caller(), &set, access.origin())
        .await?;
    Ok(Ok200::new(ClientConfigSettings::of(app, set)))
}

/// Reset the client configuration of an app
///
/// Every way in is open again, and no page is named.
#[utoipa::path(
    tag = "administration", operation_id = "admin.client_config.reset",
    params(("app" = AppId, Path, description = "The app")),
    responses((status = 204, description = "Nothing is set")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateClientConfig::NAME))),
)]
#[delete("/v1/admin/apps/{app}/client-config")]
async fn reset(
    access: Allowed<UpdateClientConfig>,
    app: PathId<AppId>,
    configs: Data<ClientConfigs>,
) -> Answer<NoContent> {
    access.own(app.into_inner())?;
    configs.reset(access.caller(), access.origin()).await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<Offered>();
    }
}
