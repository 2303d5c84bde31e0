//! Which operation a request is for: read off the document, since registering is documenting.
//!
//! What is measured, traced and remembered of a request goes by the name of its operation: one of a
//! known few, whatever path a client makes up.

use std::collections::HashMap;

use actix_web::http::Method;
use serde_json::Value;

use super::openapi::{IDEMPOTENCY_KEY, METHODS};

/// Places among all operations, method by method.
type Places = [Option<usize>; METHODS.len()];

/// A path with variables, by its number among those of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(usize);

/// Every operation of the document, in its order.
#[derive(Clone, Debug)]
pub(super) struct Operations {
    all: Vec<Operation>,
    /// By their path, where nothing in it varies.
    by_path: HashMap<String, Places>,
    /// The other patterns, segment by segment; a literal stands before a variable.
    by_pattern: Vec<(Vec<Segment>, Places)>,
}

/// What may stand between two slashes. A variable is anything but nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Variable,
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    /// The pattern of its path: `/v1/orgs/{org}`.
    pub(super) pattern: String,
    /// Where something in the path varies.
    pub(super) path: Option<Path>,
    /// Whether it remembers its answers by `Idempotency-Key`.
    pub(super) remembers: bool,
}

impl Operations {
    pub(super) fn of(document: &Value) -> Self {
        let mut operations = Self {
            all: Vec::new(),
            by_path: HashMap::new(),
            by_pattern: Vec::new(),
        };
        let paths = document["paths"].as_object().into_iter().flatten();
        for (number, (pattern, item)) in paths.enumerate() {
            let path = pattern.contains('{').then_some(Path(number));
            let mut places = [None; METHODS.len()];
            for (place, method) in places.iter_mut().zip(METHODS) {
                if let Some(operation) = item.get(method) {
                    *place = Some(operations.all.len());
                    operations
                        .all
                        .push(Operation::of((pattern, path), operation));
                }
            }
            operations.insert(pattern, places);
        }
        operations.by_pattern.sort();
        operations
    }

    fn insert(&mut self, pattern: &str, places: Places) {
        let segments: Vec<_> = pattern.split('/').map(Segment::of).collect();
        if segments.contains(&Segment::Variable) {
            self.by_pattern.push((segments, places));
        } else {
            self.by_path.insert(pattern.to_owned(), places);
        }
    }

    /// The place of the operation that answers a method at a path, which has no variables for
    /// another method's sake: `POST /v1/users/create` is no operation of `/v1/users/{id}`.
    pub(super) fn place(&self, method: &Method, path: &str) -> Option<usize> {
        let known = METHODS
            .iter()
            .position(|known| known.eq_ignore_ascii_case(method.as_str()))?;
        let literal = self.by_path.get(path).and_then(|places| places[known]);
        literal.or_else(|| {
            let path: Vec<&str> = path.split('/').collect();
            let mut all = self.by_pattern.iter();
            all.find_map(|(pattern, places)| places[known].filter(|_| is_of(&path, pattern)))
        })
    }

    /// The methods of the pattern that a path is of before all others, as `Allow` spells them; none where
    /// there is no such path.
    pub(super) fn allowed(&self, path: &str) -> Option<String> {
        let places = self.by_path.get(path).or_else(|| {
            let path: Vec<&str> = path.split('/').collect();
            let mut all = self.by_pattern.iter();
            all.find_map(|(pattern, places)| is_of(&path, pattern).then_some(places))
        })?;
        let methods = METHODS.iter().zip(places).filter(|(_, it)| it.is_some());
        let methods: Vec<_> = methods.map(|(method, _)| method.to_uppercase()).collect();
        Some(methods.join(", "))
    }

    /// A documented path in which something varies.
    pub(super) fn varying(&self, pattern: &str) -> Option<Path> {
        let mut all = self.all.iter();
        all.find(|operation| operation.pattern == pattern)?.path
    }

