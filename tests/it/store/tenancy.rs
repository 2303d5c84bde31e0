//! Tenancy: a scoped transaction reaches what its tenant owns and nothing else.

use authsome::kernel::page::Limit;
use authsome::kernel::tenant::Tenant;
use authsome::store::{Filter, Query, StoreError, by_id};

use super::{CREATED_AT, Guest, HOLDER, STATE, Theatre, Ticket, VIP};
use crate::support::stores::on_both_stores;

/// Three tenants with a ticket each and two apps with a guest each, alike but for their owners.
/// Answers the second environment of the rose's app.
async fn crowded(theatre: &Theatre) -> Tenant {
    let second_stage = Tenant {
        env_id: theatre.globe.env_id,
        ..theatre.rose
    };
    for (number, tenant) in [theatre.rose, second_stage, theatre.globe]
        .into_iter()
        .enumerate()
    {
        let ticket = Ticket::of(tenant, &format!("t{number}"));
        let mut once = theatre.store.once();
        once.within(tenant).insert(&ticket).await.unwrap();
    }
    theatre
        .with_guests(&[
            Guest::of(theatre.rose.app_id, "g0"),
            Guest::of(theatre.globe.app_id, "g2"),
        ])
        .await;
    second_stage
}

on_both_stores! {
    async fn a_tenant_never_sees_what_another_owns(theatre: Theatre) {
        let second_stage = crowded(&theatre).await;
        let mut once = theatre.store.once();

        for (tenant, own, foreign) in [
            (theatre.rose, "t0", ["t1", "t2"]),
            (second_stage, "t1", ["t0", "t2"]),
            (theatre.globe, "t2", ["t0", "t1"]),
        ] {
            let mut tickets = once.within(tenant);
            let any = || STATE.eq("open".into()) | HOLDER.ne("nobody".into()) | Filter::all();
            let seen: Vec<Ticket> = tickets.find(Query::of(any())).await.unwrap();
            assert_eq!(
                seen.iter().map(|ticket| &*ticket.id).collect::<Vec<_>>(),
                [own]
            );
            assert_eq!(tickets.count(any()).await.unwrap(), 1);
            assert_eq!(
                tickets
                    .find_one(any())
                    .await
                    .unwrap()
                    .map(|ticket| ticket.id)
                    .as_deref(),
                Some(own)
            );
            for id in foreign {
                assert_eq!(tickets.get::<Ticket>(id).await.unwrap(), None);
                assert_eq!(
                    tickets
                        .count(by_id::<Ticket>(id) | by_id(id))
                        .await
                        .unwrap(),
                    0
                );
            }
        }
        let page = once
            .within(theatre.globe)
            .page(VIP.eq(false), CREATED_AT, None, Limit::MAX)
            .await;
        let seen: Vec<String> = page
            .unwrap()
            .items
            .into_iter()
            .map(|guest: Guest| guest.id)
            .collect();
        assert_eq!(seen, ["g2"]);
    }

    async fn a_tenant_never_changes_what_another_owns(theatre: Theatre) {
        let second_stage = crowded(&theatre).await;
        let used = || STATE.set("used".into());
        let mut once = theatre.store.once();
        let mut tickets = once.within(theatre.rose);

        assert_eq!(tickets.update_one(by_id("t1"), used()).await.unwrap(), None);
        assert!(!tickets.change_one(by_id("t1"), used()).await.unwrap());
        assert_eq!(
            tickets
                .update_many(by_id("t1") | by_id("t2"), used())
                .await
                .unwrap(),
            0
        );
        assert_eq!(tickets.take_one::<Ticket>(by_id("t2")).await.unwrap(), None);
        assert_eq!(
            tickets
                .delete_many::<Ticket>(by_id("t1") | by_id("t2"))
                .await
                .unwrap(),
            0
        );
        assert_eq!(tickets.update_many(Filter::all(), used()).await.unwrap(), 1);
        assert_eq!(
            tickets.delete_many::<Ticket>(Filter::all()).await.unwrap(),
            1
        );

        for (tenant, id) in [(second_stage, "t1"), (theatre.globe, "t2")] {
            let kept: Ticket = once.within(tenant).get(id).await.unwrap().unwrap();
            assert_eq!(kept, Ticket::of(tenant, id));
        }
    }

    async fn an_app_reaches_all_its_environments_and_no_others(theatre: Theatre) {
        crowded(&theatre).await;
        let mut once = theatre.store.once();
        let mut tickets = once.within(theatre.rose.app_id);

        assert_eq!(tickets.count::<Ticket>(Filter::all()).await.unwrap(), 2);
        assert_eq!(
            tickets
                .delete_many(HOLDER.ne("nobody".into()))
                .await
                .unwrap(),
            2
        );

        let mut everywhere = once.across_tenants("to see what is left");
        assert_eq!(everywhere.count::<Ticket>(Filter::all()).await.unwrap(), 1);
        assert_eq!(everywhere.count::<Guest>(Filter::all()).await.unwrap(), 2);
    }

    async fn a_document_of_another_owner_cannot_be_inserted(theatre: Theatre) {
        let second_stage = Tenant {
            env_id: theatre.globe.env_id,
            ..theatre.rose
        };
        let foreign = Guest::of(theatre.globe.app_id, "g");
        let mut once = theatre.store.once();

        let guest = once.within(theatre.rose).insert(&foreign).await;
        let ticket = once
            .within(theatre.rose)
            .insert(&Ticket::of(second_stage, "t"))
            .await;
        let app = once
            .within(theatre.rose.app_id)
            .insert(&Ticket::of(theatre.globe, "t"))
            .await;
        let unit = theatre.store.write(async |tx| {
            tx.within(theatre.rose)
                .insert(&Guest::of(theatre.rose.app_id, "own"))
                .await?;
            tx.within(theatre.rose).insert(&foreign).await
        });

        for refused in [guest, ticket, app, unit.await] {
            assert!(
                matches!(refused, Err(StoreError::OutsideScope(_))),
                "{refused:?}"
            );
        }
        let mut everywhere = once.across_tenants("to see that nothing was written");
        assert_eq!(everywhere.count::<Ticket>(Filter::all()).await.unwrap(), 0);
        assert_eq!(everywhere.count::<Guest>(Filter::all()).await.unwrap(), 0);
    }

    /// The scope is checked before the database is asked, and still an error like any other.
    async fn a_caught_insert_outside_the_scope_still_ends_its_unit(theatre: Theatre) {
        let own = Guest::of(theatre.rose.app_id, "own");
        let foreign = Guest::of(theatre.globe.app_id, "foreign");

        let caught = theatre.store.write(async |tx| {
            let mut guests = tx.within(theatre.rose);
            guests.insert(&own).await?;
            let refused = guests.insert(&foreign).await;
            assert!(
                matches!(refused, Err(StoreError::OutsideScope(_))),
                "{refused:?}"
            );
            Ok::<_, StoreError>(())
        });

        assert!(matches!(caught.await, Err(StoreError::OutsideScope(_))));
        let mut once = theatre.store.once();
        assert_eq!(
            once.within(theatre.rose)
                .count::<Guest>(Filter::all())
                .await
                .unwrap(),
            0
        );
    }

    async fn across_tenants_reaches_everything(theatre: Theatre) {
        crowded(&theatre).await;
        let mut once = theatre.store.once();
        let mut everywhere = once.across_tenants("a sweep of all tenants");

        assert_eq!(
            everywhere
                .update_many(STATE.eq("open".into()), STATE.set("used".into()))
                .await
                .unwrap(),
            3
        );
        assert_eq!(everywhere.count(CREATED_AT.present()).await.unwrap(), 2);
        everywhere
            .insert(&Guest::of(theatre.globe.app_id, "g3"))
            .await
            .unwrap();
    }
}
