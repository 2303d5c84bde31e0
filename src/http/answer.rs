//! Answers: a handler returns one of these or a [`Problem`], and nothing else.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, TryIntoHeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::problem::Problem;

/// What every handler returns.
pub type Answer<T> = Result<T, Problem>;

macro_rules! answers {
    ($( $(#[$doc:meta])* $name:ident $status:ident; )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name<T>(T);

        impl<T> $name<T> {
            pub fn new(view: T) -> Self {
                Self(view)
            }
        }

        impl<T: Serialize> Responder for $name<T> {
            type Body = BoxBody;

            fn respond_to(self, _: &HttpRequest) -> HttpResponse {
                json(StatusCode::$status, &self.0)
            }
        }
    )* };
}

answers! {
    /// 200 and a document.
    Ok200 OK;
    /// 201 and the document of what now exists.
    Created CREATED;
    /// 202: the request is understood, and something else must happen before it is done.
    Accepted ACCEPTED;
}

/// 200 and a document to keep: a browser saves it under its name (RFC 6266).
#[derive(Clone, Debug)]
pub struct Attachment<T> {
    name: &'static str,
    view: T,
}

impl<T> Attachment<T> {
    pub fn new(name: &'static str, view: T) -> Self {
        Self { name, view }
    }
}

impl<T: Serialize> Responder for Attachment<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = json(StatusCode::OK, &self.view);
        let disposition = ContentDisposition::attachment(self.name);
        if let Ok(value) = disposition.try_into_value() {
            response.headers_mut().insert(CONTENT_DISPOSITION, value);
        }
        response
    }
}

/// 204: done, and there is nothing to say.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

fn json(status: StatusCode, view: &impl Serialize) -> HttpResponse {
    match serde_json::to_vec(view) {
        Ok(bytes) => HttpResponse::build(status)
            .content_type("application/json")
            .body(bytes),
        Err(error) => HttpResponse::from_error(Problem::internal(error)),
    }
}
