//! Permissions: what an app registers beside the product's own, and who is allowed what, and why.

use authsome::access::organization_cases;
use authsome::events::Name;
use authsome::memberships::Organization;
use authsome::rbac::Catalogue;
use authsome::users::User;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::contract::unknown;
use crate::support::acme::Acme;
use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Client, Reply, Request, assert_has};
use crate::support::orgs::text;
use crate::support::persona::{Administers, Person};
use crate::support::stores::{Backend, on_both_stores, run};

const CHECK: &str = "/v1/permissions/check";
const CATALOGUE: &str = "/v1/permissions/catalogue";

/// A resource as it is registered.
fn resource(name: &str, actions: &[&str]) -> Value {
    json!({"name": name, "actions": actions})
}

fn registers(asks: &impl Asks, resources: &[Value]) -> Request {
    asks.request("PUT", CATALOGUE)
        .json(json!({"resources": resources}))
}

/// What is done to what, in the app.
fn check(permission: &str) -> Value {
    let (resource, action) = permission.split_once(':').expect("resource and action");
    json!({"resource": resource, "action": action})
}

/// The same in an organisation.
fn within(org: &str, permission: &str) -> Value {
    with(check(permission), "org_id", org)
}

fn with(mut check: Value, name: &str, value: &str) -> Value {
    check[name] = json!(value);
    check
}

fn of(person: &Person, check: Value) -> Value {
    with(check, "user_id", &person.id)
}

async fn answers(asks: &(impl Asks + ?Sized), checks: &[Value], explain: bool) -> Vec<Value> {
    let body = json!({"checks": checks, "explain": explain});
    let told = asks.post(CHECK).json(body).await.told(200);
    told["results"].as_array().expect("a list").clone()
}

/// Why each check is answered as it is; only what is granted is allowed.
async fn reasons(asks: &(impl Asks + ?Sized), checks: &[Value]) -> Vec<String> {
    let all = answers(asks, checks, false).await;
    let reason = |it: &Value| {
        assert_eq!(it["allowed"], json!(it["reason"] == "granted"), "{it}");
        assert_eq!(it.get("explanation"), None, "{it}");
        text(&it["reason"])
    };
    all.iter().map(reason).collect()
}

/// Why one check is answered as it is, with what explains it.
async fn why(asks: &(impl Asks + ?Sized), check: Value) -> Value {
    answers(asks, &[check], true).await.remove(0)["explanation"].take()
}

fn permissions_of(person: &Person) -> Vec<String> {
    let claims = person.claims();
    let all = claims["permissions"].as_array().expect("permissions");
    all.iter().map(text).collect()
}

