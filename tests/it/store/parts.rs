//! Parts: what goes with the document that it is part of.

use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{AppId, EnvId};
use authsome::kernel::tenant::Tenant;
use authsome::store::{
    Entity, Field, Filter, Index, OfEnvironment, PartOf, Query, Schema, StoreError,
};
use serde::{Deserialize, Serialize};

use super::{Guest, Ticket, tenant};
use crate::support::plans::Plans;
use crate::support::stores::{Backend, TestStore, on_both_stores};

const PLAYS: &str = "authsome_test_plays";

/// Declares a kind of document that names what it belongs to.
macro_rules! belongings {
    ($($Kind:ident in $collection:literal, by $field:ident $index:expr, part of $part_of:expr;)+) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        struct $Kind {
            #[serde(rename = "_id")]
            id: String,
            app_id: AppId,
            env_id: EnvId,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            $field: Option<String>,
        }

        impl Entity for $Kind {
            type Owner = OfEnvironment;
            const COLLECTION: &'static str = $collection;
            const INDEXES: &'static [Index] = &[$index];
            const PART_OF: Option<PartOf> = $part_of;
        }

        impl Belonging for $Kind {
            fn to(id: &str, Tenant { app_id, env_id }: Tenant, whole: Option<&str>) -> Self {
                let (id, $field) = (id.to_owned(), whole.map(str::to_owned));
                Self { id, app_id, env_id, $field }
            }
        }
    )+};
}

trait Belonging: Entity<Owner = OfEnvironment> {
    fn to(id: &str, tenant: Tenant, whole: Option<&str>) -> Self;
}

belongings! {
    Scene in "authsome_test_scenes", by play_id
        Index::on("scenes_play", &["app_id", "env_id", "play_id"]),
        part of Some(PartOf { collection: PLAYS, field: "play_id" });
    Poster in "authsome_test_posters", by shows
        Index::on("posters_shows", &["shows"]).when_present("shows"),
        part of Some(PartOf { collection: PLAYS, field: "shows" });
    // It names a play, but is part of something else.
    Prop in "authsome_test_props", by play_id
        Index::on("props_play", &["play_id"]),
        part of Some(PartOf { collection: "authsome_test_stores", field: "play_id" });
    Review in "authsome_test_reviews", by play_id Index::on("reviews_play", &["play_id"]), part of None;
}

const SCHEMAS: &[Schema] = &[
    Schema::of::<Scene>(),
    Schema::of::<Poster>(),
    Schema::of::<Prop>(),
    Schema::of::<Review>(),
];

/// Two plays in two environments of one app and in another app; what belongs to them, and to none.
struct Season {
    under: TestStore,
    here: Tenant,
    elsewhere: [Tenant; 2],
    _plans: Option<Plans>,
}

impl Season {
    async fn on(backend: Backend) -> Self {
        let under = TestStore::on(backend).await.holding(SCHEMAS).await;
        let entropy = Entropy::seeded(1);
        let (here, other) = (tenant(&entropy), tenant(&entropy));
        let second_stage = Tenant {
            env_id: other.env_id,
            ..here
        };
        let season = Self {
            _plans: Plans::of(&under.settings.location).await,
            under,
            here,
            elsewhere: [second_stage, other],
        };
        season.with::<Scene>().await;
        season.with::<Poster>().await;
        season.with::<Prop>().await;
        season.with::<Review>().await;
        season
    }

    async fn with<E: Belonging>(&self) {
        let mut once = self.under.store.once();
        for (place, tenant) in [self.here].iter().chain(&self.elsewhere).enumerate() {
            for whole in [Some("hamlet"), Some("macbeth"), None] {
                for copy in 0..2 {
                    let id = format!("{place} {} {copy}", whole.unwrap_or("none"));
                    let belonging = E::to(&id, *tenant, whole);
                    once.within(*tenant).insert(&belonging).await.unwrap();
                }
            }
        }
    }

    /// The identifiers of all that is left of a kind.
    async fn left<E: Belonging>(&self) -> Vec<String> {
        let mut once = self.under.store.once();
        let mut everywhere = once.across_tenants("to see what is left");
        let by_id = Query::of(Filter::<E>::all()).oldest_by(Field::<E, String>::at("_id"));
        let found = everywhere.find(by_id).await.unwrap();
        let ids = found.iter().map(|it| serde_json::to_value(it).unwrap());
        ids.map(|it| it["_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

on_both_stores! {
    async fn only_the_parts_of_that_document_and_tenant_go(season: Season) {
        let all = season.left::<Scene>().await;
        assert_eq!(all.len(), 18);
        let rest: Vec<_> = all.iter().filter(|id| !id.starts_with("0 hamlet")).cloned().collect();

        let mut once = season.under.store.once();
        let removed = once.within(season.here).remove_parts(SCHEMAS, PLAYS, "hamlet").await;

        assert_eq!(removed.unwrap(), 4);
        assert_eq!(season.left::<Scene>().await, rest);
        assert_eq!(season.left::<Poster>().await, rest);
        assert_eq!(season.left::<Prop>().await, all);
        assert_eq!(season.left::<Review>().await, all);
    }

    async fn what_has_no_parts_takes_nothing_along(season: Season) {
        let all = season.left::<Scene>().await;
        let mut once = season.under.store.once();
        let mut tx = once.within(season.here);

        assert_eq!(tx.remove_parts(SCHEMAS, PLAYS, "").await.unwrap(), 0);
        assert_eq!(tx.remove_parts(SCHEMAS, PLAYS, "ham").await.unwrap(), 0);
        assert_eq!(tx.remove_parts(SCHEMAS, "authsome_test_scenes", "hamlet").await.unwrap(), 0);
        assert_eq!(tx.remove_parts(&[], PLAYS, "hamlet").await.unwrap(), 0);

        assert_eq!(season.left::<Scene>().await, all);
        assert_eq!(season.left::<Poster>().await, all);
    }

    async fn parts_stay_where_the_unit_fails(season: Season) {
        let all = season.left::<Scene>().await;

        let failed = season.under.store.write(async |tx| {
            let mut tx = tx.within(season.here);
            assert_eq!(tx.remove_parts(SCHEMAS, PLAYS, "hamlet").await?, 4);
            Err::<(), _>(StoreError::OutsideScope("a failure of the test"))
        });

        assert!(failed.await.is_err());
        assert_eq!(season.left::<Scene>().await, all);
    }
}

#[test]
fn an_index_leads_from_the_field_behind_its_owner_unless_it_covers_only_some() {
    let (scene, poster) = (Schema::of::<Scene>(), Schema::of::<Poster>());
    let (guest, ticket) = (Schema::of::<Guest>(), Schema::of::<Ticket>());
    for (schema, field, leads) in [
        (scene, "play_id", true),
        (scene, "env_id", false),
        (poster, "shows", true),
        (poster, "play_id", false),
        (guest, "email", true),
        (guest, "created_at", true),
        (guest, "_id", false),
        (ticket, "code", true),
        // Only of tickets that are open.
        (ticket, "holder", false),
    ] {
        assert_eq!(schema.leads_from(field), leads, "{field} of {schema:?}");
    }
}
