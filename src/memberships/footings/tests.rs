use std::sync::Arc;

use tokio::time::sleep;

use super::super::record::{Member, Organization, Team, TeamMember};
use super::super::{Memberships, repo};
use super::{Footings, KEPT, Kept};
use crate::access::OrgPolicies;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, OrgId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::memberships::standing::Footing;
use crate::rbac::{Catalogue, CustomRole, Policies};
use crate::store::{Location, Schema, Store, StoreError, StoreSettings, Stored};
use crate::tokens::{Revocation, RevocationIndex, STALE_AFTER, revoke_organization};

const NOON: Timestamp = Timestamp::from_millis(2_208_988_800_000);

/// One organisation in one store, and what a node knows.
struct World {
    store: Store,
    entropy: Entropy,
    tenant: Tenant,
    org: OrgId,
    memberships: Memberships,
    revocations: RevocationIndex,
}

async fn world() -> World {
    let store = Store::open(&StoreSettings::at(Location::Memory))
        .await
        .unwrap();
    let schemas = [
        Schema::of::<Organization>(),
        Schema::of::<Member>(),
        Schema::of::<Team>(),
        Schema::of::<TeamMember>(),
        Schema::of::<CustomRole>(),
        Schema::of::<Catalogue>(),
        Schema::of::<Revocation>(),
    ];
    store.migrate(&schemas, NOON).await.unwrap();
    let entropy = Entropy::seeded(1);
    let tenant = Tenant {
        app_id: AppId::new(NOON, &entropy),
        env_id: EnvId::new(NOON, &entropy),
    };
    let organization = organization(tenant, &entropy);
    let mut once = store.once();
    repo::insert(&mut once.within(tenant), &organization)
        .await
        .unwrap();
    let revocations = RevocationIndex::new(store.clone());
    let memberships = Memberships {
        policies: Policies::new(OrgPolicies::built_in().await.unwrap()),
        footings: Footings::new(revocations.clone()),
        platform: tenant.app_id,
    };
    World {
        org: organization.id,
        store,
        entropy,
        tenant,
        memberships,
        revocations,
    }
}

fn organization(tenant: Tenant, entropy: &Entropy) -> Organization {
    Organization {
        id: OrgId::new(NOON, entropy),
        app_id: tenant.app_id,
        env_id: tenant.env_id,
        name: Label::parse("Acme").unwrap(),
        slug: Slug::parse("acme").unwrap(),
        logo: None,
        metadata: Metadata::default(),
        created_by: None,
        owner_count: 1,
        member_count: 1,
        max_members: None,
        version: 1,
        policy_id: None,
        created_at: NOON,
        updated_at: NOON,
    }
}

impl World {
    /// A change in the organisation; what its version is then.
    async fn changes(&self) -> i64 {
        let changed = self.store.write(async |tx| {
            let changed = repo::changed(&mut tx.within(self.tenant), self.org, NOON).await?;
            Ok::<_, StoreError>(changed.unwrap().version)
        });
        changed.await.unwrap()
    }

    /// The version that a look finds, and what it costs the store.
    async fn looks(&self) -> (Option<i64>, u64) {
        let before = self.store.calls();
        let seen = self.store.read(async |tx| {
            let mut tx = tx.within(self.tenant);
            self.memberships.seen(&mut tx, (self.org, None)).await
        });
        let footing = seen.await.unwrap();
        let version = footing.map(|footing| footing.organization.version);
        (version, self.store.calls() - before)
    }
}

#[tokio::test]
async fn what_was_seen_is_known_until_it_changes() {
    let world = world().await;

    assert_eq!(world.looks().await, (Some(1), 4));
    assert_eq!(world.looks().await, (Some(1), 0));
    assert_eq!(world.changes().await, 2);
    assert_eq!(world.looks().await.0, Some(2));
    assert_eq!(world.looks().await, (Some(2), 0));
}

