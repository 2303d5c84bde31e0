//! Locks: how many wrong passwords an account takes, and what everybody is told meanwhile.

use std::future::IntoFuture;
use std::time::Duration;

use authsome::events::{Name, Origin};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::UserId;
use authsome::kernel::secret::MacKey;
use authsome::kernel::time::Clock;
use authsome::limits::{Attempt, LimitError, Lockout, LockoutSettings, Lockouts, Subject};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::{Guarded, TestApp, eventually};
use crate::support::client::{Asks, Reply, Request};
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::raw;
use crate::support::stores::{Backend, on_both_stores};

const WRONG: &str = "another long password";
const LAPTOP: &str = "the-laptop-in-the-kitchen";
const MINUTE: Duration = Duration::from_mins(1);

/// The same, with one thread that hashes and hardly a place to wait for it.
struct Narrow(TestApp);

impl Narrow {
    async fn on(backend: Backend) -> Self {
        let settings = [
            ("LIMITS__LOCKOUT_AFTER", "5"),
            ("SECURITY__BCRYPT_COST", "10"),
            ("SECURITY__HASH_THREADS", "1"),
            ("SECURITY__HASH_QUEUE_LENGTH", "1"),
        ];
        Self(TestApp::with(backend, &settings).await)
    }
}

on_both_stores! {
    async fn five_wrong_passwords_lock_an_account_for_a_minute(app: Guarded) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        gets_wrong(&mia, 5).await;

        is_locked(right(&mia).await, 60);
        is_locked(wrong(&mia).await, 60);
        app.clock.advance(Duration::from_millis(59_999));
        is_locked(right(&mia).await, 1);

        app.clock.advance(Duration::from_millis(1));
        right(&mia).await.told(200);
        gets_wrong(&mia, 4).await;
        right(&mia).await.told(200);
    }

    /// PW-08: whoever holds a session guesses no more than who sits at its device, and both from one
    /// budget.
    async fn wrong_proofs_before_what_cannot_be_undone_lock_as_wrong_sign_ins_do(app: Guarded) {
        let app = app.0;
        for (at, prove) in PROOFS.iter().enumerate() {
            let mia = app.at_a_laptop(at).await;
            there(&mia, WRONG).await.refuses(401, "invalid_credentials");
            for _ in 0..4 {
                prove(&mia, WRONG).await.refuses(401, "invalid_credentials");
            }

            is_locked(prove(&mia, PASSWORD).await, 60);
            is_locked(prove(&mia, WRONG).await, 60);
            is_locked(there(&mia, PASSWORD).await, 60);

            mia.me().await.told(200);
            let denied = app.events(&mia.door, Name::ReauthenticationDenied).await;
            assert_eq!(denied.len(), 4 * (at + 1));
            app.clock.advance(MINUTE);
            assert!(prove(&mia, PASSWORD).await.status < 300);
        }
    }

    async fn five_wrong_proofs_alone_lock_and_a_right_one_forgets_them(app: Guarded) {
        let app = app.0;
        for (at, prove) in PROOFS.iter().enumerate() {
            let mia = app.at_a_laptop(at).await;
            for _ in 0..5 {
                prove(&mia, WRONG).await.refuses(401, "invalid_credentials");
            }
            is_locked(there(&mia, PASSWORD).await, 60);
            is_locked(prove(&mia, PASSWORD).await, 60);
            app.clock.advance(MINUTE);
            there(&mia, PASSWORD).await.told(200);
            for _ in 0..4 {
                there(&mia, WRONG).await.refuses(401, "invalid_credentials");
            }

            assert!(prove(&mia, PASSWORD).await.status < 300);

            let kept: Vec<Lockout> = app.of_app(&mia.door).await;
            assert!(kept.is_empty(), "{kept:?}");
        }
    }

    /// LG-06.
    async fn strangers_keep_nobody_from_proving_himself(app: Guarded) {
        let app = app.0;
        for (at, prove) in PROOFS.iter().enumerate() {
            let mia = app.at_a_laptop(at).await;
            gets_wrong(&mia, 5).await;
            is_locked(right(&mia).await, 60);

            assert!(prove(&mia, PASSWORD).await.status < 300);
        }
    }

    /// A device of before another password may be a stranger's: it has no lane until it has signed
    /// in with the new one.
    async fn another_password_makes_devices_strangers(app: Guarded) {
        let app = app.0;
        let mia = app.at_a_laptop(0).await;
        app.clock.advance(MINUTE);
        let _ = changes_password(&mia, PASSWORD).await.expect(200);
        gets_wrong(&mia, 5).await;

        let new = "a short loud brook";
        is_locked(there(&mia, new).await, 60);
        app.clock.advance(MINUTE);
        there(&mia, new).await.told(200);
        gets_wrong(&mia, 5).await;
        there(&mia, new).await.told(200);
    }

    /// LG-05: only wrong passwords in a row lock.
    async fn a_right_password_forgets_the_wrong_ones(app: Guarded) {
        let mia = app.0.person("mia@example.org").await;

        for _ in 0..5 {
            gets_wrong(&mia, 4).await;
            right(&mia).await.told(200);
        }

        assert_eq!(lock(&app.0, &mia).await["failed_attempts"], 0);
    }

    async fn each_further_wrong_password_doubles_the_lock_up_to_a_quarter_of_an_hour(app: Guarded) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        gets_wrong(&mia, 5).await;

        for minutes in [1, 2, 4, 8, 15, 15] {
            is_locked(right(&mia).await, minutes * 60);
            app.clock.advance(MINUTE * u32::try_from(minutes).unwrap());
            wrong(&mia).await.refuses(401, "invalid_credentials");
        }

        app.clock.advance(15 * MINUTE);
        right(&mia).await.told(200);
        assert_eq!(lock(&app, &mia).await, json!({"failed_attempts": 0, "locked": false}));
    }

    async fn a_lock_tells_nobody_whether_the_account_exists(app: Guarded) {
        let app = app.0;
        let mia = app.person_with("mia@example.org", json!({"username": "mia"})).await;
        let story = async |name: &str, text: &str| {
            let ask = || {
                let body = json!({name: text, "password": WRONG});
                mia.visitor().post("/v1/signin").json(body)
            };
            let mut told = Vec::new();
            for _ in 0..8 {
                told.push(ask().await.tells());
            }
            told
        };

        let known = story("email", &mia.email).await;
        let unknown = story("email", "nobody@example.org").await;
        let nameless = story("username", "nobody").await;

        let statuses = known.iter().map(|it| it.0);
        assert!(statuses.eq([401, 401, 401, 401, 401, 429, 429, 429]), "{known:?}");
        assert_eq!(known, unknown);
        assert_eq!(known, nameless);
        app.clock.advance(MINUTE);
        let known = story("email", &mia.email).await;
        let unknown = story("email", " NOBODY@example.org").await;
        let statuses = known.iter().map(|it| it.0);
        assert!(statuses.eq([401, 429, 429, 429, 429, 429, 429, 429]), "{known:?}");
        assert_eq!(known, unknown);
    }

    async fn every_name_of_an_account_leads_to_one_lock(app: Guarded) {
        let more = json!({"username": "mia.k", "phone": "+491701234567"});
        let mia = app.0.person_with("mia@example.org", more).await;
        let sign_in = |name: &str, text: &str| {
            mia.visitor().post("/v1/signin").json(json!({name: text, "password": WRONG}))
        };
        for (name, text) in [
            ("email", "mia@example.org"), ("email", " MIA@EXAMPLE.org"), ("username", "Mia.K"),
            ("phone", "+49 (170) 123-4567"), ("username", "mia.k"),
        ] {
            sign_in(name, text).await.refuses(401, "invalid_credentials");
        }

        for (name, text) in [("email", "mia@example.org"), ("username", "mia.k")] {
            is_locked(sign_in(name, text).await, 60);
        }
    }

    /// LG-15: who knows the password is not counted as somebody who guesses.
    async fn thirty_right_sign_ins_at_once_all_succeed(app: Guarded) {
        let mia = app.0.person("mia@example.org").await;

        let devices = join_all((0..30).map(async |_| mia.on_another_device().await)).await;

        assert_eq!(devices.len(), 30);
        assert_eq!(app.0.events(&mia.door, Name::SessionDenied).await.len(), 0);
        assert_eq!(lock(&app.0, &mia).await, json!({"failed_attempts": 0, "locked": false}));
    }

    async fn of_fifty_guesses_at_once_five_are_judged(app: Guarded) {
        let mia = app.0.person("mia@example.org").await;

        let replies = join_all((0..50).map(|_| wrong(&mia).into_future())).await;

        assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 5);
        assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 45);
        assert_eq!(lock(&app.0, &mia).await["failed_attempts"], 5);
        assert_eq!(reasons(&app.0, &mia).await, [("invalid_credentials", 5), ("locked", 1)]);
    }

    async fn after_a_lock_one_of_twenty_guesses_at_once_is_judged(app: Guarded) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        gets_wrong(&mia, 5).await;
        app.clock.advance(MINUTE);

        let replies = join_all((0..20).map(|_| wrong(&mia).into_future())).await;

        assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 1);
        for reply in replies.into_iter().filter(|reply| reply.status != 401) {
            is_locked(reply, 120);
        }
    }

    /// All of them have seen that the lock is over before one of them writes.
    async fn of_twenty_who_see_a_lock_run_out_one_tries(app: TestApp) {
        let guard = Guard::of(&app);
        for _ in 0..5 {
            guard.tries(None).await.unwrap().failed().await.unwrap();
        }
        app.clock.advance(MINUTE);

        let racers = (0..20).map(async |_| {
            let attempt = guard.tries(None).await?;
            attempt.failed().await.unwrap();
            Ok(())
        });
        let tried: Vec<Result<(), u64>> = join_all(racers).await;

        assert_eq!(tried.iter().filter(|tried| tried.is_ok()).count(), 1);
        assert!(tried.iter().all(|tried| matches!(tried, Ok(()) | Err(120))), "{tried:?}");
        assert_eq!(guard.failed().await, 6);
    }

    async fn two_nodes_have_one_lock(app: Guarded) {
        let node = app.0.another_node(&[]).await;
        let mia = app.0.person("mia@example.org").await;
        let there = mia.visitor().by(node.client());
        let here = (0..25).map(|_| wrong(&mia).into_future());
        let elsewhere = (0..25).map(|_| there.signs_in(&mia.email, WRONG).into_future());

        let (here, elsewhere) = join(join_all(here), join_all(elsewhere)).await;

        let judged = here.iter().chain(&elsewhere).filter(|reply| reply.status == 401);
        assert_eq!(judged.count(), 5);
        is_locked(there.signs_in(&mia.email, PASSWORD).await, 60);
    }

    async fn a_guess_counts_whoever_stays_to_hear_the_answer(app: Guarded) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        let lines = [
            "Content-Type: application/json".to_owned(),
            format!("X-Publishable-Key: {}", mia.door.publishable_key),
        ];
        let body = json!({"email": mia.email, "password": WRONG}).to_string();
        let request = raw::request("POST /v1/signin", &lines, body.as_bytes());

        for _ in 0..20 {
            raw::sent_and_cut_off(app.client().address(), &request);
        }

        eventually(async || lock(&app, &mia).await["locked"] == true).await;
        assert_eq!(lock(&app, &mia).await["failed_attempts"], 5);
        is_locked(right(&mia).await, 60);
    }

    async fn a_password_that_nobody_had_time_to_judge_counts_for_nothing(app: Narrow) {
        let mia = app.0.person("mia@example.org").await;
        let attempt = || wrong(&mia).that_may_be(503).into_future();

        let mut busy = 0;
        while busy == 0 {
            right(&mia).await.told(200);
            let replies = join_all((0..4).map(|_| attempt())).await;
            busy = replies.iter().filter(|reply| reply.outcome() == "503 busy").count();
            assert_eq!(lock(&app.0, &mia).await["failed_attempts"], 4 - busy);
        }

        gets_wrong(&mia, busy).await;
        right(&mia).await.told(200);
    }

    /// TN-06: apps know nothing of each other, and an app's environments share its users.
    async fn a_lock_is_of_the_app(app: Guarded) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        let shop = app.founds("Shop").await;
        let other = app.visitor(&shop.development).becomes("mia@example.org", json!({})).await;
        gets_wrong(&mia, 5).await;

        right(&other).await.told(200);

        is_locked(right(&mia).await, 60);
        app.trusts_addresses(&app.own.production).await;
        let next_door = app.visitor(&app.own.production);
        is_locked(next_door.signs_in(&mia.email, PASSWORD).await, 60);
        gets_wrong(&other, 4).await;
    }

    async fn a_right_password_resets_also_where_the_account_cannot_be_entered(app: Guarded) {
        let app = app.0;
        let max = app.person("max@example.org").await;
        let _ = app.key().bans(&max.id, json!({})).await.expect(200);
        let production = app.visitor(&app.own.production);
        production.signs_up("una@example.org", PASSWORD).await.told(202);

        for _ in 0..3 {
            gets_wrong(&max, 4).await;
            right(&max).await.refuses(403, "account_disabled");
            for _ in 0..4 {
                let reply = production.signs_in("una@example.org", WRONG).await;
                reply.refuses(401, "invalid_credentials");
            }
            let reply = production.signs_in("una@example.org", PASSWORD).await;
            reply.refuses(403, "email_not_verified");
        }
    }

    async fn an_administrator_sees_a_lock_and_lifts_it(app: Guarded) {
        let app = app.0;
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let unlock = || admin.post(&format!("/v1/admin/users/{}/unlock", mia.id));
        let _ = unlock().await.expect(204);
        gets_wrong(&mia, 3).await;
        assert_eq!(lock(&app, &mia).await, json!({"failed_attempts": 3, "locked": false}));
        gets_wrong(&mia, 2).await;
        let until = "2040-01-01T00:01:00.000Z";
        let locked = json!({"failed_attempts": 5, "locked": true, "locked_until": until});
        assert_eq!(lock(&app, &mia).await, locked);

        let _ = unlock().await.expect(204);

        right(&mia).await.told(200);
        let told = app.events(&mia.door, Name::UserUnlocked).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!(event.actor.id.as_ref(), Some(&admin.id));
        assert_eq!(event.target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
        mia.post(&format!("/v1/admin/users/{}/unlock", mia.id)).await.refuses(403, "forbidden");
    }

    async fn a_lock_is_told_once_and_who_gets_in_after_it_once_more(app: Guarded) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        gets_wrong(&mia, 5).await;
        for _ in 0..10 {
            is_locked(right(&mia).await, 60);
        }
        app.clock.advance(MINUTE);
        wrong(&mia).await.refuses(401, "invalid_credentials");
        for _ in 0..10 {
            is_locked(right(&mia).await, 120);
        }
        app.clock.advance(2 * MINUTE);
        right(&mia).await.told(200);
        right(&mia).await.told(200);

        assert_eq!(reasons(&app, &mia).await, [("invalid_credentials", 6), ("locked", 2)]);
        let told = app.events(&mia.door, Name::SuspiciousSignIn).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!(event.details["failed_attempts"], 6);
        let told = app.events(&mia.door, Name::SessionDenied).await;
        let targets = told.iter().filter_map(|it| it.target.as_ref()?.id.as_ref());
        assert!(targets.eq(std::iter::repeat_n(&mia.id, 8)));
    }

    /// A process that dies takes its tries along: they count as wrong when none can be alive.
    async fn a_try_that_is_never_settled_counts_as_wrong(app: TestApp) {
        let guard = Guard::of(&app);
        for _ in 0..4 {
            drop(guard.tries(None).await.unwrap());
        }
        assert_eq!(guard.failed().await, 0);

        app.clock.advance(2 * MINUTE);
        let fifth = guard.tries(None).await.unwrap();
        assert_eq!(guard.failed().await, 4);
        fifth.failed().await.unwrap();

        assert_eq!(guard.tries(None).await.map(drop), Err(60));
    }

    async fn a_try_that_dies_after_a_lock_leaves_the_next_lock(app: TestApp) {
        let guard = Guard::of(&app);
        for _ in 0..5 {
            guard.tries(None).await.unwrap().failed().await.unwrap();
        }
        app.clock.advance(MINUTE);

        drop(guard.tries(None).await.unwrap());

        app.clock.advance(2 * MINUTE);
        guard.tries(None).await.unwrap().withdrawn().await.unwrap();
        assert_eq!(guard.failed().await, 6);
        guard.tries(None).await.unwrap().failed().await.unwrap();
        assert_eq!(guard.tries(None).await.map(drop), Err(240));
    }

    /// LG-06: strangers do not lock a user out of a device that is known to be his.
    async fn a_known_device_has_a_lane_of_its_own(app: TestApp) {
        let guard = Guard::of(&app);
        for _ in 0..5 {
            guard.tries(None).await.unwrap().failed().await.unwrap();
        }

        let known = guard.tries(Some("laptop")).await.unwrap();
        known.succeeded(&mut app.store().once().shared(), app.clock.now()).await.unwrap();

        assert_eq!(guard.tries(None).await.map(drop), Err(60));
        for _ in 0..5 {
            guard.tries(Some("laptop")).await.unwrap().failed().await.unwrap();
        }
        assert_eq!(guard.tries(Some("laptop")).await.map(drop), Err(60));
        guard.tries(Some("phone")).await.unwrap().withdrawn().await.unwrap();
        guard.lift().await;
        guard.tries(Some("laptop")).await.unwrap().withdrawn().await.unwrap();
    }

    /// RL-14. Neither does who is right give the clock ahead another try.
    async fn a_clock_an_hour_ahead_locks_nobody_out_on_other_nodes(app: TestApp) {
        let (here, ahead) = (Guard::of(&app), Clock::frozen(app.clock.now().plus(60 * MINUTE)));
        let there = here.by(ahead);
        for _ in 0..5 {
            there.tries(None).await.unwrap().failed().await.unwrap();
        }
        assert_eq!(there.tries(None).await.map(drop), Err(60));

        assert_eq!(here.failed().await, 0);
        for _ in 0..5 {
            here.tries(None).await.unwrap().failed().await.unwrap();
        }

        assert_eq!(here.failed().await, 5);
        assert_eq!(here.tries(None).await.map(drop), Err(60));
        assert_eq!(there.tries(None).await.map(drop), Err(60));
        app.clock.advance(MINUTE);
        let trial = here.tries(None).await.unwrap();
        trial.succeeded(&mut app.store().once().shared(), app.clock.now()).await.unwrap();
        assert_eq!(here.failed().await, 0);
        here.lift().await;
        there.tries(None).await.unwrap().withdrawn().await.unwrap();
    }

    /// Whoever is trying by a clock ahead and dies is not waited for until that clock was right.
    async fn a_try_by_a_clock_ahead_that_is_never_settled_keeps_nobody_waiting(app: TestApp) {
        let (here, ahead) = (Guard::of(&app), Clock::frozen(app.clock.now().plus(60 * MINUTE)));
        let there = here.by(ahead);
        for _ in 0..5 {
            drop(there.tries(None).await.unwrap());
        }

        let mine = here.tries(None).await.unwrap();

        mine.failed().await.unwrap();
        assert_eq!(here.failed().await, 1);
    }

    async fn wrong_passwords_of_yesterday_are_forgotten(app: TestApp) {
        let guard = Guard::of(&app);
        for _ in 0..4 {
            guard.tries(None).await.unwrap().failed().await.unwrap();
        }

        app.clock.advance(Duration::from_hours(24));

        assert_eq!(guard.failed().await, 0);
        for _ in 0..4 {
            guard.tries(None).await.unwrap().failed().await.unwrap();
        }
        guard.tries(None).await.unwrap().withdrawn().await.unwrap();
    }
}

