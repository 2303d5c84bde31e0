//! What the README shows is what happens.
//!
//! Its `sh` fences are run in one shell, in order, against a fresh server; so variables that one
//! sets stand in the next. Where a reader fills in a key (`pk_test_…`), so does the test. Fences
//! marked `console` are for the reader's terminal: the server that they start is already there.

use std::fs;
use std::path::Path;
use std::process::Command;

use authsome::events::Name;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::OrgId;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::time::Clock;
use authsome::store::{Location, Store, StoreSettings, Stored};
use authsome::tokens::{revoke_app_roles, revoke_member, revoke_organization};
use serde_json::Value;

use super::server::{Home, PASSWORD, text};
use super::{provided, succeeds};
use crate::support::stores::run;

/// A command that fails stops the shell, and a refusal is a failure; each call leaves a mark.
const PREAMBLE: &str = "set -euo pipefail\n\
    curl() { echo >> calls; command curl --fail-with-body \"$@\"; }\n";

/// A block of code: its language, and its text.
#[derive(Debug, PartialEq, Eq)]
struct Fence {
    language: String,
    text: String,
}

fn fences(markdown: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(language), None) => {
                open = Some(Fence {
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(fence)) => fence.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is never closed");
    found
}

fn readme() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(file).expect("there is a README")
}

/// The one block of code of a language.
pub(super) fn snippet_in(language: &str) -> String {
    let fences = fences(&readme()).into_iter();
    let mut of_it = fences.filter(|it| it.language == language);
    let (snippet, others) = (of_it.next(), of_it.count());
    assert_eq!(others, 0, "one snippet in {language}");
    snippet
        .unwrap_or_else(|| panic!("a snippet in {language}"))
        .text
}

/// The `sh` fences, and the lines of a terminal that wait for a key.
fn script(fences: &[Fence], publishable_key: &str, secret_key: &str) -> String {
    let mut script = PREAMBLE.to_owned();
    for Fence { language, text } in fences {
        match &**language {
            "sh" => script += text,
            "console" => {
                let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
                let waiting = lines.filter(|line| line.contains("pk_test_…"));
                script.extend(waiting.map(|line| format!("{line}\n")));
            }
            _ => {}
        }
    }
    script
        .replace("pk_test_…", publishable_key)
        .replace("sk_test_…", secret_key)
}

fn curls(text: &str) -> usize {
    text.matches("curl ").count()
}

#[test]
fn every_curl_line_works_in_its_order() {
    run(async {
        let (home, readme) = (Home::embedded(), readme());
        let told = home.bootstrap(&[]);
        let server = home.serve().await;
        let fences = fences(&readme);
        let (key, secret) = (text(&told, "/publishable_key"), text(&told, "/secret_key"));
        assert!(
            key.starts_with("pk_test_") && secret.starts_with("sk_test_"),
            "{key} {secret}"
        );

        let script = script(&fences, &key, &secret).replace("http://127.0.0.1:8080", &server.url);
        let said = succeeds(
            Command::new("bash")
                .args(["-c", &script])
                .current_dir(home.folder()),
        );

        let run: usize = fences
            .iter()
            .filter(|it| it.language == "sh")
            .map(|it| curls(&it.text))
            .sum();
        assert!(run > 0, "the README has no curl line");
        let calls = fs::read_to_string(home.folder().join("calls")).expect("marks of the calls");
        assert_eq!(calls.lines().count(), run, "{said}");
        let elsewhere = fences
            .iter()
            .filter(|it| it.language != "sh")
            .map(|it| curls(&it.text));
        assert_eq!(elsewhere.sum::<usize>(), 0, "a curl line that no test runs");
    });
}

/// The verifier of the README, which follows revocations: the token is good, and then it is not.
#[test]
fn the_python_of_the_readme_refuses_what_is_revoked_within_a_second() {
    run(async {
        let home = Home::embedded();
        let told = home.bootstrap(&[]);
        let server = home.serve().await;
        let (key, email) = (text(&told, "/publishable_key"), "mia@example.org");
        let tokens = server.sign_up(&key, email).await;
        let other = server.sign_in(&key, email, PASSWORD).await;
        let mut verifier = snippet_in("python").replace("https://auth.example.com", &server.url);
        for (placeholder, pointer) in [
            ("aapp_…", "/app_id"),
            ("aenv_…", "/env_id"),
            ("sk_test_…", "/secret_key"),
        ] {
            assert!(verifier.contains(placeholder), "{placeholder}");
            verifier = verifier.replace(placeholder, &text(&told, pointer));
        }
        let (first, second) = (
            text(&tokens, "/access_token"),
            text(&other, "/access_token"),
        );
        let org = in_an_organization(&home, &told, &text(&tokens, "/user/id")).await;
        let names = format!("FIRST, SECOND, ORG = '{first}', '{second}', '{org}'");
        let script = format!("{verifier}\n{names}\n{SIGNS_OUT}{IN_AN_ORGANIZATION}");

        let mut python = Command::new(provided("E2E_PYTHON"));
        let said = succeeds(python.args(["-c", &script]));

        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines[0], text(&tokens, "/user/id"));
        let seconds: f64 = lines[1].parse().expect("seconds");
        assert!(seconds < 1.0, "{said}");
        assert_eq!(lines[2], "the other device is still signed in");
        assert_eq!(lines[3], "rights in organisations are versions");
    });
}

