//! Rights that are taken away in an organisation: every node hears of it, and so do backends.

use std::time::Duration;

use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{OrgId, SessionId};
use authsome::kernel::tenant::Tenant;
use authsome::store::Location;
use authsome::tokens::{
    AccessTokens, ActiveOrganization, Grant, Refused, Revocation, RevocationIndex,
    revoke_app_roles, revoke_member, revoke_organization, revoke_session,
};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};
use serde_json::{Value, json};

use crate::support::app::{NEW_YEAR, TestApp, eventually};
use crate::support::client::{Asks, assert_has};
use crate::support::events::Events;
use crate::support::forge::Token;
use crate::support::persona::Person;
use crate::support::stores::{Backend, on_both_stores, run};

/// The verbs, as a service calls them.
enum Verb {
    Organization(OrgId, i64),
    Member(OrgId, String, i64),
    AppRoles(i64),
}

/// Writes it and applies it to no node, like one that has died.
async fn revokes(app: &TestApp, tenant: Tenant, verb: Verb) -> Revocation {
    let (now, entropy) = (app.clock.now(), &Entropy::system());
    let written = app.store().write(async |tx| {
        let mut tx = tx.within(tenant);
        match &verb {
            Verb::Organization(org, below) => {
                revoke_organization(&mut tx, *org, *below, now, entropy).await
            }
            Verb::Member(org, user, below) => {
                let user = user.parse().expect("a user");
                revoke_member(&mut tx, (*org, user), *below, now, entropy).await
            }
            Verb::AppRoles(below) => revoke_app_roles(&mut tx, *below, now, entropy).await,
        }
    });
    written.await.expect("the store answers")
}

/// A node that has to ask the store about every token.
fn blind(app: &TestApp) -> AccessTokens {
    let found = app.foundation();
    let revocations = RevocationIndex::trusted_for(found.store.clone(), Duration::ZERO);
    AccessTokens::new(
        found.keys.clone(),
        revocations,
        found.tokens.clone(),
        app.clock.clone(),
        Entropy::system(),
    )
}

fn organization() -> ActiveOrganization {
    ActiveOrganization {
        id: OrgId::new(NEW_YEAR, &Entropy::system()),
        slug: "acme".to_owned(),
        roles: vec!["owner".to_owned()],
        teams: Vec::new(),
        permissions: vec!["members:read".to_owned()],
        version: 5,
        app_version: 2,
    }
}

/// The person's own access token, but for an organisation.
async fn token_in(app: &TestApp, person: &Person, organization: &ActiveOrganization) -> String {
    let own = Token::of(&person.access_token()).claims;
    let grant = Grant {
        tenant: person.door.tenant(),
        user_id: person.id.parse().expect("a user"),
        session_id: person.session_id().parse().expect("a session"),
        rights_version: own["ver"].as_i64().expect("a version"),
        roles: vec!["USER".to_owned()],
        email: person.email.clone(),
        email_verified: true,
        organization: Some(organization.clone()),
        amr: vec!["pwd".to_owned()],
        auth_time: app.clock.now(),
        impersonated_by: None,
    };
    let tokens = blind(app);
    let claims = tokens.claims(grant, None, app.clock.now());
    tokens.sign(&claims).await.expect("a token")
}

/// What the feed tells, each revocation without its name and times.
async fn told(asks: &impl Asks) -> Vec<Value> {
    let page = asks.get("/v1/revocations?limit=100").await.told(200);
    let mut all = page["revocations"].as_array().expect("a list").clone();
    for one in &mut all {
        let members = one.as_object_mut().expect("a revocation");
        members.retain(|name, _| !["id", "created_at", "expires_at"].contains(&&**name));
    }
    all
}

