//! Invitations that several answer, revoke or lose at once: one outcome, and nothing half done.

use authsome::users::User;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::client::{Asks, Client, Reply};
use crate::support::dump::collections;
use crate::support::invitations::{accepts, joins};
use crate::support::orgs::text;
use crate::support::persona::Person;
use crate::support::stores::on_both_stores;

fn outcomes(replies: &[Reply]) -> Vec<String> {
    replies.iter().map(Reply::outcome).collect()
}

fn counted(replies: &[Reply], outcome: &str) -> usize {
    replies.iter().filter(|it| it.outcome() == outcome).count()
}

/// Everything that is left says the same of who is in which organisation.
async fn is_consistent(acme: &Acme) {
    let stored = collections(acme.app.location()).await;
    let organizations = &stored["authsome_organizations"];
    let is_there = |part: &&Value| organizations.iter().any(|it| it["_id"] == part["org_id"]);
    for parts in [
        "authsome_members",
        "authsome_team_members",
        "authsome_invitations",
    ] {
        let orphan = stored[parts].iter().find(|part| !is_there(part));
        assert_eq!(orphan, None, "{parts}");
    }
    for organization in organizations {
        let is_in = |member: &&Value| member["org_id"] == organization["_id"];
        let count = stored["authsome_members"].iter().filter(is_in).count();
        assert_eq!(json!(count), organization["member_count"]);
    }
}

/// Somebody with a proven address, and his invitation.
async fn invited(acme: &Acme, email: &str) -> (Person, String, String) {
    let made = acme.invited(email, &["member"]).await;
    let person = acme.app.holder_of(email).await;
    (person, acme.token_of(&made), acme.of_invitation(&made))
}

/// Of an acceptance here and a revocation there one happens.
async fn accepted_or_revoked(acme: &Acme, there: &Client) {
    for round in 0..8 {
        let (mia, token, at) = invited(acme, &format!("mia{round}@example.org")).await;
        let accepting = async { accepts(&mia, &token).await };
        let revoking = async { there.delete(&at).bearer(&acme.owner.access_token()).await };

        let (accepted, revoked) = join(accepting, revoking).await;

        let told = (accepted.outcome(), revoked.outcome());
        let is_in = acme.is_member(&mia.id).await;
        match (&*told.0, &*told.1) {
            ("200", "410 invitation_accepted") => assert!(is_in),
            ("410 invitation_revoked", "204") => assert!(!is_in),
            _ => panic!("{told:?}"),
        }
    }
    is_consistent(acme).await;
}

/// Nobody joins here an organisation that is deleted there meanwhile.
async fn joined_or_deleted(acme: &Acme, there: &Client) {
    for round in 0..8 {
        let org = acme.app.org(&format!("acme-{round}"), &acme.owner).await;
        let team = json!({"name": "Design"});
        let team = acme
            .owner
            .post(&org.path("/teams"))
            .json(team)
            .await
            .told(201);
        let email = format!("mia{round}@example.org");
        let new = json!({"email": email, "team_ids": [team["id"]]});
        let made = acme
            .owner
            .post(&org.path("/invitations"))
            .json(new)
            .await
            .told(201);
        let token = acme.token_of(&made);
        let mia = if round % 2 == 0 {
            Some(acme.app.holder_of(&email).await)
        } else {
            None
        };
        let accepting = async {
            match &mia {
                Some(mia) => accepts(mia, &token).await,
                None => joins(&acme.app, &token).await,
            }
        };
        let deleting = async {
            there
                .delete(&org.path(""))
                .bearer(&acme.owner.access_token())
                .await
        };

        let (accepted, deleted) = join(accepting, deleting).await;

        assert_eq!(deleted.outcome(), "204", "round {round}");
        let told = accepted.outcome();
        assert!(["200", "201", "404 not_found"].contains(&&*told), "{told}");
        is_consistent(acme).await;
        if let Some(mia) = &mia {
            let own = mia.get("/v1/me/orgs").await.told(200);
            assert_eq!(own["organizations"], json!([]));
        }
    }
}

