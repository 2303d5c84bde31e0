//! The pages of this server, in a browser, by the links of letters in the folder of a default
//! installation. What the browser looks at is in `tests/e2e/pages.mjs`.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::server::{Home, PASSWORD, Server, eventually, text};
use super::{provided, script, succeeds};
use crate::support::client::Asks;
use crate::support::mail::{Letter, letters_in};
use crate::support::stores::run;

const MIA: &str = "mia@example.org";
const ZOE: &str = "zoe@example.org";
const NEW: &str = "zoe@example.net";
const OLGA: &str = "olga@example.org";
/// Invited, and new.
const MAX: &str = "max@example.org";
/// Invited, and known.
const IDA: &str = "ida@example.org";
const COMMON: &str = "password123";
const BETTER: &str = "nine-loud-kestrels-3316";

/// What the pages say in a language.
struct Words {
    language: &'static str,
    /// The heading, and what is said when it is done.
    verify: (&'static str, &'static str),
    reset: (&'static str, &'static str),
    change: (&'static str, &'static str),
    magic: &'static str,
    invitation: (&'static str, &'static str),
    /// Before the questions that are not answered well.
    asked: &'static str,
    known: &'static str,
    weak: &'static str,
    dead: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    verify: (
        "Verify your address",
        "Your address is verified. You can close this page.",
    ),
    reset: (
        "Set a new password",
        "Your password is set. Sign in with it.",
    ),
    change: (
        "Confirm your new address",
        "Your address is changed. You can close this page.",
    ),
    magic: "Sign in",
    invitation: (
        "Invitation",
        "You are in. Sign in to the app with your address and your password.",
    ),
    asked: "Please look at these answers again:",
    known: "This address has an account already. Sign in to the app: the invitation waits there.",
    weak: "This password is too easily guessed. Choose a longer one.",
    dead: "This link has expired or was used already. Ask for a new email.",
};

const GERMAN: Words = Words {
    language: "de",
    verify: (
        "Adresse bestätigen",
        "Ihre Adresse ist bestätigt. Sie können diese Seite schließen.",
    ),
    reset: (
        "Neues Passwort wählen",
        "Ihr neues Passwort gilt ab sofort. Melden Sie sich damit an.",
    ),
    change: (
        "Neue Adresse bestätigen",
        "Ihre Adresse ist geändert. Sie können diese Seite schließen.",
    ),
    magic: "Anmelden",
    invitation: (
        "Einladung",
        "Sie sind dabei. Melden Sie sich in der App mit Ihrer Adresse und Ihrem Passwort an.",
    ),
    asked: "Bitte prüfen Sie diese Antworten:",
    known: "Diese Adresse hat schon ein Konto. Melden Sie sich in der App an: Die Einladung wartet dort.",
    weak: "Dieses Passwort ist zu leicht zu erraten. Wählen Sie ein längeres.",
    dead: "Dieser Link ist abgelaufen oder wurde schon benutzt. Fordern Sie eine neue E-Mail an.",
};

/// An installation, and the keys of its environments.
struct Site {
    home: Home,
    server: Server,
    production: String,
    development: String,
    app_id: String,
    secret_key: String,
    words: Words,
}

#[test]
fn pages_do_nothing_by_being_opened_and_what_they_say_by_their_button() {
    run(async {
        let home = Home::embedded()
            .with("LIMITS__CODE", "1000/1m")
            .with("LIMITS__SIGNUP", "1000/1m");
        let told = home.bootstrap(&[]);
        let server = home.serve().await;

        every_page(Site::of((home, server), &told, ENGLISH)).await;
    });
}

#[test]
fn they_do_the_same_in_german_below_a_base_path() {
    run(async {
        let mut home = Home::embedded()
            .with("LIMITS__CODE", "1000/1m")
            .with("LIMITS__SIGNUP", "1000/1m")
            .with("SERVER__BASE_PATH", "/auth");
        let told = home.bootstrap(&[]);
        let server = loop {
            let url = home.url();
            home = home.with("SERVER__PUBLIC_URL", format!("{url}/auth"));
            match Server::ready(home.start(), url).await {
                Some(server) => break server,
                None => home.move_on(),
            }
        };

        every_page(Site::of((home, server), &told, GERMAN)).await;
    });
}

