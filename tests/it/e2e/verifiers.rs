//! The verifiers of the README, one for each language, are what a backend can rely on.
//!
//! ```text
//! README ─▶ snippet ─▶ runs beside a server ◀─ tokens, a line each
//!                                 └─▶ the user of each, or `no`
//! ```
//!
//! The clock of the server stands elsewhere than that of the verifiers, so its tokens are brought to
//! today and signed anew, by the very key that it publishes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{OrgId, SessionId, UserId};
use authsome::kernel::time::Clock;
use authsome::store::Stored;
use authsome::tokens::{
    revoke_app_roles, revoke_member, revoke_organization, revoke_session, revoke_user,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::snippet::Verifier;
use super::readme::snippet_in;
use super::{in_folder, provided, succeeds, with_modules};
use crate::support::app::{TestApp, eventually};
use crate::support::forge::{Forge, Token, text};
use crate::support::persona::Person;
use crate::support::stores::{Backend, run};

/// The verifier in Rust, which the README shows.
#[expect(
    clippy::disallowed_methods,
    reason = "it is the reader's, who has no clock of ours"
)]
#[path = "../../e2e/verifiers/verifier.rs"]
mod snippet;

/// Who judges tokens: whose a token is that is good.
trait Judges {
    async fn judges(&mut self, token: &str) -> Option<String>;
}

