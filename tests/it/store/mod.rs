//! The document port: one meaning on both databases.
//!
//! The collections of these tests belong to a theatre: an app has *guests*, an environment sells
//! *tickets*, and *tills* belong to nobody. Times are in 2040, where no TTL monitor sweeps.

mod contract;
mod deployments;
mod failures;
mod follow;
mod indexes;
mod leftovers;
mod mongod;
mod oracle;
mod pages;
mod parts;
mod plans;
mod races;
mod startup;
mod sweep;
mod tenancy;
mod uniqueness;
mod units;
mod values;

use std::time::Duration;

use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{AppId, EnvId};
use authsome::kernel::tenant::Tenant;
use authsome::kernel::time::Timestamp;
use authsome::store::{
    Entity, Field, Filter, Index, Nobody, OfApp, OfEnvironment, Query, Schema, Store, StoreError,
    Tx,
};
use serde::{Deserialize, Serialize};

use crate::support::stores::{Backend, TestStore};

/// 2040-01-01T00:00Z
const OPENING: Timestamp = Timestamp::from_millis(2_208_988_800_000);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Guest {
    #[serde(rename = "_id")]
    id: String,
    app_id: AppId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nick: Option<String>,
    visits: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    points: Option<i64>,
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seat: Option<Seat>,
    vip: bool,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seat {
    row: String,
    number: i64,
}

const EMAIL: Field<Guest, String> = Field::at("email");
const NICK: Field<Guest, String> = Field::at("nick");
const VISITS: Field<Guest, i64> = Field::at("visits");
const POINTS: Field<Guest, i64> = Field::at("points");
const TAGS: Field<Guest, Vec<String>> = Field::at("tags");
const SEAT: Field<Guest, Seat> = Field::at("seat");
const SEAT_ROW: Field<Guest, String> = Field::at("seat.row");
const SEAT_NUMBER: Field<Guest, i64> = Field::at("seat.number");
const VIP: Field<Guest, bool> = Field::at("vip");
const CREATED_AT: Field<Guest, Timestamp> = Field::at("created_at");
const LEFT_AT: Field<Guest, Timestamp> = Field::at("left_at");

const EMAIL_TAKEN: &str = "guests_email";

impl Entity for Guest {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_test_guests";
    const INDEXES: &'static [Index] = &[
        Index::unique(EMAIL_TAKEN, &["app_id", "email"]).when_present("email"),
        Index::on("guests_created", &["app_id", "created_at", "_id"]),
        Index::on("guests_row", &["seat.row"]),
    ];
}

impl Guest {
    fn of(app_id: AppId, id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            app_id,
            email: None,
            nick: None,
            visits: 0,
            points: None,
            tags: Vec::new(),
            seat: None,
            vip: false,
            created_at: OPENING,
            left_at: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ticket {
    #[serde(rename = "_id")]
    id: String,
    app_id: AppId,
    env_id: EnvId,
    code: String,
    holder: String,
    state: String,
    expires_at: Timestamp,
}

const CODE: Field<Ticket, String> = Field::at("code");
const HOLDER: Field<Ticket, String> = Field::at("holder");
const STATE: Field<Ticket, String> = Field::at("state");
const EXPIRES_AT: Field<Ticket, Timestamp> = Field::at("expires_at");

const CODE_TAKEN: &str = "tickets_code";
const ONE_OPEN_PER_HOLDER: &str = "tickets_one_open_per_holder";

impl Entity for Ticket {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_test_tickets";
    const INDEXES: &'static [Index] = &[
        Index::unique(CODE_TAKEN, &["code"]),
        Index::unique(ONE_OPEN_PER_HOLDER, &["app_id", "env_id", "holder"])
            .when_equals("state", "open"),
        Index::on("tickets_expiry", &["expires_at"]).expires_after(Duration::from_hours(1)),
    ];
}

impl Ticket {
    /// An open ticket; its code and its holder are named after it.
    fn of(tenant: Tenant, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            code: format!("code of {id}"),
            holder: format!("holder of {id}"),
            state: "open".to_owned(),
            expires_at: OPENING.plus(Duration::from_hours(1)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Till {
    #[serde(rename = "_id")]
    id: String,
    coins: i64,
}

const COINS: Field<Till, i64> = Field::at("coins");

impl Entity for Till {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_test_tills";
    const INDEXES: &'static [Index] = &[];
}

impl Till {
    fn with(id: impl Into<String>, coins: i64) -> Self {
        Self {
            id: id.into(),
            coins,
        }
    }
}

const SCHEMAS: &[Schema] = &[
    Schema::of::<Guest>(),
    Schema::of::<Ticket>(),
    Schema::of::<Till>(),
];

/// A store with these collections, and two tenants to use it.
#[derive(Debug)]
struct Theatre {
    store: Store,
    /// An environment of its own app, as `globe` is.
    rose: Tenant,
    globe: Tenant,
    under: TestStore,
}

impl Theatre {
    async fn on(backend: Backend) -> Self {
        let under = TestStore::on(backend).await.holding(SCHEMAS).await;
        let entropy = Entropy::seeded(1);
        Self {
            store: under.store.clone(),
            rose: tenant(&entropy),
            globe: tenant(&entropy),
            under,
        }
    }

    /// Opens the theatre with these guests.
    async fn with_guests(&self, guests: &[Guest]) {
        let admit = async |tx: &mut Tx<'_>| {
            for guest in guests {
                tx.within(guest.app_id).insert(guest).await?;
            }
            Ok::<_, StoreError>(())
        };
        self.store.write(admit).await.unwrap();
    }

    /// The identifiers of the rose's guests who meet the filter, sorted.
    async fn found(&self, filter: Filter<Guest>) -> Vec<String> {
        let mut once = self.store.once();
        let guests = once
            .within(self.rose)
            .find(Query::of(filter))
            .await
            .unwrap();
        let mut ids: Vec<String> = guests.into_iter().map(|guest| guest.id).collect();
        ids.sort();
        ids
    }

    async fn guest(&self, id: &str) -> Guest {
        let found = self.store.once().within(self.rose).get(id).await;
        found.unwrap().unwrap()
    }

    async fn with_tills(&self, tills: &[Till]) {
        let place = async |tx: &mut Tx<'_>| {
            for till in tills {
                tx.insert(till).await?;
            }
            Ok::<_, StoreError>(())
        };
        self.store.write(place).await.unwrap();
    }
}

fn tenant(entropy: &Entropy) -> Tenant {
    Tenant {
        app_id: AppId::new(OPENING, entropy),
        env_id: EnvId::new(OPENING, entropy),
    }
}
