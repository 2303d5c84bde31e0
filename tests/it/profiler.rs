//! How MongoDB answers every operation: by an index.
//!
//! Each test app fails where a whole collection was read ([`crate::support::plans`]); here every
//! operation is called, with every filter and page, and the profiler writes down all that it does.

mod administration;
mod configuration;
mod environments;
mod invitations;
mod keys;
mod organizations;
mod roles;
mod webhooks;

use std::collections::BTreeSet;
use std::time::Duration;

use authsome::config::StoreUrl;
use authsome::kernel::secret::ExposeSecret;
use mongodb::Database;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use crate::contract::operations;
use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply};
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::plans::{self, not_of_a_stream, told};
use crate::support::stores::{Backend, run};

/// The database behind an app, past the port.
async fn database(app: &TestApp) -> Database {
    let StoreUrl::Mongo { url, .. } = &app.foundation().config.store.url else {
        panic!("not an app on MongoDB")
    };
    plans::database(url.expose_secret()).await
}

/// Writes everything down from now on.
async fn watch(database: &Database) {
    let everything = doc! {"profile": 2, "filter": "unset"};
    database.run_command(everything).await.expect("a profiler");
}

/// What was written down about our collections.
async fn written(database: &Database) -> Vec<Document> {
    database
        .run_command(doc! {"profile": 0})
        .await
        .expect("a profiler");
    let ours = format!("^{}\\.authsome_", database.name());
    let profile = database.collection::<Document>("system.profile");
    let mut which = not_of_a_stream();
    which.insert("ns", doc! {"$regex": ours});
    let mut cursor = profile.find(which).await.expect("a profile");
    let mut all = Vec::new();
    while cursor.advance().await.expect("the profile can be read") {
        all.push(cursor.deserialize_current().expect("a document"));
    }
    // What was looked at here is not to be judged again when the app ends.
    profile.drop().await.expect("a profile can be dropped");
    all
}

/// Entries whose query read a whole collection.
fn scans(entries: &[Document]) -> Vec<&Document> {
    let is_scan = |entry: &&Document| {
        entry
            .get_str("planSummary")
            .is_ok_and(|it| it.contains("COLLSCAN"))
    };
    entries.iter().filter(is_scan).collect()
}

/// Every operation of the document, called in a way that reaches the store.
#[derive(Default)]
struct Scenario {
    called: BTreeSet<String>,
}

impl Scenario {
    #[expect(clippy::needless_pass_by_value, reason = "callers ask in place")]
    /// Notes which operation was called, and wants it to have succeeded.
    fn calls(&mut self, operation: &str, reply: Reply) -> Value {
        self.called.insert(operation.to_owned());
        assert!(
            reply.status < 300,
            "{operation}: {} {}",
            reply.status,
            reply.text()
        );
        reply.json()
    }

    async fn signs_people_in(&mut self, app: &TestApp) {
        let visitor = app.visitor(&app.own.development);
        let account = json!({
            "email": "mia@example.org", "password": PASSWORD,
            "username": "mia", "phone": "+4930123456",
        });
        self.calls(
            "auth.sign_up",
            visitor.post("/v1/signup").json(account).await,
        );
        for name in [json!({"username": "mia"}), json!({"phone": "+4930123456"})] {
            let mut body = json!({"password": PASSWORD});
            body.as_object_mut()
                .expect("an object")
                .extend(name.as_object().expect("one").clone());
            self.calls("auth.sign_in", visitor.post("/v1/signin").json(body).await);
        }
    }

