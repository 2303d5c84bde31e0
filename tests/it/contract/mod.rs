//! The document of the API held against the server, operation by operation.
//!
//! Nothing here names an operation that the document could name: what is added is tested by being
//! documented. Where a list stands in a test, an addition is meant to be thought about.

mod authorization;
mod isolation;
mod lint;
mod openapi;
mod policies;
mod problems;
mod routes;

use std::sync::LazyLock;

use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::UserId;
use serde_json::Value;

use crate::support::app::NEW_YEAR;
use crate::support::client::{Asks, Request};

/// The document, as the server serves it.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(authsome::app::document);

/// Methods that an operation can have; `OPTIONS` and `HEAD` are the edge's.
pub const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];

/// An operation, as it is documented.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    pub method: &'static str,
    pub path: String,
    /// `None` for one that needs no credential.
    pub permission: Option<String>,
    pub document: Value,
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    of_document(&DOCUMENT)
}

pub fn of_document(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("a document has paths") {
        for method in METHODS {
            let Some(operation) = item.get(method.to_lowercase()) else {
                continue;
            };
            let member = |name: &str| operation[name].as_str().map(str::to_owned);
            found.push(Operation {
                id: member("operationId").unwrap_or_default(),
                method,
                path: path.clone(),
                permission: member("x-permission"),
                document: operation.clone(),
            });
        }
    }
    found
}

/// Operations that need a credential.
pub fn guarded() -> Vec<Operation> {
    operations()
        .into_iter()
        .filter(|it| it.permission.is_some())
        .collect()
}

impl Operation {
    /// Whether a credential of this scheme alone is enough.
    pub fn takes(&self, scheme: &str) -> bool {
        let alternatives = self.document["security"].as_array().into_iter().flatten();
        alternatives.into_iter().any(|alternative| {
            let schemes = alternative
                .as_object()
                .expect("a security requirement is an object");
            schemes.len() == 1 && schemes.contains_key(scheme)
        })
    }

    /// The kind of identifier in the path, as its schema is called.
    pub fn identifier(&self) -> Option<&str> {
        let parameter = self.parameters().find(|it| it["in"] == "path")?;
        parameter["schema"]["$ref"]
            .as_str()?
            .strip_prefix("#/components/schemas/")
    }

    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.document["parameters"].as_array().into_iter().flatten()
    }

    /// The path, with `id` for its variable.
    pub fn path_of(&self, id: &str) -> String {
        let segments = self.path.split('/');
        let filled = segments.map(|it| if it.starts_with('{') { id } else { it });
        filled.collect::<Vec<_>>().join("/")
    }

    /// The path with an identifier of the right kind that nothing has, or the documented example.
    pub fn path_of_nothing(&self) -> String {
        let variable = self.parameters().find(|it| it["in"] == "path");
        match (self.identifier(), variable) {
            (Some(kind), _) => self.path_of(&unknown(kind)),
            (None, Some(other)) => self.path_of(other["example"].as_str().expect("an example")),
            (None, None) => self.path.clone(),
        }
    }

    pub fn has_body(&self) -> bool {
        self.document.get("requestBody").is_some()
    }

    /// The documented example of a body.
    pub fn example(&self) -> Option<&Value> {
        self.document
            .pointer("/requestBody/content/application~1json/example")
    }

    /// The request as it is documented, at this path and without a credential.
    pub fn request(&self, asks: &(impl Asks + ?Sized), path: &str) -> Request {
        let request = asks.request(self.method, path);
        match self.example() {
            Some(example) => request.json(example.clone()),
            None => request,
        }
    }
}

/// An identifier that nothing has, of the kind that this schema describes.
pub fn unknown(kind: &str) -> String {
    let example = &DOCUMENT["components"]["schemas"][kind]["examples"][0];
    let example = example
        .as_str()
        .or(DOCUMENT["components"]["schemas"][kind]["example"].as_str());
    let (prefix, _) = example
        .and_then(|it| it.split_once('_'))
        .expect("an identifier has a prefix");
    let any = UserId::new(NEW_YEAR, &Entropy::system()).to_string();
    format!(
        "{prefix}_{}",
        any.split_once('_').expect("an identifier has a prefix").1
    )
}