async fn every_page(site: Site) {
    let browser = provided("E2E_CHROMIUM");
    let links = Links::of(&site).await;
    let visits = links.visits(&site);
    let plan = site.home.folder().join("plan.json");
    fs::write(&plan, Value::Array(visits.clone()).to_string()).expect("a file of ours");
    let wait = site.signs_in(MIA, PASSWORD).await;
    assert_eq!(wait, "403 email_not_verified");

    let mut visit = Command::new("node");
    visit.arg(script("pages.mjs")).arg(&plan);
    succeeds(visit.env("E2E_CHROMIUM", browser));

    assert_eq!(
        site.signs_in(MIA, PASSWORD).await,
        "401 invalid_credentials"
    );
    assert_eq!(site.signs_in(MIA, COMMON).await, "401 invalid_credentials");
    assert_eq!(site.signs_in(MIA, BETTER).await, "200");
    let zoe = site.server.sign_in(&site.development, NEW, PASSWORD).await;
    assert_eq!(zoe["user"]["email"], NEW);
    let max = site.server.sign_in(&site.development, MAX, BETTER).await;
    assert_eq!(max["user"]["first_name"], Value::Null);
    assert!(max["org_id"].is_string(), "he is in");
    let answers = json!({"company": "Kite & Co", "seats": 12, "uses": ["a", "b"], "terms": true, "plan": "b"});
    assert_eq!(max["user"]["metadata"], answers);
    for visit in visits {
        assert!(fs::exists(text(&visit, "/png")).expect("a folder of ours"));
    }
}

impl Site {
    fn of((home, server): (Home, Server), told: &Value, words: Words) -> Self {
        assert_eq!(told["environments"][0]["slug"], "production");
        Self {
            home,
            server,
            production: text(told, "/environments/0/publishable_key"),
            development: text(told, "/publishable_key"),
            app_id: text(told, "/app_id"),
            secret_key: text(told, "/secret_key"),
            words,
        }
    }

    async fn signs_in(&self, email: &str, password: &str) -> String {
        let body = json!({"email": email, "password": password});
        let asked = self.server.post_at(&self.production, "/v1/signin", body);
        asked.await.outcome()
    }

    /// Has the app ask something of who is new.
    async fn asks(&self) {
        let options = json!([{"value": "a", "label": "Ah"}, {"value": "b"}]);
        let fields = json!([
            {"name": "company", "type": "text", "label": "Company", "required": true, "help": "Yours"},
            {"name": "seats", "type": "number", "label": "Seats", "min": 1},
            {"name": "plan", "type": "select", "label": "Plan", "options": options, "default": "b"},
            {"name": "uses", "type": "multiselect", "label": "Uses", "options": options},
            {"name": "code", "type": "text", "label": "Code", "format": "digits"},
            {"name": "note", "type": "textarea", "label": "Note"},
            {"name": "day", "type": "date", "label": "Day"},
            {"name": "terms", "type": "checkbox", "label": "Terms", "required": true},
        ]);
        let form = format!("/v1/admin/apps/{}/form-configs/signup", self.app_id);
        let asked = self.server.request("PUT", &form).api_key(&self.secret_key);
        let _ = asked.json(json!({"fields": fields})).await.expect(200);
    }

    /// The letter to an address whose link leads to this page.
    async fn letter(&self, address: &str, page: &str) -> Letter {
        let folder = self.home.folder().join("authsome-data/mail");
        let page = format!("/pages/{page}?token=");
        eventually("there is a letter", async || {
            letters_in(&folder).into_iter().find(|letter| {
                letter.to == [address] && letter.links().iter().any(|it| it.contains(&page))
            })
        })
        .await
    }

    /// Posts as somebody who reads this language.
    async fn posts(&self, key: &str, path: &str, body: Value) -> Value {
        let asked = self.server.post_at(key, path, body);
        let asked = asked.header("accept-language", self.words.language);
        let reply = asked.await;
        assert!(reply.status < 300, "{path}: {}", reply.text());
        reply.json()
    }
}

/// The letters that lead to each of the pages.
struct Links {
    verify: Letter,
    reset: Letter,
    magic: Letter,
    change: Letter,
    newcomer: Letter,
    known: Letter,
}

impl Links {
    async fn of(site: &Site) -> Self {
        let account = |email| json!({"email": email, "password": PASSWORD});
        site.posts(&site.production, "/v1/signup", account(MIA))
            .await;
        let verify = site.letter(MIA, "verify-email").await;
        site.posts(
            &site.production,
            "/v1/forgot-password",
            json!({"email": MIA}),
        )
        .await;
        let reset = site.letter(MIA, "reset-password").await;

        let zoe = site
            .posts(&site.development, "/v1/signup", account(ZOE))
            .await;
        site.posts(
            &site.development,
            "/v1/magic-link/send",
            json!({"email": ZOE}),
        )
        .await;
        let magic = site.letter(ZOE, "magic-link").await;
        let change = site.server.post("/v1/me/change-email");
        let change = change
            .bearer(&text(&zoe, "/access_token"))
            .json(account(NEW));
        let _ = change.await.expect(202);
        let change = site.letter(NEW, "change-email").await;
        let [newcomer, known] = Self::invitations(site).await;
        Self {
            verify,
            reset,
            magic,
            change,
            newcomer,
            known,
        }
    }

