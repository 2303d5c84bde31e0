//! The OpenAPI document: what utoipa collects while routes are registered, made complete.
//!
//! An operation states what only it can know: its permission (`x-permission`), the problems of its
//! own (`x-problems`), its views. The rest is derived here: what the guard, the body and the path can
//! refuse, the descriptions OpenAPI demands of every response, parameters every operation takes.
//! The pass works on the document as JSON, since that is what clients are generated from.

mod examples;
mod operations;
mod schemas;

use serde_json::{Value, json};
use utoipa::openapi::{Info, License, OpenApi, OpenApiBuilder, Paths, RefOr, Schema, Server};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{FieldError, ProblemBody};
use crate::kernel::id::{AppId, EnvId};

/// Where the document describes the header of operations that remember their answers.
/// The methods that operations have.
pub(super) const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

pub(super) const IDEMPOTENCY_KEY: &str = "#/components/parameters/IdempotencyKey";

/// What the edge goes by.
const OUTLINE: [&str; 2] = ["operationId", "parameters"];

/// The document before any route is registered.
pub(super) fn blank() -> OpenApi {
    let mut license = License::new(env!("CARGO_PKG_LICENSE"));
    license.identifier = Some(env!("CARGO_PKG_LICENSE").to_owned());
    let mut info = Info::new("Authsome", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    info.license = Some(license);
    // Paths are below wherever the document was found.
    let mut server = Server::new("/");
    server.description = Some("This server".to_owned());
    let servers = Some(vec![server]);
    OpenApiBuilder::new().info(info).servers(servers).build()
}

/// The document that clients can be generated from. Its members are in alphabetical order.
pub(super) fn finished(collected: OpenApi) -> Value {
    let mut document = serde_json::to_value(collected).unwrap_or_default();
    add_components(&mut document);
    schemas::name_variants(&mut document);
    schemas::refer_to_components(&mut document);
    schemas::close_requests(&mut document);
    operations::complete(&mut document);
    examples::add(&mut document);
    document.sort_all_objects();
    document
}

/// The paths of some operations as the document has them, without most of what only readers want.
pub(super) fn outlined(paths: Paths) -> Value {
    let paths = serde_json::to_value(paths).unwrap_or_default();
    let mut document = json!({ "paths": paths });
    operations::complete(&mut document);
    let items = document["paths"].as_object_mut().into_iter().flatten();
    for operation in items.filter_map(|(_, item)| item.as_object_mut()).flatten() {
        if let Value::Object(operation) = operation.1 {
            operation.retain(|member, _| OUTLINE.contains(&member.as_str()));
        }
    }
    document["paths"].take()
}

fn add_components(document: &mut Value) {
    let mut own: Vec<(String, RefOr<Schema>)> = vec![
        (ProblemBody::name().into_owned(), ProblemBody::schema()),
        (FieldError::name().into_owned(), FieldError::schema()),
    ];
    ProblemBody::schemas(&mut own);
    for (name, schema) in own {
        document["components"]["schemas"][name] = serde_json::to_value(schema).unwrap_or_default();
    }
    document["components"]["parameters"] = parameters();
    document["components"]["securitySchemes"] = security_schemes();
}

fn parameters() -> Value {
    let parameter = |name: &str, schema: Value, description: &str| {
        json!({
            "name": name, "in": "query", "required": false, "description": description,
            "schema": schema,
        })
    };
    let app = "The app to act on, for operators; otherwise the caller's own";
    let environment = "The environment to act on, with `app_id`; its default one unless given";
    json!({
        "AppId": parameter("app_id", json!(AppId::schema()), app),
        "ClientIp": {
            "name": "X-Authsome-Client-IP", "in": "header", "required": false,
            "description": "The user's own address, from a backend that calls with a secret key; ignored from anybody else",
            "schema": {"type": "string"}, "example": "203.0.113.7",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same request with the same key has the same answer for 24 hours, marked `Idempotency-Replayed: true`, and no second effect. One key is for one request; a UUID is good",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "example": "0b7ee7b6-9c5a-4a53-9d0e-7e1f3a1c2b4d",
        },
        "EnvId": parameter("env_id", json!(EnvId::schema()), environment),
    })
}

fn security_schemes() -> Value {
    json!({
        "publishable_key": {
            "type": "apiKey", "in": "header", "name": "X-Publishable-Key",
            "description": "Names app and environment; not a secret",
        },
        "session": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The access token of a session",
        },
        "api_key": {
            "type": "apiKey", "in": "header", "name": "X-API-Key",
            "description": "A secret key of an app, for machines",
        },
    })
}
