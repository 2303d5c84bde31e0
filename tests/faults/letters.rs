//! The letters that have arrived, read once each.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::support::smtp::MailServer;

/// The mailbox of everybody.
#[derive(Debug)]
pub(super) struct Letters {
    server: MailServer,
    read: RefCell<Read>,
}

#[derive(Debug, Default)]
struct Read {
    letters: usize,
    /// The tokens of links, by whom they went to.
    tokens: BTreeMap<String, Vec<String>>,
}

impl Letters {
    pub(super) fn to(server: MailServer) -> Self {
        Self {
            server,
            read: RefCell::default(),
        }
    }

    /// The token of the first letter to an address, once that has arrived.
    pub(super) fn token_for(&self, address: &str) -> Option<String> {
        self.tokens_for(address).into_iter().next()
    }

    /// The tokens of the letters to an address so far, each once: a letter may come twice.
    pub(super) fn tokens_for(&self, address: &str) -> Vec<String> {
        let mut read = self.read.borrow_mut();
        while let Some(received) = self.server.nth_received(read.letters + 1) {
            read.letters += 1;
            let letter = received.letter;
            if letter.links().iter().any(|link| link.contains("token=")) {
                let (to, token) = (letter.to.concat(), letter.token());
                let tokens = read.tokens.entry(to).or_default();
                if !tokens.contains(&token) {
                    tokens.push(token);
                }
            }
        }
        read.tokens.get(address).cloned().unwrap_or_default()
    }
}
