//! Going on in another organisation is a way to the next tokens, and so under every rule of a
//! refresh.

use std::time::Duration;

use authsome::events::{Name, Outcome};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply, Request};
use crate::support::persona::Person;
use crate::support::stores::{Backend, on_both_stores};

const PHONE: &str = "my-phone-0123456789.~_";

/// Behind a proxy that is trusted, so that a client can have more than one address.
struct Proxied(TestApp);

impl Proxied {
    async fn on(backend: Backend) -> Self {
        let settings = [("SERVER__TRUSTED_PROXIES", "127.0.0.1/32")];
        Self(TestApp::with(backend, &settings).await)
    }
}

/// A server that lets a client refresh three times a minute.
struct Limited(TestApp);

impl Limited {
    async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[("LIMITS__REFRESH", "3/1m")]).await)
    }
}

async fn ruled(app: &TestApp, body: Value) {
    let path = format!(
        "/v1/admin/apps/{}/session-config",
        app.own.development.app_id
    );
    app.key().request("PUT", &path).json(body).await.told(200);
}

fn switch(person: &Person, device: Option<&str>) -> Request {
    let mut body = json!({"org_id": null});
    if let Some(device) = device {
        body["device_id"] = json!(device);
    }
    person.post("/v1/me/switch-org").json(body)
}

/// Who has an access token, and nothing else of the session, tries for what comes after it.
fn is_refused(reply: Reply) {
    reply.refuses(401, "invalid_token");
}

on_both_stores! {
    /// A thief of one access token could switch from anywhere, every fourteen minutes, and had the
    /// session to himself; the owner's next refresh counted as a replay and ended it.
    async fn a_session_bound_to_its_device_switches_on_it_alone(app: TestApp) {
        ruled(&app, json!({"bind_to_device": true})).await;
        let mia = app.person("mia@example.org").await;
        let phone = mia.visitor().enters_on(&mia.email, PHONE).await;

        is_refused(switch(&phone, None).await);
        is_refused(switch(&phone, Some("another-phone-0001")).await);

        let told = app.events(&mia.door, Name::BindingRefused).await;
        assert_eq!(told.len(), 2);
        for event in &told {
            assert_eq!((event.outcome, &event.details["binding"]), (Outcome::Denied, &json!("device")));
            assert_eq!(event.target.as_ref().and_then(|it| it.id.clone()), Some(phone.session_id()));
        }
        // The thief does no harm, and the owner goes on by either name of his device.
        let own = phone.keeps(switch(&phone, Some(PHONE)).await).told(200);
        assert_eq!(own["session_id"], phone.session_id());
        let cookie = format!("authsome_device={PHONE}");
        let _ = phone.keeps(switch(&phone, None).header("cookie", cookie).await).expect(200);
        let body = json!({"refresh_token": phone.refresh_token(), "device_id": PHONE});
        phone.visitor().post("/v1/refresh").json(body).await.told(200);
        switch(&phone, Some("short")).await.refuses(400, "invalid_body");
    }

    async fn a_session_bound_to_its_address_switches_in_its_network_alone(proxied: Proxied) {
        let app = &proxied.0;
        ruled(app, json!({"bind_to_ip": true})).await;
        let mia = app.person("mia@example.org").await;
        let enter = mia.visitor().signs_in(&mia.email, &mia.password);
        let _ = mia.keeps(enter.header("x-forwarded-for", "203.0.113.9").await).expect(200);
        let from = |address: &str| switch(&mia, None).header("x-forwarded-for", address);

        is_refused(from("203.0.113.10").await);

        let told = app.events(&mia.door, Name::BindingRefused).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!(event.details["binding"], "ip_address");
        from("203.0.113.9").await.told(200);
    }

    async fn a_session_that_is_idle_for_too_long_does_not_switch(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.clock.advance(Duration::from_mins(10));
        mia.me().await.told(200);
        ruled(&app, json!({"idle_timeout_seconds": 300})).await;

        is_refused(switch(&mia, None).await);

        mia.me().await.refuses(401, "invalid_token");
        mia.refreshes().await.refuses(401, "invalid_refresh_token");
        let told = app.events(&mia.door, Name::SessionRevoked).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!(event.details["reason"], "idle");
    }

    async fn switches_and_refreshes_are_counted_together(limited: Limited) {
        let app = &limited.0;
        let mia = app.person("mia@example.org").await;
        let _ = mia.refreshes().await.expect(200);
        for _ in 0..2 {
            let _ = mia.keeps(switch(&mia, None).await).expect(200);
        }

        let refused = switch(&mia, None).await;

        assert_eq!(refused.header("retry-after"), Some("20"));
        refused.refuses(429, "too_many_attempts");
        assert_eq!(app.events(&mia.door, Name::RateLimitExceeded).await.len(), 1);
        // What was refused has spent nothing.
        app.clock.advance(Duration::from_secs(20));
        mia.refreshes().await.told(200);
    }
}
