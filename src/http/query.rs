//! Queries: the parameters of a request, read like the fields of a body.
//!
//! A parameter nobody asked for is refused, and so is one given twice; only the three that name a
//! tenant (`publishable_key`, `app_id`, `env_id`) are everywhere and are read by the edge.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::IntoParams;

use super::caller::TENANT_PARAMETERS;
use super::edge::Edge;
use super::fields::{self, CursorScope, Fields, FromFields, Source};
use super::guard;
use super::problem::{FieldError, Problem};
use super::problems::ProblemKind;
use crate::kernel::page::{Cursor, Limit, Position};

/// The query of a request, parsed.
#[derive(Debug)]
pub struct Query<T>(T);

impl<T> Query<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Which page of a list: `limit` and `cursor`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    #[param(required = false, inline)]
    pub limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(rename = "cursor", value_type = Option<String>, nullable = false)]
    pub after: Option<Position>,
    #[param(ignore)]
    cursors: Option<CursorScope>,
}

impl Paging {
    /// The cursor a client sends to go on behind `position`, for this list and tenant only.
    pub fn cursor(&self, position: Option<&Position>) -> Option<String> {
        let (scope, position) = self.cursors.as_ref().zip(position)?;
        Some(Cursor::seal(&scope.key, &scope.list, position))
    }
}

impl FromFields for Paging {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional("limit", Limit::parse);
        let after = fields.cursor("cursor");
        Some(Self {
            limit: limit?.unwrap_or_default(),
            after: after?,
            cursors: fields.cursors(),
        })
    }
}

impl<T: FromFields> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = parameters(req.query_string())
            .and_then(|parameters| fields::read(parameters, Source::Query, cursor_scope(req)?));
        ready(parsed.map(Self))
    }
}

/// A cursor holds for one path and one tenant.
pub(super) fn cursor_scope(req: &HttpRequest) -> Result<Option<CursorScope>, Problem> {
    let Some(edge) = req.app_data::<Data<Edge>>() else {
        return Ok(None);
    };
    let tenant = guard::identity(req)?.tenant();
    let tenant = tenant
        .map(|t| format!("{} {}", t.app_id, t.env_id))
        .unwrap_or_default();
    Ok(Some(CursorScope {
        key: edge.cursor_key.clone(),
        list: format!("{} {tenant}", req.path()),
    }))
}

pub(super) fn parameters(query: &str) -> Result<Map<String, Value>, Problem> {
    let mut parameters = Map::new();
    let mut repeated = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if TENANT_PARAMETERS.contains(&&*name) {
            continue;
        }
        if parameters
            .insert(name.to_string(), Value::String(value.into_owned()))
            .is_some()
        {
            repeated.push(twice(&name));
        }
    }
    if repeated.is_empty() {
        return Ok(parameters);
    }
    Err(Problem::new(ProblemKind::InvalidQuery).fields(repeated))
}

fn twice(name: &str) -> FieldError {
    FieldError {
        pointer: None,
        parameter: Some(name.to_owned()),
        kind: "duplicate_parameter".to_owned(),
        detail: "is there twice".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::secret::MacKey;
    use crate::kernel::time::Timestamp;

    fn paging(query: &str) -> Result<Paging, ProblemKind> {
        let scope = CursorScope {
            key: MacKey::new(&[7; 32]),
            list: "/v1/things".into(),
        };
        let read = |parameters| fields::read(parameters, Source::Query, Some(scope));
        parameters(query)
            .and_then(read)
            .map_err(|problem| problem.kind())
    }

    #[test]
    fn a_page_is_twenty_from_the_top_unless_asked_otherwise() {
        let page = paging("").unwrap();

        assert_eq!((page.limit, page.after), (Limit::default(), None));
        assert_eq!(paging("limit=5").unwrap().limit.get(), 5);
    }

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        let position = Position {
            at: Timestamp::from_millis(7),
            id: "a".into(),
        };
        let cursor = paging("").unwrap().cursor(Some(&position)).unwrap();

        assert_eq!(
            paging(&format!("cursor={cursor}")).unwrap().after,
            Some(position)
        );
    }

    #[test]
    fn what_is_unknown_repeated_or_out_of_bounds_is_refused() {
        let table = [
            ("limit=0", ProblemKind::InvalidQuery),
            ("limit=x", ProblemKind::InvalidQuery),
            ("limit=1&limit=1", ProblemKind::InvalidQuery),
            ("sort=password_hash", ProblemKind::InvalidQuery),
            ("include=total", ProblemKind::InvalidQuery),
            ("cursor=", ProblemKind::BadCursor),
            ("cursor=x", ProblemKind::BadCursor),
        ];
        for (query, kind) in table {
            assert_eq!(paging(query).map(|_| ()), Err(kind), "{query}");
        }
    }

    #[test]
    fn the_parameters_of_the_tenant_are_not_a_list_s_business() {
        assert!(paging("publishable_key=pk&app_id=a&env_id=e").is_ok());
    }
}