/// A verifier in another language: a token on each line of its input.
struct Process {
    child: Child,
    tokens: ChildStdin,
    verdicts: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Process {
    fn start(command: &mut Command, folder: TempDir) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("the verifier can be started");
        Self {
            tokens: child.stdin.take().expect("an input"),
            verdicts: BufReader::new(child.stdout.take().expect("an output")),
            child,
            _folder: folder,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Judges for Process {
    async fn judges(&mut self, token: &str) -> Option<String> {
        writeln!(self.tokens, "{token}").expect("the verifier reads");
        let mut verdict = String::new();
        let _ = self.verdicts.read_line(&mut verdict).expect("it answers");
        assert!(!verdict.is_empty(), "the verifier has ended");
        Some(verdict.trim().to_owned()).filter(|it| it != "no")
    }
}

impl Judges for Arc<Verifier> {
    async fn judges(&mut self, token: &str) -> Option<String> {
        let found = self.claims(token).await.ok()?;
        found["sub"].as_str().map(str::to_owned)
    }
}

/// Where tokens come from: a server, its development, and the key that signs there.
struct Issuer {
    app: TestApp,
    url: String,
    forge: Forge,
}

impl Issuer {
    async fn new() -> Self {
        let app = TestApp::on(Backend::Sqlite).await;
        let forge = Forge::of(&app, &app.own.development).await;
        Self {
            url: app.client().url(),
            forge,
            app,
        }
    }

    /// The snippet of a language, filled in.
    fn filled(&self, language: &str) -> String {
        let door = &self.app.own.development;
        [
            ("https://auth.example.com", &self.url),
            ("aapp_…", &door.app_id),
            ("aenv_…", &door.env_id),
            ("sk_test_…", &door.secret_key),
        ]
        .into_iter()
        .fold(snippet_in(language), |snippet, (placeholder, value)| {
            assert!(snippet.contains(placeholder), "{language}: {placeholder}");
            snippet.replace(placeholder, value)
        })
    }

    /// A token of somebody, as it would be today.
    fn token(&self, person: &Person) -> Token {
        let mut token = Token::of(&person.access_token());
        let now = Clock::system().now().as_millis() / 1000;
        for (claim, value) in [
            ("iss", json!(self.url)),
            ("iat", json!(now)),
            ("auth_time", json!(now)),
            ("exp", json!(now + 900)),
        ] {
            token.claims[claim] = value;
        }
        token
    }

    fn signed(&self, token: &Token) -> String {
        self.forge
            .signs(&token.header.to_string(), &token.claims.to_string())
    }

    fn with(&self, token: &Token, claim: &str, value: Value) -> String {
        let mut token = token.clone();
        token.claims[claim] = value;
        self.signed(&token)
    }

    /// Tokens that are not what they should be, each in one way.
    fn bad(&self, good: &Token) -> Vec<(&'static str, String)> {
        let under = |name: &str, value: &str| {
            let mut token = good.clone();
            token.header[name] = value.into();
            self.signed(&token)
        };
        let production = json!(self.app.own.production.env_id);
        let over = json!(good.claims["iat"].as_i64().expect("a time") - 120);
        let admin = json!({"sub": "ausr_01h2xcejqtf2nbrexx3vqjhp41"});
        let (head, claims) = (good.header.to_string(), good.claims.to_string());
        let mut unsigned = good.clone();
        unsigned.header["alg"] = "none".into();
        vec![
            ("no token", "x".to_owned()),
            ("over", self.with(good, "exp", over)),
            (
                "of another environment",
                self.with(good, "env_id", production),
            ),
            (
                "for another app",
                self.with(good, "aud", json!("aapp_01h2xcejqtf2nbrexx3vqjhp41")),
            ),
            (
                "of another server",
                self.with(good, "iss", json!("https://auth.example.com")),
            ),
            ("of another kind", under("typ", "JWT")),
            ("of another algorithm", under("alg", "ES384")),
            (
                "by a key that is unknown",
                under("kid", "asky_01h2xcejqtf2nbrexx3vqjhp41"),
            ),
            (
                "altered",
                Token::of(&self.signed(good)).rewritten(&head, &admin.to_string()),
            ),
            (
                "unsigned",
                format!("{}.{}.", text(unsigned.header.to_string()), text(claims)),
            ),
        ]
    }
}

/// A verifier that is started beside an issuer keeps the word of the README.
async fn keeps_its_word(issuer: &Issuer, verifier: impl Judges) {
    let verifier = tokio::sync::Mutex::new(verifier);
    let judges = async |token: &str| verifier.lock().await.judges(token).await;
    let mia = issuer.app.person("mia@example.org").await;
    let other = mia.on_another_device().await;
    let (token, kept) = (issuer.token(&mia), issuer.token(&other));
    let (good, kept) = (issuer.signed(&token), issuer.signed(&kept));

    // Before it has heard the feed it refuses everything.
    eventually(async || judges(&good).await.as_ref() == Some(&mia.id)).await;
    for (what, token) in issuer.bad(&token) {
        assert_eq!(judges(&token).await, None, "{what}");
    }

    let _ = mia.signs_out().await.expect(204);
    eventually(async || judges(&good).await.is_none()).await;
    assert_eq!(
        judges(&kept).await.as_ref(),
        Some(&mia.id),
        "another device"
    );
    hears_of_rights(issuer, &other, &judges).await;
}

/// Versions of rights: of a user, of an organisation, of a member there, and of the roles of the app.
async fn hears_of_rights(
    issuer: &Issuer,
    mia: &Person,
    judges: &impl AsyncFn(&str) -> Option<String>,
) {
    let (entropy, now) = (Entropy::system(), issuer.app.clock.now());
    let (org, user): (_, UserId) = (OrgId::new(now, &entropy), mia.id.parse().expect("an id"));
    let (gone, bob) = (SessionId::new(now, &entropy), UserId::new(now, &entropy));
    let token = |claims: Value| {
        let mut token = issuer.token(mia);
        for (claim, value) in claims.as_object().expect("claims") {
            token.claims[claim] = value.clone();
        }
        issuer.signed(&token)
    };
    let writing = issuer.app.store().write(async |tx| {
        let mut tx = tx.within(mia.door.tenant());
        Ok([
            revoke_organization(&mut tx, org, 5, now, &entropy).await?,
            revoke_member(&mut tx, (org, user), 7, now, &entropy).await?,
            revoke_app_roles(&mut tx, 3, now, &entropy).await?,
            revoke_user(&mut tx, bob, 9, now, &entropy).await?,
            revoke_session(&mut tx, gone, now, &entropy).await?,
        ])
    });
    let written: Stored<_> = writing.await;
    drop(written.expect("the store answers"));

    let last = token(json!({"sid": gone}));
    eventually(async || judges(&last).await.is_none()).await;
    let elsewhere = OrgId::new(now, &entropy);
    for (claims, is_good) in rights(org, elsewhere, bob) {
        let verdict = judges(&token(claims.clone())).await;
        assert_eq!(verdict.is_some(), is_good, "{claims}");
    }
}

/// What tokens claim, and whether they are good: of an organisation whose tokens are refused below 5, and
/// the user's own there below 7; of another one; both of an app whose roles count from 3 on; and of
/// somebody whose tokens are refused below 9.
fn rights(org: OrgId, elsewhere: OrgId, bob: UserId) -> Vec<(Value, bool)> {
    vec![
        (json!({"org_id": org, "org_ver": 7, "app_ver": 3}), true),
        (json!({"org_id": org, "org_ver": 6, "app_ver": 3}), false),
        (json!({"org_id": org, "org_ver": 7, "app_ver": 2}), false),
        (
            json!({"org_id": org, "org_ver": 5, "app_ver": 3, "sub": bob, "ver": 9}),
            true,
        ),
        (
            json!({"org_id": org, "org_ver": 4, "app_ver": 3, "sub": bob, "ver": 9}),
            false,
        ),
        (
            json!({"org_id": elsewhere, "org_ver": 0, "app_ver": 3}),
            true,
        ),
        (
            json!({"org_id": elsewhere, "org_ver": 0, "app_ver": 2}),
            false,
        ),
        (json!({"sub": bob, "ver": 8}), false),
        (json!({}), true),
    ]
}

/// What reads tokens and tells verdicts, behind each snippet.
const PYTHON: &str = r#"
for line in sys.stdin:
    try:
        print(claims(line.strip())["sub"], flush=True)
    except (PermissionError, jwt.PyJWTError):
        print("no", flush=True)
"#;
const NODE: &str = r#"
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin }))
  console.log(await claims(line).then((found) => found.sub, () => "no"));
