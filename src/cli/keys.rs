//! `authsome keys …`. A running server follows within seconds.

use anyhow::{Context, anyhow};

use super::run::foundation;
use super::{Rotate, Withdraw};
use crate::app::Foundation;
use crate::apps;
use crate::config::Config;
use crate::environments::{self, Environment};
use crate::store::Stored;
use crate::tokens::{self, SigningKey, publish};

/// Publishes a new key for every environment asked for, and says from when it signs.
pub(super) async fn rotate(config: Config, asked: Rotate) -> anyhow::Result<()> {
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
        let key = foundation
            .store
            .write(async |tx| -> Stored<_> {
                publish(&mut tx.within(tenant), &prepared, activates).await
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
pub(super) async fn withdraw(config: Config, asked: Withdraw) -> anyhow::Result<()> {
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
    let withdrawn = store
        .write(async |tx| -> Stored<_> {
            tokens::withdraw(&mut tx.within(tenant), asked.key, &successor, now, entropy).await
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