/// Nobody knows how often it was tried: nobody is let in, and nobody is told that he is wrong.
struct Wired(TestApp, crate::support::wire::Wire);

impl Wired {
    async fn on(backend: Backend) -> Self {
        let (app, wire) = TestApp::wired(backend).await;
        Self(app, wire)
    }
}

on_both_stores! {
    async fn while_nothing_can_be_counted_nothing_is_tried(wired: Wired) {
        let Wired(app, wire) = wired;
        let mia = app.person("mia@example.org").await;
        wire.cut();

        for request in [wrong(&mia), right(&mia)] {
            request.that_may_be(503).await.refuses(503, "store_unavailable");
        }

        wire.mend();
        right(&mia).await.told(200);
    }
}

/// What asks for the password again.
const PROOFS: [fn(&Person, &str) -> Request; 3] = [changes_password, changes_address, leaves];

fn changes_password(person: &Person, password: &str) -> Request {
    let both = json!({"current_password": password, "new_password": "a short loud brook"});
    person.post("/v1/change-password").json(both)
}

fn changes_address(person: &Person, password: &str) -> Request {
    let body = json!({"email": "mia@example.com", "password": password});
    person.post("/v1/me/change-email").json(body)
}

fn leaves(person: &Person, password: &str) -> Request {
    person.leaves(password)
}