"#;
const GO: &str = r#"package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	go follow()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if found, err := claims(lines.Text()); err == nil {
			fmt.Println(found.Sub)
		} else {
			fmt.Println("no")
		}
	}
}
"#;

#[test]
fn the_python_of_the_readme_keeps_its_word() {
    run(async {
        let issuer = Issuer::new().await;
        let folder = in_folder(&[("verifier.py", issuer.filled("python") + PYTHON)]);
        let mut python = Command::new(provided("E2E_PYTHON"));
        python.arg(folder.path().join("verifier.py"));

        keeps_its_word(&issuer, Process::start(&mut python, folder)).await;
    });
}

#[test]
fn the_node_of_the_readme_keeps_its_word() {
    run(async {
        let issuer = Issuer::new().await;
        let folder = with_modules(&[("verifier.mjs", issuer.filled("js") + NODE)]);
        let mut node = Command::new("node");
        node.arg(folder.path().join("verifier.mjs"));

        keeps_its_word(&issuer, Process::start(&mut node, folder)).await;
    });
}

#[test]
fn the_go_of_the_readme_keeps_its_word() {
    let Ok(go) = std::env::var("E2E_GO") else {
        eprintln!("go is missing: its verifier cannot run");
        return;
    };
    run(async {
        let issuer = Issuer::new().await;
        let module = "module verifier\n\ngo 1.19\n".to_owned();
        let folder = in_folder(&[
            ("go.mod", module),
            ("verifier.go", issuer.filled("go")),
            ("main.go", GO.to_owned()),
        ]);
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
        let mut build = Command::new(&go);
        build
            .args(["build", "-o", "verifier"])
            .current_dir(folder.path());
        succeeds(build.env("GOCACHE", kept).env("GOPROXY", "off"));
        let mut verifier = Command::new(folder.path().join("verifier"));

        keeps_its_word(&issuer, Process::start(&mut verifier, folder)).await;
    });
}

#[test]
fn the_rust_of_the_readme_keeps_its_word() {
    let shown = snippet_in("rust");
    let compiled = include_str!("../../e2e/verifiers/verifier.rs");
    assert_eq!(
        shown, compiled,
        "the README shows another one than tests/e2e/verifiers has"
    );
    run(async {
        let issuer = Issuer::new().await;
        let door = &issuer.app.own.development;
        let verifier = Arc::new(Verifier {
            issuer: issuer.url.clone(),
            app: door.app_id.clone(),
            env: door.env_id.clone(),
            secret_key: door.secret_key.clone(),
            http: reqwest::Client::new(),
            known: std::sync::Mutex::default(),
        });
        let following = Arc::clone(&verifier);
        let following = tokio::spawn(async move { following.follow().await });

        keeps_its_word(&issuer, verifier).await;

        following.abort();
    });
}
