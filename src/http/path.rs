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

/// Several identifiers of one path, in its order.
#[derive(Clone, Copy, Debug)]
pub struct PathIds<T>(T);

impl<T> PathIds<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

fn segments(req: &HttpRequest) -> Vec<&str> {
    req.match_info().iter().map(|(_, text)| text).collect()
}

fn nothing() -> Problem {
    ProblemKind::NotFound.into()
}

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = match segments(req).as_slice() {
            [only] => only.parse().ok(),
            _ => None,
        };
        ready(parsed.map(Self).ok_or_else(nothing))
    }
}

impl<A: FromStr, B: FromStr> FromRequest for PathIds<(A, B)> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = match segments(req).as_slice() {
            [a, b] => a.parse().ok().zip(b.parse().ok()),
            _ => None,
        };
        ready(parsed.map(Self).ok_or_else(nothing))
    }
}

impl<A: FromStr, B: FromStr, C: FromStr> FromRequest for PathIds<(A, B, C)> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = match segments(req).as_slice() {
            [a, b, c] => match (a.parse(), b.parse(), c.parse()) {
                (Ok(a), Ok(b), Ok(c)) => Some((a, b, c)),
                _ => None,
            },
            _ => None,
        };
        ready(parsed.map(Self).ok_or_else(nothing))
    }
}