    async fn goes_about_in_sessions(&mut self, app: &TestApp) {
        let visitor = app.visitor(&app.own.development);
        let mia = visitor.enters("mia@example.org", PASSWORD).await;
        let spent = mia.refresh_token();
        self.calls("auth.refresh", mia.refreshes().await);
        self.calls("me.read", mia.me().await);
        self.calls("me.auth_methods", mia.get("/v1/me/auth-methods").await);
        let changes = json!({"username": "mia2", "phone": "+4930123457", "first_name": "Mia"});
        self.calls("me.update", mia.patch("/v1/me").json(changes).await);
        let other = mia.on_another_device().await;
        self.calls("sessions.list", mia.sessions().await);
        let page = self.calls("sessions.list", mia.get("/v1/sessions?limit=1").await);
        let next = page["next_cursor"]
            .as_str()
            .expect("more sessions")
            .to_owned();
        self.calls(
            "sessions.list",
            mia.get(&format!("/v1/sessions?limit=1&cursor={next}"))
                .await,
        );
        let session = format!("/v1/sessions/{}", other.session_id());
        self.calls("sessions.revoke", mia.delete(&session).await);
        self.calls(
            "users.read",
            mia.get(&format!("/v1/users/{}", mia.id)).await,
        );
        mia.presents(&spent)
            .await
            .refuses(401, "refresh_token_reused");
        let again = visitor.enters("mia@example.org", PASSWORD).await;
        self.calls("auth.sign_out", again.signs_out().await);
        let again = visitor.enters("mia@example.org", PASSWORD).await;
        self.calls("auth.sign_out_all", again.signs_out_everywhere().await);
        visitor
            .signs_in("nobody@example.org", PASSWORD)
            .await
            .refuses(401, "invalid_credentials");
        visitor
            .signs_up("mia@example.org", PASSWORD)
            .await
            .refuses(409, "email_taken");
    }

    async fn administers(&mut self, app: &TestApp) {
        let machine = app.key();
        let noah = app.person("noah@example.org").await;
        let reply = machine.assigns(&noah.id, &["ADMIN"]).await;
        self.calls("admin.users.assign_roles", reply);
        let _ = noah.refreshes().await.expect(200);
        let query = format!("/v1/admin/users/{}", noah.id);
        self.calls("admin.users.read", noah.get(&query).await);
        let list = "/v1/admin/users";
        for query in [
            "",
            "?limit=1",
            "?include=total",
            "?page=2&recordPerPage=1",
            "?email=noah@",
            "?role=ADMIN",
            "?role=USER&status=active",
            "?status=banned",
            "?email=m&role=USER&status=active&include=total",
            "?role=ADMIN&page=1&recordPerPage=5",
            "?search=noah",
            "?created_from=2040-01-01T00:00:00Z&created_to=2041-01-01T00:00:00Z&include=total",
        ] {
            self.calls(
                "admin.users.list",
                machine.get(&format!("{list}{query}")).await,
            );
        }
        let page = machine
            .get(&format!("{list}?limit=1&role=USER"))
            .await
            .told(200);
        let next = page["next_cursor"].as_str().expect("more users");
        let query = format!("{list}?limit=1&role=USER&cursor={next}");
        self.calls("admin.users.list", machine.get(&query).await);
        self.sends_people_away(app).await;
        self.calls("environments.list", machine.get("/v1/environments").await);
        let settings = format!("/v1/environments/{}/settings", app.own.development.env_id);
        self.calls("environments.settings.read", machine.get(&settings).await);
        let open = json!({"allowed_origins": ["https://app.example.com"]});
        self.calls(
            "environments.settings.update",
            machine.sets(&app.own.development, open).await,
        );
        machine
            .assigns(&noah.id, &[])
            .await
            .refuses(409, "last_admin");
    }

    async fn sends_people_away(&mut self, app: &TestApp) {
        let machine = app.key();
        let olga = app.person("olga@example.org").await;
        let sessions = format!("/v1/admin/users/{}/sessions", olga.id);
        self.calls("admin.users.sessions.list", machine.get(&sessions).await);
        let reply = machine.delete(&sessions).await;
        self.calls("admin.users.sessions.revoke", reply);
        let reply = machine.bans(&olga.id, json!({"reason": "spam"})).await;
        self.calls("admin.users.ban", reply);
        self.calls("admin.users.unban", machine.unbans(&olga.id).await);
        let _ = olga.signs_in().await.expect(200);
        self.calls("me.export", olga.get("/v1/me/export").await);
        self.calls("me.delete", olga.leaves(PASSWORD).await);
        let paul = app.person("paul@example.org").await;
        self.calls("admin.users.delete", machine.deletes(&paul.id).await);
    }