on_both_stores! {
    async fn the_catalogue_has_what_the_product_guards_and_what_the_app_registers(app: TestApp) {
        let (mia, key) = (app.person("mia@example.org").await, app.key());
        let other = app.founds("Shop").await;
        let documents = json!({"name": "documents", "actions": ["write", "read"], "description": "What customers write"});
        registers(&app.machine(&other.development), &[resource("secrets", &["steal"])]).await.told(200);

        let told = registers(&key, &[resource("folders", &["read"]), documents]).await.told(200);

        assert_eq!(told["resources"], json!([
            {"name": "documents", "actions": ["read", "write"], "description": "What customers write"},
            {"name": "folders", "actions": ["read"]},
        ]));
        let read = mia.get("/v1/permissions").await;
        assert!(!read.text().contains("secrets"), "{}", read.text());
        assert_eq!(read.told(200), told);
        let product = told["permissions"].as_array().unwrap();
        assert!(product.contains(&json!({
            "name": "members:add", "resource": "members", "action": "add", "realm": "organization",
            "description": "add users of the app as members",
        })));
        assert!(product.iter().any(|it| it["name"] == "users:list" && it["realm"] == "app"));
        // The other environment has the same app.
        let next_door = app.machine(&app.own.production).get("/v1/permissions").await;
        assert_eq!(next_door.told(200), told);
    }

    async fn what_an_app_registers_is_in_policies_and_tokens(acme: Acme) {
        acme.defines("editor", &[("documents", "*")]).await;
        let mia = acme.joined("mia@example.org", &["viewer", "editor"]).await.person;
        let noah = acme.joined("noah@example.org", &["member"]).await.person;
        let free = noah.on_another_device().await;
        let _ = free.switches_to(None).await.expect(200);
        let write = within(&acme.org.id, "documents:write");
        assert_eq!(reasons(&mia, std::slice::from_ref(&write)).await, ["unknown_permission"]);

        registers(&acme.app.key(), &[resource("documents", &["read", "write"])]).await.told(200);

        // Whoever is in an organisation learns of it by his next token, and nobody else needs one.
        for person in [&acme.owner, &mia, &noah] {
            person.me().await.refuses(401, "invalid_token");
            let _ = person.refreshes().await.expect(200);
        }
        free.me().await.told(200);
        for (person, has) in [(&acme.owner, true), (&mia, true), (&noah, false)] {
            let all = permissions_of(person);
            assert_eq!(all.contains(&"documents:read".to_owned()), has, "{all:?}");
            assert_eq!(all.contains(&"documents:write".to_owned()), has, "{all:?}");
            let told = reasons(person, std::slice::from_ref(&write)).await;
            assert_eq!(told, [if has { "granted" } else { "not_granted" }]);
        }
        let told = acme.app.events(&acme.owner.door, Name::PermissionsRegistered).await;
        let told = serde_json::to_value(&told).unwrap();
        assert_has(&told[0], json!({
            "outcome": "success", "details": {"resources": ["documents"]},
            "target": {"kind": "app", "id": acme.owner.door.app_id},
        }));
    }

    async fn the_same_catalogue_again_changes_nothing(acme: Acme) {
        let key = acme.app.key();
        let (documents, folders) = (resource("documents", &["read", "write"]), resource("folders", &["read"]));
        registers(&key, &[documents, folders.clone()]).await.told(200);
        let _ = acme.owner.refreshes().await.expect(200);
        let catalogue = async || acme.app.of_app::<Catalogue>(&acme.owner.door).await.remove(0);
        let before = catalogue().await;

        let again = registers(&key, &[folders.clone(), resource("documents", &["write", "read"])]).await;

        again.told(200);
        assert_eq!((catalogue().await.version, catalogue().await.policy_id), (before.version, before.policy_id));
        acme.owner.me().await.told(200);
        // A description is told, but grants nothing.
        let described = json!({"name": "documents", "actions": ["read", "write"], "description": "Texts"});
        registers(&key, &[described, folders]).await.told(200);
        acme.owner.me().await.told(200);
        let told = acme.app.events(&acme.owner.door, Name::PermissionsRegistered).await;
        assert_eq!(told.len(), 2);
    }

    async fn what_is_registered_no_more_is_granted_to_nobody_until_it_is_again(acme: Acme) {
        let key = acme.app.key();
        let whole = [resource("documents", &["read", "write"]), resource("folders", &["read"])];
        registers(&key, &whole).await.told(200);
        acme.defines("editor", &[("documents", "write"), ("folders", "*")]).await;
        let mia = acme.joined("mia@example.org", &["editor"]).await.person;
        let asked = ["documents:write", "documents:read", "folders:read"].map(|it| within(&acme.org.id, it));
        assert_eq!(reasons(&mia, &asked).await, ["granted", "not_granted", "granted"]);

        registers(&key, &[resource("documents", &["read"])]).await.told(200);

        mia.me().await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        let _ = acme.owner.refreshes().await.expect(200);
        let gone = ["unknown_permission", "not_granted", "unknown_permission"];
        assert_eq!(reasons(&mia, &asked).await, gone);
        assert_eq!(reasons(&acme.owner, &asked).await, ["unknown_permission", "granted", "unknown_permission"]);
        assert!(!permissions_of(&mia).contains(&"folders:read".to_owned()));
        registers(&key, &whole).await.told(200);
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(reasons(&mia, &asked).await, ["granted", "not_granted", "granted"]);
        registers(&key, &[]).await.told(200);
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(reasons(&mia, &asked).await, ["unknown_permission"; 3]);
    }

    async fn a_catalogue_that_is_none_is_told_in_every_place(app: TestApp) {
        let key = app.key();
        let many = |count: usize| (0..count).map(|it| format!("word-{it}")).collect::<Vec<_>>();
        let actions = many(51);
        let resources: Vec<_> = many(101).iter().map(|it| resource(it, &["read"])).collect();
        let table = [
            (vec![resource("members", &["read"])], "/resources/0/name", "reserved_resource"),
            (vec![resource("users", &["read"])], "/resources/0/name", "reserved_resource"),
            (vec![resource("documents", &[])], "/resources/0/actions", "invalid_actions"),
            (vec![json!({"name": "documents", "actions": actions})], "/resources/0/actions", "invalid_actions"),
            (vec![resource("documents", &["read", "read"])], "/resources/0/actions", "duplicate_action"),
            (vec![resource("documents", &["read"]); 2], "/resources/1/name", "duplicate_resource"),
            (vec![json!({"name": "documents"})], "/resources/0/actions", "required"),
            (resources, "/resources", "too_many"),
        ];
        for (resources, pointer, kind) in table {
            let refused = registers(&key, &resources).await.told(400);
            assert_has(&refused["errors"][0], json!({"pointer": pointer, "type": kind}));
        }
        for name in ["*", "Documents", "a,b", "p, org:viewer, *, *", "documents:read", "d\n", "", "org:owner"] {
            let refused = registers(&key, &[resource(name, &["read"])]).await.told(400);
            assert_eq!(refused["errors"][0]["pointer"], "/resources/0/name", "{name:?}");
            let refused = registers(&key, &[resource("documents", &[name])]).await.told(400);
            assert_eq!(refused["errors"][0]["pointer"], "/resources/0/actions/0", "{name:?}");
        }
        assert_eq!(key.get("/v1/permissions").await.told(200)["resources"], json!([]));
    }

    async fn who_does_not_administer_the_app_registers_nothing(acme: Acme) {
        let documents = [resource("documents", &["read"])];
        registers(&acme.owner, &documents).await.refuses(403, "forbidden");
        let admin = acme.app.admin().await;
        let actor = acme.app.operator().await.becomes(&admin.id, &admin.door).await;
        registers(&actor, &documents).await.refuses(403, "forbidden");
        registers(&acme.app, &documents).await.refuses(401, "unauthenticated");
        assert_eq!(acme.owner.get("/v1/permissions").await.told(200)["resources"], json!([]));

        registers(&admin, &documents).await.told(200);

        assert_eq!(acme.owner.refreshes().await.expect(200).status, 200);
        assert_eq!(acme.owner.get("/v1/permissions").await.told(200)["resources"], json!(documents));
    }

    /// Of twenty catalogues at once each is one version, and one of them is in force: whole, and the
    /// one that the policies have.
    async fn of_many_catalogues_at_once_one_is_in_force(acme: Acme) {
        let key = acme.app.key();
        let names: Vec<_> = (0..20).map(|number| format!("things-{number}")).collect();

        let asked = names.iter().map(|name| async { registers(&key, &[resource(name, &["read"])]).await });
        let replies: Vec<Reply> = join_all(asked).await;

        assert!(replies.iter().all(|reply| reply.status == 200));
        let all = acme.app.of_app::<Catalogue>(&acme.owner.door).await;
        assert_eq!((all.len(), all[0].version), (1, 20));
        let _ = acme.owner.refreshes().await.expect(200);
        let left = text(&key.get("/v1/permissions").await.told(200)["resources"][0]["name"]);
        for name in &names {
            let told = reasons(&acme.owner, &[within(&acme.org.id, &format!("{name}:read"))]).await;
            assert_eq!(told[0] == "granted", *name == left, "{name}: {told:?}");
        }
    }

    async fn checks_about_oneself_are_answered_in_their_order(acme: Acme) {
        let org = &acme.org.id;
        let mia = acme.joined("mia@example.org", &["viewer"]).await.person;
        let checks = [
            check("me:read"), within(org, "members:read"), check("users:list"),
            within(org, "members:add"), check("documents:read"), within(org, "me:read"),
            of(&mia, check("me:update")), of(&mia, within(org, "teams:read")), check("members:read"),
        ];

        let told = reasons(&mia, &checks).await;

        assert_eq!(told, [
            "granted", "granted", "not_granted", "not_granted", "unknown_permission",
            "unknown_permission", "granted", "granted", "unknown_permission",
        ]);
        assert_eq!(answers(&mia, &[], false).await, Vec::<Value>::new());
        let admin = acme.app.admin().await;
        let own = [within(org, "organization:delete"), check("users:ban"), check("apps:operate")];
        assert_eq!(reasons(&admin, &own).await, ["granted", "granted", "not_granted"]);
        assert_eq!(reasons(&acme.app.key(), &own).await, ["granted", "granted", "not_granted"]);
        let operator = acme.app.operator().await;
        let there = format!("{CHECK}{}", acme.owner.door.query());
        let asked = json!({"checks": [&own[0], &own[2], of(&operator, check("me:read"))]});
        let told = operator.post(&there).json(asked).await.told(200);
        let told: Vec<_> = told["results"].as_array().unwrap().iter().map(|it| text(&it["reason"])).collect();
        // The operator is no user of the app that he acts on.
        assert_eq!(told, ["granted", "granted", "unknown"]);
    }

    async fn an_answer_says_by_which_role_team_parent_and_line(acme: Acme) {
        registers(&acme.app.key(), &[resource("documents", &["read", "write"])]).await.told(200);
        let _ = acme.owner.refreshes().await.expect(200);
        let editor = acme.defines("editor", &[("documents", "*")]).await;
        let mia = acme.joined("mia@example.org", &["viewer"]).await;
        let write = within(&acme.org.id, "documents:write");
        // A viewer may not read roles, and so is told of those only that everybody knows.
        assert_eq!(why(&mia.person, write.clone()).await, json!({
            "granted_by": [], "granted_to": ["owner", "admin"],
        }));
        let team = acme.team("Design", &["editor"]).await;
        let _ = acme.puts(&mia, &team, "member").await.expect(201);
        let _ = mia.person.refreshes().await.expect(200);

        let told = why(&mia.person, write.clone()).await;

        assert_eq!(told, json!({"granted_by": [{
            "role": "editor", "through": "team", "team_id": team["id"], "inherited_from": [],
            "rule": "documents:*",
        }], "granted_to": []}));
        assert_eq!(why(&mia.person, within(&acme.org.id, "members:read")).await["granted_by"], json!([
            {"role": "viewer", "through": "membership", "inherited_from": [], "rule": "members:read"},
        ]));
        let inherited = why(&acme.owner, within(&acme.org.id, "members:read")).await;
        assert_eq!(inherited["granted_by"][0]["rule"], "*:*");
        assert_has(&inherited["granted_by"][1], json!({
            "role": "owner", "inherited_from": ["admin"], "rule": "members:*",
        }));
        // Both ways are told of a role that is had in two.
        acme.org.changes(&acme.owner, &mia.member_id, &["editor"]).await.told(200);
        let _ = mia.person.refreshes().await.expect(200);
        let twice = why(&mia.person, write.clone()).await;
        let through: Vec<_> = twice["granted_by"].as_array().unwrap().iter().map(|it| text(&it["through"])).collect();
        assert_eq!(through, ["membership", "team"]);
        let noah = acme.joined("noah@example.org", &["member"]).await.person;
        assert_eq!(why(&noah, write).await["granted_to"], json!(["owner", "admin", "editor"]));
        assert!(!editor.is_empty());
        assert_eq!(why(&noah, check("users:list")).await, json!({"granted_by": [], "granted_to": ["ADMIN"]}));
        assert_eq!(why(&noah, check("me:read")).await["granted_by"], json!([
            {"role": "USER", "through": "app", "inherited_from": [], "rule": "me:read"},
        ]));
        let admin = acme.app.admin().await;
        assert_has(&why(&admin, within(&acme.org.id, "organization:delete")).await["granted_by"][0], json!({
            "role": "ADMIN", "through": "app", "inherited_from": ["owner"], "rule": "*:*",
        }));
    }

    /// What the file of cases expects of the built-in roles is what members are told, and something
    /// explains an answer exactly if it is yes.
    async fn what_is_told_is_what_the_cases_expect(acme: Acme) {
        let key = acme.app.key();
        for role in ["owner", "admin", "member", "viewer"] {
            let person = acme.joined(&format!("{role}@example.org"), &[role]).await.person;
            let cases = organization_cases().expect("the cases can be read").into_iter();
            let own: Vec<_> = cases.filter(|case| case.subject == format!("org:{role}")).collect();
            assert!(own.len() > 24, "{role}");
            let asked: Vec<_> = own.iter().map(|case| {
                let what = json!({"resource": case.object, "action": case.action, "org_id": acme.org.id});
                of(&person, what)
            }).collect();

            let told = answers(&key, &asked, true).await;

            assert_eq!(answers(&person, &asked, true).await.len(), told.len());
            for (case, told) in own.iter().zip(told) {
                assert_eq!(told["allowed"], json!(case.allowed), "{case:?}: {told}");
                let is_explained = told["explanation"]["granted_by"] != json!([]);
                assert_eq!(is_explained, case.allowed, "{case:?}: {told}");
            }
        }
    }

    async fn about_others_asks_only_who_may(acme: Acme) {
        let org = &acme.org.id;
        let mia = acme.joined("mia@example.org", &["viewer"]).await.person;
        let noah = acme.joined("noah@example.org", &["admin"]).await.person;
        let outsider = acme.app.person("olaf@example.org").await;
        let nobody = unknown("UserId");
        let about = |person: &Person| [of(person, within(org, "members:read")), of(person, check("me:read"))];
        // Who may not ask is told the same of everybody.
        for whom in [&noah.id, &outsider.id, &nobody] {
            let asked = [with(within(org, "members:read"), "user_id", whom), with(check("me:read"), "user_id", whom)];
            assert_eq!(reasons(&mia, &asked).await, ["may_not_ask"; 2], "{whom}");
        }
        // Who may ask about members learns nothing about others.
        assert_eq!(reasons(&noah, &about(&mia)).await, ["granted", "may_not_ask"]);
        let admin = acme.app.admin().await;
        for whom in [&outsider.id, &nobody, &admin.id] {
            let asked = [with(within(org, "members:read"), "user_id", whom)];
            assert_eq!(reasons(&noah, &asked).await, ["unknown"], "{whom}");
        }
        let key = acme.app.key();
        assert_eq!(reasons(&key, &about(&mia)).await, ["granted", "granted"]);
        assert_eq!(reasons(&key, &about(&outsider)).await, ["unknown", "granted"]);
        assert_eq!(reasons(&key, &about(&admin)).await, ["granted", "granted"]);
        let nobody = [with(within(org, "members:read"), "user_id", &nobody), with(check("me:read"), "user_id", &nobody)];
        assert_eq!(reasons(&key, &nobody).await, ["unknown", "unknown"]);
        acme.app.key().bans(&mia.id, json!({})).await.told(200);
        assert_eq!(reasons(&key, &about(&mia)).await, ["inactive", "inactive"]);
        assert_eq!(reasons(&noah, &about(&mia)).await, ["inactive", "may_not_ask"]);
    }

    /// Whose organisations and users they are makes no difference: a foreign one is told as one that
    /// there is not, by whomever and with whatever right it is asked for.
    async fn what_is_foreign_is_told_as_what_is_not_there(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["owner"]).await.person;
        let (shop, stranger) = (acme.app.founds("Shop").await, acme.app.person("olga2@example.org").await);
        let elsewhere = acme.app.visitor(&shop.development).becomes("mia@example.org", json!({})).await;
        acme.app.trusts_addresses(&acme.app.own.production).await;
        let next_door = acme.app.visitor(&acme.app.own.production).becomes("noah@example.org", json!({})).await;
        let (org, nothing, nobody) = (acme.org.id.clone(), unknown("OrganizationId"), unknown("UserId"));
        let askers: [(&str, &dyn Asks); 5] = [
            ("a stranger", &stranger),
            ("a user of another app", &elsewhere),
            ("a key of another app", &acme.app.machine(&shop.development)),
            ("a user next door", &next_door),
            ("a key next door", &acme.app.machine(&acme.app.own.production)),
        ];
        for (who, asks) in askers {
            for permission in ["organization:read", "documents:read", "*:*"] {
                let about = |org: &str, user: Option<&str>| {
                    let check = within(org, permission);
                    user.map_or(check.clone(), |user| with(check, "user_id", user))
                };
                let foreign = answers(asks, &[about(&org, None), about(&org, Some(&mia.id))], true).await;
                let missing = answers(asks, &[about(&nothing, None), about(&nothing, Some(&nobody))], true).await;
                assert_eq!(foreign, missing, "{who}, {permission}");
                assert!(foreign.iter().all(|it| it["reason"] == "unknown"), "{who}: {foreign:?}");
            }
        }
        let key = acme.app.machine(&shop.development);
        assert_eq!(reasons(&key, &[of(&mia, check("me:read"))]).await, ["unknown"]);
        let own = [with(within(&org, "members:read"), "user_id", &elsewhere.id)];
        assert_eq!(reasons(&acme.app.key(), &own).await, ["unknown"]);
    }

    async fn names_of_policy_syntax_are_names_that_nobody_has(acme: Acme) {
        let org = &acme.org.id;
        for name in ["*", "", " ", "read\n", "p, org:viewer, *, *", "g2", ".*", "members\" || true", "org:owner", "r.sub"] {
            for (resource, action) in [(name, "read"), ("members", name), (name, name)] {
                let what = json!({"resource": resource, "action": action});
                let asked = [what.clone(), with(what, "org_id", org)];
                let told = reasons(&acme.owner, &asked).await;
                assert_eq!(told, ["unknown_permission"; 2], "{resource:?} {action:?}");
            }
        }
        for (member, value) in [("org_id", "*"), ("org_id", ""), ("org_id", "acme"), ("user_id", "*"), ("user_id", "role:ADMIN")] {
            let asked = json!({"checks": [check("me:read"), with(check("me:read"), member, value)]});
            let refused = acme.owner.post(CHECK).json(asked).await.told(400);
            assert_eq!(refused["errors"][0]["pointer"], format!("/checks/1/{member}"), "{value}");
        }
    }

    async fn more_than_a_hundred_checks_and_half_ones_are_refused(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let ask = async |body: Value| mia.post(CHECK).json(body).await;
        let all = vec![check("me:read"); 101];

        assert_eq!(answers(&mia, &all[1..], false).await.len(), 100);
        assert_eq!(ask(json!({"checks": all})).await.told(400)["errors"][0]["type"], "too_many");
        for (body, pointer) in [
            (json!({}), "/checks"),
            (json!({"checks": "me:read"}), "/checks"),
            (json!({"checks": [{"resource": "me"}]}), "/checks/0/action"),
            (json!({"checks": [{"resource": "me", "action": 7}]}), "/checks/0/action"),
            (json!({"checks": [{"resource": "me", "action": "a".repeat(65)}]}), "/checks/0/action"),
            (json!({"checks": [{"resource": "me", "action": "read", "app_id": "x"}]}), "/checks/0/app_id"),
            (json!({"checks": [], "explain": "yes"}), "/explain"),
        ] {
            assert_eq!(ask(body.clone()).await.told(400)["errors"][0]["pointer"], pointer, "{body}");
        }
    }

    /// Whoever acts as an owner may look at what he may do himself then, which is next to nothing.
    async fn who_acts_as_another_is_told_what_is_left_to_him(acme: Acme) {
        let org = &acme.org.id;
        let actor = acme.app.operator().await.becomes(&acme.owner.id, &acme.owner.door).await;
        let checks = [
            check("me:read"), check("me:update"), within(org, "organization:read"),
            of(&acme.owner, within(org, "organization:delete")), of(&acme.owner, check("me:update")),
        ];

        let told = reasons(&actor, &checks).await;

        assert_eq!(told, ["granted", "not_granted", "unknown", "unknown", "not_granted"]);
    }

    /// However many checks there are about one organisation and one user, each is looked up once.
    async fn a_hundred_checks_cost_the_store_what_one_costs(acme: Acme) {
        let (mia, key) = (acme.joined("mia@example.org", &["viewer"]).await.person, acme.app.key());
        let team = acme.team("Design", &["member"]).await;
        assert_eq!(team["roles"], json!(["member"]));
        let one = within(&acme.org.id, "members:read");
        let cost = async |asks: &dyn Asks, check: &Value, count: usize| {
            let all = vec![check.clone(); count];
            acme.app.calls_for(async || {
                assert_eq!(answers(asks, &all, true).await.len(), count);
            }).await
        };
        for (asks, check) in [(&mia as &dyn Asks, one.clone()), (&key, of(&mia, one))] {
            let (of_one, of_many) = (cost(asks, &check, 1).await, cost(asks, &check, 100).await);

            assert_eq!(of_one, of_many);
            assert!(of_one <= 9, "{of_one}");
        }
    }

    /// Looking changes nothing, whatever is asked for.
    async fn a_check_leaves_nothing_behind(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["viewer"]).await.person;
        let state = async || {
            let door = &acme.owner.door;
            json!([
                acme.app.of_app::<User>(door).await,
                acme.app.of_environment::<Organization>(door).await,
                acme.app.of_environment::<authsome::events::Event>(door).await,
            ])
        };
        let before = state().await;

        let asked = ["members:add", "organization:delete", "rights:check", "organization_roles:create"];
        let asked = asked.map(|it| within(&acme.org.id, it));
        assert_eq!(reasons(&mia, &asked).await, ["not_granted"; 4]);

        assert_eq!(state().await, before);
    }

    /// Many actions do not fit: the token says where to ask instead, and is short enough for a header.
    async fn what_does_not_fit_into_a_token_is_asked_for(acme: Acme) {
        let actions: Vec<_> = (0..50).map(|it| format!("action-of-some-length-{it}")).collect();
        let resources: Vec<_> = (0..30).map(|it| json!({"name": format!("resource-{it}"), "actions": actions})).collect();
        registers(&acme.app.key(), &resources).await.told(200);

        let told = acme.owner.refreshes().await.told(200);

        assert!(text(&told["access_token"]).len() <= 8 * 1024);
        let said = acme.owner.claims();
        assert_eq!(said.get("permissions"), None);
        let elsewhere = text(&said["permissions_ref"]);
        assert!(elsewhere.ends_with(CHECK), "{elsewhere}");
        let asked = within(&acme.org.id, "resource-29:action-of-some-length-49");
        assert_eq!(reasons(&acme.owner, &[asked]).await, ["granted"]);
    }

    /// In however many organisations somebody is, a token is about one of them or none.
    async fn a_token_does_not_grow_with_the_organisations_of_its_user(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let mut last = None;
        for number in 0..100 {
            last = Some(app.org(&format!("acme-{number}"), &mia).await);
        }

        let none = text(&mia.signs_in().await.told(200)["access_token"]);
        let one = text(&mia.switches_to(last.as_ref()).await.told(200)["access_token"]);

        assert!(none.len() < 1024, "{}", none.len());
        assert!(one.len() <= 4 * 1024, "{}", one.len());
        assert_eq!(mia.claims()["org_id"], json!(last.unwrap().id));
    }

    async fn a_catalogue_that_changes_here_counts_there_within_a_second(acme: Acme) {
        let node = acme.app.another_node(&[]).await;
        acme.defines("editor", &[("documents", "read")]).await;
        let mia = acme.joined("mia@example.org", &["editor"]).await.person;
        let there = async |token: &str| {
            let asked = json!({"checks": [within(&acme.org.id, "documents:read")]});
            node.client().post(CHECK).bearer(token).json(asked).await
        };
        let old = mia.access_token();
        assert_eq!(there(&old).await.told(200)["results"][0]["reason"], "unknown_permission");
        let free = mia.on_another_device().await;
        let _ = free.switches_to(None).await.expect(200);

        registers(&acme.app.key(), &[resource("documents", &["read"])]).await.told(200);

        let decided = async |reason: &str| {
            let told = there(&free.access_token()).await.told(200);
            told["results"][0]["reason"] == reason
        };
        eventually(async || decided("granted").await).await;
        eventually(async || there(&old).await.kind() == "invalid_token").await;
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(there(&mia.access_token()).await.told(200)["results"][0]["reason"], "granted");
        registers(&acme.app.key(), &[]).await.told(200);
        eventually(async || decided("unknown_permission").await).await;
        let last = mia.access_token();
        eventually(async || there(&last).await.kind() == "invalid_token").await;
    }
}

/// What was told a moment ago on either node is no excuse: not here, and there for a second at most.
#[test]
fn every_one_of_ten_changes_is_decided_alike_on_two_nodes() {
    run(async {
        let acme = Acme::on(Backend::Mongo).await;
        let node = acme.app.another_node(&[]).await;
        let free = acme.owner.on_another_device().await;
        let _ = free.switches_to(None).await.expect(200);
        let key = acme.app.key();
        for round in 0..10 {
            let name = format!("things-{round}");
            registers(&key, &[resource(&name, &["read"])])
                .await
                .told(200);

            let asked = json!({"checks": [
                within(&acme.org.id, &format!("{name}:read")),
                within(&acme.org.id, &format!("things-{}:read", round + 1)),
            ]});
            let decides = async |client: &Client| {
                let told = client.post(CHECK).bearer(&free.access_token());
                let told = told.json(asked.clone()).await.told(200);
                told["results"][0]["allowed"] == true && told["results"][1]["allowed"] == false
            };
            assert!(decides(acme.app.client()).await, "{round}");
            eventually(async || decides(node.client()).await).await;
        }
    });
}
