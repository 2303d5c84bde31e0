//! Connections that take their time: each is closed, and nobody else waits for it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::server::{Home, Server, text};
use crate::support::client::Asks;
use crate::support::stores::run;

/// Well past every limit that the tests set, well before any default.
const LATE: Duration = Duration::from_secs(8);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(&server.url["http://".len()..])
        .await
        .expect("the server listens")
}

/// What comes before the server closes the connection; a reset closes it too.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let closed = timeout(LATE, stream.read_to_end(&mut said)).await;
    let _ = closed.expect("the server closes the connection");
    String::from_utf8_lossy(&said).into_owned()
}

async fn impatient() -> (Home, Server) {
    let home = Home::embedded()
        .with("SERVER__HEADER_TIMEOUT", "1s")
        .with("SERVER__BODY_TIMEOUT", "1s")
        .with("SERVER__KEEP_ALIVE", "1s");
    let server = home.serve().await;
    (home, server)
}

#[test]
fn a_connection_that_sends_nothing_is_closed() {
    run(async {
        let (_home, server) = impatient().await;
        let mut silent = connect(&server).await;

        let said = until_closed(&mut silent).await;

        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 408 "),
            "{said}"
        );
    });
}

#[test]
fn half_a_head_is_not_waited_for() {
    run(async {
        let (_home, server) = impatient().await;
        let mut half = connect(&server).await;
        half.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            .await
            .unwrap();

        let said = until_closed(&mut half).await;

        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 408 "),
            "{said}"
        );
    });
}

/// The time is that of the whole head: a byte now and then does not begin it anew.
#[test]
fn a_head_that_trickles_is_not_waited_for() {
    run(async {
        let (_home, server) = impatient().await;
        let (mut answers, mut trickle) = connect(&server).await.into_split();
        trickle
            .write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            .await
            .unwrap();
        let trickling = tokio::task::spawn_local(async move {
            let mut tick = interval(Duration::from_millis(200));
            loop {
                tick.tick().await;
                if trickle.write_all(b"a").await.is_err() {
                    break;
                }
            }
        });

        let mut said = Vec::new();
        let closed = timeout(LATE, answers.read_to_end(&mut said)).await;

        assert!(closed.is_ok(), "the server is still waiting");
        trickling.abort();
    });
}

#[test]
fn a_body_that_does_not_come_is_answered_with_408() {
    run(async {
        let (home, server) = impatient().await;
        let key = text(&home.bootstrap(&[]), "/publishable_key");
        let mut slow = connect(&server).await;
        let head = format!(
            "POST /v1/signup HTTP/1.1\r\nHost: a\r\nX-Publishable-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"email\":"
        );
        slow.write_all(head.as_bytes()).await.unwrap();

        let said = until_closed(&mut slow).await;

        assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
        assert!(said.contains(r#""type":"body_timeout""#), "{said}");
    });
}

#[test]
fn a_connection_that_is_done_is_closed_after_its_time() {
    run(async {
        let (_home, server) = impatient().await;
        let mut idle = connect(&server).await;
        idle.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();

        let said = until_closed(&mut idle).await;

        assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
    });
}

/// Slow heads hold a connection each, and nothing else.
#[test]
fn others_are_served_while_connections_idle() {
    run(async {
        let (_home, server) = impatient().await;
        let mut idle = Vec::new();
        for _ in 0..200 {
            let mut stream = connect(&server).await;
            stream.write_all(b"GET /livez HT").await.unwrap();
            idle.push(stream);
        }

        let asked = timeout(Duration::from_secs(5), server.get("/livez").into_future()).await;

        asked.expect("an answer in time").told(200);
    });
}

/// DO-03. A server whose connections are few: those that come later wait for a place, and get one when
/// somebody who is silent has lost his.
#[test]
fn a_connection_beyond_the_most_waits_for_a_place() {
    run(async {
        let home = Home::embedded()
            .with("SERVER__WORKERS", "1")
            .with("SERVER__MAX_CONNECTIONS", "8")
            .with("SERVER__HEADER_TIMEOUT", "2s");
        let server = home.serve().await;
        let mut silent = Vec::new();
        for _ in 0..24 {
            silent.push(connect(&server).await);
        }

        let mut late = connect(&server).await;
        late.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut first = [0];
        let at_once = timeout(Duration::from_millis(500), late.peek(&mut first)).await;
        let said = timeout(3 * LATE, until_closed(&mut late)).await;

        assert!(at_once.is_err(), "there was a place beyond the most");
        let said = said.expect("a place becomes free");
        assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
    });
}

/// DO-03. Where no file can be opened any more, no connection can be taken; that ends nothing else.
#[test]
#[cfg(target_os = "linux")]
fn a_server_without_a_file_left_goes_on_when_there_are_some() {
    run(async {
        let home = Home::embedded()
            .with("SERVER__WORKERS", "1")
            .with("SERVER__HEADER_TIMEOUT", "1s");
        let server = home.serve().await;
        server.process.may_open_more(10);
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(connect(&server).await);
        }
        drop(silent.split_off(50));
        for stream in &mut silent {
            until_closed(stream).await;
        }

        let asked = timeout(LATE, server.get("/livez").into_future()).await;

        asked.expect("an answer in time").told(200);
    });
}

/// DO-02. What he does not take stays where it is, and its connection with it, for no longer than this.
#[test]
#[cfg(target_os = "linux")]
fn a_client_who_takes_nothing_of_an_answer_is_hung_up_on() {
    run(async {
        let home = Home::embedded().with("SERVER__WRITE_TIMEOUT", "1s");
        let server = home.serve().await;
        let stream = connect(&server).await;
        let ask = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n".repeat(40);
        let (_unread, mut asks) = stream.into_split();
        asks.write_all(ask.as_bytes()).await.unwrap();

        let mut tick = interval(Duration::from_millis(100));
        let hung_up = timeout(3 * LATE, async {
            while asks.write_all(b"\r\n").await.is_ok() {
                tick.tick().await;
            }
        });

        hung_up.await.expect("the server hangs up");
        server.get("/livez").await.told(200);
    });
}