on_both_stores! {
    /// A token of the version that is revoked below stays good.
    async fn every_node_refuses_what_was_taken_away_and_nothing_else(app: TestApp) {
        let node = app.another_node(&[]).await;
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        let (acme, other) = (organization(), organization());
        let newer = ActiveOrganization { version: 6, ..acme.clone() };
        let of_mia = token_in(&app, &mia, &acme).await;
        let of_max = token_in(&app, &max, &acme).await;
        let renewed = token_in(&app, &mia, &newer).await;
        let elsewhere = token_in(&app, &mia, &other).await;
        let is_refused = async |token: &str| {
            let at = [app.get("/v1/me").bearer(token).await, node.client().get("/v1/me").bearer(token).await];
            at.iter().all(|reply| reply.status == 401)
        };
        let is_good = async |token: &str| {
            app.get("/v1/me").bearer(token).await.status == 200
                && node.client().get("/v1/me").bearer(token).await.status == 200
        };
        for token in [&of_mia, &of_max, &renewed, &elsewhere] {
            assert!(is_good(token).await);
        }

        let _ = revokes(&app, mia.door.tenant(), Verb::Member(acme.id, mia.id.clone(), 6)).await;
        eventually(async || is_refused(&of_mia).await).await;
        for token in [&of_max, &renewed, &elsewhere, &mia.access_token()] {
            assert!(is_good(token).await);
        }
        let _ = revokes(&app, mia.door.tenant(), Verb::Organization(acme.id, 6)).await;
        eventually(async || is_refused(&of_max).await).await;
        for token in [&renewed, &elsewhere, &max.access_token()] {
            assert!(is_good(token).await);
        }
        let _ = revokes(&app, mia.door.tenant(), Verb::AppRoles(3)).await;
        for token in [&renewed, &elsewhere] {
            eventually(async || is_refused(token).await).await;
        }
        for token in [&mia.access_token(), &max.access_token()] {
            assert!(is_good(token).await);
        }
    }

    async fn a_node_that_has_heard_nothing_asks_the_store(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let tenant = mia.door.tenant();
        for lower in [false, true] {
            let (acme, org) = (organization(), organization());
            let below = if lower { 6 } else { 5 };
            let of_acme = token_in(&app, &mia, &acme).await;
            let of_org = token_in(&app, &mia, &org).await;
            let member = Verb::Member(org.id, mia.id.clone(), below);

            let _ = revokes(&app, tenant, Verb::Organization(acme.id, below)).await;
            let _ = revokes(&app, tenant, member).await;

            for token in [of_acme, of_org] {
                let judged = blind(&app).verify(&token).await;
                assert_eq!(matches!(judged, Err(Refused::Revoked)), lower, "{judged:?}");
                assert_eq!(judged.is_ok(), !lower, "{judged:?}");
            }
        }
        let any = token_in(&app, &mia, &organization()).await;
        for (below, expected) in [(2, false), (3, true)] {
            let _ = revokes(&app, tenant, Verb::AppRoles(below)).await;
            let judged = blind(&app).verify(&any).await;
            assert_eq!(matches!(judged, Err(Refused::Revoked)), expected, "{judged:?}");
        }
    }

    async fn a_backend_is_told_what_it_must_refuse(app: TestApp) {
        let (mia, org) = (app.person("mia@example.org").await, organization().id);
        let (here, second) = (mia.door.tenant(), Duration::from_secs(1));
        let _ = revokes(&app, here, Verb::Organization(org, i64::MAX)).await;
        app.clock.advance(second);
        let _ = revokes(&app, here, Verb::Member(org, mia.id.clone(), 6)).await;
        app.clock.advance(second);
        let _ = revokes(&app, here, Verb::AppRoles(3)).await;
        let of_app = json!({"type": "app_roles", "min_app_version": 3});

        let member = json!({"org_id": org, "user_id": mia.id});
        assert_eq!(told(&app.key()).await, [
            json!({"type": "organization", "org_id": org, "min_org_version": i64::MAX}),
            json!({"type": "member", "member": member, "min_member_version": 6}),
            of_app.clone(),
        ]);
        assert_eq!(told(&app.machine(&app.own.production)).await, [of_app]);
        let stranger = app.founds("Shop").await;
        assert_eq!(told(&app.machine(&stranger.development)).await, Vec::<Value>::new());
    }

    async fn a_follower_is_told_as_it_happens(app: TestApp) {
        let door = app.own.development.clone();
        let key = [("x-api-key", &*door.secret_key)];
        let next_door = [("x-api-key", &*app.own.production.secret_key)];
        let mut here = Events::of(&app.client().url(), &key).await;
        let mut there = Events::of(&app.client().url(), &next_door).await;
        for events in [&mut here, &mut there] {
            events.caught_up().await;
        }
        let org = organization().id;

        let _ = revokes(&app, door.tenant(), Verb::Organization(org, 6)).await;
        let of_org = json!({"type": "organization", "org_id": org, "min_org_version": 6});
        assert_has(&here.told().await.data, of_org);
        let _ = revokes(&app, door.tenant(), Verb::AppRoles(3)).await;

        for events in [&mut here, &mut there] {
            let of_app = json!({"type": "app_roles", "min_app_version": 3});
            assert_has(&events.told().await.data, of_app);
        }
    }
}

