//! `authsome keys …`. A running server follows within seconds.

use anyhow::{Context, anyhow};

use super::run::foundation;
use super::{Keys, Rotate, Withdraw};
use crate::app::Foundation;
use crate::apps;
use crate::config::Config;
use crate::environments::{self, Environment};
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Store, StoreError, Stored, Tx};
use crate::tokens::{self, SigningKey, publish};

/// How often a unit of work is begun that others keep from its documents; each takes two seconds.
const TURNS: u32 = 40;

pub(super) async fn run(config: Config, asked: Keys) -> anyhow::Result<()> {
    match asked {
        Keys::Rotate(asked) => rotate(config, asked).await,
        Keys::Withdraw(asked) => withdraw(config, asked).await,
        Keys::Reseal => reseal(config).await,
        Keys::AcceptPepper => accept_pepper(config).await,
    }
}

/// Publishes a new key for every environment asked for, and says from when it signs.
async fn rotate(config: Config, asked: Rotate) -> anyhow::Result<()> {
    let foundation = foundation(config).await?;
    for environment in chosen(&foundation, &asked).await? {
        let now = foundation.world.clock.now();
        let activates = if asked.now {
            now
        } else {
            foundation.keys.activation(now)
        };
        let tenant = environment.tenant();
        let prepared = foundation.keys.prepare(tenant, None, now).await?;
        let told = &event(&foundation, Name::SigningKeyPublished, tenant, now);
        let key = patiently(&foundation.store, async |tx| {
            let mut tx = tx.within(tenant);
            let key = publish(&mut tx, &prepared, activates).await?;
            let told = told.clone().on(Party::new("signing_key", key.id));
            let told = told.with("activates_at", activates.to_string());
            events::record(&mut tx, &told).await?;
            Ok(key)
        })
        .await?;
        println!(
            "{} {} signs from {}",
            environment.slug, key.id, key.activates_at
        );
    }
    Ok(())
}

/// Puts a new key in the place of one that others may have.
async fn withdraw(config: Config, asked: Withdraw) -> anyhow::Result<()> {
    let foundation = foundation(config).await?;
    let (store, now) = (&foundation.store, foundation.world.clock.now());
    let mut once = store.once();
    let mut every = once.across_tenants("an operator names a key by its identifier alone");
    let known: Option<SigningKey> = every.get(asked.key).await?;
    let tenant = known
        .ok_or_else(|| anyhow!("there is no key {}", asked.key))?
        .tenant();
    let successor = foundation.keys.prepare(tenant, None, now).await?;
    let entropy = &foundation.world.entropy;
    let told = event(&foundation, Name::SigningKeyWithdrawn, tenant, now);
    let told = &told.on(Party::new("signing_key", asked.key));
    let withdrawn = patiently(store, async |tx| {
        let mut tx = tx.within(tenant);
        let done = tokens::withdraw(&mut tx, asked.key, &successor, now, entropy).await?;
        if done.is_some() {
            events::record(&mut tx, told).await?;
        }
        Ok(done)
    })
    .await?;
    // The revocation counts here only for this process; every server reads it from the store.
    let _ = withdrawn.ok_or_else(|| anyhow!("{} was withdrawn by somebody else", asked.key))?;
    println!(
        "{} is withdrawn; its tokens are refused within a second",
        asked.key
    );
    Ok(())
}

/// A unit of work that waits for a command that was killed in the middle of its own: MongoDB keeps
/// what that had written from others for up to a minute.
async fn patiently<T>(store: &Store, work: impl AsyncFn(&mut Tx<'_>) -> Stored<T>) -> Stored<T> {
    for _ in 1..TURNS {
        match store.write(&work).await {
            Err(StoreError::Conflict) => {
                tracing::warn!("another command is at the same keys, or was killed there: waiting");
            }
            done => return done,
        }
    }
    store.write(&work).await
}

/// What the operator of the command line has done.
fn event(foundation: &Foundation, name: Name, tenant: Tenant, now: Timestamp) -> Event {
    let origin = Origin::new("command".to_owned(), None, None);
    let made = (now, &foundation.world.entropy);
    Event::new(name, tenant, Party::system(), &origin, made)
}

/// Ends the complaint about a pepper that is lost.
async fn accept_pepper(config: Config) -> anyhow::Result<()> {
    foundation(config).await?.accept_pepper().await?;
    println!("The pepper in use is the one of this store from now on.");
    Ok(())
}

/// Seals everything under the first encryption key. Safe while servers run, and to repeat.
async fn reseal(config: Config) -> anyhow::Result<()> {
    let done = foundation(config).await?.reseal().await?;
    println!("{} sealed anew, {} were already", done.anew, done.already);
    if done.unopened.is_empty() {
        return Ok(());
    }
    for sentence in &done.unopened {
        eprintln!("authsome: {sentence}");
    }
    Err(anyhow!(
        "{} could not be opened, and are as they were",
        done.unopened.len()
    ))
}

async fn chosen(foundation: &Foundation, asked: &Rotate) -> anyhow::Result<Vec<Environment>> {
    let store = &foundation.store;
    let Some(app) = &asked.app else {
        let mut once = store.once();
        let mut every = once.across_tenants("an operator rotates the keys of every environment");
        return environments::list(&mut every)
            .await
            .context("the environments cannot be read");
    };
    let found = apps::by_slug(&mut store.once().shared(), app).await?;
    let found = found.ok_or_else(|| anyhow!("there is no app {app}"))?;
    let mut once = store.once();
    let mut tx = once.within(found.id);
    let Some(slug) = &asked.env else {
        return Ok(environments::list(&mut tx).await?);
    };
    let environment = environments::by_slug(&mut tx, slug).await?;
    let environment = environment.ok_or_else(|| anyhow!("{app} has no environment {slug}"))?;
    Ok(vec![environment])
}
