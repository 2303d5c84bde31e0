//! Users brought in by the thousand, with the password hashes of other systems.

use std::collections::BTreeMap;
use std::process::Command;

use authsome::credentials::Credential;
use authsome::events::Name;
use authsome::users::User;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, assert_has};
use crate::support::persona::{Administers, PASSWORD};
use crate::support::raw;
use crate::support::stores::on_both_stores;
use crate::support::upload::Upload;

const IMPORT: &str = "/v1/admin/bulk/users/import";
const NDJSON: &str = "application/x-ndjson";
/// Nobody knows of what.
const HASH: &str = "$2b$04$KKKKKKKKKKKKKKKKKKKKK.eeeeeeeeeeeeeeeeeeeeeeeeeeeeee.";

fn lines(users: &[Value]) -> String {
    let lines: Vec<_> = users.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

async fn imports(asks: &impl Asks, users: &[Value]) -> Vec<Value> {
    let reply = asks.post(IMPORT).body(NDJSON, lines(users)).await;
    reply.expect(200).lines()
}

/// `1 created`, `2 failed email_taken`, in the order of the lines; and the summary.
fn told(answer: &[Value]) -> (Vec<String>, &Value) {
    let (last, rest) = answer.split_last().expect("a summary");
    let of_lines = rest.iter().filter(|it| it.get("line").is_some());
    let said = |it: &Value| {
        let why = it["error"]["type"].as_str().unwrap_or_default();
        let status = it["status"].as_str().expect("a status");
        format!("{} {status} {why}", it["line"]).trim().to_owned()
    };
    (of_lines.map(said).collect(), &last["summary"])
}

fn counts(summary: &Value) -> [u64; 4] {
    ["lines", "created", "skipped", "failed"].map(|name| summary[name].as_u64().expect("a count"))
}

/// What other implementations make of the password of everybody.
fn hashes() -> Vec<Value> {
    let python = std::env::var("E2E_PYTHON").expect("tests/run provides a Python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/hashes.py");
    let made = Command::new(python).arg(script).arg(PASSWORD).output();
    let made = made.expect("python runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let text = String::from_utf8(made.stdout).expect("JSON is UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

async fn stored(app: &TestApp, door: &Door) -> BTreeMap<String, String> {
    let users = app.of_app::<User>(door).await;
    let mut all = BTreeMap::new();
    for credential in app.of_app::<Credential>(door).await {
        let user = users.iter().find(|user| user.id == credential.user_id);
        let email = user.expect("a password is somebody's").email.to_string();
        all.insert(email, credential.password_hash.expose().to_owned());
    }
    all
}

on_both_stores! {
    async fn everybody_who_was_brought_in_signs_in_and_his_hash_is_made_anew(app: TestApp) {
        let (users, visitor) = (hashes(), app.visitor(&app.own.development));
        assert!(users.len() >= 10);

        let answer = imports(&app.key(), &users).await;

        assert_eq!(counts(told(&answer).1), [10, 10, 0, 0], "{answer:?}");
        let before = stored(&app, &app.own.development).await;
        for user in &users {
            let email = user["email"].as_str().expect("an address");
            if email != "firebase@example.org" {
                assert_eq!(before[email], user["password_hash"], "{email}: kept as it is");
            }
            visitor.signs_in(email, "a long quiet stream").await.refuses(401, "invalid_credentials");
            assert_eq!(stored(&app, &app.own.development).await[email], before[email]);
            visitor.enters(email, PASSWORD).await;
        }
        for (email, hash) in stored(&app, &app.own.development).await {
            assert!(hash.starts_with("bcrypt-hmac-sha256:$2b$04$"), "{email}: {hash}");
            visitor.enters(&email, PASSWORD).await;
        }
    }

    /// PW-10: ten at once leave one hash, which is good.
    async fn ten_first_sign_ins_at_once_leave_one_good_hash(app: TestApp) {
        let users: Vec<_> = hashes().into_iter().filter(|it| it["email"] == "bcrypt-2y@example.org").collect();
        imports(&app.key(), &users).await;
        let visitor = app.visitor(&app.own.development);

        let ask = || async { visitor.signs_in("bcrypt-2y@example.org", PASSWORD).await.status };
        let statuses = join_all((0..10).map(|_| ask())).await;

        assert_eq!(statuses, [200; 10]);
        let left = app.of_app::<Credential>(&app.own.development).await;
        assert_eq!(left.len(), 1);
        assert!(left[0].password_hash.expose().starts_with("bcrypt-hmac-sha256:"));
        visitor.enters("bcrypt-2y@example.org", PASSWORD).await;
    }

    async fn a_user_is_brought_in_whole(app: TestApp) {
        let whole = json!({
            "id": "legacy-7", "email": "Mia@Example.org", "email_verified": true,
            "phone": "+4930123456", "phone_verified": true, "username": "mia",
            "display_username": "Mia K", "first_name": "Mia", "last_name": "Kowalska",
            "image": "https://cdn.example.com/mia.png", "roles": ["ADMIN"],
            "metadata": {"plan": "pro"}, "banned": true, "ban_reason": "Spam",
            "ban_expires": "2041-01-01T00:00:00Z", "password_hash": HASH,
            "created_at": "2019-05-04T03:02:01Z",
        });

        let answer = imports(&app.key(), &[whole]).await;

        let (line, id) = (&answer[0], answer[0]["id"].as_str().expect("an identifier"));
        assert_has(line, json!({"line": 1, "status": "created", "from": "legacy-7"}));
        let seen = app.key().get(&format!("/v1/admin/users/{id}")).await.told(200);
        assert_has(&seen, json!({
            "email": "mia@example.org", "email_verified": true, "phone": "+4930123456",
            "phone_verified": true, "username": "mia", "display_username": "Mia K",
            "first_name": "Mia", "last_name": "Kowalska", "roles": ["ADMIN", "USER"],
            "image": "https://cdn.example.com/mia.png", "metadata": {"plan": "pro"},
            "status": "banned", "ban_reason": "Spam", "created_at": "2019-05-04T03:02:01.000Z",
        }));
        // Who is banned is nobody's administrator.
        assert_eq!(app.guardians(&app.own.development).await, 0);
    }

    async fn a_line_with_a_fault_fails_alone_and_says_why(app: TestApp) {
        let named = |name: &str, more: Value| {
            let mut user = json!({"email": format!("{name}@example.org")});
            for (name, value) in more.as_object().into_iter().flatten() {
                user[name] = value.clone();
            }
            user
        };
        let mut text = lines(&[
            named("good", json!({})),
            json!({"email": "no address"}),
            json!({"first_name": "Nobody"}),
            named("md", json!({"password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"})),
            named("dear", json!({"password_hash": format!("$2b$31${}", "K".repeat(53))})),
            named("fb", json!({"password_hash": "AQID", "password_salt": "AQID"})),
            named("role", json!({"roles": ["OWNER"]})),
            named("field", json!({"pasword": "x"})),
            named("late", json!({"created_at": "2050-01-01T00:00:00Z"})),
            named("key", json!({"metadata": {"$set": 1}})),
        ]);
        text += "{\"email\":\n\n[]\n";
        text += &lines(&[named("last", json!({}))]);

        let answer = app.key().post(IMPORT).body(NDJSON, text).await.expect(200).lines();

        let (lines, summary) = told(&answer);
        assert_eq!(lines, [
            "1 created", "2 failed invalid_email", "3 failed invalid_body", "4 failed unknown_hash",
            "5 failed unknown_hash", "6 failed unknown_hash", "7 failed unknown_role",
            "8 failed unknown_field", "9 failed invalid_body", "10 failed invalid_body",
            "11 failed malformed_json", "13 failed malformed_json", "14 created",
        ]);
        assert_eq!(counts(summary), [13, 2, 0, 11]);
        assert_eq!(summary["complete"], true);
        assert_eq!(answer[3]["error"]["errors"][0]["pointer"], "/password_hash");
        assert_eq!(app.user_count(&app.own.development).await, 2);
    }

    /// In one piece or in two: the connection must not decide what becomes of a line.
    async fn a_line_that_is_too_long_fails_alone_however_it_comes(app: TestApp) {
        let long = json!({"email": "long@example.org", "metadata": {"about": "x".repeat(66_000)}}).to_string();
        let (first, rest) = long.split_at(65_900);
        let headers = [format!("X-API-Key: {}", app.own.development.secret_key), format!("Content-Type: {NDJSON}")];
        let in_pieces = |name: &str, pieces: &[&str]| {
            let mut upload = Upload::begins(app.client().address(), &format!("POST {IMPORT}"), &headers);
            upload.sends(&format!("\n{{\"email\":\"{name}-1@example.org\"}}\n"));
            for piece in pieces {
                upload.sends(piece);
            }
            upload.sends(&format!("\n\n{{\"email\":\"{name}-2@example.org\"}}"));
            upload.ends().lines
        };

        for (name, pieces) in [("whole", &[&*long] as &[_]), ("two", &[first, rest]), ("three", &["\n", first, rest])] {
            let answer = in_pieces(name, pieces);

            let (lines, summary) = told(&answer);
            let more = u64::from(name == "three");
            assert_eq!(lines, [
                "2 created".to_owned(), format!("{} failed body_too_large", 3 + more), format!("{} created", 5 + more),
            ], "{name}");
            assert_eq!((counts(summary), &summary["complete"]), ([3, 2, 0, 1], &json!(true)));
            assert_eq!(answer[1]["error"]["detail"], "a line has at most 64 KiB");
        }
    }

    /// A wrong password would have cost its hashing thread seconds, or the server hundreds of MiB.
    async fn a_hash_that_is_too_dear_is_refused_when_it_comes(app: TestApp) {
        let (salt, hash) = ("c29tZXNhbHQ", "AQIDBAUGBwgJCgsMDQ4PEA");
        let dear = [
            format!("$scrypt$ln=1,r=524288,p=2${salt}${hash}"), format!("$scrypt$ln=1,r=1,p=1048576${salt}${hash}"),
            format!("$argon2id$v=19$m=131073,t=1,p=1${salt}${hash}"), format!("$pbkdf2-sha512$i=1000001${salt}${hash}"),
            HASH.replace("$04$", "$15$"), format!("bcrypt-hmac-sha256:{}", HASH.replace("$04$", "$15$")),
        ];
        let users: Vec<_> = dear.iter().enumerate().map(|(at, hash)| json!({
            "email": format!("user{at}@example.org"), "password_hash": hash,
        })).collect();

        let answer = imports(&app.key(), &users).await;

        assert_eq!(counts(told(&answer).1), [6, 0, 0, 6], "{answer:?}");
        for line in &answer[..6] {
            let why = &line["error"]["errors"][0];
            assert_eq!((&why["pointer"], &why["type"]), (&json!("/password_hash"), &json!("unknown_hash")));
            assert!(why["detail"].as_str().expect("a reason").contains("more than a second or 128 MiB"), "{why}");
        }
    }

    async fn who_is_there_already_is_passed_over_and_who_has_another_s_name_fails(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"username": "mia"})).await;
        let users = [
            json!({"email": "MIA@example.org", "first_name": "Another"}),
            json!({"email": "max@example.org", "username": "mia"}),
            json!({"email": "max@example.org", "phone": "+4930123456"}),
            json!({"email": "max@example.org"}),
            json!({"email": "moe@example.org", "phone": "+4930123456"}),
        ];

        let answer = imports(&app.key(), &users).await;

        let expected = [
            "1 skipped email_taken", "2 failed username_taken", "3 created",
            "4 skipped email_taken", "5 failed phone_taken",
        ];
        assert_eq!(told(&answer).0, expected);
        assert_eq!(answer[0]["id"], mia.id);
        mia.me().await.told(200);
        assert_eq!(mia.me().await.told(200).get("first_name"), None);

        let again = imports(&app.key(), &users).await;
        let skipped = told(&again).0.into_iter().filter(|it| it.contains("skipped")).count();
        assert_eq!(skipped, 4, "{again:?}");
        assert_eq!(app.user_count(&app.own.development).await, 2);
    }

    async fn a_dry_run_says_the_same_and_makes_nobody(app: TestApp) {
        app.person("mia@example.org").await;
        let mut users: Vec<_> = (0..600).map(|number| json!({
            "email": format!("user{number}@example.org"), "username": format!("user{number}"),
        })).collect();
        users.push(json!({"email": "user3@example.org"}));
        users.push(json!({"email": "new@example.org", "username": "user4"}));
        users.push(json!({"email": "mia@example.org"}));
        users.push(json!({"email": "bad"}));
        let dry = format!("{IMPORT}?dry_run=true");

        let tried = app.key().post(&dry).body(NDJSON, lines(&users)).await.expect(200).lines();
        assert_eq!(app.user_count(&app.own.development).await, 1);
        assert!(app.events(&app.own.development, Name::UsersImported).await.is_empty());
        let done = imports(&app.key(), &users).await;

        assert_eq!(told(&tried).0, told(&done).0);
        assert_eq!(told(&tried).1["dry_run"], true);
        assert_eq!(counts(told(&tried).1), [604, 600, 2, 2]);
        assert_eq!(app.user_count(&app.own.development).await, 601);
    }

    async fn an_import_tells_of_itself_once_a_batch_and_not_once_a_user(app: TestApp) {
        let users: Vec<_> = (0..600).map(|it| json!({"email": format!("user{it}@example.org")})).collect();

        let answer = imports(&app.key(), &users).await;

        let events = app.events(&app.own.development, Name::UsersImported).await;
        let told: u64 = events.iter().filter_map(|it| it.details["users"].as_u64()).sum();
        assert_eq!((events.len(), told), (3, 600));
        assert!(events.iter().all(|it| it.details["import"] == events[0].details["import"]));
        assert!(events.iter().all(|it| it.actor.kind == "key"));
        let progress = answer.iter().filter(|it| it.get("progress").is_some()).count();
        assert_eq!(progress, 3);
    }

    async fn a_thousand_come_as_one_document_and_not_one_more(app: TestApp) {
        let users = |count: usize| -> Vec<Value> {
            (0..count).map(|it| json!({"email": format!("user{it}@example.org"), "metadata": {"about": "x".repeat(200)}})).collect()
        };
        let body = json!({"users": users(1_000)});
        assert!(body.to_string().len() > 64 * 1024);

        let report = app.key().post(IMPORT).json(body).await.told(200);

        assert_eq!(report["results"].as_array().map(Vec::len), Some(1_000));
        assert_eq!(counts(&report["summary"]), [1_000, 1_000, 0, 0]);
        let many = json!({"users": users(1_001)});
        let refusal = app.key().post(IMPORT).json(many).await.refuses(400, "invalid_body");
        assert_eq!(refusal["errors"][0]["pointer"], "/users");
    }

    async fn nobody_brings_in_what_he_could_not_give(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let one = |roles: &[&str]| [json!({"email": format!("new-{}@example.org", roles.join("-").to_lowercase()), "roles": roles})];

        let reply = mia.post(IMPORT).body(NDJSON, lines(&one(&["USER"]))).await;
        reply.refuses(403, "forbidden");
        let reply = app.post(IMPORT).body(NDJSON, lines(&one(&["USER"]))).await;
        reply.refuses(401, "unauthenticated");
        assert_eq!(told(&imports(&admin, &one(&["ADMIN"])).await).0, ["1 created"]);
        assert_eq!(app.guardians(&app.own.development).await, 2);
        assert_eq!(told(&imports(&admin, &one(&["OWNER"])).await).0, ["1 failed unknown_role"]);

        let colleague = app.colleague("olaf@example.org", &["ADMIN"]).await;
        let answer = imports(&colleague, &one(&["OWNER"])).await;
        assert_eq!(told(&answer).0, ["1 failed role_not_held"]);
        let operator = app.operator().await;
        let elsewhere = format!("{IMPORT}{}", app.own.development.query());
        let reply = operator.post(&elsewhere).body(NDJSON, lines(&one(&["USER", "ADMIN"]))).await;
        assert_eq!(told(&reply.expect(200).lines()).0, ["1 created"]);
    }

    /// Two imports of the same people at once: each is made once, and whole.
    async fn of_twenty_imports_at_once_each_user_is_made_once(app: TestApp) {
        let users: Vec<_> = (0..20).map(|it| json!({
            "email": format!("user{it}@example.org"), "password_hash": HASH,
        })).collect();
        let key = app.key();

        let answers = join_all((0..20).map(|_| imports(&key, &users))).await;

        let made: u64 = answers.iter().map(|it| counts(told(it).1)[1]).sum();
        let failed: u64 = answers.iter().map(|it| counts(told(it).1)[3]).sum();
        assert_eq!((made, failed), (20, 0), "{:?}", answers.iter().map(|it| &it[0]).collect::<Vec<_>>());
        assert_eq!(app.user_count(&app.own.development).await, 20);
        assert_eq!(app.of_app::<Credential>(&app.own.development).await.len(), 20);
    }

    /// A client that hangs up leaves what was made, and is told of it when it comes again.
    async fn what_broke_off_is_run_again_as_it_is(app: TestApp) {
        let users: Vec<_> = (0..400).map(|it| json!({"email": format!("user{it}@example.org")})).collect();
        let body = lines(&users);
        let door = &app.own.development;
        let head = [format!("X-API-Key: {}", door.secret_key), format!("Content-Type: {NDJSON}")];
        let request = raw::request(&format!("POST {IMPORT}"), &head, body.as_bytes());
        raw::sent_and_cut_off(app.client().address(), &request[..request.len() - 30]);

        eventually(async || app.user_count(door).await >= 250).await;
        let answer = imports(&app.key(), &users).await;

        let [all, created, skipped, failed] = counts(told(&answer).1);
        assert_eq!((all, created + skipped, failed), (400, 400, 0));
        assert!(skipped >= 250, "{skipped}");
        assert_eq!(app.user_count(door).await, 400);
    }

    async fn what_is_exported_is_imported_again_unchanged(app: TestApp) {
        imports(&app.key(), &hashes()).await;
        let mia = app.person_with("mia@example.org", json!({"username": "mia", "first_name": "Mia"})).await;
        let _ = app.key().bans(&mia.id, json!({"reason": "Spam"})).await.expect(200);
        let shop = app.founds("Shop").await;
        let operator = app.operator().await;
        let export = async |door: &Door| {
            let path = format!("/v1/admin/bulk/users/export{}&include=hashes", door.query());
            let mut all = operator.get(&path).await.expect(200).lines();
            for one in &mut all {
                one.as_object_mut().map(|it| it.remove("id"));
            }
            all.sort_by_key(|it| it["email"].to_string());
            all
        };
        let taken = export(&app.own.development).await;
        assert_eq!(taken.len(), 11);
        assert!(taken.iter().all(|it| it["password_hash"].is_string()));

        let path = format!("{IMPORT}{}", shop.development.query());
        let reply = operator.post(&path).body(NDJSON, lines(&taken)).await.expect(200);
        assert_eq!(counts(told(&reply.lines()).1), [11, 11, 0, 0]);

        assert_eq!(export(&shop.development).await, taken);
        app.visitor(&shop.development).enters("argon2id@example.org", PASSWORD).await;
        app.visitor(&shop.development).enters("firebase@example.org", PASSWORD).await;
        let told = app.events(&app.own.development, Name::UsersExported).await;
        assert_eq!(told[0].details["hashes"], true);
    }

    async fn an_administrator_takes_users_along_without_their_hashes(app: TestApp) {
        let users: Vec<_> = (0..250).map(|it| json!({"email": format!("user{it}@example.org"), "password_hash": HASH})).collect();
        imports(&app.key(), &users).await;
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let export = "/v1/admin/bulk/users/export";

        let reply = admin.get(export).await.expect(200);

        assert!(!reply.text().contains("$2b$") && !reply.text().contains("password_hash"));
        assert_eq!(reply.lines().len(), 252);
        let with = format!("{export}?include=hashes");
        admin.get(&with).await.refuses(403, "forbidden");
        app.key().get(&with).await.refuses(403, "forbidden");
        mia.get(export).await.refuses(403, "forbidden");
        admin.get(&format!("{export}?include=all")).await.refuses(400, "invalid_query");
    }
}