impl TestApp {
    /// Somebody whose session began on the laptop.
    async fn at_a_laptop(&self, nth: usize) -> Person {
        let person = self.person(&format!("mia{nth}@example.org")).await;
        let visitor = person.visitor();
        visitor.enters_on(&person.email, LAPTOP).await
    }
}

/// A sign-in from the laptop; all others are from a device that nobody knows.
fn there(person: &Person, password: &str) -> Request {
    let body = json!({"email": person.email, "password": password, "device_id": LAPTOP});
    person.visitor().post("/v1/signin").json(body)
}

fn right(person: &Person) -> Request {
    person.visitor().signs_in(&person.email, PASSWORD)
}

fn wrong(person: &Person) -> Request {
    person.visitor().signs_in(&person.email, WRONG)
}

async fn gets_wrong(person: &Person, times: usize) {
    for _ in 0..times {
        wrong(person).await.refuses(401, "invalid_credentials");
    }
}

fn is_locked(reply: Reply, seconds: u64) {
    let told = reply.header("retry-after").map(str::to_owned);
    assert_eq!(told, Some(seconds.to_string()), "{}", reply.text());
    reply.refuses(429, "too_many_attempts");
}

/// What an administrator sees.
async fn lock(app: &TestApp, person: &Person) -> Value {
    let path = format!("/v1/admin/users/{}/lock", person.id);
    app.machine(&person.door).get(&path).await.told(200)
}

