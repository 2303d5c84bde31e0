//! Unique indexes, and how a refusal is told.

use authsome::store::{Filter, StoreError, by_id};

use super::{CODE_TAKEN, EMAIL, EMAIL_TAKEN, Guest, ONE_OPEN_PER_HOLDER, STATE, Theatre, Ticket};
use crate::support::stores::on_both_stores;

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads as a sentence where it is called"
)]
fn refused_by<T>(result: Result<T, StoreError>) -> Option<&'static str> {
    match result {
        Err(StoreError::Duplicate(index)) => Some(index),
        Ok(_) | Err(_) => None,
    }
}

on_both_stores! {
    async fn hundreds_of_documents_may_lack_an_optional_unique_field(theatre: Theatre) {
        let guests: Vec<Guest> = (0..200)
            .map(|number| Guest::of(theatre.rose.app_id, format!("guest {number}")))
            .collect();

        theatre.with_guests(&guests).await;

        let mut once = theatre.store.once();
        assert_eq!(
            once.within(theatre.rose)
                .count::<Guest>(Filter::all())
                .await
                .unwrap(),
            200
        );
    }

    async fn a_refusal_names_the_declared_index(theatre: Theatre) {
        let mia = Guest {
            email: Some("mia@example.org".into()),
            ..Guest::of(theatre.rose.app_id, "mia")
        };
        let ticket = Ticket::of(theatre.rose, "t");
        let insert = async |guest: &Guest| {
            theatre
                .store
                .once()
                .within(guest.app_id)
                .insert(guest)
                .await
        };
        let issue = async |ticket: Ticket| {
            theatre
                .store
                .once()
                .within(theatre.rose)
                .insert(&ticket)
                .await
        };
        insert(&mia).await.unwrap();
        issue(ticket.clone()).await.unwrap();

        let same_id = insert(&Guest {
            email: None,
            ..mia.clone()
        })
        .await;
        let same_email = insert(&Guest {
            id: "ben".into(),
            ..mia.clone()
        })
        .await;
        let other_case = insert(&Guest {
            id: "M".into(),
            email: Some("Mia@example.org".into()),
            ..mia.clone()
        })
        .await;
        let other_app = insert(&Guest {
            id: "ben".into(),
            app_id: theatre.globe.app_id,
            ..mia.clone()
        })
        .await;
        let same_code = issue(Ticket {
            code: ticket.code.clone(),
            ..Ticket::of(theatre.rose, "u")
        })
        .await;
        let same_holder = issue(Ticket {
            holder: ticket.holder.clone(),
            ..Ticket::of(theatre.rose, "u")
        })
        .await;

        assert_eq!(refused_by(same_id), Some("_id"));
        assert_eq!(refused_by(same_email), Some(EMAIL_TAKEN));
        other_case.unwrap();
        other_app.unwrap();
        assert_eq!(refused_by(same_code), Some(CODE_TAKEN));
        assert_eq!(refused_by(same_holder), Some(ONE_OPEN_PER_HOLDER));
    }

    async fn what_breaks_several_rules_is_refused_by_the_first_declared(theatre: Theatre) {
        let ticket = Ticket::of(theatre.rose, "t");
        let both = Ticket {
            id: "u".into(),
            ..ticket.clone()
        };
        let mut once = theatre.store.once();
        once.within(theatre.rose).insert(&ticket).await.unwrap();

        let refused = once.within(theatre.rose).insert(&both).await;

        assert_eq!(refused_by(refused), Some(CODE_TAKEN));
    }

    async fn a_change_is_refused_as_an_insert_is(theatre: Theatre) {
        let guest = |id: &str| Guest {
            email: Some(format!("{id}@example.org")),
            ..Guest::of(theatre.rose.app_id, id)
        };
        theatre.with_guests(&[guest("mia"), guest("ben")]).await;
        let mias = || EMAIL.set("mia@example.org".into());
        let changed = async |filter| {
            theatre
                .store
                .once()
                .within(theatre.rose)
                .update_one(filter, mias())
                .await
        };
        let both_changed = theatre
            .store
            .once()
            .within(theatre.rose)
            .update_many(Filter::all(), mias())
            .await;
        let in_a_unit = theatre
            .store
            .write(async |tx| {
                tx.within(theatre.rose)
                    .update_one(by_id("ben"), mias())
                    .await
            })
            .await;

        assert_eq!(refused_by(changed(by_id("ben")).await), Some(EMAIL_TAKEN));
        assert_eq!(refused_by(both_changed), Some(EMAIL_TAKEN));
        assert_eq!(refused_by(in_a_unit), Some(EMAIL_TAKEN));
        assert!(changed(by_id("mia")).await.unwrap().is_some());
    }

    async fn a_condition_frees_what_no_longer_meets_it(theatre: Theatre) {
        let first = Ticket::of(theatre.rose, "first");
        let second = Ticket {
            holder: first.holder.clone(),
            ..Ticket::of(theatre.rose, "second")
        };
        let elsewhere = Ticket {
            env_id: theatre.globe.env_id,
            code: "else".into(),
            id: "else".into(),
            ..first.clone()
        };
        let mut once = theatre.store.once();
        once.within(theatre.rose).insert(&first).await.unwrap();
        once.within(theatre.rose.app_id)
            .insert(&elsewhere)
            .await
            .unwrap();

        assert_eq!(
            refused_by(once.within(theatre.rose).insert(&second).await),
            Some(ONE_OPEN_PER_HOLDER)
        );
        let used = once
            .within(theatre.rose)
            .update_one(by_id("first"), STATE.set("used".into()))
            .await;
        assert!(used.unwrap().is_some());
        once.within(theatre.rose).insert(&second).await.unwrap();
        let reopened = once
            .within(theatre.rose)
            .update_one(by_id("first"), STATE.set("open".into()))
            .await;

        assert_eq!(refused_by(reopened), Some(ONE_OPEN_PER_HOLDER));
    }

    async fn a_value_can_be_taken_again_once_its_document_is_gone(theatre: Theatre) {
        let mia = Guest {
            email: Some("mia@example.org".into()),
            ..Guest::of(theatre.rose.app_id, "mia")
        };
        theatre.with_guests(std::slice::from_ref(&mia)).await;

        let replaced = theatre.store.write(async |tx| {
            let mut guests = tx.within(theatre.rose);
            guests.take_one(EMAIL.eq("mia@example.org".into())).await?;
            guests
                .insert(&Guest {
                    id: "new".into(),
                    ..mia.clone()
                })
                .await
        });

        replaced.await.unwrap();
    }
}
