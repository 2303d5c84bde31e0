//! Letters by SMTP: what the server is told, and what is done about its refusals.

use std::time::{Duration, Instant};

use authsome::events::Name;
use authsome::notifications::{Message, Notification, Status};

use crate::support::app::{TestApp, eventually};
use crate::support::mail::letter;
use crate::support::smtp::MailServer;
use crate::support::stores::{Backend, on_both_stores, run};

/// A server that sends its letters to a mail server without TLS.
struct Posted {
    app: TestApp,
    server: MailServer,
}

impl Posted {
    async fn on(backend: Backend) -> Self {
        let server = MailServer::start(&[]);
        let app = sending(backend, &server.url("smtp", ""), &[]).await;
        Self { app, server }
    }
}

/// A store, and no mail server yet.
struct Unposted(Backend);

impl Unposted {
    #[expect(
        clippy::unused_async,
        reason = "what `on_both_stores!` asks of a fixture"
    )]
    async fn on(backend: Backend) -> Self {
        Self(backend)
    }
}

async fn sending(backend: Backend, url: &str, more: &[(&str, &str)]) -> TestApp {
    let mut settings = vec![
        ("MAIL__URL", url),
        ("MAIL__FROM", "Shop <no-reply@shop.example>"),
        ("MAIL__TIMEOUT", "2s"),
    ];
    settings.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    settings.extend(more);
    TestApp::with(backend, &settings).await
}

fn header<'a>(raw: &'a str, name: &str) -> Vec<&'a str> {
    let head = raw.split("\r\n\r\n").next().unwrap_or_default();
    let start = format!("{name}: ");
    let lines = head.split("\r\n");
    lines.filter_map(|line| line.strip_prefix(&start)).collect()
}

