//! Backups: everything comes along, whichever store it goes to; what is damaged, or needs other secrets,
//! is refused before anything is written; what was killed goes on.

use std::io::{BufRead, BufReader, Read};

use authsome::backups::{BackupError, Section};
use authsome::store::{Entity, Index, Nobody, Schema};
use authsome::users::User;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::app::{Guarded, NEW_YEAR, TestApp};
use crate::support::client::Asks;
use crate::support::house::House;
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::{Backend, on_both_stores};

/// A server with somebody of a rich life, a founder of an organisation, and a backup of it all.
struct Moving {
    app: TestApp,
    mia: Person,
    sections: Vec<Section>,
    archive: Vec<u8>,
}

impl Moving {
    async fn on(backend: Backend) -> Self {
        let app = Guarded::on(backend).await.0;
        let mia = app.person_of_a_rich_life().await;
        app.falls_silent().await;
        let backups = House::of(&app).as_it_is().await;
        let (taken, archive) = backups
            .take(Vec::new(), NEW_YEAR, &mut |_| ())
            .await
            .unwrap();
        Self {
            app,
            mia,
            sections: taken.sections,
            archive,
        }
    }

    fn house(&self, backend: Backend) -> House {
        House::like(&self.app, backend)
    }

    /// Why the archive, with a change, is not taken in; it has to be before anything is written.
    async fn refused(&self, house: House, archive: &[u8]) -> String {
        let refused = house.takes_in(archive).await.unwrap_err().to_string();
        let backups = house.up_to_date().await.unwrap();
        let there = backups.take(Vec::new(), NEW_YEAR, &mut |_| ()).await;
        assert_eq!(there.unwrap().0.sum.documents, 0, "{refused}");
        refused
    }
}

fn counts(sections: &[Section]) -> Vec<(&str, u64, &str)> {
    let all = sections.iter();
    all.map(|it| (&*it.collection, it.documents, &*it.sha256))
        .collect()
}

/// Of a server that is yet to come, or of somebody else in the same database.
#[derive(Clone, Serialize, Deserialize)]
struct Novelty<const OURS: bool> {
    #[serde(rename = "_id")]
    id: String,
}

impl<const OURS: bool> Entity for Novelty<OURS> {
    type Owner = Nobody;
    const COLLECTION: &'static str = if OURS {
        "authsome_novelties"
    } else {
        "novelties"
    };
    const INDEXES: &'static [Index] = &[];
}

/// Gives so many bytes, and then fails, as a process that is killed does.
struct Killed<'a> {
    archive: &'a [u8],
    left: usize,
}

impl Read for Killed<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let most = out.len().min(self.left).min(1000);
        if most == 0 && !self.archive.is_empty() {
            return Err(std::io::Error::other("killed"));
        }
        let read = self.archive.read(&mut out[..most])?;
        self.left -= read;
        Ok(read)
    }
}

