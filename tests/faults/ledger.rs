//! The log of what was acknowledged, and of what must not have been.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::asking::Answer;

/// Wrong passwords in a row that lock an account, here as by default.
pub(super) const BUDGET: usize = 5;

/// What is known of a load so far. Whoever acts on a server writes down what he was told.
#[derive(Debug, Default)]
pub(super) struct Ledger(RefCell<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// Accounts that were acknowledged: their holders by their address.
    accounts: BTreeMap<String, String>,
    /// Links whose use was acknowledged, by the address that they prove.
    proven: BTreeMap<String, usize>,
    /// Refresh tokens, and what was given for each.
    children: BTreeMap<String, BTreeSet<String>>,
    /// Refresh tokens that were acknowledged last, by those who have left.
    unused: Vec<String>,
    /// Organisations, by the path of their members.
    organizations: BTreeSet<String>,
    /// Passwords that were judged wrong, by the name they were tried for.
    guesses: BTreeMap<String, usize>,
    broken: Vec<String>,
    counts: Counts,
}

/// How answers were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub done: usize,
    pub refused: usize,
    pub away: usize,
    pub lost: usize,
    pub slowest: Duration,
}

impl Ledger {
    pub(super) fn answered(&self, answer: &Answer, took: Duration) {
        let counts = &mut self.0.borrow_mut().counts;
        match answer {
            Answer::Done(_) => counts.done += 1,
            Answer::Refused(..) => counts.refused += 1,
            Answer::Away => counts.away += 1,
            Answer::Lost | Answer::Unsent => counts.lost += 1,
        }
        counts.slowest = counts.slowest.max(took);
    }

    /// Something that must not happen has happened.
    pub(super) fn broken(&self, what: impl Into<String>) {
        self.0.borrow_mut().broken.push(what.into());
    }

    pub(super) fn signed_up(&self, address: &str, user_id: &str) {
        let mut entries = self.0.borrow_mut();
        let entry = (address.to_owned(), user_id.to_owned());
        entries.accounts.extend([entry]);
    }

    /// A link was used, and that was acknowledged.
    pub(super) fn proven(&self, address: &str) {
        let mut entries = self.0.borrow_mut();
        let times = entries.proven.entry(address.to_owned()).or_default();
        *times += 1;
        if *times > 1 {
            entries
                .broken
                .push(format!("the link to {address} was good twice"));
        }
    }

    /// A refresh token was exchanged for another.
    pub(super) fn refreshed(&self, parent: &str, child: &str) {
        let mut entries = self.0.borrow_mut();
        let children = entries.children.entry(parent.to_owned()).or_default();
        children.insert(child.to_owned());
        if children.len() > 1 {
            entries
                .broken
                .push("a refresh token has two children".to_owned());
        }
    }

    /// Somebody has left with a refresh token that he was given, and never presented.
    pub(super) fn left_with(&self, token: &str) {
        self.0.borrow_mut().unused.push(token.to_owned());
    }

    /// An organisation has owners.
    pub(super) fn founded(&self, members: &str) {
        let mut entries = self.0.borrow_mut();
        entries.organizations.insert(members.to_owned());
    }

    /// A password was judged wrong.
    pub(super) fn guessed(&self, name: &str) {
        let mut entries = self.0.borrow_mut();
        let times = entries.guesses.entry(name.to_owned()).or_default();
        *times += 1;
        if *times > BUDGET {
            entries
                .broken
                .push(format!("more than {BUDGET} guesses for {name}"));
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.0.borrow().counts
    }

    pub(super) fn faults(&self) -> Vec<String> {
        self.0.borrow().broken.clone()
    }

    /// The addresses of accounts that were acknowledged, and their holders.
    pub(super) fn accounts(&self) -> BTreeMap<String, String> {
        self.0.borrow().accounts.clone()
    }

    /// The addresses whose proof was acknowledged.
    pub(super) fn addresses_proven(&self) -> BTreeSet<String> {
        self.0.borrow().proven.keys().cloned().collect()
    }

    pub(super) fn refreshes(&self) -> usize {
        self.0.borrow().children.len()
    }

    /// The refresh tokens that somebody has left with, for whoever presents them now.
    pub(super) fn take_unused(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().unused)
    }

    /// Refresh tokens whose exchange was acknowledged, of all times: `some` at least, if there are.
    pub(super) fn spent(&self, some: usize) -> Vec<String> {
        let parents = &self.0.borrow().children;
        let apart = (parents.len() / some).max(1);
        parents.keys().step_by(apart).cloned().collect()
    }

    /// Where the members of each organisation are told.
    pub(super) fn organizations(&self) -> BTreeSet<String> {
        self.0.borrow().organizations.clone()
    }

    pub(super) fn names_guessed(&self) -> usize {
        self.0.borrow().guesses.len()
    }
}

#[test]
fn whatever_must_not_happen_is_told() {
    let ledger = Ledger::default();
    ledger.proven("mia@example.org");
    ledger.refreshed("parent", "child");
    ledger.refreshed("parent", "child");
    for _ in 0..BUDGET {
        ledger.guessed("mia@example.org");
    }
    assert_eq!(ledger.faults(), Vec::<String>::new());

    ledger.proven("mia@example.org");
    ledger.refreshed("parent", "another child");
    ledger.guessed("mia@example.org");
    ledger.broken("both owners have gone");

    assert_eq!(ledger.faults().len(), 4);
}
