//! Letters: queued with what they tell, delivered once by any node, kept in the list of an
//! administrator. Here they are files; `smtp` sends them.

use std::collections::BTreeSet;
use std::time::Duration;

use authsome::events::Name;
use authsome::kernel::language::Language;
use authsome::kernel::secret::ExposeSecret;
use authsome::notifications::{Message, Notification, Status};
use authsome::tokens::Purpose;
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::Asks;
use crate::support::mail::letter;
use crate::support::persona::PASSWORD;
use crate::support::stores::on_both_stores;

impl TestApp {
    /// The list of letters, as a machine of the default environment sees it.
    async fn listed(&self, query: &str) -> Vec<Value> {
        let key = &self.own.development.secret_key;
        let page = self
            .get(&format!("/v1/admin/notifications{query}"))
            .api_key(key);
        let page = page.await.told(200);
        page["notifications"].as_array().expect("a page").clone()
    }
}

on_both_stores! {
    async fn a_queued_letter_is_sent_with_its_link_and_code(app: TestApp) {
        let message = app.verification();
        let Message::VerifyEmail { verification_id, .. } = message else { unreachable!() };

        app.queues("mia@example.org", message).await;

        let letter = app.letter_to("mia@example.org").await;
        let issuer = &app.foundation().tokens.issuer;
        let (links, token) = (&app.foundation().links, letter.token());
        assert_eq!(letter.link(), format!("{issuer}/pages/verify-email?token={token}"));
        assert_eq!(token.len(), 43);
        assert!(letter.html.contains(&letter.link()), "{}", letter.html);
        assert!(links.tokens.is_code(Purpose::VerifyEmail, verification_id, &letter.code()));
        assert!(letter.text.contains("24 hours"), "{}", letter.text);
        assert_eq!(letter.from, "no-reply@localhost");
        assert_eq!(letter.subject, "Confirm your email address for default");
        let sent = app.notification(|it| it.status == Status::Sent).await;
        assert_eq!(letter.message_id, format!("{}@localhost", sent.id));
        assert_eq!((sent.attempts, sent.sent_at), (1, Some(app.clock.now())));
    }

    async fn a_link_leads_to_the_page_of_the_environment(app: TestApp) {
        let url = json!({"verify_email_url": "https://app.example.com/verify?from=mail"});
        let (admin, door) = (app.operator().await, &app.own.development);
        let path = format!("/v1/environments/{}/settings{}", door.env_id, door.query());
        let _ = app.patch(&path).bearer(&admin.access_token()).json(url).await.expect(200);

        eventually(async || {
            app.queues("mia@example.org", app.verification()).await;
            let letter = app.letter_to("mia@example.org").await;
            let token = letter.token();
            letter.link() == format!("https://app.example.com/verify?from=mail&token={token}")
        }).await;
    }

    /// What a transaction takes back was never said.
    async fn a_letter_of_a_unit_that_fails_is_not_sent(app: TestApp) {
        let (outbox, now) = (&app.foundation().links.outbox, app.clock.now());
        let tenant = app.own.development.tenant();
        let undone: Result<(), authsome::store::StoreError> = app.store().write(async |tx| {
            let unsaid = letter("mia@example.org", Message::PasswordChanged);
            outbox.enqueue(&mut tx.within(tenant), unsaid, now).await?;
            Err(authsome::store::StoreError::Timeout)
        }).await;
        assert!(undone.is_err());

        app.queues("bo@example.org", Message::PasswordChanged).await;

        app.letter_to("bo@example.org").await;
        assert!(app.letters_to("mia@example.org").is_empty());
    }

    async fn the_reader_is_named_and_written_to_in_his_language(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"first_name": "Mia"})).await;
        let token = json!({"token": app.letter_to(&mia.email).await.token()});
        let _ = app.post("/v1/verify-email").json(token).await.expect(200);
        let mut about = letter(&mia.email, Message::PasswordChanged);
        about.user = Some(mia.id.parse().expect("a user"));
        about.language = Language::German;

        app.queues_at(&app.own.development, about).await;

        let letter = app.nth_letter_to(&mia.email, 2).await;
        assert!(letter.text.starts_with("Guten Tag Mia,\n"), "{}", letter.text);
        assert!(letter.text.contains("2040-01-01 00:00 UTC"), "{}", letter.text);
    }

    /// Anybody can sign up with the address of another, and any name.
    async fn a_name_that_would_be_a_link_is_not_said(app: TestApp) {
        let more = json!({"first_name": "win at evil.example"});
        let mia = app.person_with("mia@example.org", more).await;
        let token = json!({"token": app.letter_to(&mia.email).await.token()});
        let _ = app.post("/v1/verify-email").json(token).await.expect(200);
        let mut about = letter(&mia.email, Message::NewDevice {
            browser: Some("https://evil.example\r\nBcc: v@corp.example".to_owned()),
            os: None,
            ip_address: Some("2001:db8::7".to_owned()),
        });
        about.user = Some(mia.id.parse().expect("a user"));

        app.queues_at(&app.own.development, about).await;

        let letter = app.nth_letter_to(&mia.email, 2).await;
        assert!(letter.text.starts_with("Hello,\n"), "{}", letter.text);
        assert!(letter.text.contains("2001:db8::7"), "{}", letter.text);
        assert!(!letter.text.contains("Device"), "{}", letter.text);
        assert!(!letter.raw.contains("evil") && !letter.raw.contains("Bcc"), "{}", letter.raw);
    }

    /// What becomes of the invitation meanwhile is for whoever follows the link to see.
    async fn an_invitation_goes_to_an_address_without_an_account(app: TestApp) {
        let invited = app.invited();
        let links = &app.foundation().links.tokens;
        let token = links.invitation(invited.invitation_id, invited.generation);

        app.queues("mia@example.org", Message::Invitation(invited)).await;

        let letter = app.letter_to("mia@example.org").await;
        let issuer = &app.foundation().tokens.issuer;
        assert_eq!(letter.token(), token.expose_secret());
        assert_eq!(letter.link(), format!("{issuer}/pages/invitation?token={}", letter.token()));
        assert_eq!(letter.subject, "Invitation to Northwind on default");
        assert!(letter.text.starts_with("Hello,\n"), "{}", letter.text);
        for said in ["Zoe Winter", "Your role: member", "“See you on Monday!”", "7 days"] {
            assert!(letter.text.contains(said), "{said}: {}", letter.text);
        }
        assert!(letter.html.contains("https://northwind.example.com/logo.png"));
        eventually(async || app.listed("?template=invitation&status=sent").await.len() == 1).await;
        let stored: Vec<Notification> = app.of_environment(&app.own.development).await;
        let text = serde_json::to_string(&stored).expect("documents are JSON");
        assert!(!text.contains(&letter.token()) && !text.contains("mia@"), "{text}");
    }

    async fn an_invitation_leads_to_the_page_of_the_environment(app: TestApp) {
        let url = json!({"invitation_url": "https://app.example.com/join"});
        let (admin, door) = (app.operator().await, &app.own.development);
        let path = format!("/v1/environments/{}/settings{}", door.env_id, door.query());
        let _ = app.patch(&path).bearer(&admin.access_token()).json(url).await.expect(200);

        eventually(async || {
            app.queues("mia@example.org", Message::Invitation(app.invited())).await;
            let letter = app.letter_to("mia@example.org").await;
            letter.link() == format!("https://app.example.com/join?token={}", letter.token())
        }).await;
    }

    /// Anybody can found an organization, call it and himself anything, and write to anybody.
    async fn an_invitation_with_hostile_names_is_one_letter_with_one_link(app: TestApp) {
        let hostile = "<a href=\"https://evil.example\">\u{202e}x</a>\r\nBcc: v@corp.example";
        let mut invited = app.invited();
        invited.organization = format!("{hostile} =?utf-8?q?x?= {}", "x".repeat(10_240));
        invited.logo = Some("javascript:alert(1)".to_owned());
        invited.inviter = Some(hostile.to_owned());
        invited.roles = vec![hostile.to_owned(), "member".to_owned()];
        invited.message = Some(format!("{hostile} {}", "x".repeat(10_240)));

        app.queues("mia@example.org", Message::Invitation(invited)).await;

        let letter = app.letter_to("mia@example.org").await;
        assert_eq!(letter.to, ["mia@example.org"]);
        assert_eq!(letter.links().len(), 1, "{}", letter.text);
        assert_eq!(letter.html.matches("<a ").count(), 2, "{}", letter.html);
        assert!(!letter.html.contains("javascript:"), "{}", letter.html);
        assert!(letter.text.contains("Your role: member"), "{}", letter.text);
        assert!(letter.text.contains("Somebody invites you"), "{}", letter.text);
        assert!(!letter.raw.lines().any(|line| line.starts_with("Bcc")), "{}", letter.raw);
        for shown in [&letter.subject, &letter.text, &letter.html] {
            let does_show = |it: &str| shown.contains(it);
            assert!(!does_show("evil.example") && !does_show("v@corp") && !does_show("\u{202e}"));
        }
    }

    async fn who_is_gone_gets_no_letter_but_the_one_that_says_so(app: TestApp) {
        let nobody = authsome::kernel::id::UserId::new(app.clock.now(), &app.foundation().world.entropy);
        let about = |message| {
            let mut about = letter("mia@example.org", message);
            about.user = Some(nobody);
            about
        };
        let door = &app.own.development;

        app.queues_at(door, about(Message::PasswordChanged)).await;

        let failed = app.notification(|it| it.status == Status::Failed).await;
        assert_eq!(failed.last_error.as_deref(), Some("gone"));
        let [event] = &app.events(door, Name::NotificationFailed).await[..] else {
            panic!("one event")
        };
        assert_eq!(event.details["reason"], "gone");
        assert_eq!(event.details["template"], "password_changed");
        app.queues_at(door, about(Message::AccountDeleted)).await;
        assert!(app.letter_to("mia@example.org").await.subject.contains("deleted"));
    }

    /// Nobody is sent a link that opens nothing.
    async fn a_letter_whose_time_is_over_is_not_sent(app: TestApp) {
        let message = app.reset(Duration::from_mins(1));
        app.clock.advance(Duration::from_mins(1));

        app.queues("mia@example.org", message).await;

        let failed = app.notification(|it| it.status == Status::Failed).await;
        assert_eq!(failed.last_error.as_deref(), Some("too late"));
        assert!(app.letters().is_empty());
    }

    async fn several_nodes_send_every_letter_once(app: TestApp) {
        let _nodes = [app.another_node(&[]).await, app.another_node(&[]).await];
        for count in 0..40 {
            app.queues(&format!("v{count}@example.org"), Message::PasswordChanged).await;
        }

        eventually(async || app.letters().len() == 40).await;
        eventually(async || {
            let all: Vec<Notification> = app.of_environment(&app.own.development).await;
            all.iter().all(|it| it.status == Status::Sent && it.attempts == 1)
        }).await;
        let to: BTreeSet<_> = app.letters().into_iter().flat_map(|it| it.to).collect();
        assert_eq!(to.len(), 40);
    }

    async fn administrators_see_what_became_of_letters_but_nothing_of_what_they_say(app: TestApp) {
        let mia = app.appoints(&app.own.development, "mia@example.org", PASSWORD).await;
        let mut about = letter("mia@example.org", app.verification());
        about.user = Some(mia);
        app.queues_at(&app.own.development, about).await;
        let letter = app.letter_to("mia@example.org").await;
        eventually(async || app.listed("").await[0]["status"] == "sent").await;
        app.clock.advance(Duration::from_secs(1));
        app.queues("bo@example.org", app.reset(Duration::ZERO)).await;
        eventually(async || app.listed("?status=failed").await.len() == 1).await;

        let listed = app.listed("").await;

        let seen = |member: &str| listed.iter().map(|it| it[member].clone()).collect::<Vec<_>>();
        assert_eq!(seen("to"), ["b…@example.org", "m…@example.org"]);
        assert_eq!(seen("status"), ["failed", "sent"]);
        assert_eq!(seen("template"), ["reset_password", "verify_email"]);
        assert_eq!(seen("last_error"), [json!("too late"), Value::Null]);
        assert_eq!(seen("next_attempt_at"), [Value::Null, Value::Null]);
        assert_eq!(listed[1]["user_id"], mia.to_string());
        let text = json!(listed).to_string();
        for secret in [letter.token(), letter.code(), "mia@example.org".to_owned()] {
            assert!(!text.contains(&secret), "{text}");
        }
        assert_eq!(app.listed("?template=verify_email").await, listed[1..]);
        assert_eq!(app.listed(&format!("?user_id={mia}")).await, listed[1..]);
        assert_eq!(app.listed("?limit=1").await, listed[..1]);
        let key = &app.own.production.secret_key;
        let elsewhere = app.get("/v1/admin/notifications").api_key(key).await.told(200);
        assert_eq!(elsewhere["notifications"], json!([]));
        for query in ["?status=lost", "?template=spam", "?user_id=1"] {
            let path = format!("/v1/admin/notifications{query}");
            let key = &app.own.development.secret_key;
            app.get(&path).api_key(key).await.refuses(400, "invalid_query");
        }
    }

    /// Nor does the store hold any of it.
    async fn no_document_holds_a_link_a_code_or_an_address_in_clear(app: TestApp) {
        app.queues("mia@example.org", app.verification()).await;
        let letter = app.letter_to("mia@example.org").await;

        let stored: Vec<Notification> = app.of_environment(&app.own.development).await;

        let text = serde_json::to_string(&stored).expect("documents are JSON");
        for secret in [letter.token(), letter.code(), "mia@".to_owned()] {
            assert!(!text.contains(&secret), "{text}");
        }
    }
}
