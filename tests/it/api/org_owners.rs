//! An organisation has an owner who can act, always: whatever is done, and however many do it.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Reply};
use crate::support::orgs::Org;
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::stores::on_both_stores;

const HOUR: Duration = Duration::from_hours(1);
const IN_AN_HOUR: &str = "2040-01-01T01:00:00.000Z";

/// The owners who are not banned, as the documents tell it.
async fn acting_owners(app: &TestApp, org: &Org, people: &[&Person]) -> usize {
    let mut count = 0;
    for person in people {
        let roles = org.roles_of(person).await.unwrap_or_default();
        let user = app
            .key()
            .get(&format!("/v1/admin/users/{}", person.id))
            .await;
        let is_banned = user.status == 404 || user.json()["banned"] == json!(true);
        count += usize::from(roles.contains(&"owner".to_owned()) && !is_banned);
    }
    count
}

/// Of two things of which only one may happen, one does.
fn one_of(replies: [&Reply; 2]) {
    let done = replies.iter().filter(|it| it.status < 300).count();
    let told: Vec<String> = replies.iter().map(|it| it.outcome()).collect();
    assert_eq!(done, 1, "{told:?}");
    let refused = replies
        .into_iter()
        .find(|it| it.status >= 300)
        .expect("one");
    // Who has lost his ownership meanwhile is told that instead.
    assert!(
        [
            "last_owner",
            "forbidden",
            "role_not_held",
            "not_found",
            "invalid_token"
        ]
        .contains(&&*refused.kind()),
        "{told:?}"
    );
}