/// Waits until the feed is heard, signs one device out, and looks at both.
const SIGNS_OUT: &str = r#"
def is_good(token):
    try:
        return claims(token)
    except PermissionError:
        return None

began = time.monotonic()
while not is_good(FIRST):
    assert time.monotonic() - began < 10
    time.sleep(0.01)
print(claims(FIRST)["sub"])
headers = {"Authorization": f"Bearer {FIRST}"}
urllib.request.urlopen(urllib.request.Request(f"{ISSUER}/v1/signout", headers=headers, method="POST"))
done = time.monotonic()
while is_good(FIRST):
    assert time.monotonic() - done < 10
    time.sleep(0.001)
print(time.monotonic() - done)
print("the other device is still signed in" if is_good(SECOND) else "nobody is")
"#;

/// Takes rights away in an organisation, which is named: below its version 5, below 7 for the user, and
/// below version 3 of the app's roles.
async fn in_an_organization(home: &Home, told: &Value, user: &str) -> OrgId {
    let file = home.folder().join("authsome-data/authsome.db");
    let settings = StoreSettings::at(Location::Sqlite(file));
    let store = Store::open(&settings).await.unwrap();
    let (entropy, now) = (Entropy::system(), Clock::system().now());
    let tenant = Tenant {
        app_id: text(told, "/app_id").parse().unwrap(),
        env_id: text(told, "/env_id").parse().unwrap(),
    };
    let org = OrgId::new(now, &entropy);
    let member = (org, user.parse().unwrap());
    let written: Stored<_> = store
        .write(async |tx| {
            let mut tx = tx.within(tenant);
            Ok([
                revoke_organization(&mut tx, org, 5, now, &entropy).await?,
                revoke_member(&mut tx, member, 7, now, &entropy).await?,
                revoke_app_roles(&mut tx, 3, now, &entropy).await?,
            ])
        })
        .await;
    drop(written.unwrap());
    org
}

/// Looks at claims of the user and of somebody else, in the organisation and in another.
const IN_AN_ORGANIZATION: &str = r#"
own = claims(SECOND)
def refuses(org_ver, app_ver=3, **others):
    return is_revoked(own | {"org_id": ORG, "org_ver": org_ver, "app_ver": app_ver} | others, "")

else_ = {"sub": "ausr_01h2xcejqtf2nbrexx3vqjhp41"}
there = {"org_id": "aorg_01h2xcejqtf2nbrexx3vqjhp41"}
assert not is_revoked(own, "")
assert refuses(6) and not refuses(7)
assert refuses(4, **else_) and not refuses(5, **else_)
assert not refuses(0, **there) and refuses(0, 2, **there) and refuses(9, 2)
print("rights in organisations are versions")
"#;

/// The rows of a table of settings.
fn rows(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with("| `AUTHSOME_"))
        .collect()
}

#[test]
fn the_table_of_settings_is_what_the_binary_prints() {
    let ran = Home::embedded().run(&["config"]);

    let readme = readme();
    let (printed, shown) = (rows(&ran.out), rows(&readme));
    let missing: Vec<_> = printed.iter().filter(|row| !shown.contains(row)).collect();
    assert!(
        missing.is_empty(),
        "the README lacks what `authsome config` prints: {missing:#?}"
    );
    assert_eq!(
        shown, printed,
        "rows that are no setting, or in another order"
    );
}

#[test]
fn the_table_of_events_is_what_the_code_has() {
    let readme = readme();
    let (_, section) = readme
        .split_once("\n## Events\n")
        .expect("a section of events");
    let section = section.split("\n## ").next().expect("what comes first");
    let shown = section.lines().filter(|line| line.starts_with("| `"));

    let wanted = Name::ALL.iter();
    let wanted = wanted.map(|(_, name, meaning)| format!("| `{name}` | {meaning} |"));
    assert_eq!(shown.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}

#[test]
fn fences_are_found_with_their_languages() {
    let markdown = "a\n```sh\nb\nc\n```\n```\nd\n```\n`curl e`\n";

    let found: Vec<_> = fences(markdown)
        .into_iter()
        .map(|it| (it.language, it.text))
        .collect();
    assert_eq!(
        found,
        [
            ("sh".into(), "b\nc\n".into()),
            (String::new(), "d\n".into())
        ]
    );
}

#[test]
fn a_key_to_fill_in_is_filled_in() {
    let markdown = "```console\n$ cargo run\n$ export KEY=pk_test_… S=sk_test_…\n```\n\
        ```sh\ncurl $KEY\n```";

    let script = script(&fences(markdown), "pk_test_1", "sk_test_2");

    assert_eq!(
        script,
        format!("{PREAMBLE}export KEY=pk_test_1 S=sk_test_2\ncurl $KEY\n")
    );
}
