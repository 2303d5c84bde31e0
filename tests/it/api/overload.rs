//! More sign-ins than the hashing threads can do: some are told to come back, and none hangs.

use std::cell::Cell;
use std::future::IntoFuture;
use std::time::{Duration, Instant};

use authsome::events::Name;
use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream::FuturesUnordered;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply};
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::{Backend, on_both_stores};

/// One thread that hashes at a cost of tens of milliseconds, and four places to wait for it.
struct Narrow(TestApp);

impl Narrow {
    async fn on(backend: Backend) -> Self {
        let settings = [
            ("SECURITY__BCRYPT_COST", "10"),
            ("SECURITY__HASH_THREADS", "1"),
            ("SECURITY__HASH_QUEUE_LENGTH", "4"),
        ];
        Self(TestApp::with(backend, &settings).await)
    }
}

/// One thread that hashes a dozen in the time that anybody waits, with room for many more.
struct Roomy(TestApp);

impl Roomy {
    async fn on(backend: Backend) -> Self {
        let settings = [
            ("SECURITY__BCRYPT_COST", "12"),
            ("SECURITY__HASH_THREADS", "1"),
            ("SECURITY__HASH_QUEUE_SECONDS", "1s"),
        ];
        Self(TestApp::with(backend, &settings).await)
    }
}

/// One thread that hashes at a cost of hundreds of milliseconds, with room to wait but no patience.
struct Slow(TestApp);

impl Slow {
    async fn on(backend: Backend) -> Self {
        let settings = [
            ("SECURITY__BCRYPT_COST", "12"),
            ("SECURITY__HASH_THREADS", "1"),
            ("SECURITY__HASH_QUEUE_SECONDS", "100ms"),
        ];
        Self(TestApp::with(backend, &settings).await)
    }
}

