//! Inviting people, and what becomes of it.

use serde_json::{Value, json};

use super::Scenario;
use crate::support::acme::Acme;
use crate::support::client::Asks;
use crate::support::invitations::{accepts, declines, looks_up};
use crate::support::orgs::text;

impl Scenario {
    pub(super) async fn invites_people(&mut self, acme: &Acme) {
        let (owner, at) = (&acme.owner, acme.at("/invitations"));
        let new = |email: &str| json!({"email": email, "role": "member"});
        let asked = owner.post(&at).json(new("lena@example.org")).await;
        let made = self.calls("orgs.invitations.create", asked);
        let several = json!({"invitations": [new("kai@example.org"), new("kim@example.org")]});
        let bulk = owner.post(&format!("{at}/bulk")).json(several).await;
        self.calls("orgs.invitations.create_all", bulk);
        for query in [
            "",
            "?limit=1",
            "?status=pending",
            "?status=expired",
            "?status=revoked",
        ] {
            let list = owner.get(&format!("{at}{query}")).await;
            self.calls("orgs.invitations.list", list);
        }
        let of_made = acme.of_invitation(&made);
        self.calls("orgs.invitations.read", owner.get(&of_made).await);
        let resent = owner.post(&format!("{of_made}/resend")).await;
        self.calls("orgs.invitations.resend", resent);
        self.calls("orgs.invitations.revoke", owner.delete(&of_made).await);
        self.answers_invitations(acme).await;
    }

    async fn answers_invitations(&mut self, acme: &Acme) {
        let lena = acme.app.holder_of("lena@example.org").await;
        let own =
            |made: &Value, verb: &str| format!("/v1/me/invitations/{}/{verb}", text(&made["id"]));
        let invited = async || acme.invited("lena@example.org", &["member"]).await;
        let made = invited().await;
        for query in ["", "?limit=1"] {
            let list = lena.get(&format!("/v1/me/invitations{query}")).await;
            self.calls("me.invitations.list", list);
        }
        let token = acme.token_of(&made);
        self.calls("orgs.invitations.lookup", looks_up(&acme.app, &token).await);
        self.calls(
            "orgs.invitations.decline",
            declines(&acme.app, &token).await,
        );
        let declined = lena.post(&own(&invited().await, "decline")).await;
        self.calls("me.invitations.decline", declined);
        let accepted = lena.post(&own(&invited().await, "accept")).await;
        let member = self.calls("me.invitations.accept", accepted);
        let member = acme.at(&format!("/members/{}", text(&member["id"])));
        let _ = acme.owner.delete(&member).await.expect(204);
        let token = acme.token_of(&invited().await);
        self.calls("orgs.invitations.accept", accepts(&lena, &token).await);
    }
}
