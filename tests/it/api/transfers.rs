//! Transfers that last: what becomes of one whose caller, app or environment is gone meanwhile.

use authsome::credentials::Credential;
use authsome::events::{Event, Name, Origin};
use authsome::kernel::lines::NumberedLine;
use authsome::transfers::{Authority, CutShort, Import, ImportedLine, Source, Summary};
use authsome::users::User;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Client};
use crate::support::machines::{EVERYTHING, Key};
use crate::support::persona::Administers;
use crate::support::stores::on_both_stores;
use crate::support::upload::Upload;

const IMPORT: &str = "/v1/admin/bulk/users/import";
const EXPORT: &str = "/v1/admin/bulk/users/export";
const NDJSON: &str = "application/x-ndjson";
/// Lines that fill a unit of work.
const UNIT: usize = 250;

fn users(name: &str, count: usize) -> String {
    let line = |at| json!({"email": format!("{name}{at}@example.org")}).to_string() + "\n";
    (0..count).map(line).collect()
}

fn an_admin(name: &str) -> String {
    json!({"email": format!("{name}@example.org"), "roles": ["ADMIN"]}).to_string() + "\n"
}

/// An import of which one unit has come.
async fn under_way(app: &TestApp, client: &Client, header: &str) -> Upload {
    let headers = [header.to_owned(), format!("Content-Type: {NDJSON}")];
    let mut upload = Upload::begins(client.address(), &format!("POST {IMPORT}"), &headers);
    upload.sends(&users("early", UNIT));
    eventually(async || emails(app, "early").await == UNIT).await;
    upload
}

async fn emails(app: &TestApp, name: &str) -> usize {
    let users = app.of_app::<User>(&app.own.development).await;
    let named = users
        .iter()
        .filter(|user| user.email.as_str().starts_with(name));
    named.count()
}

fn summary(lines: &[Value]) -> &Value {
    &lines.last().expect("a summary")["summary"]
}