/// Why sign-ins were refused, and how often that was told.
async fn reasons(app: &TestApp, person: &Person) -> [(&'static str, usize); 2] {
    let told = app.events(&person.door, Name::SessionDenied).await;
    ["invalid_credentials", "locked"].map(|reason| {
        let of_reason = told
            .iter()
            .filter(|event| event.details["reason"] == reason);
        (reason, of_reason.count())
    })
}

/// One user before the lock itself.
struct Guard<'a> {
    app: &'a TestApp,
    lockouts: Lockouts,
    user: UserId,
}

impl<'a> Guard<'a> {
    fn of(app: &'a TestApp) -> Self {
        let user = UserId::new(app.clock.now(), &Entropy::system());
        Self::watching(app, user, app.clock.clone())
    }

    /// The same user before another node.
    fn by(&self, clock: Clock) -> Self {
        Self::watching(self.app, self.user, clock)
    }

    fn watching(app: &'a TestApp, user: UserId, clock: Clock) -> Self {
        let settings = LockoutSettings {
            after: 5,
            delay: MINUTE,
            longest: 15 * MINUTE,
        };
        let (store, key) = (app.store().clone(), MacKey::new(b"a key of the test"));
        let lockouts = Lockouts::new(store, clock, Entropy::system(), key, settings);
        Self {
            app,
            lockouts,
            user,
        }
    }

    /// A place for a try, or the seconds to wait.
    async fn tries(&self, lane: Option<&str>) -> Result<Attempt, u64> {
        let tenant = self.app.own.development.tenant();
        let (subject, origin) = (Subject::User(self.user), Origin::default());
        let reserved = self.lockouts.reserve(tenant, subject, lane, &origin).await;
        reserved.map_err(|error| match error {
            LimitError::TooMany { retry_after } => retry_after.as_secs(),
            LimitError::Store(error) => panic!("{error}"),
        })
    }

    async fn failed(&self) -> i64 {
        let app_id = self.app.own.development.app();
        let mut once = self.app.store().once();
        let lock = self
            .lockouts
            .lock_of(&mut once.shared(), app_id, self.user)
            .await;
        lock.expect("the store answers").failed_attempts
    }

    async fn lift(&self) {
        let app_id = self.app.own.development.app();
        let mut once = self.app.store().once();
        let lifted = self
            .lockouts
            .lift(&mut once.shared(), app_id, self.user)
            .await;
        assert!(lifted.expect("the store answers"));
    }
}
