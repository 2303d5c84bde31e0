//! What a key may do: what its owner may at that moment, within its scopes, and some things never.

use authsome::api_keys::ApiKey;
use authsome::events::Name;
use serde_json::json;

use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::machines::{EVERYTHING, keyed};
use crate::support::orgs::text;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::roles::new_role;
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_key_may_what_its_scopes_say_of_what_its_user_may(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["admin"]).await.person;
        let key = acme.app.key_of(&mia, keyed("Laptop", &["members:read", "me:organizations"])).await;

        key.get(&acme.at("/members")).await.told(200);
        key.get("/v1/me/orgs").await.told(200);
        key.get(&acme.at("/teams")).await.refuses(403, "forbidden");
        key.get(&acme.at("")).await.refuses(403, "forbidden");
        key.get("/v1/me").await.refuses(403, "forbidden");
        key.get("/v1/orgs/aorg_01h2xcejqtf2nbrexx3vqjhp41/members").await.refuses(404, "not_found");
        let check = |what: &str| json!({"checks": [{
            "resource": what, "action": "read", "org_id": acme.org.id,
        }]});
        let all = acme.app.key_of(&mia, keyed("All", &["*:*"])).await;
        let asked = all.post("/v1/permissions/check").json(check("teams")).await.told(200);
        assert_eq!(asked["results"][0]["allowed"], true);
    }

    async fn a_key_shrinks_with_its_user_and_goes_with_him_on_every_node(acme: Acme) {
        let (app, node) = (&acme.app, acme.app.another_node(&[]).await);
        let mia = acme.joined("mia@example.org", &["admin"]).await;
        let member = mia.member_id;
        let mia = mia.person;
        let _ = app.key().assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = mia.signs_in().await.expect(200);
        let key = app.key_of(&mia, keyed("All", &["*:*"])).await;
        let there = key.at(node.client());
        let both = async |path: &str, status: u16| {
            assert_eq!(key.get(path).await.status, status, "{path}");
            assert_eq!(there.get(path).await.status, status, "{path} there");
        };
        both("/v1/admin/users", 200).await;

        let _ = app.key().assigns(&app.admin().await.id, &["ADMIN"]).await.expect(200);
        let _ = app.key().assigns(&mia.id, &[]).await.expect(200);
        both("/v1/admin/users", 403).await;
        both(&acme.at("/members"), 200).await;

        let _ = acme.org.changes(&acme.owner, &member, &["viewer"]).await.expect(200);
        both(&acme.at("/invitations"), 403).await;
        let _ = acme.org.removes(&acme.owner, &member).await.expect(204);
        both(&acme.at("/members"), 404).await;

        let _ = app.key().bans(&mia.id, json!({})).await.expect(200);
        both("/v1/me", 401).await;
        let _ = app.key().unbans(&mia.id).await.expect(200);
        both("/v1/me", 200).await;
        let _ = app.key().deletes(&mia.id).await.expect(204);
        both("/v1/me", 401).await;
        let left: Vec<ApiKey> = app.of_environment(&mia.door).await;
        assert!(left.iter().all(|it| it.user_id.is_none()));
    }

    async fn an_organisation_s_key_acts_there_alone_and_stays_when_its_maker_leaves(acme: Acme) {
        let app = &acme.app;
        let mia = acme.joined("mia@example.org", &["admin"]).await;
        let new = json!({"name": "Sync", "scopes": ["members:*", "teams:create"], "org_id": acme.org.id});
        let key = app.key_of(&mia.person, new).await;
        let globex = app.org("globex", &acme.owner).await;

        key.get(&acme.at("/members")).await.told(200);
        key.post(&acme.at("/teams")).json(json!({"name": "Design"})).await.told(201);
        key.get(&acme.at("/invitations")).await.refuses(403, "forbidden");
        key.get(&globex.path("/members")).await.refuses(404, "not_found");
        key.get("/v1/admin/users").await.refuses(403, "forbidden");
        key.get("/v1/orgs").await.refuses(403, "forbidden");

        let _ = acme.org.removes(&acme.owner, &mia.member_id).await.expect(204);
        key.get(&acme.at("/members")).await.told(200);
        let told = acme.owner.get(&key.path()).await.told(200);
        assert_has(&told, json!({"created_by": mia.person.id, "creator_left": true}));
        assert_eq!(acme.told(Name::ApiKeyCreatorLeft).await.len(), 1);
        let _ = mia.person.refreshes().await.expect(200);
        mia.person.get(&key.path()).await.refuses(404, "not_found");

        let _ = app.key().deletes(&mia.person.id).await.expect(204);
        let told = acme.owner.get(&key.path()).await.told(200);
        assert_eq!((told.get("created_by"), &told["creator_left"]), (None, &json!(true)));
        assert_eq!(acme.told(Name::ApiKeyCreatorLeft).await.len(), 1, "it had left before");
        let _ = acme.owner.delete(&acme.at("")).await.expect(204);
        key.get(&acme.at("/members")).await.refuses(401, "invalid_token");
    }

    async fn nobody_gives_an_organisation_s_key_what_he_has_not_there(acme: Acme) {
        let of = |scope: &str| json!({"name": "Sync", "scopes": [scope], "org_id": acme.org.id});
        let admin = acme.joined("ada@example.org", &["admin"]).await.person;
        let member = acme.joined("max@example.org", &["member"]).await.person;
        let stranger = acme.app.person("stranger@example.org").await;

        let refused = admin.post("/v1/keys").json(of("organization:delete")).await;
        let refused = refused.refuses(403, "scope_not_held");
        assert_eq!(refused["errors"][0]["detail"], "`organization:delete` is not held");
        admin.post("/v1/keys").json(of("*:*")).await.refuses(403, "scope_not_held");
        admin.post("/v1/keys").json(of("users:list")).await.refuses(400, "invalid_body");
        member.post("/v1/keys").json(of("members:read")).await.refuses(403, "forbidden");
        stranger.post("/v1/keys").json(of("members:read")).await.refuses(404, "not_found");
        let whole = acme.app.key_of(&acme.owner, of("*:*")).await;
        // Whoever is told a secret must have what it opens.
        let rotate = format!("{}/rotate", whole.path());
        admin.post(&rotate).json(json!({})).await.refuses(403, "scope_not_held");
        member.get(&whole.path()).await.refuses(403, "forbidden");
        stranger.get(&whole.path()).await.refuses(404, "not_found");
        let _ = admin.delete(&whole.path()).await.expect(204);
    }

    async fn a_key_never_does_what_only_a_person_does(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["admin"]).await.person;
        let key = acme.app.key_of(&mia, keyed("All", &["*:*"])).await;
        let both = json!({"current_password": PASSWORD, "new_password": "a short loud brook"});
        for (method, path, body) in [
            ("POST", "/v1/change-password", both),
            ("POST", "/v1/me/switch-org", json!({"org_id": acme.org.id})),
            ("DELETE", "/v1/me", json!({"password": PASSWORD})),
            ("POST", "/v1/signout/all", json!(null)),
            ("GET", "/v1/sessions", json!(null)),
            ("GET", "/v1/me/invitations", json!(null)),
            ("GET", "/v1/me/export", json!(null)),
            ("PATCH", "/v1/me", json!({"first_name": "M"})),
        ] {
            let asked = key.request(method, path);
            let asked = if body.is_null() { asked } else { asked.json(body) };
            asked.await.refuses(403, "user_required");
        }
        let leave = key.post(&acme.at("/leave")).await;
        leave.refuses(403, "user_required");
        mia.me().await.told(200);
    }

    async fn a_key_makes_keys_only_by_name_and_within_itself(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let star = app.key_of(&mia, keyed("Star", &["*:*"])).await;
        let maker = app.key_of(&mia, keyed("Maker", &["api_keys:own", "me:read"])).await;

        star.post("/v1/keys").json(keyed("More", &["me:read"])).await.refuses(403, "forbidden");
        star.get("/v1/keys").await.refuses(403, "forbidden");
        let own = app.key_of(&maker, keyed("Child", &["me:read"])).await;
        own.get("/v1/me").await.told(200);
        for beyond in ["me:update", "me:*", "*:*"] {
            let refused = maker.post("/v1/keys").json(keyed("More", &[beyond])).await;
            refused.refuses(403, "scope_not_held");
        }
        let rotate = format!("{}/rotate", star.path());
        maker.post(&rotate).json(json!({})).await.refuses(403, "forbidden");
        let widen = json!({"scopes": ["*:*"]});
        maker.patch(&maker.path()).json(widen).await.refuses(403, "scope_not_held");
        let narrow = json!({"scopes": ["me:read"]});
        mia.patch(&star.path()).json(narrow).await.told(200);
        star.get("/v1/me").await.told(200);
        star.get("/v1/me/orgs").await.refuses(403, "forbidden");
    }

    async fn who_has_a_limited_key_gives_no_roles(app: TestApp) {
        let (admin, noah) = (app.admin().await, app.person("noah@example.org").await);
        let key = app.key_of(&admin, keyed("Roles", &["users:assign_roles", "users:ban"])).await;

        key.assigns(&noah.id, &["ADMIN"]).await.refuses(403, "role_not_held");
        key.bans(&admin.id, json!({})).await.refuses(403, "forbidden");
        let _ = key.bans(&noah.id, json!({})).await.expect(200);
        key.impersonates(&noah.id, "").await.refuses(403, "forbidden");
    }

    /// A `*` does not cover making keys; so it makes nobody who could.
    async fn a_star_gives_nobody_what_it_does_not_cover(app: TestApp) {
        let (admin, noah) = (app.admin().await, app.person("noah@example.org").await);
        let star = app.key_of(&admin, keyed("Star", &["*:*"])).await;
        let whole = app.key_of(&admin, keyed("Whole", &EVERYTHING)).await;
        let heir = json!({"email": "heir@example.org", "password": PASSWORD, "roles": ["ADMIN"]});

        let created = star.post("/v1/admin/users/create").json(heir.clone()).await;
        created.refuses(403, "role_not_held");
        star.assigns(&noah.id, &["ADMIN"]).await.refuses(403, "role_not_held");
        star.assigns(&admin.id, &[]).await.refuses(403, "role_not_held");
        for line in ["organization_keys:*", "organization_keys:manage", "*:*", "*:manage"] {
            let refused = star.post("/v1/roles").json(new_role("mine", &[line])).await;
            refused.refuses(403, "role_not_held");
        }

        star.assigns(&noah.id, &[]).await.told(200);
        star.post("/v1/roles").json(new_role("reader", &["members:*", "*:read"])).await.told(201);
        whole.post("/v1/admin/users/create").json(heir).await.told(201);
        whole.assigns(&noah.id, &["ADMIN"]).await.told(200);
        star.bans(&noah.id, json!({})).await.refuses(403, "role_not_held");
        whole.post("/v1/roles").json(new_role("keeper", &["organization_keys:*"])).await.told(201);
    }

    async fn a_star_makes_nobody_an_owner(acme: Acme) {
        let app = &acme.app;
        let of_acme = |scopes: &[&str]| json!({"name": "Sync", "scopes": scopes, "org_id": acme.org.id});
        let mia = app.person("mia@example.org").await;
        let own = app.key_of(&acme.owner, keyed("Own", &["*:*"])).await;
        let sync = app.key_of(&acme.owner, of_acme(&["*:*"])).await;
        let whole = app.key_of(&acme.owner, of_acme(&["*:*", "organization_keys:manage"])).await;

        for key in [&own, &sync] {
            // Both could make keys.
            for role in ["owner", "admin"] {
                let add = json!({"user_id": mia.id, "roles": [role]});
                key.post(&acme.at("/members")).json(add).await.refuses(403, "role_not_held");
                let invite = json!({"email": "new@example.org", "roles": [role]});
                key.post(&acme.at("/invitations")).json(invite).await.refuses(403, "role_not_held");
            }
            let role = new_role("mine", &["organization_keys:*"]);
            key.post(&acme.at("/roles")).json(role).await.refuses(403, "role_not_held");
        }
        let add = json!({"user_id": mia.id, "roles": ["member"]});
        let member = text(&sync.post(&acme.at("/members")).json(add).await.told(201)["id"]);
        acme.org.changes(&own, &member, &["owner"]).await.refuses(403, "role_not_held");
        acme.org.changes(&whole, &member, &["owner"]).await.told(200);
    }

    async fn an_organisation_s_key_manages_its_keys_within_itself(acme: Acme) {
        let app = &acme.app;
        let of_acme = |name: &str, scopes: &[&str]| json!({"name": name, "scopes": scopes, "org_id": acme.org.id});
        let scopes = ["organization_keys:manage", "organization_keys:read", "members:read"];
        let manager = app.key_of(&acme.owner, of_acme("Manager", &scopes)).await;
        let reader = app.key_of(&acme.owner, of_acme("Reader", &["organization_keys:read"])).await;
        let other = app.key_of(&acme.owner, of_acme("Other", &["members:*"])).await;

        let child = app.key_of(&manager, keyed("Child", &["members:read"])).await;
        child.get(&acme.at("/members")).await.told(200);
        let told = acme.owner.get(&child.path()).await.told(200);
        assert_has(&told, json!({"owner": "organization", "org_id": acme.org.id, "creator_left": false}));
        child.get("/v1/keys").await.refuses(403, "forbidden");
        for key in [&manager, &reader] {
            let list = key.get("/v1/keys").await.told(200);
            assert_eq!(list["keys"].as_array().unwrap().len(), 4);
            key.get("/v1/keys?owner=environment").await.refuses(403, "forbidden");
            key.get("/v1/keys?owner=user").await.refuses(403, "user_required");
        }
        app.get("/v1/keys").bearer(&reader.token().await).await.told(200);

        for beyond in ["members:*", "teams:read", "*:*"] {
            let refused = manager.post("/v1/keys").json(keyed("More", &[beyond])).await;
            refused.refuses(403, "scope_not_held");
        }
        let environment = json!({"name": "X", "scopes": ["users:list"], "owner": "environment", "roles": ["ADMIN"]});
        manager.post("/v1/keys").json(environment).await.refuses(403, "forbidden");
        other.rotated_by(&manager, json!({})).await.refuses(403, "forbidden");
        manager.patch(&other.path()).json(json!({"name": "Mine"})).await.refuses(403, "forbidden");
        reader.post("/v1/keys").json(keyed("More", &["organization_keys:read"])).await.refuses(403, "forbidden");
        reader.delete(&child.path()).await.refuses(403, "forbidden");
        let globex = app.org("globex", &acme.owner).await;
        let foreign = json!({"name": "Foreign", "scopes": ["members:read"], "org_id": globex.id});
        let foreign = app.key_of(&acme.owner, foreign).await;
        manager.get(&foreign.path()).await.refuses(404, "not_found");

        child.rotated_by(&manager, json!({})).await.told(200);
        let _ = manager.delete(&child.path()).await.expect(204);
    }

    async fn a_key_that_has_scopes_takes_none_that_has_no(app: TestApp) {
        let admin = app.admin().await;
        let first = app.key().get("/v1/keys").await.told(200);
        let first = format!("/v1/keys/{}", text(&first["keys"][0]["id"]));
        let rotate = format!("{first}/rotate");

        for scopes in [&["*:*", "api_keys:own", "api_keys:manage"] as &[&str], &EVERYTHING] {
            let key = app.key_of(&admin, keyed("Limited", scopes)).await;
            key.post(&rotate).json(json!({})).await.refuses(403, "forbidden");
            for change in [json!({"scopes": ["*:*"]}), json!({"name": "Mine"})] {
                key.patch(&first).json(change).await.refuses(403, "forbidden");
            }
            key.get(&first).await.told(200);
        }
        app.key().get("/v1/admin/users").await.told(200);
        admin.post(&rotate).json(json!({})).await.told(200);
    }

    async fn an_operator_s_key_takes_its_scopes_along(app: TestApp) {
        let operator = app.operator().await;
        let query = app.own.development.query();
        let narrow = app.key_of(&operator, keyed("Users", &["users:list", "apps:operate"])).await;
        let here = app.key_of(&operator, keyed("Here", &["users:list"])).await;

        narrow.get(&format!("/v1/admin/users{query}")).await.told(200);
        narrow.get(&format!("/v1/environments{query}")).await.refuses(403, "forbidden");
        here.get(&format!("/v1/admin/users{query}")).await.refuses(404, "not_found");
    }

    async fn only_a_backend_is_believed_about_addresses(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let asks = |key: &str| {
            let body = json!({"email": "nobody@example.org", "password": PASSWORD});
            let asked = app.post("/v1/signin").api_key(key).json(body);
            asked.header("x-authsome-client-ip", "203.0.113.7")
        };

        asks(&key.secret).await.refuses(401, "invalid_credentials");
        asks(&app.own.development.secret_key).await.refuses(401, "invalid_credentials");

        let told = app.events(&mia.door, Name::SessionDenied).await;
        let from: Vec<_> = told.iter().map(|it| it.ip_address.clone().unwrap_or_default()).collect();
        assert!(from.contains(&"127.0.0.1".to_owned()) && from.contains(&"203.0.113.7".to_owned()));
    }

    async fn a_reclaimed_account_has_no_keys_of_whoever_made_it(app: TestApp) {
        let squatter = app.person("mia@example.org").await;
        let key = app.key_of(&squatter, keyed("Back door", &["*:*"])).await;
        let link = json!({"email": "mia@example.org"});
        let _ = squatter.visitor().post("/v1/magic-link/send").json(link).await.expect(202);

        let token = app.nth_letter_to("mia@example.org", 2).await.token();
        let _ = app.post("/v1/magic-link/verify").json(json!({"token": token})).await.expect(200);

        key.get("/v1/me").await.refuses(401, "invalid_token");
    }
}
