//! Limits: how often things can be tried, by whom, and on how many nodes.

use std::collections::HashSet;
use std::future::IntoFuture;
use std::net::IpAddr;
use std::time::Duration;

use authsome::events::{Name, Origin};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::secret::MacKey;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::time::{Clock, Timestamp};
use authsome::limits::{LimitError, Limits, NodeRule, RateCounter, RateSettings, Rule};
use authsome::store::{Field, Query};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{NEW_YEAR, TestApp};
use crate::support::client::{Asks, Reply, Request};
use crate::support::persona::{PASSWORD, Visitor};
use crate::support::stores::{Backend, on_both_stores};

pub const CLIENT: &str = "x-authsome-client-ip";
const WRONG: &str = "another long password";
const EXPIRES_AT: Field<RateCounter, Timestamp> = Field::at("expires_at");

/// A server with the rates that it has by default.
struct Limited(TestApp);

impl Limited {
    async fn on(backend: Backend) -> Self {
        let defaults = [
            ("LIMITS__SIGNIN", "10/1m"),
            ("LIMITS__SIGNUP", "5/1m"),
            ("LIMITS__REFRESH", "60/1m"),
        ];
        Self(TestApp::with(backend, &defaults).await)
    }
}

/// A server that takes four wrong sign-ins for a spray.
struct Sprayed(TestApp);

impl Sprayed {
    async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[("LIMITS__FAILED_SIGNINS", "3/1m")]).await)
    }
}

