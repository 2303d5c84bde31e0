//! Webhooks of an environment that is made like another one.

use super::changing::{holder, names};
use super::record::Webhook;
use super::repo;
use super::service::Webhooks;
use super::signature::{Secrets, new_secret};
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::id::WebhookId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};

impl Webhooks {
    /// Makes webhooks like those of the environment itself in another one, each with a secret of its
    /// own. They are inactive: nobody has that secret before he rotates it, and then switches them on.
    pub async fn copy(
        &self,
        tx: &mut Tx<'_>,
        (from, to): (Tenant, Tenant),
        (caller, origin): (&Caller, &Origin),
        now: Timestamp,
    ) -> Stored<()> {
        let all = repo::held_by(&mut tx.within(from), &holder(from, None)).await?;
        let (mut tx, made) = (tx.within(to), (now, &self.entropy));
        for webhook in all {
            let id = WebhookId::new(now, &self.entropy);
            let secret = Secrets::only(new_secret(&self.entropy));
            let copy = Webhook {
                id,
                env_id: to.env_id,
                holder: holder(to, None),
                secret: self.sealed(to, id, &secret),
                previous_secret_until: None,
                active: false,
                disabled_reason: None,
                failing_since: None,
                created_at: now,
                updated_at: now,
                ..webhook
            };
            repo::insert(&mut tx, &copy).await?;
            let told = Event::new(Name::WebhookCreated, to, caller.party(), origin, made)
                .on(Party::new("webhook", id))
                .with("events", names(&copy.events));
            events::record(&mut tx, &told).await?;
        }
        Ok(())
    }
}