    async fn lives_by_mail(&mut self, app: &TestApp) {
        let (visitor, email) = (app.visitor(&app.own.development), "rosa@example.org");
        let rosa = app.person(email).await;
        // Of two links of one instant either may be the newest, which alone is good.
        app.clock.advance(Duration::from_secs(1));
        let whose = json!({"email": email});
        let by_letter = [
            (1, "auth.resend_verification", "/v1/verify-email/resend"),
            (2, "auth.forgot_password", "/v1/forgot-password"),
            // The one between says that the password was changed.
            (4, "auth.send_magic_link", "/v1/magic-link/send"),
        ];
        let followed = [
            ("auth.verify_email", "/v1/verify-email"),
            ("auth.reset_password", "/v1/reset-password"),
            ("auth.verify_magic_link", "/v1/magic-link/verify"),
        ];
        for ((before, ask, at), (follow, to)) in by_letter.into_iter().zip(followed) {
            // Letters that wait together may overtake each other, and links of one instant are in no order.
            let _ = app.nth_letter_to(email, before).await;
            app.clock.advance(Duration::from_secs(1));
            self.calls(ask, visitor.post(at).json(whose.clone()).await);
            let mut body = json!({"token": app.nth_letter_to(email, before + 1).await.token()});
            if follow == "auth.reset_password" {
                body["new_password"] = json!(PASSWORD);
            }
            self.calls(follow, app.post(to).json(body).await);
        }
        let code = json!({"email": email, "code": "123456"});
        visitor
            .post("/v1/verify-email")
            .json(code)
            .await
            .refuses(400, "invalid_code");
        self.changes_who_she_is(app, rosa.visitor().enters(email, PASSWORD).await)
            .await;
    }

    async fn changes_who_she_is(&mut self, app: &TestApp, rosa: Person) {
        let change = json!({"email": "rosa@example.net", "password": PASSWORD});
        let reply = rosa.post("/v1/me/change-email").json(change).await;
        self.calls("me.change_email", reply);
        let token = json!({"token": app.letter_to("rosa@example.net").await.token()});
        let reply = app.post("/v1/me/change-email/confirm").json(token).await;
        self.calls("me.confirm_email_change", reply);
        let _ = rosa.refreshes().await.expect(200);
        let both = json!({"current_password": PASSWORD, "new_password": "a short loud brook"});
        let reply = rosa.post("/v1/change-password").json(both).await;
        self.calls("auth.change_password", reply);
    }

    async fn keeps_devices(&mut self, app: &TestApp) {
        let olaf = app.person("olaf@example.org").await;
        let page = self.calls("devices.list", olaf.get("/v1/devices").await);
        let id = page["devices"][0]["id"].as_str().expect("a device");
        let path = format!("/v1/devices/{id}");
        self.calls("devices.read", olaf.get(&path).await);
        let name = json!({"name": "Kitchen tablet"});
        self.calls("devices.update", olaf.patch(&path).json(name).await);
        let trust = json!({"trusted": true, "days": 90});
        let reply = olaf.patch(&format!("{path}/trust")).json(trust).await;
        self.calls("devices.trust", reply);
        self.calls("devices.remove", olaf.delete(&path).await);
    }