on_both_stores! {
    async fn of_twenty_who_accept_one_invitation_one_does(acme: Acme) {
        let (mia, token, _) = invited(&acme, "mia@example.org").await;
        let asks = (0..20).map(async |_| accepts(&mia, &token).await);

        let replies = join_all(asks).await;

        let told = outcomes(&replies);
        assert_eq!(counted(&replies, "200"), 1, "{told:?}");
        assert_eq!(counted(&replies, "410 invitation_accepted"), 19, "{told:?}");
        assert_eq!(acme.org.members().await.len(), 2);
        is_consistent(&acme).await;
    }

    async fn of_twenty_newcomers_with_one_link_one_comes_in(acme: Acme) {
        let made = acme.invited("mia@example.org", &["member"]).await;
        let token = acme.token_of(&made);
        let asks = (0..20).map(async |_| joins(&acme.app, &token).await);

        let replies = join_all(asks).await;

        let told = outcomes(&replies);
        assert_eq!(counted(&replies, "201"), 1, "{told:?}");
        // Who finds the account before the invitation is told to sign in.
        let others = counted(&replies, "410 invitation_accepted") + counted(&replies, "401 sign_in_required");
        assert_eq!(others, 19, "{told:?}");
        let users: Vec<User> = acme.app.of_app(&acme.owner.door).await;
        assert_eq!(users.len(), 2);
        is_consistent(&acme).await;
    }

    async fn of_an_acceptance_and_a_revocation_one_happens(acme: Acme) {
        accepted_or_revoked(&acme, acme.app.client()).await;
    }

    async fn of_an_acceptance_and_a_revocation_at_two_nodes_one_happens(acme: Acme) {
        let node = acme.app.another_node(&[]).await;
        accepted_or_revoked(&acme, node.client()).await;
    }

    async fn of_an_acceptance_and_another_secret_one_happens(acme: Acme) {
        for round in 0..6 {
            let (mia, token, at) = invited(&acme, &format!("mia{round}@example.org")).await;
            let accepting = async { accepts(&mia, &token).await };
            let resending = async { acme.owner.post(&format!("{at}/resend")).await };

            let (accepted, resent) = join(accepting, resending).await;

            let told = (accepted.outcome(), resent.outcome());
            let is_in = acme.is_member(&mia.id).await;
            match (&*told.0, &*told.1) {
                ("200", "410 invitation_accepted") => assert!(is_in),
                ("404 not_found", "200") => assert!(!is_in),
                _ => panic!("{told:?}"),
            }
        }
    }

    async fn nobody_joins_an_organisation_that_is_deleted_meanwhile(acme: Acme) {
        joined_or_deleted(&acme, acme.app.client()).await;
    }

    async fn nobody_joins_an_organisation_that_another_node_deletes_meanwhile(acme: Acme) {
        let node = acme.app.another_node(&[]).await;
        joined_or_deleted(&acme, node.client()).await;
    }

    async fn fifty_who_accept_at_once_get_exactly_the_seats(acme: Acme) {
        let (seats, node) = (11, acme.app.another_node(&[]).await);
        let many = (0..50).map(|number| json!({"email": format!("mia{number}@example.org")}));
        let all = json!({"invitations": many.collect::<Vec<_>>()});
        let told = acme.owner.post(&acme.at("/invitations/bulk")).json(all).await.told(200);
        let results = told["results"].as_array().expect("a list");
        let tokens: Vec<String> = results.iter().map(|it| acme.token_of(&it["invitation"])).collect();
        let limited = json!({"max_members": seats});
        acme.app.key().patch(&acme.at("")).json(limited).await.told(200);
        let asks = tokens.iter().enumerate().map(async |(at, token)| {
            if at % 2 == 0 { joins(&acme.app, token).await } else { joins(node.client(), token).await }
        });

        let replies = join_all(asks).await;

        let told = outcomes(&replies);
        assert_eq!(counted(&replies, "201"), seats - 1, "{told:?}");
        assert_eq!(counted(&replies, "409 seat_limit"), 50 - (seats - 1), "{told:?}");
        assert_eq!(acme.org.members().await.len(), seats);
        let users: Vec<User> = acme.app.of_app(&acme.owner.door).await;
        assert_eq!(users.len(), seats, "whoever found no seat left no account");
        is_consistent(&acme).await;
    }

    async fn fifty_who_accept_their_own_at_two_nodes_get_exactly_the_seats(acme: Acme) {
        let (seats, node) = (11, acme.app.another_node(&[]).await);
        let many = (0..50).map(|number| json!({"email": format!("mia{number}@example.org")}));
        let all = json!({"invitations": many.collect::<Vec<_>>()});
        let told = acme.owner.post(&acme.at("/invitations/bulk")).json(all).await.told(200);
        let mut people = Vec::new();
        for made in told["results"].as_array().expect("a list") {
            let mia = acme.app.holder_of(&text(&made["email"])).await;
            people.push((mia, format!("/v1/me/invitations/{}/accept", text(&made["invitation"]["id"]))));
        }
        let limited = json!({"max_members": seats});
        acme.app.key().patch(&acme.at("")).json(limited).await.told(200);
        let asks = people.iter().enumerate().map(async |(at, (mia, accept))| {
            let client = if at % 2 == 0 { acme.app.client() } else { node.client() };
            client.post(accept).bearer(&mia.access_token()).await
        });

        let replies = join_all(asks).await;

        let told = outcomes(&replies);
        assert_eq!(counted(&replies, "200"), seats - 1, "{told:?}");
        assert_eq!(counted(&replies, "409 seat_limit"), 50 - (seats - 1), "{told:?}");
        assert_eq!(acme.org.members().await.len(), seats);
        is_consistent(&acme).await;
    }

    async fn of_twenty_invitations_to_one_address_one_is_made(acme: Acme) {
        let asks = (0..20).map(async |_| acme.invites(&acme.owner, "mia@example.org", json!({})).await);

        let replies = join_all(asks).await;

        let told = outcomes(&replies);
        assert_eq!(counted(&replies, "201"), 1, "{told:?}");
        assert_eq!(counted(&replies, "409 already_invited"), 19, "{told:?}");
        assert_eq!(acme.stored_invitations().await.len(), 1);
        let own = &replies.iter().find(|it| it.status == 201).expect("one").json();
        assert_eq!(acme.stored_invitations().await[0].id.to_string(), text(&own["id"]));
    }
}
