//! What the machine can do at the most: the yardsticks.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, WriteConcern};

use crate::client::{Connection, Load, drive};

/// Hashes a second, one after another on one thread.
pub fn bcrypt_hashes(cost: u32) -> f64 {
    const COUNT: u32 = 8;
    let began = Instant::now();
    for _ in 0..COUNT {
        bcrypt::hash("a long quiet river", cost).expect("a hash");
    }
    f64::from(COUNT) / began.elapsed().as_secs_f64()
}

/// A handler that answers a constant.
pub fn bare_actix(clients: usize, time: Duration) -> Load {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = || App::new().route("/", web::get().to(constant));
            HttpServer::new(app)
                .workers(2)
                .listen(listener)
                .expect("listening")
                .run()
                .await
        })
    });
    std::thread::sleep(Duration::from_millis(200));
    get(address, clients, time, "/", "")
}

async fn constant() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(r#"{"id":"ausr_0"}"#)
}

/// The rate of one GET with these header lines.
pub fn get(address: SocketAddr, clients: usize, time: Duration, path: &str, lines: &str) -> Load {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{lines}\r\n");
    drive(clients, time, |_| {
        let mut connection = Connection::open(address).expect("a connection");
        let request = request.clone();
        move || {
            connection
                .ask(request.as_bytes())
                .is_ok_and(|(status, _)| status == 200)
        }
    })
}

/// Compare-and-set updates a second by one connection, each durable when it returns.
pub fn sqlite_updates(time: Duration) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = rusqlite::Connection::open(folder.path().join("limit.db")).expect("a file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER) STRICT; INSERT INTO t VALUES ('a', 0);",
        )
        .expect("a table");
    let (began, mut number) = (Instant::now(), 0_i64);
    while began.elapsed() < time {
        let changed = connection
            .prepare_cached("UPDATE t SET n = n + 1 WHERE id = 'a' AND n = ?")
            .and_then(|mut statement| statement.execute([number]));
        assert_eq!(changed, Ok(1));
        number += 1;
    }
    number as f64 / began.elapsed().as_secs_f64()
}

/// Compare-and-set updates a second by concurrent clients, majority and journaled.
pub fn mongo_updates(uri: &str, clients: usize, time: Duration) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut options = ClientOptions::parse(uri).await.expect("a URI");
        let mut durable = WriteConcern::majority();
        durable.journal = Some(true);
        options.write_concern = Some(durable);
        options.max_pool_size = Some(64);
        let client = mongodb::Client::with_options(options).expect("a client");
        let database = client.database(&format!("authsome_limit_{}", std::process::id()));
        let collection = database.collection::<Document>("limit");
        let began = Instant::now();
        let racers: Vec<_> = (0..clients)
            .map(|racer| {
                let collection = collection.clone();
                tokio::spawn(async move {
                    let id = i64::try_from(racer).expect("a small number");
                    collection
                        .insert_one(doc! { "_id": id, "n": 0_i64 })
                        .await
                        .expect("an insert");
                    let mut number = 0_i64;
                    while began.elapsed() < time {
                        let (seen, next) = (
                            doc! { "_id": id, "n": number },
                            doc! { "$inc": { "n": 1_i64 } },
                        );
                        let changed = collection.find_one_and_update(seen, next).await;
                        assert!(changed.expect("an update").is_some());
                        number += 1;
                    }
                    number
                })
            })
            .collect();
        let mut updates = 0;
        for racer in racers {
            updates += racer.await.expect("a racer");
        }
        let rate = updates as f64 / began.elapsed().as_secs_f64();
        database.drop().await.expect("a clean end");
        rate
    })
}
