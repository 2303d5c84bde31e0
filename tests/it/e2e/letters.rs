//! Letters across the ends of processes: whatever happens to one, the next sends what it owed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use authsome::kernel::entropy::Entropy;
use authsome::kernel::secret::KeyRing;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::time::Clock;
use authsome::notifications::{Message, Notification, Outbox, Status};
use authsome::store::{Filter, Location, Query, Store, StoreSettings, Stored};
use rustix::process::Signal;
use serde_json::Value;

use super::server::{Home, eventually, text};
use crate::support::mail::{letter, letters_in};
use crate::support::smtp::MailServer;
use crate::support::stores::{on_both_stores, run};

/// A look past the process into its database, and a hand that queues letters there.
struct Backstage {
    store: Store,
    outbox: Outbox,
    tenant: Tenant,
}

impl Backstage {
    async fn of(home: &Home, told: &Value) -> Self {
        let data = home.folder().join("authsome-data");
        let location = match home.setting("STORE__URL") {
            Some(url) => Location::Mongo(url.to_owned()),
            None => Location::Sqlite(data.join("authsome.db")),
        };
        let key = match home.setting("SECURITY__ENCRYPTION_KEY") {
            Some(key) => key.to_owned(),
            None => fs::read_to_string(data.join("encryption.key")).expect("a key"),
        };
        let ring = KeyRing::parse(key.trim()).expect("the key of a test is good");
        let store = Store::open(&StoreSettings::at(location)).await;
        Self {
            store: store.expect("a store that two processes can open"),
            outbox: Outbox::new(ring, Entropy::system()),
            tenant: Tenant {
                app_id: text(told, "/app_id").parse().expect("an app"),
                env_id: text(told, "/environments/0/id")
                    .parse()
                    .expect("an environment"),
            },
        }
    }

    async fn queues(&self, address: &str) {
        let queued = self.store.write(async |tx| -> Stored<()> {
            let said = letter(address, Message::PasswordChanged);
            let mut tx = tx.within(self.tenant);
            self.outbox
                .enqueue(&mut tx, said, Clock::system().now())
                .await
        });
        queued.await.expect("a letter can be queued");
    }

    async fn only(&self) -> Notification {
        let mut once = self.store.once();
        let all = once
            .within(self.tenant)
            .find(Query::of(Filter::all()))
            .await;
        let all: Vec<Notification> = all.expect("the store answers");
        assert_eq!(all.len(), 1);
        all.into_iter().next().expect("one")
    }
}

on_both_stores! {
    async fn a_letter_of_a_killed_server_is_sent_by_the_next(home: Home) {
        let port = MailServer::start(&[]).port;
        let home = home.with("MAIL__URL", format!("smtp://localhost:{port}"));
        let told = home.bootstrap(&[]);
        let backstage = Backstage::of(&home, &told).await;
        let mut first = home.serve().await;
        backstage.queues("mia@example.org").await;
        eventually("it is tried", async || first.process.log().contains("connection refused").then_some(())).await;
        first.process.signal(Signal::KILL);
        first.process.ended().await;

        let mail = MailServer::start_at(port, &[]);
        let _second = home.serve().await;

        assert_eq!(mail.awaits("mia@example.org", 1).await.len(), 1);
        eventually("it is marked", async || {
            (backstage.only().await.status == Status::Sent).then_some(())
        }).await;
    }

    /// A letter that would take too long goes back: the next server need not wait for a lease.
    async fn a_server_that_stops_gives_back_what_it_cannot_finish(home: Home) {
        let mail = MailServer::start(&[]);
        let home = home.with("MAIL__URL", mail.url("smtp", "")).with("MAIL__TIMEOUT", "15s");
        let told = home.bootstrap(&[]);
        let backstage = Backstage::of(&home, &told).await;
        let mut first = home.serve().await;
        backstage.queues("hangs-once@example.org").await;
        mail.awaits("hangs-once@example.org", 1).await;

        first.process.signal(Signal::TERM);

        assert_eq!(first.process.ended().await.code(), Some(0));
        let left = backstage.only().await;
        assert_eq!((left.status, left.lease_until), (Status::Pending, None));
        let _second = home.serve().await;
        let received = mail.awaits("hangs-once@example.org", 2).await;
        assert_eq!(received[0].letter.message_id, received[1].letter.message_id);
    }
}

#[test]
fn a_server_that_stops_finishes_the_letter_in_its_hands() {
    run(async {
        let mail = MailServer::start(&[]);
        let home = Home::embedded().with("MAIL__URL", mail.url("smtp", ""));
        let told = home.bootstrap(&[]);
        let backstage = Backstage::of(&home, &told).await;
        let mut server = home.serve().await;
        backstage.queues("slow@example.org").await;
        eventually("it is on its way", async || {
            mail.wire().contains("slow@").then_some(())
        })
        .await;

        server.process.signal(Signal::TERM);

        assert_eq!(server.process.ended().await.code(), Some(0));
        assert_eq!(mail.received_for("slow@example.org").len(), 1);
        assert_eq!(backstage.only().await.status, Status::Sent);
    });
}

/// For its owner alone: whoever reads it can use its links.
#[test]
fn without_a_mail_server_letters_are_files_beside_the_database() {
    run(async {
        let home = Home::embedded();
        let told = home.bootstrap(&[]);
        let backstage = Backstage::of(&home, &told).await;
        let server = home.serve().await;
        let folder = home.folder().join("authsome-data/mail");
        backstage.queues("mia@example.org").await;

        eventually("it is written", async || {
            (!letters_in(&folder).is_empty()).then_some(())
        })
        .await;

        assert_eq!(letters_in(&folder)[0].to, ["mia@example.org"]);
        let mode = |path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777
        };
        let file = fs::read_dir(&folder)
            .expect("a folder")
            .next()
            .expect("a file");
        assert_eq!(
            (mode(folder), mode(file.expect("a file").path())),
            (0o700, 0o600)
        );
        let log = server.process.log();
        assert!(
            log.contains("letters go to /") && log.contains("/authsome-data/mail"),
            "{log}"
        );
        tokio::time::timeout(Duration::from_secs(20), async {
            while !server.process.log().contains("letter sent") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("the log tells");
        assert!(
            !server.process.log().contains("mia@"),
            "{}",
            server.process.log()
        );
    });
}