async fn a_key(app: &TestApp, more: Value) -> Key {
    let mut new = json!({
        "name": "Import", "owner": "environment", "roles": ["ADMIN"], "scopes": EVERYTHING,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        new[name] = value.clone();
    }
    app.key_of(&app.key(), new).await
}

fn of_the_house(door: &Door) -> Import {
    Import {
        tenant: door.tenant(),
        authority: Authority::Machine,
        origin: Origin::new("of the house".to_owned(), None, None),
        is_dry: false,
        firebase: None,
    }
}

/// A unit of lines, then something that happens, then one line more.
struct Interrupted<F> {
    given: u64,
    happens: Option<F>,
}

impl<F: AsyncFnOnce()> Source for Interrupted<F> {
    async fn next(&mut self) -> Result<Option<NumberedLine>, CutShort> {
        if self.given == UNIT as u64
            && let Some(happens) = self.happens.take()
        {
            happens().await;
        }
        self.given += 1;
        let number = self.given;
        let user = json!({"email": format!("late{number}@example.org"), "roles": ["ADMIN"]});
        let text = user.to_string().into_bytes();
        Ok((number <= UNIT as u64 + 1).then_some(NumberedLine { number, text }))
    }
}

async fn interrupted(app: &TestApp, door: &Door, happens: impl AsyncFnOnce()) -> Summary {
    let mut source = Interrupted {
        given: 0,
        happens: Some(happens),
    };
    let mut told: Vec<ImportedLine> = Vec::new();
    let transfers = app.foundation().transfers();
    transfers
        .import(of_the_house(door), &mut source, &mut told)
        .await
}

fn said(summary: &Summary) -> (u64, u64, Option<&str>) {
    let why = summary.error.as_ref().map(authsome::http::Fault::kind);
    (summary.created, summary.failed, why)
}

on_both_stores! {
    /// A stolen key made administrators for as long as its connection was kept open, whatever was
    /// done about the key.
    async fn an_import_ends_with_the_key_that_it_is_by(app: TestApp) {
        let key = a_key(&app, json!({})).await;
        let mut upload = under_way(&app, app.client(), &format!("X-API-Key: {}", key.secret)).await;
        let guardians = app.guardians(&app.own.development).await;

        let _ = app.key().delete(&key.path()).await.expect(204);
        upload.sends(&an_admin("late"));
        let answered = upload.ends();

        let summary = summary(&answered.lines);
        assert!(answered.is_whole && answered.status == 200);
        assert_eq!(summary["error"]["type"], "invalid_token", "{summary}");
        assert_eq!((&summary["complete"], &summary["created"], &summary["failed"]), (&json!(false), &json!(UNIT), &json!(1)));
        assert_eq!(emails(&app, "late").await, 0);
        assert_eq!(app.guardians(&app.own.development).await, guardians);
    }

    async fn an_import_that_has_made_everybody_is_complete_whatever_becomes_of_its_key(app: TestApp) {
        let key = a_key(&app, json!({})).await;
        let upload = under_way(&app, app.client(), &format!("X-API-Key: {}", key.secret)).await;

        let _ = app.key().delete(&key.path()).await.expect(204);
        let answered = upload.ends();

        let summary = summary(&answered.lines);
        assert_eq!((&summary["complete"], &summary["created"]), (&json!(true), &json!(UNIT)), "{summary}");
    }

    /// Also while more comes than can be made: the rest is not read.
    async fn an_import_that_goes_on_and_on_ends_with_the_key_that_it_is_by(app: TestApp) {
        let key = a_key(&app, json!({})).await;
        let mut upload = under_way(&app, app.client(), &format!("X-API-Key: {}", key.secret)).await;

        let _ = app.key().delete(&key.path()).await.expect(204);
        upload.sends(&users("late", 3 * UNIT));
        let answered = upload.ends();

        assert_eq!(summary(&answered.lines)["failed"], json!(UNIT));
        assert_eq!(emails(&app, "late").await, 0);
    }

    async fn an_import_ends_with_the_rights_of_its_caller_on_every_node(app: TestApp) {
        let admin = app.admin().await;
        let other = app.visitor(&app.own.development).becomes("olga@example.org", json!({})).await;
        let _ = app.key().assigns(&other.id, &["ADMIN"]).await.expect(200);
        let node = app.another_node(&[]).await;
        let bearer = format!("Authorization: Bearer {}", admin.access_token());
        let mut upload = under_way(&app, node.client(), &bearer).await;

        let _ = app.key().assigns(&admin.id, &[]).await.expect(200);
        eventually(async || node.client().get("/v1/me").bearer(&admin.access_token()).await.status == 401).await;
        upload.sends(&an_admin("late"));
        let answered = upload.ends();

        assert_eq!(summary(&answered.lines)["error"]["type"], "invalid_token");
        assert_eq!(emails(&app, "late").await, 0);
    }

    async fn who_may_not_bring_users_in_any_more_is_told_so(app: TestApp) {
        let (account, key) = app.account(&["ADMIN"], &["*:*"]).await;
        let mut upload = under_way(&app, app.client(), &format!("X-API-Key: {}", key.secret)).await;

        let path = format!("/v1/admin/service-accounts/{account}");
        app.key().patch(&path).json(json!({"roles": []})).await.told(200);
        upload.sends(&users("late", 1));
        let answered = upload.ends();

        assert_eq!(summary(&answered.lines)["error"]["type"], "forbidden");
        assert_eq!(emails(&app, "late").await, 0);
    }

    /// One import is one use, however many units it has.
    async fn an_import_uses_up_a_key_once(app: TestApp) {
        let key = a_key(&app, json!({"remaining_uses": 1})).await;

        let reply = key.post(IMPORT).body(NDJSON, users("user", 2 * UNIT + 1)).await.expect(200);

        let lines = reply.lines();
        assert_eq!(summary(&lines)["created"], json!(2 * UNIT + 1), "{}", summary(&lines));
        key.post(IMPORT).body(NDJSON, users("late", 1)).await.refuses(401, "invalid_token");
    }

    async fn an_export_ends_with_the_key_that_it_is_by(app: TestApp) {
        let big: String = (0..2_000).map(|at| {
            json!({"email": format!("user{at}@example.org"), "metadata": {"about": "x".repeat(6_000)}}).to_string() + "\n"
        }).collect();
        let _ = app.key().post(IMPORT).body(NDJSON, big).await.expect(200);
        let key = a_key(&app, json!({})).await;
        let header = format!("X-API-Key: {}", key.secret);
        let export = Upload::asks(app.client().address(), &format!("GET {EXPORT}"), &[header]);
        export.is_answered();

        let _ = app.key().delete(&key.path()).await.expect(204);
        let answered = export.taken();

        assert!(answered.status == 200 && !answered.is_whole);
        assert!(answered.lines.len() < 2_000, "{}", answered.lines.len());
    }

    /// What came after that was looked after by nobody, and stayed for ever.
    async fn a_closed_app_takes_nobody_in(app: TestApp) {
        let operator = app.operator().await;
        let shop = app.founds("Shop").await.development;
        let path = format!("/v1/admin/apps/{}?confirm=shop", shop.app_id);

        let summary = interrupted(&app, &shop, async || {
            assert_eq!(app.user_count(&shop).await, UNIT);
            let _ = operator.delete(&path).await.expect(204);
            assert_eq!(app.user_count(&shop).await, 0);
        }).await;

        assert_eq!(said(&summary), (UNIT as u64, 1, Some("not_found")));
        assert!(!summary.complete);
        assert_eq!(app.user_count(&shop).await, 0);
        assert!(app.of_environment::<Event>(&shop).await.is_empty());
    }

    async fn a_deleted_environment_takes_nobody_in(app: TestApp) {
        let stage = app.environment("Stage", "staging").await;

        let summary = interrupted(&app, &stage, async || {
            let _ = app.machine(&stage).delete(&stage.path("")).await.expect(204);
        }).await;

        assert_eq!(said(&summary), (UNIT as u64, 1, Some("not_found")));
        assert_eq!(app.user_count(&stage).await, UNIT);
    }

    /// Whoever was faster: an app that is gone has nobody, and no job has to come for that.
    async fn of_twenty_imports_none_outlives_the_app(app: TestApp) {
        let operator = app.operator().await;
        let shop = app.founds("Shop").await.development;
        let machine = app.machine(&shop);
        let path = format!("/v1/admin/apps/{}?confirm=shop", shop.app_id);
        let imports = join_all((0..20).map(async |at| {
            let mut told: Vec<ImportedLine> = Vec::new();
            let mut users = (0..20).map(|it| (json!({
                "email": format!("user{at}-{it}@example.org"), "roles": ["ADMIN"],
                "password_hash": "$2b$04$KKKKKKKKKKKKKKKKKKKKK.eeeeeeeeeeeeeeeeeeeeeeeeeeeeee.",
            }), it));
            let transfers = app.foundation().transfers();
            transfers.import(of_the_house(&shop), &mut users, &mut told).await
        }));

        let (summaries, deleted) = join(imports, operator.delete(&path).into_future()).await;

        assert_eq!(deleted.status, 204);
        for summary in &summaries {
            let all = [(20, 0, None), (0, 20, Some("not_found"))];
            assert!(all.contains(&said(summary)), "{summary:?}");
        }
        assert_eq!(app.user_count(&shop).await, 0);
        assert!(app.of_app::<Credential>(&shop).await.is_empty());
        assert!(app.of_environment::<Event>(&shop).await.is_empty());
        machine.post(IMPORT).body(NDJSON, users("late", 1)).await.refuses(401, "invalid_token");
    }

    async fn an_account_that_is_made_while_its_app_is_closed_is_not_made(app: TestApp) {
        let operator = app.operator().await;
        let shop = app.founds("Shop").await.development;
        let machine = app.machine(&shop);
        let path = format!("/v1/admin/apps/{}?confirm=shop", shop.app_id);
        let make = async |at: usize| {
            let new = json!({"email": format!("user{at}@example.org"), "roles": ["ADMIN"]});
            machine.post("/v1/admin/users/create").json(new).await.outcome()
        };

        let (outcomes, deleted) = join(join_all((0..20).map(make)), operator.delete(&path).into_future()).await;

        assert_eq!(deleted.status, 204);
        let known = ["201", "404 not_found", "401 invalid_token"];
        assert!(outcomes.iter().all(|it| known.contains(&&**it)), "{outcomes:?}");
        assert_eq!(app.user_count(&shop).await, 0);
    }

    /// Nobody is made an administrator without a word of it.
    async fn whoever_is_brought_in_with_a_role_is_told_of(app: TestApp) {
        let admin = app.admin().await;
        let body = [users("user", 3), an_admin("boss")].concat();

        let reply = admin.post(IMPORT).body(NDJSON, body.clone()).await.expect(200);

        let lines = reply.lines();
        assert_eq!(summary(&lines)["created"], 4);
        let told = app.events(&app.own.development, Name::UserCreated).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        let boss = app.of_app::<User>(&app.own.development).await;
        let boss = boss.iter().find(|it| it.email.as_str() == "boss@example.org").expect("a boss");
        let target = event.target.as_ref().and_then(|it| it.id.clone());
        assert_eq!(target, Some(boss.id.to_string()));
        assert_eq!(event.actor.id.as_deref(), Some(&*admin.id));
        assert_eq!(event.details["roles"], json!(["ADMIN", "USER"]));
        let of_all = app.events(&app.own.development, Name::UsersImported).await;
        assert_eq!(event.details["import"], of_all[0].details["import"]);
        // Whoever is skipped is told of by nobody.
        let _ = admin.post(IMPORT).body(NDJSON, body).await.expect(200);
        assert_eq!(app.events(&app.own.development, Name::UserCreated).await.len(), 1);
    }
}
