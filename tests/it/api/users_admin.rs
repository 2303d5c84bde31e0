//! The users of an app, as its administrators see them.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::persona::{Administers, Machine};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn administrators_and_secret_keys_list_users_and_nobody_else_does(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let admin = app.admin().await;

        let seen = admin.get("/v1/admin/users").await.told(200);

        assert_eq!(emails(&seen), ["admin@example.org", "mia@example.org"]);
        assert_eq!(app.key().get("/v1/admin/users").await.told(200), seen);
        mia.get("/v1/admin/users").await.refuses(403, "forbidden");
        app.get("/v1/admin/users").await.refuses(401, "unauthenticated");
        let visitor = app.visitor(&app.own.development);
        visitor.get("/v1/admin/users").await.refuses(401, "unauthenticated");
    }

    async fn pages_by_cursor_lose_and_repeat_nothing_while_people_sign_up(app: TestApp) {
        for number in 0..25 {
            app.person(&format!("mia{number:02}@example.org")).await;
        }
        let (mut seen, mut query) = (Vec::new(), "?limit=7".to_owned());

        for newcomer in 0.. {
            let page = app.key().get(&format!("/v1/admin/users{query}")).await.told(200);
            seen.extend(emails(&page));
            app.clock.advance(Duration::from_millis(1));
            app.person(&format!("new{newcomer}@example.org")).await;
            assert_eq!(page["has_more"], page.get("next_cursor").is_some());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=7&cursor={cursor}");
        }

        let distinct: HashSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (25, 25));
    }

    async fn pages_by_number_tell_how_many_there_are(app: TestApp) {
        for number in 0..5 {
            app.person(&format!("mia{number}@example.org")).await;
            app.clock.advance(Duration::from_millis(1));
        }
        let page = async |query: &str| {
            app.key().get(&format!("/v1/admin/users?{query}")).await.told(200)
        };

        let first = page("page=1&recordPerPage=2").await;
        let last = page("page=3&recordPerPage=2").await;

        assert_eq!(emails(&first), ["mia4@example.org", "mia3@example.org"]);
        assert_eq!(emails(&last), ["mia0@example.org"]);
        assert_eq!((&first["total_count"], &last["total_count"]), (&json!(5), &json!(5)));
        assert_eq!((&first["has_more"], &last["has_more"]), (&json!(true), &json!(false)));
        assert_eq!(first["user_items"], first["users"]);
        assert_eq!(emails(&page("page=9&recordPerPage=2").await), Vec::<String>::new());
        assert_eq!(page("recordPerPage=2").await, first);
        assert_eq!(emails(&page("page=2&limit=4").await), ["mia0@example.org"]);
    }

    async fn a_total_is_told_where_it_is_asked_for(app: TestApp) {
        for number in 0..3 {
            app.person(&format!("mia{number}@example.org")).await;
        }

        let with = app.key().get("/v1/admin/users?limit=1&include=total").await.told(200);
        let without = app.key().get("/v1/admin/users?limit=1").await.told(200);

        assert_eq!((&with["total"], with["users"].as_array().unwrap().len()), (&json!(3), 1));
        assert_eq!(without.get("total"), None);
        let found = app.key().get("/v1/admin/users?email=mia1&include=total").await.told(200);
        assert_eq!(found["total"], 1);
    }

    async fn users_are_found_by_address_role_and_status(app: TestApp) {
        let max = app.person("max@example.org").await;
        app.person("mia@example.org").await;
        app.admin().await;
        let _ = app.key().bans(&max.id, json!({})).await.expect(200);
        let found = async |query: &str| {
            let reply = app.key().get(&format!("/v1/admin/users?{query}")).await;
            let mut found = emails(&reply.told(200));
            found.sort();
            found
        };

        assert_eq!(found("email=ma").await, ["max@example.org"]);
        assert_eq!(found("email=M").await, ["max@example.org", "mia@example.org"]);
        assert_eq!(found("role=ADMIN").await, ["admin@example.org"]);
        assert_eq!(found("role=USER").await.len(), 3);
        assert_eq!(found("status=banned").await, ["max@example.org"]);
        assert_eq!(found("status=active&email=m").await, ["mia@example.org"]);
        assert_eq!(found("role=OWNER").await, Vec::<String>::new());
    }

    async fn a_search_is_for_the_text_and_for_no_pattern(app: TestApp) {
        app.person("mia@example.org").await;
        app.person("m.a@example.org").await;
        app.person("a+b@example.org").await;

        for (typed, expected) in [
            (".*", 0), ("m.a", 1), ("m.*", 0), ("^m", 0), ("(a%2B)%2B$", 0), ("a%2Bb", 1),
            ("%25", 0),
            ("_ia", 0), ("%5B", 0), ("%5C", 0), ("'%20OR%20'1'='1", 0),
            ("%7B%22$ne%22:%22%22%7D", 0),
            ("%00", 0), ("", 3), ("%E2%80%AE", 0), ("mia@example.org%20", 0),
        ] {
            let found = app.key().get(&format!("/v1/admin/users?email={typed}")).await.told(200);
            assert_eq!(emails(&found).len(), expected, "{typed}");
        }
        let endless = format!("/v1/admin/users?email={}", "a".repeat(255));
        app.key().get(&endless).await.refuses(400, "invalid_query");
    }

    async fn a_question_that_cannot_be_answered_is_refused_by_name(app: TestApp) {
        for (query, parameter) in [
            ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"),
            ("limit=1.5", "limit"),
            ("limit=", "limit"), ("limit[]=1", "limit[]"), ("page=0", "page"), ("page=-1", "page"),
            ("page=x", "page"), ("page=99999999999999999999", "page"),
            ("recordPerPage=0", "recordPerPage"),
            ("role=admin", "role"), ("role=*", "role"), ("status=gone", "status"),
            ("include=all", "include"),
            ("sort=password_hash", "sort"), ("fields=password_hash,secret", "fields"),
            ("$where=1", "$where"),
            ("email[$ne]=x", "email[$ne]"), ("limit=1&limit=2", "limit"), ("q=x", "q"),
            ("org_id=x", "org_id"),
        ] {
            let reply = app.key().get(&format!("/v1/admin/users?{query}")).await;
            let refusal = reply.refuses(400, "invalid_query");
            assert_eq!(refusal["errors"][0]["parameter"], parameter, "{query}");
        }
        let most = app.key().get("/v1/admin/users?limit=1000000000").await.told(200);
        assert_eq!(emails(&most).len(), 0);
    }

    async fn a_cursor_holds_for_its_list_its_tenant_and_to_the_letter(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let admin = app.admin().await;
        for _ in 0..2 {
            admin.on_another_device().await;
        }
        let other = app.founds("Other").await;
        let cursor = cursor_of(&app.key(), "/v1/admin/users?limit=1").await;
        let of_sessions = admin.get("/v1/sessions?limit=1").await.told(200)["next_cursor"].clone();
        let tried = async |by: &Machine, cursor: &str| {
            by.get(&format!("/v1/admin/users?limit=1&cursor={cursor}")).await.outcome()
        };

        assert_eq!(tried(&app.key(), &cursor).await, "200");
        for elsewhere in [&other.development, &other.production, &app.own.production] {
            assert_eq!(tried(&app.machine(elsewhere), &cursor).await, "400 bad_cursor");
        }
        let flipped = (0..cursor.len()).step_by(7).map(|at| {
            let other = if &cursor[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &cursor[..at], &cursor[at + 1..])
        });
        let bad = [
            of_sessions.as_str().unwrap().to_owned(), String::new(), "x".into(), "-1".into(),
            "null".into(), mia.id.clone(), "A".repeat(7_000), format!("{cursor}A"),
            cursor[1..].into(),
        ];
        for cursor in bad.into_iter().chain(flipped) {
            assert_eq!(tried(&app.key(), &cursor).await, "400 bad_cursor", "{cursor:.60}");
        }
        let both = format!("/v1/admin/users?page=1&cursor={cursor}");
        app.key().get(&both).await.refuses(400, "invalid_query");
    }

    async fn any_user_can_be_read_by_his_identifier_and_by_no_other_text(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let read = async |id: &str| app.key().get(&format!("/v1/admin/users/{id}")).await;
        let unknown = read("ausr_01h2xcejqtf2nbrexx3vqjhp41").await.expect(404);

        assert_eq!(read(&mia.id).await.told(200), mia.me().await.told(200));
        for id in [
            "x", &*mia.session_id(), &mia.door.app_id, &mia.id.to_uppercase(), &mia.id[5..],
            &mia.id[..30],
            "507f1f77bcf86cd799439011", "%00", "%2e%2e", "..%2fusers", "*", "1", "null",
            "mia@example.org",
            "ausr_8zzzzzzzzzzzzzzzzzzzzzzzzz", &format!("{}%20", mia.id), &"a".repeat(4_096),
        ] {
            assert_eq!(read(id).await.tells(), unknown.tells(), "{id:.60}");
        }
        mia.get(&format!("/v1/admin/users/{}", mia.id)).await.refuses(403, "forbidden");
    }

    async fn nobody_sees_what_a_user_is_made_of(app: TestApp) {
        app.person("mia@example.org").await;

        let seen = app.key().get("/v1/admin/users").await.told(200);

        let names: Vec<_> = seen["users"][0].as_object().unwrap().keys().collect();
        assert_eq!(names, [
            "app_id", "banned", "created_at", "email", "email_verified", "id", "metadata",
            "phone_verified", "roles", "sign_in_count", "status", "updated_at",
        ]);
    }
}

fn emails(page: &Value) -> Vec<String> {
    let users = page["users"].as_array().expect("a list of users").iter();
    users
        .map(|user| user["email"].as_str().expect("an address").to_owned())
        .collect()
}

async fn cursor_of(machine: &Machine, path: &str) -> String {
    let page = machine.get(path).await.told(200);
    page["next_cursor"]
        .as_str()
        .expect("a page that goes on")
        .to_owned()
}
