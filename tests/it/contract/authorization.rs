//! The document as the test of authorization: who is let in is what each operation says.

use std::collections::BTreeSet;

use authsome::access::{EnterOrganizations, Permission, Policy, Role, impersonated, subjects};
use authsome::api_keys;
use authsome::environments::Environment;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::secret::ExposeSecret;
use authsome::kernel::text::Label;
use serde_json::json;

use super::{Operation, guarded, operations};
use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply, Request};
use crate::support::persona::{Actor, Machine, Person};
use crate::support::stores::{on_both_stores, run};

/// Operations that anybody may call. Whoever adds one has thought about it.
const OPEN: &[&str] = &[
    "auth.forgot_password",
    "auth.refresh",
    "auth.resend_verification",
    "auth.reset_password",
    "auth.send_magic_link",
    "auth.sign_in",
    "auth.sign_up",
    "auth.verify_email",
    "auth.verify_magic_link",
    "client_config.read",
    "discovery.authorization_server",
    "discovery.jwks",
    "discovery.manifest",
    "discovery.openid_configuration",
    "health.live",
    "health.read",
    "health.ready",
    "me.confirm_email_change",
    "meta.openapi",
    "meta.problem",
    "orgs.invitations.accept",
    "orgs.invitations.decline",
    "orgs.invitations.lookup",
    "tokens.exchange",
];

/// Operations for everybody who has a credential: what differs is whom they know.
const OF_EVERYBODY: &[&str] = &["permissions.check", "users.read"];

/// Operations for people that they can also have a key of their own do, which is a key like others.
const OF_PERSONAL_KEYS: &[&str] = &["me.orgs", "me.read", "orgs.list"];

/// Operations that want somebody to answer for them, although the policy lets a key do as much.
const OF_PEOPLE: &[&str] = &["admin.impersonation.start", "orgs.leave", "orgs.transfer"];

#[test]
fn what_needs_no_permission_is_listed() {
    let open = operations()
        .into_iter()
        .filter(|it| it.permission.is_none())
        .map(|it| it.id);

    assert_eq!(
        open.collect::<BTreeSet<_>>(),
        OPEN.iter().map(|id| (*id).to_owned()).collect()
    );
}

/// The same request with its body and its query spoilt, where it can have them.
fn spoilt(operation: &Operation, app: &TestApp) -> Vec<Request> {
    let path = operation.path_of_nothing();
    let ask = |path: &str| app.request(operation.method, path);
    let mut all = vec![ask(&format!("{path}?limit=none&surprise=1"))];
    if !operation.identifiers().is_empty() {
        all.push(ask(&operation.path_with(|_| "no-identifier".to_owned())));
    }
    if operation.has_body() {
        all.push(ask(&path).body("application/json", "{\"email\":"));
        all.push(ask(&path).body("text/plain", "hello"));
        all.push(ask(&path).json(json!({"surprise": true})));
        all.push(ask(&path).body("application/json", vec![b' '; 70_000]));
    }
    all
}

on_both_stores! {
    async fn without_a_credential_every_guarded_operation_says_401(app: TestApp) {
        for operation in guarded() {
            let ask = || operation.request(&app, &operation.path_of_nothing());
            ask().await.refuses(401, "unauthenticated");
            ask().at(&app.own.development).await.refuses(401, "unauthenticated");
            for credential in ["", "no.such.token", "sk_test_nothing", &"a".repeat(9000)] {
                ask().bearer(credential).await.refuses(401, "invalid_token");
            }
            ask().api_key("sk_test_nothing").await.refuses(401, "invalid_token");
            ask().header("authorization", "Basic YTpi").await.refuses(401, "invalid_token");
        }
    }

    async fn whoever_is_not_let_in_learns_nothing_about_his_request(app: TestApp) {
        for operation in guarded() {
            for request in spoilt(&operation, &app) {
                request.await.refuses(401, "unauthenticated");
            }
            for request in spoilt(&operation, &app) {
                request.bearer("no.such.token").await.refuses(401, "invalid_token");
            }
        }
    }

    async fn a_session_that_has_ended_opens_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let _ = mia.signs_out().await.expect(204);
        for operation in guarded() {
            let reply = operation.request(&mia, &operation.path_of_nothing()).await;
            reply.refuses(401, "invalid_token");
        }
    }

    async fn a_refresh_token_is_no_access_token(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for operation in guarded() {
            let ask = operation.request(&app, &operation.path_of_nothing());
            ask.bearer(&mia.refresh_token()).await.refuses(401, "invalid_token");
        }
    }

    /// What a key may do are its roles: by being one it has none, in the app or in an organisation.
    async fn a_key_without_roles_opens_nothing(app: TestApp) {
        let door = &app.own.development;
        let all = app.of_app::<Environment>(door).await;
        let own = all.iter().find(|it| it.id == door.tenant().env_id).expect("it is there");
        let named = (Label::parse("Nobody").expect("a name"), Vec::new());
        let mut once = app.store().once();
        let made = (app.clock.now(), &Entropy::system());
        let key = api_keys::create(&mut once.within(door.tenant()), own, named, made).await;
        let secret = key.expect("the store answers");
        for operation in guarded() {
            let reply = operation.request(&app, &operation.path_of_nothing()).api_key(secret.expose_secret()).await;
            reply.refuses(403, "forbidden");
        }
    }

    async fn key_and_credential_of_different_apps_disagree(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let shop = app.founds("Shop").await;
        for operation in guarded() {
            for door in [&shop.development, &app.own.production] {
                let ask = operation.request(&mia, &operation.path_of_nothing());
                ask.at(door).await.refuses(401, "tenant_mismatch");
            }
        }
    }

    async fn a_credential_opens_what_the_policy_gives_it_and_nothing_else(app: TestApp) {
        let policy = Policy::built_in().await.expect("the policy is sound");
        let callers = Callers::of(&app).await;
        for operation in guarded() {
            let refused = callers.ask_all(&operation, &policy).await;
            // Who is let into an organisation is for it to say; who acts as another is nowhere.
            let is_as_expected = if operation.is_of_an_organization() {
                refused == 1
            } else {
                (refused == 0) == OF_EVERYBODY.contains(&&*operation.id)
            };
            assert!(is_as_expected, "{}: {refused} were refused", operation.id);
        }
    }
}