on_both_stores! {
    async fn a_letter_travels_whole_to_one_recipient(posted: Posted) {
        let Posted { app, server } = posted;

        app.queues("mia@example.org", app.verification()).await;

        let [received] = &server.awaits("mia@example.org", 1).await[..] else { panic!("one") };
        let sent = app.notification(|it| it.status == Status::Sent).await;
        let raw = &received.letter.raw;
        assert_eq!(header(raw, "To"), ["mia@example.org"]);
        assert_eq!(header(raw, "From"), ["Shop <no-reply@shop.example>"]);
        assert_eq!(header(raw, "Message-ID"), [format!("<{}@shop.example>", sent.id)]);
        assert_eq!(header(raw, "Date"), ["Sun, 01 Jan 2040 00:00:00 +0000"]);
        assert_eq!(header(raw, "Auto-Submitted"), ["auto-generated"]);
        assert!(header(raw, "Content-Type")[0].starts_with("multipart/alternative"), "{raw}");
        assert!(!raw.contains("Bcc") && !raw.contains("Cc:"), "{raw}");
        assert_eq!(received.facts["to"], serde_json::json!(["mia@example.org"]));
        assert_eq!(received.facts["from"], "no-reply@shop.example");
        assert_eq!(received.letter.code().len(), 6);
    }

    /// 451 is for now. The next time comes in ten seconds, or a little later.
    async fn a_refusal_for_now_is_tried_again(posted: Posted) {
        let Posted { app, server } = posted;
        app.queues("busy@example.org", Message::PasswordChanged).await;

        let tried = app.tried(1).await;
        assert_eq!(tried.last_error.as_deref(), Some("smtp 451 4.7.1"));
        let pause = tried.next_attempt_at.since(app.clock.now());
        assert!((Duration::from_secs(10)..=Duration::from_millis(12_500)).contains(&pause));
        app.clock.advance(pause);

        server.awaits("busy@example.org", 1).await;
        let sent = app.notification(|it| it.status == Status::Sent).await;
        assert_eq!((sent.attempts, sent.last_error), (2, None));
    }

    async fn a_refusal_for_good_is_told_in_an_event(posted: Posted) {
        let Posted { app, server } = posted;
        app.queues("unknown@example.org", Message::PasswordChanged).await;

        let failed = app.notification(|it| it.status == Status::Failed).await;

        assert_eq!(failed.last_error.as_deref(), Some("smtp 550 5.1.1"));
        let [event] = &app.events(&app.own.development, Name::NotificationFailed).await[..] else {
            panic!("one event")
        };
        assert_eq!(event.target.as_ref().and_then(|it| it.id.clone()), Some(failed.id.to_string()));
        assert_eq!(event.details["reason"], "smtp 550 5.1.1");
        assert!(server.received().is_empty());
    }

    async fn a_server_that_is_down_for_ten_minutes_gets_every_letter_once(on: Unposted) {
        let port = MailServer::start(&[]).port;
        let app = sending(on.0, &format!("smtp://localhost:{port}"), &[]).await;
        app.queues("mia@example.org", app.verification()).await;
        let mut attempts = 0;
        let up = app.clock.now().plus(Duration::from_mins(10));
        while app.clock.now() < up {
            attempts += 1;
            let tried = app.tried(attempts).await;
            assert_eq!(tried.last_error.as_deref(), Some("connection refused"));
            app.clock.advance(tried.next_attempt_at.since(app.clock.now()));
        }

        let server = MailServer::start_at(port, &[]);
        let last = app.notification(|it| it.attempts > attempts && it.lease_until.is_none()).await;
        app.clock.advance(last.next_attempt_at.since(app.clock.now()));

        let sent = app.notification(|it| it.status == Status::Sent).await;
        assert!(attempts > 5 && attempts < 9, "{attempts} attempts in ten minutes");
        let received = server.awaits("mia@example.org", 1).await;
        assert_eq!(received.len(), 1);
        assert!(received[0].letter.message_id.starts_with(&sent.id.to_string()));
    }

    /// It was taken, but nobody heard so: it comes twice, and can be told to be the same.
    async fn a_letter_whose_answer_is_lost_comes_again_under_the_same_name(posted: Posted) {
        let Posted { app, server } = posted;
        app.queues("lost@example.org", app.verification()).await;

        let tried = app.tried(1).await;
        assert_eq!(tried.last_error.as_deref(), Some("connection lost"));
        app.clock.advance(Duration::from_mins(1));

        let received = server.awaits("lost@example.org", 2).await;
        assert_eq!(received[0].letter.message_id, received[1].letter.message_id);
        assert_eq!(received[0].letter.code(), received[1].letter.code());
        app.notification(|it| it.status == Status::Sent).await;
    }

    /// As after the death of its node: the lease ends, the next one sends it, and the first one,
    /// should it live after all, changes nothing any more.
    async fn a_letter_in_dead_hands_is_sent_by_the_next(posted: Posted) {
        let Posted { app, server } = posted;
        let node = app.another_node(&[]).await;
        app.queues("hangs-once@example.org", Message::PasswordChanged).await;
        server.awaits("hangs-once@example.org", 1).await;

        app.clock.advance(Duration::from_mins(1));

        let received = server.awaits("hangs-once@example.org", 2).await;
        assert_eq!(received[0].letter.message_id, received[1].letter.message_id);
        let sent = app.notification(|it| it.status == Status::Sent).await;
        assert_eq!(sent.attempts, 2);
        // The first holder gives up, and does not have it sent a third time.
        tokio::time::sleep(Duration::from_millis(6_500)).await;
        app.clock.advance(Duration::from_mins(10));
        app.queues("bo@example.org", Message::PasswordChanged).await;
        server.awaits("bo@example.org", 1).await;
        assert_eq!(server.received_for("hangs-once@example.org").len(), 2);
        drop(node);
    }

    /// Hanging servers hold some places; neither other letters nor requests wait for them.
    async fn a_server_that_hangs_keeps_nobody_waiting(on: Unposted) {
        let server = MailServer::start(&[]);
        let app = sending(on.0, &server.url("smtp", ""), &[("MAIL__TIMEOUT", "15s")]).await;
        for count in 0..6 {
            app.queues(&format!("hangs{count}@example.org"), Message::PasswordChanged).await;
        }
        eventually(async || server.received().len() == 6).await;

        for count in 0..10 {
            app.queues(&format!("v{count}@example.org"), Message::PasswordChanged).await;
        }
        app.person("mia@example.org").await;
        server.awaits("v9@example.org", 1).await;

        let all: Vec<Notification> = app.of_environment(&app.own.development).await;
        let hanging = all.iter().filter(|it| it.status == Status::Pending && it.lease_until.is_some());
        assert!(hanging.count() >= 6, "{all:?}");
    }
}

#[test]
fn names_cannot_add_headers_recipients_or_messages() {
    run(async {
        let Posted { app, server } = Posted::on(Backend::Sqlite).await;
        // A line of the text begins with a full stop, which SMTP stuffs.
        let dotted = app
            .founds(".=?utf-8?q?=0D=0ABcc=3A_v@corp.example?= <b>")
            .await;
        let browser =
            "x\r\n.\r\nMAIL FROM:<v@corp.example>\r\n\u{2028}Bcc: v@corp.example".to_owned();
        let about = letter(
            "mia@example.org",
            Message::NewDevice {
                browser: Some(browser),
                os: None,
                ip_address: None,
            },
        );

        app.queues_at(&dotted.development, about).await;

        let [received] = &server.awaits("mia@example.org", 1).await[..] else {
            panic!("one")
        };
        let raw = &received.letter.raw;
        assert_eq!(header(raw, "To").len(), 1);
        assert!(
            header(raw, "Bcc").is_empty() && !received.letter.subject.contains("Bcc: v"),
            "{raw}"
        );
        assert!(
            received.letter.text.contains("\n.= ?utf-8?q?"),
            "{}",
            received.letter.text
        );
        assert!(
            server.wire().contains("\r\n..= ?utf-8?q?") || server.wire().contains("\r\n..=3D"),
            "{}",
            server.wire()
        );
        assert!(
            received.letter.html.contains("&lt;b&gt;"),
            "{}",
            received.letter.html
        );
        let senders = server.wire().matches("\r\nMAIL FROM:").count();
        assert_eq!(
            (senders, server.received().len()),
            (1, 1),
            "{}",
            server.wire()
        );
    });
}

