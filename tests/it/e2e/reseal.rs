//! `authsome keys reseal` and `rotate`, killed in the middle and made again.

use std::collections::{BTreeSet, HashMap};
use std::process::Stdio;
use std::time::Duration;

use authsome::kernel::algorithm::Algorithm;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{AppId, EnvId};
use authsome::kernel::secret::KeyRing;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::time::{Clock, Timestamp};
use authsome::store::{Field, Location, Query, Store, StoreSettings, Stored};
use authsome::tokens::{self, SigningKey, SigningKeys, TokenSettings};
use serde_json::Value;

use super::server::{Home, PASSWORD, text};
use crate::support::stores::{Backend, on_both_stores};

const RING: &str = "SECURITY__ENCRYPTION_KEY";
const OLD: &str = "old:x3Bnc8QDqVtq7S5R0zYJm2fA9uHkLwPiTeXoNbGvC1s";
const NEW: &str = "new:Zk9yQ4hWvJ7cTn1bRxEoP6mDg0LsAiUfHuYtK2qB8w4";

const EMAIL: &str = "mia@example.org";

const CREATED_AT: Field<SigningKey, Timestamp> = Field::at("created_at");

/// Keys to be sealed anew: so many that a run can be caught in the middle.
const MANY: usize = 300;

/// A home with an installation in it, and its database past the server.
struct Sealed {
    home: Home,
    told: Value,
    store: Store,
}

impl Sealed {
    async fn on(backend: Backend) -> Self {
        Self::under(backend, OLD).await
    }

    async fn under(backend: Backend, key: &str) -> Self {
        // Servers of one installation issue under one address, wherever they listen.
        let home = Home::on(backend).await.with(RING, key);
        let home = home.with("SERVER__PUBLIC_URL", "http://localhost");
        let told = home.bootstrap(&[]);
        let location = match home.setting("STORE__URL") {
            Some(url) => Location::Mongo(url.to_owned()),
            None => Location::Sqlite(home.folder().join("authsome-data/authsome.db")),
        };
        let store = Store::open(&StoreSettings::at(location)).await.unwrap();
        Self { home, told, store }
    }

    /// The same home with other encryption keys.
    fn ring(self, keys: &str) -> Self {
        let home = self.home.with(RING, keys);
        Self { home, ..self }
    }

    /// Every environment has generations from 1 on without a gap, each of them openable.
    async fn every_chain_is_whole(&self) {
        let mut chains: HashMap<EnvId, Vec<i64>> = HashMap::new();
        for key in self.keys().await {
            assert!(key.private_key.starts_with("old."), "{key:?}");
            chains.entry(key.env_id).or_default().push(key.generation);
        }
        assert_eq!(chains.len(), 3);
        for mut chain in chains.into_values() {
            chain.sort_unstable();
            let whole: Vec<i64> = (1..).take(chain.len()).collect();
            assert_eq!(chain, whole);
        }
    }

    fn tenant(&self) -> Tenant {
        let (app_id, env_id) = (text(&self.told, "/app_id"), text(&self.told, "/env_id"));
        let (app_id, env_id): (AppId, EnvId) = (app_id.parse().unwrap(), env_id.parse().unwrap());
        Tenant { app_id, env_id }
    }

    /// Publishes many more keys in one environment.
    async fn with_many_keys(&self) {
        let ring = KeyRing::parse(OLD).unwrap();
        let settings = TokenSettings {
            issuer: "https://auth.example.com".to_owned(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(24),
            algorithm: Algorithm::Es256,
            publish_ahead: Duration::from_hours(24),
        };
        let (tenant, now) = (self.tenant(), Clock::system().now());
        let keys = SigningKeys::new(self.store.clone(), ring, Entropy::system(), settings);
        let mut prepared = Vec::new();
        for _ in 0..MANY {
            prepared.push(keys.prepare(tenant, None, now).await.unwrap());
        }
        let later = now.plus(Duration::from_hours(24));
        let publish: Stored<()> = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                for key in &prepared {
                    tokens::publish(&mut tx, key, later).await?;
                }
                Ok(())
            })
            .await;
        publish.unwrap();
    }

    async fn keys(&self) -> Vec<SigningKey> {
        let mut once = self.store.once();
        let mut every = once.across_tenants("the test looks at all keys");
        let all = Query::of(CREATED_AT.gt(Timestamp::from_millis(0)));
        every.find(all).await.unwrap()
    }

    async fn sealed_anew(&self) -> usize {
        let keys = self.keys().await.into_iter();
        keys.filter(|key| key.private_key.starts_with("new."))
            .count()
    }

    /// What the encryption keys go by that signing keys are sealed under.
    async fn sealed_under(&self) -> BTreeSet<String> {
        let keys = self.keys().await.into_iter();
        keys.map(|key| key.private_key.split('.').next().unwrap().to_owned())
            .collect()
    }
}

/// Sealed under a key as most are made: without an id.
struct Unnamed(Sealed);

impl Unnamed {
    async fn on(backend: Backend) -> Self {
        Self(Sealed::under(backend, unnamed(OLD)).await)
    }
}

fn unnamed(key: &str) -> &str {
    key.split_once(':').expect("a key with an id").1
}

