//! Spans: one for each request, to a collector, without a word of what was said (SL-02).

use std::net::TcpListener;
use std::time::Instant;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::collector::Collector;
use crate::support::orgs::text;
use crate::support::persona::PASSWORD;
use crate::support::stores::{Backend, on_both_stores, run};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACE_BYTES: [u8; 16] = [
    0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36,
];
const PARENT_BYTES: [u8; 8] = [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7];

/// What a caller says of his trace, which is sampled or is not.
fn traceparent(is_sampled: bool) -> String {
    format!("00-{TRACE}-00f067aa0ba902b7-0{}", u8::from(is_sampled))
}

async fn traced(backend: Backend, settings: &[(&str, &str)]) -> (TestApp, Collector) {
    let collector = Collector::listening();
    let url = collector.url();
    let settings = [settings, &[("TRACING__OTLP_ENDPOINT", &url)]].concat();
    (TestApp::with(backend, &settings).await, collector)
}

struct Traced(TestApp, Collector);

impl Traced {
    async fn on(backend: Backend) -> Self {
        let settings = [
            ("TRACING__SERVICE_NAME", "auth-of-tests"),
            ("TRACING__OTLP_HEADERS", "x-api-key=key-of-the-collector"),
        ];
        let (app, collector) = traced(backend, &settings).await;
        Self(app, collector)
    }
}

on_both_stores! {
    /// What is still to be sent is sent when the server stops.
    async fn each_request_is_a_span_with_operation_status_and_tenant(app: Traced) {
        let Traced(app, collector) = app;
        let mia = app.person("mia@example.org").await;
        for _ in 0..3 {
            mia.me().await.told(200);
        }
        mia.visitor().signs_in(&mia.email, "another long password").await
            .refuses(401, "invalid_credentials");
        app.get("/nowhere").await.refuses(404, "not_found");

        app.falls_silent().await;

        let calls = collector.calls();
        assert!(!calls.is_empty());
        for call in &calls {
            assert!(call.head.starts_with("post /v1/traces http/1.1"), "{}", call.head);
            assert!(call.head.contains("content-type: application/x-protobuf"), "{}", call.head);
            assert!(call.head.contains("x-api-key: key-of-the-collector"), "{}", call.head);
        }
        assert!(collector.count("auth-of-tests") >= 1);
        // As the name of the span, and as an attribute.
        assert_eq!(collector.count("me.read"), 6);
        for told in ["auth.sign_in", "/v1/signin", "http.response.status_code", "invalid_credentials"] {
            assert!(collector.count(told) >= 1, "{told}");
        }
        assert!(collector.count(&mia.door.app_id) >= 5);
        assert!(collector.count(&mia.door.env_id) >= 5);
    }

    async fn no_span_says_what_was_said(app: Traced) {
        let Traced(app, collector) = app;
        let mia = app.person("mia@example.org").await;
        let key = &mia.door.publishable_key;
        let path = format!("/v1/me?publishable_key={key}");
        let _ = mia.get(&path).header("user-agent", "agent-of-mia").await.expect(200);
        let refreshed = mia.refreshes().await.told(200);
        let wrong = mia.visitor().post("/v1/signin").body("application/json", r#"{"email":"torn"#);
        wrong.await.refuses(400, "malformed_json");
        let _ = app.get("/secret-path/made-up").await.expect(404);
        let session = format!("/v1/sessions/{}", mia.session_id());
        let _ = mia.delete(&session).await.expect(204);

        app.falls_silent().await;

        assert!(collector.count("me.read") >= 1 && collector.count("/v1/sessions/{") >= 1);
        for said in [
            PASSWORD, "mia@example.org", key, &mia.id, &mia.session_id(), "agent-of-mia", "torn", "secret-path",
            "127.0.0.1", &mia.access_token(), &mia.refresh_token(), &text(&refreshed["access_token"]),
            "publishable_key=", &mia.door.secret_key,
        ] {
            assert_eq!(collector.count(said), 0, "{said}");
        }
    }
}

#[test]
fn a_stranger_joins_no_trace_and_a_trusted_caller_does() {
    run(async {
        for (trusts, expected) in [("false", 0), ("true", 1)] {
            let settings = [("TRACING__TRUST_CALLERS", trusts)];
            let (app, collector) = traced(Backend::Sqlite, &settings).await;
            let reply = app.get("/livez").header("traceparent", traceparent(true));
            let _ = reply.await.expect(200);
            let garbage = app.get("/livez").header("traceparent", "00-xyz");
            let _ = garbage.await.expect(200);

            app.falls_silent().await;

            assert_eq!(collector.count("health.live"), 4, "{trusts}");
            assert_eq!(collector.count(TRACE_BYTES), expected, "{trusts}");
            assert_eq!(collector.count(PARENT_BYTES), expected, "{trusts}");
        }
    });
}

#[test]
fn as_many_requests_are_sampled_as_is_set_and_a_trusted_caller_says_so_himself() {
    run(async {
        let settings = [
            ("TRACING__SAMPLE_RATIO", "0"),
            ("TRACING__TRUST_CALLERS", "true"),
        ];
        let (app, collector) = traced(Backend::Sqlite, &settings).await;
        for _ in 0..20 {
            let _ = app.get("/livez").await.expect(200);
        }
        let sampled = app.get("/readyz").header("traceparent", traceparent(true));
        let _ = sampled.await.expect(200);
        let unsampled = app
            .get("/v1/health")
            .header("traceparent", traceparent(false));
        let _ = unsampled.await.expect(200);

        app.falls_silent().await;

        let counts = ["health.live", "health.ready", "health.read"].map(|it| collector.count(it));
        // The name of one is the beginning of another's.
        assert_eq!(counts, [0, 2, 2]);
        assert_eq!(collector.count("/v1/health"), 0);
    });
}

/// A collector that takes connections and says nothing keeps nobody waiting, also at the end.
#[test]
fn nobody_waits_for_a_collector() {
    run(async {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", silent.local_addr().expect("an address"));
        let app = TestApp::with(Backend::Sqlite, &[("TRACING__OTLP_ENDPOINT", &url)]).await;
        let begun = Instant::now();

        for _ in 0..3_000 {
            let _ = app.get("/livez").await.expect(200);
        }

        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
        app.falls_silent().await;
    });
}