    async fn sees_to_guards(&mut self, app: &TestApp) {
        let machine = app.key();
        let otto = app.person("otto@example.org").await;
        let of_otto = |what: &str| format!("/v1/admin/users/{}/{what}", otto.id);
        otto.visitor()
            .signs_in(&otto.email, "another long password")
            .await
            .refuses(401, "invalid_credentials");
        self.calls("admin.users.lock.read", machine.get(&of_otto("lock")).await);
        self.calls("admin.users.unlock", machine.post(&of_otto("unlock")).await);
        let reply = machine.post(&of_otto("reset-password")).await;
        self.calls("admin.users.reset_password", reply);
        for query in [
            "",
            "?limit=1",
            "?status=sent&template=verify_email",
            &format!("?user_id={}", otto.id),
        ] {
            let list = format!("/v1/admin/notifications{query}");
            self.calls("admin.notifications.list", machine.get(&list).await);
        }
        let config = format!(
            "/v1/admin/apps/{}/session-config",
            app.own.development.app_id
        );
        self.calls("admin.session_config.read", machine.get(&config).await);
        let rules = json!({"idle_timeout_seconds": 86400, "max_active_sessions": 2});
        let reply = machine.request("PUT", &config).json(rules).await;
        self.calls("admin.session_config.replace", reply);
        for _ in 0..3 {
            let _ = otto.signs_in().await.expect(200);
        }
        self.calls("admin.session_config.reset", machine.delete(&config).await);
    }

    async fn follows(&mut self, app: &TestApp) {
        let machine = app.key();
        for query in ["", "?limit=1"] {
            let list = format!("/v1/revocations{query}");
            let page = self.calls("revocations.list", machine.get(&list).await);
            let next = page["next"].as_str().expect("somewhere to go on");
            let list = format!("/v1/revocations?after={next}");
            self.calls("revocations.list", machine.get(&list).await);
        }
    }

    async fn audits(&mut self, app: &TestApp) {
        let machine = app.key();
        let olga = app.person("olga@example.org").await;
        for query in [
            "",
            "?limit=1",
            "?name=session.created&outcome=success",
            "?actor=nobody",
            &format!("?target={}", olga.id),
            &format!("?user_id={}&limit=1", olga.id),
            "?from=2040-01-01T00:00:00Z&to=2041-01-01T00:00:00Z",
            "?org_id=aorg_01h2xcejqtf2nbrexx3vqjhp41&limit=1",
        ] {
            let list = format!("/v1/admin/security-events{query}");
            self.calls("admin.security_events.list", machine.get(&list).await);
        }
    }

    async fn operates(&mut self, app: &TestApp) {
        let operator = app.operator().await;
        let query = app.own.development.query();
        let list = format!("/v1/admin/users{query}");
        self.calls("admin.users.list", operator.get(&list).await);
        let rolf = app.person("rolf@example.org").await;
        for stops in [true, false] {
            let begun = operator.impersonates(&rolf.id, &query).await;
            let begun = self.calls("admin.impersonation.start", begun);
            let token = begun["access_token"].as_str().expect("a token");
            if stops {
                let stop = app.post("/v1/admin/impersonate/stop").bearer(token);
                self.calls("admin.impersonation.stop", stop.await);
            }
        }
        let metrics = operator.get("/metrics").await.expect(200);
        assert!(metrics.text().contains("authsome_store_up 1"));
        self.called.insert("metrics.read".to_owned());
        let founds = || {
            operator
                .post(&format!("/v1/orgs{query}"))
                .json(json!({"name": "Once"}))
        };
        for _ in 0..2 {
            let _ = founds().header("idempotency-key", "k-1").await;
        }
        let _ = operator.signs_out_everywhere().await.expect(204);
    }

