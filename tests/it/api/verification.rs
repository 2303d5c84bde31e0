//! Proving an address: by link or by code, once, and by nobody else's.

use std::time::Duration;

use authsome::events::{Name, Outcome};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{LimitedLetters, TestApp};
use crate::support::client::{Asks, Reply};
use crate::support::mail::Letter;
use crate::support::persona::{Administers, PASSWORD, Visitor};
use crate::support::stores::on_both_stores;

const MIA: &str = "mia@example.org";
/// What who signs up second chooses.
const MINE: &str = "another long password";

impl TestApp {
    /// Where addresses must be verified.
    fn stranger(&self) -> Visitor {
        self.visitor(&self.own.production)
    }

    /// Mia has signed up, and this is her letter.
    async fn letter_of_mia(&self) -> Letter {
        let reply = self.stranger().signs_up(MIA, PASSWORD).await;
        let _ = reply.expect(202);
        self.letter_to(MIA).await
    }

    async fn follows(&self, token: &str) -> Reply {
        self.post("/v1/verify-email")
            .json(json!({"token": token}))
            .await
    }
}

impl Visitor {
    async fn tells(&self, email: &str, code: &str) -> Reply {
        let proof = json!({"email": email, "code": code});
        self.post("/v1/verify-email").json(proof).await
    }

    async fn wants_another(&self, email: &str) -> Reply {
        let whose = json!({"email": email});
        self.post("/v1/verify-email/resend").json(whose).await
    }
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("a number");
    format!("{:06}", (number + 1) % 1_000_000)
}