/// One caller of every standing that a credential can have.
struct Callers {
    user: Person,
    admin: Person,
    operator: Person,
    machine: Machine,
    /// The operator, as the administrator.
    actor: Actor,
}

impl Callers {
    async fn of(app: &TestApp) -> Self {
        let (admin, operator) = (app.admin().await, app.operator().await);
        Self {
            user: app.person("user@example.org").await,
            actor: operator.becomes(&admin.id, &admin.door).await,
            admin,
            operator,
            machine: app.key(),
        }
    }

    /// Asks as each of them; how many were refused.
    async fn ask_all(&self, operation: &Operation, policy: &Policy) -> usize {
        let mut refused = 0;
        let path = operation.path_of_nothing();
        let is_harmful = ["/v1/signout", "/v1/admin/impersonate/stop"]
            .iter()
            .any(|path| operation.path.starts_with(path));
        let asks: [(&str, &dyn Asks, Vec<String>); 5] = [
            ("a user", &self.user, subjects(false, &[Role::User])),
            (
                "an admin",
                &self.admin,
                subjects(false, &[Role::Admin, Role::User]),
            ),
            (
                "an operator",
                &self.operator,
                subjects(true, &[Role::Owner, Role::User]),
            ),
            ("a key", &self.machine, subjects(false, &[Role::Admin])),
            ("who acts as an admin", &self.actor, impersonated()),
        ];
        for (who, asks, subjects) in asks {
            let is_allowed = allows(policy, &subjects, operation);
            if is_allowed && is_harmful {
                // It would end the session that the next question is asked with.
                continue;
            }
            let reply = operation.request(asks, &path).await;
            if who == "a key" && OF_PEOPLE.contains(&&*operation.id) {
                // In an organisation that is there; this one is not.
                let is_refused =
                    ["403 user_required", "404 not_found"].contains(&&*reply.outcome());
                assert!(is_refused, "{}: {}", operation.id, reply.text());
                continue;
            }
            assert_eq!(
                is_let_in(&reply),
                is_allowed,
                "{who}, {}: {}",
                operation.id,
                reply.text()
            );
            refused += usize::from(!is_allowed);
        }
        refused
    }
}

fn allows(policy: &Policy, subjects: &[String], operation: &Operation) -> bool {
    if operation.is_of_an_organization() {
        let (object, action) = (EnterOrganizations::OBJECT, EnterOrganizations::ACTION);
        return policy.allows(subjects, object, action);
    }
    let row = operation.row();
    policy.allows(subjects, row.object, row.action)
}

/// Past the guard; what is asked for does not exist, so 404 is an answer of the handler.
fn is_let_in(reply: &Reply) -> bool {
    match (reply.status, &*reply.kind()) {
        // The proof that an operation wants beyond the access token; going on in an organisation that is
        // not there; a key that does not say for whom it founds.
        (401, "invalid_credentials")
        | (403, "not_a_member" | "user_required" | "scope_not_held") => true,
        (401, _) | (403, "forbidden") => false,
        (403, other) => panic!("not a refusal of the guard: {other}"),
        _ => true,
    }
}

/// A session-only operation says so: an API key is a caller, but nobody who signs in.
#[test]
fn what_only_people_can_do_is_documented_without_api_keys() {
    run(async {
        let policy = Policy::built_in().await.expect("the policy is sound");
        for operation in guarded() {
            assert!(operation.takes("session"), "{}", operation.id);
            let is_for_keys = allows(&policy, &subjects(false, &[Role::Admin]), &operation);
            let is_for_keys = is_for_keys && !OF_PEOPLE.contains(&&*operation.id);
            let is_for_own = OF_PERSONAL_KEYS.contains(&&*operation.id);
            let takes_keys = operation.takes("api_key");
            assert_eq!(takes_keys, is_for_keys || is_for_own, "{}", operation.id);
        }
    });
}
