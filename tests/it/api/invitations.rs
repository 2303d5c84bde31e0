//! Inviting: what is offered, by whom, and what the organisation sees of it.

use std::time::Duration;

use authsome::events::Name;
use authsome::memberships::InvitationStatus;
use serde_json::{Value, json};

use crate::contract::unknown;
use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::dump::{documents, holds};
use crate::support::invitations::{accepts, looks_up};
use crate::support::orgs::text;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::{Backend, on_both_stores};

const WEEK: Duration = Duration::from_hours(7 * 24);

/// An organisation that may send three invitations an hour.
struct Limited(Acme);

impl Limited {
    async fn on(backend: Backend) -> Self {
        let limits = [
            ("LIMITS__INVITATIONS", "3/1h"),
            ("LIMITS__LETTERS", "2/10m"),
        ];
        let app = TestApp::with(backend, &limits).await;
        let owner = app.person("olga@example.org").await;
        let org = app.org("acme", &owner).await;
        Self(Acme { app, owner, org })
    }
}

fn addresses(page: &Value) -> Vec<&str> {
    let all = page["invitations"].as_array().expect("a list").iter();
    all.map(|it| it["email"].as_str().expect("an address"))
        .collect()
}

on_both_stores! {
    async fn an_invitation_is_made_read_and_listed(acme: Acme) {
        let team = acme.team("Design", &["viewer"]).await;
        let more = json!({
            "roles": ["member", "viewer", "member"], "team_ids": [team["id"], team["id"]],
            "message": " See you on Monday! ",
        });

        let made = acme.invites(&acme.owner, "Mia@Example.org", more).await.told(201);

        assert_has(&made, json!({
            "org_id": acme.org.id, "email": "mia@example.org", "role": "member",
            "roles": ["member", "viewer"], "team_ids": [team["id"]], "status": "pending",
            "inviter_id": acme.owner.id, "message": "See you on Monday!",
            "expires_at": "2040-01-08T00:00:00.000Z", "created_at": "2040-01-01T00:00:00.000Z",
        }));
        assert_eq!(acme.owner.get(&acme.of_invitation(&made)).await.told(200), made);
        let page = acme.owner.get(&acme.at("/invitations")).await.told(200);
        assert_eq!(page["invitations"], json!([made]));
        let simple = acme.invites(&acme.owner, "max@example.org", json!({})).await.told(201);
        assert_eq!(simple["roles"], json!(["member"]));
    }

    /// The secret is in the letter, and in nothing that anybody is answered or that is stored.
    async fn the_secret_goes_to_the_address_alone(acme: Acme) {
        let made = acme.invited("mia@example.org", &["admin"]).await;
        let letter = acme.app.invitation_to("mia@example.org", 1).await;

        let token = letter.token();

        assert!(token.len() >= 43, "256 bits");
        assert_eq!(token, acme.token_of(&made));
        assert!(!holds(&documents(&acme.app).await, &token));
        let read = acme.owner.get(&acme.of_invitation(&made)).await.text();
        assert!(!read.contains("token") && !made.to_string().contains(&token));
        assert!(letter.subject.contains("acme") && letter.text.contains("admin"), "{}", letter.text);
        let offer = looks_up(&acme.app, &token).await.told(200);
        assert_has(&offer, json!({"email": "mia@example.org", "role": "admin"}));
    }

    /// Markup, lines, direction marks and addresses in names and messages make one safe letter.
    async fn a_letter_leads_nowhere_but_to_its_page(acme: Acme) {
        let named = json!({"name": "<b>evil.example</b> https://evil.example/x"});
        let _ = acme.owner.patch(&acme.at("")).json(named).await.expect(200);
        let me = json!({"first_name": "<a href=//evil.example>", "last_name": "evil.example"});
        let _ = acme.owner.patch("/v1/me").json(me).await.expect(200);
        let message = json!({"message": "go to https://evil.example/?x=<script>alert(1)</script>"});

        let made = acme.invites(&acme.owner, "mia@example.org", message).await.told(201);

        let letter = acme.app.invitation_to("mia@example.org", 1).await;
        // A scheme with nothing behind it is no link.
        let links = letter.links().into_iter().filter(|link| !link.ends_with("//"));
        assert_eq!(links.count(), 1, "{}", letter.text);
        assert!(letter.text.contains(&acme.token_of(&made)));
        let html = &letter.html;
        assert!(!html.contains("<script") && !html.contains("<b>evil") && !html.contains("href=//evil"));
        assert!(!html.contains("https://evil") && !letter.text.contains("evil.example"));
        for hostile in ["a\r\nBcc: x@evil.example", "a\u{202e}b", "", &"x".repeat(201)] {
            let more = json!({"message": hostile});
            let refused = acme.invites(&acme.owner, "max@example.org", more).await;
            assert_eq!(refused.outcome(), "400 invalid_body", "{hostile:?}");
        }
    }

    async fn what_is_no_one_plain_address_gets_no_letter(acme: Acme) {
        for address in [
            "a@evil.example,v@example.org", "a@evil.example;v@example.org", "\"a@evil.example,\"@example.org",
            "<a@evil.example>v@example.org", "a@example.org\r\nCc: v@example.org", "a@example.org%0aCc:v",
            "=?utf-8?q?=61?=@example.org", "a@[127.0.0.1]", "", "mia", "a@b@example.org",
        ] {
            let refused = acme.invites(&acme.owner, address, json!({})).await;
            assert_eq!(refused.outcome(), "400 invalid_email", "{address:?}");
        }
        assert!(acme.stored_invitations().await.is_empty());
    }

    /// Whoever invites learns nothing of who has an account.
    async fn a_user_s_address_and_an_unknown_one_are_answered_alike(acme: Acme) {
        acme.app.person("mia@example.org").await;
        acme.app.proven_person("zoe@example.org").await;

        let mut told = Vec::new();
        for email in ["mia@example.org", "zoe@example.org", "max@example.org"] {
            let reply = acme.invites(&acme.owner, email, json!({})).await;
            let (status, headers, _) = reply.tells();
            let mut body = reply.json();
            body["id"] = json!(null);
            body["email"] = json!(null);
            told.push((status, headers, body));
        }

        assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
    }

    async fn an_address_is_invited_once_at_a_time(acme: Acme) {
        let first = acme.invited("mia@example.org", &["member"]).await;

        for again in ["mia@example.org", "MIA@example.org"] {
            acme.invites(&acme.owner, again, json!({"role": "admin"})).await.refuses(409, "already_invited");
        }
        assert_eq!(acme.stored_invitations().await.len(), 1);
        let elsewhere = acme.app.org("umbra", &acme.owner).await;
        let there = acme.owner.post(&elsewhere.path("/invitations")).json(json!({"email": "mia@example.org"}));
        there.await.told(201);

        let _ = acme.owner.delete(&acme.of_invitation(&first)).await.expect(204);
        acme.invited("mia@example.org", &["member"]).await;
    }

    async fn a_member_is_not_invited(acme: Acme) {
        acme.joined("mia@example.org", &["viewer"]).await;

        acme.invites(&acme.owner, "mia@example.org", json!({})).await.refuses(409, "already_member");
        acme.invites(&acme.owner, &acme.owner.email, json!({})).await.refuses(409, "already_member");
    }

    async fn a_new_offer_supersedes_one_that_has_run_out(acme: Acme) {
        let first = acme.invited("mia@example.org", &["member"]).await;
        acme.app.clock.advance(WEEK);
        let _ = acme.owner.refreshes().await.expect(200);
        assert_eq!(acme.status_of(&first).await, "expired");

        let second = acme.invited("mia@example.org", &["viewer"]).await;

        assert_eq!(acme.status_of(&first).await, "superseded");
        looks_up(&acme.app, &acme.token_of(&first)).await.refuses(410, "invitation_superseded");
        looks_up(&acme.app, &acme.token_of(&second)).await.told(200);
        assert_eq!(acme.app.events(&acme.owner.door, Name::InvitationSuperseded).await.len(), 1);
    }

    async fn the_term_is_the_environment_s_and_its_end_is_exclusive(acme: Acme) {
        let door = &acme.owner.door;
        let _ = acme.app.key().sets(door, json!({"invitation_ttl_seconds": 3600})).await.expect(200);
        let made = acme.invited("mia@example.org", &["member"]).await;
        assert_eq!(made["expires_at"], "2040-01-01T01:00:00.000Z");
        let token = acme.token_of(&made);

        acme.app.clock.advance(Duration::from_millis(3_599_999));
        looks_up(&acme.app, &token).await.told(200);
        acme.app.clock.advance(Duration::from_millis(1));
        looks_up(&acme.app, &token).await.refuses(410, "invitation_expired");
    }

    async fn sending_anew_rotates_the_secret_and_begins_a_new_term(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        acme.app.invitation_to("mia@example.org", 1).await;
        acme.app.clock.advance(WEEK + Duration::from_secs(1));
        let _ = acme.owner.refreshes().await.expect(200);
        let resend = format!("{}/resend", acme.of_invitation(&made));

        let sent = acme.owner.post(&resend).await.told(200);

        assert_has(&sent, json!({"id": made["id"], "status": "pending", "expires_at": "2040-01-15T00:00:01.000Z"}));
        looks_up(&acme.app, &acme.token_of(&made)).await.refuses(404, "not_found");
        let letter = acme.app.invitation_to("mia@example.org", 2).await;
        assert_eq!(letter.token(), acme.token_of_generation(&made, 2));
        looks_up(&acme.app, &letter.token()).await.told(200);
        let _ = acme.owner.delete(&acme.of_invitation(&made)).await.expect(204);
        acme.owner.post(&resend).await.refuses(410, "invitation_revoked");
    }

    async fn what_is_revoked_stays_so_and_says_so(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let at = acme.of_invitation(&made);

        let _ = acme.owner.delete(&at).await.expect(204);

        acme.owner.delete(&at).await.refuses(410, "invitation_revoked");
        assert_eq!(acme.status_of(&made).await, "revoked");
        looks_up(&acme.app, &acme.token_of(&made)).await.refuses(410, "invitation_revoked");
        let told = acme.app.events(&acme.owner.door, Name::InvitationRevoked).await;
        let [told] = &told[..] else { panic!("{told:?}") };
        assert_eq!(told.org_id.map(|id| id.to_string()), Some(acme.org.id.clone()));
        assert_eq!(told.target.as_ref().and_then(|it| it.id.clone()), Some(text(&made["id"])));
        assert!(!serde_json::to_string(told).unwrap().contains("mia@"));
    }

    async fn invitations_are_listed_by_what_has_become_of_them(acme: Acme) {
        let old = acme.invited("old@example.org", &["member"]).await;
        acme.app.clock.advance(WEEK);
        let _ = acme.owner.refreshes().await.expect(200);
        let revoked = acme.invited("revoked@example.org", &["member"]).await;
        let _ = acme.owner.delete(&acme.of_invitation(&revoked)).await.expect(204);
        acme.app.clock.advance(Duration::from_millis(1));
        acme.invited("open@example.org", &["member"]).await;
        assert_eq!(acme.status_of(&old).await, "expired");

        let listed = async |query: &str| acme.owner.get(&acme.at(&format!("/invitations{query}"))).await.told(200);

        let all = listed("").await;
        assert_eq!(addresses(&all), ["open@example.org", "revoked@example.org", "old@example.org"]);
        for (status, expected) in [
            ("pending", vec!["open@example.org"]), ("expired", vec!["old@example.org"]),
            ("revoked", vec!["revoked@example.org"]), ("accepted", vec![]), ("declined", vec![]),
            ("superseded", vec![]),
        ] {
            assert_eq!(addresses(&listed(&format!("?status={status}")).await), expected, "{status}");
        }
        let page = listed("?limit=2").await;
        let next = text(&page["next_cursor"]);
        assert_eq!(addresses(&listed(&format!("?cursor={next}")).await), ["old@example.org"]);
        acme.owner.get(&acme.at("/invitations?status=lost")).await.refuses(400, "invalid_query");
    }

    async fn nobody_offers_more_than_he_holds(acme: Acme) {
        acme.defines("liquidator", &[("organization", "delete")]).await;
        let admin = acme.joined("pia@example.org", &["admin"]).await;
        let member = acme.joined("max@example.org", &["member"]).await;
        let high = acme.team("Liquidators", &["liquidator"]).await;
        let low = acme.team("Readers", &["viewer"]).await;
        let by_owner = acme.invited("owner@example.org", &["owner"]).await;
        let (admin, member) = (&admin.person, &member.person);

        for role in ["owner", "liquidator"] {
            let refused = acme.invites(admin, "mia@example.org", json!({"role": role}));
            refused.await.refuses(403, "role_not_held");
        }
        let through_team = json!({"team_ids": [low["id"], high["id"]]});
        acme.invites(admin, "mia@example.org", through_team).await.refuses(403, "role_not_held");
        acme.invites(member, "mia@example.org", json!({})).await.refuses(403, "forbidden");
        // Nor does he touch what somebody else has offered.
        let at = acme.of_invitation(&by_owner);
        admin.delete(&at).await.refuses(403, "role_not_held");
        admin.post(&format!("{at}/resend")).await.refuses(403, "role_not_held");
        member.delete(&at).await.refuses(403, "forbidden");
        assert_eq!(acme.status_of(&by_owner).await, "pending");
        assert_eq!(acme.stored_invitations().await.len(), 1);
        acme.invites(admin, "mia@example.org", json!({"role": "admin", "team_ids": [low["id"]]})).await.told(201);
        member.get(&acme.at("/invitations")).await.told(200);
    }

    async fn a_team_of_another_organisation_is_not_there(acme: Acme) {
        let elsewhere = acme.app.org("umbra", &acme.owner).await;
        let new = json!({"name": "Theirs"});
        let theirs = acme.owner.post(&elsewhere.path("/teams")).json(new).await.told(201);
        let own = acme.team("Ours", &[]).await;

        for teams in [json!([theirs["id"]]), json!([own["id"], theirs["id"]]), json!([unknown("TeamId")])] {
            let more = json!({"team_ids": teams});
            acme.invites(&acme.owner, "mia@example.org", more).await.refuses(404, "not_found");
        }
        assert!(acme.stored_invitations().await.is_empty());
    }

    async fn to_a_stranger_neither_organisation_nor_invitation_is_there(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let stranger = acme.app.person("max@example.org").await;
        let theirs = acme.app.org("umbra", &stranger).await;
        let id = text(&made["id"]);
        let gone = unknown("InvitationId");

        for (at, id) in [(acme.org.path(""), &id), (theirs.path(""), &id), (theirs.path(""), &gone)] {
            let at = format!("{at}/invitations/{id}");
            stranger.get(&at).await.refuses(404, "not_found");
            stranger.delete(&at).await.refuses(404, "not_found");
            stranger.post(&format!("{at}/resend")).await.refuses(404, "not_found");
        }
        acme.invites(&stranger, "zoe@example.org", json!({})).await.refuses(404, "not_found");
        stranger.get(&acme.at("/invitations")).await.refuses(404, "not_found");
        assert_eq!(acme.status_of(&made).await, "pending");
        assert_eq!(acme.stored_invitations().await[0].status, InvitationStatus::Pending);
    }

    async fn several_are_invited_at_once_each_for_himself(acme: Acme) {
        acme.joined("max@example.org", &["viewer"]).await;
        acme.invited("zoe@example.org", &["member"]).await;
        let all = json!({"invitations": [
            {"email": "mia@example.org", "role": "admin"}, {"email": "max@example.org"},
            {"email": "zoe@example.org"}, {"email": "pia@example.org", "role": "emperor"},
            {"email": "mia@example.org"}, {"email": "ida@example.org"},
        ]});

        let told = acme.owner.post(&acme.at("/invitations/bulk")).json(all).await.told(200);

        let results = told["results"].as_array().expect("a list");
        let of = |result: &Value| match result.get("problem") {
            Some(problem) => format!("{} {}", problem["status"], problem["type"].as_str().unwrap()),
            None => text(&result["invitation"]["status"]),
        };
        let outcomes: Vec<_> = results.iter().map(|it| (it["email"].as_str().unwrap(), of(it))).collect();
        assert_eq!(outcomes, [
            ("mia@example.org", "pending".to_owned()), ("max@example.org", "409 already_member".to_owned()),
            ("zoe@example.org", "409 already_invited".to_owned()), ("pia@example.org", "400 unknown_role".to_owned()),
            ("mia@example.org", "409 already_invited".to_owned()), ("ida@example.org", "pending".to_owned()),
        ]);
        assert_eq!(acme.stored_invitations().await.len(), 3);
    }

    async fn a_list_that_is_not_well_formed_invites_nobody(acme: Acme) {
        let bulk = acme.at("/invitations/bulk");
        let one = |email: String| json!({"email": email});
        let many: Vec<Value> = (0..101).map(|number| one(format!("mia{number}@example.org"))).collect();
        for (all, pointer) in [
            (json!([{"email": "mia@example.org"}, {"email": "nobody"}]), "/invitations/1/email"),
            (json!([{"email": "mia@example.org", "status": "accepted"}]), "/invitations/0/status"),
            (json!([]), "/invitations"), (json!(many), "/invitations"), (json!(["mia"]), "/invitations/0"),
        ] {
            let refused = acme.owner.post(&bulk).json(json!({"invitations": all})).await.told(400);
            assert_eq!(refused["errors"][0]["pointer"], pointer);
        }
        let member = acme.joined("max@example.org", &["member"]).await;
        let all = json!({"invitations": [{"email": "mia@example.org"}]});
        member.person.post(&bulk).json(all).await.refuses(403, "forbidden");
        assert!(acme.stored_invitations().await.is_empty());
    }

    async fn a_hundred_are_invited_at_once(acme: Acme) {
        let many = (0..100).map(|number| json!({"email": format!("mia{number}@example.org")}));
        let all = json!({"invitations": many.collect::<Vec<Value>>()});

        let told = acme.owner.post(&acme.at("/invitations/bulk")).json(all).await.told(200);

        let results = told["results"].as_array().expect("a list");
        assert!(results.iter().all(|it| it["invitation"]["status"] == "pending"));
        assert_eq!(acme.stored_invitations().await.len(), 100);
    }

    async fn an_organisation_sends_only_so_many(acme: Limited) {
        let acme = acme.0;
        for number in 0..3 {
            acme.invited(&format!("mia{number}@example.org"), &["member"]).await;
        }

        let refused = acme.invites(&acme.owner, "one.more@example.org", json!({})).await;

        assert!(refused.header("retry-after").is_some());
        refused.refuses(429, "too_many_attempts");
        let all = json!({"invitations": [{"email": "two.more@example.org"}]});
        let told = acme.owner.post(&acme.at("/invitations/bulk")).json(all).await.told(200);
        assert_eq!(told["results"][0]["problem"]["type"], "too_many_attempts");
        assert_eq!(acme.stored_invitations().await.len(), 3);
        assert_eq!(acme.app.events(&acme.owner.door, Name::RateLimitExceeded).await.len(), 1);
    }

    /// As many letters as strangers may cause, whoever causes them; and nobody is told.
    async fn an_address_gets_only_so_many_letters(acme: Limited) {
        let acme = acme.0;
        let made = acme.invited("mia@example.org", &["member"]).await;
        let resend = format!("{}/resend", acme.of_invitation(&made));
        for _ in 0..2 {
            acme.owner.post(&resend).await.told(200);
        }

        acme.app.invitation_to("mia@example.org", 1).await;
        acme.app.delivers_everything(&acme.owner.door).await;
        assert!(acme.app.letters_to("mia@example.org").len() <= 2);
    }

    async fn a_key_and_an_administrator_of_the_app_invite_too(acme: Acme) {
        let admin = acme.app.admin().await;

        let by_key = acme.invites(&acme.app.key(), "mia@example.org", json!({"role": "owner"})).await.told(201);
        let by_admin = acme.invites(&admin, "max@example.org", json!({})).await.told(201);

        assert_eq!(by_key.get("inviter_id"), None);
        assert_eq!(by_admin["inviter_id"], admin.id);
        for (made, email) in [(&by_key, "mia@example.org"), (&by_admin, "max@example.org")] {
            let invited = acme.app.holder_of(email).await;
            accepts(&invited, &acme.token_of(made)).await.told(200);
        }
        let refused = acme.app.visitor(&acme.owner.door).signs_in("mia@example.org", PASSWORD).await;
        assert_eq!(refused.status, 200);
    }

    async fn the_letters_of_an_organisation_are_part_of_its_record(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;

        let page = acme.owner.get(&acme.at("/events")).await.told(200);

        let all = page["events"].as_array().expect("a list");
        let own = all.iter().find(|it| it["name"] == "invitation.created").expect("it is told");
        assert_has(&own["target"], json!({"kind": "invitation", "id": made["id"]}));
        assert_eq!(own["details"]["roles"], json!(["member"]));
        assert!(!page.to_string().contains("mia@example.org"));
    }
}
