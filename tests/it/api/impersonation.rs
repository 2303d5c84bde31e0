//! Impersonation: who acts as whom, what he sees and cannot do, who is told, and when it ends.

use std::future::IntoFuture;
use std::time::Duration;

use authsome::devices::Device;
use authsome::events::{Event, Name};
use authsome::notifications::Notification;
use authsome::sessions::Session;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Request, assert_has};
use crate::support::forge::Token;
use crate::support::persona::{Actor, Administers, PASSWORD, Person};
use crate::support::stores::on_both_stores;

const REASON: &str = "Ticket 4711: no invoices";

/// Somebody at home in the platform acts as Mia, a user of another app.
struct Helped {
    app: TestApp,
    operator: Person,
    mia: Person,
    actor: Actor,
}

impl Helped {
    async fn on(backend: crate::support::stores::Backend) -> Self {
        let app = TestApp::on(backend).await;
        let (operator, mia) = (app.operator().await, app.person("mia@example.org").await);
        // Lists are in one order then.
        app.clock.advance(Duration::from_secs(1));
        let actor = operator.becomes(&mia.id, &mia.door).await;
        Self {
            app,
            operator,
            mia,
            actor,
        }
    }
}

/// What happened by the name, in an environment: actor, target, details.
async fn told(app: &TestApp, door: &Door, name: Name) -> Vec<(String, String, Value)> {
    let id = |party: Option<&authsome::events::Party>| {
        let id = party.and_then(|it| it.id.clone());
        id.unwrap_or_default()
    };
    let events: Vec<Event> = app.events(door, name).await;
    events
        .into_iter()
        .map(|it| {
            (
                id(Some(&it.actor)),
                id(it.target.as_ref()),
                Value::Object(it.details),
            )
        })
        .collect()
}

async fn session_of(app: &TestApp, actor: &Actor, door: &Door) -> Session {
    let user = actor.told["user"]["id"].as_str().expect("a user");
    let all = app.sessions_of(door, user).await;
    let found = all
        .into_iter()
        .find(|it| it.id.to_string() == actor.session_id());
    found.expect("the session is kept")
}

