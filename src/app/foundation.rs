//! The foundation: the store brought up to date, and what works on it. Enough for a command.

use std::net::SocketAddr;

use super::settings::{
    PEPPER, REFRESH_SECRET, derived, hasher, marks, store_settings, token_settings,
};
use super::{SCHEMAS, StartError, World, sealed};
use crate::apps;
use crate::backups;
use crate::config::{Config, Secrets};
use crate::credentials::Hasher;
use crate::forms::Forms;
use crate::kernel::id::AppId;
use crate::kernel::text::Slug;
use crate::links::Links;
use crate::notifications::Outbox;
use crate::setup::{self, Report, Setup, Wanted};
use crate::store::{Resealed, Store, Stored};
use crate::tokens::{LinkTokens, SigningKeys, TokenSettings};
use crate::transfers::Transfers;

#[derive(Debug, Clone)]
pub struct Foundation {
    pub config: Config,
    pub world: World,
    pub store: Store,
    pub hasher: Hasher,
    pub keys: SigningKeys,
    pub tokens: TokenSettings,
    pub links: Links,
    pub(super) secrets: Secrets,
}

impl Foundation {
    /// Opens and migrates the store. `bound` is where the server listens, or would.
    pub async fn lay(
        config: Config,
        secrets: Secrets,
        world: World,
        bound: SocketAddr,
    ) -> Result<Self, StartError> {
        let store = Store::open(&store_settings(&config.store)).await?;
        store.migrate(SCHEMAS, world.clock.now()).await?;
        if backups::unfinished(&store).await?.is_some() {
            return Err(StartError::NotWhole);
        }
        let tokens = token_settings(&config, bound);
        let hasher = hasher(&config.security, &secrets, &world).map_err(StartError::Hasher)?;
        let ring = secrets.encryption.clone();
        let links = Links {
            tokens: LinkTokens::new(derived(&secrets, "link tokens")),
            outbox: Outbox::new(ring.clone(), world.entropy.clone()),
            entropy: world.entropy.clone(),
        };
        let keys = SigningKeys::new(store.clone(), ring, world.entropy.clone(), tokens.clone());
        Ok(Self {
            config,
            world,
            store,
            hasher,
            keys,
            tokens,
            links,
            secrets,
        })
    }

    /// Makes or finds the platform, its operator and an app.
    pub async fn bootstrap(&self, wanted: &Wanted) -> Result<Report, StartError> {
        let setup = Setup {
            store: &self.store,
            clock: &self.world.clock,
            entropy: &self.world.entropy,
            hasher: &self.hasher,
            keys: &self.keys,
        };
        let installed = setup.run(wanted).await?;
        Report::of(&installed).ok_or(StartError::NoPlatform)
    }

    /// Tells the log where the store was filled under other secrets, and makes marks of those in use
    /// where there are none. For whoever serves: other commands may have whatever secrets they have.
    ///
    /// With another pepper no password is right, and no restart mends it; another refresh secret is
    /// somebody's choice, or a node that has another than the rest.
    pub async fn notice_other_secrets(&self) -> Stored<()> {
        let (store, now) = (&self.store, self.world.clock.now());
        let [pepper, refresh] = marks(&self.secrets);
        if setup::is_other_than_ever(store, (PEPPER, &pepper), now).await? {
            tracing::error!(
                "the pepper is another than the passwords of this store were hashed with: none is right"
            );
        }
        if setup::is_other_than_ever(store, (REFRESH_SECRET, &refresh), now).await? {
            tracing::warn!(
                "the refresh secret is another than before: sessions have ended, and open links are void"
            );
            setup::mark_anew(store, (REFRESH_SECRET, &refresh)).await?;
        }
        Ok(())
    }

    /// From now on the pepper in use is the one of this store.
    pub async fn accept_pepper(&self) -> Stored<()> {
        let [pepper, _] = marks(&self.secrets);
        setup::mark_anew(&self.store, (PEPPER, &pepper)).await
    }

    /// What brings users in, and takes them along.
    pub fn transfers(&self) -> Transfers {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        Transfers {
            forms: Forms::new(store.clone(), clock.clone(), entropy.clone()),
            store,
            clock,
            entropy,
            hasher: self.hasher.clone(),
        }
    }

    /// Seals everything anew that is sealed under another key than the first.
    pub async fn reseal(&self) -> Stored<Resealed> {
        sealed::reseal(&self.store, &self.secrets.encryption).await
    }

    /// The app that holds the operators, if there is one yet.
    pub async fn platform(&self) -> Result<Option<AppId>, StartError> {
        let slug = Slug::parse(apps::PLATFORM_SLUG).map_err(|_| StartError::NoPlatform)?;
        let app = apps::by_slug(&mut self.store.once().shared(), &slug).await?;
        Ok(app.map(|app| app.id))
    }
}