on_both_stores! {
    async fn the_eleventh_sign_in_of_a_minute_is_refused_and_told_when_to_come_back(app: Limited) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        for _ in 0..10 {
            mia.visitor().signs_in(&mia.email, PASSWORD).await.told(200);
        }

        for _ in 0..3 {
            waits(mia.visitor().signs_in(&mia.email, PASSWORD).await, "6");
        }

        app.clock.advance(Duration::from_secs(6));
        mia.visitor().signs_in(&mia.email, PASSWORD).await.told(200);
        waits(mia.visitor().signs_in("nobody@example.org", WRONG).await, "6");
    }

    async fn the_sixth_sign_up_of_a_minute_makes_no_account(app: Limited) {
        let app = app.0;
        let visitor = app.visitor(&app.own.development);
        for number in 0..5 {
            visitor.signs_up(&format!("mia{number}@example.org"), PASSWORD).await.told(201);
        }

        waits(visitor.signs_up("max@example.org", PASSWORD).await, "12");

        assert_eq!(app.user_count(&visitor.door).await, 5);
    }

    async fn the_sixty_first_refresh_of_a_minute_leaves_its_token_good(app: Limited) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        for _ in 0..60 {
            mia.refreshes().await.told(200);
        }

        waits(mia.refreshes().await, "1");

        app.clock.advance(Duration::from_secs(1));
        mia.refreshes().await.told(200);
        assert_eq!(app.events(&mia.door, Name::RateLimitExceeded).await.len(), 1);
    }

    async fn a_refusal_is_told_once_a_period(app: Limited) {
        let app = app.0;
        let visitor = app.visitor(&app.own.development);
        let told = async || app.events(&visitor.door, Name::RateLimitExceeded).await;
        let storm = async || {
            join_all((0..30).map(|_| nobody(&visitor).into_future())).await;
        };

        storm().await;
        storm().await;
        let first = told().await;
        app.clock.advance(Duration::from_mins(1));
        storm().await;

        let [event] = &first[..] else { panic!("{first:?}") };
        assert_eq!(event.details["rule"], "signin");
        assert_eq!(event.ip_address.as_deref(), Some("127.0.0.1"));
        assert_eq!(told().await.len(), 2);
    }

    /// Racers neither get past the rate nor lose to each other below it.
    async fn of_fifty_at_once_ten_are_admitted(app: Limited) {
        let visitor = app.0.visitor(&app.0.own.development);

        let replies = join_all((0..50).map(|_| nobody(&visitor).into_future())).await;

        assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 10);
        assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 40);
    }

    async fn two_nodes_have_one_budget(app: Limited) {
        let node = app.0.another_node(&[]).await;
        let here = app.0.visitor(&app.0.own.development);
        let there = here.by(node.client());

        for _ in 0..5 {
            nobody(&here).await.refuses(401, "invalid_credentials");
            nobody(&there).await.refuses(401, "invalid_credentials");
        }

        waits(nobody(&here).await, "6");
        waits(nobody(&there).await, "6");
    }

    async fn two_bursts_do_not_fit_around_the_edge_of_a_minute(app: Limited) {
        let app = app.0;
        let visitor = app.visitor(&app.own.development);
        let burst = async || {
            let replies = join_all((0..20).map(|_| nobody(&visitor).into_future())).await;
            replies.iter().filter(|reply| reply.status == 401).count()
        };
        app.clock.advance(Duration::from_secs(59));

        let before = burst().await;
        app.clock.advance(Duration::from_secs(2));
        let after = burst().await;
        app.clock.advance(Duration::from_secs(10));
        let later = burst().await;

        assert_eq!((before, after, later), (10, 0, 2));
    }

    async fn what_strangers_say_of_their_address_changes_nothing(app: Limited) {
        let visitor = app.0.visitor(&app.0.own.development);
        let tries = async |number: usize| {
            let claim = format!("203.0.113.{number}");
            let ask = nobody(&visitor).header(CLIENT, &claim).header("x-real-ip", &claim);
            ask.header("x-forwarded-for", &claim).header("forwarded", format!("for={claim}")).await
        };
        for number in 0..10 {
            tries(number).await.refuses(401, "invalid_credentials");
        }

        waits(tries(10).await, "6");

        waits(nobody(&visitor).header(CLIENT, "junk").await, "6");
    }

    async fn a_backend_asks_for_each_of_its_users(app: Limited) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        let from = async |ip: &str| {
            let body = json!({"email": mia.email, "password": PASSWORD});
            app.key().post("/v1/signin").json(body).header(CLIENT, ip).await
        };
        for _ in 0..10 {
            from("203.0.113.5").await.told(200);
        }

        waits(from("203.0.113.5").await, "6");
        waits(from("::ffff:203.0.113.5").await, "6");

        from("203.0.113.6").await.told(200);
        let sessions = mia.sessions().await.told(200)["sessions"].clone();
        let sessions = sessions.as_array().unwrap().iter();
        let seen: HashSet<_> = sessions.map(|it| it["ip_address"].as_str().unwrap()).collect();
        assert_eq!(seen, HashSet::from(["127.0.0.1", "203.0.113.5", "203.0.113.6"]));
        let told = app.events(&mia.door, Name::RateLimitExceeded).await;
        assert_eq!(told[0].ip_address.as_deref(), Some("203.0.113.5"));
    }

    async fn a_client_does_not_get_a_budget_for_each_address_of_its_64(app: Limited) {
        let app = app.0;
        let from = async |ip: &str| {
            let body = json!({"email": "nobody@example.org", "password": WRONG});
            app.key().post("/v1/signin").json(body).header(CLIENT, ip).await
        };
        for number in 0..10 {
            let reply = from(&format!("2001:db8::{number}:{number}")).await;
            reply.refuses(401, "invalid_credentials");
        }

        waits(from("2001:DB8:0:0:ffff::1").await, "6");

        from("2001:db8:0:1::1").await.refuses(401, "invalid_credentials");
    }

    async fn a_backend_that_does_not_say_for_whom_is_told_how(app: Limited) {
        let app = app.0;
        let body = json!({"email": "nobody@example.org", "password": WRONG});
        let ask = || app.key().post("/v1/signin").json(body.clone());
        for _ in 0..10 {
            ask().await.refuses(401, "invalid_credentials");
        }

        let refusal = waits(ask().await, "6");

        assert!(refusal["detail"].as_str().unwrap().contains("X-Authsome-Client-IP"), "{refusal}");
        let visitor = app.visitor(&app.own.development);
        assert!(waits(nobody(&visitor).await, "6")["detail"].is_null());
    }

    async fn an_address_of_a_backend_is_one_plain_address(app: TestApp) {
        for bad in ["", "a", "203.0.113.5:80", "203.0.113.5, 10.0.0.1", "203.0.113.0/24"] {
            let reply = app.key().get("/v1/admin/users").header(CLIENT, bad).await;
            let refusal = reply.refuses(400, "bad_request");
            assert!(refusal["detail"].as_str().unwrap().contains("X-Authsome-Client-IP"));
        }
        let twice = app.key().get("/v1/admin/users").header(CLIENT, "::1").header(CLIENT, "::2");
        twice.await.refuses(400, "bad_request");
        // Without a valid key nobody looks at it.
        let forged = app.get("/v1/admin/users").api_key("sk_test_no").header(CLIENT, "a");
        forged.await.refuses(401, "invalid_token");
        let mia = app.person("mia@example.org").await;
        mia.me().header(CLIENT, "a").await.told(200);
    }

    async fn a_spray_is_told_once_and_keeps_nobody_out_who_knows_his_password(app: Sprayed) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        let wrong = |number: usize| {
            mia.visitor().signs_in(&format!("mia{number}@example.org"), WRONG)
        };
        for number in 0..3 {
            wrong(number).await.refuses(401, "invalid_credentials");
        }

        for number in 3..6 {
            waits(wrong(number).await, "20");
        }

        mia.visitor().signs_in(&mia.email, PASSWORD).await.told(200);
        waits(mia.visitor().signs_in(&mia.email, WRONG).await, "20");
        assert_eq!(app.events(&mia.door, Name::SpraySuspected).await.len(), 1);
    }

    /// Rate and lock are two calls each, account three, and so is the count of wrong ones in the app;
    /// a right one asks for the organisation to begin in.
    async fn a_sign_in_costs_the_store_so_many_calls(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let wrong = async || {
            let reply = mia.visitor().signs_in(&mia.email, WRONG).await;
            reply.refuses(401, "invalid_credentials");
        };
        let right = async || {
            let body = json!({
                "email": mia.email, "password": PASSWORD, "device_id": "a-device-of-long-standing",
            });
            mia.visitor().post("/v1/signin").json(body).await.told(200);
        };
        right().await;
        let right = app.calls_for(right).await;

        wrong().await;
        let wrong = app.calls_for(wrong).await;
        // Where a sign-in takes a quarter of a second, the node asks for something meanwhile.
        assert!([13, 14].contains(&right), "{right}");
        assert!([11, 12].contains(&wrong), "{wrong}");
    }

    async fn every_rule_has_its_number_and_its_subjects(app: TestApp) {
        let (limits, tenant) = (usual(&app), app.own.development.tenant());
        let rules = [
            (Rule::SignIn, 10), (Rule::SignUp, 5), (Rule::Recovery, 5), (Rule::Code, 10),
            (Rule::Letters, 3), (Rule::CodeGuesses, 20), (Rule::FailedSignIns, 300),
        ];
        for (rule, count) in rules {
            for _ in 0..count {
                assert!(admits(&limits, rule, tenant, "mia").await, "{rule:?}");
            }
            assert!(!admits(&limits, rule, tenant, "mia").await, "{rule:?}");
            assert!(admits(&limits, rule, tenant, "max").await, "{rule:?}");
        }
        let shop = app.founds("Shop").await.development.tenant();
        assert!(admits(&limits, Rule::Letters, shop, "mia").await);
        let production = app.own.production.tenant();
        assert!(!admits(&limits, Rule::Letters, production, "mia").await);
    }

    /// Three in ten minutes and ten in a day (OT-13): what the shorter one refuses does not use up
    /// the longer one.
    async fn one_recipient_gets_ten_letters_a_day(app: TestApp) {
        let (limits, tenant) = (usual(&app), app.own.development.tenant());
        let mut letters = 0;
        for _ in 0..6 {
            for _ in 0..100 {
                letters += i32::from(admits(&limits, Rule::Letters, tenant, "mia@x.io").await);
            }
            app.clock.advance(Duration::from_mins(10));
        }

        assert_eq!(letters, 10);
    }

    /// RL-14. The clock ahead neither keeps others out, nor gets its budget anew from them.
    async fn a_clock_an_hour_ahead_keeps_nobody_out_on_other_nodes(app: TestApp) {
        let tenant = app.own.development.tenant();
        let ahead = Clock::frozen(NEW_YEAR.plus(Duration::from_hours(1)));
        let (here, there) = (usual(&app), by(&app, ahead));
        let admitted = async |limits: &Limits, times: usize| {
            let mut admitted = 0;
            for _ in 0..times {
                admitted += i32::from(admits(limits, Rule::SignIn, tenant, "mia").await);
            }
            admitted
        };

        assert_eq!(admitted(&there, 12).await, 10);
        assert_eq!(admitted(&here, 12).await, 10);
        assert_eq!([admitted(&there, 2).await, admitted(&here, 2).await], [0, 0]);

        app.clock.advance(Duration::from_secs(6));
        assert_eq!([admitted(&there, 2).await, admitted(&here, 2).await], [0, 1]);
        app.clock.advance(Duration::from_hours(2));
        assert_eq!(admitted(&here, 12).await, 10);
    }

    async fn clocks_that_nearly_agree_have_one_budget(app: TestApp) {
        let tenant = app.own.development.tenant();
        let ahead = Clock::frozen(NEW_YEAR.plus(Duration::from_secs(20)));
        let (here, there) = (usual(&app), by(&app, ahead));
        for _ in 0..10 {
            assert!(admits(&there, Rule::SignIn, tenant, "mia").await);
        }

        assert!(!admits(&here, Rule::SignIn, tenant, "mia").await);

        app.clock.advance(Duration::from_secs(26));
        assert!(admits(&here, Rule::SignIn, tenant, "mia").await);
    }

    async fn of_fifty_at_once_beside_a_clock_ahead_ten_are_admitted(app: TestApp) {
        let tenant = app.own.development.tenant();
        let there = by(&app, Clock::frozen(NEW_YEAR.plus(Duration::from_hours(1))));
        assert!(admits(&there, Rule::SignIn, tenant, "mia").await);
        let here = usual(&app);

        let racers = (0..50).map(|_| admits(&here, Rule::SignIn, tenant, "mia"));
        let admitted = join_all(racers).await;

        assert_eq!(admitted.into_iter().filter(|is_admitted| *is_admitted).count(), 10);
    }

    async fn who_has_no_known_address_is_not_counted(app: TestApp) {
        let (limits, tenant) = (usual(&app), app.own.development.tenant());
        let nowhere = Origin::default();

        for _ in 0..100 {
            limits.admit_ip(Rule::SignUp, tenant, &nowhere).await.unwrap();
            limits.admit_ip_here(NodeRule::Refresh, None, &nowhere).await.unwrap();
        }
    }

    async fn counters_say_nothing_of_whom_they_count(app: TestApp) {
        let (limits, tenant) = (usual(&app), app.own.development.tenant());
        let origin = Origin::new("r".into(), Some(IpAddr::from([203, 0, 113, 5])), None);
        limits.admit_ip(Rule::SignIn, tenant, &origin).await.unwrap();
        limits.admit(Rule::Letters, tenant, "mia@example.org", &origin).await.unwrap();

        let mut once = app.store().once();
        let all = Query::of(EXPIRES_AT.gte(NEW_YEAR));
        let all: Vec<RateCounter> = once.shared().find(all).await.unwrap();

        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(all.len(), 3);
        assert!(!text.contains("203.0") && !text.contains("mia") && !text.contains("letters"));
    }
}