on_both_stores! {
    async fn an_administrator_sees_what_the_user_sees(app: TestApp) {
        let (admin, mia) = (app.admin().await, app.person("mia@example.org").await);

        let told = admin.impersonates(&mia.id, "").await.told(201);

        let actor = admin.becomes(&mia.id, &mia.door).await;
        assert_has(&told, json!({"token_type": "Bearer", "expires_in": 3600,
            "expires_at": "2040-01-01T01:00:00.000Z", "session_token": told["access_token"]}));
        assert_eq!(told["user"]["id"], mia.id.as_str());
        assert_eq!(told.get("refresh_token"), None);
        assert_eq!(actor.me().await.told(200), mia.me().await.told(200));
        actor.get(&format!("/v1/users/{}", mia.id)).await.told(200);
        actor.get(&format!("/v1/users/{}", admin.id)).await.refuses(404, "not_found");
    }

    async fn he_changes_nothing_in_the_users_name(helped: Helped) {
        let Helped { app, mia, actor, .. } = helped;
        let both = json!({"current_password": PASSWORD, "new_password": "a short loud brook"});
        let requests: Vec<Request> = vec![
            actor.patch("/v1/me").json(json!({"first_name": "Max"})),
            actor.delete("/v1/me").json(json!({"password": PASSWORD})),
            actor.get("/v1/me/export"),
            actor.post("/v1/change-password").json(both),
            actor.post("/v1/me/change-email")
                .json(json!({"email": "max@example.org", "password": PASSWORD})),
            actor.get("/v1/sessions"),
            actor.delete(&format!("/v1/sessions/{}", mia.session_id())),
            actor.post("/v1/signout/all"),
            actor.get("/v1/devices"),
            actor.impersonates(&mia.id, ""),
        ];

        for request in requests {
            request.await.refuses(403, "forbidden");
        }

        mia.me().await.told(200);
        mia.refreshes().await.told(200);
        assert!(app.events(&mia.door, Name::UserUpdated).await.is_empty());
    }

    async fn an_administrators_rights_are_not_lent(app: TestApp) {
        let (admin, operator) = (app.admin().await, app.operator().await);
        let mia = app.person("mia@example.org").await;

        let actor = operator.becomes(&admin.id, &admin.door).await;

        for request in [
            actor.get("/v1/admin/users"),
            actor.assigns(&mia.id, &["ADMIN"]),
            actor.bans(&mia.id, json!({})),
            actor.deletes(&mia.id),
            actor.impersonates(&mia.id, ""),
            actor.sets(&mia.door, json!({"signup_open": false})),
            actor.post(&format!("/v1/admin/users/{}/reset-password", mia.id)),
            actor.get("/v1/admin/security-events"),
        ] {
            request.await.refuses(403, "forbidden");
        }
        assert_eq!(actor.me().await.told(200)["roles"], json!(["ADMIN", "USER"]));
        let elsewhere = format!("/v1/me{}", app.platform.query());
        actor.get(&elsewhere).await.refuses(404, "not_found");
    }

    async fn the_token_says_who_acts(helped: Helped) {
        let Helped { operator, mia, actor, .. } = helped;

        let claims = Token::of(actor.access_token()).claims;

        assert_has(&claims, json!({
            "act": {"sub": operator.id}, "sub": mia.id, "sid": actor.session_id(), "amr": [],
            "app_id": mia.door.app_id, "env_id": mia.door.env_id,
        }));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    }

    async fn nobody_acts_as_himself_or_his_equals_or_those_above(app: TestApp) {
        let (admin, owner) = (app.admin().await, app.operator().await);
        let equal = app.person("equal@example.org").await;
        let _ = admin.assigns(&equal.id, &["ADMIN"]).await.expect(200);
        let colleague = app.colleague("pia@example.org", &["ADMIN"]).await;
        let app_query = admin.door.query();

        for (who, whom, query, refusal) in [
            (&admin, &admin, "", "forbidden"),
            (&admin, &equal, "", "forbidden"),
            (&owner, &owner, "", "forbidden"),
            (&owner, &colleague, "", "forbidden"),
            (&colleague, &owner, "", "role_not_held"),
            (&colleague, &colleague, "", "forbidden"),
        ] {
            who.impersonates(&whom.id, query).await.refuses(403, refusal);
        }

        for operator in [&owner, &colleague] {
            operator.impersonates(&admin.id, &app_query).await.told(201);
        }
        assert!(app.events(&app.platform, Name::ImpersonationStarted).await.is_empty());
    }

    async fn who_may_not_impersonate_learns_nothing(app: TestApp) {
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        let shop = app.founds("Shop").await;
        let noah = app.visitor(&shop.development).becomes("noah@example.org", json!({})).await;
        let nobody = mia.id.replace(|c: char| c.is_ascii_digit(), "0");

        mia.impersonates(&max.id, "").await.refuses(403, "forbidden");
        app.key().impersonates(&max.id, "").await.refuses(403, "user_required");
        app.impersonates(&max.id, "").await.refuses(401, "unauthenticated");
        let admin = app.admin().await;
        admin.impersonates(&noah.id, "").await.refuses(404, "not_found");
        admin.impersonates(&nobody, "").await.refuses(404, "not_found");
        admin.impersonates(&noah.id, &noah.door.query()).await.refuses(404, "not_found");
        app.operator().await.impersonates(&mia.id, "").await.refuses(404, "not_found");
        assert!(app.events(&mia.door, Name::ImpersonationStarted).await.is_empty());
    }

    async fn nobody_acts_as_a_user_who_could_not_sign_in(app: TestApp) {
        let (admin, mia) = (app.admin().await, app.person("mia@example.org").await);
        let _ = admin.bans(&mia.id, json!({})).await.expect(200);

        admin.impersonates(&mia.id, "").await.refuses(409, "user_banned");

        let _ = admin.unbans(&mia.id).await.expect(200);
        admin.impersonates(&mia.id, "").await.told(201);
    }

    async fn a_reason_must_be_given(app: TestApp) {
        let (admin, mia) = (app.admin().await, app.person("mia@example.org").await);
        let path = format!("/v1/admin/impersonate/{}", mia.id);

        for reason in [json!({}), json!({"reason": ""}), json!({"reason": " "}),
            json!({"reason": "a\nb"}), json!({"reason": 7}), json!({"reason": null}),
            json!({"reason": "x".repeat(201)})] {
            let refusal = admin.post(&path).json(reason).await.refuses(400, "invalid_body");
            assert_eq!(refusal["errors"][0]["pointer"], "/reason");
        }

        let longest = json!({"reason": "x".repeat(200)});
        admin.post(&path).json(longest).await.told(201);
    }

    async fn it_is_no_sign_in_of_the_user(app: TestApp) {
        let mia = app.proven_person("mia@example.org").await;
        let before = mia.me().await.told(200);
        let letters = app.of_environment::<Notification>(&mia.door).await.len();
        let devices = app.of_environment::<Device>(&mia.door).await.len();

        app.operator().await.becomes(&mia.id, &mia.door).await;

        let after = mia.me().await.told(200);
        assert_eq!(after["last_sign_in_at"], before["last_sign_in_at"]);
        assert_eq!(after["sign_in_count"], before["sign_in_count"]);
        assert_eq!(app.of_environment::<Notification>(&mia.door).await.len(), letters);
        assert_eq!(app.of_environment::<Device>(&mia.door).await.len(), devices);
        let created = app.events(&mia.door, Name::SessionCreated).await;
        let own = app.events(&mia.door, Name::UserSignedUp).await.len();
        assert_eq!((created.len(), own), (1, 1));
    }

    async fn it_takes_no_room_from_the_users_own_sessions(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let config = format!("/v1/admin/apps/{}/session-config", mia.door.app_id);
        let one = json!({"max_active_sessions": 1});
        let _ = app.key().request("PUT", &config).json(one).await.expect(200);

        let actor = app.operator().await.becomes(&mia.id, &mia.door).await;

        mia.me().await.told(200);
        let first = mia.session_id();
        let _ = mia.signs_in().await.expect(200);
        actor.me().await.told(200);
        let listed = mia.sessions().await.told(200);
        assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(2));
        assert!(!listed.to_string().contains(&first));
    }

    async fn the_user_and_the_administrators_see_who_acts(helped: Helped) {
        let Helped { app, operator, mia, actor } = helped;
        let by_admin = format!("/v1/admin/users/{}/sessions", mia.id);

        for page in [mia.sessions().await.told(200), app.key().get(&by_admin).await.told(200)] {
            let all = page["sessions"].as_array().unwrap();
            let seen: Vec<_> = all.iter().map(|it| (&it["id"], it.get("impersonated_by"))).collect();
            let (by, own) = (json!(operator.id), json!(mia.session_id()));
            assert_eq!(seen, [(&json!(actor.session_id()), Some(&by)), (&own, None)]);
        }

        let started = told(&app, &mia.door, Name::ImpersonationStarted).await;
        let details = json!({"session_id": actor.session_id(), "reason": REASON});
        assert_eq!(started, [(operator.id.clone(), mia.id.clone(), details)]);
        let _ = mia.delete(&format!("/v1/sessions/{}", actor.session_id())).await.expect(204);
        actor.me().await.refuses(401, "invalid_token");
    }

    async fn stopping_ends_the_session_at_once_and_is_told_with_both_names(helped: Helped) {
        let Helped { app, operator, mia, actor } = helped;

        let reply = actor.stops().await.told(200);

        assert_eq!(reply, json!({"session_id": actor.session_id(), "user_id": mia.id}));
        actor.me().await.refuses(401, "invalid_token");
        actor.stops().await.refuses(401, "invalid_token");
        mia.me().await.told(200);
        operator.me().await.told(200);
        let stopped = told(&app, &mia.door, Name::ImpersonationStopped).await;
        let details = json!({"session_id": actor.session_id(), "reason": REASON,
            "ended": "impersonation_stopped", "acting": operator.id});
        assert_eq!(stopped, [(operator.id.clone(), mia.id.clone(), details)]);
        let ended = told(&app, &mia.door, Name::SessionRevoked).await;
        let details = json!({"reason": "impersonation_stopped", "acting": operator.id});
        assert_eq!(ended, [(mia.id.clone(), actor.session_id().to_owned(), details)]);
    }

    async fn signing_out_stops_as_well(helped: Helped) {
        let Helped { app, mia, actor, .. } = helped;

        let _ = actor.post("/v1/signout").await.expect(204);

        actor.me().await.refuses(401, "invalid_token");
        mia.me().await.told(200);
        let stopped = told(&app, &mia.door, Name::ImpersonationStopped).await;
        assert_eq!((stopped.len(), &stopped[0].2["ended"]), (1, &json!("signed_out")));
    }

    async fn who_acts_as_nobody_has_nothing_to_stop(app: TestApp) {
        let (admin, mia) = (app.admin().await, app.person("mia@example.org").await);
        let stop = "/v1/admin/impersonate/stop";

        for person in [&admin, &mia] {
            person.post(stop).await.refuses(409, "not_impersonating");
            person.me().await.told(200);
        }
        app.key().post(stop).await.refuses(403, "forbidden");
    }

    async fn it_ends_with_the_hour_and_with_the_session_of_the_impersonator(app: TestApp) {
        let (operator, mia) = (app.operator().await, app.person("mia@example.org").await);
        let actor = operator.becomes(&mia.id, &mia.door).await;
        app.clock.advance(Duration::from_mins(59));
        actor.me().await.told(200);
        app.clock.advance(Duration::from_mins(2));
        actor.me().await.refuses(401, "invalid_token");

        let month = Duration::from_hours(30 * 24);
        app.clock.advance(month.checked_sub(Duration::from_mins(91)).unwrap());
        let access = operator.refreshes().await.told(200);
        let late = operator.becomes(&mia.id, &mia.door).await;

        assert_eq!(access["expires_in"], 900);
        assert_eq!(late.told["expires_in"], 1800);
    }

    async fn it_lasts_no_longer_than_a_session_may_be_idle(app: TestApp) {
        let (operator, mia) = (app.operator().await, app.person("mia@example.org").await);
        let config = format!("/v1/admin/apps/{}/session-config", mia.door.app_id);
        let rules = json!({"idle_timeout_seconds": 600});
        let _ = app.key().request("PUT", &config).json(rules).await.expect(200);

        let actor = operator.becomes(&mia.id, &mia.door).await;

        assert_eq!(actor.told["expires_in"], 600);
    }

    async fn nobody_can_refresh_it(helped: Helped) {
        let Helped { app, operator, mia, actor } = helped;
        let kept = session_of(&app, &actor, &mia.door).await;

        for token in [mia.refresh_token(), operator.refresh_token()] {
            let foreign = token.replacen(&token[..token.find('.').unwrap()], actor.session_id(), 1);
            mia.presents(&foreign).await.refuses(401, "invalid_refresh_token");
        }

        assert_eq!((kept.generation, kept.refresh_token.len()), (0, 43));
        assert_eq!(kept.impersonator_session_id.map(|id| id.to_string()), Some(operator.session_id()));
        assert!(kept.device_id.is_none());
        actor.me().await.told(200);
    }

    async fn it_ends_at_once_with_the_impersonators_sign_out(helped: Helped) {
        let Helped { app, operator, mia, actor } = helped;
        let second = operator.becomes(&mia.id, &mia.door).await;

        let _ = operator.signs_out().await.expect(204);

        for actor in [&actor, &second] {
            actor.me().await.refuses(401, "invalid_token");
            assert!(session_of(&app, actor, &mia.door).await.revoked_at.is_some());
        }
        mia.me().await.told(200);
        let stopped = told(&app, &mia.door, Name::ImpersonationStopped).await;
        assert_eq!(stopped.len(), 2);
        for (by, whom, details) in stopped {
            assert_eq!((by, whom), (operator.id.clone(), mia.id.clone()));
            assert_has(&details, json!({"ended": "impersonator_left", "reason": REASON}));
        }
        let listed = mia.sessions().await.told(200);
        assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1));
    }

    async fn another_session_of_the_impersonator_ends_nothing(helped: Helped) {
        let Helped { operator, actor, .. } = helped;
        let other = operator.on_another_device().await;

        let _ = other.signs_out().await.expect(204);

        actor.me().await.told(200);
        let _ = operator.refreshes().await.expect(200);
        actor.me().await.told(200);
    }

    async fn it_ends_however_the_impersonators_session_ends(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let owner = app.operator().await;
        let query = app.platform.query();
        for (number, way) in [
            "everywhere", "from elsewhere", "password", "admin", "ban", "delete", "leave",
            "replay", "device", "role",
        ].into_iter().enumerate() {
            app.clock.advance(Duration::from_secs(1));
            let pia = app.colleague(&format!("pia{number}@example.org"), &["ADMIN"]).await;
            let elsewhere = pia.on_another_device().await;
            let spent = pia.refresh_token();
            let _ = pia.refreshes().await.expect(200);
            let actor = pia.becomes(&mia.id, &mia.door).await;

            let both = json!({"current_password": PASSWORD, "new_password": "a short loud brook"});
            let of_pia = |what: &str| format!("/v1/admin/users/{}{what}{query}", pia.id);
            let reply = match way {
                "everywhere" => elsewhere.signs_out_everywhere().await,
                "from elsewhere" => {
                    elsewhere.delete(&format!("/v1/sessions/{}", pia.session_id())).await
                }
                "password" => elsewhere.post("/v1/change-password").json(both).await,
                "admin" => owner.delete(&of_pia("/sessions")).await,
                "ban" => owner.post(&of_pia("/ban")).json(json!({})).await,
                "delete" => owner.delete(&of_pia("")).await,
                "leave" => pia.leaves(PASSWORD).await,
                "replay" => {
                    pia.presents(&spent).await.refuses(401, "refresh_token_reused");
                    elsewhere.me().await
                }
                "device" => {
                    let told = pia.get("/v1/devices").await.told(200);
                    let all = told["devices"].as_array().unwrap().iter();
                    let own = all.clone().find(|it| it["current"] == true).unwrap();
                    elsewhere.delete(&format!("/v1/devices/{}", own["id"].as_str().unwrap())).await
                }
                "role" => owner.assigns(&pia.id, &[]).await,
                other => panic!("{other}"),
            };

            assert!(reply.status < 300, "{way}: {}", reply.text());
            assert_eq!(actor.me().await.outcome(), "401 invalid_token", "{way}");
            assert!(session_of(&app, &actor, &mia.door).await.revoked_at.is_some(), "{way}");
            let stopped = told(&app, &mia.door, Name::ImpersonationStopped).await;
            assert_eq!((stopped.len(), &stopped[number].0), (number + 1, &pia.id), "{way}");
        }
        mia.me().await.told(200);
    }

    async fn it_ends_with_whatever_ends_the_users_sessions(app: TestApp) {
        let operator = app.operator().await;
        for (number, way) in ["everywhere", "password", "ban", "delete", "role"].into_iter().enumerate() {
            app.clock.advance(Duration::from_secs(1));
            let mia = app.person(&format!("mia{number}@example.org")).await;
            let actor = operator.becomes(&mia.id, &mia.door).await;

            let both = json!({"current_password": PASSWORD, "new_password": "a short loud brook"});
            let reply = match way {
                "everywhere" => mia.signs_out_everywhere().await,
                "password" => mia.post("/v1/change-password").json(both).await,
                "ban" => app.key().bans(&mia.id, json!({})).await,
                "delete" => app.key().deletes(&mia.id).await,
                "role" => app.key().assigns(&mia.id, &["ADMIN"]).await,
                other => panic!("{other}"),
            };

            assert!(reply.status < 300, "{way}: {}", reply.text());
            assert_eq!(actor.me().await.outcome(), "401 invalid_token", "{way}");
            let stopped = told(&app, &mia.door, Name::ImpersonationStopped).await;
            let (by, whom, _) = &stopped[number];
            assert_eq!((stopped.len(), by, whom), (number + 1, &operator.id, &mia.id), "{way}");
            operator.me().await.told(200);
        }
    }

    async fn the_end_counts_on_every_node_within_a_second(helped: Helped) {
        let Helped { app, operator, actor, .. } = helped;
        let node = app.another_node(&[]).await;
        let there = || node.client().get("/v1/me").bearer(actor.access_token());
        there().await.told(200);

        let _ = operator.signs_out().await.expect(204);

        actor.me().await.refuses(401, "invalid_token");
        eventually(async || there().await.status == 401).await;
    }

    /// His access token is good for another second there, and must not be made into an hour.
    async fn who_has_lost_his_role_begins_nothing_on_another_node(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let pia = app.colleague("pia@example.org", &["ADMIN"]).await;
        let path = format!("/v1/admin/impersonate/{}{}", mia.id, mia.door.query());
        let there = || {
            let request = node.client().post(&path).bearer(&pia.access_token());
            request.json(json!({"reason": REASON}))
        };
        there().await.told(201);

        let _ = app.operator().await.assigns(&pia.id, &[]).await.expect(200);

        for _ in 0..10 {
            there().await.refuses(401, "invalid_token");
        }
        assert_eq!(app.events(&mia.door, Name::ImpersonationStarted).await.len(), 1);
    }

    async fn two_who_begin_at_once_both_act(app: TestApp) {
        let (operator, mia) = (app.operator().await, app.person("mia@example.org").await);
        let pia = app.colleague("pia@example.org", &["ADMIN"]).await;
        let query = mia.door.query();

        let begin = [&operator, &pia, &operator, &pia];
        let begin = begin.map(|it| it.impersonates(&mia.id, &query).into_future());
        let tokens: Vec<_> = join_all(begin)
            .await
            .into_iter()
            .map(|reply| reply.told(201)["access_token"].as_str().unwrap().to_owned())
            .collect();

        let me = |token: &str| app.get("/v1/me").bearer(token);
        for token in &tokens {
            me(token).await.told(200);
        }
        let _ = operator.signs_out().await.expect(204);
        for (number, token) in tokens.iter().enumerate() {
            let status = if number % 2 == 0 { 401 } else { 200 };
            let _ = me(token).await.expect(status);
        }
    }

    async fn a_request_beside_the_stop_is_answered_or_refused_and_none_after_it(helped: Helped) {
        let Helped { app, operator, mia, .. } = helped;
        for _ in 0..10 {
            let actor = operator.becomes(&mia.id, &mia.door).await;

            let (stop, beside) = join(
                actor.stops().into_future(),
                join_all((0..5).map(|_| actor.me().into_future())),
            )
            .await;

            assert_eq!(stop.status, 200);
            assert!(beside.iter().all(|it| ["200", "401 invalid_token"].contains(&&*it.outcome())));
            actor.me().await.refuses(401, "invalid_token");
        }
        assert_eq!(app.events(&mia.door, Name::ImpersonationStopped).await.len(), 10);
    }

    /// The sign-out does not see what begins beside it; what both change makes one wait for the
    /// other.
    async fn nothing_that_begins_beside_the_sign_out_outlives_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let query = mia.door.query();
        for round in 0..20 {
            let operator = app.operator().await;
            let end = match round % 2 {
                0 => operator.signs_out(),
                _ => operator.signs_out_everywhere(),
            };

            let asked = operator.impersonates(&mia.id, &query).into_future();
            let (begun, ended) = join(asked, end.into_future()).await;

            assert_eq!(ended.status, 204);
            if begun.status != 201 {
                begun.refuses(401, "invalid_token");
                continue;
            }
            let token = begun.json()["access_token"].as_str().unwrap().to_owned();
            app.get("/v1/me").bearer(&token).await.refuses(401, "invalid_token");
        }
        let live = app.sessions_of(&mia.door, &mia.id).await;
        assert_eq!(live.iter().filter(|it| it.revoked_at.is_none()).count(), 1);
    }

    async fn nobody_acts_as_a_user_who_is_banned_meanwhile(app: TestApp) {
        let (admin, operator) = (app.admin().await, app.operator().await);
        for number in 0..10 {
            let mia = app.person(&format!("mia{number}@example.org")).await;
            let asked = operator.impersonates(&mia.id, &mia.door.query()).into_future();
            let (begun, ban) = join(asked, admin.bans(&mia.id, json!({})).into_future()).await;

            assert_eq!(ban.status, 200);
            if begun.status == 201 {
                let token = begun.json()["access_token"].as_str().unwrap().to_owned();
                app.get("/v1/me").bearer(&token).await.refuses(401, "invalid_token");
            } else {
                begun.refuses(409, "user_banned");
            }
            let all = app.sessions_of(&mia.door, &mia.id).await;
            assert!(all.iter().all(|it| it.revoked_at.is_some()));
        }
    }

    async fn the_export_names_who_acted_and_why_but_not_where_he_sat(helped: Helped) {
        let Helped { operator, mia, actor, .. } = helped;
        let _ = actor.stops().await.expect(200);

        let export = mia.get("/v1/me/export").await.told(200);

        let of = |section: &str, name: &str, value: &str| {
            let all = export[section].as_array().unwrap().iter();
            all.clone().find(|it| it[name] == value).cloned().unwrap()
        };
        let session = of("sessions", "id", actor.session_id());
        assert_has(&session, json!({"impersonated_by": operator.id, "impersonation_reason": REASON}));
        assert_eq!((session.get("ip_address"), session.get("user_agent")), (None, None));
        for name in ["user.impersonation_started", "user.impersonation_stopped", "session.revoked"] {
            assert_eq!(of("events", "name", name).get("ip_address"), None, "{name}");
        }
        assert!(!export.to_string().contains(&operator.session_id()));
    }
}
