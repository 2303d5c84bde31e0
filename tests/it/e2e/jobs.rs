//! What processes do by themselves: who does it, and who goes on when he is gone.

use std::process::Stdio;
use std::time::{Duration, Instant};

use authsome::store::{Location, Store, StoreSettings};
use bson::{Document, doc};
use rustix::process::Signal;

use super::server::{Home, eventually, text};
use crate::support::client::Asks;
use crate::support::stores::{Backend, on_both_stores, run};

/// A home whose servers issue under one address, wherever they listen.
struct House(Home);

impl House {
    async fn on(backend: Backend) -> Self {
        let home = Home::on(backend).await;
        Self(home.with("SERVER__PUBLIC_URL", "http://localhost"))
    }

    fn location(&self) -> Location {
        match self.0.setting("STORE__URL") {
            Some(url) => Location::Mongo(url.to_owned()),
            None => Location::Sqlite(self.0.folder().join("authsome-data/authsome.db")),
        }
    }

    /// Who holds a job, past the port.
    async fn holder(&self, job: &str) -> Option<String> {
        match self.location() {
            Location::Mongo(url) => {
                let client = mongodb::Client::with_uri_str(url).await.unwrap();
                let leases = client.default_database().unwrap();
                let leases = leases.collection::<Document>("authsome_leases");
                let lease = leases.find_one(doc! { "_id": job }).await.unwrap();
                lease.map(|lease| lease.get_str("owner").unwrap().to_owned())
            }
            Location::Sqlite(path) => {
                let file = rusqlite::Connection::open(path).unwrap();
                let sql = "SELECT doc ->> '$.owner' FROM authsome_leases WHERE id = ?";
                file.query_row(sql, [job], |row| row.get(0)).ok()
            }
            Location::Memory => None,
        }
    }

    async fn held(&self, job: &str) -> String {
        eventually("somebody has the job", async || self.holder(job).await).await
    }
}

on_both_stores! {
    async fn a_server_that_stops_hands_its_jobs_back(house: House) {
        house.0.bootstrap(&[]);
        let mut server = house.0.serve().await;
        for job in ["sweeper", "event_retention"] {
            house.held(job).await;
        }

        server.process.signal(Signal::TERM);

        assert_eq!(server.process.ended().await.code(), Some(0));
        for job in ["sweeper", "event_retention"] {
            assert_eq!(house.holder(job).await, None, "{job}");
        }
    }

    /// Wherever the processes that bring a database up to date are killed: nothing is locked, and
    /// whoever comes next finishes it.
    async fn a_migration_that_is_killed_anywhere_is_made_again(house: House) {
        for millis in [2, 5, 10, 15, 20, 30, 40, 60, 90, 130] {
            let mut migrate = house.0.command(&["migrate"]);
            let migrate = migrate.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut migrate = migrate.unwrap();
            tokio::time::sleep(Duration::from_millis(millis)).await;
            migrate.kill().unwrap();
            migrate.wait().unwrap();
        }
        let began = Instant::now();

        let ran = house.0.run(&["migrate"]);

        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(began.elapsed() < Duration::from_mins(1));
        let told = house.0.bootstrap(&[]);
        let server = house.0.serve().await;
        server.sign_up(&text(&told, "/publishable_key"), "mia@example.org").await;
        server.get("/readyz").await.told(200);
        Store::open(&StoreSettings::at(house.location())).await.unwrap().ping().await.unwrap();
    }
}

/// By the clocks of the machine: a lease of 30 seconds, and a beat of 10.
#[test]
fn the_jobs_of_a_server_that_was_killed_are_done_by_another_within_a_minute() {
    run(async {
        let house = House::on(Backend::Mongo).await;
        house.0.bootstrap(&[]);
        let mut first = house.0.serve().await;
        let killed = house.held("sweeper").await;
        house.0.move_on();
        let _second = house.0.serve().await;
        first.process.signal(Signal::KILL);
        first.process.ended().await;
        let began = Instant::now();

        let next = eventually("another one has the job", async || {
            house.holder("sweeper").await.filter(|it| *it != killed)
        });

        assert_ne!(next.await, killed);
        assert!(began.elapsed() < Duration::from_mins(1));
    });
}
