//! Answers: a handler returns one of these or a [`Problem`], and nothing else.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, ContentDisposition, ETag, EntityTag, Header, IfNoneMatch,
    TryIntoHeaderValue, VARY,
};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::problem::Problem;
use crate::kernel::secret::digest;

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

/// 200 and lines for a program that reads no JSON.
#[derive(Clone, Debug)]
pub struct Text(String);

impl Text {
    pub fn new(lines: String) -> Self {
        Self(lines)
    }
}

impl Responder for Text {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(self.0)
    }
}

/// 200 and a document that others may keep for a while; 304 to whoever has it as it is (RFC 9110
/// §13.1.2).
#[derive(Clone, Debug)]
pub struct Cacheable<T> {
    view: T,
    cache_control: &'static str,
    varies_by: Option<&'static str>,
}

impl<T> Cacheable<T> {
    pub fn new(view: T, cache_control: &'static str, varies_by: &'static str) -> Self {
        Self {
            view,
            cache_control,
            varies_by: Some(varies_by),
        }
    }

    /// The same to whoever asks.
    pub fn for_everybody(view: T, cache_control: &'static str) -> Self {
        Self {
            view,
            cache_control,
            varies_by: None,
        }
    }
}

impl<T: Serialize> Responder for Cacheable<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let bytes = match serde_json::to_vec(&self.view) {
            Ok(bytes) => bytes,
            Err(error) => return HttpResponse::from_error(Problem::internal(error)),
        };
        let tag = EntityTag::new_strong(digest(&bytes));
        let is_known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Items(known)) => known.iter().any(|it| it.weak_eq(&tag)),
            Ok(IfNoneMatch::Any) | Err(_) => false,
        };
        let status = if is_known {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::OK
        };
        let mut response = HttpResponse::build(status);
        response
            .insert_header((CACHE_CONTROL, self.cache_control))
            .insert_header(ETag(tag));
        if let Some(name) = self.varies_by {
            response.append_header((VARY, name));
        }
        if is_known {
            return response.finish();
        }
        response.content_type("application/json").body(bytes)
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
