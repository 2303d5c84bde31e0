//! Identifiers in paths. One that cannot be parsed names nothing, so it is 404 like an unknown one.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::problem::Problem;
use super::problems::ProblemKind;

/// The only identifier of a path.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(T);

impl<T> PathId<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

fn segment<T: FromStr>(req: &HttpRequest) -> Result<T, Problem> {
    let text = req.match_info().iter().next().map(|(_, text)| text);
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| ProblemKind::NotFound.into())
}

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(req).map(Self))
    }
}