on_both_stores! {
    async fn a_run_that_is_killed_in_the_middle_is_made_again(sealed: Sealed) {
        sealed.with_many_keys().await;
        let all = sealed.keys().await.len();
        let sealed = sealed.ring(&format!("{NEW},{OLD}"));
        let mut run = sealed.home.command(&["keys", "reseal"]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while sealed.sealed_anew().await == 0 {
            assert!(run.try_wait().unwrap().is_none(), "it ended before it was seen");
        }
        run.kill().unwrap();
        run.wait().unwrap();
        let half = sealed.sealed_anew().await;
        assert!(half < all, "it was too quick to be killed");

        let again = sealed.home.run(&["keys", "reseal"]);

        assert_eq!(again.code, Some(0), "{again:?}");
        // A database may still do what it was told by who is dead now.
        let told = again.out.trim().strip_suffix(" were already").expect("what was done");
        let (anew, already) = told.split_once(" sealed anew, ").expect("two numbers");
        let [anew, already] = [anew, already].map(|it| it.parse::<usize>().expect("a number"));
        assert_eq!(anew + already, all);
        assert!(anew > 0 && already >= half, "{told}, {half} before");
        assert_eq!(sealed.sealed_anew().await, all);
    }

    async fn a_key_changes_while_a_server_runs(sealed: Sealed) {
        let key = text(&sealed.told, "/publishable_key");
        let server = sealed.home.serve().await;
        let token = text(&server.sign_up(&key, EMAIL).await, "/access_token");
        sealed.home.move_on();
        let sealed = sealed.ring(&format!("{NEW},{OLD}"));

        let ran = sealed.home.run(&["keys", "reseal"]);

        assert_eq!((ran.code, ran.out.trim()), (Some(0), "4 sealed anew, 0 were already"));
        server.me(&token).await.told(200);
        sealed.home.move_on();
        let sealed = sealed.ring(NEW);
        let next = sealed.home.serve().await;
        next.sign_in(&key, EMAIL, PASSWORD).await;
        next.me(&token).await.told(200);
        server.me(&token).await.told(200);
    }

    async fn a_key_without_an_id_changes_in_the_same_four_steps(sealed: Unnamed) {
        let mut sealed = sealed.0;
        let (old, new) = (unnamed(OLD), unnamed(NEW));
        let key = text(&sealed.told, "/publishable_key");
        let before = sealed.sealed_under().await;
        let first = sealed.home.serve().await;
        let token = text(&first.sign_up(&key, EMAIL).await, "/access_token");
        for ring in [format!("{old},{new}"), format!("{new},{old}")] {
            sealed.home.move_on();
            sealed = sealed.ring(&ring);
            let server = sealed.home.serve().await;
            server.me(&token).await.told(200);
        }

        let ran = sealed.home.run(&["keys", "reseal"]);

        assert_eq!(ran.code, Some(0), "{ran:?}");
        let after = sealed.sealed_under().await;
        assert_eq!((before.len(), after.len()), (1, 1));
        assert!(after.is_disjoint(&before), "{after:?}");
        sealed.home.move_on();
        let sealed = sealed.ring(new);
        let last = sealed.home.serve().await;
        last.me(&token).await.told(200);
        last.sign_in(&key, EMAIL, PASSWORD).await;
    }

    async fn a_key_that_is_given_an_id_afterwards_opens_nothing_that_it_sealed(sealed: Unnamed) {
        let sealed = sealed.0;
        let before = sealed.sealed_under().await;
        let sealed = sealed.ring(&format!("{NEW},{OLD}"));

        let resealed = sealed.home.run(&["keys", "reseal"]);
        let served = sealed.home.run(&[]);

        assert_eq!((resealed.code, served.code), (Some(1), Some(1)), "{resealed:?} {served:?}");
        let why = format!("under the encryption key {},", before.first().unwrap());
        for told in [&resealed.err, &served.err] {
            assert!(told.contains(&why), "{told}");
        }
        assert_eq!(sealed.sealed_under().await, before);
    }

    async fn a_key_that_is_missing_is_said_to_be_so_and_nothing_is_served(sealed: Sealed) {
        let names: Vec<_> = sealed.keys().await.iter().map(|key| key.id.to_string()).collect();
        let sealed = sealed.ring(NEW);

        let resealed = sealed.home.run(&["keys", "reseal"]);
        let served = sealed.home.run(&[]);

        assert_eq!((resealed.code, served.code), (Some(1), Some(1)), "{resealed:?} {served:?}");
        assert!(names.iter().all(|name| resealed.err.contains(name)), "{}", resealed.err);
        assert!(names.iter().any(|name| served.err.contains(name)), "{}", served.err);
        for told in [&resealed.err, &served.err] {
            assert!(told.contains("under the encryption key old,"), "{told}");
        }
        assert_eq!(sealed.sealed_anew().await, 0);
    }

    /// Killed before it has made a key, between two environments, or after all of them: what was
    /// published is whole, and the next run goes on.
    async fn a_rotation_that_is_killed_anywhere_is_made_again(sealed: Sealed) {
        let key = text(&sealed.told, "/publishable_key");
        let server = sealed.home.serve().await;
        let token = text(&server.sign_up(&key, EMAIL).await, "/access_token");
        for millis in [0, 40, 80, 120, 160] {
            let mut run = sealed.home.command(&["keys", "rotate"]);
            let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(millis)).await;
            run.kill().unwrap();
            run.wait().unwrap();
        }

        let ran = sealed.home.run(&["keys", "rotate"]);

        assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 3), "{ran:?}");
        sealed.every_chain_is_whole().await;
        server.me(&token).await.told(200);
        server.sign_in(&key, EMAIL, PASSWORD).await;
        sealed.home.move_on();
        let next = sealed.home.serve().await;
        next.me(&token).await.told(200);
    }

    async fn two_rotations_at_once_are_two_generations(sealed: Sealed) {
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let mut run = sealed.home.command(&["keys", "rotate"]);
                run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();

        for run in runs {
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }

        assert_eq!(sealed.keys().await.len(), 3 * 5);
        sealed.every_chain_is_whole().await;
    }
}
