//! `authsome keys rotate`.

use anyhow::{Context, anyhow};

use super::Rotate;
use super::run::foundation;
use crate::app::Foundation;
use crate::apps;
use crate::config::Config;
use crate::environments::{self, Environment};
use crate::store::Stored;
use crate::tokens::publish;

/// Publishes a new key for every environment asked for, and says from when it signs.
pub(super) async fn rotate(config: Config, asked: Rotate) -> anyhow::Result<()> {
    let foundation = foundation(config).await?;
    for environment in chosen(&foundation, &asked).await? {
        let now = foundation.world.clock.now();
        let activates = if asked.now { now } else { foundation.keys.activation(now) };
        let tenant = environment.tenant();
        let prepared = foundation.keys.prepare(tenant, None, now).await?;
        let key = foundation
            .store
            .write(async |tx| -> Stored<_> {
                publish(&mut tx.within(tenant), &prepared, activates).await
            })
            .await?;
        println!("{} {} signs from {}", environment.slug, key.id, key.activates_at);
    }
    Ok(())
}

async fn chosen(foundation: &Foundation, asked: &Rotate) -> anyhow::Result<Vec<Environment>> {
    let store = &foundation.store;
    let Some(app) = &asked.app else {
        let mut once = store.once();
        let mut every = once.across_tenants("an operator rotates the keys of every environment");
        return environments::list(&mut every).await.context("the environments cannot be read");
    };
    let found = apps::by_slug(&mut store.once().shared(), app).await?;
    let found = found.ok_or_else(|| anyhow!("there is no app {app}"))?;
    let mut once = store.once();
    let mut tx = once.within(found.id);
    let Some(slug) = &asked.env else { return Ok(environments::list(&mut tx).await?) };
    let environment = environments::by_slug(&mut tx, slug).await?;
    let environment = environment.ok_or_else(|| anyhow!("{app} has no environment {slug}"))?;
    Ok(vec![environment])
}
