//! A client of event streams (WHATWG HTML §9.2.6), which shares nothing with the server.

use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::Value;

/// An open stream.
#[derive(Debug)]
pub struct Events {
    response: Response,
    unread: String,
}

/// What stands between two empty lines.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

impl Events {
    /// Follows the revocations that a node tells; `headers` are a credential and the like.
    pub async fn of(url: &str, headers: &[(&str, &str)]) -> Self {
        let http = Client::builder().no_proxy().build().expect("a client");
        let mut request = http
            .get(format!("{url}/v1/revocations"))
            .header("accept", "text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(response.headers()[name], value, "{name}");
        }
        assert!(response.headers().contains_key("x-request-id"));
        Self {
            response,
            unread: String::new(),
        }
    }

    /// The next event, a comment included; `None` where the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let event = Event::read(event);
                self.unread = rest.to_string();
                return Some(event);
            }
            let chunk = self
                .response
                .chunk()
                .await
                .expect("a stream that ends well")?;
            self.unread += std::str::from_utf8(&chunk).expect("events are UTF-8");
        }
    }

    /// The next event that says something, which must come in time.
    pub async fn told(&mut self) -> Event {
        let told = async {
            loop {
                let event = self.next().await.expect("a stream that goes on");
                if !event.name.is_empty() {
                    return event;
                }
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(5), told).await;
        told.expect("an event")
    }

    /// Waits until everything is told that was there before; where to come back.
    pub async fn caught_up(&mut self) -> String {
        loop {
            let event = self.next().await.expect("a stream that goes on");
            if event.name.is_empty() {
                return event.id;
            }
        }
    }
}

impl Event {
    fn read(text: &str) -> Self {
        let mut event = Self::default();
        for line in text.lines() {
            match line.split_once(": ").expect("a field and its value") {
                ("id", id) => id.clone_into(&mut event.id),
                ("event", name) => name.clone_into(&mut event.name),
                ("data", data) => event.data = serde_json::from_str(data).expect("JSON"),
                ("", _comment) => {}
                (other, _) => panic!("{other} is no field"),
            }
        }
        event
    }
}