on_both_stores! {
    /// The same checksums there as here, in every collection; and then a server, to whom everybody
    /// is who he was.
    async fn everything_moves_to_either_store(moving: Moving) {
        for backend in [Backend::Sqlite, Backend::Mongo] {
            let house = moving.house(backend);

            assert_eq!(house.takes_in(&moving.archive).await.unwrap(), 0);

            let (taken, _) = house.taken().await.unwrap();
            assert_eq!(counts(&taken.sections), counts(&moving.sections));
            let node = house.serves().await;
            let client = node.client();
            let presented = json!({"refresh_token": moving.mia.refresh_token()});
            let tokens = client.post("/v1/refresh").json(presented).await.told(200);
            let access = tokens["access_token"].as_str().unwrap();
            let me = client.get("/v1/me").bearer(access).await.told(200);
            assert_eq!(me["username"], "mia.k");
            let founder = json!({"email": "founder@example.org", "password": PASSWORD});
            let door = &moving.app.own.development;
            client.post("/v1/signin").at(door).json(founder).await.told(200);
            let key = &door.secret_key;
            let users = client.get("/v1/admin/users?include=total").api_key(key).await.told(200);
            let here = moving.app.get("/v1/admin/users?include=total").api_key(key).await.told(200);
            assert_eq!(users["total"], here["total"]);
        }
    }

    async fn every_collection_is_in_it_and_every_rich_one_has_documents(moving: Moving) {
        let names: Vec<_> = moving.sections.iter().map(|it| &*it.collection).collect();
        let declared = authsome::app::SCHEMAS.iter().map(authsome::store::Schema::collection);
        let declared: Vec<_> = declared.filter(|it| *it != "authsome_restores").collect();

        assert_eq!(names, declared);
        let users = moving.sections.iter().find(|it| it.collection == User::COLLECTION).unwrap();
        assert!(users.documents >= 3, "{users:?}");
        assert!(moving.sections.iter().all(|it| it.unopened == 0));
        assert!(moving.sections.iter().filter(|it| it.documents > 0).count() > 20);
    }

    async fn what_is_damaged_or_cut_off_is_refused_before_anything_is_written(moving: Moving) {
        let whole = &moving.archive;
        let backend = Backend::Sqlite;
        for length in [0, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            moving.refused(moving.house(backend), &whole[..length]).await;
        }
        for at in [whole.len() / 5, whole.len() / 2, whole.len() - 40] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            moving.refused(moving.house(backend), &damaged).await;
        }
    }

    async fn other_secrets_than_the_backups_are_refused_before_anything_is_written(moving: Moving) {
        let other = "another secret, of a laptop that has gone, with many letters";
        let key = "YW5vdGhlciBlbmNyeXB0aW9uIGtleSBvZiBhIHRlc3Q=";
        for (name, value, said) in [
            ("SECURITY__ENCRYPTION_KEY", key, "AUTHSOME_SECURITY__ENCRYPTION_KEY"),
            ("SECURITY__PEPPER", other, "AUTHSOME_SECURITY__PEPPER"),
            ("SECURITY__REFRESH_SECRET", other, "--end-sessions"),
        ] {
            let house = moving.house(Backend::Sqlite).with(name, value);
            let refused = moving.refused(house, &moving.archive).await;
            assert!(refused.contains(said), "{refused}");
        }
    }

    /// The step that is documented for a backup of before somebody was signed out.
    async fn with_another_refresh_secret_every_session_ends(moving: Moving) {
        let other = "another secret, of a laptop that has gone, with many letters";
        let house = moving.house(Backend::Sqlite).with("SECURITY__REFRESH_SECRET", other);
        let archive = &*moving.archive;

        let judged = house.judge().judge(archive, true, &mut |_| ()).unwrap();
        let backups = house.up_to_date().await.unwrap();
        backups.restore(archive, &judged, NEW_YEAR, &mut |_| ()).await.unwrap();

        let node = house.serves().await;
        let token = json!({"refresh_token": moving.mia.refresh_token()});
        assert_eq!(node.client().post("/v1/refresh").json(token).await.status, 401);
        let founder = json!({"email": "founder@example.org", "password": PASSWORD});
        let entry = node.client().post("/v1/signin").at(&moving.app.own.development);
        entry.json(founder).await.told(200);
    }

    async fn a_backup_is_of_the_servers_secrets_or_of_none(moving: Moving) {
        let house = moving.house(Backend::Sqlite);
        house.takes_in(&moving.archive).await.unwrap();
        let node = house.serves().await;
        node.foundation().notice_other_secrets().await.unwrap();
        drop(node);

        let house = house.with("SECURITY__PEPPER", "another pepper than the one of the servers there");

        let refused = house.taken().await.unwrap_err();
        assert!(matches!(refused, BackupError::OtherSecret("pepper")), "{refused}");
        let house = moving.house(Backend::Sqlite);
        house.takes_in(&moving.archive).await.unwrap();
        let house = house.with("SECURITY__ENCRYPTION_KEY", "YW5vdGhlciBlbmNyeXB0aW9uIGtleSBvZiBhIHRlc3Q=");
        let refused = house.taken().await.unwrap_err();
        assert!(matches!(refused, BackupError::OtherSecret("encryption key")), "{refused}");
    }

    /// An older server at a store that a newer one has been at, whose schema is of the same version.
    async fn a_backup_that_would_lack_a_collection_is_not_taken(moving: Moving) {
        let here = House::of(&moving.app);
        let store = here.as_it_is().await.store;
        store.migrate(&[Schema::of::<Novelty<false>>()], NEW_YEAR).await.unwrap();
        here.taken().await.unwrap();

        store.migrate(&[Schema::of::<Novelty<true>>()], NEW_YEAR).await.unwrap();

        let refused = here.taken().await.unwrap_err();
        assert!(matches!(&refused, BackupError::Lacking(name) if name == "authsome_novelties"), "{refused}");
    }

    async fn a_store_that_is_used_is_left_as_it_is(moving: Moving) {
        for backend in [Backend::Sqlite, Backend::Mongo] {
            let house = moving.house(backend);
            drop(house.serves().await);

            let refused = house.takes_in(&moving.archive).await.unwrap_err();

            assert!(matches!(refused, BackupError::NotEmpty(_)), "{refused}");
        }
    }

    async fn what_was_killed_goes_on_and_brings_nothing_twice(moving: Moving) {
        for backend in [Backend::Sqlite, Backend::Mongo] {
            let house = moving.house(backend);
            let judged = house.judge().judge(&*moving.archive, false, &mut |_| ()).unwrap();
            let backups = house.up_to_date().await.unwrap();
            for part in 1..=12 {
                let killed = Killed { archive: &moving.archive, left: moving.archive.len() * part / 13 };
                let reader = BufReader::with_capacity(512, killed);

                let broken = backups.restore(reader, &judged, NEW_YEAR, &mut |_| ()).await;

                assert!(matches!(broken, Err(BackupError::Archive(_))), "{broken:?}");
                let start = house.refuses_to_serve().await.to_string();
                assert!(start.contains("authsome restore"), "{start}");
                let backup = house.taken().await.unwrap_err();
                assert!(matches!(backup, BackupError::NotWhole), "{backup}");
            }
            let known = house.takes_in(&moving.archive).await.unwrap();
            let (taken, _) = house.taken().await.unwrap();
            assert!(0 < known && known < taken.sum.documents, "it begins where it was left: {known}");
            assert_eq!(counts(&taken.sections), counts(&moving.sections));
            drop(house.serves().await);
        }
    }

    async fn another_backup_waits_until_the_first_is_done(moving: Moving) {
        let house = moving.house(Backend::Sqlite);
        let judged = house.judge().judge(&*moving.archive, false, &mut |_| ()).unwrap();
        let backups = house.up_to_date().await.unwrap();
        let killed = Killed { archive: &moving.archive, left: moving.archive.len() / 2 };
        let broken = backups.restore(BufReader::new(killed), &judged, NEW_YEAR, &mut |_| ()).await;
        assert!(broken.is_err());
        moving.app.person("later@example.org").await;
        let (_, later) = House::of(&moving.app).taken().await.unwrap();

        let refused = house.takes_in(&later).await.unwrap_err();

        assert!(matches!(refused, BackupError::AnotherBackup), "{refused}");
        house.takes_in(&moving.archive).await.unwrap();
    }

    /// RACE: of several restores at once into one store, whoever goes on goes on alone.
    async fn of_several_restores_at_once_none_brings_anything_twice(moving: Moving) {
        for backend in [Backend::Sqlite, Backend::Mongo] {
            let house = moving.house(backend);
            let backups = house.up_to_date().await.unwrap();
            let judged = house.judge().judge(&*moving.archive, false, &mut |_| ()).unwrap();
            let one = || async {
                let archive = &*moving.archive;
                backups.restore(archive, &judged, NEW_YEAR, &mut |_| ()).await.is_ok()
            };

            let done = futures_util::future::join_all((0..20).map(|_| one())).await;

            if !done.contains(&true) {
                house.takes_in(&moving.archive).await.unwrap();
            }
            let (taken, _) = house.taken().await.unwrap();
            assert_eq!(counts(&taken.sections), counts(&moving.sections));
        }
    }

    async fn what_a_newer_server_took_is_refused(moving: Moving) {
        let text = String::from_utf8(moving.archive.clone()).unwrap();
        let newer = text.replacen("\"schema\":1", "\"schema\":2", 1);
        let format = text.replacen("\"version\":1", "\"version\":2", 1);

        let refused = moving.refused(moving.house(Backend::Sqlite), newer.as_bytes()).await;
        assert!(refused.contains("newer version") && refused.contains('2'), "{refused}");
        let refused = moving.refused(moving.house(Backend::Sqlite), format.as_bytes()).await;
        assert!(refused.contains("newer version"), "{refused}");
    }

    /// Nothing that a dump of the database may not hold is in a backup of it.
    async fn no_secret_is_in_it(moving: Moving) {
        let holds = |text: &str| BufReader::new(&*moving.archive).lines().any(|line| line.unwrap().contains(text));

        assert!(holds("mia@example.org"));
        for secret in [PASSWORD, &moving.mia.refresh_token(), &moving.app.own.development.secret_key] {
            assert!(!holds(secret));
        }
        for (name, secret) in House::of(&moving.app).given() {
            assert!(!holds(&secret), "{name}");
        }
    }
}