    async fn looks_around(&mut self, app: &TestApp) {
        let visitor = app.visitor(&app.own.development);
        for (operation, path) in [
            ("client_config.read", "/v1/client-config"),
            ("discovery.jwks", "/.well-known/jwks.json"),
            ("discovery.manifest", "/.well-known/authsome/manifest"),
            (
                "discovery.openid_configuration",
                "/.well-known/openid-configuration",
            ),
            (
                "discovery.authorization_server",
                "/.well-known/oauth-authorization-server",
            ),
            ("meta.openapi", "/.well-known/authsome/openapi"),
            ("meta.problem", "/problems/not_found"),
            ("health.read", "/v1/health"),
            ("health.live", "/livez"),
            ("health.ready", "/readyz"),
        ] {
            self.calls(operation, visitor.get(path).await);
        }
        self.calls("discovery.jwks", app.get("/.well-known/jwks.json").await);
        let preflight = app
            .request("OPTIONS", "/v1/signin")
            .header("origin", "https://app.example.com");
        let _ = preflight
            .header("access-control-request-method", "POST")
            .await
            .expect(204);
    }
}

/// Collections that operations ask for.
const ASKED: [&str; 29] = [
    "api_keys",
    "app_client_configs",
    "apps",
    "branding_configs",
    "credentials",
    "environment_removals",
    "environments",
    "events",
    "idempotency_keys",
    "form_configs",
    "form_versions",
    "invitations",
    "leases",
    "members",
    "notifications",
    "organizations",
    "permissions",
    "revocations",
    "roles",
    "service_accounts",
    "sessions",
    "settings",
    "signing_keys",
    "superseded_keys",
    "team_members",
    "teams",
    "users",
    "webhook_deliveries",
    "webhooks",
];

#[test]
fn no_operation_reads_a_whole_collection() {
    run(async {
        let app = TestApp::on(Backend::Mongo).await;
        let database = database(&app).await;
        watch(&database).await;
        let mut scenario = Scenario::default();
        let acme = Acme::of(app, "acme.owner@example.org").await;
        let app = &acme.app;

        scenario.signs_people_in(app).await;
        scenario.goes_about_in_sessions(app).await;
        scenario.administers(app).await;
        scenario.lives_by_mail(app).await;
        scenario.keeps_devices(app).await;
        scenario.sees_to_guards(app).await;
        scenario.configures(app).await;
        scenario.follows(app).await;
        scenario.audits(app).await;
        scenario.works_in_organizations(app).await;
        scenario.invites_people(&acme).await;
        scenario.defines_roles(&acme).await;
        scenario.listens(&acme).await;
        scenario.brands(&acme).await;
        scenario.gives_keys(&acme).await;
        // Ends every session that was begun before.
        scenario.runs_an_app(app).await;
        scenario.runs_apps(app).await;
        scenario.keeps_environments(app).await;
        scenario.operates(app).await;
        scenario.looks_around(app).await;
        // A node that starts reads what counts, and asks again every second.
        let _node = app.another_node(&[]).await;

        let all: BTreeSet<String> = operations().into_iter().map(|it| it.id).collect();
        assert_eq!(scenario.called, all, "call here whatever is documented");
        let entries = written(&database).await;
        let scans: Vec<_> = scans(&entries).into_iter().map(told).collect();
        assert!(
            scans.is_empty(),
            "whole collections were read:\n{}",
            scans.join("\n")
        );
        let seen: BTreeSet<_> = entries
            .iter()
            .filter_map(|it| it.get_str("ns").ok())
            .collect();
        for collection in ASKED {
            let ns = format!("{}.authsome_{collection}", database.name());
            assert!(
                seen.contains(&*ns),
                "the profiler has seen nothing of {collection}"
            );
        }
    });
}

#[test]
fn a_query_without_an_index_is_caught() {
    run(async {
        let app = TestApp::on(Backend::Mongo).await;
        let database = database(&app).await;
        app.person("mia@example.org").await;
        watch(&database).await;

        let users = database.collection::<Document>("authsome_users");
        users
            .find_one(doc! {"first_name": "Mia"})
            .await
            .expect("an answer");

        let entries = written(&database).await;
        assert_eq!(scans(&entries).len(), 1, "{entries:#?}");
    });
}
