//! The outbox: where a unit of work leaves its letters.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::record::{Channel, Message, Notification, Status};
use super::repo;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{NotificationId, UserId};
use crate::kernel::language::Language;
use crate::kernel::secret::KeyRing;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::store::{Sealed, Stored, Tx};

/// How long a letter without a link is worth sending.
const PATIENCE: Duration = Duration::from_hours(24);

/// A letter, addressed.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whom it concerns.
    pub user: Option<UserId>,
    pub to: Email,
    pub language: Language,
    pub message: Message,
}

/// Queues letters. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Outbox {
    ring: KeyRing,
    entropy: Entropy,
    queued: Arc<Notify>,
}

impl Outbox {
    pub fn new(ring: KeyRing, entropy: Entropy) -> Self {
        Self {
            ring,
            entropy,
            queued: Arc::default(),
        }
    }

    /// Queues `letter` in the caller's unit of work: it is sent if the unit commits, and only then.
    /// Call [`Outbox::hurry`] after the commit.
    pub async fn enqueue(
        &self,
        tx: &mut Tx<'_, Tenant>,
        letter: Letter,
        now: Timestamp,
    ) -> Stored<()> {
        let tenant = tx.scope();
        let id = NotificationId::new(now, &self.entropy);
        let sealed = self.ring.seal(
            letter.to.as_str().as_bytes(),
            &Notification::place(tenant.env_id, id),
        );
        let notification = Notification {
            id,
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            user_id: letter.user,
            channel: Channel::Email,
            template: letter.message.template().to_owned(),
            to: Some(sealed),
            language: letter.language,
            give_up_at: letter.message.expires_at().unwrap_or(now.plus(PATIENCE)),
            data: letter.message,
            status: Status::Pending,
            attempts: 0,
            next_attempt_at: now,
            lease_until: None,
            sent_at: None,
            last_error: None,
            created_at: now,
            updated_at: now,
        };
        repo::insert(tx, &notification).await
    }

    /// Wakes this node's delivery, which would otherwise look again within a second.
    pub fn hurry(&self) {
        self.queued.notify_one();
    }

    /// Waits for [`Outbox::hurry`].
    pub(super) async fn hurried(&self) {
        self.queued.notified().await;
    }

    /// The address of a letter; `None` where it was sealed for another place or by a key that is
    /// not here.
    pub(super) fn address(&self, letter: &Notification) -> Option<Email> {
        let sealed = letter.to.as_deref()?;
        let opened = self.ring.open(sealed, &letter.bound_to()).ok()?;
        Email::parse(str::from_utf8(&opened).ok()?).ok()
    }
}
