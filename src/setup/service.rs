use crate::access::Role;
use crate::apps::{self, App, NewApp, PLATFORM_SLUG, SLUG_TAKEN};
use crate::credentials::{self, Busy, Hasher, Share, StoredHash};
use crate::environments::{self, Environment, Kind};
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::entropy::Entropy;
use crate::kernel::password::{Password, WeakPassword};
use crate::kernel::secret::SecretString;
use crate::kernel::text::{Email, Label, Slug};
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, StoreError, Tx};
use crate::tenancy;
use crate::tokens::SigningKeys;
use crate::users::{self, NewUser, User};

const OPERATOR: &str = "operator@authsome.example";
const DEFAULT_APP: &str = "default";
const RACES: u32 = 3;

/// Makes or finds the platform, its operator and an app.
#[derive(Debug)]
pub struct Setup<'a> {
    pub store: &'a Store,
    pub clock: &'a Clock,
    pub entropy: &'a Entropy,
    pub hasher: &'a Hasher,
    pub keys: &'a SigningKeys,
}

/// What to make or find; what is not said has a default.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub app: Option<Label>,
    pub admin_email: Option<Email>,
    pub admin_password: Option<SecretString>,
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{0:?} is no name for an app: a slug needs three letters or digits of a-z 0-9")]
    NotAName(String),
    #[error("`platform` is the operators' own app; choose another name")]
    Platform,
    #[error("the operator's password is too weak: {0}")]
    Weak(#[from] WeakPassword),
    #[error("the operator's password is among those that are guessed first")]
    Common,
    #[error("the platform app has no operator")]
    NoOperator,
    #[error("a built-in name is not valid")]
    Name,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is there now, and the secrets of what was not there before.
#[derive(Debug)]
pub struct Installed {
    pub platform: Environment,
    pub operator: User,
    /// Only when the operator was just made.
    pub operator_password: Option<SecretString>,
    pub app: App,
    /// Oldest first, with the secret key of each that was just made.
    pub environments: Vec<(Environment, Option<SecretString>)>,
}

/// The operator to make where there is none.
struct NewOperator {
    email: Email,
    password: SecretString,
    hash: StoredHash,
}

impl Setup<'_> {
    pub async fn run(&self, wanted: &Wanted) -> Result<Installed, SetupError> {
        let name = match &wanted.app {
            Some(name) => name.clone(),
            None => label(DEFAULT_APP)?,
        };
        let slug = Slug::from_name(name.as_str());
        let slug = slug.ok_or_else(|| SetupError::NotAName(name.to_string()))?;
        if slug.as_str() == PLATFORM_SLUG {
            return Err(SetupError::Platform);
        }
        let operator = self.operator_to_make(wanted).await?;
        let mut installed = self.install(&name, &slug, operator.as_ref()).await;
        for _ in 1..RACES {
            // Another node was faster: its work is found in the next round.
            if matches!(
                installed,
                Err(SetupError::Store(StoreError::Duplicate(SLUG_TAKEN)))
            ) {
                installed = self.install(&name, &slug, operator.as_ref()).await;
            }
        }
        let installed = installed?;
        let own = installed
            .environments
            .iter()
            .map(|(environment, _)| environment);
        for environment in own.chain([&installed.platform]) {
            // Whoever signs first makes the key; what has been installed must be told in any case.
            if let Err(error) = self
                .keys
                .ensure(environment.tenant(), self.clock.now())
                .await
            {
                tracing::warn!(%error, env_id = %environment.id, "a signing key was not made yet");
            }
        }
        Ok(installed)
    }

    async fn operator_to_make(&self, wanted: &Wanted) -> Result<Option<NewOperator>, SetupError> {
        let platform = slug(PLATFORM_SLUG)?;
        if apps::by_slug(&mut self.store.once().shared(), &platform)
            .await?
            .is_some()
        {
            return Ok(None);
        }
        let email = match &wanted.admin_email {
            Some(email) => email.clone(),
            None => Email::parse(OPERATOR).map_err(|_| SetupError::Name)?,
        };
        let made = || SecretString::from(self.entropy.token());
        let password = wanted.admin_password.clone().unwrap_or_else(made);
        let parsed = Password::parse(secrecy::ExposeSecret::expose_secret(&password))?;
        if self
            .hasher
            .is_common(Share::Installation, parsed.clone(), vec![email.to_string()])
            .await?
        {
            return Err(SetupError::Common);
        }
        let hash = self.hasher.hash(Share::Installation, parsed).await?;
        Ok(Some(NewOperator {
            email,
            password,
            hash,
        }))
    }

    async fn install(
        &self,
        name: &Label,
        slug: &Slug,
        operator: Option<&NewOperator>,
    ) -> Result<Installed, SetupError> {
        let now = self.clock.now();
        self.store
            .write(async |tx| {
                let (platform, user, password) = self.platform(tx, operator, now).await?;
                let (app, environments) = self.app(tx, name, slug, now).await?;
                Ok(Installed {
                    platform,
                    operator: user,
                    operator_password: password,
                    app,
                    environments,
                })
            })
            .await
    }

    async fn platform(
        &self,
        tx: &mut Tx<'_>,
        operator: Option<&NewOperator>,
        now: Timestamp,
    ) -> Result<(Environment, User, Option<SecretString>), SetupError> {
        let platform = slug(PLATFORM_SLUG)?;
        if let Some(app) = apps::by_slug(tx, &platform).await? {
            let mut tx = tx.within(app.id);
            let operator = users::first_with_role(&mut tx, Role::Owner).await?;
            let environment = environments::list(&mut tx).await?.into_iter().next();
            return match (environment, operator) {
                (Some(environment), Some(operator)) => Ok((environment, operator, None)),
                _ => Err(SetupError::NoOperator),
            };
        }
        let operator = operator.ok_or(SetupError::NoOperator)?;
        let new = NewApp {
            name: label("Platform")?,
            slug: platform,
            is_platform: true,
        };
        let app = apps::create(tx, new, now, self.entropy).await?;
        let named = (label("Production")?, slug("production")?, Kind::Production);
        let made = (now, self.entropy);
        let environment =
            environments::create(&mut tx.within(app.id), app.id, named, true, made).await?;
        let user = self.operator(tx, &app, operator, now).await?;
        self.tell(tx, &environment, now).await?;
        Ok((environment, user, Some(operator.password.clone())))
    }

    async fn operator(
        &self,
        tx: &mut Tx<'_>,
        platform: &App,
        operator: &NewOperator,
        now: Timestamp,
    ) -> Result<User, SetupError> {
        let new = NewUser {
            email: operator.email.clone(),
            email_verified: true,
            phone: None,
            username: None,
            first_name: None,
            last_name: None,
            roles: vec![Role::Owner],
            metadata: crate::kernel::metadata::Metadata::default(),
        };
        let made = (now, self.entropy);
        let mut scoped = tx.within(platform.id);
        let user = users::create(&mut scoped, platform.id, new, made).await?;
        let owner = (platform.id, user.id);
        credentials::create(&mut scoped, owner, operator.hash.clone(), made).await?;
        apps::count_holder(tx, platform.id, now).await?;
        Ok(user)
    }

    async fn app(
        &self,
        tx: &mut Tx<'_>,
        name: &Label,
        slug: &Slug,
        now: Timestamp,
    ) -> Result<(App, Vec<(Environment, Option<SecretString>)>), SetupError> {
        if let Some(app) = apps::by_slug(tx, slug).await? {
            let found = environments::list(&mut tx.within(app.id)).await?;
            return Ok((
                app,
                found
                    .into_iter()
                    .map(|environment| (environment, None))
                    .collect(),
            ));
        }
        let new = NewApp {
            name: name.clone(),
            slug: slug.clone(),
            is_platform: false,
        };
        let (by, origin) = (Party::system(), origin());
        let founded = tenancy::found(tx, new, (&by, &origin), (now, self.entropy)).await?;
        let environments = founded.environments.into_iter();
        let told = environments.map(|(environment, secret)| (environment, Some(secret)));
        Ok((founded.app, told.collect()))
    }

    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        environment: &Environment,
        now: Timestamp,
    ) -> Result<(), SetupError> {
        let origin = origin();
        let made = (now, self.entropy);
        let tenant = environment.tenant();
        let told = Event::new(
            Name::EnvironmentCreated,
            tenant,
            Party::system(),
            &origin,
            made,
        )
        .on(Party::new("environment", environment.id));
        Ok(events::record(&mut tx.within(tenant), &told).await?)
    }
}

fn origin() -> Origin {
    Origin::new(String::from("setup"), None, None)
}

fn label(text: &str) -> Result<Label, SetupError> {
    Label::parse(text).map_err(|_| SetupError::Name)
}

fn slug(text: &str) -> Result<Slug, SetupError> {
    Slug::parse(text).map_err(|_| SetupError::Name)
}
