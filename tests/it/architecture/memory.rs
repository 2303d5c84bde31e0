//! What is kept in memory while the server runs: bounded, whoever chooses the keys.

use super::lexer::Token;
use super::rules::Breach;
use super::sources::{Source, of_the_product};

/// Maps and lists that outlive a request and are no bounded cache: what bounds them.
const BOUNDED: &[(&str, &str)] = &[
    (
        "cli/log.rs State",
        "1 MiB of lines, and then they are dropped",
    ),
    (
        "credentials/hasher/floor.rs State",
        "the queue of the configuration",
    ),
    ("jobs/schedule.rs Vec", "a task for each job of ours"),
    (
        "mail/smtp.rs Vec",
        "connections that letters are sent by, of which there are a few",
    ),
    ("revocations/places.rs Taken", "followers have a cap each"),
    (
        "store/sqlite/mod.rs Vec",
        "a connection for each reader of the pool",
    ),
    (
        "tokens/index.rs Revoked",
        "what is revoked counts as long as a token lives, and is forgotten then",
    ),
];

/// Caches that grow with their keys: built without a capacity.
pub fn unbounded_caches(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in of_the_product(sources) {
        let tokens = source.product();
        for at in 0..tokens.len() {
            if !spells(&tokens[at..], &["Cache", "::", "builder"]) {
                continue;
            }
            let rest = &tokens[at..];
            let built = (0..rest.len()).find(|at| spells(&rest[*at..], &[".", "build", "("]));
            let until = built.unwrap_or(rest.len());
            let is_bounded = (0..until).any(|at| spells(&rest[at..], &[".", "max_capacity", "("]));
            if !is_bounded {
                breaches.push(Breach::of(
                    source,
                    tokens[at].line,
                    "a cache without a capacity",
                ));
            }
        }
    }
    breaches
}

/// What is shared behind a lock and can grow, that no row tells the bound of.
pub fn unlisted_collections(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in of_the_product(sources) {
        let tokens = source.product();
        for at in 0..tokens.len() {
            let is_lock = ["Mutex", "RwLock", "DashMap"]
                .iter()
                .any(|it| tokens[at].is(it));
            let Some(inner) = is_lock.then(|| held(&tokens[at + 1..])).flatten() else {
                continue;
            };
            let row = format!("{} {inner}", source.place);
            if !BOUNDED.iter().any(|(listed, _)| *listed == row) && !ONE.contains(&&*inner) {
                let what = format!("nothing says what bounds {inner}");
                breaches.push(Breach::of(source, tokens[at].line, what));
            }
        }
    }
    breaches
}

/// What is behind a lock and does not grow.
const ONE: &[&str] = &["(", "Receiver", "Connection", "Option"];

/// The type within `Mutex<…>`, by its name.
fn held(tokens: &[Token]) -> Option<String> {
    tokens.first().filter(|token| token.is("<"))?;
    tokens.get(1).map(|token| token.text.clone())
}

fn spells(tokens: &[Token], text: &[&str]) -> bool {
    tokens.len() >= text.len() && tokens.iter().zip(text).all(|(token, text)| token.is(text))
}
