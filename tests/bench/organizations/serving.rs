//! The server among many organisations: people who switch between theirs, and lists of members.

use std::time::Duration;

use authsome::kernel::id::{OrgId, UserId};
use serde_json::json;

use super::seed::Town;
use crate::askers::again_for;
use crate::client::Answer;
use crate::load::{Asker, Askers, Heard, Load, closed, run};
use crate::server::Running;

/// How long each load is kept up, and by how many people.
const TIME: Duration = Duration::from_secs(4);
const PEOPLE: usize = 4;

pub struct Served {
    pub switch: Load,
    pub list: Load,
    /// Of the server, after both.
    pub rss_kib: u64,
}

/// Somebody who has signed in.
pub struct Guest {
    pub user: UserId,
    token: String,
}

/// Those who sign in, one after another: hashing is no part of what is measured.
pub fn guests(running: &Running) -> Vec<Guest> {
    let guest = |number| {
        let told = running.signed_in(number);
        let id = told["user"]["id"].as_str().expect("a user");
        Guest {
            user: id.parse().expect("an identifier"),
            token: told["access_token"].as_str().expect("a token").to_owned(),
        }
    };
    (0..PEOPLE).map(guest).collect()
}

pub fn measure(running: &Running, town: &Town, guests: &[Guest]) -> Served {
    Served {
        switch: switches(running, town, guests),
        list: lists(running, town, guests),
        rss_kib: running.rss_kib(),
    }
}

/// Each goes from one of his organisations to the next.
fn switches(running: &Running, town: &Town, guests: &[Guest]) -> Load {
    let switching = |number: usize| {
        let orgs: Vec<Vec<u8>> = town.of_guests[number].iter().map(body).collect();
        let switching: Box<dyn Asker> = Box::new(Switching {
            host: running.address.to_string(),
            token: guests[number].token.clone(),
            orgs,
            next: 0,
        });
        switching
    };
    let mut all: Askers = (0..PEOPLE).map(switching).collect();
    run(closed(running.address, TIME, &mut all))
}

/// Somebody who goes from one organisation to the next, with the token that he was given last.
struct Switching {
    host: String,
    token: String,
    orgs: Vec<Vec<u8>>,
    next: usize,
}

fn body(org: &OrgId) -> Vec<u8> {
    json!({ "org_id": org }).to_string().into_bytes()
}

impl Asker for Switching {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let body = &self.orgs[self.next % self.orgs.len()];
        self.next += 1;
        let (host, token, length) = (&self.host, &self.token, body.len());
        let head = format!(
            "POST /v1/me/switch-org HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(body);
        true
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        if let Some(token) = answer.json()["access_token"].as_str() {
            token.clone_into(&mut self.token);
        }
        Heard::by(answer, 200)
    }
}

fn lists(running: &Running, town: &Town, guests: &[Guest]) -> Load {
    let path = format!("/v1/orgs/{}/members?limit=100", town.organizations[0].id);
    let list = |number: usize| {
        let line = format!("Authorization: Bearer {}\r\n", guests[number].token);
        // A hundred of them; who they are is a few dozen bytes each at the least.
        again_for(running.request("GET", &path, &line, None), 20_000)
    };
    let mut all: Askers = (0..PEOPLE).map(list).collect();
    run(closed(running.address, TIME, &mut all))
}
