//! The document of the API held against the server, operation by operation.
//!
//! Nothing here names an operation that the document could name: what is added is tested by being
//! documented. Where a list stands in a test, an addition is meant to be thought about.

mod authorization;
mod compatibility;
mod isolation;
mod lint;
mod openapi;
mod ownership;
mod policies;
mod problems;
mod public_client;
mod routes;

use std::sync::LazyLock;

use authsome::access::{Grantable, PERMISSIONS, Realm};
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

    /// The kinds of identifiers in the path, in its order, as their schemas are called.
    pub fn identifiers(&self) -> Vec<&str> {
        let variables = self.path.split('/').filter(|it| it.starts_with('{'));
        variables.filter_map(|it| self.kind_of(it)).collect()
    }

    /// The kind of identifier that a variable of the path is, if it is one.
    fn kind_of(&self, variable: &str) -> Option<&str> {
        let name = variable.trim_matches(['{', '}']);
        let mut all = self.parameters();
        let parameter = all.find(|it| it["in"] == "path" && it["name"] == name)?;
        // One of several words has a schema too, and says which it may be.
        if parameter.get("example").is_some() {
            return None;
        }
        parameter["schema"]["$ref"]
            .as_str()?
            .strip_prefix("#/components/schemas/")
    }

    /// Whether it is allowed follows from the caller's place in an organisation.
    pub fn is_of_an_organization(&self) -> bool {
        self.permission.is_some() && self.row().realm == Realm::Organization
    }

    /// What it asks of its caller; it is one that is guarded.
    pub fn row(&self) -> &'static Grantable {
        let name = self.permission.as_deref().expect("a guarded operation");
        let row = PERMISSIONS.iter().find(|row| row.name == name);
        row.expect("a permission of the table")
    }

    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.document["parameters"].as_array().into_iter().flatten()
    }

    /// The path, with what `id` says of each kind for its variables, and documented examples for
    /// those that are no identifiers.
    pub fn path_with(&self, id: impl Fn(&str) -> String) -> String {
        let filled = self.path.split('/').map(|it| match self.kind_of(it) {
            Some(kind) => id(kind),
            None if it.starts_with('{') => self.example_of(it),
            None => it.to_owned(),
        });
        filled.collect::<Vec<_>>().join("/")
    }

    fn example_of(&self, variable: &str) -> String {
        let name = variable.trim_matches(['{', '}']);
        let mut all = self.parameters();
        let parameter = all.find(|it| it["name"] == name).expect("a parameter");
        parameter["example"]
            .as_str()
            .expect("an example")
            .to_owned()
    }

    /// The path with identifiers of the right kinds that nothing has.
    pub fn path_of_nothing(&self) -> String {
        self.path_with(unknown)
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
    nothing(prefix)
}

/// An identifier with this prefix that nothing has.
pub fn nothing(prefix: &str) -> String {
    let any = UserId::new(NEW_YEAR, &Entropy::system()).to_string();
    let (_, random) = any.split_once('_').expect("an identifier has a prefix");
    format!("{prefix}_{random}")
}
