use std::sync::Arc;

use tokio::sync::Notify;

use super::record::Webhook;
use super::repo;
use super::signature::Secrets;
use crate::access::ReadOrganizationWebhooks;
use crate::events::{Event, Name, Party};
use crate::http::{Entrance, Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{OrgId, WebhookId};
use crate::kernel::secret::{ExposeSecret, KeyRing};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{EnterError, Memberships, Standing};
use crate::outbound::{NotATarget, Reach, Target};
use crate::store::{Sealed, Store, StoreError, Tx};

/// How many webhooks an environment has of its own at most, and how many an organisation.
pub(super) const MOST_OF_ENVIRONMENT: i64 = 20;
pub(super) const MOST_OF_ORGANIZATION: i64 = 5;

/// The verbs on webhooks.
#[derive(Debug, Clone)]
pub struct Webhooks {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub ring: KeyRing,
    pub memberships: Memberships,
    pub reach: Reach,
    pub bell: Bell,
}

/// Wakes the couriers of this node, who would otherwise look again within a second.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    pub(super) fn ring(&self) {
        self.0.notify_one();
    }

    pub(super) async fn rung(&self) {
        self.0.notified().await;
    }
}

/// Who asks, and whether the policy of the app lets him have his way in the whole environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub entrance: Entrance<'a>,
    pub in_environment: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum WebhookError {
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error("there are as many webhooks as there may be")]
    TooMany,
    #[error(transparent)]
    Url(#[from] NotATarget),
    #[error("another webhook has taken the seat meanwhile")]
    SeatTaken,
    #[error("nothing is sent to a webhook that is not active")]
    Inactive,
    #[error("the secret was sealed for another place or by a key that is not here")]
    Unopened,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Webhooks {
    /// Lets somebody in where he may do what he came for: in the environment, or in one of its
    /// organisations.
    pub(super) async fn enter(
        &self,
        tx: &mut Tx<'_, Tenant>,
        asking: &Asking<'_>,
        org: Option<OrgId>,
    ) -> Result<(), EnterError> {
        let Some(org) = org else {
            return asking
                .in_environment
                .then_some(())
                .ok_or(EnterError::Forbidden);
        };
        self.memberships
            .enter(tx, &asking.entrance, org)
            .await
            .map(drop)
    }

    /// A webhook with which the caller may do what he came for. To whoever may not read it, it does
    /// not exist.
    pub(super) async fn found(
        &self,
        tx: &mut Tx<'_, Tenant>,
        asking: &Asking<'_>,
        id: WebhookId,
    ) -> Result<Webhook, EnterError> {
        let webhook = repo::get(tx, id).await?.ok_or(EnterError::Unknown)?;
        let Some(org) = webhook.org_id else {
            let found = asking.in_environment.then_some(webhook);
            return found.ok_or(EnterError::Unknown);
        };
        let caller = asking.entrance.caller;
        let standing = self.memberships.of_caller(tx, caller, org).await?;
        let standing = standing.filter(Standing::allows::<ReadOrganizationWebhooks>);
        if standing.is_none() {
            return Err(EnterError::Unknown);
        }
        self.enter(tx, asking, Some(org)).await.map(|()| webhook)
    }

    /// The URL of a webhook, where this server may ask it.
    pub(super) fn target(&self, url: &str) -> Result<Target, WebhookError> {
        Ok(Target::parse(url, self.reach)?)
    }

    /// The secrets of a webhook that sign at `now`.
    pub(super) fn secrets(&self, webhook: &Webhook, now: Timestamp) -> Option<Secrets> {
        opened(&self.ring, webhook, now)
    }

    pub(super) fn sealed(&self, tenant: Tenant, id: WebhookId, secrets: &Secrets) -> String {
        let text = secrets.text();
        let place = Webhook::place(tenant.env_id, id);
        self.ring.seal(text.expose_secret().as_bytes(), &place)
    }

    pub(super) fn event(
        &self,
        name: Name,
        entrance: &Entrance<'_>,
        webhook: &Webhook,
        now: Timestamp,
    ) -> Event {
        let (caller, made) = (entrance.caller, (now, &self.entropy));
        Event::new(name, caller.tenant, caller.party(), entrance.origin, made)
            .within(webhook.org_id)
            .on(Party::new("webhook", webhook.id))
    }
}

/// The secrets of a webhook that sign at `now`; `None` where they do not open.
pub(super) fn opened(ring: &KeyRing, webhook: &Webhook, now: Timestamp) -> Option<Secrets> {
    let opened = ring.open(&webhook.secret, &webhook.bound_to()).ok()?;
    let secrets = Secrets::of_text(str::from_utf8(&opened).ok()?)?;
    let both = webhook
        .previous_secret_until
        .is_some_and(|until| now < until);
    Some(if both { secrets } else { secrets.newest() })
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Enter(error) => error.into(),
            WebhookError::Url(why) => {
                Self::new(ProblemKind::InvalidBody).field("/url", why.slug(), why.to_string())
            }
            WebhookError::TooMany | WebhookError::SeatTaken => ProblemKind::WebhookLimit.into(),
            WebhookError::Inactive => ProblemKind::WebhookInactive.into(),
            WebhookError::Unopened => Self::internal("the secret of a webhook does not open"),
            WebhookError::Store(error) => error.into(),
        }
    }
}
