//! Refusals of the token endpoint, in the words of another standard (RFC 6749 §5.2).

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Ok200;

/// Why no token is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OAuthErrorKind {
    /// A parameter is missing, malformed or there twice.
    InvalidRequest,
    /// No key of ours, one that is over, or not of the client that is named.
    InvalidClient,
    /// No scope that there is, or one that the key does not have.
    InvalidScope,
    /// A key that is not exchanged.
    UnauthorizedClient,
    UnsupportedGrantType,
}

/// RFC 6749 §5.2.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OAuthError {
    error: OAuthErrorKind,
    error_description: &'static str,
}

/// What a token endpoint answers: a token, or why there is none.
#[derive(Debug)]
pub enum OAuthAnswer<T> {
    Granted(T),
    Refused(OAuthError),
}

impl OAuthErrorKind {
    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest
            | Self::InvalidScope
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType => StatusCode::BAD_REQUEST,
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest => "a parameter is missing, malformed or there twice",
            Self::InvalidClient => "the client is not known by this secret",
            Self::InvalidScope => "one of the scopes is none, or not one that the key has",
            Self::UnauthorizedClient => "the uses of this key are counted: it is not exchanged",
            Self::UnsupportedGrantType => "the grant type is `client_credentials`",
        }
    }
}

impl<T> OAuthAnswer<T> {
    /// Why there is no token, where there is none.
    pub fn refusal(&self) -> Option<OAuthErrorKind> {
        match self {
            Self::Granted(_) => None,
            Self::Refused(refused) => Some(refused.error),
        }
    }
}

impl<T> From<OAuthErrorKind> for OAuthAnswer<T> {
    fn from(error: OAuthErrorKind) -> Self {
        Self::Refused(OAuthError {
            error,
            error_description: error.description(),
        })
    }
}

impl<T: Serialize> Responder for OAuthAnswer<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let refused = match self {
            Self::Granted(token) => return Ok200::new(token).respond_to(request),
            Self::Refused(refused) => refused,
        };
        let status = refused.error.status();
        let mut response = HttpResponse::build(status);
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(refused)
    }
}
