//! Switching off a webhook that nothing reaches, and writing to those who look after it.

use super::courier::Courier;
use super::record::{DisabledReason, Webhook};
use super::repo;
use crate::access::{OrgRole, guarding};
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::language::Language;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::memberships;
use crate::notifications::{Letter, Message};
use crate::outbound::{Reach, Target};
use crate::store::{Stored, Tx};
use crate::users::{self, User};

/// How many people are written to at most: those who have been there for longest.
const MOST_READERS: u32 = 10;

/// The end of a webhook, as it is told.
#[derive(Debug)]
pub(super) struct Farewell {
    webhook: Webhook,
    reason: DisabledReason,
    language: Language,
    now: Timestamp,
}

impl Courier {
    /// What there is to tell, where a webhook is to be switched off.
    pub(super) async fn farewell(
        &self,
        webhook: &Webhook,
        reason: Option<DisabledReason>,
        now: Timestamp,
    ) -> Option<Farewell> {
        let reason = reason?;
        let environment = self.environments.of(webhook.tenant());
        Some(Farewell {
            reason,
            webhook: webhook.clone(),
            // Of an environment that is gone there is nobody to read it.
            language: match environment.await {
                Ok(environment) => environment.settings.language(None),
                Err(_) => Language::default(),
            },
            now,
        })
    }

    /// Switches the webhook off, and tells it; nothing, where somebody was faster.
    pub(super) async fn disable(&self, tx: &mut Tx<'_, Tenant>, farewell: &Farewell) -> Stored<()> {
        let Farewell {
            webhook,
            reason,
            now,
            ..
        } = farewell;
        if repo::disable(tx, webhook.id, *reason, *now)
            .await?
            .is_none()
        {
            return Ok(());
        }
        let made = (*now, &self.entropy);
        let (tenant, nobody) = (webhook.tenant(), Origin::default());
        let told = Event::new(
            Name::WebhookDisabled,
            tenant,
            Party::system(),
            &nobody,
            made,
        )
        .within(webhook.org_id)
        .on(Party::new("webhook", webhook.id))
        .with("reason", reason.as_str());
        events::record(tx, &told).await?;
        for reader in self.readers(tx, webhook).await? {
            // He may be leaving at this moment: then there is no letter to him.
            if let Some(reader) = users::hold(tx, reader.id).await? {
                let letter = letter(farewell, reader);
                self.outbox.enqueue(tx, letter, *now).await?;
            }
        }
        Ok(())
    }

    /// The owners of its organisation, or whoever administers the app.
    async fn readers(&self, tx: &mut Tx<'_, Tenant>, webhook: &Webhook) -> Stored<Vec<User>> {
        let Some(org) = webhook.org_id else {
            let is_platform = webhook.app_id == self.memberships.platform;
            return users::with_role(tx, guarding(is_platform), MOST_READERS).await;
        };
        let owners = memberships::holders(tx, Some(org), OrgRole::OWNER, MOST_READERS).await?;
        let ids = owners.members.iter().map(|member| member.user_id);
        users::by_ids(tx, ids).await
    }
}

fn letter(farewell: &Farewell, reader: User) -> Letter {
    let webhook = &farewell.webhook;
    let target = Target::parse(&webhook.url, Reach::Anywhere);
    let host = target.map(|target| target.host().to_owned());
    Letter {
        user: Some(reader.id),
        to: reader.email,
        language: farewell.language,
        message: Message::WebhookDisabled {
            webhook_id: webhook.id,
            org_id: webhook.org_id,
            host: host.unwrap_or_default(),
            is_gone: farewell.reason == DisabledReason::Gone,
        },
    }
}
