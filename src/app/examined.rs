//! An installation, looked at and left as it is: what `authsome doctor` asks.

use super::settings::{PEPPER, REFRESH_SECRET, host_of, marks, store_settings, token_settings};
use super::{SCHEMAS, World, sealed};
use crate::backups;
use crate::config::{Config, Secrets};
use crate::kernel::secret::KeyRing;
use crate::kernel::time::Timestamp;
use crate::mail::{MailError, Mailer};
use crate::notifications::{self, Backlog};
use crate::setup;
use crate::store::{Resealed, Store, Stored};
use crate::tokens::{KeyReport, SigningKeys};
use crate::webhooks::{self, Undelivered};

/// A store that is open, and the keys to what is in it.
#[derive(Debug)]
pub struct Examined {
    store: Store,
    keys: SigningKeys,
    ring: KeyRing,
    marks: [String; 2],
}

impl Examined {
    /// Opens the store, and makes nothing in it.
    pub async fn open(config: &Config, secrets: &Secrets, world: &World) -> Stored<Self> {
        let store = Store::open(&store_settings(&config.store)).await?;
        let ring = secrets.encryption.clone();
        let tokens = token_settings(config, config.server.bind);
        let keys = SigningKeys::new(store.clone(), ring.clone(), world.entropy.clone(), tokens);
        Ok(Self {
            store,
            keys,
            ring,
            marks: marks(secrets),
        })
    }

    pub async fn ping(&self) -> Stored<()> {
        self.store.ping().await
    }

    /// A sentence for each collection or index that is not as it is declared.
    pub async fn flaws(&self) -> Stored<Vec<String>> {
        self.store.examine(SCHEMAS).await
    }

    /// Whether a backup is being brought back into it, and is not all there yet.
    pub async fn is_unfinished(&self) -> Stored<bool> {
        Ok(backups::unfinished(&self.store).await?.is_some())
    }

    /// What the database's own clock says.
    pub async fn time(&self) -> Stored<Option<Timestamp>> {
        self.store.time().await
    }

    pub async fn signing_keys(&self, now: Timestamp) -> Stored<KeyReport> {
        self.keys.examined(now).await
    }

    /// Under which encryption keys things are sealed.
    pub async fn sealed(&self) -> Stored<Resealed> {
        sealed::survey(&self.store, &self.ring).await
    }

    /// Whether the pepper is another than the store was filled under.
    pub async fn has_other_pepper(&self) -> Stored<bool> {
        setup::is_other(&self.store, PEPPER, &self.marks[0]).await
    }

    /// Whether the refresh secret is another than that of the node which started last.
    pub async fn has_other_refresh_secret(&self) -> Stored<bool> {
        setup::is_other(&self.store, REFRESH_SECRET, &self.marks[1]).await
    }

    /// Letters that wait.
    pub async fn backlog(&self, now: Timestamp) -> Stored<Backlog> {
        notifications::backlog(&self.store, now).await
    }

    /// What waits for webhooks.
    pub async fn undelivered(&self, now: Timestamp) -> Stored<Undelivered> {
        webhooks::undelivered(&self.store, now).await
    }
}

/// What would send the letters.
pub fn mailer(config: &Config) -> Result<Mailer, MailError> {
    let public_url = config.server.url(config.server.bind);
    let destination = config.mail.destination(&config.store);
    Mailer::new(&config.mail, destination, &host_of(public_url.as_str()))
}
