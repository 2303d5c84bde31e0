//! The edge: paths, methods, heads and framing, whatever is behind them.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::raw::{self, RawReply};
use crate::support::stores::{Backend, on_both_stores};

const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get",
];

/// Served below a path as well, behind a proxy of this machine, and quick to give up on a head.
struct Behind(TestApp);

impl Behind {
    async fn on(backend: Backend) -> Self {
        let settings = [
            ("SERVER__BASE_PATH", "/auth"),
            ("SERVER__TRUSTED_PROXIES", "127.0.0.0/8"),
            ("SERVER__PUBLIC_URL", "https://login.example.com/auth"),
            ("SERVER__HEADER_TIMEOUT", "1s"),
        ];
        Self(TestApp::with(backend, &settings).await)
    }
}

on_both_stores! {
    /// What is asked of every reply of every test, asked here of one of each kind.
    async fn every_answer_is_dressed_alike(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let visitor = app.visitor(&app.own.development);
        let production = app.visitor(&app.own.production);

        let answers = [
            (mia.me().await, 200), (visitor.signs_up("max@example.org", &mia.password).await, 201),
            (production.signs_up("pia@example.org", &mia.password).await, 202),
            (visitor.signs_up("mia@example.org", &mia.password).await, 409),
            (mia.get("/nowhere").await, 404),
            (mia.get("/v1/admin/users").await, 403), (app.get("/v1/me").await, 401),
            (app.get("/v1/signin").await, 405),
            (mia.patch("/v1/me").body("text/plain", "x").await, 415),
            (mia.patch("/v1/me").json(json!(1)).await, 400),
            (mia.signs_out().await, 204),
        ];

        for (answer, status) in answers {
            assert_eq!(answer.expect(status).header("x-content-type-options"), Some("nosniff"));
        }
    }

    async fn a_path_that_is_nowhere_is_unknown_to_everybody(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for path in [
            "/", "/v1", "/v1/", "/v1/me/", "/v1/ME", "/V1/me", "/v1/me/x.css", "/v1/me;.js",
            "/v1/me.json",
            "/v1/me%2fx.png", "/v1/users", "/v1/users/", "/v1/admin", "/v2/me", "/admin", "/login",
            "/.git/config",
            "/.env", "/debug", "/debug/pprof", "/actuator", "/swagger", "/swagger-ui/",
            "/openapi.json",
            "/api-docs", "/server-status", "/favicon.ico", "/robots.txt", "/v1/me/x", "/problems",
            "/.well-known/",
            "/.well-known/oauth-authorization-server/x", "/health", "/v1/health/x", "/index.html",
            "/v1/graphql",
        ] {
            mia.get(path).await.refuses(404, "not_found");
            app.get(path).await.refuses(404, "not_found");
        }
    }

    /// To the letter: a client library would tidy these up before sending them.
    async fn a_path_has_one_spelling(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let line = [format!("Authorization: Bearer {}", mia.access_token())];
        for path in [
            "/v1//me", "//v1/me", "/v1/./me", "/v1/x/../me", "/v1/users/%2e%2e/me",
            "/v1/users/../admin/users",
            "/v1/me;x=1", "/v1/me%00", "/v1/me%2f", "/v1%2fme", "/v1/m%c0%a5", "/v1/%6d%65/",
            "/v1\\me",
            "/v1/admin/users;x", "/v1/admin%2fusers", "/v1/admin/users/..;/users", "/%2e/v1/me",
        ] {
            let reply = exchange(&app, &raw::request(&format!("GET {path}"), &line, b""));
            assert!([400, 404].contains(&reply.status), "{path} {}", reply.status);
        }
        let same = exchange(&app, &raw::request("GET /v1/%6de", &line, b""));
        assert!([200, 404].contains(&same.status));
        let absolute = exchange(&app, &raw::request("GET http://localhost/v1/me", &line, b""));
        assert!([200, 400, 404].contains(&absolute.status), "{}", absolute.status);
    }

    async fn a_path_tells_the_methods_it_answers(app: TestApp) {
        for (path, methods) in [
            ("/v1/me", "DELETE, GET, PATCH"), ("/v1/signup", "POST"), ("/v1/signin", "POST"),
            ("/v1/refresh", "POST"),
            ("/v1/signout", "POST"), ("/v1/signout/all", "POST"), ("/v1/sessions", "GET"),
            ("/v1/sessions/x", "DELETE"),
            ("/v1/admin/users", "GET"), ("/v1/admin/users/x", "DELETE, GET, PATCH"),
            ("/v1/admin/users/x/roles", "POST"),
            ("/v1/users/x", "GET"), ("/v1/environments", "GET, POST"),
            ("/v1/environments/x/settings", "GET, PATCH"),
            ("/v1/client-config", "GET"), ("/.well-known/jwks.json", "GET"), ("/v1/health", "GET"),
            ("/livez", "GET"),
        ] {
            for method in METHODS {
                if methods.split(", ").any(|known| known == method) {
                    continue;
                }
                let refused = app.request(method, path).await;
                let allow = refused.header("allow").unwrap_or_default();
                let mut allow: Vec<_> = allow.split(", ").collect();
                allow.sort_unstable();
                assert_eq!(allow.join(", "), methods, "{method} {path}");
                refused.refuses(405, "method_not_allowed");
            }
        }
    }

    async fn a_question_for_the_head_alone_is_refused_by_the_head_alone(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        for path in ["/v1/me", "/livez", "/v1/admin/users"] {
            let refused = mia.request("HEAD", path).await.expect(405);
            assert!(refused.body.is_empty() && refused.header("allow").is_some(), "{path}");
        }
        let nowhere = mia.request("HEAD", "/nowhere").await.expect(404);
        assert!(nowhere.body.is_empty());
    }

    async fn a_method_is_what_the_request_line_says(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let path = format!("/v1/sessions/{}", mia.session_id());

        for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
            let asked = mia.request("POST", &path).header(name, "DELETE").json(json!({}));
            asked.await.refuses(405, "method_not_allowed");
            let asked = mia.get("/v1/me").header(name, "PATCH");
            asked.await.told(200);
        }
        mia.get("/v1/signout?_method=POST").await.refuses(405, "method_not_allowed");

        mia.me().await.told(200);
    }

    async fn a_request_is_named_by_the_server_alone(app: TestApp) {
        let chosen = "0123456789abcdef0123456789abcdef";

        let first = app.get("/livez").header("x-request-id", chosen).await;
        let second = app.get("/livez").header("x-request-id", chosen).await;

        assert_ne!(first.header("x-request-id"), Some(chosen));
        assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    }

    async fn a_question_has_no_callback(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let plain = mia.me().await.expect(200);
        let wrapped = mia.get("/v1/me?callback=x&jsonp=x").await.expect(200);

        assert_eq!(wrapped.body, plain.body);
    }

    async fn a_head_beyond_its_bounds_is_refused(app: TestApp) {
        let lines =
            |count: usize| (0..count).map(|number| format!("X-{number}: 1")).collect::<Vec<_>>();
        let large = vec![format!("X-Large: {}", "a".repeat(16_500))];
        let long = format!("GET /livez?{}", "a".repeat(8_300));

        assert_eq!(exchange(&app, &raw::request("GET /livez", &lines(50), b"")).status, 200);
        let cookies = [format!("Cookie: {}", "a=b; ".repeat(2_500))];
        assert_eq!(exchange(&app, &raw::request("GET /livez", &cookies, b"")).status, 200);
        let head = raw::examined(app.client().address(), &raw::request("GET /livez", &large, b""));
        assert_eq!((head.status, head.closed), (431, true));
        let uri = raw::examined(app.client().address(), &raw::request(&long, &[], b""));
        assert_eq!((uri.status, uri.closed), (414, true));
        for (request, statuses) in [
            (raw::request("GET /livez", &lines(200), b""), [431, 400]),
            (raw::request("GET /livez", &[format!("X: {}", "a".repeat(500_000))], b""), [431, 400]),
            (raw::request(&format!("GET /{}", "a".repeat(500_000)), &[], b""), [431, 400]),
        ] {
            let reply = exchange(&app, &request);
            assert!(statuses.contains(&reply.status) && reply.closed, "{reply:?}");
        }
        app.get("/livez").await.told(200);
    }

    /// Two servers that disagree where a body ends disagree where the next request begins.
    async fn framing_that_can_be_read_in_two_ways_ends_the_connection(app: TestApp) {
        let post = |lines: &[&str], rest: &[u8]| {
            let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
            [&raw::request("POST /v1/signin", &lines, b"")[..], rest].concat()
        };
        let smuggled = b"0\r\n\r\nGET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n";

        for request in [
            post(&["Content-Length: 4", "Transfer-Encoding: chunked"], smuggled),
            post(&["Transfer-Encoding: chunked", "Content-Length: 0"], smuggled),
            post(&["Content-Length: 4", "Content-Length: 5"], b"abcde"),
            post(&["Content-Length: 4, 5"], b"abcde"), post(&["Content-Length: +4"], b"abcd"),
            post(&["Content-Length: -1"], b""), post(&["Content-Length: 0x4"], b"abcd"),
            post(&["Transfer-Encoding: xchunked"], smuggled),
            post(&["Transfer-Encoding: chunked, identity"], smuggled),
            post(&["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], smuggled),
            post(&["Transfer-Encoding : chunked"], smuggled), post(&["Host: evil.example"], b""),
            b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello".to_vec(),
            b"GET /livez HTTP/1.1\r\n\r\n".to_vec(), b"GET /livez\r\n\r\n".to_vec(),
            b"\0\0\0\0\r\n\r\n".to_vec(),
            b"GET /livez HTTP/1.1\r\nHost: x\r\n X: folded\r\n\r\n".to_vec(),
            b"GET  /livez HTTP/1.1\r\n\r\n".to_vec(),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n".to_vec(),
            b"GET /livez HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n".to_vec(),
        ] {
            let reply = exchange(&app, &request);
            let (refused, shown) = ([0, 400, 415, 501], String::from_utf8_lossy(&request));
            assert!(refused.contains(&reply.status) && reply.closed, "{shown:?} {reply:?}");
        }
        app.get("/livez").await.told(200);
    }

    async fn a_connection_that_says_nothing_is_not_kept(app: Behind) {
        let began = Instant::now();
        let mut silent = TcpStream::connect(app.0.client().address()).unwrap();
        silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut halting = TcpStream::connect(app.0.client().address()).unwrap();
        halting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        std::io::Write::write_all(&mut halting, b"GET /livez HTTP/1.1\r\nHost: x\r\nX-").unwrap();

        let mut said = Vec::new();
        silent.read_to_end(&mut said).unwrap();
        halting.read_to_end(&mut said).unwrap();

        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        app.0.get("/livez").await.told(200);
    }

    async fn everything_is_served_below_the_base_path_as_well(app: Behind) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;

        let below = mia.get("/v1/me").below("/auth").await.told(200);

        assert_eq!(below, mia.me().await.told(200));
        mia.get("/v1/me").below("/authors").await.refuses(404, "not_found");
        mia.get("/v1/me").below("/auth/auth").await.refuses(404, "not_found");
        let manifest = app.get("/.well-known/authsome/manifest").below("/auth").await.told(200);
        assert_eq!(manifest["issuer"], "https://login.example.com/auth");
        assert_eq!(manifest["jwks_uri"], "https://login.example.com/auth/.well-known/jwks.json");
        let metadata = app.get("/.well-known/openid-configuration").below("/auth").await.told(200);
        assert_eq!(metadata["issuer"], "https://login.example.com/auth");
        assert_eq!(metadata["jwks_uri"], manifest["jwks_uri"]);
        // RFC 8414 puts the path of an issuer behind.
        let behind = raw::request("GET /.well-known/oauth-authorization-server/auth", &[], b"");
        let behind = raw::exchange(app.client().address(), &behind);
        let told: serde_json::Value = serde_json::from_slice(&behind.body).unwrap();
        assert_eq!((behind.status, told), (200, metadata));
    }

    async fn behind_a_trusted_proxy_the_nearest_stranger_counts(app: Behind) {
        let mia = app.0.person("mia@example.org").await;
        for (name, value, expected) in [
            ("x-forwarded-for", "203.0.113.9", "203.0.113.9"),
            ("x-forwarded-for", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
            ("x-forwarded-for", "203.0.113.9, 127.0.0.7", "203.0.113.9"),
            ("x-forwarded-for", "::ffff:203.0.113.9", "203.0.113.9"),
            ("x-forwarded-for", "2001:DB8:0:0::9", "2001:db8::9"),
            ("forwarded", "for=\"[2001:db8::9]:4711\";proto=https", "2001:db8::9"),
            ("x-forwarded-for", "a", "127.0.0.1"),
            ("x-forwarded-for", "203.0.113.9, a", "127.0.0.1"),
            ("x-real-ip", "203.0.113.9", "127.0.0.1"),
        ] {
            app.0.clock.advance(Duration::from_millis(1));
            let body = json!({"email": mia.email, "password": mia.password});
            mia.visitor().post("/v1/signin").header(name, value).json(body).await.told(200);
            let newest = mia.sessions().await.told(200)["sessions"][0]["ip_address"].clone();
            assert_eq!(newest, expected, "{name}: {value}");
        }
    }
}

fn exchange(app: &TestApp, request: &[u8]) -> RawReply {
    raw::exchange(app.client().address(), request)
}