/// It began before the change, and kept what it saw after the change had been acknowledged: whoever
/// looks next would be told what was, if the order of keeping and forgetting were all there is.
#[tokio::test]
async fn of_a_look_that_a_change_has_overtaken_nothing_is_used() {
    let world = world().await;

    let seen = world.store.read(async |tx| {
        let mut tx = tx.within(world.tenant);
        repo::get(&mut tx, world.org).await?;
        assert_eq!(world.changes().await, 2);
        world.memberships.seen(&mut tx, (world.org, None)).await
    });

    assert_eq!(seen.await.unwrap().unwrap().organization.version, 1);
    assert_eq!(world.looks().await.0, Some(2));
}

#[tokio::test]
async fn who_writes_reads_the_store_and_leaves_nothing_in_memory() {
    let world = world().await;
    world.looks().await;
    let before = world.store.calls();

    let written: Stored<()> = world
        .store
        .write(async |tx| {
            let mut tx = tx.within(world.tenant);
            world
                .memberships
                .seen(&mut tx, (world.org, None))
                .await?
                .unwrap();
            repo::changed(&mut tx, world.org, NOON).await?;
            let own = world.memberships.seen(&mut tx, (world.org, None)).await?;
            assert_eq!(own.unwrap().organization.version, 2);
            Err(StoreError::Conflict)?;
            Ok(())
        })
        .await;

    assert!(written.is_err());
    // The organisation and what its app registers, twice; and the change.
    assert_eq!(world.store.calls() - before, 5);
    assert_eq!(world.looks().await.0, Some(1));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "what is kept ends with time")]
async fn a_look_counts_from_its_beginning_and_not_from_its_end() {
    let world = world().await;

    let seen = world.store.read(async |tx| {
        let mut tx = tx.within(world.tenant);
        sleep(STALE_AFTER).await;
        world.memberships.seen(&mut tx, (world.org, None)).await
    });

    assert!(seen.await.unwrap().is_some());
    assert_ne!(world.looks().await.1, 0);
}

/// As it is told of another node, before the second is over.
#[tokio::test]
async fn what_ends_a_token_ends_what_is_known() {
    let world = world().await;
    world.looks().await;
    assert_eq!(world.looks().await.1, 0);

    let blank = world.store.write(async |tx| {
        let mut tx = tx.within(world.tenant);
        revoke_organization(&mut tx, world.org, 2, NOON, &world.entropy).await
    });
    world.revocations.apply(&blank.await.unwrap());

    assert_ne!(world.looks().await.1, 0);
}

#[tokio::test]
async fn another_environment_knows_nothing_of_it() {
    let world = world().await;
    world.looks().await;
    let env_id = EnvId::new(NOON, &world.entropy);
    let other = Tenant {
        env_id,
        ..world.tenant
    };

    let seen = world.store.read(async |tx| {
        let mut tx = tx.within(other);
        world.memberships.seen(&mut tx, (world.org, None)).await
    });

    assert!(seen.await.unwrap().is_none());
}

/// Whoever chooses the names.
#[tokio::test]
async fn memory_has_an_end() {
    let world = world().await;
    let footing = world.store.read(async |tx| {
        let mut tx = tx.within(world.tenant);
        world.memberships.footing(&mut tx, (world.org, None)).await
    });
    let footing: Arc<Footing> = footing.await.unwrap().unwrap();
    let footings = &world.memberships.footings;

    for _ in 0..20_000 {
        let user = UserId::new(NOON, &world.entropy);
        let seen = world.store.read(async |tx| Stored::Ok(tx.moment()));
        let kept = Kept {
            footing: footing.clone(),
            seen: seen.await.unwrap().unwrap(),
        };
        let place = (world.org, Some(user));
        footings.kept.insert((world.tenant, place), kept);
    }
    footings.kept.run_pending_tasks();

    assert!(footings.kept.weighted_size() <= KEPT);
    assert!(footings.kept.entry_count() < 20_000);
}
