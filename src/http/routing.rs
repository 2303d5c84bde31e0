//! Routing: what features register, once for the document and once for every worker.
//!
//! ```text
//! Api::of(routes) ──▶ an outline of the document, for the edge     once a process
//! Api::serve      ──▶ fixed paths, one comparison each             for every worker
//!                 └─▶ paths with variables, by operation: only what will match is taken apart
//! ```
//!
//! The document itself is made when somebody asks for it. actix tries one pattern after another, each
//! by a regular expression. Here the edge has found the operation before ([`Operations`]), and a
//! pattern is tried where it is of that operation's path.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use actix_web::Scope;
use actix_web::dev::HttpServiceFactory;
use actix_web::guard::{GuardContext, fn_guard};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use serde_json::{Map, Value, json};
use utoipa::openapi::{Components, OpenApi};
use utoipa_actix_web::OpenApiFactory;

use super::docs;
use super::openapi;
use super::operations::{Operations, Path};

/// Takes what features serve.
pub struct Routing(Purpose);

enum Purpose {
    Documenting(Box<OpenApi>),
    /// The paths of the document, of each operation what the edge goes by.
    Outlining(Map<String, Value>),
    Serving(Served),
}

type Registration = Box<dyn FnOnce(&mut ServiceConfig)>;
/// Pages for people, which are no part of the document.
type Pages = fn(&mut ServiceConfig);

struct Served {
    operations: Data<Operations>,
    fixed: Vec<Registration>,
    varying: BTreeMap<Path, Scope>,
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routing").finish_non_exhaustive()
    }
}

impl Routing {
    /// A handler that describes itself, as `#[utoipa::path]` makes it do.
    pub fn service<H>(&mut self, handler: H) -> &mut Self
    where
        H: HttpServiceFactory + OpenApiFactory + utoipa::Path + 'static,
    {
        match &mut self.0 {
            Purpose::Documenting(document) => describe(document, &handler),
            Purpose::Outlining(paths) => outline(paths, &handler),
            Purpose::Serving(served) => served.add(&H::path(), handler),
        }
        self
    }

    pub fn configure(&mut self, routes: impl FnOnce(&mut Self)) -> &mut Self {
        routes(self);
        self
    }
}

fn describe(document: &mut OpenApi, handler: &impl OpenApiFactory) {
    document.paths.merge(handler.paths());
    let mut schemas = Vec::new();
    handler.schemas(&mut schemas);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.extend(schemas);
}

fn outline(paths: &mut Map<String, Value>, handler: &impl OpenApiFactory) {
    let Value::Object(found) = openapi::outlined(handler.paths()) else {
        return;
    };
    for (path, item) in found {
        let known = paths.entry(path).or_insert_with(|| json!({}));
        if let (Value::Object(known), Value::Object(item)) = (known, item) {
            known.extend(item);
        }
    }
}

impl Served {
    fn add(&mut self, pattern: &str, handler: impl HttpServiceFactory + 'static) {
        let Some(path) = self.operations.varying(pattern) else {
            let register = |config: &mut ServiceConfig| {
                config.service(handler);
            };
            return self.fixed.push(Box::new(register));
        };
        let is_it = move |context: &GuardContext<'_>| context.req_data().get() == Some(&path);
        let scope = self.varying.remove(&path);
        let scope = scope.unwrap_or_else(|| web::scope("").guard(fn_guard(is_it)));
        self.varying.insert(path, scope.service(handler));
    }

    /// Scopes match every path, by their patterns alone: what stands behind them is found when a request
    /// comes for it, but not its pattern.
    fn register(self, config: &mut ServiceConfig, pages: &[Pages]) {
        for register in self.fixed {
            register(config);
        }
        for pages in pages {
            pages(config);
        }
        for scope in self.varying.into_values() {
            config.service(scope);
        }
    }
}

/// Every route of a product, with what its document says. Clones share the document.
#[derive(Clone, Debug)]
pub struct Api {
    routes: fn(&mut Routing),
    pages: Vec<Pages>,
    document: Data<Document>,
    pub(super) operations: Data<Operations>,
}

impl Api {
    pub fn of(routes: fn(&mut Routing)) -> Self {
        let outlining = registered(Purpose::Outlining(Map::new()), routes);
        let outline = match outlining {
            Purpose::Outlining(paths) => json!({ "paths": paths }),
            Purpose::Documenting(_) | Purpose::Serving(_) => Value::Null,
        };
        Self {
            routes,
            pages: vec![docs::pages],
            document: Data::new(Document::of(routes)),
            operations: Data::new(Operations::of(&outline)),
        }
    }

    /// With more pages for people.
    #[must_use]
    pub fn showing(mut self, pages: fn(&mut ServiceConfig)) -> Self {
        self.pages.push(pages);
        self
    }

    /// Registers everything with a worker.
    pub(super) fn serve(&self, config: &mut ServiceConfig) {
        let serving = Purpose::Serving(Served {
            operations: self.operations.clone(),
            fixed: Vec::new(),
            varying: BTreeMap::new(),
        });
        if let Purpose::Serving(served) = registered(serving, self.routes) {
            served.register(config, &self.pages);
        }
        config
            .app_data(self.document.clone())
            .app_data(self.operations.clone());
    }
}

fn registered(purpose: Purpose, routes: fn(&mut Routing)) -> Purpose {
    let mut routing = Routing(purpose);
    routing.configure(routes).configure(docs::routes);
    routing.0
}

/// The document as it is served; made when it is asked for first.
pub(super) struct Document {
    routes: fn(&mut Routing),
    made: OnceLock<Bytes>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").finish_non_exhaustive()
    }
}

impl Document {
    fn of(routes: fn(&mut Routing)) -> Self {
        let made = OnceLock::new();
        Self { routes, made }
    }

    pub(super) fn bytes(&self) -> Bytes {
        let made = self
            .made
            .get_or_init(|| document(self.routes).to_string().into());
        made.clone()
    }
}

/// The OpenAPI document of these routes and the edge's own.
pub fn document(routes: fn(&mut Routing)) -> Value {
    let documenting = Purpose::Documenting(Box::new(openapi::blank()));
    match registered(documenting, routes) {
        Purpose::Documenting(collected) => openapi::finished(*collected),
        Purpose::Outlining(_) | Purpose::Serving(_) => Value::Null,
    }
}
