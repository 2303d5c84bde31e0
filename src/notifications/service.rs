use std::time::Duration;

use super::outbox::Outbox;
use super::record::Notification;
use super::repo::{self, NotificationQuery};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::store::{Store, Stored};

/// What administrators see of letters.
#[derive(Debug, Clone)]
pub struct Notifications {
    pub store: Store,
    pub outbox: Outbox,
}

/// Letters that are still to be delivered, of all tenants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    pub letters: u64,
    /// How long the first of them has been due.
    pub overdue: Duration,
}

/// What is still to be delivered at `now`.
pub async fn backlog(store: &Store, now: Timestamp) -> Stored<Backlog> {
    let mut once = store.once();
    let mut all = once.across_tenants("how much is to be delivered is the installation's affair");
    let (letters, first_due) = repo::backlog(&mut all).await?;
    let overdue = first_due.map(|due| now.since(due)).unwrap_or_default();
    Ok(Backlog { letters, overdue })
}

impl Notifications {
    /// One page of the letters of an environment, newest first.
    pub(super) async fn page(
        &self,
        tenant: Tenant,
        query: &NotificationQuery,
        paging: (Option<&Position>, Limit),
    ) -> Stored<Slice<Notification>> {
        let mut once = self.store.once();
        repo::page(&mut once.within(tenant), query, paging).await
    }

    /// All but its first letter and its domain masked; nothing where it cannot be opened.
    pub(super) fn masked_address(&self, letter: &Notification) -> String {
        let to = self.outbox.address(letter);
        to.as_ref().map_or_else(|| "…".to_owned(), masked)
    }
}

fn masked(address: &Email) -> String {
    let (local, domain) = address.as_str().split_once('@').unwrap_or_default();
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_masked_but_for_its_first_letter_and_its_domain() {
        for (address, expected) in [
            ("mia@example.org", "m…@example.org"),
            ("m@example.org", "m…@example.org"),
            ("ümit@example.org", "ü…@example.org"),
        ] {
            let address = Email::parse(address).expect("an address");
            assert_eq!(masked(&address), expected);
        }
    }
}
