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

/// The two identifiers of a path, in order: the outer thing and the inner one.
#[derive(Clone, Copy, Debug)]
pub struct PathIds<A, B>(A, B);

impl<T> PathId<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<A, B> PathIds<A, B> {
    pub fn into_inner(self) -> (A, B) {
        (self.0, self.1)
    }
}

fn segment<T: FromStr>(req: &HttpRequest, index: usize) -> Result<T, Problem> {
    let text = req.match_info().iter().nth(index).map(|(_, text)| text);
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| ProblemKind::NotFound.into())
}

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(req, 0).map(Self))
    }
}

impl<A: FromStr, B: FromStr> FromRequest for PathIds<A, B> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(req, 0).and_then(|outer| Ok(Self(outer, segment(req, 1)?))))
    }
}
