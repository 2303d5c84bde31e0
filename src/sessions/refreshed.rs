//! The sessions that this node refreshed last, so that it need not read them for the next time.
//!
//! What is remembered proposes, and decides nothing. The conditional write that exchanges the token
//! asks for the very token that is remembered, of a session that is live: in an app that rotates its
//! tokens, and of no other anything is remembered, nothing else that a refresh goes by changes before
//! the token does. And nobody is refused
//! by memory: where something speaks against him, or the write finds otherwise, the session is read.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::record::Session;
use crate::kernel::id::SessionId;
use crate::tokens::Presented;

/// Of about a kilobyte each.
const REMEMBERED: u64 = 10_000;
/// No access token lives longer; and what is of a person stays in memory no longer than this.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// Clones share what they know.
#[derive(Debug, Clone)]
pub struct Refreshed(Cache<SessionId, Arc<Session>>);

impl Refreshed {
    /// The session whose current token this is, by what is remembered.
    pub(super) fn session_of(&self, presented: &Presented) -> Option<Arc<Session>> {
        let session = self.0.get(&presented.session_id)?;
        (session.refresh_token == presented.digest).then_some(session)
    }

    pub(super) fn remember(&self, session: Session) {
        self.0.insert(session.id, Arc::new(session));
    }

    pub(super) fn forget(&self, id: SessionId) {
        self.0.invalidate(&id);
    }
}

impl Default for Refreshed {
    fn default() -> Self {
        let sessions = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(FORGOTTEN_AFTER)
            .build();
        Self(sessions)
    }
}
