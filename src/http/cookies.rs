//! Cookies: what a browser sends, and what an answer gives it to keep.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};

use super::problem::Problem;

/// The cookies of a request, unjudged.
#[derive(Debug)]
pub struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// RFC 6265 §4.2.1. What is no pair, or no ASCII, is no cookie.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let lines = headers
            .get_all(COOKIE)
            .filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';'));
        let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        Self(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// The one cookie of this name. Of two, one may have been tossed in by a page of a sibling
    /// domain, and nothing tells which: neither counts.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter().filter(|(own, _)| own == name);
        let (_, value) = all.next()?;
        all.next().is_none().then_some(value)
    }
}

impl FromRequest for Cookies {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(req.headers())))
    }
}

/// A cookie for this host alone, over TLS alone, out of reach of scripts, and not sent along by
/// other sites' forms (ASVS 3.3.1–3.3.4). The value has no character that a cookie cannot have.
#[derive(Clone, Debug)]
pub struct HostCookie {
    pub name: &'static str,
    pub value: String,
    pub life: Duration,
}

impl HostCookie {
    fn line(&self) -> Result<HeaderValue, Problem> {
        let Self { name, value, life } = self;
        let seconds = life.as_secs();
        let text =
            format!("{name}={value}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={seconds}");
        HeaderValue::from_str(&text).map_err(Problem::internal)
    }
}

/// An answer, and the cookie that it sets, if it sets one.
#[derive(Clone, Debug)]
pub struct WithCookie<A> {
    answer: A,
    cookie: Option<HostCookie>,
}

impl<A> WithCookie<A> {
    pub fn new(answer: A, cookie: Option<HostCookie>) -> Self {
        Self { answer, cookie }
    }
}

impl<A: Responder<Body = BoxBody>> Responder for WithCookie<A> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let line = self.cookie.as_ref().map(HostCookie::line).transpose();
        match line {
            Ok(line) => {
                let mut answer = self.answer.respond_to(req);
                let headers = answer.headers_mut();
                if let Some(line) = line {
                    headers.append(SET_COOKIE, line);
                }
                answer
            }
            Err(problem) => HttpResponse::from_error(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(lines: &[&str]) -> Cookies {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
        }
        Cookies::of(&headers)
    }

    #[test]
    fn a_cookie_counts_only_where_it_is_the_only_one_of_its_name() {
        let table: [(&[&str], Option<&str>); 9] = [
            (&[], None),
            (&["a=1"], Some("1")),
            (&["b=2; a=1;c=3"], Some("1")),
            (&["b=2", "a=1=2"], Some("1=2")),
            (&["a=1; a=2"], None),
            (&["a=1; a=1"], None),
            (&["a=1", "a=2"], None),
            (&["A=1; a"], None),
            (&["a="], Some("")),
        ];
        for (lines, expected) in table {
            assert_eq!(cookies(lines).only("a"), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_cookie_is_this_host_s_and_no_script_s() {
        let cookie = HostCookie {
            name: "a",
            value: "1".into(),
            life: Duration::from_mins(1),
        };

        assert_eq!(
            cookie.line().unwrap(),
            "a=1; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=60"
        );
    }
}
