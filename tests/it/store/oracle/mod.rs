//! The oracle: thousands of random conditions and changes mean the same to both databases and to
//! the reference in plain Rust.

mod chance;
mod sample;

use authsome::kernel::entropy::Entropy;
use authsome::store::{Filter, Query, Schema, Store, by_id};

use self::chance::{Chance, both};
use self::sample::Sample;
use crate::support::stores::{Backend, TestStore, on_both_stores};

const SEED: u64 = 2_040;
const SAMPLES: usize = 60;
const FILTERS: usize = 2_000;
const COUNTED_FILTERS: usize = 300;
const CHANGES: usize = 400;

/// A store of random documents, the same documents in plain Rust, and more chance.
struct World {
    under: TestStore,
    model: Vec<Sample>,
    chance: Chance,
}

impl World {
    async fn on(backend: Backend) -> Self {
        let chance = Chance::new(Entropy::seeded(SEED));
        let sample = |number| chance.sample(format!("sample {number:02}"));
        let model: Vec<Sample> = (0..SAMPLES).map(sample).collect();
        let under = TestStore::on(backend)
            .await
            .holding(&[Schema::of::<Sample>()])
            .await;
        for sample in &model {
            under.store.once().shared().insert(sample).await.unwrap();
        }
        Self {
            under,
            model,
            chance,
        }
    }

    /// The identifiers of what the reference selects, in order.
    fn expected(&self, filter: &Filter<Sample>) -> Vec<&str> {
        let selected = self.model.iter().filter(|sample| filter.matches(sample));
        selected.map(|sample| &*sample.id).collect()
    }
}

async fn found(store: &Store, filter: Filter<Sample>) -> Vec<Sample> {
    let mut found = store.once().shared().find(Query::of(filter)).await.unwrap();
    found.sort_by(|a: &Sample, b| a.id.cmp(&b.id));
    found
}

on_both_stores! {
    async fn random_filters_select_what_the_reference_selects(world: World) {
        let mut telling = 0;
        for number in 0..FILTERS {
            let filter = world.chance.filter(3);
            let expected = world.expected(&filter);
            telling += usize::from(!expected.is_empty() && expected.len() < SAMPLES);

            let found = found(&world.under.store, filter.clone()).await;

            let found: Vec<&str> = found.iter().map(|sample| &*sample.id).collect();
            assert_eq!(
                found, expected,
                "filter {number} of seed {SEED}: {filter:#?}"
            );
        }
        assert!(
            telling > FILTERS / 2,
            "only {telling} of {FILTERS} tell documents apart"
        );
    }

    async fn random_filters_count_take_and_delete_what_the_reference_selects(world: World) {
        let mut world = world;
        let store = world.under.store.clone();
        for number in 0..COUNTED_FILTERS {
            let filter = world.chance.filter(3);
            let matching = world.expected(&filter).len();
            let mut once = store.once();
            let mut samples = once.shared();

            assert_eq!(
                samples.count(filter.clone()).await.unwrap(),
                matching as u64,
                "{filter:#?}"
            );
            if number % 3 == 0 {
                let taken = samples.take_one(filter.clone()).await.unwrap();
                assert_eq!(taken.is_some(), matching > 0, "{filter:#?}");
                assert!(
                    taken.iter().all(|taken| filter.matches(taken)),
                    "{filter:#?}"
                );
                world
                    .model
                    .retain(|sample| taken.as_ref().is_none_or(|taken| taken.id != sample.id));
            } else if matching < 6 {
                let removed = samples.delete_many(filter.clone()).await.unwrap();
                assert_eq!(removed, matching as u64, "{filter:#?}");
                world.model.retain(|sample| !filter.matches(sample));
            }
            while world.model.len() < SAMPLES / 2 {
                let sample = world
                    .chance
                    .sample(format!("{number:03} {}", world.model.len()));
                samples.insert(&sample).await.unwrap();
                world.model.push(sample);
            }
        }
        world.model.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(found(&store, Filter::all()).await, world.model);
    }

    async fn random_changes_leave_what_the_model_has(world: World) {
        let mut world = world;
        let store = world.under.store.clone();
        for number in 0..CHANGES {
            let filter = world.chance.filter(2);
            let change = both(world.chance.change(), world.chance.addition());
            let mut once = store.once();
            let mut samples = once.shared();

            if number % 4 == 0 {
                let expected = world.expected(&filter);
                let changed = samples
                    .update_one(filter.clone(), change.update)
                    .await
                    .unwrap();
                let Some(changed) = changed else {
                    assert!(expected.is_empty(), "{filter:#?}");
                    continue;
                };
                assert!(expected.contains(&&*changed.id), "{filter:#?}");
                let known = world
                    .model
                    .iter_mut()
                    .find(|sample| sample.id == changed.id)
                    .unwrap();
                (change.apply)(known);
                assert_eq!(changed, *known, "{filter:#?}");
            } else {
                let matching = world
                    .model
                    .iter_mut()
                    .filter(|sample| filter.matches(sample));
                let matching = matching.map(|sample| (change.apply)(sample)).count();
                let changed = samples
                    .update_many(filter.clone(), change.update)
                    .await
                    .unwrap();
                assert_eq!(changed, matching as u64, "{filter:#?}");
            }
        }
        assert_eq!(found(&store, Filter::all()).await, world.model);
    }

    async fn random_documents_come_back_as_they_went_in(world: World) {
        for sample in &world.model {
            let found = found(&world.under.store, by_id(&sample.id)).await;
            assert_eq!(found, std::slice::from_ref(sample));
        }
    }
}
