//! Metrics: how a node fares, told to those who run it (AD-04), without a word about anybody (SL-02).

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::contract::operations;
use crate::support::app::{Guarded, TestApp, eventually};
use crate::support::client::{Asks, Client};
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::{Backend, on_both_stores};
use crate::support::webhooks::Hooked;

/// A server whose metrics have an address of their own.
struct Apart(TestApp, String);

impl Apart {
    async fn on(backend: Backend) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let app = TestApp::with(backend, &[("METRICS__BIND", &address)]).await;
        Self(app, address)
    }
}

async fn page(operator: &Person) -> String {
    operator.get("/metrics").await.expect(200).text()
}

/// The number on the line that begins so.
fn number(page: &str, line: &str) -> f64 {
    let found = page
        .lines()
        .find_map(|it| it.strip_prefix(line)?.strip_prefix(' '));
    found.map_or(0.0, |it| it.parse().expect("a number"))
}

fn assert_number(page: &str, line: &str, expected: f64) {
    let difference = (number(page, line) - expected).abs();
    assert!(difference < 0.000_001, "{line} is not {expected}:\n{page}");
}

on_both_stores! {
    async fn operators_read_them_and_nobody_else(app: TestApp) {
        let (operator, admin) = (app.operator().await, app.admin().await);
        let mia = app.person("mia@example.org").await;

        app.get("/metrics").await.refuses(401, "unauthenticated");
        app.visitor(&mia.door).get("/metrics").await.refuses(401, "unauthenticated");
        for other in [mia.get("/metrics"), admin.get("/metrics"), app.key().get("/metrics")] {
            other.await.refuses(403, "forbidden");
        }

        let reply = operator.get("/metrics").await.expect(200);
        assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let colleague = app.colleague("ada@example.org", &["ADMIN"]).await;
        let _ = colleague.get("/metrics").await.expect(200);
    }

    async fn every_operation_is_counted_under_its_own_name(app: TestApp) {
        let operator = app.operator().await;
        let operations = operations();
        for operation in &operations {
            let _ = operation.request(&app, &operation.path_of_nothing()).await;
        }
        let _ = page(&operator).await;

        let page = page(&operator).await;

        let count = |id: &str| {
            let line = format!(r#"authsome_http_request_duration_seconds_count{{operation="{id}"}}"#);
            number(&page, &line)
        };
        let uncounted: Vec<_> = operations.iter().filter(|it| count(&it.id) < 1.0).map(|it| &it.id).collect();
        assert!(uncounted.is_empty(), "{uncounted:?}");
        assert_number(&page, r#"authsome_http_request_duration_seconds_count{operation="none"}"#, 0.0);
    }

    async fn requests_are_counted_by_operation_answer_and_problem(app: Guarded) {
        let app = app.0;
        let (operator, mia) = (app.operator().await, app.person("mia@example.org").await);
        let before = page(&operator).await;
        let signs_in = |password: &'static str| mia.visitor().signs_in(&mia.email, password);

        signs_in(PASSWORD).await.told(200);
        for _ in 0..5 {
            signs_in("another long password").await.refuses(401, "invalid_credentials");
        }
        signs_in(PASSWORD).await.refuses(429, "too_many_attempts");
        app.get("/nowhere").await.refuses(404, "not_found");

        let after = page(&operator).await;
        let rose = |line: &str, by: f64| assert_number(&after, line, number(&before, line) + by);
        let (requests, refusals) = ("authsome_http_requests_total", "authsome_http_refusals_total");
        rose(&format!(r#"{requests}{{operation="auth.sign_in",status="2xx"}}"#), 1.0);
        rose(&format!(r#"{requests}{{operation="auth.sign_in",status="4xx"}}"#), 6.0);
        let of_sign_in = |kind: &str| format!(r#"{refusals}{{operation="auth.sign_in",type="{kind}"}}"#);
        rose(&of_sign_in("invalid_credentials"), 5.0);
        rose(&of_sign_in("too_many_attempts"), 1.0);
        rose(&format!(r#"{refusals}{{operation="none",type="not_found"}}"#), 1.0);
        let took = "authsome_http_request_duration_seconds";
        rose(&format!(r#"{took}_count{{operation="auth.sign_in"}}"#), 7.0);
        rose("authsome_hash_duration_seconds_count", 6.0);
        rose("authsome_hash_wait_seconds_count", 6.0);
        rose("authsome_hash_batch_size_sum", 6.0);
        rose(r#"authsome_hash_batch_size_bucket{le="1"}"#, 6.0);
    }

    async fn everything_that_works_is_measured(app: TestApp) {
        let operator = app.operator().await;
        let acme = app.person("mia@example.org").await;
        let org = app.org("acme", &acme).await;
        let _ = acme.get(&org.path("/members")).await.expect(200);
        let _ = acme.get(&org.path("/members")).await.expect(200);
        let _ = acme.signs_out_everywhere().await.expect(204);
        let before = number(&page(&operator).await, r#"authsome_cache_lookups_total{cache="environments",result="hit"}"#);
        for _ in 0..3 {
            let _ = app.visitor(&acme.door).signs_up("x", "y").await.refuses(400, "invalid_body");
        }

        let page = page(&operator).await;

        let families: BTreeSet<_> = page.lines().filter_map(|it| it.strip_prefix("# TYPE ")).collect();
        for family in [
            "authsome_build_info gauge",
            "authsome_cache_lookups_total counter",
            "authsome_clock_skew_seconds gauge",
            "authsome_hash_batch_size histogram",
            "authsome_hash_lanes gauge",
            "authsome_hash_queue_length gauge",
            "authsome_hash_refusals_total counter",
            "authsome_http_requests_in_flight gauge",
            "authsome_outbox_letters gauge",
            "authsome_outbox_overdue_seconds gauge",
            "authsome_revocation_lag_seconds gauge",
            "authsome_revocations gauge",
            "authsome_revocations_in_step gauge",
            "authsome_store_duration_seconds histogram",
            "authsome_store_refusals_total counter",
            "authsome_store_up gauge",
            "authsome_webhooks_deliveries gauge",
            "authsome_webhooks_events gauge",
            "authsome_webhooks_overdue_seconds gauge",
            "process_max_fds gauge",
            "process_open_fds gauge",
            "process_resident_memory_bytes gauge",
            "process_start_time_seconds gauge",
            "process_uptime_seconds gauge",
        ] {
            assert!(families.contains(family), "{family}\n{page}");
        }
        assert_number(&page, "authsome_store_up", 1.0);
        assert_number(&page, "authsome_revocations_in_step", 1.0);
        assert!((1.0..=6.0).contains(&number(&page, "authsome_hash_lanes")), "{page}");
        assert!(number(&page, "authsome_revocations") >= 1.0, "{page}");
        assert!(number(&page, "authsome_http_requests_in_flight") >= 1.0, "{page}");
        assert!(number(&page, "process_resident_memory_bytes") > 1_000_000.0, "{page}");
        for kind in ["read", "write", "commit"] {
            let line = format!(r#"authsome_store_duration_seconds_count{{kind="{kind}"}}"#);
            assert!(number(&page, &line) > 0.0, "{line}\n{page}");
        }
        let hits = |cache: &str| format!(r#"authsome_cache_lookups_total{{cache="{cache}",result="hit"}}"#);
        assert!(number(&page, &hits("environments")) > before, "{page}");
        assert!(number(&page, &hits("policies")) > 0.0, "{page}");
    }

    async fn letters_that_wait_are_counted_with_their_age(app: TestApp) {
        let operator = app.operator().await;
        app.falls_silent().await;
        let forgets = json!({"email": operator.email});
        let before = page(&operator).await;
        let visitor = app.visitor(&app.platform);
        let _ = visitor.post("/v1/forgot-password").json(forgets).await.expect(200);
        let waits = async || number(&page(&operator).await, "authsome_outbox_letters");
        eventually(async || waits().await > number(&before, "authsome_outbox_letters")).await;
        app.clock.advance(Duration::from_secs(90));

        let page = page(&operator).await;

        assert!(number(&page, "authsome_outbox_overdue_seconds") >= 90.0, "{page}");
    }

    async fn what_waits_for_webhooks_is_counted_with_its_age(hooked: Hooked) {
        let (app, operator) = (&hooked.app, hooked.app.operator().await);
        let mia = app.person("mia@example.org").await;
        hooked.receiver.answers(&[500]);
        let made = hooked.hook(&["user.banned"]).await;
        hooked.something_happens(&mia.id).await;
        hooked.tried(&made, 1).await;
        app.falls_silent().await;
        let refused = page(&operator).await;
        hooked.something_happens(&mia.id).await;
        app.clock.advance(Duration::from_secs(90));

        let page = page(&operator).await;

        // What was refused waits, and is not late before its time comes again.
        assert_number(&refused, "authsome_webhooks_deliveries", 1.0);
        assert_number(&refused, "authsome_webhooks_overdue_seconds", 0.0);
        assert_number(&page, "authsome_webhooks_deliveries", 1.0);
        assert!(number(&page, "authsome_webhooks_overdue_seconds") >= 80.0, "{page}");
        assert!(number(&page, "authsome_webhooks_events") >= 1.0, "{page}");
    }

    /// Whatever clients make up is no label: the page does not grow with what they send.
    async fn nobody_and_nothing_that_a_client_sends_is_named(app: TestApp) {
        let operator = app.operator().await;
        let mia = app.person("mia@example.org").await;
        let org = app.org("acme", &mia).await;
        let asks = async |mark: &str| {
            let _ = app.get(&format!("/{mark}?{mark}={mark}")).header("user-agent", mark).await;
            let _ = app.get(&format!("/problems/{mark}")).header("origin", format!("https://{mark}.example")).await;
            let _ = mia.get(&format!("/v1/orgs/{mark}")).await;
            let _ = app.visitor(&mia.door).signs_in(&format!("{mark}@example.org"), mark).await;
            let _ = mia.get(&org.path("")).header("idempotency-key", mark).await;
        };
        asks("mark-0").await;
        let before = page(&operator).await;

        for number in 1..50 {
            asks(&format!("mark-{number}")).await;
        }

        let after = page(&operator).await;
        assert!(after.lines().count() <= before.lines().count() + 40, "{after}");
        let token = mia.access_token();
        let door = &mia.door;
        for named in [
            "mark-", "example", "127.0.0.1", &mia.id, &org.id, &token, &door.app_id, &door.env_id,
            &door.publishable_key, &operator.id, PASSWORD,
        ] {
            assert!(!after.contains(named), "{named}\n{after}");
        }
    }

    async fn where_they_have_an_address_they_are_there_only(app: Apart) {
        let Apart(app, address) = app;
        let operator = app.operator().await;
        let apart = Client::of(address.parse().expect("an address"));

        operator.get("/metrics").await.refuses(404, "not_found");
        app.get("/metrics").await.refuses(401, "unauthenticated");

        let asks = async |path: &str| {
            let told = reqwest::get(format!("{}{path}", apart.url())).await.expect("an answer");
            let (status, headers) = (told.status().as_u16(), told.headers().clone());
            (status, headers, told.text().await.expect("a text"))
        };
        let (status, headers, page) = asks("/metrics").await;
        assert_eq!(status, 200);
        assert!(!headers.contains_key("server") && !headers.contains_key("x-powered-by"));
        assert_number(&page, "authsome_store_up", 1.0);
        assert!(page.contains(r#"operation="metrics.read",status="4xx""#), "{page}");
        for other in ["/", "/v1/me", "/livez", "/metrics/"] {
            assert_eq!(asks(other).await.0, 404, "{other}");
        }
    }
}
