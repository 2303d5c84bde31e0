//! Bodies: what is read as one, and what is refused before anybody looks inside.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::persona::PASSWORD;
use crate::support::raw::{self, RawReply};
use crate::support::stores::{Backend, on_both_stores};

/// A server that waits for bodies a tenth of a second.
struct Impatient(TestApp);

impl Impatient {
    async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[("SERVER__BODY_TIMEOUT", "100ms")]).await)
    }
}

on_both_stores! {
    async fn what_is_not_one_json_object_is_told_so(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let nested = |depth: usize| {
            format!("{{\"metadata\":{}{}}}", "[".repeat(depth), "]".repeat(depth))
        };
        let (deep, deeper) = (nested(33), nested(30_000));
        let many: Vec<_> = (0..9_000).map(|number| format!("\"{number}\":0")).collect();
        let texts = [
            "null", "[]", "\"x\"", "1", "{", "}", "{}}", "{}{}", "{\"a\":1,}", "{'a':1}", "{a:1}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}", "{\"a\":1e400}", "{\"a\":01}", "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\u{0}\"}", "\u{feff}{}",
            "{\"a\":\"\\x\"}", "// x\n{}", "{\"a\":1}garbage", "<a/>", "a=1&b=2", "[{}]", &deep,
            &deeper,
        ];

        for text in texts {
            let reply = mia.patch("/v1/me").body("application/json", text).await;
            assert_eq!(reply.outcome(), "400 malformed_json", "{text:.60}");
        }
        let bytes: [&[u8]; 4] =
            [b"{\"x\":\"\xff\"}", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", b"{\"\xc0\xaf\":1}"];
        for body in bytes {
            let reply = mia.patch("/v1/me").body("application/json", body).await;
            assert_eq!(reply.outcome(), "400 malformed_json", "{body:?}");
        }
        let many = format!("{{{}}}", many.join(","));
        mia.patch("/v1/me").body("application/json", many).await.refuses(413, "body_too_large");
        mia.me().await.told(200);
    }

    async fn an_empty_body_is_no_object(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let empty = mia.patch("/v1/me").header("content-type", "application/json").await;

        empty.refuses(400, "malformed_json");
        mia.patch("/v1/me").await.refuses(415, "unsupported_media_type");
    }

    async fn a_name_that_is_there_twice_is_told_wherever_it_is(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        for (text, pointer) in [
            (r#"{"first_name":"a","first_name":"a"}"#, "/first_name"),
            (r#"{"first_name":"a","first\u005fname":"b"}"#, "/first_name"),
            (r#"{"metadata":{"a":[0,{"b":1,"b":2}]}}"#, "/metadata/a/1/b"),
            (r#"{"metadata":{"a/b":1,"a/b":1}}"#, "/metadata/a~1b"),
            (r#"{"__proto__":1,"__proto__":2}"#, "/__proto__"),
        ] {
            let reply = mia.patch("/v1/me").body("application/json", text).await;
            assert_eq!(reply.refuses(400, "duplicate_field")["errors"][0]["pointer"], pointer);
        }
    }

    async fn json_must_be_declared_and_nothing_else_will_do(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let body = json!({"first_name": "Mia"}).to_string();

        for declared in [
            "application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8",
            "application/json; charset=\"utf-8\"",
        ] {
            mia.patch("/v1/me").body(declared, body.clone()).await.told(200);
        }
        for declared in [
            "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
            "text/json",
            "application/json; charset=utf-16", "application/json; charset=latin1",
            "application/jsonp", "*/*",
            "application/json, text/plain", "application/merge-patch+json",
            "application/problem+json", "x", " ",
        ] {
            let reply = mia.patch("/v1/me").body(declared, body.clone()).await;
            assert_eq!(reply.outcome(), "415 unsupported_media_type", "{declared}");
        }
        for coding in ["gzip", "br", "deflate", "x", "identity, gzip"] {
            let coded = mia.patch("/v1/me").header("content-encoding", coding);
            let coded = coded.body("application/json", body.clone()).await;
            coded.refuses(415, "unsupported_media_type");
        }
    }

    async fn who_is_nobody_is_told_so_whatever_he_sends(app: TestApp) {
        let id = "ausr_01h2xcejqtf2nbrexx3vqjhp41";
        for path in ["/v1/me", &format!("/v1/environments/{id}/settings")] {
            let json = "application/json";
            for (declared, body) in [(json, "{"), ("text/plain", "x"), (json, "{\"x\":1}")] {
                app.patch(path).body(declared, body).await.refuses(401, "unauthenticated");
            }
        }
        let roles = app.post(&format!("/v1/admin/users/{id}/roles"));
        roles.body("application/json", "[").await.refuses(401, "unauthenticated");
    }

    async fn sixty_four_kibibytes_are_a_body_and_one_byte_more_is_not(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let of_length = |length: usize| {
            let frame = json!({"metadata": {"x": ""}}).to_string().len();
            json!({"metadata": {"x": "a".repeat(length - frame)}}).to_string()
        };

        mia.patch("/v1/me").body("application/json", of_length(65_536)).await.told(200);
        let too_long = mia.patch("/v1/me").body("application/json", of_length(65_537)).await;

        too_long.refuses(413, "body_too_large");
    }

    /// By its length alone: nothing is read, and the connection ends instead of being drained.
    async fn an_endless_body_is_refused_before_it_is_read(app: TestApp) {
        let lines = [
            "Content-Type: application/json".to_owned(), "Content-Length: 52428800".to_owned(),
            format!("X-Publishable-Key: {}", app.own.development.publishable_key),
        ];

        for path in ["/v1/signup", "/v1/signin", "/v1/refresh"] {
            let began = Instant::now();
            let reply = examined(&app, &raw::request(&format!("POST {path}"), &lines, b""));
            assert_eq!((reply.status, reply.closed), (413, true), "{path}");
            assert!(began.elapsed() < Duration::from_secs(2), "{path}");
        }
    }

    async fn a_chunked_body_has_the_same_bounds(app: TestApp) {
        let account = json!({"email": "mia@example.org", "password": PASSWORD}).to_string();
        let lines = [
            "Content-Type: application/json".to_owned(), "Transfer-Encoding: chunked".to_owned(),
            format!("X-Publishable-Key: {}", app.own.development.publishable_key),
        ];
        let head = raw::request("POST /v1/signup", &lines, b"");
        let (first, last) = account.as_bytes().split_at(20);
        let chunk = |bytes: &[u8]| {
            [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
        };

        let whole = [head.clone(), chunk(first), chunk(last), chunk(b"")].concat();
        let endless = [head, chunk(&vec![b' '; 40_000]), chunk(&vec![b' '; 40_000])].concat();

        assert_eq!(examined(&app, &whole).status, 201);
        let reply = examined(&app, &endless);
        assert_eq!((reply.status, reply.closed), (413, true));
    }

    async fn a_body_that_does_not_come_is_not_waited_for(app: Impatient) {
        let lines = [
            "Content-Type: application/json".to_owned(), "Content-Length: 100".to_owned(),
            format!("X-Publishable-Key: {}", app.0.own.development.publishable_key),
        ];
        let head = raw::request("POST /v1/signin", &lines, b"");

        let reply = examined(&app.0, &[&head[..], b"{\"email\":"].concat());

        assert_eq!((reply.status, reply.closed), (408, true));
        app.0.person("mia@example.org").await.me().await.told(200);
    }

    async fn a_body_where_none_belongs_is_refused(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let line = format!("Authorization: Bearer {}", mia.access_token());

        let reply = examined(&app, &raw::request("GET /v1/me", &[line], b"{}"));

        assert_eq!((reply.status, reply.closed), (400, true));
    }
}

fn examined(app: &TestApp, request: &[u8]) -> RawReply {
    raw::examined(app.client().address(), request)
}
