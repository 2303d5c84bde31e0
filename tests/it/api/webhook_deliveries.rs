//! Deliveries: what arrives, at whom, how often, and what becomes of what does not.

use std::time::Duration;

use authsome::events::Name;
use authsome::kernel::secret::hmac_sha256;
use base64::prelude::{BASE64_STANDARD, Engine};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, assert_has};
use crate::support::orgs::text;
use crate::support::persona::Administers;
use crate::support::receiver::{Answer, Got, Receiver};
use crate::support::stores::on_both_stores;
use crate::support::webhooks::{Hooked, makes};

const A_DAY: Duration = Duration::from_hours(24);

/// The signature of a message by one secret, as the specification has it.
fn signature(secret: &str, got: &Got) -> String {
    let key = secret.strip_prefix("whsec_").expect("a secret");
    let key = BASE64_STANDARD.decode(key).expect("base64");
    let (id, timestamp) = (got.header("webhook-id"), got.header("webhook-timestamp"));
    let signed = format!("{id}.{timestamp}.{}", got.body);
    format!(
        "v1,{}",
        BASE64_STANDARD.encode(hmac_sha256(&key, signed.as_bytes()))
    )
}

fn hexadecimal(bytes: &[u8; 32]) -> String {
    let (high, low) = bytes.split_at(16);
    let number = |half: &[u8]| u128::from_be_bytes(half.try_into().expect("16 bytes"));
    format!("{:032x}{:032x}", number(high), number(low))
}

fn is(status: &'static str) -> impl Fn(&Value) -> bool {
    move |delivery| delivery["status"] == status
}