#[test]
fn a_login_is_made_and_a_refused_one_is_not_the_fault_of_the_letter() {
    run(async {
        let server = MailServer::start(&["--login", "mia@shop.example:p/q r"]);
        let table = [
            ("mia%40shop.example:p%2Fq%20r@", None),
            ("mia%40shop.example:wrong@", Some("login: smtp 535 5.7.8")),
            ("", Some("sender: smtp 530 5.7.0")),
        ];
        for (at, (login, error)) in table.into_iter().enumerate() {
            let url = format!("smtp://{login}localhost:{}", server.port);
            let app = sending(Backend::Sqlite, &url, &[]).await;
            app.queues(&format!("v{at}@example.org"), Message::PasswordChanged)
                .await;
            let fate = app.notification(|it| it.status == Status::Sent || it.last_error.is_some());
            assert_eq!(fate.await.last_error.as_deref(), error, "{login}");
        }
        let received = server.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].facts["login"], true);
    });
}

/// What is sent where, and how a server is configured and certified.
struct Encrypted {
    tls: &'static str,
    name: &'static str,
    url: (&'static str, &'static str),
    certified: bool,
    /// `None` where the letter goes out.
    refused: Option<&'static str>,
}

const STARTTLS: (&str, &str) = ("smtp", "?tls=required");
const IMPLICIT: (&str, &str) = ("smtps", "");
const IF_OFFERED: (&str, &str) = ("smtp", "?tls=opportunistic");

#[rustfmt::skip]
const ENCRYPTED: &[Encrypted] = &[
    Encrypted { tls: "starttls", name: "localhost", url: STARTTLS, certified: true, refused: None },
    Encrypted { tls: "implicit", name: "localhost", url: IMPLICIT, certified: true, refused: None },
    Encrypted { tls: "starttls", name: "localhost", url: IF_OFFERED, certified: true, refused: None },
    // Nobody vouches for it.
    Encrypted { tls: "starttls", name: "localhost", url: STARTTLS, certified: false, refused: Some("tls") },
    Encrypted { tls: "implicit", name: "localhost", url: IMPLICIT, certified: false, refused: Some("tls") },
    Encrypted { tls: "starttls", name: "localhost", url: IF_OFFERED, certified: false, refused: Some("tls") },
    // It is somebody else.
    Encrypted { tls: "starttls", name: "mail.example", url: STARTTLS, certified: true, refused: Some("tls") },
    Encrypted { tls: "implicit", name: "mail.example", url: IMPLICIT, certified: true, refused: Some("tls") },
    // Somebody on the way took the offer away.
    Encrypted { tls: "none", name: "localhost", url: STARTTLS, certified: false, refused: Some("tls: not offered") },
    Encrypted { tls: "none", name: "localhost", url: IMPLICIT, certified: false, refused: Some("tls") },
];

#[test]
fn nothing_is_sent_where_encryption_is_not_what_it_should_be() {
    run(async {
        for case in ENCRYPTED {
            let what = format!(
                "{} {:?} {} {}",
                case.tls, case.url, case.name, case.certified
            );
            let server = MailServer::start(&["--tls", case.tls, "--name", case.name]);
            let ca_file = server.ca_file().display().to_string();
            let more = [("MAIL__CA_FILE", &*ca_file)];
            let more = if case.certified { &more[..] } else { &[] };
            let url = server.url(case.url.0, case.url.1);
            let app = sending(Backend::Sqlite, &url, more).await;

            app.queues("mia@example.org", app.verification()).await;

            let fate = app.notification(|it| it.status == Status::Sent || it.last_error.is_some());
            let fate: Notification = fate.await;
            assert_eq!(fate.last_error.as_deref(), case.refused, "{what}");
            let received = server.received();
            assert_eq!(
                received.len(),
                usize::from(case.refused.is_none()),
                "{what}"
            );
            assert!(
                received.iter().all(|it| it.facts["encrypted"] == true),
                "{what}"
            );
            let said = server.wire().contains("MAIL FROM") || server.wire().contains("mia@");
            assert_eq!(said, case.refused.is_none(), "{what}: {}", server.wire());
        }
    });
}

#[test]
fn letters_go_out_quickly() {
    run(async {
        const LETTERS: usize = 300;
        let Posted { app, server } = Posted::on(Backend::Sqlite).await;
        let began = Instant::now();

        for count in 0..LETTERS {
            app.queues(&format!("v{count}@example.org"), app.verification())
                .await;
        }
        let queued = began.elapsed();
        while server.received().len() < LETTERS {
            assert!(
                began.elapsed() < Duration::from_mins(1),
                "{}",
                server.received().len()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        let rate = f64::from(300) / began.elapsed().as_secs_f64();
        println!("{LETTERS} letters: queued in {queued:?}, {rate:.0} a second");
    });
}