    /// To somebody new, and to somebody who has an account.
    async fn invitations(site: &Site) -> [Letter; 2] {
        let account =
            |email, name| json!({"email": email, "password": PASSWORD, "first_name": name});
        let key = &site.development;
        let olga = site.posts(key, "/v1/signup", account(OLGA, "Olga")).await;
        site.posts(key, "/v1/signup", account(IDA, "Ida")).await;
        let proof = site.letter(IDA, "verify-email").await.token();
        site.posts(key, "/v1/verify-email", json!({"token": proof}))
            .await;
        let token = text(&olga, "/access_token");
        let asks = async |path: &str, body: Value| {
            let asked = site.server.post(path).bearer(&token).json(body);
            asked.await.expect(201).json()
        };
        let org = asks("/v1/orgs", json!({"name": "Northwind"})).await;
        site.asks().await;
        let branding = format!("/v1/orgs/{}/branding", text(&org, "/id"));
        let look = json!({"accent_color": "#ffee00", "font_family": "Inter, serif"});
        let look = site
            .server
            .request("PUT", &branding)
            .bearer(&token)
            .json(look);
        let _ = look.await.expect(200);
        let invitations = format!("/v1/orgs/{}/invitations", text(&org, "/id"));
        for email in [MAX, IDA] {
            asks(&invitations, json!({"email": email, "role": "admin"})).await;
        }
        [
            site.letter(MAX, "invitation").await,
            site.letter(IDA, "invitation").await,
        ]
    }

    /// What the browser does; each link that was used up is tried once more.
    fn visits(&self, site: &Site) -> Vec<Value> {
        let words = &site.words;
        let good = |says: &str| json!({"says": says, "good": true});
        let bad = |says: &str| json!({"says": says, "good": false});
        let with = |password: &str, mut step: Value| {
            step["password"] = password.into();
            step
        };
        let (verify, reset, change) = (words.verify, words.reset, words.change);
        let invitation = words.invitation;
        let offers = json!({"organization": "Northwind", "inviter": "Olga", "role": "admin"});
        let sets = json!([with(COMMON, bad(words.weak)), with(BETTER, good(reset.1))]);
        let spent = json!([with(PASSWORD, bad(words.dead))]);
        let answers = json!({
            "company": "Kite & Co", "seats": "12", "uses": ["a", "b"], "terms": true, "code": "no digits",
        });
        let filled = |answers: Value, mut step: Value| {
            step["answers"] = answers;
            step
        };
        let joins = json!([
            filled(answers, with(BETTER, bad(&format!("{} Code", words.asked)))),
            filled(json!({"code": ""}), with(COMMON, bad(words.weak))),
            with(BETTER, good(invitation.1)),
        ]);
        let least = json!({"company": "Kite & Co", "terms": true});
        let is_known = json!([filled(least, with(BETTER, bad(words.known)))]);
        let all = [
            ("verify", &self.verify, verify.0, json!([good(verify.1)])),
            ("verified", &self.verify, verify.0, json!([bad(words.dead)])),
            ("reset", &self.reset, reset.0, sets),
            ("spent", &self.reset, reset.0, spent),
            ("magic", &self.magic, words.magic, json!([])),
            ("change", &self.change, change.0, json!([good(change.1)])),
            ("invitation", &self.newcomer, invitation.0, joins),
            ("joined", &self.newcomer, invitation.0, json!([])),
            ("known", &self.known, invitation.0, is_known),
        ];
        let folder = site.home.folder();
        let visit = |(name, letter, heading, steps): (&str, &Letter, &str, Value)| {
            let key = (name == "magic").then(|| letter.token());
            let is_open = ["invitation", "known"].contains(&name);
            let is_dead = name == "joined";
            json!({
                "offers": is_open.then_some(&offers), "wears": is_open.then(look_of_northwind), "dead": is_dead.then_some(words.dead),
                "link": letter.link(), "language": words.language, "heading": heading,
                "steps": steps, "key": key, "png": folder.join(format!("{name}.png")),
            })
        };
        all.into_iter().map(visit).collect()
    }
}

/// How the button of its invitations is shown: black on its light accent.
fn look_of_northwind() -> Value {
    json!({
        "background-color": "rgb(255, 238, 0)", "color": "rgb(0, 0, 0)", "font-family": "Inter, serif",
    })
}
