//! An app, its environments, and their first keys.

use std::time::Duration;

use crate::access::Role;
use crate::api_keys;
use crate::apps::{self, App, NewApp};
use crate::environments::{self, Environment, Kind};
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::entropy::Entropy;
use crate::kernel::secret::SecretString;
use crate::kernel::text::{Label, NotALabel, NotASlug, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{StoreError, Stored, Tx};

/// What there is now, and the secret key of each environment, for the only time.
#[derive(Debug)]
pub struct Founded {
    pub app: App,
    /// Oldest first.
    pub environments: Vec<(Environment, SecretString)>,
}

/// Who founds, and from where.
type Founder<'a> = (&'a Party, &'a Origin);

/// Makes an app with production and development; [`apps::SLUG_TAKEN`] where its slug is another's.
/// Their signing keys are the caller's to make, after the commit.
pub async fn found(
    tx: &mut Tx<'_>,
    new: NewApp,
    by: Founder<'_>,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Founded> {
    let app = apps::create(tx, new, now, entropy).await?;
    let production = ("Production", Kind::Production, false);
    let production = environment(tx, &app, production, (by, (now, entropy))).await?;
    // Lists are by time: what is made together would be listed in the order of chance.
    let later = (now.plus(Duration::from_millis(1)), entropy);
    let development = ("Development", Kind::Development, true);
    let development = environment(tx, &app, development, (by, later)).await?;
    Ok(Founded {
        app,
        environments: vec![production, development],
    })
}

async fn environment(
    tx: &mut Tx<'_>,
    app: &App,
    (name, kind, is_default): (&str, Kind, bool),
    ((by, origin), made): (Founder<'_>, (Timestamp, &Entropy)),
) -> Stored<(Environment, SecretString)> {
    let named = (label(name)?, slug(&name.to_lowercase())?, kind);
    let mut scoped = tx.within(app.id);
    let environment = environments::create(&mut scoped, app.id, named, is_default, made).await?;
    let tenant = environment.tenant();
    let mut scoped = tx.within(tenant);
    let first = (label("First secret key")?, vec![Role::Admin]);
    let secret = api_keys::create(&mut scoped, &environment, first, made).await?;
    let told = Event::new(Name::EnvironmentCreated, tenant, by.clone(), origin, made)
        .on(Party::new("environment", environment.id));
    events::record(&mut scoped, &told).await?;
    Ok((environment, secret))
}

fn label(text: &str) -> Stored<Label> {
    Label::parse(text).map_err(|why: NotALabel| StoreError::Corrupt(why.to_string()))
}

fn slug(text: &str) -> Stored<Slug> {
    Slug::parse(text).map_err(|why: NotASlug| StoreError::Corrupt(why.to_string()))
}
