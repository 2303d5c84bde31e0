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
        let mut read = self.read.borrow_mut();
        while let Some(received) = self.server.nth_received(read.letters + 1) {
            read.letters += 1;
            let letter = received.letter;
            if letter.links().iter().any(|link| link.contains("token=")) {
                let to = letter.to.concat();
                read.tokens.entry(to).or_default().push(letter.token());
            }
        }
        read.tokens.get(address)?.first().cloned()
    }
}
