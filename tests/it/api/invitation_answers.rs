//! Answering an invitation: who may, what it gives, and what has become of those that are over.

use std::time::Duration;

use authsome::events::{Name, Outcome};
use serde_json::{Value, json};

use crate::contract::unknown;
use crate::support::acme::Acme;
use crate::support::app::eventually;
use crate::support::client::{Asks, assert_has};
use crate::support::invitations::{accepts, declines, joins, looks_up};
use crate::support::orgs::{claims, text};
use crate::support::persona::{Administers, PASSWORD, Tokens};
use crate::support::stores::on_both_stores;

const WEEK: Duration = Duration::from_hours(7 * 24);
const OTHER: &str = "another calm brook, 43";

on_both_stores! {
    async fn the_link_tells_what_is_offered_and_by_whom(acme: Acme) {
        let me = json!({"first_name": "Olga", "last_name": "Winter"});
        let _ = acme.owner.patch("/v1/me").json(me).await.expect(200);
        let more = json!({"role": "admin", "message": "Hello"});
        let made = acme.invites(&acme.owner, "mia@example.org", more).await.told(201);
        let token = acme.token_of(&made);

        let offer = looks_up(&acme.app, &token).await.told(200);

        assert_has(&offer, json!({
            "id": made["id"], "email": "mia@example.org", "inviter": "Olga Winter", "role": "admin",
            "roles": ["admin"], "message": "Hello", "expires_at": made["expires_at"],
        }));
        assert_has(&offer["organization"], json!({"id": acme.org.id, "name": "acme", "slug": "acme"}));
        // Whether there is an account changes nothing.
        acme.app.holder_of("mia@example.org").await;
        assert_eq!(looks_up(&acme.app, &token).await.told(200), offer);
        looks_up(&acme.app.visitor(&acme.owner.door), &token).await.told(200);
    }

    /// The record is the truth, and the token names it or does not: nothing is read out of it.
    async fn forged_foreign_and_cut_tokens_are_one_answer(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let good = acme.token_of(&made);
        let elsewhere = acme.app.founds("Shop").await.development;
        let mut flipped = good.clone().into_bytes();
        flipped[7] = if flipped[7] == b'a' { b'b' } else { b'a' };
        let flipped = String::from_utf8(flipped).unwrap();
        let long = "a".repeat(2_000);
        let forged = [
            "x", &flipped, &good[..42], &good.to_uppercase(), &text(&made["id"]), &long,
            "eyJhbGciOiJub25lIn0.eyJvcmdfaWQiOiJ4In0.",
        ];

        for token in forged {
            let (lookup, accept, decline) = (
                looks_up(&acme.app, token).await, joins(&acme.app, token).await, declines(&acme.app, token).await,
            );
            for reply in [lookup, accept, decline] {
                assert_eq!(reply.outcome(), "404 not_found", "{token}");
            }
        }
        let visitor = acme.app.visitor(&elsewhere);
        looks_up(&visitor, &good).await.refuses(404, "not_found");
        joins(&visitor, &good).await.refuses(404, "not_found");
        declines(&visitor, &good).await.refuses(404, "not_found");
        looks_up(&acme.app, &good).await.told(200);
    }

    async fn whoever_holds_the_address_joins_as_himself(acme: Acme) {
        let team = acme.team("Design", &["viewer"]).await;
        let mia = acme.app.proven_person("mia@example.org").await;
        let more = json!({"role": "admin", "team_ids": [team["id"]]});
        let made = acme.invites(&acme.owner, "Mia@example.org", more).await.told(201);

        let member = accepts(&mia, &acme.token_of(&made)).await.told(200);

        assert_has(&member, json!({
            "org_id": acme.org.id, "user_id": mia.id, "role": "admin", "roles": ["admin"],
            "invited_by": acme.owner.id,
        }));
        assert_eq!(member["user"]["email"], "mia@example.org");
        let _ = mia.switches_to(Some(&acme.org)).await.expect(200);
        assert_has(&mia.claims(), json!({
            "org_id": acme.org.id, "org_roles": ["admin", "viewer"], "teams": [team["id"]],
        }));
        mia.get(&acme.at("/members")).await.told(200);
        assert_eq!(acme.org.counted(&acme.app, "member_count").await, 2);
        assert_eq!(acme.status_of(&made).await, "accepted");
        for name in [Name::InvitationAccepted, Name::MemberAdded] {
            let told = acme.app.events(&mia.door, name).await;
            let [told] = &told[..] else { panic!("{told:?}") };
            assert_eq!((told.outcome, told.actor.id.as_ref()), (Outcome::Success, Some(&mia.id)));
            assert_eq!(told.org_id.map(|id| id.to_string()), Some(acme.org.id.clone()));
        }
        accepts(&mia, &acme.token_of(&made)).await.refuses(410, "invitation_accepted");
    }

    async fn the_token_of_one_node_s_new_member_is_good_on_another(acme: Acme) {
        let node = acme.app.another_node(&[]).await;
        let made = acme.invited("mia@example.org", &["admin"]).await;

        let told = joins(&acme.app, &acme.token_of(&made)).await.told(201);

        let token = text(&told["access_token"]);
        let there = async || node.client().get(&acme.at("/members")).bearer(&token).await.status == 200;
        eventually(there).await;
        let again = node.client().post("/v1/orgs/invitations/accept");
        let again = again.json(json!({"token": acme.token_of(&made), "password": PASSWORD}));
        again.await.refuses(410, "invitation_accepted");
    }

    async fn another_account_is_not_the_addressee(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let max = acme.app.proven_person("max@example.org").await;

        accepts(&max, &acme.token_of(&made)).await.refuses(403, "not_addressee");

        assert!(!acme.is_member(&max.id).await);
        assert_eq!(acme.status_of(&made).await, "pending");
        let refused = &acme.app.events(&max.door, Name::InvitationAccepted).await[0];
        assert_eq!((refused.outcome, refused.details["reason"].as_str()), (Outcome::Denied, Some("not_addressee")));
        // Nor is whoever has another address by now.
        let mia = acme.app.holder_of("mia@example.org").await;
        let change = json!({"email": "new@example.org", "password": PASSWORD});
        let _ = mia.post("/v1/me/change-email").json(change).await.expect(202);
        let token = json!({"token": acme.app.letter_to("new@example.org").await.token()});
        let _ = acme.app.post("/v1/me/change-email/confirm").json(token).await.expect(200);
        let _ = mia.refreshes().await.expect(200);
        accepts(&mia, &acme.token_of(&made)).await.refuses(403, "not_addressee");
    }

    /// Sign up, verify, accept: the invitation waits.
    async fn an_address_must_be_proven_and_the_invitation_waits_for_it(acme: Acme) {
        let mia = acme.app.person("mia@example.org").await;
        let letter = acme.app.letter_to("mia@example.org").await;
        let made = acme.invited("mia@example.org", &["member"]).await;
        let own = format!("/v1/me/invitations/{}", text(&made["id"]));
        let none = json!([]);

        accepts(&mia, &acme.token_of(&made)).await.refuses(403, "email_not_verified");
        for verb in ["accept", "decline"] {
            mia.post(&format!("{own}/{verb}")).await.refuses(403, "email_not_verified");
        }
        assert_eq!(mia.get("/v1/me/invitations").await.told(200)["invitations"], none);

        let token = json!({"token": letter.token()});
        let _ = acme.app.post("/v1/verify-email").json(token).await.expect(200);
        let page = mia.get("/v1/me/invitations").await.told(200);
        assert_has(&page["invitations"][0], json!({"id": made["id"], "email": "mia@example.org"}));
        let member = mia.post(&format!("{own}/accept")).await.told(200);
        assert_has(&member, json!({"user_id": mia.id, "roles": ["member"]}));
        assert_eq!(mia.get("/v1/me/invitations").await.told(200)["invitations"], none);
        mia.post(&format!("{own}/accept")).await.refuses(410, "invitation_accepted");
    }

    async fn nobody_answers_another_s_invitation_by_its_identifier(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let max = acme.app.proven_person("max@example.org").await;

        for id in [text(&made["id"]), unknown("InvitationId")] {
            for verb in ["accept", "decline"] {
                let answered = max.post(&format!("/v1/me/invitations/{id}/{verb}")).await;
                answered.refuses(404, "not_found");
            }
        }
        assert_eq!(acme.status_of(&made).await, "pending");
    }

    async fn an_operator_who_acts_as_somebody_joins_nothing_for_him(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let mia = acme.app.holder_of("mia@example.org").await;
        let actor = acme.app.operator().await.becomes(&mia.id, &mia.door).await;

        accepts(&actor, &acme.token_of(&made)).await.refuses(403, "forbidden");
        let own = format!("/v1/me/invitations/{}/accept", text(&made["id"]));
        actor.post(&own).await.refuses(403, "forbidden");
        let stale = acme.app.post("/v1/orgs/invitations/accept").bearer("no.such.token");
        stale.json(json!({"token": acme.token_of(&made)})).await.refuses(401, "invalid_token");
        assert!(!acme.is_member(&mia.id).await);
    }

    async fn whoever_is_new_joins_in_one_step(acme: Acme) {
        let _ = acme.app.key().sets(&acme.owner.door, json!({"require_verification": true})).await.expect(200);
        let team = acme.team("Design", &["viewer"]).await;
        let more = json!({"role": "admin", "team_ids": [team["id"]]});
        let made = acme.invites(&acme.owner, "mia@example.org", more).await.told(201);

        let told = joins(&acme.app, &acme.token_of(&made)).await.told(201);

        assert_has(&told["user"], json!({
            "email": "mia@example.org", "email_verified": true, "first_name": "Mia",
            "last_name": "Kästner", "roles": ["USER"],
        }));
        assert_has(&told, json!({"org_id": acme.org.id, "token_type": "Bearer"}));
        let said = claims(&text(&told["access_token"]));
        assert_has(&said, json!({"org_id": acme.org.id, "org_roles": ["admin", "viewer"], "teams": [team["id"]]}));
        let tokens = Tokens::of(&told);
        acme.app.get(&acme.at("/members")).bearer(&tokens.access).await.told(200);
        let entered = acme.app.visitor(&acme.owner.door).enters("mia@example.org", PASSWORD).await;
        assert_eq!(entered.claims()["org_id"], acme.org.id);
        for name in [Name::UserSignedUp, Name::EmailVerified, Name::InvitationAccepted] {
            assert!(!acme.app.events(&acme.owner.door, name).await.is_empty(), "{name:?}");
        }
        joins(&acme.app, &acme.token_of(&made)).await.refuses(410, "invitation_accepted");
    }

    async fn a_newcomer_s_password_is_held_to_the_same_rules(acme: Acme) {
        let made = acme.invited("mia.kaestner@example.org", &["member"]).await;
        let token = acme.token_of(&made);
        let asks = async |password: Value| {
            let body = json!({"token": token, "password": password, "first_name": "Mia"});
            acme.app.post("/v1/orgs/invitations/accept").json(body).await
        };

        for weak in ["short", "password123", "mia.kaestner@example.org"] {
            assert_eq!(asks(json!(weak)).await.outcome(), "400 weak_password", "{weak}");
        }
        let missing = accepts(&acme.app, &token).await.refuses(400, "invalid_body");
        assert_eq!(missing["errors"][0]["pointer"], "/password");
        assert_eq!(asks(json!(7)).await.outcome(), "400 invalid_body");
        assert_eq!(acme.status_of(&made).await, "pending");
        assert_eq!(acme.app.user_count(&acme.owner.door).await, 1);
    }

    async fn an_address_with_an_account_signs_in_first(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let mia = acme.app.holder_of("mia@example.org").await;

        joins(&acme.app, &acme.token_of(&made)).await.refuses(401, "sign_in_required");
        accepts(&acme.app, &acme.token_of(&made)).await.refuses(401, "sign_in_required");

        assert_eq!(mia.me().await.told(200).get("first_name"), None);
        assert_eq!(acme.status_of(&made).await, "pending");
        accepts(&mia, &acme.token_of(&made)).await.told(200);
    }

    /// Whoever made an account with the address before its holder was invited is out of it.
    async fn an_account_that_nobody_has_proven_becomes_the_reader_s_alone(acme: Acme) {
        let given = json!({"first_name": "Eve", "username": "eve", "password": OTHER});
        let eve = acme.app.person_with("mia@example.org", given).await;
        let made = acme.invited("mia@example.org", &["member"]).await;

        let told = joins(&acme.app, &acme.token_of(&made)).await.told(201);

        assert_has(&told["user"], json!({"id": eve.id, "first_name": "Mia", "email_verified": true}));
        assert_eq!(told["user"].get("username"), None);
        eve.me().await.refuses(401, "invalid_token");
        eve.refreshes().await.refuses(401, "invalid_refresh_token");
        let visitor = eve.visitor();
        visitor.signs_in("mia@example.org", OTHER).await.refuses(401, "invalid_credentials");
        visitor.enters("mia@example.org", PASSWORD).await;
        assert!(acme.is_member(&eve.id).await);
    }

    async fn whoever_is_invited_comes_in_where_sign_up_is_closed(acme: Acme) {
        let _ = acme.app.key().sets(&acme.owner.door, json!({"signup_open": false})).await.expect(200);
        let made = acme.invited("mia@example.org", &["member"]).await;

        joins(&acme.app, &acme.token_of(&made)).await.told(201);

        let refused = acme.app.visitor(&acme.owner.door).signs_up("max@example.org", PASSWORD).await;
        refused.refuses(403, "signup_closed");
    }

    async fn whoever_says_no_has_said_so(acme: Acme) {
        let mia = acme.app.proven_person("mia@example.org").await;
        let by_link = acme.invited("max@example.org", &["member"]).await;
        let by_id = acme.invited("mia@example.org", &["member"]).await;

        let _ = declines(&acme.app, &acme.token_of(&by_link)).await.expect(204);
        let _ = mia.post(&format!("/v1/me/invitations/{}/decline", text(&by_id["id"]))).await.expect(204);

        for made in [&by_link, &by_id] {
            assert_eq!(acme.status_of(made).await, "declined");
            let token = acme.token_of(made);
            looks_up(&acme.app, &token).await.refuses(410, "invitation_declined");
            joins(&acme.app, &token).await.refuses(410, "invitation_declined");
            declines(&acme.app, &token).await.refuses(410, "invitation_declined");
        }
        assert_eq!(acme.app.events(&mia.door, Name::InvitationDeclined).await.len(), 2);
        acme.invited("mia@example.org", &["member"]).await;
    }

    async fn what_is_over_is_accepted_by_nobody(acme: Acme) {
        let mia = acme.app.proven_person("mia@example.org").await;
        let revoked = acme.invited("mia@example.org", &["member"]).await;
        let _ = acme.owner.delete(&acme.of_invitation(&revoked)).await.expect(204);
        let lapsed = acme.invited("mia@example.org", &["member"]).await;

        accepts(&mia, &acme.token_of(&revoked)).await.refuses(410, "invitation_revoked");
        acme.app.clock.advance(WEEK);
        let _ = mia.refreshes().await.expect(200);
        accepts(&mia, &acme.token_of(&lapsed)).await.refuses(410, "invitation_expired");
        let own = format!("/v1/me/invitations/{}/accept", text(&lapsed["id"]));
        mia.post(&own).await.refuses(410, "invitation_expired");
        joins(&acme.app, &acme.token_of(&lapsed)).await.refuses(410, "invitation_expired");
        declines(&acme.app, &acme.token_of(&lapsed)).await.refuses(410, "invitation_expired");

        let _ = acme.owner.refreshes().await.expect(200);
        let last = acme.invited("mia@example.org", &["member"]).await;
        let _ = acme.owner.delete(&acme.at("")).await.expect(204);
        accepts(&mia, &acme.token_of(&last)).await.refuses(404, "not_found");
        looks_up(&acme.app, &acme.token_of(&last)).await.refuses(404, "not_found");
        assert!(acme.stored_invitations().await.is_empty());
    }

    /// What counts is what the inviter may do at that moment, not what he could when he invited.
    async fn an_invitation_is_worth_no_more_than_its_inviter_s_present_rights(acme: Acme) {
        let mia = acme.app.proven_person("mia@example.org").await;
        let deeds = ["demoted", "removed", "banned", "deleted"];
        for (at, deed) in deeds.into_iter().enumerate() {
            let admin = acme.joined(&format!("pia{at}@example.org"), &["admin"]).await;
            let made = acme.invites(&admin.person, "mia@example.org", json!({"role": "admin"})).await.told(201);
            let token = acme.token_of(&made);
            match deed {
                "demoted" => { acme.org.changes(&acme.owner, &admin.member_id, &["member"]).await.told(200); }
                "removed" => { let _ = acme.org.removes(&acme.owner, &admin.member_id).await.expect(204); }
                "banned" => { let _ = acme.app.key().bans(&admin.person.id, json!({})).await.expect(200); }
                _ => { let _ = acme.app.key().deletes(&admin.person.id).await.expect(204); }
            }

            let refused = accepts(&mia, &token).await;

            let expected = if deed == "deleted" { "410 invitation_revoked" } else { "409 invitation_void" };
            assert_eq!(refused.outcome(), expected, "{deed}");
            assert!(!acme.is_member(&mia.id).await, "{deed}");
            let left = acme.owner.get(&acme.of_invitation(&made)).await.told(200);
            assert_eq!(left.get("inviter_id").is_none(), deed == "deleted", "{left}");
            if deed != "deleted" {
                // Whoever sends it anew stands behind it.
                let resend = format!("{}/resend", acme.of_invitation(&made));
                acme.owner.post(&resend).await.told(200);
                accepts(&mia, &acme.token_of_generation(&made, 2)).await.told(200);
                let _ = acme.org.is_left_by(&mia).await.expect(204);
                let _ = mia.refreshes().await;
            }
        }
    }

    async fn a_role_that_is_gone_or_beyond_the_inviter_by_now_is_not_given(acme: Acme) {
        let auditor = acme.defines("auditor", &[("organization_events", "read")]).await;
        let mia = acme.app.proven_person("mia@example.org").await;
        let made = acme.invited("mia@example.org", &["member", "auditor"]).await;
        acme.forgets_role(&auditor).await;

        accepts(&mia, &acme.token_of(&made)).await.refuses(409, "invitation_void");

        let _ = acme.owner.delete(&acme.of_invitation(&made)).await.expect(204);
        let admin = acme.joined("pia@example.org", &["admin"]).await;
        acme.defines("liquidator", &[("organization", "delete")]).await;
        let team = acme.team("Design", &["viewer"]).await;
        let more = json!({"team_ids": [team["id"]]});
        let made = acme.invites(&admin.person, "mia@example.org", more).await.told(201);
        let raised = json!({"roles": ["liquidator"]});
        acme.owner.patch(&acme.of_team(&team)).json(raised).await.told(200);
        accepts(&mia, &acme.token_of(&made)).await.refuses(409, "invitation_void");
        assert!(!acme.is_member(&mia.id).await);
        assert_eq!(acme.owner.get(&acme.of_team(&team)).await.told(200)["member_count"], 0);
    }

    /// Who was added meanwhile, and removed again, does not come back by an offer from before.
    async fn a_place_closes_the_offer_of_one_however_it_came(acme: Acme) {
        let mia = acme.app.proven_person("mia@example.org").await;
        let made = acme.invited("mia@example.org", &["admin"]).await;
        let member = acme.org.takes(&mia, &["viewer"]).await;
        assert_eq!(acme.status_of(&made).await, "revoked");
        let _ = acme.owner.delete(&acme.at(&format!("/members/{member}"))).await.expect(204);

        let own = format!("/v1/me/invitations/{}/accept", text(&made["id"]));
        mia.post(&own).await.refuses(410, "invitation_revoked");

        accepts(&mia, &acme.token_of(&made)).await.refuses(410, "invitation_revoked");
        assert_eq!(acme.org.roles_of(&mia).await, None);
    }

    async fn a_team_that_is_gone_is_left_out(acme: Acme) {
        let (kept, gone) = (acme.team("Kept", &[]).await, acme.team("Gone", &["admin"]).await);
        let mia = acme.app.proven_person("mia@example.org").await;
        let more = json!({"team_ids": [kept["id"], gone["id"]]});
        let made = acme.invites(&acme.owner, "mia@example.org", more).await.told(201);
        let _ = acme.owner.delete(&acme.of_team(&gone)).await.expect(204);

        accepts(&mia, &acme.token_of(&made)).await.told(200);

        let _ = mia.switches_to(Some(&acme.org)).await.expect(200);
        assert_has(&mia.claims(), json!({"teams": [kept["id"]], "org_roles": ["member"]}));
    }

    async fn a_full_organisation_takes_nobody_and_a_member_joins_once(acme: Acme) {
        let mia = acme.app.proven_person("mia@example.org").await;
        let made = acme.invited("mia@example.org", &["admin"]).await;
        let most = |most: Value| acme.app.key().patch(&acme.at("")).json(json!({"max_members": most}));
        most(json!(1)).await.told(200);

        accepts(&mia, &acme.token_of(&made)).await.refuses(409, "seat_limit");
        let stranger = acme.invited("max@example.org", &["member"]).await;
        joins(&acme.app, &acme.token_of(&stranger)).await.refuses(409, "seat_limit");

        assert_eq!(acme.status_of(&made).await, "pending");
        assert_eq!(acme.app.user_count(&mia.door).await, 2, "nobody is left behind");
        most(Value::Null).await.told(200);
        acme.org.takes(&mia, &["viewer"]).await;
        accepts(&mia, &acme.token_of(&made)).await.refuses(410, "invitation_revoked");
        assert_eq!(acme.org.roles_of(&mia).await, Some(vec!["viewer".to_owned()]));
        assert_eq!(acme.org.members().await.len(), 2);
    }

    async fn whoever_leaves_the_app_leaves_no_invitation(acme: Acme) {
        let mia = acme.app.proven_person("mia@example.org").await;
        acme.invited("mia@example.org", &["member"]).await;
        let other = acme.invited("max@example.org", &["member"]).await;
        // The address of an account that nobody has proven may be another's.
        let eve = acme.app.person("max@example.org").await;

        let _ = mia.leaves(PASSWORD).await.expect(204);
        let _ = eve.leaves(PASSWORD).await.expect(204);

        let left = acme.stored_invitations().await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].id.to_string(), text(&other["id"]));
    }
}
