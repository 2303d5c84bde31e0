//! Starts: from the start of the process until it is ready, on an installation that has been started
//! before; empty, and with many apps.

use serde::Serialize;
use serde_json::{Value, json};

use super::figure::{median, micros};
use super::options::Options;
use super::ours::Ground;
use crate::client::Connection;
use crate::server::{Running, Where};

#[derive(Debug, Serialize)]
pub struct Row {
    pub store: &'static str,
    /// Besides the one that a first start makes; each has two environments with keys of their own.
    pub apps: usize,
    pub users: usize,
    /// The median of several, and the quickest.
    pub ready_after_ms: f64,
    pub least_ms: f64,
}

pub fn measure(ground: &Ground<'_>, place: &Where, options: &Options) -> Vec<Row> {
    let mut running = ground.raise(place, &[]);
    let empty = row(&mut running, place, options, (0, 0));
    found(&running, options.apps);
    vec![empty, row(&mut running, place, options, (options.apps, 0))]
}

/// How a server starts that has so many apps and users.
pub fn row(
    running: &mut Running,
    place: &Where,
    options: &Options,
    (apps, users): (usize, usize),
) -> Row {
    let starts = (0..options.starts).map(|_| micros(running.restart()) / 1e3);
    let starts: Vec<f64> = starts.collect();
    Row {
        store: place.name(),
        apps,
        users,
        least_ms: starts.iter().copied().fold(f64::INFINITY, f64::min),
        ready_after_ms: median(starts).expect("a start"),
    }
}

/// As the operator does.
pub fn found(running: &Running, apps: usize) {
    let mut connection = Connection::open(running.address).expect("a connection");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let made = &running.made;
    let key = text(&made["platform"]["publishable_key"]);
    let (email, password) = (&made["admin"]["email"], &made["admin"]["password"]);
    let account = json!({ "email": email, "password": password });
    let line = format!("X-Publishable-Key: {key}\r\n");
    let told = connection.told(&running.request("POST", "/v1/signin", &line, Some(&account)));
    let line = format!("Authorization: Bearer {}\r\n", text(&told["access_token"]));
    for number in 0..apps {
        let app = json!({ "name": format!("App {number}") });
        connection.told(&running.request("POST", "/v1/admin/apps", &line, Some(&app)));
    }
}