fn nobody(visitor: &Visitor) -> Request {
    visitor.signs_in("nobody@example.org", WRONG)
}

pub fn waits(reply: Reply, seconds: &str) -> serde_json::Value {
    let told = reply.header("retry-after").map(str::to_owned);
    assert_eq!(told.as_deref(), Some(seconds), "{}", reply.text());
    reply.refuses(429, "too_many_attempts")
}

/// The limits of another product on the same store, by default.
fn usual(app: &TestApp) -> Limits {
    by(app, app.clock.clone())
}

/// The same, by another clock.
fn by(app: &TestApp, clock: Clock) -> Limits {
    let rates = |text: &str| text.parse().expect("rates");
    let settings = RateSettings {
        signin: rates("10/1m"),
        signup: rates("5/1m"),
        recovery: rates("5/10m"),
        code: rates("10/1m"),
        refresh: rates("60/1m"),
        exchanges: rates("600/1m"),
        failed_exchanges: rates("60/1m"),
        introspections: rates("6000/1m"),
        letters: rates("3/10m,10/1d"),
        code_guesses: rates("20/1d"),
        failed_signins: rates("300/1m"),
        invitations: rates("200/1h,1000/1d"),
    };
    let key = MacKey::new(b"a key of the test");
    Limits::new(app.store().clone(), clock, Entropy::system(), key, settings)
}

async fn admits(limits: &Limits, rule: Rule, tenant: Tenant, subject: &str) -> bool {
    match limits
        .admit(rule, tenant, subject, &Origin::default())
        .await
    {
        Ok(()) => true,
        Err(LimitError::TooMany { .. }) => false,
        Err(LimitError::Store(error)) => panic!("{error}"),
    }
}
