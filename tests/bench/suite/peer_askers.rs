//! What is asked of peers, and by whom.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use serde_json::{Value, json};

use super::scenario::{MIXTURE, Scenario};
use crate::askers::{ByTurns, again, again_for, each};
use crate::client::Connection;
use crate::load::{Asker, Askers};

/// A page of a hundred members is longer than this.
const LONG: usize = 20_000;
const MEMBERS: usize = 100;
const PASSWORD: &str = "a long quiet river";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    BetterAuth,
    FastApiUsers,
}

impl Make {
    pub const fn name(self) -> &'static str {
        match self {
            Self::BetterAuth => "better-auth",
            Self::FastApiUsers => "fastapi-users",
        }
    }

    /// The name of the variable that names it.
    pub const fn interpreter(self) -> &'static str {
        match self {
            Self::BetterAuth => "BENCH_NODE",
            Self::FastApiUsers => "BENCH_PYTHON",
        }
    }

    pub const fn script(self) -> &'static str {
        match self {
            Self::BetterAuth => "tests/bench/peers/better-auth/server.mjs",
            Self::FastApiUsers => "tests/bench/peers/fastapi-users/server.py",
        }
    }

    /// What it can do.
    pub const fn scenarios(self) -> &'static [Scenario] {
        match self {
            Self::BetterAuth => &[
                Scenario::SignIn,
                Scenario::Me,
                Scenario::Refresh,
                Scenario::Check,
                Scenario::List,
                Scenario::Mixed,
                Scenario::SignUp,
                Scenario::Found,
            ],
            Self::FastApiUsers => &[Scenario::SignIn, Scenario::Me, Scenario::SignUp],
        }
    }

    const fn sign_up(self) -> (&'static str, u16) {
        match self {
            Self::BetterAuth => ("/api/auth/sign-up/email", 200),
            Self::FastApiUsers => ("/auth/register", 201),
        }
    }

    const fn me(self) -> &'static str {
        match self {
            Self::BetterAuth => "/api/auth/get-session",
            Self::FastApiUsers => "/users/me",
        }
    }
}

/// Those who have accounts with a peer; by their numbers.
#[derive(Debug)]
pub struct Visitors {
    host: String,
    /// The line of a request that says who somebody is.
    lines: Vec<String>,
    organization: String,
    /// Numbers that nobody and nothing has had.
    fresh: Rc<Cell<usize>>,
}

fn account(number: usize) -> Value {
    let email = format!("user{number}@example.org");
    json!({ "name": "Zoe", "email": email, "password": PASSWORD })
}

impl Visitors {
    /// So many, of whom all are members of one organisation where that is asked for.
    pub fn at(make: Make, address: SocketAddr, count: usize, is_whole: bool) -> Self {
        let mut visitors = Self {
            host: address.to_string(),
            lines: Vec::new(),
            organization: String::new(),
            fresh: Rc::new(Cell::new(1_000_000)),
        };
        let with_members = is_whole && make == Make::BetterAuth;
        let accounts = if with_members {
            count.max(MEMBERS)
        } else {
            count
        };
        let mut connection = Connection::open(address).expect("a connection");
        let mut users = Vec::new();
        for number in 0..accounts {
            let (path, _) = make.sign_up();
            let told = connection.told(&visitors.post(path, "", &account(number)));
            users.push(told["user"]["id"].clone());
            let line = visitors.signs_in(make, &mut connection, number);
            visitors.lines.push(line);
        }
        if with_members {
            let founding = visitors.founding(&visitors.lines[0], 0);
            let organization = connection.told(&founding)["id"].clone();
            for user in &users[1..] {
                let body = json!({ "organizationId": organization, "userId": user });
                connection.told(&visitors.post("/bench/members", "", &body));
            }
            organization
                .as_str()
                .expect("an organisation")
                .clone_into(&mut visitors.organization);
        }
        visitors
    }

