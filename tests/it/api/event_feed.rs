//! `GET /v1/events`: what webhooks are sent, to be asked for, and nothing is missed.

use std::collections::BTreeSet;
use std::time::Duration;

use authsome::events::{self, Event, Name, Origin, Party};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::time::Timestamp;
use authsome::store::Stored;
use serde_json::Value;

use crate::support::app::{Door, Guarded, TestApp};
use crate::support::client::Asks;
use crate::support::orgs::text;
use crate::support::persona::PASSWORD;
use crate::support::stores::on_both_stores;
use crate::support::webhooks::Hooked;

impl TestApp {
    async fn feed(&self, query: &str) -> Value {
        self.key()
            .get(&format!("/v1/events{query}"))
            .await
            .told(200)
    }

    /// Something happens at a time of which a unit of work knew that commits now.
    async fn happens_at(&self, door: &Door, at: Timestamp) -> String {
        let made = (at, &Entropy::system());
        let nobody = Origin::default();
        let event = Event::new(
            Name::UserUpdated,
            door.tenant(),
            Party::system(),
            &nobody,
            made,
        );
        let written: Stored<()> = self
            .store()
            .write(async |tx| events::record(&mut tx.within(door.tenant()), &event).await)
            .await;
        written.expect("the store answers");
        event.id.to_string()
    }
}

fn ids(page: &Value) -> Vec<String> {
    let all = page["events"].as_array().expect("a list").iter();
    all.map(|event| text(&event["id"])).collect()
}

fn kinds(page: &Value) -> Vec<String> {
    let all = page["events"].as_array().expect("a list").iter();
    all.map(|event| text(&event["type"])).collect()
}

on_both_stores! {
    async fn what_is_asked_for_is_what_is_sent(hooked: Hooked) {
        hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;

        hooked.something_happens(&mia.id).await;

        let sent = hooked.receiver.awaits(1).await[0].message();
        let page = hooked.app.feed("?types=user.banned").await;
        assert_eq!(page["events"].as_array(), Some(&vec![sent]));
        assert_eq!(page["has_more"], false);
    }

    async fn pages_lead_on_and_at_the_end_to_what_comes(app: TestApp) {
        let door = &app.own.development;
        let mut made = Vec::new();
        for second in 0..5 {
            app.clock.advance(Duration::from_secs(second));
            made.push(app.happens_at(door, app.clock.now()).await);
        }

        let first = app.feed("?types=user.updated&limit=2").await;
        let next = text(&first["next"]);
        let second = app.feed(&format!("?types=user.updated&limit=2&after={next}")).await;
        let next = text(&second["next"]);
        let third = app.feed(&format!("?types=user.updated&limit=2&after={next}")).await;

        assert_eq!([ids(&first), ids(&second), ids(&third)].concat(), made);
        let more = [&first, &second, &third].map(|it| it["has_more"] == true);
        assert_eq!(more, [true, true, false]);
        app.clock.advance(Duration::from_mins(10));
        let last = app.happens_at(door, app.clock.now()).await;
        let next = text(&third["next"]);
        let fourth = app.feed(&format!("?types=user.updated&after={next}")).await;
        assert_eq!(ids(&fourth).last(), Some(&last));
    }

    /// A unit of work that took its time commits behind events that were told already.
    async fn what_is_committed_late_is_told_to_whoever_comes_back(app: TestApp) {
        let door = &app.own.development;
        app.clock.advance(Duration::from_hours(1));
        let early = app.clock.now();
        app.clock.advance(Duration::from_secs(30));
        let seen = app.happens_at(door, app.clock.now()).await;
        let page = app.feed("?types=user.updated").await;
        assert_eq!(ids(&page), std::slice::from_ref(&seen));

        let late = app.happens_at(door, early).await;

        let next = text(&page["next"]);
        let again = app.feed(&format!("?types=user.updated&after={next}")).await;
        assert_eq!(ids(&again), [late, seen.clone()]);
        app.clock.advance(Duration::from_mins(5));
        let page = app.feed(&format!("?types=user.updated&after={}", text(&again["next"]))).await;
        let page = app.feed(&format!("?types=user.updated&after={}", text(&page["next"]))).await;
        assert_eq!(ids(&page), Vec::<String>::new());
    }

    async fn events_are_filtered_by_their_types(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.org("acme", &mia).await;

        let page = app.feed("?types=organization.*,user.signed_up").await;

        let mut kinds = kinds(&page);
        kinds.sort();
        assert_eq!(kinds, ["organization.created", "user.signed_up"]);
        for bad in ["", "user.exploded", "user", "user.*,,member.*", "a,".repeat(60).as_str()] {
            let asked = app.key().get(&format!("/v1/events?types={bad}")).await;
            asked.refuses(400, "invalid_query");
        }
    }

    /// WH-08: whatever a user does and is done to him, nothing that is told says who he is.
    async fn of_a_rich_life_identifiers_alone_are_told(app: Guarded) {
        let app = app.0;
        let mia = app.person_of_a_rich_life().await;
        let (mut told, mut kinds, mut next) = (String::new(), BTreeSet::new(), String::new());
        loop {
            let page = app.feed(&format!("?limit=100{next}")).await;
            kinds.extend(page["events"].as_array().expect("a list").iter().map(|it| text(&it["type"])));
            told += &page["events"].to_string();
            if page["has_more"] == false {
                break;
            }
            next = format!("&after={}", text(&page["next"]));
        }

        assert!(kinds.len() > 15 && told.contains(&mia.id), "{kinds:?}");
        for secret in [
            "example.org", "4917012345", "Mia", "Kästner", "lute", "Firefox", "127.0.0.1", "spam",
            "Ticket", PASSWORD, "$2b$", "whsec_", "sk_test_", "eyJ",
        ] {
            assert!(!told.contains(secret), "{secret}");
        }
    }

    async fn the_feed_is_of_one_environment_and_for_those_who_look_after_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let elsewhere = app.machine(&app.own.production);

        let theirs = elsewhere.get("/v1/events").await.told(200);

        assert!(!kinds(&theirs).contains(&"user.signed_up".to_owned()), "{theirs}");
        assert!(kinds(&app.feed("").await).contains(&"user.signed_up".to_owned()));
        mia.get("/v1/events").await.refuses(403, "forbidden");
        let next = text(&theirs["next"]);
        let asked = app.key().get(&format!("/v1/events?after={next}")).await;
        asked.refuses(400, "bad_cursor");
        let operator = app.operator().await;
        let path = format!("/v1/events{}", app.own.development.query());
        assert!(kinds(&operator.get(&path).await.told(200)).contains(&"user.signed_up".to_owned()));
    }
}
