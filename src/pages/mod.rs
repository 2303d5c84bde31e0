//! Pages: where links of letters lead for apps that have named no page of their own.
//!
//! A page does nothing by being opened, so that scanners of mail may open it as often as they like; at
//! most it asks what its link offers. Its button calls the API with the token. It loads nothing from elsewhere, has no inline script,
//! takes the token out of the address bar and sends it nowhere else. Not here: what a link does.

#[cfg(test)]
mod fuzz;
mod text;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::{HttpResponse, web};

use self::text::{Page, page};
use crate::http::{PathId, Problem, ProblemKind, Public};
use crate::tokens::Purpose;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// Pages for people, which are no part of the API.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .route("/pages/page.js", web::get().to(script))
        .route("/pages/page.css", web::get().to(style))
        .route("/pages/{page}", web::get().to(shown))
        // Whoever checks links looks like this.
        .route("/pages/{page}", web::head().to(shown));
}

async fn shown(access: Public, which: PathId<Page>) -> HttpResponse {
    let language = access.origin().language.unwrap_or_default();
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(page(which.into_inner(), language))
}

async fn script(_: Public) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .body(SCRIPT)
}

async fn style(_: Public) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(STYLE)
}

/// Fails for a page that there is not.
impl std::str::FromStr for Page {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        let mut all = Purpose::ALL.into_iter();
        all.find(|purpose| purpose.page() == name)
            .map(Self)
            .ok_or_else(|| ProblemKind::NotFound.into())
    }
}
