//! The edge as a whole, around a few handlers of no feature.

mod world;

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::ServerHandle;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::{HttpServer, rt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::world::{BEGUN, DONE, LET_GO, customer, edge, platform, routes};
use super::{Api, app, document};
use crate::kernel::id::AppId;

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    /// `404 not_found`, or the status and the app that the handler saw.
    fn gist(&self) -> String {
        let word = self.body["type"]
            .as_str()
            .unwrap_or_else(|| match self.body["app"].as_str() {
                Some(app) if app == platform().app_id.to_string() => "platform",
                Some(_) => "customer",
                None => "",
            });
        format!("{} {word}", self.status.as_u16())
    }
}

async fn ask(method: Method, uri: &str, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let app = init_service(app(edge().await, &Api::of(routes))).await;
    let mut request = TestRequest::default()
        .method(method)
        .uri(uri)
        .set_payload(body.to_owned());
    for (name, value) in headers {
        request = request.append_header((*name, *value));
    }
    // An answer to a request that is still in its task comes as an error; the server sends it alike.
    let response = match try_call_service(&app, request.to_request()).await {
        Ok(answer) => answer.into_parts().1,
        Err(error) => error.error_response(),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body()).await.unwrap();
    Reply {
        status,
        headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

async fn gist(uri: &str, headers: &[(&'static str, &str)]) -> String {
    ask(Method::GET, uri, headers, "").await.gist()
}

const JSON: (&str, &str) = ("content-type", "application/json");
const CUSTOMER_KEY: (&str, &str) = ("x-publishable-key", "pk_customer");
const USER: (&str, &str) = ("authorization", "Bearer customer-role.USER");
const OPERATOR: (&str, &str) = ("authorization", "Bearer platform-platform.OWNER");

#[actix_web::test]
async fn a_caller_is_known_before_it_is_allowed() {
    assert_eq!(gist("/v1/me", &[]).await, "401 unauthenticated");
    assert_eq!(gist("/v1/me", &[CUSTOMER_KEY]).await, "401 unauthenticated");
    assert_eq!(
        gist("/v1/me", &[("authorization", "Basic %%%")]).await,
        "401 invalid_token"
    );
    assert_eq!(
        gist("/v1/me", &[("x-api-key", "sk_x-y")]).await,
        "401 invalid_token"
    );
    assert_eq!(gist("/v1/me", &[USER]).await, "200 customer");
    assert_eq!(gist("/v1/users", &[USER]).await, "403 forbidden");
    assert_eq!(gist("/v1/users?x=1", &[]).await, "401 unauthenticated");
    let both = [USER, ("x-api-key", "sk_x-y")];
    assert_eq!(gist("/v1/me", &both).await, "400 ambiguous_credentials");
}

#[actix_web::test]
async fn key_and_credential_must_name_one_tenant() {
    assert_eq!(gist("/v1/me", &[USER, CUSTOMER_KEY]).await, "200 customer");
    let platform_key = ("x-publishable-key", "pk_platform");
    assert_eq!(
        gist("/v1/me", &[USER, platform_key]).await,
        "401 tenant_mismatch"
    );
    let unknown = gist("/v1/me?publishable_key=pk_nobody", &[USER]).await;
    assert_eq!(unknown, "401 invalid_publishable_key");
}

#[actix_web::test]
async fn only_operators_act_on_another_app() {
    let (own, foreign) = (customer().app_id, platform().app_id);
    let on = |app: AppId| format!("/v1/users?app_id={app}");

    assert_eq!(gist(&on(own), &[OPERATOR]).await, "200 customer");
    assert_eq!(gist(&on(foreign), &[OPERATOR]).await, "200 platform");
    assert_eq!(
        gist("/v1/users?app_id=aapp_nonsense", &[OPERATOR]).await,
        "404 not_found"
    );
    let admin = ("authorization", "Bearer customer-role.ADMIN");
    assert_eq!(gist(&on(foreign), &[admin]).await, "404 not_found");
    assert_eq!(gist(&on(own), &[admin]).await, "200 customer");
}

async fn greeted(headers: &[(&'static str, &str)], body: &str) -> Reply {
    ask(Method::POST, "/v1/greet", headers, body).await
}

#[actix_web::test]
async fn anyone_needs_a_tenant_and_a_stale_token_does_not_stand_in_the_way() {
    let body = r#"{"email":"mia@example.org"}"#;
    let stale = ("authorization", "Bearer stale");

    assert_eq!(
        greeted(&[JSON], body).await.gist(),
        "400 app_context_required"
    );
    assert_eq!(
        greeted(&[JSON, stale], body).await.gist(),
        "401 invalid_token"
    );
    assert_eq!(
        greeted(&[JSON, stale, CUSTOMER_KEY], body).await.gist(),
        "200 customer"
    );
    assert_eq!(greeted(&[JSON, USER], body).await.gist(), "200 customer");
}

#[actix_web::test]
async fn a_body_is_judged_after_the_sender() {
    assert_eq!(
        greeted(&[JSON], "{").await.gist(),
        "400 app_context_required"
    );
    let table = [
        ("{", "400 malformed_json"),
        (
            r#"{"email":"a@b.org","email":"c@d.org"}"#,
            "400 duplicate_field",
        ),
        (r#"{"email":"a@b.org","role":"ADMIN"}"#, "400 unknown_field"),
        (r#"{"email":"a"}"#, "400 invalid_email"),
        (r#"{"email":null}"#, "400 wrong_type"),
    ];
    for (body, expected) in table {
        let reply = greeted(&[JSON, CUSTOMER_KEY], body).await;
        let expected = expected.replace("wrong_type", "invalid_body");
        assert_eq!(reply.gist(), expected, "{body}");
    }
    let plain = [("content-type", "text/plain"), CUSTOMER_KEY];
    assert_eq!(
        greeted(&plain, "{}").await.gist(),
        "415 unsupported_media_type"
    );
    let large = format!("{{\"email\":\"{}\"}}", "a".repeat(70_000));
    assert_eq!(
        greeted(&[JSON, CUSTOMER_KEY], &large).await.gist(),
        "413 body_too_large"
    );
}

#[actix_web::test]
async fn every_answer_is_dressed_alike() {
    let answers = [
        ask(Method::GET, "/v1/me", &[USER], "").await,
        ask(Method::GET, "/v1/me", &[], "").await,
        ask(Method::GET, "/nowhere", &[], "").await,
        ask(Method::POST, "/v1/panic", &[], "").await,
    ];

    for answer in answers {
        let header = |name: &str| {
            answer
                .headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or("")
        };
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-request-id").len(), 32);
        assert!(header("vary").contains("Origin"));
        if answer.status.as_u16() >= 400 {
            assert_eq!(header("content-type"), "application/problem+json");
            assert_eq!(answer.body["request_id"], header("x-request-id"));
        }
    }
}

#[actix_web::test]
async fn a_path_that_knows_other_methods_says_which() {
    let reply = ask(Method::DELETE, "/v1/greet", &[], "").await;

    assert_eq!(reply.gist(), "405 method_not_allowed");
    assert_eq!(reply.headers.get("allow").unwrap(), "POST");
    assert_eq!(
        ask(Method::GET, "/v1/greet/", &[], "").await.gist(),
        "404 not_found"
    );
}

#[actix_web::test]
async fn routes_are_served_below_the_base_path_too() {
    assert_eq!(gist("/auth/v1/me", &[USER]).await, "200 customer");
    assert_eq!(gist("/auth/auth/v1/me", &[USER]).await, "404 not_found");
    assert_eq!(gist("/auth/v1/users", &[USER]).await, "403 forbidden");
}

#[actix_web::test]
async fn a_panic_ends_one_request_only() {
    let service = init_service(app(edge().await, &Api::of(routes))).await;
    let panicking = TestRequest::post().uri("/v1/panic").to_request();
    let ordinary = TestRequest::get()
        .uri("/v1/me")
        .append_header(USER)
        .to_request();

    let first = try_call_service(&service, panicking).await.unwrap_err();
    let second = try_call_service(&service, ordinary).await.unwrap();

    assert_eq!(
        first.error_response().status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(second.status(), StatusCode::OK);
}

#[actix_web::test]
async fn only_listed_origins_may_read() {
    let acao = async |uri: &str, headers: &[(&'static str, &str)], method: Method| {
        let reply = ask(method, uri, headers, "").await;
        let origin = reply.headers.get("access-control-allow-origin").cloned();
        origin.map(|value| value.to_str().unwrap_or_default().to_owned())
    };
    let ours = ("origin", "https://app.example");
    let wants = ("access-control-request-method", "POST");

    assert_eq!(
        acao("/v1/me", &[USER, ours], Method::GET).await.as_deref(),
        Some(ours.1)
    );
    assert_eq!(acao("/v1/me", &[OPERATOR, ours], Method::GET).await, None);
    assert_eq!(
        acao("/v1/me", &[ours, wants], Method::OPTIONS)
            .await
            .as_deref(),
        Some(ours.1)
    );
    for other in [
        "null",
        "https://evil.example",
        "https://app.example.evil",
        "http://app.example",
    ] {
        let evil = ("origin", other);
        assert_eq!(
            acao("/v1/me", &[USER, evil], Method::GET).await,
            None,
            "{other}"
        );
        assert_eq!(
            acao("/v1/me", &[evil, wants], Method::OPTIONS).await,
            None,
            "{other}"
        );
    }
}

#[actix_web::test]
async fn the_document_and_its_pages_are_served() {
    let served = ask(Method::GET, "/.well-known/authsome/openapi", &[], "")
        .await
        .body;
    let page = ask(Method::GET, "/problems/email_taken", &[], "").await;
    let docs = ask(Method::GET, "/docs/", &[], "").await;

    let operation = &served["paths"]["/v1/greet"]["post"];
    assert_eq!(
        operation["responses"]["409"]["x-problems"],
        json!(["email_taken"])
    );
    assert_eq!(served, document(routes));
    assert_eq!(page.body["status"], 409);
    assert_eq!(gist("/problems/nonsense", &[]).await, "404 not_found");
    assert_eq!(docs.status, StatusCode::OK);
    let policy = docs
        .headers
        .get("content-security-policy")
        .unwrap()
        .to_str()
        .unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
}

/// A server on a port of its own.
async fn served() -> (SocketAddr, ServerHandle) {
    let (edge, api) = (edge().await, Api::of(routes));
    let server = HttpServer::new(move || app(edge.clone(), &api))
        .workers(1)
        .disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    rt::spawn(running);
    (address, handle)
}

/// What the server answers to these bytes, until it closes the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    // A server that closes on unread bytes may reset the connection behind its answer.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

async fn raw(bytes: &[u8]) -> String {
    let (address, handle) = served().await;
    let answer = exchange(address, bytes).await;
    handle.stop(false).await;
    answer
}

#[actix_web::test]
async fn ambiguous_framing_ends_the_connection() {
    let table = [
        "POST /v1/greet HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/greet HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST /v1/greet HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
        "GET /v1/me HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    ];
    for request in table {
        let answer = raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request} → {answer}");
    }
}

#[actix_web::test]
async fn heads_that_are_too_large_are_refused() {
    let uri = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(9000));
    let lines = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "x: y\r\n".repeat(200)
    );
    let large = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n",
        "y".repeat(20_000)
    );

    assert!(raw(uri.as_bytes()).await.starts_with("HTTP/1.1 414 "));
    assert!(raw(lines.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    assert!(raw(large.as_bytes()).await.starts_with("HTTP/1.1 431 "));
}

/// actix would drain the rest of a chunked body for as long as the client sends it.
#[actix_web::test]
async fn an_endless_body_is_refused_and_the_connection_closed() {
    let head = "POST /v1/greet HTTP/1.1\r\nHost: a\r\nX-Publishable-Key: pk_customer\r\n\
        Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 40_000, " ".repeat(40_000));
    let elsewhere = head.replace("/v1/greet", "/nowhere");

    let read = raw(format!("{head}{chunk}{chunk}").as_bytes()).await;
    let unread = raw(format!("{elsewhere}{chunk}").as_bytes()).await;

    assert!(read.starts_with("HTTP/1.1 413 "), "{read}");
    assert!(unread.starts_with("HTTP/1.1 404 "), "{unread}");
}

/// actix drops the future of a handler when the connection is reset under it. Without a task of its
/// own the handler below would never come to its end.
#[actix_web::test]
async fn a_client_that_hangs_up_leaves_no_half_done_work() {
    let (address, handle) = served().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"POST /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    BEGUN.notified().await;

    stream.set_zero_linger().unwrap();
    drop(stream);
    // The one worker has noticed the reset by the time it answers another connection.
    let next = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(exchange(address, next).await.starts_with("HTTP/1.1 404 "));
    LET_GO.notify_one();

    let done = rt::time::timeout(Duration::from_secs(5), DONE.notified()).await;
    assert!(done.is_ok(), "the work was dropped with the connection");
    handle.stop(false).await;
}
