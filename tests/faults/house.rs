//! Servers of one installation, as the rig runs them.

use std::rc::Rc;

use serde_json::{Value, json};

use super::asking::{As, Ask};
use super::letters::Letters;
use super::load::Load;
use super::network::Network;
use crate::e2e::server::{Home, PASSWORD, Server, text};
use crate::support::receiver::Receiver;
use crate::support::smtp::MailServer;

/// What is told of whoever has signed up.
pub(super) const SIGNED_UP: &str = "user.signed_up";
/// What is told of whoever has proven his address.
pub(super) const PROVEN: &str = "user.email_verified";

/// More than any load asks for.
const OFTEN: &str = "1000000/1m";

/// An installation under load, and what was told of it.
pub(super) struct House {
    pub home: Home,
    pub servers: Vec<Server>,
    pub load: Rc<Load>,
    pub receiver: Receiver,
}

/// A home whose servers let a single address ask for everything, and never forget a wrong password.
pub(super) fn generous(home: Home) -> Home {
    let home = [
        "SIGNIN",
        "SIGNUP",
        "RECOVERY",
        "CODE",
        "REFRESH",
        "FAILED_SIGNINS",
        "CODE_GUESSES",
    ]
    .into_iter()
    .fold(home, |home, what| {
        home.with(&format!("LIMITS__{what}"), OFTEN)
    });
    home.with("LIMITS__LOCKOUT_DELAY", "1h")
        .with("LIMITS__LOCKOUT_LONGEST", "1h")
        .with("WEBHOOKS__ALLOW_PRIVATE", "true")
        .with("SERVER__PUBLIC_URL", "http://localhost")
        .with("TOKENS__ACCESS_TTL", "60m")
}

/// A server of a home, whose connections are known to be its from the first on.
pub(super) async fn served(home: &Home, network: Option<&Network>) -> Server {
    loop {
        let process = home.start();
        if let Some(network) = network {
            network.knows(process.id());
        }
        match Server::ready(process, home.url()).await {
            Some(server) => return server,
            None => home.move_on(),
        }
    }
}

impl House {
    /// So many servers on an empty database, with a mail server and somebody who hears of people.
    pub(super) async fn of(home: Home, count: usize, network: Option<&Network>) -> Self {
        let mail = MailServer::start(&[]);
        let home = generous(home).with("MAIL__URL", mail.url("smtp", ""));
        let told = home.bootstrap(&[]);
        let mut servers = vec![served(&home, network).await];
        for _ in 1..count {
            home.move_on();
            servers.push(served(&home, network).await);
        }
        let urls = servers.iter().map(|server| server.url.clone()).collect();
        let load = Load::on(urls, &told, Some(Letters::to(mail)));
        let receiver = Receiver::start();
        let hook = json!({"url": receiver.url(), "events": [SIGNED_UP, PROVEN]});
        let hook = Ask::post("/v1/webhooks", hook).by(&load.backend);
        assert!(load.insists(&hook).await.done().is_some());
        Self {
            home,
            servers,
            load,
            receiver,
        }
    }

    /// Starts a server again where it was, after it has ended.
    pub(super) async fn starts_again(&mut self, at: usize) {
        self.home.go_back_to(&self.servers[at].url);
        self.servers[at] = served(&self.home, None).await;
    }
}

impl Load {
    /// Whether one node does everything that people need: it is ready, lets somebody in, and on.
    pub(super) async fn is_normal(&self, node: usize, address: &str) -> Option<()> {
        self.ask(node, &Ask::get("/readyz")).await.done()?;
        let session = self.signs_in(node, address).await?;
        let token = json!({"refresh_token": text(&session, "/refresh_token")});
        let on = self.ask(node, &Ask::post("/v1/refresh", token)).await;
        let holder = As::Holder(text(&on.done()?, "/access_token"));
        let me = self.ask(node, &Ask::get("/v1/me").by(&holder)).await;
        me.done().map(drop)
    }

    /// A new session on this node, if it gives one.
    pub(super) async fn signs_in(&self, node: usize, address: &str) -> Option<Value> {
        let account = json!({"email": address, "password": PASSWORD});
        let begins = Ask::post("/v1/signin", account).by(&self.visitor);
        self.ask(node, &begins).await.done()
    }
}
