//! What a node remembers of the sessions that it refreshed, it never takes for more than that.

use std::time::Duration;

use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Reply};
use crate::support::node::Node;
use crate::support::orgs::claims;
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::stores::on_both_stores;

/// Refreshes at another node, and goes on with what that gave.
async fn refreshes_at(node: &Node, person: &Person) -> Reply {
    let there = person.visitor().by(node.client());
    let reply = there.presents(&person.refresh_token()).await;
    person.keeps(reply)
}

/// Somebody whose session a second node has refreshed, and need not read again.
async fn remembered(app: &TestApp, email: &str) -> (Person, Node) {
    let (person, node) = (app.person(email).await, app.another_node(&[]).await);
    for _ in 0..2 {
        let _ = refreshes_at(&node, &person).await.expect(200);
    }
    (person, node)
}

async fn ruled(app: &TestApp, body: Value) {
    let path = format!(
        "/v1/admin/apps/{}/session-config",
        app.own.development.app_id
    );
    let set = app.key().request("PUT", &path).json(body);
    set.await.told(200);
}

on_both_stores! {
    async fn what_ended_elsewhere_is_refused_at_once_where_it_was_refreshed(app: TestApp) {
        for end in ["ban", "deletion", "sign-out", "sign-out everywhere", "new password"] {
            let (mia, node) = remembered(&app, &format!("{}@example.org", end.replace(' ', "."))).await;
            let elsewhere = mia.on_another_device().await;

            let ended = match end {
                "ban" => app.key().bans(&mia.id, json!({})).await,
                "deletion" => app.key().deletes(&mia.id).await,
                "sign-out" => mia.signs_out().await,
                "sign-out everywhere" => elsewhere.signs_out_everywhere().await,
                _ => {
                    let body = json!({"current_password": PASSWORD, "new_password": "a calm brook at dusk"});
                    elsewhere.post("/v1/change-password").json(body).await
                }
            };

            assert!(ended.status < 300, "{end}: {}", ended.text());
            refreshes_at(&node, &mia).await.refuses(401, "invalid_refresh_token");
        }
    }

    async fn by_turns_two_nodes_refresh_one_session(app: TestApp) {
        let (mia, node) = remembered(&app, "mia@example.org").await;

        for _ in 0..5 {
            mia.refreshes().await.told(200);
            refreshes_at(&node, &mia).await.told(200);
            refreshes_at(&node, &mia).await.told(200);
        }

        mia.me().await.told(200);
        assert!(app.events(&mia.door, Name::RefreshReuseDetected).await.is_empty());
    }

    async fn a_token_that_was_exchanged_elsewhere_is_a_replay_where_it_is_remembered(app: TestApp) {
        let (mia, node) = remembered(&app, "mia@example.org").await;
        let spent = mia.refresh_token();
        mia.refreshes().await.told(200);

        let there = mia.visitor().by(node.client());
        there.presents(&spent).await.refuses(401, "refresh_token_reused");

        mia.refreshes().await.refuses(401, "invalid_refresh_token");
        eventually(async || mia.me().await.status == 401).await;
        assert_eq!(app.events(&mia.door, Name::RefreshReuseDetected).await.len(), 1);
    }

    async fn of_fifty_at_two_nodes_that_both_remember_one_wins_and_the_session_is_dead(app: TestApp) {
        let (mia, node) = remembered(&app, "mia@example.org").await;
        let here = mia.refreshes().await.told(200);
        let (token, there) = (mia.refresh_token(), mia.visitor().by(node.client()));

        let replies = join_all((0..50).map(async |number| match number % 2 {
            0 => mia.presents(&token).await,
            _ => there.presents(&token).await,
        }));
        let (won, lost): (Vec<_>, Vec<_>) = replies.await.into_iter().partition(|it| it.status == 200);

        assert_eq!((won.len(), lost.len()), (1, 49));
        for reply in lost {
            reply.refuses(401, "refresh_token_reused");
        }
        let next = won[0].json();
        let next = next["refresh_token"].as_str().unwrap();
        for visitor in [&mia.visitor(), &there] {
            visitor.presents(next).await.refuses(401, "invalid_refresh_token");
        }
        let before = here["access_token"].as_str().unwrap();
        eventually(async || app.get("/v1/me").bearer(before).await.status == 401).await;
        assert_eq!(app.events(&mia.door, Name::RefreshReuseDetected).await.len(), 1);
    }

    /// What is remembered of her for a second gives tokens that are worth what older ones are.
    async fn a_role_that_is_taken_elsewhere_is_in_no_token_that_counts(app: TestApp) {
        let (admin, (mia, node)) = (app.admin().await, remembered(&app, "mia@example.org").await);
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let list = async || node.client().get("/v1/admin/users").bearer(&mia.access_token()).await;
        eventually(async || {
            let _ = refreshes_at(&node, &mia).await.expect(200);
            list().await.status == 200
        }).await;

        let _ = admin.assigns(&mia.id, &[]).await.expect(200);
        let _ = refreshes_at(&node, &mia).await.expect(200);

        eventually(async || list().await.status != 200).await;
        let here = app.get("/v1/admin/users").bearer(&mia.access_token()).await;
        assert_ne!(here.status, 200);
        let _ = refreshes_at(&node, &mia).await.expect(200);
        assert_eq!(claims(&mia.access_token())["roles"], json!(["USER"]));
        list().await.refuses(403, "forbidden");
    }

    async fn a_role_that_is_given_here_is_in_the_next_token(app: TestApp) {
        let (admin, mia) = (app.admin().await, app.person("mia@example.org").await);
        for _ in 0..2 {
            let _ = mia.refreshes().await.expect(200);
        }

        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = mia.refreshes().await.expect(200);

        mia.get("/v1/admin/users").await.told(200);
    }

    /// What she is there is in memory for a second, and in the token for its whole life.
    async fn an_address_that_was_proven_here_is_proven_in_the_next_token_there(app: TestApp) {
        let (mia, node) = remembered(&app, "mia@example.org").await;
        let proof = json!({"token": app.letter_to("mia@example.org").await.token()});
        node.client().get("/v1/me").bearer(&mia.access_token()).await.told(200);

        let _ = app.post("/v1/verify-email").json(proof).await.expect(200);

        let _ = refreshes_at(&node, &mia).await.expect(200);
        assert_eq!(claims(&mia.access_token())["email_verified"], true);
    }

    /// The token stays the same while its session moves on to an organisation elsewhere.
    async fn nothing_is_remembered_of_tokens_that_are_not_rotated(acme: Acme) {
        let (app, olga) = (&acme.app, &acme.owner);
        let mia = app.person("mia@example.org").await;
        let _ = olga.switches_to(None).await.expect(200);
        ruled(app, json!({"rotate_refresh_token": false})).await;
        let node = app.another_node(&[]).await;
        let _ = refreshes_at(&node, olga).await.expect(200);
        let wanted = json!({"refresh_token": olga.refresh_token(), "org_id": acme.org.id});
        olga.visitor().post("/v1/refresh").json(wanted).await.told(200);

        ruled(app, json!({"rotate_refresh_token": true})).await;

        // Of somebody else it shows that the node has heard of it.
        eventually(async || {
            let before = mia.refresh_token();
            let _ = refreshes_at(&node, &mia).await.expect(200);
            mia.refresh_token() != before
        }).await;
        let told = refreshes_at(&node, olga).await.told(200);
        assert_eq!(told["org_id"], acme.org.id);
    }

    async fn who_slept_too_long_is_signed_out_where_he_is_remembered(app: TestApp) {
        ruled(&app, json!({"idle_timeout_seconds": 300})).await;
        let (mia, node) = remembered(&app, "mia@example.org").await;
        app.clock.advance(Duration::from_millis(300_000 - 1));
        let _ = refreshes_at(&node, &mia).await.expect(200);

        app.clock.advance(Duration::from_mins(5));

        refreshes_at(&node, &mia).await.refuses(401, "invalid_refresh_token");
        assert_eq!(app.events(&mia.door, Name::SessionRevoked).await.len(), 1);
    }

    async fn a_remembered_session_ends_when_it_does(app: TestApp) {
        ruled(&app, json!({"refresh_token_ttl_seconds": 3_600})).await;
        let (mia, node) = remembered(&app, "mia@example.org").await;
        app.clock.advance(Duration::from_millis(3_600_000 - 1));
        let _ = refreshes_at(&node, &mia).await.expect(200);

        app.clock.advance(Duration::from_millis(1));

        refreshes_at(&node, &mia).await.refuses(401, "invalid_refresh_token");
    }

    async fn a_remembered_session_is_of_its_environment_still(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let _ = mia.refreshes().await.expect(200);

        let elsewhere = app.visitor(&app.own.production);
        elsewhere.presents(&mia.refresh_token()).await.refuses(401, "tenant_mismatch");

        mia.refreshes().await.told(200);
    }

    async fn a_remembered_session_is_bound_to_its_device_still(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let mia = mia.visitor().enters_on(&mia.email, "a-phone-of-mia-0123456789").await;
        let _ = mia.refreshes().await.expect(200);
        ruled(&app, json!({"bind_to_device": true})).await;
        let with = |device: &str| {
            let body = json!({"refresh_token": mia.refresh_token(), "device_id": device});
            mia.visitor().post("/v1/refresh").json(body)
        };

        with("another-phone-0123456789").await.refuses(401, "invalid_refresh_token");

        assert_eq!(app.events(&mia.door, Name::BindingRefused).await.len(), 1);
        with("a-phone-of-mia-0123456789").await.told(200);
    }

    async fn who_left_the_organisation_elsewhere_has_no_token_for_it(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["admin"]).await;
        let _ = mia.person.switches_to(Some(&acme.org)).await.expect(200);
        let node = acme.app.another_node(&[]).await;
        for _ in 0..2 {
            let told = refreshes_at(&node, &mia.person).await.told(200);
            assert_eq!(told["org_id"], acme.org.id);
        }

        let place = acme.at(&format!("/members/{}", mia.member_id));
        let _ = acme.owner.delete(&place).await.expect(204);

        let told = refreshes_at(&node, &mia.person).await.told(200);
        assert_eq!(told.get("org_id"), None);
    }
}
