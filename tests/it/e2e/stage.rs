//! Where lives by mail are lived: processes that serve one database, and a mail server that takes
//! their letters with a login, over TLS.
//!
//! ```text
//! Stage ── first ── second      two processes where the store can be shared, else one twice
//!    ├──── mail                 every letter is read once, in its turn, and held to the rules
//!    └──── used                 every secret that was used on the way, to be searched for
//! ```

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::server::{Home, Server, text};
use crate::support::client::{Reply, Request};
use crate::support::mail::Letter;
use crate::support::smtp::MailServer;
use crate::support::stores::Backend;

/// Nothing listens there: what is followed of a link is its token.
pub const PUBLIC_URL: &str = "https://id.shop.example";
pub const LAPTOP: &str = "laptop-of-mia-5512087";
const SENDER: &str = "no-reply@shop.example";
const LOGIN: &str = "authsome";
const SMTP_PASSWORD: &str = "four-hushed-otters-2207";

/// One person asks more often than the limits of everyday admit.
const WIDE: [&str; 5] = ["SIGNIN", "SIGNUP", "RECOVERY", "CODE", "LETTERS"];

#[derive(Debug)]
pub struct Stage {
    pub home: Home,
    nodes: Vec<Server>,
    pub mail: MailServer,
    pub told: Value,
    /// Of production, where addresses must be verified.
    key: String,
    pub secret_key: String,
    read: RefCell<BTreeMap<String, usize>>,
    used: RefCell<Vec<(&'static str, String)>>,
}

/// A letter that is to come.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub to: &'a str,
    pub subject: &'a str,
    /// Words of its text.
    pub says: &'a str,
    /// The page that its link leads to.
    pub page: Option<&'a str>,
}

impl Stage {
    pub async fn on(backend: Backend) -> Self {
        Self::raised(backend, Home::on(backend).await).await
    }

    /// In a home with settings of its own.
    pub async fn raised(backend: Backend, home: Home) -> Self {
        let login = format!("{LOGIN}:{SMTP_PASSWORD}");
        let mail = MailServer::start(&["--tls", "starttls", "--login", &login]);
        let url = format!("smtp://{login}@localhost:{}?tls=required", mail.port);
        let home = home
            .with("SERVER__PUBLIC_URL", PUBLIC_URL)
            .with("MAIL__URL", url)
            .with("MAIL__CA_FILE", mail.ca_file().to_string_lossy())
            .with("MAIL__FROM", format!("Shop <{SENDER}>"));
        let widen = |home: Home, rule| home.with(&format!("LIMITS__{rule}"), "1000/1m");
        let home = WIDE.into_iter().fold(home, widen);
        let told = home.bootstrap(&["--app", "Shop"]);
        let mut nodes = vec![home.serve().await];
        if backend == Backend::Mongo {
            home.move_on();
            nodes.push(home.serve().await);
        }
        let stage = Self {
            key: text(&told, "/environments/0/publishable_key"),
            secret_key: text(&told, "/environments/0/secret_key"),
            home,
            nodes,
            mail,
            told,
            read: RefCell::default(),
            used: RefCell::default(),
        };
        stage.used_to_raise_it();
        stage
    }

    fn used_to_raise_it(&self) {
        assert_eq!(self.told["environments"][0]["slug"], "production");
        let secrets = [
            ("a secret key", "/environments/0/secret_key"),
            ("the operator's password", "/admin/password"),
        ];
        for (what, pointer) in secrets {
            self.uses(what, text(&self.told, pointer));
        }
        // RFC 4616, as it travels.
        let plain = STANDARD.encode(format!("\0{LOGIN}\0{SMTP_PASSWORD}"));
        self.uses("the password of the mail server", SMTP_PASSWORD);
        self.uses("the login at the mail server", plain);
        let installed = ["ENCRYPTION_KEY", "REFRESH_SECRET", "PEPPER"];
        for name in installed.map(|name| format!("SECURITY__{name}")) {
            if let Some(secret) = self.home.setting(&name) {
                self.uses("a secret of the installation", secret);
            }
        }
    }

    pub fn first(&self) -> &Server {
        &self.nodes[0]
    }

    pub fn second(&self) -> &Server {
        &self.nodes[self.nodes.len() - 1]
    }

    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// Remembers a secret.
    pub fn uses(&self, what: &'static str, secret: impl Into<String>) {
        self.used.borrow_mut().push((what, secret.into()));
    }

    pub fn used(&self) -> Ref<'_, Vec<(&'static str, String)>> {
        self.used.borrow()
    }

    /// Asks `node` in production, as its page does.
    pub fn asks(&self, node: &Server, path: &str, body: Value) -> Request {
        node.post_at(&self.key, path, body)
    }

    pub async fn signs_in(&self, node: &Server, email: &str, password: &str) -> Reply {
        self.signs_in_on(LAPTOP, node, (email, password)).await
    }

    pub async fn signs_in_on(&self, device: &str, node: &Server, who: (&str, &str)) -> Reply {
        let (email, password) = who;
        let body = json!({"email": email, "password": password, "device_id": device});
        let reply = self.asks(node, "/v1/signin", body).await;
        self.uses("a device", device);
        self.uses("a password", password);
        reply
    }

    /// The access token of a reply that signed in; what it holds is secret.
    pub fn token_of(&self, reply: Reply) -> String {
        let told = reply.told(200);
        self.uses("a refresh token", text(&told, "/refresh_token"));
        let access = text(&told, "/access_token");
        self.uses("an access token", access.clone());
        access
    }

    /// The next letter to its address, which must be this one.
    pub async fn reads(&self, expected: Expected<'_>) -> Letter {
        let Expected { to, subject, .. } = expected;
        let count = *self.read.borrow().get(to).unwrap_or(&0);
        let received = self.mail.awaits(to, count + 1).await.swap_remove(count);
        self.read.borrow_mut().insert(to.to_owned(), count + 1);
        let (letter, facts) = (received.letter, received.facts);

        assert_eq!(letter.subject, subject);
        assert_eq!(
            (&facts["to"], &facts["from"]),
            (&json!([to]), &json!(SENDER))
        );
        assert_eq!(
            (&facts["encrypted"], &facts["login"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(letter.from, SENDER);
        let recipients = ["to", "cc", "bcc"].map(|name| headers(&letter, name));
        assert_eq!(recipients, [1, 0, 0], "{}", letter.raw);
        assert!(letter.text.contains(expected.says), "{}", letter.text);
        assert!(letter.html.contains(expected.says), "{}", letter.html);
        let Some(page) = expected.page else {
            assert_eq!(letter.links(), [""; 0]);
            return letter;
        };
        let link = letter.link();
        let begins = format!("{PUBLIC_URL}/pages/{page}?token=");
        assert!(link.starts_with(&begins), "{link}");
        assert!(
            letter.html.contains(&format!("href=\"{link}\"")),
            "{}",
            letter.html
        );
        self.uses("the token of a link", letter.token());
        letter
    }

    /// Nobody was written to but by the letters that were read.
    pub fn has_no_other_letter(&self) {
        let received = self.mail.received().into_iter();
        let subjects: Vec<_> = received.map(|it| it.letter.subject).collect();
        let read: usize = self.read.borrow().values().sum();
        assert_eq!(subjects.len(), read, "{subjects:?}");
    }
}

/// How many headers have this name.
fn headers(letter: &Letter, name: &str) -> usize {
    let head = letter.raw.split("\r\n\r\n").next().unwrap_or_default();
    let names = head.lines().filter_map(|line| line.split_once(':'));
    names
        .filter(|(it, _)| it.eq_ignore_ascii_case(name))
        .count()
}
