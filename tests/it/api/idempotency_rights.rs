//! Who is told an answer again: nobody who has less than he had, and nobody whose sessions are over.

use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::{Asks, Request};
use crate::support::orgs::text;
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::stores::on_both_stores;

const ANOTHER: &str = "another long password";

trait Keyed {
    fn keyed(self) -> Request;
}

impl Keyed for Request {
    fn keyed(self) -> Request {
        self.header("idempotency-key", "k-1")
    }
}

/// Signs in with a key; what a repetition of the same is answered after `meanwhile`.
async fn signs_in_again_after(mia: &Person, meanwhile: impl AsyncFnOnce()) -> (u16, Value) {
    let asks = || mia.visitor().signs_in(&mia.email, PASSWORD).keyed();
    let first = asks().await.told(200);
    assert_eq!(asks().await.told(200), first);
    meanwhile().await;
    let reply = asks().await;
    assert_eq!(reply.header("idempotency-replayed"), None);
    (reply.status, reply.json())
}

on_both_stores! {
    /// A path that is a pattern's for other methods.
    async fn a_user_that_is_created_twice_is_created_once(app: TestApp) {
        let new = json!({"email": "zoe@example.org", "password": PASSWORD});
        let creates = || app.key().post("/v1/admin/users/create").json(new.clone()).keyed().into_future();
        let first = creates().await.told(201);

        let again = creates().await;

        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.told(201), first);
    }

    async fn a_sign_in_is_not_told_again_to_who_is_banned_since(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let (status, told) = signs_in_again_after(&mia, async || {
            let _ = app.key().bans(&mia.id, json!({})).await.expect(200);
        }).await;

        assert_eq!((status, told["type"].as_str()), (403, Some("account_disabled")));
    }

    async fn nor_is_anything_of_who_has_left(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let (status, told) = signs_in_again_after(&mia, async || {
            let _ = mia.leaves(PASSWORD).await.expect(204);
        }).await;

        assert_eq!((status, told["type"].as_str()), (401, Some("invalid_credentials")));
    }

    async fn the_password_of_yesterday_is_no_password(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let (status, told) = signs_in_again_after(&mia, async || {
            let change = json!({"current_password": PASSWORD, "new_password": ANOTHER});
            mia.post("/v1/change-password").json(change).await.told(200);
        }).await;

        assert_eq!((status, told["type"].as_str()), (401, Some("invalid_credentials")));
    }

    /// Where all sessions have ended, signing in again gives a session that lives.
    async fn after_all_sessions_have_ended_the_same_sign_in_makes_one(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let (status, told) = signs_in_again_after(&mia, async || {
            let _ = mia.post("/v1/signout/all").await.expect(204);
        }).await;

        assert_eq!(status, 200);
        app.get("/v1/me").bearer(&text(&told["access_token"])).await.told(200);
        let all = app.sessions_of(&mia.door, &mia.id).await;
        assert_eq!(all.iter().filter(|it| it.revoked_at.is_none()).count(), 1);
    }

    /// The guard asks for less than making such a key needs.
    async fn a_key_is_told_again_to_who_could_still_make_it(app: TestApp) {
        let admin = app.admin().await;
        app.person("ada@example.org").await;
        let new = json!({"name": "Backend", "owner": "environment", "roles": ["ADMIN"], "scopes": ["users:list"]});
        let makes = || admin.post("/v1/keys").json(new.clone()).keyed().into_future();
        let first = makes().await.told(201);
        assert_eq!(makes().await.told(201), first);

        let other = app.person("max@example.org").await;
        let _ = app.key().assigns(&other.id, &["ADMIN"]).await.expect(200);
        let _ = app.key().assigns(&admin.id, &["USER"]).await.expect(200);
        let _ = admin.refreshes().await.expect(200);

        makes().await.refuses(403, "forbidden");
    }

    async fn a_key_of_an_organization_is_told_again_to_who_could_still_make_it(app: Acme) {
        let lea = app.joined("lea@example.org", &["admin"]).await;
        let new = json!({"name": "CI", "org_id": app.org.id, "scopes": ["members:read"]});
        let makes = || lea.person.post("/v1/keys").json(new.clone()).keyed().into_future();
        let first = makes().await.told(201);
        assert_eq!(makes().await.told(201), first);

        let _ = app.org.changes(&app.owner, &lea.member_id, &["viewer"]).await.expect(200);
        let _ = lea.person.refreshes().await.expect(200);
        makes().await.refuses(403, "forbidden");

        let _ = app.org.removes(&app.owner, &lea.member_id).await.expect(204);
        let _ = lea.person.refreshes().await.expect(200);
        makes().await.refuses(404, "not_found");
    }

    async fn and_to_a_key_that_is_limited_no_further(app: TestApp) {
        let admin = app.admin().await;
        let scopes = json!(["users:list", "users:read", "api_keys:own"]);
        let new = json!({"name": "Backend", "scopes": scopes});
        let own = admin.post("/v1/keys").json(new).await.told(201);
        let secret = text(&own["key"]);
        let new = json!({"name": "Smaller", "scopes": ["users:read"]});
        let makes = || app.post("/v1/keys").api_key(&secret).json(new.clone()).keyed().into_future();
        let first = makes().await.told(201);
        assert_eq!(makes().await.told(201), first);

        let path = format!("/v1/keys/{}", text(&own["id"]));
        let less = json!({"scopes": ["users:list", "api_keys:own"]});
        admin.patch(&path).json(less).await.told(200);

        makes().await.refuses(403, "forbidden");
    }
}
