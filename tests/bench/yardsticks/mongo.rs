//! The driver of MongoDB by itself, on the core that the database has too, as the server is.

use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, WriteConcern};
use mongodb::{Client, Collection, Database};

use super::{Kind, Reached, Stint};

/// So many at once, each with documents of its own.
pub fn measure(kind: Kind, time: Duration, (clients, uri): (usize, &str)) -> Reached {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut options = ClientOptions::parse(uri).await.expect("a URI");
        let mut durable = WriteConcern::majority();
        durable.journal = Some(true);
        options.write_concern = Some(durable);
        options.max_pool_size = Some(64);
        options.max_connecting = Some(8);
        let client = Client::with_options(options).expect("a client");
        let database = client.database(&format!("authsome_limit_{}", std::process::id()));
        let places = prepared(&database, clients).await;
        let (stint, mut times) = (Stint::begin(), Vec::new());
        let until = stint.began + time;
        let all: Vec<_> = places
            .into_iter()
            .map(|place| tokio::spawn(goes_on(kind, place, until)))
            .collect();
        for one in all {
            times.extend(one.await.expect("a task that ends"));
        }
        let reached = stint.end(times);
        database.drop().await.expect("a clean end");
        reached
    })
}

/// What one of them writes to.
struct Place {
    number: i64,
    client: Client,
    first: Collection<Document>,
    second: Collection<Document>,
}

/// Collections that are there: a transaction that makes one waits for the others.
async fn prepared(database: &Database, clients: usize) -> Vec<Place> {
    let (first, second) = (database.collection("a"), database.collection("b"));
    let mut places = Vec::new();
    for number in 0..i64::try_from(clients).expect("a small number") {
        for collection in [&first, &second] {
            let begun = doc! { "_id": { "client": number }, "n": 0_i64 };
            collection.insert_one(begun).await.expect("an insert");
        }
        places.push(Place {
            number,
            client: database.client().clone(),
            first: first.clone(),
            second: second.clone(),
        });
    }
    places
}

async fn goes_on(kind: Kind, place: Place, until: Instant) -> Vec<Duration> {
    let (mut times, mut seen) = (Vec::new(), 0_i64);
    while Instant::now() < until {
        let began = Instant::now();
        match kind {
            Kind::FindAndUpdate | Kind::Update => place.updates(kind, seen).await,
            Kind::Transaction => place.inserts_two(seen).await.expect("a transaction"),
        }
        times.push(began.elapsed());
        seen += 1;
    }
    times
}

impl Place {
    async fn updates(&self, kind: Kind, seen: i64) {
        let expected = doc! { "_id": { "client": self.number }, "n": seen };
        let next = doc! { "$inc": { "n": 1_i64 } };
        if kind == Kind::Update {
            let changed = self.first.update_one(expected, next).await;
            assert_eq!(changed.expect("an update").modified_count, 1);
        } else {
            let changed = self.first.find_one_and_update(expected, next).await;
            assert!(changed.expect("an update").is_some());
        }
    }

    async fn inserts_two(&self, number: i64) -> mongodb::error::Result<()> {
        let id = doc! { "_id": { "client": self.number, "number": number } };
        let mut session = self.client.start_session().await?;
        session.start_transaction().await?;
        for collection in [&self.first, &self.second] {
            collection.insert_one(&id).session(&mut session).await?;
        }
        session.commit_transaction().await
    }
}
