//! What is done in organisations, with every filter and page.

use serde_json::json;

use super::Scenario;
use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::orgs::text;

impl Scenario {
    pub(super) async fn works_in_organizations(&mut self, app: &TestApp) {
        let (orla, otto) = (
            app.person("umbra.orla@example.org").await,
            app.person("umbra.otto@example.org").await,
        );
        let new = json!({"name": "Umbra", "slug": "umbra"});
        let org = self.calls("orgs.create", orla.post("/v1/orgs").json(new).await);
        let org = text(&org["id"]);
        let at = format!("/v1/orgs/{org}");
        let changes = json!({"name": "Umbra Ltd", "slug": "umbra-ltd"});
        self.calls("orgs.update", orla.patch(&at).json(changes).await);
        self.calls("orgs.read", orla.get(&at).await);
        let free = "/v1/orgs/check-slug?slug=umbra";
        self.calls("orgs.check_slug", orla.get(free).await);
        for query in ["", "?limit=1"] {
            let (own, mine) = (format!("/v1/orgs{query}"), format!("/v1/me/orgs{query}"));
            self.calls("orgs.list", orla.get(&own).await);
            self.calls("me.orgs", orla.get(&mine).await);
            let events = format!("{at}/events{query}");
            self.calls("orgs.events.list", orla.get(&events).await);
        }
        for query in ["", "?limit=1", "?slug=umb&include=total"] {
            let all = format!("/v1/admin/orgs{query}");
            self.calls("admin.orgs.list", app.key().get(&all).await);
        }
        let switch = json!({"org_id": org});
        let switched = orla.post("/v1/me/switch-org").json(switch).await;
        self.calls("me.switch_org", orla.keeps(switched));

        let new = json!({"user_id": otto.id, "role": "member"});
        let members = format!("{at}/members");
        let added = self.calls("orgs.members.add", app.key().post(&members).json(new).await);
        let otto_is = text(&added["id"]);
        let of_otto = format!("{members}/{otto_is}");
        self.calls("orgs.members.list", orla.get(&members).await);
        self.calls("orgs.members.read", orla.get(&of_otto).await);
        let roles = json!({"roles": ["admin", "viewer"]});
        let patch = orla.patch(&of_otto).json(roles);
        self.calls("orgs.members.update", patch.await);
        self.works_in_teams(app, &at, &otto_is).await;

        let heir = json!({"member_id": otto_is});
        let handed = orla.post(&format!("{at}/transfer")).json(heir);
        self.calls("orgs.transfer", handed.await);
        let _ = orla.refreshes().await.expect(200);
        self.calls("orgs.leave", orla.post(&format!("{at}/leave")).await);
        let again = json!({"user_id": orla.id, "role": "viewer"});
        let again = app.key().post(&members).json(again).await.told(201);
        let of_orla = format!("{members}/{}", text(&again["id"]));
        self.calls("orgs.members.remove", app.key().delete(&of_orla).await);
        self.calls("orgs.delete", app.key().delete(&at).await);
    }

    async fn works_in_teams(&mut self, app: &TestApp, at: &str, member: &str) {
        let (key, teams) = (app.key(), format!("{at}/teams"));
        let new = json!({"name": "Design", "roles": ["viewer"]});
        let team = self.calls("orgs.teams.create", key.post(&teams).json(new).await);
        let team = format!("{teams}/{}", text(&team["id"]));
        for query in ["", "?limit=1"] {
            let list = format!("{teams}{query}");
            self.calls("orgs.teams.list", key.get(&list).await);
        }
        self.calls("orgs.teams.read", key.get(&team).await);
        let members = format!("{team}/members");
        let new = json!({"member_id": member, "role": "member"});
        let added = key.post(&members).json(new);
        self.calls("orgs.teams.members.add", added.await);
        self.calls("orgs.teams.members.list", key.get(&members).await);
        let place = format!("{members}/{member}");
        let lead = key.patch(&place).json(json!({"role": "lead"}));
        self.calls("orgs.teams.members.update", lead.await);
        let roles = key.patch(&team).json(json!({"roles": ["member"]}));
        self.calls("orgs.teams.update", roles.await);
        self.calls("orgs.teams.members.remove", key.delete(&place).await);
        self.calls("orgs.teams.delete", key.delete(&team).await);
    }
}