on_both_stores! {
    async fn the_link_of_the_letter_lets_in_who_had_to_wait(app: TestApp) {
        let letter = app.letter_of_mia().await;
        let visitor = app.stranger();
        visitor.signs_in(MIA, PASSWORD).await.refuses(403, "email_not_verified");

        let told = app.follows(&letter.token()).await.told(200);

        assert_eq!(told, json!({"status": "verified"}));
        let signed_in = visitor.signs_in(MIA, PASSWORD).await.told(200);
        assert_eq!(signed_in["user"]["email_verified"], true);
        assert_eq!(app.events(&app.own.production, Name::EmailVerified).await.len(), 1);
    }

    async fn the_code_of_the_letter_does_the_same(app: TestApp) {
        let letter = app.letter_of_mia().await;
        let visitor = app.stranger();

        let _ = visitor.tells(MIA, &letter.code()).await.expect(200);

        let _ = visitor.signs_in(MIA, PASSWORD).await.expect(200);
        visitor.tells(MIA, &letter.code()).await.refuses(400, "invalid_code");
        app.follows(&letter.token()).await.refuses(400, "invalid_link");
    }

    async fn of_fifty_who_follow_one_link_one_gets_through(app: TestApp) {
        let token = app.letter_of_mia().await.token();

        let replies = join_all((0..50).map(|_| app.follows(&token))).await;

        let won = replies.iter().filter(|it| it.status == 200).count();
        assert_eq!(won, 1);
        for lost in replies.into_iter().filter(|it| it.status != 200) {
            lost.refuses(400, "invalid_link");
        }
    }

    async fn of_fifty_who_tell_the_right_code_at_once_one_gets_through(app: TestApp) {
        let code = app.letter_of_mia().await.code();
        let visitor = app.stranger();

        let replies = join_all((0..50).map(|_| visitor.tells(MIA, &code))).await;

        assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
    }

    async fn a_code_can_be_tried_five_times_and_then_not_even_rightly(app: TestApp) {
        let letter = app.letter_of_mia().await;
        let visitor = app.stranger();
        let wrong = wrong(&letter.code());

        let tries = join_all((0..20).map(|_| visitor.tells(MIA, &wrong))).await;

        for refused in tries {
            refused.refuses(400, "invalid_code");
        }
        visitor.tells(MIA, &letter.code()).await.refuses(400, "invalid_code");
        // The link is no code, and nobody guesses it.
        let _ = app.follows(&letter.token()).await.expect(200);
    }

    async fn a_letter_that_is_a_day_old_verifies_nothing(app: TestApp) {
        let letter = app.letter_of_mia().await;
        app.clock.advance(Duration::from_hours(24));

        app.follows(&letter.token()).await.refuses(400, "link_expired");
        app.stranger().tells(MIA, &letter.code()).await.refuses(400, "invalid_code");

        let _ = app.stranger().wants_another(MIA).await.expect(202);
        let letter = app.nth_letter_to(MIA, 2).await;
        let _ = app.follows(&letter.token()).await.expect(200);
    }

    async fn only_the_newest_hold_counts(app: TestApp) {
        let first = app.letter_of_mia().await;
        app.clock.advance(Duration::from_secs(1));
        let _ = app.stranger().wants_another(MIA).await.expect(202);
        let second = app.nth_letter_to(MIA, 2).await;

        app.follows(&first.token()).await.refuses(400, "invalid_link");
        if first.code() != second.code() {
            app.stranger().tells(MIA, &first.code()).await.refuses(400, "invalid_code");
        }
        let _ = app.follows(&second.token()).await.expect(200);
    }

    async fn nothing_tells_an_address_with_an_account_from_one_without(app: TestApp) {
        let _ = app.letter_of_mia().await;
        let visitor = app.stranger();
        let zoe = app.person("zoe@example.org").await;
        let token = app.letter_to(&zoe.email).await.token();
        let _ = app.follows(&token).await.expect(200);

        let known = visitor.wants_another(MIA).await;
        let verified = visitor.wants_another(&zoe.email).await;
        let unknown = visitor.wants_another("nobody@example.org").await;

        assert_eq!(known.tells(), unknown.tells());
        assert_eq!(known.tells(), verified.tells());
        let wrong_code = visitor.tells(MIA, "000000").await;
        let no_account = visitor.tells("nobody@example.org", "000000").await;
        assert_eq!(wrong_code.tells(), no_account.tells());
        let _ = app.nth_letter_to(MIA, 2).await;
        assert_eq!(app.letters_to("nobody@example.org").len(), 0);
        assert_eq!(app.letters_to(&zoe.email).len(), 1);
    }

    /// OT-05: both must match, and the app.
    async fn a_token_or_code_is_of_one_account_in_one_environment(app: TestApp) {
        let letter = app.letter_of_mia().await;
        let other = app.founds("Other").await;
        let elsewhere = app.visitor(&other.production);
        let _ = elsewhere.signs_up(MIA, PASSWORD).await.expect(202);
        let visitor = app.stranger();
        let _ = visitor.signs_up("zoe@example.org", PASSWORD).await.expect(202);
        let _ = app.letter_to("zoe@example.org").await;

        let foreign = elsewhere.post("/v1/verify-email").json(json!({"token": letter.token()}));
        foreign.await.refuses(400, "invalid_link");
        elsewhere.tells(MIA, &letter.code()).await.refuses(400, "invalid_code");
        visitor.tells("zoe@example.org", &letter.code()).await.refuses(400, "invalid_code");
        let development = app.visitor(&app.own.development);
        development.tells(MIA, &letter.code()).await.refuses(400, "invalid_code");
        let _ = app.follows(&letter.token()).await.expect(200);
    }

    async fn a_token_is_one_text_and_no_other(app: TestApp) {
        let token = app.letter_of_mia().await.token();
        let spoilt = [
            String::new(),
            token[..42].to_owned(),
            format!("{token}A"),
            format!("{token}="),
            format!(" {token}"),
            format!("{token}\u{0}"),
            token.to_lowercase(),
            "x".repeat(60_000),
        ];
        for text in spoilt {
            app.follows(&text).await.refuses(400, "invalid_link");
        }
        let _ = app.follows(&token).await.expect(200);
    }

    async fn a_body_has_a_token_or_a_code_with_its_address(app: TestApp) {
        let visitor = app.stranger();
        let bodies = [
            json!({}),
            json!({"code": "123456"}),
            json!({"email": MIA}),
            json!({"token": "x", "code": "123456", "email": MIA}),
            json!({"token": null}),
        ];
        for body in bodies {
            visitor.post("/v1/verify-email").json(body).await.refuses(400, "invalid_body");
        }
        for email in [json!([MIA, "evil@example.org"]), json!({"a": MIA}), json!(null), json!(7)] {
            let body = json!({"email": email});
            let reply = visitor.post("/v1/verify-email/resend").json(body).await;
            assert_eq!(reply.status, 400, "{}", reply.text());
        }
        let code = json!({"email": MIA, "code": "123456"});
        app.post("/v1/verify-email").json(code).await.refuses(400, "app_context_required");
        assert_eq!(app.letters().len(), 0);
    }

    async fn an_address_that_is_taken_gets_a_letter_that_says_so(app: TestApp) {
        let token = app.letter_of_mia().await.token();
        let _ = app.follows(&token).await.expect(200);

        let _ = app.stranger().signs_up(MIA, "another long password").await.expect(202);

        let letter = app.nth_letter_to(MIA, 2).await;
        assert!(letter.text.contains("already has an account"), "{}", letter.text);
        let _ = app.stranger().signs_in(MIA, PASSWORD).await.expect(200);
    }

    /// Pre-hijacking: of two who sign up with one address nobody knows who is its holder, until he
    /// has chosen a password by letter.
    async fn of_two_who_sign_up_neither_has_the_account_and_its_holder_chooses_a_password(app: TestApp) {
        let _ = app.letter_of_mia().await;
        app.clock.advance(Duration::from_secs(1));
        let visitor = app.stranger();
        let _ = visitor.signs_up(MIA, MINE).await.expect(202);
        let newest = app.nth_letter_to(MIA, 2).await;

        let _ = app.follows(&newest.token()).await.expect(200);

        for password in [PASSWORD, MINE] {
            visitor.signs_in(MIA, password).await.refuses(401, "invalid_credentials");
        }
        let token = app.nth_letter_to(MIA, 3).await.token();
        let new = json!({"token": token, "new_password": MINE});
        let _ = app.post("/v1/reset-password").json(new).await.expect(200);
        let _ = visitor.signs_in(MIA, MINE).await.expect(200);
    }

    /// Nor does it matter whether the second one can be written to any more.
    async fn a_sign_up_is_noted_where_no_letter_goes_out(limited: LimitedLetters) {
        let app = limited.0;
        let _ = app.letter_of_mia().await;
        let visitor = app.stranger();
        for nth in [2, 3] {
            app.clock.advance(Duration::from_secs(1));
            let _ = visitor.wants_another(MIA).await.expect(202);
            let _ = app.nth_letter_to(MIA, nth).await;
        }
        let of_the_thief = app.nth_letter_to(MIA, 3).await;
        let _ = visitor.signs_up(MIA, MINE).await.expect(202);

        let _ = app.follows(&of_the_thief.token()).await.expect(200);

        visitor.signs_in(MIA, PASSWORD).await.refuses(401, "invalid_credentials");
    }

    /// The thief is signed in already, where an address need not be verified, and has made himself
    /// at home.
    async fn who_proves_an_address_ends_what_others_began_with_it(app: TestApp) {
        let trojan = json!({"username": "trojan", "first_name": "Mallory", "metadata": {"a": "b"}});
        let thief = app.person_with(MIA, trojan).await;
        thief.visitor().signs_up(MIA, MINE).await.refuses(409, "email_taken");
        let letter = app.letter_to(MIA).await;

        let _ = app.follows(&letter.token()).await.expect(200);

        thief.me().await.refuses(401, "invalid_token");
        thief.refreshes().await.refuses(401, "invalid_refresh_token");
        let token = app.nth_letter_to(MIA, 2).await.token();
        let new = json!({"token": token, "new_password": MINE});
        let _ = app.post("/v1/reset-password").json(new).await.expect(200);
        let by_name = json!({"username": "trojan", "password": MINE});
        thief.visitor().post("/v1/signin").json(by_name).await.refuses(401, "invalid_credentials");
        let me = thief.visitor().enters(MIA, MINE).await.me().await.told(200);
        assert_eq!((me.get("first_name"), &me["metadata"]), (None::<&Value>, &json!({})));
    }

    async fn a_sign_up_beside_the_proof_is_before_it_or_after(app: TestApp) {
        let letter = app.letter_of_mia().await;
        let visitor = app.stranger();
        let token = letter.token();

        let sign_ups = join_all((0..10).map(|_| visitor.signs_up(MIA, MINE).into_future()));
        let (verified, signed_up) = futures_util::join!(app.follows(&token), sign_ups);

        assert!(signed_up.iter().all(|reply| reply.status == 202));
        let first = visitor.signs_in(MIA, PASSWORD).await.status;
        assert_ne!(visitor.signs_in(MIA, MINE).await.status, 200);
        // Superseded by a letter of a sign-up, or followed before any of them, or after one.
        assert!([(200, 200), (200, 401), (400, 403)].contains(&(verified.status, first)), "{first}");
    }

    async fn a_link_that_is_refused_is_told_of(app: TestApp) {
        let letter = app.letter_of_mia().await;
        let _ = app.follows(&letter.token()).await.expect(200);

        app.follows(&letter.token()).await.refuses(400, "invalid_link");
        app.stranger().tells(MIA, &letter.code()).await.refuses(400, "invalid_code");
        app.follows("nobody's").await.refuses(400, "invalid_link");

        let told = app.events(&app.own.production, Name::EmailVerified).await;
        let denied: Vec<_> = told.iter().filter(|it| it.outcome == Outcome::Denied).collect();
        assert_eq!((told.len(), denied.len()), (3, 2));
    }

    /// OT-13.
    async fn an_address_gets_three_letters_in_ten_minutes(limited: LimitedLetters) {
        let app = limited.0;
        let _ = app.letter_of_mia().await;
        for _ in 0..10 {
            let _ = app.stranger().wants_another(MIA).await.expect(202);
        }

        let _ = app.nth_letter_to(MIA, 3).await;
        app.stays_at(MIA, 3).await;
        app.clock.advance(Duration::from_mins(10));
        let _ = app.stranger().wants_another(MIA).await.expect(202);
        let _ = app.nth_letter_to(MIA, 4).await;
    }

    async fn links_lead_to_the_page_of_the_app_and_never_where_a_header_says(app: TestApp) {
        let door = &app.own.production;
        let page = json!({"verify_email_url": "https://shop.example.com/verify?from=mail"});
        let _ = app.machine(door).sets(door, page).await.expect(200);

        let evil = "evil.example";
        let sign_up = app.stranger().signs_up(MIA, PASSWORD);
        let _ = sign_up
            .header("host", evil)
            .header("x-forwarded-host", evil)
            .header("forwarded", format!("host={evil}"))
            .header("origin", format!("https://{evil}"))
            .await
            .expect(202);

        let letter = app.letter_to(MIA).await;
        let link = letter.link();
        assert!(link.starts_with("https://shop.example.com/verify?from=mail&token="), "{link}");
        assert!(!letter.raw.contains(evil));
        let _ = app.follows(&letter.token()).await.expect(200);
    }

    async fn a_page_of_the_app_is_https_and_can_be_taken_back(app: TestApp) {
        let door = &app.own.production;
        let machine = app.machine(door);
        for bad in ["http://shop.example.com/v", "javascript:alert(1)", "https://a:b@x.io/", "x"] {
            let refused = machine.sets(door, json!({"magic_link_url": bad})).await;
            refused.refuses(400, "invalid_body");
        }
        let url = "https://shop.example.com/link";
        let set = machine.sets(door, json!({"magic_link_url": url})).await.told(200);
        assert_eq!(set["magic_link_url"], url);
        let cleared = machine.sets(door, json!({"magic_link_url": null})).await.told(200);
        assert_eq!(cleared.get("magic_link_url"), None::<&Value>);
    }

    async fn a_letter_is_in_the_language_of_its_reader(app: TestApp) {
        let reader = app.stranger().signs_up(MIA, PASSWORD);
        let _ = reader.header("accept-language", "fr, de-AT;q=0.8").await.expect(202);
        let door = &app.own.production;
        let german = json!({"default_language": "de"});
        let _ = app.machine(door).sets(door, german).await.expect(200);
        let _ = app.stranger().signs_up("zoe@example.org", PASSWORD).await.expect(202);

        for address in [MIA, "zoe@example.org"] {
            let letter = app.letter_to(address).await;
            assert!(letter.text.contains("Adresse"), "{}", letter.text);
        }
    }

    async fn a_person_who_could_sign_in_at_once_can_verify_too(app: TestApp) {
        let mia = app.person(MIA).await;
        let token = app.letter_to(MIA).await.token();

        let _ = app.follows(&token).await.expect(200);

        assert_eq!(mia.me().await.told(200)["email_verified"], true);
    }

    async fn whoever_asks_for_a_letter_leaves_an_event(app: TestApp) {
        let _ = app.letter_of_mia().await;
        let visitor = app.stranger();

        let _ = visitor.wants_another(MIA).await.expect(202);
        let _ = visitor.wants_another("nobody@example.org").await.expect(202);

        let _ = app.nth_letter_to(MIA, 2).await;
        crate::support::app::eventually(async || {
            let door = &app.own.production;
            let told = app.events(door, Name::VerificationRequested).await;
            let outcomes: Vec<_> = told.iter().map(|it| it.outcome).collect();
            outcomes.contains(&Outcome::Success) && outcomes.contains(&Outcome::Denied)
        })
        .await;
    }
}
