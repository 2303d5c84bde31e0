use serde::Serialize;
use utoipa::ToSchema;

/// What libraries read that are given an issuer alone (RFC 8414 §2, and OpenID Connect Discovery 1.0
/// §3 as far as it is so).
///
/// What is absent there is not: no authorisation endpoint, hence no ID tokens and no word about them;
/// and no revocation endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServerMetadata {
    /// The `iss` of access tokens, to the letter.
    #[schema(example = "https://auth.example.com")]
    issuer: String,
    /// The keys of access tokens; which algorithm each is for stands there.
    #[schema(example = "https://auth.example.com/.well-known/jwks.json")]
    jwks_uri: String,
    /// Where API keys are exchanged for access tokens.
    #[schema(example = "https://auth.example.com/v1/token/exchange")]
    token_endpoint: String,
    #[schema(example = json!(["client_credentials"]))]
    grant_types_supported: [&'static str; 1],
    #[schema(example = json!(["client_secret_post"]))]
    token_endpoint_auth_methods_supported: [&'static str; 1],
    #[schema(example = "https://auth.example.com/v1/introspect")]
    introspection_endpoint: String,
    /// The secret key of whoever asks, as a bearer.
    #[schema(example = json!(["Bearer"]))]
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
    /// Of nothing: there is no authorisation endpoint. RFC 8414 wants the list all the same.
    #[schema(max_items = 0, example = json!([]))]
    response_types_supported: [String; 0],
    /// The `sub` of somebody is the same to everybody.
    #[schema(example = json!(["public"]))]
    subject_types_supported: [&'static str; 1],
    #[schema(example = "https://auth.example.com/docs/")]
    service_documentation: String,
}

impl ServerMetadata {
    pub(super) fn of(issuer: &str) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        Self {
            issuer: issuer.to_owned(),
            jwks_uri: at("/.well-known/jwks.json"),
            token_endpoint: at("/v1/token/exchange"),
            grant_types_supported: ["client_credentials"],
            token_endpoint_auth_methods_supported: ["client_secret_post"],
            introspection_endpoint: at("/v1/introspect"),
            introspection_endpoint_auth_methods_supported: ["Bearer"],
            response_types_supported: [],
            subject_types_supported: ["public"],
            service_documentation: at("/docs/"),
        }
    }
}
