//! What goes with an invitation that is answered or ends: its letter, and a word on the
//! organisation's record.

use authsome::events::{Name, Outcome};
use authsome::notifications::Notification;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::invitations::{accepts, declines, joins};
use crate::support::orgs::text;
use crate::support::stores::{Backend, on_both_stores};

/// An organisation whose letters find no mail server.
struct Unheard(Acme);

impl Unheard {
    async fn on(backend: Backend) -> Self {
        let down = [("MAIL__URL", "smtp://127.0.0.1:1")];
        let app = TestApp::with(backend, &down).await;
        let owner = app.person("olga@example.org").await;
        let org = app.org("acme", &owner).await;
        Self(Acme { app, owner, org })
    }
}

impl Acme {
    /// The invitations that letters which wait are of.
    async fn queued(&self) -> Vec<String> {
        let all: Vec<Notification> = self.app.of_environment(&self.owner.door).await;
        let stored = all
            .iter()
            .map(|it| serde_json::to_value(it).expect("a document"));
        let of = |it: Value| {
            it["data"]["invitation"]["invitation_id"]
                .as_str()
                .map(str::to_owned)
        };
        stored.filter_map(of).collect()
    }
}

on_both_stores! {
    /// With the mail down, a hundred could be queued and their organisation deleted: when the mail
    /// came back, they all went out, with links to nothing.
    async fn a_deleted_organisation_writes_to_nobody(acme: Unheard) {
        let acme = acme.0;
        let many = (0..20).map(|number| json!({"email": format!("mia{number}@example.org")}));
        let all = json!({"invitations": many.collect::<Vec<Value>>()});
        acme.owner.post(&acme.at("/invitations/bulk")).json(all).await.told(200);
        let umbra = acme.app.org("umbra", &acme.owner).await;
        let new = json!({"email": "zoe@example.org"});
        let kept = acme.owner.post(&umbra.path("/invitations")).json(new).await.told(201);
        assert_eq!(acme.queued().await.len(), 21);

        let _ = acme.owner.delete(&acme.at("")).await.expect(204);

        assert_eq!(acme.queued().await, [text(&kept["id"])]);
    }

    async fn whoever_has_answered_or_has_a_place_is_not_written_to_any_more(acme: Unheard) {
        let acme = acme.0;
        let mut made = Vec::new();
        for name in ["ada", "bo", "cem", "dia", "eva", "fay"] {
            made.push(acme.invited(&format!("{name}@example.org"), &["member"]).await);
        }
        let own = |at: usize, verb: &str| format!("/v1/me/invitations/{}/{verb}", text(&made[at]["id"]));
        let ada = acme.app.holder_of("ada@example.org").await;
        let bo = acme.app.holder_of("bo@example.org").await;

        ada.post(&own(0, "accept")).await.told(200);
        let _ = bo.post(&own(1, "decline")).await.expect(204);
        joins(&acme.app, &acme.token_of(&made[2])).await.told(201);
        let _ = declines(&acme.app, &acme.token_of(&made[3])).await.expect(204);
        let eva = acme.app.holder_of("eva@example.org").await;
        acme.org.takes(&eva, &["member"]).await;

        assert_eq!(acme.queued().await, [text(&made[5]["id"])]);
    }

    async fn a_refusal_is_told_whichever_way_somebody_accepts(acme: Acme) {
        let mia = acme.app.holder_of("mia@example.org").await;
        let stranger = acme.app.holder_of("max@example.org").await;
        let made = acme.invited("mia@example.org", &["member"]).await;
        let own = format!("/v1/me/invitations/{}/accept", text(&made["id"]));
        let most = json!({"max_members": 1});
        acme.app.key().patch(&acme.at("")).json(most).await.told(200);

        accepts(&mia, &acme.token_of(&made)).await.refuses(409, "seat_limit");
        mia.post(&own).await.refuses(409, "seat_limit");
        stranger.post(&own).await.refuses(404, "not_found");

        let told = acme.told(Name::InvitationAccepted).await;
        assert_eq!(told.len(), 2);
        for event in &told {
            assert_eq!((event.outcome, &event.details["reason"]), (Outcome::Denied, &json!("seat_limit")));
            assert_eq!(event.actor.id.as_deref(), Some(&*mia.id));
            assert_eq!(event.target.as_ref().and_then(|it| it.id.as_deref()), made["id"].as_str());
        }
    }

    /// On one node they wait for each other, so that nobody is told to come again.
    async fn of_forty_who_come_in_every_way_each_gets_in(acme: Acme) {
        let (mut tokens, mut people) = (Vec::new(), Vec::new());
        for number in 0..10 {
            let newcomer = format!("new{number}@example.org");
            tokens.push(acme.token_of(&acme.invited(&newcomer, &["member"]).await));
            let invited = format!("mia{number}@example.org");
            let made = acme.invited(&invited, &["member"]).await;
            let to_be_added = acme.app.holder_of(&format!("max{number}@example.org")).await;
            people.push((acme.app.holder_of(&invited).await, text(&made["id"]), to_be_added.id));
        }
        let newcomers = tokens.iter().map(async |token| joins(&acme.app, token).await.status);
        let own = people.iter().map(async |(mia, id, _)| {
            mia.post(&format!("/v1/me/invitations/{id}/accept")).await.status
        });
        let added = people.iter().map(async |(_, _, id)| {
            let new = json!({"user_id": id, "role": "member"});
            acme.owner.post(&acme.at("/members")).json(new).await.status
        });

        let came = futures_util::join!(join_all(newcomers), join_all(own), join_all(added));

        assert_eq!(came, (vec![201; 10], vec![200; 10], vec![201; 10]));
        assert_eq!(acme.org.counted(&acme.app, "member_count").await, 31);
    }

    async fn an_offer_of_a_role_that_is_gone_is_not_sent_anew(acme: Acme) {
        let auditor = acme.defines("auditor", &[("organization_events", "read")]).await;
        let made = acme.invited("mia@example.org", &["auditor"]).await;
        acme.forgets_role(&auditor).await;
        let resend = format!("{}/resend", acme.of_invitation(&made));

        acme.owner.post(&resend).await.refuses(409, "invitation_void");

        acme.app.invitation_to("mia@example.org", 1).await;
        acme.app.delivers_everything(&acme.owner.door).await;
        assert_eq!(acme.app.letters_to("mia@example.org").len(), 1);
        assert!(acme.told(Name::InvitationResent).await.is_empty());
        // It can still be taken back.
        let _ = acme.owner.delete(&acme.of_invitation(&made)).await.expect(204);
    }
}
