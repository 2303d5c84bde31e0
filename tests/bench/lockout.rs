//! What locking accounts costs a sign-in: the place that a try takes before its password is hashed,
//! and gives up with the unit of work of a right one; without any hash between the two.

use std::time::{Duration, Instant};

use authsome::events::Origin;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{AppId, EnvId, UserId};
use authsome::kernel::secret::MacKey;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::time::Clock;
use authsome::limits::{Lockout, LockoutSettings, Lockouts, Subject};
use authsome::store::{Schema, Store, StoreError, StoreSettings};
use tokio::task::LocalSet;

use crate::server::Where;

const SCHEMAS: &[Schema] = &[Schema::of::<Lockout>()];

/// Sixteen accounts tried at once, each again and again, for `time`; what it says is printed.
pub fn measure(place: &Where, accounts: usize, time: Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = StoreSettings::at(place.location(folder.path()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let began = Instant::now();
    let times = LocalSet::new().block_on(&runtime, async move {
        let (clock, entropy) = (Clock::system(), Entropy::system());
        let store = Store::open(&settings).await.expect("a store");
        store.migrate(SCHEMAS, clock.now()).await.expect("indexes");
        let tries = (0..accounts).map(|_| {
            let (store, clock, entropy) = (store.clone(), clock.clone(), entropy.clone());
            tokio::task::spawn_local(async move { tried(store, clock, entropy, time).await })
        });
        let mut times = Vec::new();
        for tried in tries.collect::<Vec<_>>() {
            times.extend(tried.await.expect("a task that ends"));
        }
        times
    });
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    let mut times = times;
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    let name = place.name();
    println!(
        "{name:<8}a lockout's part of a right sign-in, c={accounts}: {rate:.0} /s; p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );
}

async fn tried(store: Store, clock: Clock, entropy: Entropy, time: Duration) -> Vec<Duration> {
    let now = clock.now();
    let tenant = Tenant {
        app_id: AppId::new(now, &entropy),
        env_id: EnvId::new(now, &entropy),
    };
    let user = UserId::new(now, &entropy);
    let settings = LockoutSettings {
        after: 5,
        delay: Duration::from_mins(1),
        longest: Duration::from_mins(15),
    };
    let key = MacKey::new(b"a key of the benchmark");
    let lockouts = Lockouts::new(store.clone(), clock.clone(), entropy, key, settings);
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        let tried = Instant::now();
        let origin = Origin::default();
        let place = lockouts
            .reserve(tenant, Subject::User(user), None, &origin)
            .await
            .expect("a place");
        store
            .write(async |tx| {
                place.succeeded(tx, clock.now()).await?;
                Ok::<_, StoreError>(())
            })
            .await
            .expect("a unit of work");
        times.push(tried.elapsed());
    }
    times
}
