//! How the signing keys of an installation fare, for whoever runs it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::chain::Key;
use super::keys::SigningKey;
use super::signing::{SigningKeys, counting};
use crate::kernel::time::Timestamp;
use crate::store::Stored;

/// The signing keys of every environment, judged.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct KeyReport {
    /// How many environments have keys.
    pub environments: usize,
    /// How long the key has been signing that has done so longest.
    pub oldest: Duration,
    /// When the next successor that is published begins to sign.
    pub next: Option<Timestamp>,
    /// A sentence for each key that counts and cannot be used.
    pub unusable: Vec<String>,
}

impl SigningKeys {
    /// Opens every key that counts. Makes none, and changes nothing.
    pub async fn examined(&self, now: Timestamp) -> Stored<KeyReport> {
        let stored = self.everywhere().await?;
        let mut report = KeyReport::default();
        let mut signing = BTreeMap::new();
        for key in counting(stored, now) {
            if let Err(why) = Key::open(&key, self.ring()) {
                report.unusable.push(why.to_string());
            }
            report.next = earlier(report.next, Some(key.activates_at).filter(|at| *at > now));
            note(&mut signing, &key, now);
        }
        report.environments = signing.len();
        let since = |at: &(i64, Timestamp)| now.since(at.1);
        report.oldest = signing.values().map(since).max().unwrap_or_default();
        Ok(report)
    }
}

/// The newest generation that signs, by environment.
fn note(signing: &mut BTreeMap<String, (i64, Timestamp)>, key: &SigningKey, now: Timestamp) {
    if key.activates_at > now {
        return;
    }
    let known = signing.entry(key.env_id.to_string());
    let newest = known.or_insert((key.generation, key.activates_at));
    if key.generation > newest.0 {
        *newest = (key.generation, key.activates_at);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