/// What MongoDB wrote down of its looks at revocations.
async fn written(database: &Database) -> Vec<Document> {
    database.run_command(doc! { "profile": 0 }).await.unwrap();
    let ns = format!("{}.authsome_revocations", database.name());
    let profile = database.collection::<Document>("system.profile");
    // The node itself follows without asking for one.
    let asked = doc! { "ns": ns, "op": "query", "command.limit": 1 };
    let mut cursor = profile.find(asked).await.unwrap();
    let mut all = Vec::new();
    while cursor.advance().await.unwrap() {
        all.push(cursor.deserialize_current().unwrap());
    }
    profile.drop().await.unwrap();
    all
}

/// Each alternative has its index, and none looks at what the app has revoked otherwise.
#[test]
fn mongo_finds_what_stops_a_token_by_the_index_of_each_alternative() {
    run(async {
        let app = TestApp::on(Backend::Mongo).await;
        let mia = app.person("mia@example.org").await;
        let token = token_in(&app, &mia, &organization()).await;
        let (tenant, now, entropy) = (mia.door.tenant(), app.clock.now(), Entropy::system());
        for number in 0..100 {
            let _ = revokes(&app, tenant, Verb::Organization(organization().id, 9)).await;
            let _ = revokes(
                &app,
                tenant,
                Verb::Member(organization().id, mia.id.clone(), 9),
            )
            .await;
            let _ = revokes(&app, tenant, Verb::AppRoles(number % 3)).await;
            let of_session = app.store().write(async |tx| {
                let session = SessionId::new(now, &entropy);
                revoke_session(&mut tx.within(tenant), session, now, &entropy).await
            });
            drop(of_session.await.unwrap());
        }
        let Location::Mongo(url) = app.location() else {
            panic!("not an app on MongoDB")
        };
        let client = Client::with_uri_str(url).await.unwrap();
        let database = client.default_database().unwrap();
        let everything = doc! { "profile": 2, "filter": "unset" };
        database.run_command(everything).await.unwrap();

        blind(&app).verify(&token).await.expect("a good token");

        let looks = written(&database).await;
        assert_eq!(looks.len(), 1, "{looks:?}");
        let plan = looks[0].get_str("planSummary").unwrap();
        for index in [
            "{ session_id: 1 }",
            "{ user_id: 1 }",
            "{ key_id: 1 }",
            "{ org_id: 1 }",
            "{ member.user_id: 1, member.org_id: 1 }",
            "{ roles_of: 1, min_app_version: 1 }",
        ] {
            assert!(plan.contains(index), "{index}: {plan}");
        }
        let keys = looks[0].get_i32("keysExamined").unwrap();
        assert!(keys <= 12, "{keys} keys for nothing");
    });
}
