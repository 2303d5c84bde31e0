//! Who leaves the app leaves his organisations: what they are told, and what becomes of his offers.

use authsome::events::{Event, Name};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::InvitationId;
use authsome::kernel::text::Email;
use authsome::memberships::{Invitation, InvitationStatus};
use authsome::store::Stored;
use serde_json::json;

use crate::support::acme::Acme;
use crate::support::dump::collections;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::{Backend, on_both_stores};

/// An organisation, and how many invitations are many: on SQLite more than one query can name, and
/// on MongoDB, which has no such bound, more than one step takes.
struct Many(Acme, usize);

impl Many {
    async fn on(backend: Backend) -> Self {
        let count = match backend {
            Backend::Sqlite => 33_000,
            Backend::Mongo => 1_100,
        };
        Self(Acme::on(backend).await, count)
    }
}

fn target(event: &Event) -> Option<&str> {
    event.target.as_ref().and_then(|it| it.id.as_deref())
}

/// So many invitations by somebody, past the API: every hundredth is pending.
async fn sends(acme: &Acme, like: &Invitation, count: usize) {
    let (now, entropy) = (acme.app.clock.now(), Entropy::system());
    let written = acme.app.store().write(async |tx| -> Stored<()> {
        let mut tx = tx.within(like.tenant());
        for number in 0..count {
            let address = format!("mia{number}@example.org");
            let status = if number % 100 == 0 {
                InvitationStatus::Pending
            } else {
                InvitationStatus::Revoked
            };
            tx.insert(&Invitation {
                id: InvitationId::new(now, &entropy),
                email: Email::parse(&address).expect("an address"),
                token: address,
                status,
                ..like.clone()
            })
            .await?;
        }
        Ok(())
    });
    written.await.expect("the store answers");
}

on_both_stores! {
    async fn an_organisation_s_record_tells_of_whoever_is_deleted(acme: Acme) {
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        let more = json!({"role": "member"});
        let made = acme.invites(&pia.person, "mia@example.org", more).await.told(201);
        let before = acme.org.counted(&acme.app, "version").await;

        let _ = pia.person.leaves(PASSWORD).await.expect(204);

        let (left, revoked) = (acme.told(Name::MemberLeft).await, acme.told(Name::InvitationRevoked).await);
        for (told, about) in [(left, &*pia.person.id), (revoked, made["id"].as_str().expect("a text"))] {
            let [event] = &told[..] else { panic!("{told:?}") };
            assert_eq!(event.actor.id.as_deref(), Some(&*pia.person.id));
            assert_eq!((target(event), &event.details["reason"]), (Some(about), &json!("account_deleted")));
        }
        assert_eq!(acme.status_of(&made).await, "revoked");
        assert!(acme.org.counted(&acme.app, "version").await > before);
        let max = acme.joined("max@example.org", &["member"]).await;
        let _ = acme.app.key().deletes(&max.person.id).await.expect(204);
        let told = acme.told(Name::MemberLeft).await;
        assert_eq!(told.len(), 2);
        assert!(told.iter().any(|event| event.actor.kind == "key"));
    }

    /// The whole of them was named in one query, and a database takes only so many values in one:
    /// whoever had invited more than 32,766 people could not be deleted.
    async fn whoever_has_sent_many_invitations_can_leave(acme: Many) {
        let Many(acme, count) = acme;
        let pia = acme.joined("pia@example.org", &["admin"]).await;
        acme.invites(&pia.person, "zoe@example.org", json!({})).await.told(201);
        let like = acme.stored_invitations().await.remove(0);
        sends(&acme, &like, count).await;

        let _ = pia.person.leaves(PASSWORD).await.expect(204);

        let left = &collections(acme.app.location()).await["authsome_invitations"];
        assert_eq!(left.len(), count + 1);
        assert!(left.iter().all(|it| it["status"] == "revoked" && it.get("inviter_id").is_none()));
        assert_eq!(acme.told(Name::InvitationRevoked).await.len(), count / 100 + 1);
    }
}