    fn signs_in(&self, make: Make, connection: &mut Connection, number: usize) -> String {
        let answer = connection.answer(&self.sign_in(make, number));
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.in_words());
        match make {
            Make::BetterAuth => format!("Cookie: {}\r\n", answer.cookies()),
            Make::FastApiUsers => {
                let told = answer.json();
                let token = told["access_token"].as_str().expect("a token");
                format!("Authorization: Bearer {token}\r\n")
            }
        }
    }

    pub fn askers(&self, make: Make, scenario: Scenario, clients: usize) -> Askers {
        let asker = |number| self.asker(make, scenario, number);
        (0..clients).map(asker).collect()
    }

    fn asker(&self, make: Make, scenario: Scenario, number: usize) -> Box<dyn Asker> {
        let line = self.lines[number].clone();
        match scenario {
            Scenario::SignIn => again(self.sign_in(make, number), 200),
            Scenario::Me | Scenario::MeAnew => again(self.get(make.me(), &line), 200),
            Scenario::Refresh => again(self.get("/api/renew/get-session", &line), 200),
            Scenario::Check => {
                let permissions = json!({ "member": ["create"] });
                let body =
                    json!({ "organizationId": self.organization, "permissions": permissions });
                let path = "/api/auth/organization/has-permission";
                again(self.post(path, &line, &body), 200)
            }
            Scenario::List => {
                let query = format!("?limit=100&organizationId={}", self.organization);
                let path = format!("/api/auth/organization/list-members{query}");
                again_for(self.get(&path, &line), LONG)
            }
            Scenario::Mixed => {
                let parts = [Scenario::Me, Scenario::Refresh, Scenario::SignIn];
                Box::new(ByTurns {
                    askers: parts.map(|part| self.asker(make, part, number)).into(),
                    turns: MIXTURE.to_vec(),
                    at: number,
                })
            }
            Scenario::SignUp => {
                let (path, status) = make.sign_up();
                self.fresh(status, move |it, fresh| it.post(path, "", &account(fresh)))
            }
            Scenario::Found => self.fresh(200, move |it, fresh| it.founding(&line, fresh)),
        }
    }

    /// A request with a number of its own each time.
    fn fresh(
        &self,
        status: u16,
        request: impl Fn(&Self, usize) -> Vec<u8> + 'static,
    ) -> Box<dyn Asker> {
        let it = Self {
            host: self.host.clone(),
            lines: Vec::new(),
            organization: String::new(),
            fresh: self.fresh.clone(),
        };
        each(status, move |into| {
            let fresh = it.fresh.replace(it.fresh.get() + 1);
            into.extend_from_slice(&request(&it, fresh));
        })
    }

    fn sign_in(&self, make: Make, number: usize) -> Vec<u8> {
        match make {
            Make::BetterAuth => self.post("/api/auth/sign-in/email", "", &account(number)),
            Make::FastApiUsers => {
                let password = PASSWORD.replace(' ', "+");
                let body = format!("username=user{number}%40example.org&password={password}");
                let kind = "application/x-www-form-urlencoded";
                self.request(("POST", "/auth/jwt/login"), "", Some((kind, &body)))
            }
        }
    }

    fn founding(&self, line: &str, number: usize) -> Vec<u8> {
        let name = format!("Organisation {number}");
        let body = json!({ "name": name, "slug": format!("organisation-{number}") });
        self.post("/api/auth/organization/create", line, &body)
    }

    fn get(&self, path: &str, line: &str) -> Vec<u8> {
        self.request(("GET", path), line, None)
    }

    fn post(&self, path: &str, line: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        self.request(("POST", path), line, Some(("application/json", &body)))
    }

    /// A browser says where it comes from, and better-auth wants to know.
    fn request(
        &self,
        (method, path): (&str, &str),
        line: &str,
        body: Option<(&str, &str)>,
    ) -> Vec<u8> {
        let host = &self.host;
        let (content, body) = body.map_or_else(Default::default, |(kind, body)| {
            let length = body.len();
            let lines = format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n");
            (lines, body)
        });
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{line}{content}\r\n{body}"
        )
        .into_bytes()
    }
}
