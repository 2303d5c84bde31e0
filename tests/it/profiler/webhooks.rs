//! What is done with webhooks, and what the server does for them, with every filter and page.

use serde_json::json;

use super::Scenario;
use crate::support::acme::Acme;
use crate::support::app::eventually;
use crate::support::client::Asks;
use crate::support::orgs::text;

impl Scenario {
    pub(super) async fn listens(&mut self, acme: &Acme) {
        let key = acme.app.key();
        for org in [None, Some(&acme.org.id)] {
            let mut new = json!({"url": "https://hooks.example.com/", "events": ["*"]});
            if let Some(org) = org {
                new["org_id"] = json!(org);
            }
            let made = self.calls("webhooks.create", key.post("/v1/webhooks").json(new).await);
            let at = format!("/v1/webhooks/{}", text(&made["id"]));
            let query = org.map_or_else(String::new, |org| format!("&org_id={org}"));
            for limit in ["?limit=1", "?limit=20"] {
                let list = format!("/v1/webhooks{limit}{query}");
                self.calls("webhooks.list", key.get(&list).await);
            }
            self.calls("webhooks.read", key.get(&at).await);
            let patch = key.patch(&at).json(json!({"events": ["webhook.*"]}));
            self.calls("webhooks.update", patch.await);
            let rotate = key.post(&format!("{at}/rotate-secret"));
            self.calls("webhooks.rotate_secret", rotate.await);
            let sent = self.calls("webhooks.test", key.post(&format!("{at}/test")).await);
            self.waits_for_deliveries(acme, &at).await;
            let retry = format!("{at}/deliveries/{}/retry", text(&sent["id"]));
            self.calls("webhooks.deliveries.retry", key.post(&retry).await);
            self.calls("webhooks.delete", key.delete(&at).await);
        }
        for query in [
            "",
            "?limit=1",
            "?types=user.*",
            "?limit=1&types=user.signed_up",
        ] {
            let feed = format!("/v1/events{query}");
            let page = self.calls("events.list", key.get(&feed).await);
            let mark = if query.is_empty() { '?' } else { '&' };
            let next = format!("{feed}{mark}after={}", text(&page["next"]));
            self.calls("events.list", key.get(&next).await);
        }
    }

    async fn waits_for_deliveries(&mut self, acme: &Acme, at: &str) {
        let key = acme.app.key();
        let deliveries = format!("{at}/deliveries");
        eventually(async || {
            let page = key.get(&deliveries).await.told(200);
            page["deliveries"][0].get("failure").is_some()
        })
        .await;
        for query in [
            "",
            "?limit=1",
            "?status=pending",
            "?status=delivered&limit=1",
        ] {
            let page = key.get(&format!("{deliveries}{query}")).await;
            self.calls("webhooks.deliveries.list", page);
        }
    }
}