on_both_stores! {
    async fn an_event_arrives_signed_with_identifiers_alone(hooked: Hooked) {
        let new = json!({
            "url": hooked.receiver.url(), "events": ["user.banned"], "headers": {"x-source": "authsome"},
        });
        let made = hooked.app.key().post("/v1/webhooks").json(new).await.told(201);
        let mia = hooked.app.person("mia@example.org").await;
        let ban = json!({"reason": "Mia writes to bo@example.org"});

        let _ = hooked.app.key().bans(&mia.id, ban).await.expect(200);

        let got = &hooked.receiver.awaits(1).await[0];
        assert_eq!(got.line, "POST /hook HTTP/1.1");
        assert_eq!(got.header("content-type"), "application/json");
        assert_eq!(got.header("x-source"), "authsome");
        assert!(got.header("user-agent").starts_with("Authsome/"));
        let event = &hooked.app.events(&mia.door, Name::UserBanned).await[0];
        let message = got.message();
        assert_has(&message, json!({
            "id": event.id, "type": "user.banned", "timestamp": "2040-01-01T00:00:00.000Z",
        }));
        assert_has(&message["data"], json!({
            "app_id": mia.door.app_id, "env_id": mia.door.env_id, "outcome": "success",
            "target": {"kind": "user", "id": mia.id}, "request_id": event.request_id,
        }));
        for personal in ["example.org", "127.0.0.1", "writes to"] {
            assert!(!got.body.contains(personal), "{}", got.body);
        }
        assert_eq!(got.header("webhook-id"), event.id.to_string());
        assert_eq!(got.header("webhook-timestamp"), "2208988800");
        let secret = text(&made["secret"]);
        assert_eq!(got.header("webhook-signature"), signature(&secret, got));
        let tag = hmac_sha256(secret.as_bytes(), format!("2208988800.{}", got.body).as_bytes());
        let tag = hexadecimal(&tag);
        assert_eq!(got.header("x-authsome-signature"), format!("t=2208988800,v1={tag}"));
        let delivery = hooked.delivery(&made, is("delivered")).await;
        assert_has(&delivery, json!({
            "event_id": event.id, "type": "user.banned", "attempts": 1, "response_status": 200,
            "response_excerpt": "answer 200", "delivered_at": "2040-01-01T00:00:00.000Z",
        }));
        assert!(delivery["latency_ms"].is_u64() && delivery.get("failure").is_none());
    }

    async fn two_secrets_sign_until_the_overlap_is_over(hooked: Hooked) {
        let made = hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;
        let rotate = format!("/v1/webhooks/{}/rotate-secret", text(&made["id"]));
        let rotated = hooked.app.key().post(&rotate).await.told(200);
        let (old, new) = (text(&made["secret"]), text(&rotated["secret"]));

        hooked.something_happens(&mia.id).await;
        let both = hooked.receiver.awaits(1).await.remove(0);
        hooked.waits(A_DAY);
        hooked.something_happens(&mia.id).await;
        let alone = hooked.receiver.awaits(2).await.remove(1);

        let expected = format!("{} {}", signature(&new, &both), signature(&old, &both));
        assert_eq!(both.header("webhook-signature"), expected);
        assert_eq!(both.header("x-authsome-signature").matches("v1=").count(), 2);
        assert_eq!(alone.header("webhook-signature"), signature(&new, &alone));
    }

    async fn an_organisation_hears_of_itself_alone(hooked: Hooked) {
        let (app, receiver) = (&hooked.app, &hooked.receiver);
        let mia = app.person("mia@example.org").await;
        let (acme, umbra) = (app.org("acme", &mia).await, app.org("umbra", &mia).await);
        app.all_is_told(&mia.door).await;
        app.clock.advance(Duration::from_secs(1));
        let new = json!({"url": receiver.url(), "events": ["*"], "org_id": acme.id});
        let made = mia.post("/v1/webhooks").json(new).await.told(201);
        let elsewhere = Receiver::start();
        makes(&app.machine(&app.own.production), &elsewhere.url(), &["*"]).await.told(201);

        let _ = mia.patch(&umbra.path("")).json(json!({"name": "Umbra Ltd"})).await.expect(200);
        hooked.something_happens(&app.person("bo@example.org").await.id).await;
        let _ = mia.patch(&acme.path("")).json(json!({"name": "Acme Ltd"})).await.expect(200);

        app.all_is_told(&mia.door).await;
        let got = receiver.awaits(2).await;
        let mut kinds: Vec<_> = got.iter().map(Got::kind).collect();
        kinds.sort();
        assert_eq!(kinds, ["organization.updated", "webhook.created"]);
        assert!(got.iter().all(|it| it.message()["data"]["org_id"] == acme.id));
        assert_eq!(hooked.deliveries(&made).await.len(), 2);
        app.all_is_told(&app.own.production).await;
        let kinds: Vec<_> = elsewhere.awaits(1).await.iter().map(Got::kind).collect();
        assert_eq!(kinds, ["webhook.created"]);
    }

    async fn nothing_is_told_of_before_nor_while_a_webhook_is_off(hooked: Hooked) {
        let (app, key) = (&hooked.app, hooked.app.key());
        let mia = app.person("mia@example.org").await;
        hooked.something_happens(&mia.id).await;
        app.clock.advance(Duration::from_millis(1));
        let made = hooked.hook(&["user.banned"]).await;
        let path = format!("/v1/webhooks/{}", text(&made["id"]));
        let switches = async |active: bool| {
            let _ = key.patch(&path).json(json!({"active": active})).await.expect(200);
        };

        switches(false).await;
        hooked.something_happens(&mia.id).await;
        app.all_is_told(&mia.door).await;
        switches(true).await;
        hooked.something_happens(&mia.id).await;

        app.all_is_told(&mia.door).await;
        hooked.receiver.awaits(1).await;
        assert_eq!(hooked.deliveries(&made).await.len(), 1);
    }

    /// An environment without webhooks has no deliveries, and nothing waits for ever.
    async fn where_nobody_listens_events_are_told_to_nobody(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        app.all_is_told(&mia.door).await;

        assert!(app.all_deliveries(&mia.door).await.is_empty());
    }

    async fn a_test_event_arrives_whatever_a_webhook_hears_of(hooked: Hooked) {
        let made = hooked.hook(&["user.banned"]).await;
        hooked.app.all_is_told(&hooked.app.own.development).await;
        hooked.waits(Duration::from_secs(1));
        let listener = Receiver::start();
        let other = makes(&hooked.app.key(), &listener.url(), &["webhook.*"]).await.told(201);
        let path = format!("/v1/webhooks/{}", text(&made["id"]));
        hooked.app.all_is_told(&hooked.app.own.development).await;
        let before = listener.awaits(1).await.len();

        let queued = hooked.app.key().post(&format!("{path}/test")).await.told(202);

        assert_has(&queued, json!({"type": "webhook.tested", "status": "pending", "attempts": 0}));
        let got = &hooked.receiver.awaits(1).await[0];
        assert_eq!(got.kind(), "webhook.tested");
        assert_eq!(got.header("webhook-signature"), signature(&text(&made["secret"]), got));
        hooked.delivery(&made, is("delivered")).await;
        assert_eq!(hooked.deliveries(&other).await.len(), before);
        let off = json!({"active": false});
        let _ = hooked.app.key().patch(&path).json(off).await.expect(200);
        let refused = hooked.app.key().post(&format!("{path}/test")).await;
        refused.refuses(409, "webhook_inactive");
    }

    async fn what_is_refused_comes_again_later_under_the_same_identifier(hooked: Hooked) {
        hooked.receiver.answers(&[500, 302, 200]);
        let made = hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;
        hooked.something_happens(&mia.id).await;

        let first = hooked.tried(&made, 1).await;
        assert_has(&first, json!({
            "status": "pending", "failure": "status", "response_status": 500,
            "response_excerpt": "answer 500",
        }));
        hooked.waits(Duration::from_secs(4));
        hooked.receiver.awaits(1).await;
        hooked.waits(Duration::from_secs(2));
        let second = hooked.tried(&made, 2).await;
        assert_eq!(second["response_status"], 302);
        hooked.waits(Duration::from_mins(6));
        let third = hooked.delivery(&made, is("delivered")).await;

        assert_eq!(third["attempts"], 3);
        let got = hooked.receiver.awaits(3).await;
        let ids: Vec<_> = got.iter().map(|it| it.header("webhook-id")).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let times: Vec<_> = got.iter().map(|it| it.header("webhook-timestamp")).collect();
        assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
        assert!(got.iter().all(|it| it.body == got[0].body));
        let read = hooked.app.key().get(&format!("/v1/webhooks/{}", text(&made["id"]))).await;
        assert!(read.told(200).get("failing_since").is_none());
    }

    async fn after_eight_attempts_within_a_day_it_is_given_up(hooked: Hooked) {
        hooked.receiver.always(Answer::Status(500));
        let made = hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;
        hooked.something_happens(&mia.id).await;

        for attempt in 1..=8 {
            hooked.tried(&made, attempt).await;
            hooked.waits(Duration::from_hours(11));
        }

        let failed = hooked.delivery(&made, is("failed")).await;
        assert_has(&failed, json!({"attempts": 8, "response_status": 500}));
        assert!(failed.get("next_attempt_at").is_none());
        hooked.receiver.awaits(8).await;
        let path = format!("/v1/webhooks/{}", text(&made["id"]));
        let read = hooked.app.key().get(&path).await.told(200);
        assert_has(&read, json!({"active": true, "failing_since": "2040-01-01T00:00:00.000Z", "pending": 0}));
    }

    async fn a_receiver_that_cannot_now_says_when(hooked: Hooked) {
        let busy = Answer::With(429, vec![("retry-after", "600".to_owned())]);
        hooked.receiver.always(busy);
        let made = hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;

        hooked.something_happens(&mia.id).await;

        let refused = hooked.tried(&made, 1).await;
        assert_eq!(refused["next_attempt_at"], "2040-01-01T00:10:00.000Z");
    }

    async fn a_receiver_that_is_gone_is_told_nothing_more(hooked: Hooked) {
        let app = &hooked.app;
        let admin = app.admin().await;
        hooked.receiver.always(Answer::Status(410));
        let made = hooked.hook(&["user.banned"]).await;
        let mia = app.person("mia@example.org").await;

        hooked.something_happens(&mia.id).await;

        hooked.delivery(&made, is("failed")).await;
        let path = format!("/v1/webhooks/{}", text(&made["id"]));
        let read = app.key().get(&path).await.told(200);
        assert_has(&read, json!({"active": false, "disabled_reason": "gone"}));
        let told = app.events(&mia.door, Name::WebhookDisabled).await;
        assert_eq!((told.len(), &told[0].details["reason"]), (1, &json!("gone")));
        let letter = app.nth_letter_to(&admin.email, 2).await;
        assert!(letter.subject.contains("webhook"), "{}", letter.subject);
        assert!(letter.text.contains(&text(&made["id"])), "{}", letter.text);
        assert!(!letter.text.contains("/hook"), "{}", letter.text);
        hooked.something_happens(&mia.id).await;
        app.all_is_told(&mia.door).await;
        hooked.receiver.awaits(1).await;
        let on = app.key().patch(&path).json(json!({"active": true})).await.told(200);
        assert!(on.get("disabled_reason").is_none() && on.get("failing_since").is_none());
    }

    async fn where_nothing_arrives_for_five_days_the_owners_are_written_to(hooked: Hooked) {
        let app = &hooked.app;
        let (orla, mia) = (app.person("orla@example.org").await, app.person("mia@example.org").await);
        let acme = app.org("acme", &orla).await;
        acme.takes(&mia, &["member"]).await;
        hooked.receiver.always(Answer::Status(500));
        let new = json!({
            "url": hooked.receiver.url(), "events": ["organization.updated"], "org_id": acme.id,
        });
        let made = orla.post("/v1/webhooks").json(new).await.told(201);
        let happens = async || {
            let name = json!({"name": "Acme"});
            let _ = app.key().patch(&acme.path("")).json(name).await.expect(200);
        };
        happens().await;
        hooked.tried(&made, 1).await;

        hooked.waits(5 * A_DAY);
        happens().await;

        let path = format!("/v1/webhooks/{}", text(&made["id"]));
        eventually(async || app.key().get(&path).await.told(200)["active"] == false).await;
        let read = app.key().get(&path).await.told(200);
        assert_eq!(read["disabled_reason"], "failing");
        let told = app.events(&orla.door, Name::WebhookDisabled).await;
        assert_eq!((told.len(), told[0].org_id), (1, acme.id.parse().ok()));
        let letter = app.nth_letter_to(&orla.email, 2).await;
        assert!(letter.text.contains(&text(&made["id"])), "{}", letter.text);
        assert_eq!(app.letters().iter().filter(|it| it.to == [mia.email.clone()]).count(), 1);
    }

    /// The one hangs for ten seconds at each of its deliveries; the other is not to notice.
    async fn who_never_answers_keeps_nobody_waiting(hooked: Hooked) {
        let mute = Receiver::start();
        mute.always(Answer::Silence);
        let slow = makes(&hooked.app.key(), &mute.url(), &["user.banned"]).await.told(201);
        let mia = hooked.app.person("mia@example.org").await;
        for _ in 0..40 {
            hooked.something_happens(&mia.id).await;
        }
        hooked.app.all_is_told(&mia.door).await;
        eventually(async || !mute.got().is_empty()).await;

        let made = hooked.hook(&["user.unbanned"]).await;
        let _ = hooked.app.key().unbans(&mia.id).await.expect(200);

        hooked.delivery(&made, is("delivered")).await;
        let path = format!("/v1/webhooks/{}", text(&slow["id"]));
        let read = hooked.app.key().get(&path).await.told(200);
        assert_eq!(read["pending"], 40);
        assert!(mute.got().len() <= 16, "{}", mute.got().len());
    }

    async fn a_delivery_is_sent_again_by_hand(hooked: Hooked) {
        let made = hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;
        hooked.something_happens(&mia.id).await;
        let delivered = hooked.delivery(&made, is("delivered")).await;
        let path = format!("/v1/webhooks/{}", text(&made["id"]));
        let retry = format!("{path}/deliveries/{}/retry", text(&delivered["id"]));

        let queued = hooked.app.key().post(&retry).await.told(202);

        assert_has(&queued, json!({"id": delivered["id"], "status": "pending", "attempts": 0}));
        let got = hooked.receiver.awaits(2).await;
        assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
        hooked.delivery(&made, is("delivered")).await;
        let other = hooked.hook(&["user.deleted"]).await;
        let foreign = retry.replace(&text(&made["id"]), &text(&other["id"]));
        hooked.app.key().post(&foreign).await.refuses(404, "not_found");
        let told = hooked.app.events(&mia.door, Name::WebhookRetried).await;
        assert_eq!(told.len(), 1);
    }

    async fn deliveries_are_listed_by_page_and_by_what_became_of_them(hooked: Hooked) {
        hooked.receiver.answers(&[500]);
        let made = hooked.hook(&["user.*"]).await;
        let mia = hooked.app.person("mia@example.org").await;
        hooked.tried(&made, 1).await;
        for _ in 0..3 {
            hooked.something_happens(&mia.id).await;
        }
        eventually(async || {
            hooked.deliveries(&made).await.iter().filter(|it| it["status"] == "delivered").count() == 3
        }).await;
        let path = format!("/v1/webhooks/{}/deliveries", text(&made["id"]));
        let page = async |query: &str| hooked.app.key().get(&format!("{path}{query}")).await.told(200);

        let pending = page("?status=pending").await;
        let first = page("?limit=3").await;
        let next = text(&first["next_cursor"]);
        let second = page(&format!("?limit=3&cursor={next}")).await;

        assert_eq!(pending["deliveries"].as_array().map(Vec::len), Some(1));
        assert_eq!(first["has_more"], true);
        let ids = [&first, &second].map(|it| it["deliveries"].as_array().cloned().unwrap());
        let mut ids: Vec<_> = ids.concat().iter().map(|it| text(&it["id"])).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 4);
        hooked.app.key().get(&format!("{path}?status=lost")).await.refuses(400, "invalid_query");
    }

    /// Any node passes on and sends; two that are at it send nothing twice.
    async fn several_nodes_send_each_event_once(hooked: Hooked) {
        let dev = [("WEBHOOKS__ALLOW_PRIVATE", "true")];
        let nodes = [hooked.app.another_node(&dev).await, hooked.app.another_node(&dev).await];
        let made = hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;

        let bans = (0..30).map(|number| {
            let path = format!("/v1/admin/users/{}/ban", mia.id);
            let node = nodes[number % 2].client();
            let ban = node.post(&path).json(json!({}));
            ban.api_key(&mia.door.secret_key)
        });
        for reply in join_all(bans.map(IntoFuture::into_future)).await {
            let _ = reply.expect(200);
        }

        hooked.app.all_is_told(&mia.door).await;
        eventually(async || hooked.receiver.got().len() >= 30).await;
        eventually(async || {
            let all = hooked.deliveries(&made).await;
            all.len() == 30 && all.iter().all(|it| it["status"] == "delivered" && it["attempts"] == 1)
        }).await;
        let got = hooked.receiver.awaits(30).await;
        let mut ids: Vec<_> = got.iter().map(|it| it.header("webhook-id").to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 30);
    }

    /// Without the development switch the same webhook leads nowhere, and says why.
    async fn what_leads_to_a_private_address_is_not_sent(hooked: Hooked) {
        let app = &hooked.app;
        app.falls_silent().await;
        let url = format!("https://localhost:{}/hook", hooked.receiver.port());
        let named = makes(&app.key(), &url, &["user.banned"]).await.told(201);
        let plain = hooked.hook(&["user.banned"]).await;
        let _strict = app.another_node(&[("WEBHOOKS__ALLOW_PRIVATE", "false")]).await;
        let mia = app.person("mia@example.org").await;

        hooked.something_happens(&mia.id).await;

        let refused = hooked.tried(&named, 1).await;
        assert_has(&refused, json!({"failure": "private_address", "status": "pending"}));
        let refused = hooked.tried(&plain, 1).await;
        assert_has(&refused, json!({"failure": "invalid_url", "status": "pending"}));
        assert!(hooked.receiver.got().is_empty());
    }

    async fn what_is_on_its_way_to_a_deleted_webhook_is_given_up(hooked: Hooked) {
        hooked.receiver.always(Answer::Status(500));
        let made = hooked.hook(&["user.banned"]).await;
        let mia = hooked.app.person("mia@example.org").await;
        hooked.something_happens(&mia.id).await;
        hooked.tried(&made, 1).await;
        let path = format!("/v1/webhooks/{}", text(&made["id"]));

        let _ = hooked.app.key().delete(&path).await.expect(204);
        hooked.waits(Duration::from_mins(1));

        eventually(async || {
            let all = hooked.app.all_deliveries(&mia.door).await;
            let told = serde_json::to_value(&all[0]).expect("a document");
            told["status"] == "failed" && told["failure"] == "inactive"
        }).await;
        hooked.receiver.awaits(1).await;
    }
}
