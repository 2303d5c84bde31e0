use std::sync::Arc;

use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::metadata::ServerMetadata;
use crate::http::{Answer, Cacheable, Ok200, ProblemKind, Public, Routing};
use crate::kernel::time::Clock;
use crate::tokens::{Jwks, SigningKeys};

pub fn routes(config: &mut Routing) {
    config
        .service(jwks)
        .service(openid_configuration)
        .service(authorization_server)
        .service(manifest);
}

/// How long verifiers may keep the key set: a new key is published for longer before it signs. What
/// leads to it is kept as long.
const KEEP_KEYS: &str = "public, max-age=600";

/// The URL of this server as clients spell it: the `iss` of its tokens.
#[derive(Debug, Clone)]
pub struct Issuer {
    pub url: String,
    pub keys: SigningKeys,
    pub clock: Clock,
}

/// Where everything is.
#[derive(Debug, Serialize, ToSchema)]
struct Manifest {
    #[schema(example = "authsome")]
    name: &'static str,
    #[schema(example = "v1")]
    api_version: &'static str,
    issuer: String,
    jwks_uri: String,
    openapi_uri: String,
    documentation_uri: String,
    client_config_uri: String,
    signup_uri: String,
    signin_uri: String,
    refresh_uri: String,
    signout_uri: String,
    /// Where API keys are exchanged for access tokens.
    token_uri: String,
    introspection_uri: String,
    revocations_uri: String,
}

/// Read the key set
///
/// The public keys of access tokens (RFC 7517): of one environment where a publishable key names
/// it, else of all. Verifiers check `aud` and `env_id` as well.
#[utoipa::path(
    tag = "discovery", operation_id = "discovery.jwks",
    responses(
        (status = 200, description = "The key set", body = Jwks),
        (status = 304, description = "It is as `If-None-Match` says"),
    ),
    security((), ("publishable_key" = [])),
    extensions(("x-problems" = json!([ProblemKind::InvalidPublishableKey]))),
)]
#[get("/.well-known/jwks.json")]
async fn jwks(access: Public, issuer: Data<Issuer>) -> Answer<Cacheable<Arc<Jwks>>> {
    let keys = issuer
        .keys
        .published(access.tenant()?, issuer.clock.now())
        .await?;
    Ok(Cacheable::new(keys, KEEP_KEYS, "X-Publishable-Key"))
}

/// Discover the server by its issuer
///
/// For libraries that verify access tokens and are given the issuer alone: they find `issuer` and
/// `jwks_uri` here. This server is no OpenID provider: it has no authorization endpoint and gives no
/// ID tokens, so what such a provider must say about those is absent.
#[utoipa::path(
    tag = "discovery", operation_id = "discovery.openid_configuration",
    responses(
        (status = 200, description = "What there is", body = ServerMetadata),
        (status = 304, description = "It is as `If-None-Match` says"),
    ),
    security(()),
)]
#[get("/.well-known/openid-configuration")]
async fn openid_configuration(
    _: Public,
    issuer: Data<Issuer>,
) -> Answer<Cacheable<ServerMetadata>> {
    Ok(issuer.metadata())
}

/// Discover the server as clients of OAuth 2.0 do
///
/// RFC 8414: the same document as `/.well-known/openid-configuration`. Where the issuer has a path,
/// that path may stand behind this one as well (§3.1). There is no authorization endpoint: the one
/// grant is `client_credentials`.
#[utoipa::path(
    tag = "discovery", operation_id = "discovery.authorization_server",
    responses(
        (status = 200, description = "What there is", body = ServerMetadata),
        (status = 304, description = "It is as `If-None-Match` says"),
    ),
    security(()),
)]
#[get("/.well-known/oauth-authorization-server")]
async fn authorization_server(
    _: Public,
    issuer: Data<Issuer>,
) -> Answer<Cacheable<ServerMetadata>> {
    Ok(issuer.metadata())
}

impl Issuer {
    fn metadata(&self) -> Cacheable<ServerMetadata> {
        let metadata = ServerMetadata::of(&self.url);
        Cacheable::for_everybody(metadata, KEEP_KEYS)
    }
}

/// Read the manifest
///
/// Where everything is, for clients that know only the origin.
#[utoipa::path(
    tag = "discovery", operation_id = "discovery.manifest",
    responses((status = 200, description = "The manifest", body = Manifest)),
    security(()),
)]
#[get("/.well-known/authsome/manifest")]
async fn manifest(_: Public, issuer: Data<Issuer>) -> Answer<Ok200<Manifest>> {
    let at = |path: &str| format!("{}{path}", issuer.url);
    Ok(Ok200::new(Manifest {
        name: "authsome",
        api_version: "v1",
        issuer: issuer.url.clone(),
        jwks_uri: at("/.well-known/jwks.json"),
        openapi_uri: at("/.well-known/authsome/openapi"),
        documentation_uri: at("/docs"),
        client_config_uri: at("/v1/client-config"),
        signup_uri: at("/v1/signup"),
        signin_uri: at("/v1/signin"),
        refresh_uri: at("/v1/refresh"),
        signout_uri: at("/v1/signout"),
        token_uri: at("/v1/token/exchange"),
        introspection_uri: at("/v1/introspect"),
        revocations_uri: at("/v1/revocations"),
    }))
}