    pub(super) fn at(&self, place: usize) -> Option<&Operation> {
        self.all.get(place)
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Option<&Operation> {
        self.at(self.place(method, path)?)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|operation| operation.id.as_str())
    }
}

/// Whether a path, segment by segment, is one of a pattern.
fn is_of(path: &[&str], pattern: &[Segment]) -> bool {
    let is_alike = |(segment, expected): (&&str, &Segment)| match expected {
        Segment::Literal(literal) => segment == literal,
        Segment::Variable => !segment.is_empty(),
    };
    path.len() == pattern.len() && path.iter().zip(pattern).all(is_alike)
}

impl Segment {
    fn of(text: &str) -> Self {
        if text.starts_with('{') {
            return Self::Variable;
        }
        Self::Literal(text.to_owned())
    }
}

impl Operation {
    fn of((pattern, path): (&str, Option<Path>), operation: &Value) -> Self {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut references = parameters.filter_map(|it| it["$ref"].as_str());
        Self {
            id: id.to_owned(),
            pattern: pattern.to_owned(),
            path,
            remembers: references.any(|it| it == IDEMPOTENCY_KEY),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn some() -> Operations {
        Operations::of(&json!({"paths": {
            "/v1/orgs": {
                "get": {"operationId": "orgs.list"},
                "post": {"operationId": "orgs.create", "parameters": [{"$ref": IDEMPOTENCY_KEY}]},
            },
            "/v1/orgs/{org}": {"get": {"operationId": "orgs.read"}},
            "/v1/orgs/{org}/teams": {"get": {"operationId": "teams.list"}},
            "/v1/orgs/invitations/{id}": {"get": {"operationId": "invitations.read"}},
            "/v1/orgs/import": {"post": {"operationId": "orgs.import"}},
        }}))
    }

    #[test]
    fn a_request_is_for_one_operation_or_for_none() {
        let operations = some();
        let found = |method: Method, path: &str| {
            let operation = operations.find(&method, path)?;
            Some((operation.id.as_str(), operation.pattern.as_str()))
        };

        let table = [
            (Method::POST, "/v1/orgs", Some(("orgs.create", "/v1/orgs"))),
            (
                Method::GET,
                "/v1/orgs/a",
                Some(("orgs.read", "/v1/orgs/{org}")),
            ),
            // What is a literal for one method is a variable for another.
            (
                Method::POST,
                "/v1/orgs/import",
                Some(("orgs.import", "/v1/orgs/import")),
            ),
            (
                Method::GET,
                "/v1/orgs/import",
                Some(("orgs.read", "/v1/orgs/{org}")),
            ),
            (
                Method::GET,
                "/v1/orgs/invitations/teams",
                Some(("invitations.read", "/v1/orgs/invitations/{id}")),
            ),
            (Method::DELETE, "/v1/orgs", None),
            (Method::GET, "/v1/orgs/", None),
            (Method::GET, "/v1/orgs/a/", None),
            (Method::GET, "/v1/orgs/a/teams/b", None),
            (Method::GET, "/v1/teams", None),
        ];
        for (method, path, expected) in table {
            assert_eq!(found(method, path), expected, "{path}");
        }
        let remembers = |path: &str| operations.find(&Method::POST, path).map(|it| it.remembers);
        assert_eq!(remembers("/v1/orgs"), Some(true));
        assert_eq!(remembers("/v1/orgs/import"), Some(false));
        assert_eq!(operations.names().count(), 6);
    }

    #[test]
    fn a_path_answers_the_methods_of_its_own_pattern() {
        let operations = some();

        for (path, expected) in [
            ("/v1/orgs", Some("GET, POST")),
            ("/v1/orgs/a", Some("GET")),
            ("/v1/orgs/import", Some("POST")),
            ("/v1/orgs/invitations/teams", Some("GET")),
            ("/v1/orgs/", None),
            ("/v1/orgs/a/b", None),
            ("/", None),
        ] {
            assert_eq!(operations.allowed(path).as_deref(), expected, "{path}");
        }
    }
}