on_both_stores! {
    async fn who_finds_the_queue_full_is_told_to_come_back(app: Narrow) {
        let mia = app.0.person("mia@example.org").await;

        let replies = join_all((0..40).map(async |_| attempt(&mia).await)).await;

        let (let_in, busy) = counted(&replies);
        assert!(let_in >= 1 && busy >= 1, "{let_in} let in, {busy} told to come back");
        assert_eq!(let_in + busy, 40);
        attempt(&mia).await.told(200);
        assert_eq!(app.0.events(&mia.door, Name::SessionDenied).await.len(), 0);
    }

    async fn who_has_waited_too_long_is_told_to_come_back(app: Slow) {
        let mia = app.0.person("mia@example.org").await;
        let began = Instant::now();

        let replies = join_all((0..20).map(async |_| attempt(&mia).await)).await;

        let (let_in, busy) = counted(&replies);
        assert!(let_in >= 1 && busy >= 1, "{let_in} let in, {busy} told to come back");
        assert_eq!(let_in + busy, 20);
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }

    /// Of three whose hashes take long, and no less in company, one is hashed: the others are not left waiting until he is.
    async fn nobody_waits_for_the_end_of_what_is_hashed_before_him(app: Slow) {
        let app = app.0;
        let users: String = (0..3).map(|at| json!({
            "email": format!("user{at}@example.org"),
            "password_hash": format!("$pbkdf2-sha256$i=2000000,l=32$3A+MdOEeOEQcGpMYNCtvKw${}", "A".repeat(43)),
        }).to_string() + "\n").collect();
        let import = app.key().post("/v1/admin/bulk/users/import").body("application/x-ndjson", users);
        assert!(import.await.expect(200).text().contains("\"created\":3"));
        let visitor = app.visitor(&app.own.development);

        let asked = (0..3).map(|at| {
            let sign_in = visitor.signs_in(&format!("user{at}@example.org"), PASSWORD);
            sign_in.that_may_be(503).into_future()
        });
        let replies: Vec<_> = asked.collect::<FuturesUnordered<_>>().collect().await;

        let in_order: Vec<_> = replies.iter().map(Reply::outcome).collect();
        assert_eq!(in_order, ["503 busy", "503 busy", "401 invalid_credentials"]);
    }

    async fn who_would_wait_too_long_is_told_when_he_comes(app: Roomy) {
        let app = app.0;
        let (operator, mia) = (app.operator().await, app.person("mia@example.org").await);

        let replies = join_all((0..60).map(async |_| attempt(&mia).await)).await;

        let (let_in, busy) = counted(&replies);
        let page = operator.get("/metrics").await.expect(200).text();
        let refused = |reason: &str| {
            let line = format!(r#"authsome_hash_refusals_total{{reason="{reason}"}} "#);
            let found = page.lines().find_map(|it| it.strip_prefix(&line));
            found.expect(reason).parse::<usize>().expect("a number")
        };
        assert!(let_in >= 1 && refused("hopeless") >= 1, "{let_in} let in\n{page}");
        assert_eq!((let_in + busy, refused("full")), (60, 0));
        assert_eq!(refused("hopeless") + refused("late"), busy);
        assert_eq!(app.events(&mia.door, Name::SessionDenied).await.len(), 0);
    }

    /// Those of one app ask for more than there is, all the time; that one of another gets his turn.
    async fn a_storm_in_one_environment_keeps_nobody_out_of_another(app: Narrow) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        let shop = app.founds("Shop").await;
        let noa = app.visitor(&shop.development).becomes("noa@example.org", json!({})).await;
        let (is_over, turned_away) = (Cell::new(false), Cell::new(0));
        let storms = async || while !is_over.get() {
            let reply = attempt(&mia).await;
            turned_away.set(turned_away.get() + usize::from(reply.status == 503));
        };

        let storm = join_all((0..20).map(|_| storms()));
        join(storm, async {
            for _ in 0..3 {
                while turned_away.replace(0) == 0 {
                    app.get("/livez").await.told(200);
                }
                noa.visitor().signs_in(&noa.email, &noa.password).await.told(200);
            }
            is_over.set(true);
        }).await;

        assert_eq!(app.events(&noa.door, Name::SessionDenied).await.len(), 0);
    }

    async fn a_sign_up_that_finds_no_thread_makes_no_account(app: Narrow) {
        let visitor = app.0.visitor(&app.0.own.development);
        let emails = (0..40).map(|number| format!("mia{number}@example.org"));

        let sign_up = |email: String| visitor.signs_up(&email, PASSWORD).that_may_be(503);
        let replies = join_all(emails.map(|email| sign_up(email).into_future())).await;

        let made = replies.iter().filter(|reply| reply.status == 201).count();
        let busy = replies.iter().filter(|reply| reply.outcome() == "503 busy").count();
        assert_eq!(made + busy, 40);
        assert_eq!(app.0.user_count(&app.0.own.development).await, made);
    }

    /// Whoever is signed in already must not feel the storm.
    async fn others_are_served_meanwhile(app: Narrow) {
        let mia = app.0.person("mia@example.org").await;
        let storm = join_all((0..40).map(async |_| attempt(&mia).await));

        let (_, ()) = join(storm, async {
            for _ in 0..20 {
                mia.me().await.told(200);
                let _ = mia.refreshes().await.expect(200);
                app.0.get("/readyz").await.told(200);
            }
        }).await;
    }
}

async fn attempt(person: &Person) -> Reply {
    let visitor = person.visitor();
    let sign_in = visitor.signs_in(&person.email, &person.password);
    sign_in.that_may_be(503).await
}

/// How many were let in, and how many told to come back in a second.
fn counted(replies: &[Reply]) -> (usize, usize) {
    let let_in = replies.iter().filter(|reply| reply.status == 200).count();
    let busy = replies.iter().filter(|reply| reply.outcome() == "503 busy");
    let waits = busy.map(|reply| assert_eq!(reply.header("retry-after"), Some("1")));
    (let_in, waits.count())
}