on_both_stores! {
    async fn the_last_owner_stays_whatever_is_tried(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "admin").await;
        let own = acme.member(&mia).await;

        acme.changes(&mia, &own, &["admin"]).await.refuses(409, "last_owner");
        acme.changes(&app.key(), &own, &["viewer"]).await.refuses(409, "last_owner");
        acme.removes(&mia, &own).await.refuses(409, "last_owner");
        acme.removes(&app.key(), &own).await.refuses(409, "last_owner");
        acme.is_left_by(&mia).await.refuses(409, "last_owner");
        mia.leaves(PASSWORD).await.refuses(409, "last_owner");
        app.key().deletes(&mia.id).await.refuses(409, "last_owner");
        app.key().bans(&mia.id, json!({})).await.refuses(409, "last_owner");

        mia.me().await.told(200);
        assert_eq!(acting_owners(&app, &acme, &[&mia, &noah]).await, 1);
        assert_eq!(acme.owner_count(&app).await, 1);
        assert_eq!(acme.counted(&app, "member_count").await, 2);
        // Without the organisation, nothing holds her.
        let _ = mia.delete(&acme.path("")).await.expect(204);
        let _ = mia.leaves(PASSWORD).await.expect(204);
    }

    async fn with_another_owner_each_of_these_is_done(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let own = acme.member(&mia).await;
        for (at, email) in ["a1@example.org", "b2@example.org", "c3@example.org", "d4@example.org"]
            .into_iter().enumerate()
        {
            let heir = acme.hires(&app, email, "owner").await;
            let member = acme.member(&heir).await;
            assert_eq!(acme.owner_count(&app).await, 2);
            match at {
                0 => { acme.changes(&mia, &member, &["admin"]).await.told(200); }
                1 => { let _ = acme.is_left_by(&heir).await.expect(204); }
                2 => { let _ = app.key().bans(&heir.id, json!({})).await.expect(200); }
                _ => { let _ = heir.leaves(PASSWORD).await.expect(204); }
            }
            assert_eq!(acme.owner_count(&app).await, 1, "{email}");
            acme.changes(&mia, &own, &["admin"]).await.refuses(409, "last_owner");
        }
    }

    async fn a_banned_owner_does_not_count_until_he_is_back(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "owner").await;
        let (own, other) = (acme.member(&mia).await, acme.member(&noah).await);
        let _ = app.key().bans(&noah.id, json!({})).await.expect(200);
        // A second ban takes nothing more away.
        let _ = app.key().bans(&noah.id, json!({"reason": "still"})).await.expect(200);
        assert_eq!(acme.owner_count(&app).await, 1);
        acme.is_left_by(&mia).await.refuses(409, "last_owner");
        // Who is banned is made no owner's heir, and demoting him changes no count.
        acme.goes_to(&mia, &other).await.refuses(409, "member_inactive");
        acme.changes(&mia, &other, &["admin"]).await.told(200);
        assert_eq!(acme.owner_count(&app).await, 1);
        acme.changes(&mia, &other, &["owner"]).await.told(200);
        assert_eq!(acme.owner_count(&app).await, 1);

        let _ = app.key().unbans(&noah.id).await.expect(200);

        assert_eq!(acme.owner_count(&app).await, 2);
        acme.changes(&app.key(), &own, &["member"]).await.told(200);
        assert_eq!(acme.owner_count(&app).await, 1);
    }

    /// A ban that had run out was still on record, so that its owner was not counted where he founded
    /// an organisation: as none of its owners was, whoever wanted could go.
    async fn an_owner_whose_ban_has_run_out_is_the_owner_of_what_he_founds(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let umbra = app.org("umbra", &mia).await;
        let noah = umbra.hires(&app, "noah@example.org", "owner").await;
        let _ = app.key().bans(&mia.id, json!({"expires_at": IN_AN_HOUR})).await.expect(200);
        assert_eq!(umbra.owner_count(&app).await, 1);
        app.clock.advance(2 * HOUR);
        let _ = mia.signs_in().await.expect(200);

        let acme = app.org("acme", &mia).await;

        // In the other organisation she is counted again as well, and once.
        assert_eq!((acme.owner_count(&app).await, umbra.owner_count(&app).await), (1, 2));
        let own = acme.member(&mia).await;
        acme.changes(&mia, &own, &["admin"]).await.refuses(409, "last_owner");
        acme.removes(&app.key(), &own).await.refuses(409, "last_owner");
        acme.is_left_by(&mia).await.refuses(409, "last_owner");
        mia.leaves(PASSWORD).await.refuses(409, "last_owner");
        app.key().deletes(&mia.id).await.refuses(409, "last_owner");
        app.key().bans(&mia.id, json!({})).await.refuses(409, "last_owner");
        let _ = app.key().unbans(&mia.id).await.expect(200);
        assert_eq!((acme.owner_count(&app).await, umbra.owner_count(&app).await), (1, 2));
        assert_eq!(acting_owners(&app, &umbra, &[&mia, &noah]).await, 2);
    }

    /// Whether he has signed in since or not.
    async fn who_is_made_an_owner_after_his_ban_is_counted_once(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "owner").await;
        let olga = acme.hires(&app, "olga@example.org", "member").await;
        let _ = app.admin().await;
        let _ = app.key().assigns(&noah.id, &["ADMIN"]).await.expect(200);
        for person in [&noah, &olga] {
            let ban = json!({"expires_at": IN_AN_HOUR});
            let _ = app.key().bans(&person.id, ban).await.expect(200);
        }
        let (owner, heir) = (acme.member(&noah).await, acme.member(&olga).await);
        app.clock.advance(2 * HOUR);
        let _ = mia.signs_in().await.expect(200);

        let new = json!({"name": "Umbra", "slug": "umbra", "owner_id": olga.id});
        app.key().post("/v1/orgs").json(new).await.told(201);
        acme.goes_to(&mia, &heir).await.told(200);
        assert_eq!(acme.owner_count(&app).await, 1);
        acme.changes(&app.key(), &owner, &["admin"]).await.told(200);
        assert_eq!(acme.owner_count(&app).await, 1);
        acme.changes(&app.key(), &owner, &["owner"]).await.told(200);

        assert_eq!(acme.owner_count(&app).await, 2);
        assert_eq!(acting_owners(&app, &acme, &[&mia, &noah, &olga]).await, 2);
        // His ban is off the record wherever somebody counts.
        assert_eq!(app.guardians(&app.own.development).await, 2);
        app.key().deletes(&olga.id).await.refuses(409, "last_owner");
    }

    async fn two_owners_cannot_both_go(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let second = app.another_node(&[]).await;
        for round in 0..6 {
            let acme = app.org(&format!("acme-{round}"), &mia).await;
            let noah = acme.hires(&app, &format!("noah{round}@example.org"), "owner").await;
            let (own, other) = (acme.member(&mia).await, acme.member(&noah).await);
            let key = &app.own.development.secret_key;
            let path = acme.path(&format!("/members/{other}"));
            // By way of two nodes, by the hand of the backend.
            let there = second.client();
            let (one, two) = match round % 3 {
                0 => join(
                    async { acme.changes(&app.key(), &own, &["admin"]).await },
                    async { there.patch(&path).api_key(key).json(json!({"role": "admin"})).await },
                ).await,
                1 => join(
                    async { acme.is_left_by(&mia).await },
                    async { there.delete(&path).api_key(key).await },
                ).await,
                _ => join(
                    async { acme.removes(&app.key(), &own).await },
                    async { there.post(&format!("/v1/admin/users/{}/ban", noah.id))
                        .api_key(key).json(json!({})).await },
                ).await,
            };
            one_of([&one, &two]);
            assert_eq!(acting_owners(&app, &acme, &[&mia, &noah]).await, 1, "round {round}");
            assert_eq!(acme.owner_count(&app).await, 1, "round {round}");
        }
    }

    async fn of_many_owners_who_leave_at_once_one_stays(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let mut owners = Vec::new();
        for number in 0..5 {
            owners.push(acme.hires(&app, &format!("owner{number}@example.org"), "owner").await);
        }
        owners.push(mia);

        let replies = join_all(owners.iter().map(async |owner| acme.is_left_by(owner).await)).await;

        assert_eq!(replies.iter().filter(|it| it.status == 204).count(), 5);
        assert_eq!(replies.iter().filter(|it| it.kind() == "last_owner").count(), 1);
        assert_eq!(acme.owner_count(&app).await, 1);
        assert_eq!(acme.members().await.len(), 1);
    }

    async fn a_promotion_and_a_ban_at_once_leave_a_true_count(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for round in 0..6 {
            let acme = app.org(&format!("acme-{round}"), &mia).await;
            let noah = acme.hires(&app, &format!("noah{round}@example.org"), "member").await;
            let member = acme.member(&noah).await;

            let (_, ban) = join(
                async { acme.changes(&mia, &member, &["owner"]).await },
                async { app.key().bans(&noah.id, json!({})).await },
            ).await;

            let _ = ban.expect(200);
            assert_eq!(acme.owner_count(&app).await, 1, "round {round}");
            let _ = app.key().unbans(&noah.id).await.expect(200);
            let owners = acting_owners(&app, &acme, &[&mia, &noah]).await;
            assert_eq!(acme.owner_count(&app).await, i64::try_from(owners).expect("few"));
        }
    }

    async fn an_organisation_is_handed_over_in_one_step(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "member").await;
        let (own, heir) = (acme.member(&mia).await, acme.member(&noah).await);
        let stranger = app.person("olga@example.org").await;
        let globex = app.org("globex", &stranger).await;
        let elsewhere = globex.member(&stranger).await;

        acme.goes_to(&mia, &own).await.refuses(403, "forbidden");
        acme.goes_to(&mia, &elsewhere).await.refuses(404, "not_found");
        acme.goes_to(&noah, &heir).await.refuses(403, "forbidden");
        acme.goes_to(&app.key(), &heir).await.refuses(403, "user_required");
        acme.goes_to(&mia, &heir).await.told(200);

        assert_eq!(acme.roles_of(&mia).await, Some(vec!["admin".to_owned()]));
        assert_eq!(acme.roles_of(&noah).await, Some(vec!["owner".to_owned(), "member".to_owned()]));
        assert_eq!(acme.owner_count(&app).await, 1);
        mia.delete(&acme.path("")).await.refuses(403, "forbidden");
    }

    async fn of_two_heirs_one_gets_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "member").await;
        let olga = acme.hires(&app, "olga@example.org", "member").await;
        let (first, second) = (acme.member(&noah).await, acme.member(&olga).await);

        let (one, two) = join(
            async { acme.goes_to(&mia, &first).await },
            async { acme.goes_to(&mia, &second).await },
        ).await;

        one_of([&one, &two]);
        assert_eq!(acme.owner_count(&app).await, 1);
        assert_eq!(acting_owners(&app, &acme, &[&mia, &noah, &olga]).await, 1);
    }

    async fn an_owner_who_is_banned_by_another_node_is_told_there_too(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let acme = app.org("acme", &mia).await;
        let noah = acme.hires(&app, "noah@example.org", "owner").await;
        let _ = noah.switches_to(Some(&acme)).await.expect(200);
        let second = app.another_node(&[]).await;
        let ask = async || second.client().get(&acme.path("")).bearer(&noah.access_token()).await;
        let _ = ask().await.expect(200);

        let _ = app.key().bans(&noah.id, json!({})).await.expect(200);

        eventually(async || ask().await.kind() == "invalid_token").await;
    }
}
