//! Which operation a request is for: read off the document, since registering is documenting.
//!
//! What is measured, traced and remembered of a request goes by the name of its operation: one of a
//! known few, whatever path a client makes up.

use std::collections::HashMap;

use actix_web::http::Method;
use serde_json::Value;

use super::openapi::IDEMPOTENCY_KEY;

/// The methods that operations have.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Every operation of the document, in its order.
#[derive(Clone, Debug)]
pub(super) struct Operations {
    all: Vec<Operation>,
    /// By the pattern of the path: the place in `all`, method by method.
    by_pattern: HashMap<String, [Option<usize>; METHODS.len()]>,
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    /// Whether it remembers its answers by `Idempotency-Key`.
    pub(super) remembers: bool,
}

impl Operations {
    pub(super) fn of(document: &Value) -> Self {
        let mut operations = Self {
            all: Vec::new(),
            by_pattern: HashMap::new(),
        };
        let paths = document["paths"].as_object().into_iter().flatten();
        for (pattern, item) in paths {
            let mut places = [None; METHODS.len()];
            for (place, method) in places.iter_mut().zip(METHODS) {
                if let Some(operation) = item.get(method) {
                    *place = Some(operations.all.len());
                    operations.all.push(Operation::of(operation));
                }
            }
            operations.by_pattern.insert(pattern.clone(), places);
        }
        operations
    }

    /// The operation of a method and the pattern that matched, and its place among all.
    pub(super) fn find(&self, method: &Method, pattern: &str) -> Option<(usize, &Operation)> {
        let known = METHODS
            .iter()
            .position(|known| known.eq_ignore_ascii_case(method.as_str()));
        let place = (*self.by_pattern.get(pattern)?.get(known?)?)?;
        Some((place, self.all.get(place)?))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|operation| operation.id.as_str())
    }
}

impl Operation {
    fn of(operation: &Value) -> Self {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut references = parameters.filter_map(|it| it["$ref"].as_str());
        Self {
            id: id.to_owned(),
            remembers: references.any(|it| it == IDEMPOTENCY_KEY),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_for_one_operation_or_for_none() {
        let operations = Operations::of(&json!({"paths": {
            "/v1/orgs": {
                "get": {"operationId": "orgs.list"},
                "post": {"operationId": "orgs.create", "parameters": [{"$ref": IDEMPOTENCY_KEY}]},
            },
            "/v1/orgs/{org}": {"get": {"operationId": "orgs.read"}},
        }}));
        let found = |method: Method, pattern: &str| {
            let (_, operation) = operations.find(&method, pattern)?;
            Some((operation.id.clone(), operation.remembers))
        };

        assert_eq!(
            found(Method::POST, "/v1/orgs"),
            Some(("orgs.create".into(), true))
        );
        assert_eq!(
            found(Method::GET, "/v1/orgs/{org}"),
            Some(("orgs.read".into(), false))
        );
        assert_eq!(found(Method::DELETE, "/v1/orgs"), None);
        assert_eq!(found(Method::GET, "/v1/teams"), None);
        assert_eq!(operations.names().count(), 3);
    }
}
