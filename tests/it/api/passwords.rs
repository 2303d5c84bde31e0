//! Passwords: which ones are good, and that the whole of one counts.

use authsome::credentials::Credential;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::persona::PASSWORD;
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn any_text_that_is_long_and_not_common_is_good(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let longest = "日本語の長い合言葉".repeat(15).chars().take(128).collect::<String>();
        let good = [
            "vbnqzkpwydm", "only lower case words", " spaces around it ", "p\tt\u{1F427} pinguin 🐧",
            &"quiet river ".repeat(6), &longest, "\u{202e}backwards and forwards",
        ];

        for (number, password) in good.into_iter().enumerate() {
            let email = format!("mia{number}@example.org");
            visitor.signs_up(&email, password).await.told(201);
            visitor.signs_in(&email, password).await.told(200);
        }
    }

    async fn short_endless_and_common_passwords_are_refused(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let (too_long, endless) = ("ä".repeat(129), "x".repeat(60_000));
        let bad = [
            "", "1234567", "päßwörd", &too_long, &endless, "abc\0defghijkl", "password",
            "12345678", "qwertyuiop", "P@ssw0rd", "aaaaaaaa", "iloveyou", "letmein1",
        ];

        for password in bad {
            let reply = visitor.signs_up("mia@example.org", password).await;
            let refusal = reply.refuses(400, "weak_password");
            assert_eq!(refusal["errors"][0]["pointer"], "/password", "{password:.20}");
        }

        assert_eq!(app.user_count(&app.own.development).await, 0);
    }

    async fn nobody_s_name_or_address_is_his_password(app: TestApp) {
        let estate = app.founds("Zanzibar Portal").await.development;
        for password in [
            "mia.kowalska@example.org", "Mia.Kowalska", "kowalska-mia", "MIA KOWALSKA!",
            "zanzibar-portal", "ZanzibarPortal",
        ] {
            let account = json!({
                "email": "mia.kowalska@example.org", "password": password,
                "first_name": if password.starts_with('k') { "Kowalska" } else { "Mia" },
                "last_name": if password.starts_with('k') { "Mia" } else { "Kowalska" },
            });
            let reply = app.visitor(&estate).post("/v1/signup").json(account).await;
            assert_eq!(reply.outcome(), "400 weak_password", "{password}");
        }
    }

    async fn the_whole_of_a_long_password_counts(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let long = format!("{}a quiet end", "x".repeat(90));
        visitor.signs_up("mia@example.org", &long).await.told(201);

        for other in [&long[..72], &long[..100], &long[1..], &format!("{long}!")] {
            let reply = visitor.signs_in("mia@example.org", other).await;
            reply.refuses(401, "invalid_credentials");
        }

        visitor.signs_in("mia@example.org", &long).await.told(200);
    }

    async fn a_password_has_one_spelling_and_keeps_its_spaces(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        visitor.signs_up("mia@example.org", " café au lait ").await.told(201);

        let decomposed = visitor.signs_in("mia@example.org", " cafe\u{301} au lait ").await;
        let trimmed = visitor.signs_in("mia@example.org", "café au lait").await;

        decomposed.told(200);
        trimmed.refuses(401, "invalid_credentials");
    }

    async fn a_password_with_nul_or_without_end_is_not_even_hashed(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let (nul, long) = (format!("{PASSWORD}\0"), "x".repeat(60_000));
        for presented in [&nul, "\0", &long[..129], &long] {
            let reply = mia.visitor().signs_in(&mia.email, presented).await;
            let refusal = reply.refuses(400, "invalid_body");
            assert_eq!(refusal["errors"][0]["pointer"], "/password");
        }
        let body = json!({"email": mia.email, "password": "x".repeat(1 << 20)});
        mia.visitor().post("/v1/signin").json(body).await.refuses(413, "body_too_large");
    }

    async fn a_sign_in_brings_the_hash_to_today_s_cost_and_many_at_once_do_too(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let old = app.hash_of(&mia.door, &mia.id).await;
        assert!(old.starts_with("bcrypt-hmac-sha256:$2b$04$"), "{old}");
        let dearer = app.another_node(&[("SECURITY__BCRYPT_COST", "10")]).await;
        let visitor = mia.visitor().by(dearer.client());

        let wrong = visitor.signs_in(&mia.email, "another long password").await;
        assert_eq!((wrong.status, app.hash_of(&mia.door, &mia.id).await), (401, old));
        let racers = (0..10).map(async |_| visitor.signs_in(&mia.email, PASSWORD).await.told(200));
        join_all(racers).await;

        let new = app.hash_of(&mia.door, &mia.id).await;
        assert!(new.starts_with("bcrypt-hmac-sha256:$2b$10$"), "{new}");
        assert_eq!(app.of_app::<Credential>(&mia.door).await.len(), 1);
        visitor.signs_in(&mia.email, PASSWORD).await.told(200);
    }

    /// Some bcrypt libraries panic on a hash that is not ASCII, or compute for days.
    async fn a_damaged_hash_keeps_out_its_owner_and_nobody_else(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;

        for hash in [
            "", "§§", "bcrypt-hmac-sha256:", "bcrypt-hmac-sha256:$2b$04$short",
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
            "bcrypt-hmac-sha256:$2b$31$KKKKKKKKKKKKKKKKKKKKKKeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
            "bcrypt-hmac-sha256:$2b$99$KKKKKKKKKKKKKKKKKKKKKKeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
        ] {
            app.damages_hash_of(&mia.door, &mia.id, hash).await;
            mia.signs_in().await.refuses(401, "invalid_credentials");
        }

        max.signs_in().await.told(200);
    }
}
