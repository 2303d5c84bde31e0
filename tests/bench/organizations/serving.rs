//! The server among many organisations: people who switch between theirs, and lists of members.

use std::time::Duration;

use authsome::kernel::id::{OrgId, UserId};
use serde_json::{Value, json};

use super::seed::Town;
use crate::client::{Connection, Load, drive};
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
    token: Value,
}

/// Those who sign in, one after another: hashing is no part of what is measured.
pub fn guests(running: &Running) -> Vec<Guest> {
    let guest = |number| {
        let told = running.signed_in(number);
        let id = told["user"]["id"].as_str().expect("a user");
        Guest {
            user: id.parse().expect("an identifier"),
            token: told["access_token"].clone(),
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
    drive(PEOPLE, TIME, |number| {
        let mut connection = Connection::open(running.address).expect("a connection");
        let mut token = guests[number].token.clone();
        let mut places = town.of_guests[number].iter().cycle();
        move || {
            let org = places.next().expect("an organisation");
            let Some(next) = switch(running, &mut connection, &token, *org) else {
                return false;
            };
            token = next;
            true
        }
    })
}

/// The token that somebody goes on with.
fn switch(running: &Running, to: &mut Connection, token: &Value, org: OrgId) -> Option<Value> {
    let body = json!({ "org_id": org });
    let line = format!("Authorization: Bearer {}\r\n", token.as_str()?);
    let request = running.request("POST", "/v1/me/switch-org", &line, Some(&body));
    let Ok((200, answer)) = to.ask(&request) else {
        return None;
    };
    let told: Value = serde_json::from_slice(&answer).ok()?;
    Some(told["access_token"].clone())
}

fn lists(running: &Running, town: &Town, guests: &[Guest]) -> Load {
    let path = format!("/v1/orgs/{}/members?limit=100", town.organizations[0].id);
    drive(PEOPLE, TIME, |number| {
        let mut connection = Connection::open(running.address).expect("a connection");
        let token = &guests[number].token;
        let line = format!(
            "Authorization: Bearer {}\r\n",
            token.as_str().expect("a token")
        );
        let request = running.request("GET", &path, &line, None);
        move || {
            let answer = connection.ask(&request);
            // A hundred of them; who they are is a few dozen bytes each at the least.
            answer.is_ok_and(|(status, body)| status == 200 && body.len() > 20_000)
        }
    })
}
