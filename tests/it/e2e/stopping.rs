//! Stopping: nothing new begins, what has begun is finished.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::server::{Home, PASSWORD, Server, eventually, text};
use crate::support::client::Asks;
use crate::support::events::Events;
use crate::support::receiver::{Answer, Receiver};
use crate::support::stores::{on_both_stores, run};

/// A connection whose head the server has read and whose body of this length it awaits.
async fn invited(server: &Server, key: &str, length: usize) -> TcpStream {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let head = format!(
        "POST /v1/signup HTTP/1.1\r\nHost: a\r\nX-Publishable-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the server reads");
    let mut answer = [0; 25];
    stream
        .read_exact(&mut answer)
        .await
        .expect("the server answers");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

on_both_stores! {
    /// The head has arrived when the signal does, the body has not.
    async fn a_request_in_flight_is_answered_and_the_exit_code_is_0(home: Home) {
        let key = text(&home.bootstrap(&[]), "/publishable_key");
        let mut server = home.serve().await;
        let body = format!(r#"{{"email":"mia@example.org","password":"{PASSWORD}"}}"#);
        let mut stream = invited(&server, &key, body.len()).await;

        server.process.signal(Signal::TERM);
        eventually("the server stops", async || {
            server.process.log().contains("stopping").then_some(())
        })
        .await;
        stream.write_all(body.as_bytes()).await.unwrap();

        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
        assert_eq!(server.process.ended().await.code(), Some(0));
    }

    /// The work goes on in the background, and the server waits for it.
    async fn what_a_client_who_hung_up_asked_for_is_done_before_the_end(home: Home) {
        let home = home.with("SECURITY__BCRYPT_COST", "13");
        let key = text(&home.bootstrap(&[]), "/publishable_key");
        let mut server = home.serve().await;
        let body = format!(r#"{{"email":"mia@example.org","password":"{PASSWORD}"}}"#);
        let mut stream = invited(&server, &key, body.len()).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        drop(stream);

        server.process.signal(Signal::TERM);

        assert_eq!(server.process.ended().await.code(), Some(0));
        let next = home.serve().await;
        next.sign_in(&key, "mia@example.org", PASSWORD).await;
    }

    async fn what_was_answered_is_there_after_the_next_start(home: Home) {
        let key = text(&home.bootstrap(&[]), "/publishable_key");
        let mut first = home.serve().await;
        let tokens = first.sign_up(&key, "mia@example.org").await;
        first.process.signal(Signal::KILL);
        first.process.ended().await;

        let second = home.serve().await;

        let again = second.sign_in(&key, "mia@example.org", PASSWORD).await;
        assert_eq!(again["user"]["id"], tokens["user"]["id"]);
        second.me(&text(&tokens, "/access_token")).await.told(200);
    }
}

#[test]
fn an_idle_server_ends_at_once() {
    run(async {
        let home = Home::embedded();
        let mut server = home.serve().await;
        // The connection of this request stays open, which must not keep the server.
        server.get("/livez").await.told(200);

        server.process.signal(Signal::TERM);

        let ended = tokio::time::timeout(Duration::from_secs(15), server.process.ended()).await;
        assert_eq!(
            ended
                .expect("an idle server has nothing to wait for")
                .code(),
            Some(0)
        );
    });
}

/// A stream would go on for ever: it is not waited for, but ended as streams end.
#[test]
fn followers_of_revocations_are_hung_up_on() {
    run(async {
        let home = Home::embedded();
        let secret = text(&home.bootstrap(&[]), "/secret_key");
        let mut server = home.serve().await;
        let mut events = Events::of(&server.url, &[("x-api-key", &secret)]).await;
        events.caught_up().await;

        server.process.signal(Signal::TERM);

        assert_eq!(events.next().await, None);
        let ended = tokio::time::timeout(Duration::from_secs(10), server.process.ended()).await;
        assert_eq!(ended.expect("nobody is there any more").code(), Some(0));
    });
}

#[test]
fn a_request_that_does_not_end_is_not_waited_for_beyond_the_time() {
    run(async {
        let home = Home::embedded().with("SERVER__SHUTDOWN_TIMEOUT", "1s");
        let key = text(&home.bootstrap(&[]), "/publishable_key");
        let mut server = home.serve().await;
        let _endless = invited(&server, &key, 100).await;

        server.process.signal(Signal::TERM);

        let ended = tokio::time::timeout(Duration::from_secs(10), server.process.ended()).await;
        assert_eq!(ended.expect("its time is over").code(), Some(0));
    });
}

/// A body that does not come, half a head, a receiver and a mail server that never answer: one time
/// for everything, not one for each.
#[test]
fn everything_that_hangs_is_waited_for_at_the_same_time() {
    run(async {
        let receiver = Receiver::start();
        receiver.always(Answer::Silence);
        let silent = Receiver::start();
        silent.always(Answer::Silence);
        let home = Home::embedded()
            .with("SERVER__SHUTDOWN_TIMEOUT", "3s")
            .with("WEBHOOKS__ALLOW_PRIVATE", "true")
            .with("MAIL__URL", format!("smtp://localhost:{}", silent.port()));
        let told = home.bootstrap(&[]);
        let (key, secret) = (text(&told, "/publishable_key"), text(&told, "/secret_key"));
        let mut server = home.serve().await;
        let hook = json!({"url": receiver.url(), "events": ["user.signed_up"]});
        let _ = server
            .post("/v1/webhooks")
            .api_key(&secret)
            .json(hook)
            .await
            .expect(201);
        server.sign_up(&key, "mia@example.org").await;
        receiver.awaits(1).await;
        let _endless = invited(&server, &key, 100).await;
        let address = server.url.trim_start_matches("http://");
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET /livez HTTP/1.1\r\nHost: a")
            .await
            .unwrap();

        let began = Instant::now();
        server.process.signal(Signal::TERM);

        assert_eq!(server.process.ended().await.code(), Some(0));
        assert!(
            began.elapsed() < Duration::from_secs(7),
            "{:?}",
            began.elapsed()
        );
    });
}

#[test]
fn an_interrupt_ends_the_server_too() {
    run(async {
        let home = Home::embedded();
        let mut server = home.serve().await;

        server.process.signal(Signal::INT);

        assert_eq!(server.process.ended().await.code(), Some(0));
    });
}

/// Whoever sends requests here needs the time to hear that it should stop.
#[test]
fn a_stopping_server_says_so_before_it_stops_listening() {
    run(async {
        let home = Home::embedded().with("SERVER__STOP_DELAY", "3s");
        let key = text(&home.bootstrap(&[]), "/publishable_key");
        let mut server = home.serve().await;

        server.process.signal(Signal::TERM);

        eventually("the server is not ready", async || {
            let ready = server.get("/readyz").that_may_be(503).await;
            (ready.status == 503).then_some(())
        })
        .await;
        let live = server.get("/livez").await.expect(200);
        assert_eq!(
            live.header("connection"),
            Some("close"),
            "none is closed under a request"
        );
        server.sign_up(&key, "mia@example.org").await;
        assert_eq!(server.process.ended().await.code(), Some(0));
    });
}

/// Whoever is starting still, and waits for a database that says nothing, has nothing to finish.
#[test]
fn a_server_that_is_told_to_stop_while_it_starts_ends_as_if_it_had_served() {
    run(async {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("mongodb://{}/authsome", silent.local_addr().unwrap());
        let home = Home::on_mongodb().with("STORE__URL", url);
        let mut process = home.start();
        let _asked = silent.accept().await.unwrap();

        process.signal(Signal::TERM);

        let ended = tokio::time::timeout(Duration::from_secs(1), process.ended()).await;
        assert_eq!(ended.expect("it waits for nothing").code(), Some(0));
    });
}
