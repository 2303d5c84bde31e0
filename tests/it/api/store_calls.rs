//! What each of the operations that are asked for most costs the store: exactly, not at most.
//!
//! The clock says how fast a machine is; these numbers say how fast the server can be. A call more
//! in one of them is a round trip more for everybody, and a test that fails. Where a number is higher
//! than one would wish, its row says what for.
//!
//! ```text
//! a read, a write    one verb each; a conditional write that changes nothing is one too
//! a commit           a unit of several verbs is made to last; a single verb needs none
//! ```

use std::iter::repeat_n;

use authsome::store::Calls;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::client::Asks;
use crate::support::machines::keyed;
use crate::support::node::Node;
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::on_both_stores;

/// Operation, reads, writes, commits.
type Row = (&'static str, u64, u64, u64);

#[rustfmt::skip]
const WARM: &[Row] = &[
    // Token, policy and account are in memory; what revokes them is followed, and not asked for.
    ("me.read", 0, 0, 0),
    ("permissions.check", 0, 0, 0),
    // The same of his place there; what changes it on this node is marked, and elsewhere followed.
    ("permissions.check of an organization", 0, 0, 0),
    ("discovery.jwks", 0, 0, 0),
    // The form of the sign-up.
    ("client_config.read", 1, 0, 0),
    ("sessions.list", 1, 0, 0),
    // His standing; what is shown is of one instant with it.
    ("orgs.read", 4, 0, 0),
    ("me.orgs", 2, 0, 0),
    // His standing; the members, and their names.
    ("orgs.members.list of 11", 6, 0, 0),
    // A key is judged at every use: it may be revoked, and its owner less than he was.
    ("me.read by an API key", 2, 0, 0),
    ("users.read by a secret key", 2, 0, 0),
    ("admin.users.list by a secret key", 2, 0, 0),
    ("tokens.introspect of an access token", 1, 0, 0),
    ("tokens.exchange of an API key", 5, 1, 0),
    // Counted by his address; the app, its form, who has the address already. Counters, account, password,
    // device, session, and an event for each of them: all or nothing.
    ("auth.sign_up", 4, 12, 1),
    // Read: two counters, account, password, device, places. Written: both counters, and the try is settled;
    // account, device, session and event. Without guesses counted on all nodes it would be 4 and 4.
    ("auth.sign_in", 6, 7, 1),
    ("auth.sign_in with one organization", 10, 7, 1),
    // One conditional write: session and account are in memory where the node has refreshed before, and
    // the write is the judge of that; an address that is not proven yet is looked for again. His standing in an organisation is not.
    ("auth.refresh", 0, 1, 0),
    ("me.switch_org", 6, 1, 0),
    ("auth.refresh within an organization", 5, 1, 0),
    // The end of the session, what tells the other nodes, and the event.
    ("auth.sign_out", 0, 3, 1),
    // The organisation, its owner's account held, his place, and the event.
    ("orgs.create", 0, 4, 1),
    // Whatever is made up is refused without a look at the store.
    ("me.read by what is no token", 0, 0, 0),
    ("me.read by a misspelt key", 0, 0, 0),
    ("me.read after a sign-out", 0, 0, 0),
    ("auth.refresh by a forged token", 0, 0, 0),
    // Three counters (address, account, wrong passwords of the address), and the event. Of nobody it costs
    // the same, or it would tell that there is nobody (ASVS 6.3.8).
    ("auth.sign_in by a wrong password", 6, 5, 0),
    ("auth.sign_in of nobody", 6, 5, 0),
];

/// The first request of a node that has just started.
#[rustfmt::skip]
const COLD: &[Row] = &[
    // The signing keys of the environment, and the account.
    ("me.read", 2, 0, 0),
    ("permissions.check", 1, 0, 0),
    // The keys; the organisation, his place there and in its teams; what its app registers, and the roles
    // that its policy is made of.
    ("permissions.check of an organization", 7, 0, 0),
    // The publishable key, the environment and its settings, the rules of sessions, and the signing keys,
    // session and account: all of them in memory from then on.
    ("auth.refresh", 7, 1, 0),
];

on_both_stores! {
    async fn every_operation_costs_the_store_what_its_row_says(acme: Acme) {
        let mut ledger = Ledger::of(&acme).await;

        ledger.asks().await;
        ledger.asks_as_a_machine().await;
        ledger.comes_and_goes().await;
        ledger.is_refused().await;

        assert_eq!(ledger.rows, WARM);
    }

    async fn a_node_that_has_just_started_asks_no_more_than_it_must(acme: Acme) {
        let zoe = acme.app.person("zoe@example.org").await;
        let rights = json!({"checks": [{"resource": "me", "action": "read"}]});
        let mut ledger = Ledger::of(&acme).await;

        ledger.begins("me.read", async |node: &Node| {
            node.client().get("/v1/me").bearer(&zoe.access_token()).await.told(200)
        }).await;
        ledger.begins("permissions.check", async |node: &Node| {
            let ask = node.client().post("/v1/permissions/check").json(rights.clone());
            ask.bearer(&zoe.access_token()).await.told(200)
        }).await;
        let mut of_org = json!({"resource": "members", "action": "read"});
        of_org["org_id"] = json!(acme.org.id);
        let rights = json!({"checks": [of_org]});
        ledger.begins("permissions.check of an organization", async |node: &Node| {
            let ask = node.client().post("/v1/permissions/check").json(rights.clone());
            ask.bearer(&acme.owner.access_token()).await.told(200)
        }).await;
        ledger.begins("auth.refresh", async |node: &Node| {
            let there = zoe.visitor().by(node.client());
            let told = there.presents(&zoe.refresh_token()).await;
            zoe.keeps(told).told(200)
        }).await;

        assert_eq!(ledger.rows, COLD);
    }
}

/// Whoever asks, and what was counted so far.
struct Ledger<'a> {
    acme: &'a Acme,
    /// A member of the organisation, and somebody who is in none.
    mia: Person,
    zoe: Person,
    rows: Vec<Row>,
}

/// The noise of a node only adds: it looks for revocations four times a second where its store does
/// not tell by itself, and again for what was in memory for a second.
const TRIES: usize = 8;

fn fewer(fewest: Option<Calls>, calls: Calls) -> Calls {
    let before = fewest.filter(|it| it.verbs() <= calls.verbs());
    before.unwrap_or(calls)
}

impl<'a> Ledger<'a> {
    async fn of(acme: &'a Acme) -> Self {
        let mia = acme.joined("mia@example.org", &["admin"]).await.person;
        for nth in 0..9 {
            let email = format!("member-{nth}@example.org");
            acme.org.hires(&acme.app, &email, "member").await;
        }
        let zoe = acme.app.proven_person("zoe.k@example.org").await;
        acme.app.falls_silent().await;
        let rows = Vec::new();
        Self {
            acme,
            mia,
            zoe,
            rows,
        }
    }

    /// Counts what `asking` costs, each time about another of `things`.
    async fn counts<T, R>(
        &mut self,
        what: &'static str,
        things: impl IntoIterator<Item = T>,
        asking: impl AsyncFn(T) -> R,
    ) {
        let mut fewest = None;
        for thing in things {
            let store = self.acme.app.store();
            let before = store.counted();
            asking(thing).await;
            fewest = Some(fewer(fewest, store.counted() - before));
        }
        self.notes(what, fewest);
    }

    /// Counts what `asking` costs a node that has answered nothing yet.
    async fn begins<R>(&mut self, what: &'static str, asking: impl AsyncFn(&Node) -> R) {
        let mut fewest = None;
        for _ in 0..3 {
            let node = self.acme.app.another_node(&[]).await;
            node.falls_silent().await;
            let before = node.foundation().store.counted();
            asking(&node).await;
            fewest = Some(fewer(fewest, node.foundation().store.counted() - before));
        }
        self.notes(what, fewest);
    }

    fn notes(&mut self, what: &'static str, fewest: Option<Calls>) {
        let calls = fewest.expect("something is asked");
        self.rows
            .push((what, calls.reads, calls.writes, calls.commits));
    }

    /// Counts what is the same each time.
    async fn repeats<R>(&mut self, what: &'static str, asking: impl AsyncFn() -> R) {
        let all = repeat_n((), TRIES);
        self.counts(what, all, async |()| asking().await).await;
    }

    /// Mia on another device, within the organisation.
    async fn mia(&self) -> Person {
        let mia = self.mia.on_another_device().await;
        let _ = mia.switches_to(Some(&self.acme.org)).await.expect(200);
        mia
    }

    async fn asks(&mut self) {
        let (mia, visitor) = (self.mia().await, self.mia.visitor());
        let (members, own) = (self.acme.at("/members?limit=100"), self.acme.at(""));
        let rights = |check: &Value| {
            let body = json!({ "checks": [check] });
            mia.post("/v1/permissions/check").json(body)
        };
        let of_mia = json!({"resource": "me", "action": "read"});
        let mut of_org = json!({"resource": "members", "action": "read"});
        of_org["org_id"] = json!(self.acme.org.id);

        self.repeats("me.read", async || mia.me().await.told(200))
            .await;
        let asking = async || rights(&of_mia).await.told(200);
        self.repeats("permissions.check", asking).await;
        let asking = async || rights(&of_org).await.told(200);
        self.repeats("permissions.check of an organization", asking)
            .await;
        let asking = async || visitor.get("/.well-known/jwks.json").await.told(200);
        self.repeats("discovery.jwks", asking).await;
        let asking = async || visitor.get("/v1/client-config").await.told(200);
        self.repeats("client_config.read", asking).await;
        let asking = async || mia.sessions().await.told(200);
        self.repeats("sessions.list", asking).await;
        let asking = async || mia.get(&own).await.told(200);
        self.repeats("orgs.read", asking).await;
        let asking = async || mia.get("/v1/me/orgs").await.told(200);
        self.repeats("me.orgs", asking).await;
        let asking = async || {
            let page = mia.get(&members).await.told(200);
            assert_eq!(page["members"].as_array().map(Vec::len), Some(11));
        };
        self.repeats("orgs.members.list of 11", asking).await;
    }

    async fn asks_as_a_machine(&mut self) {
        let (app, key) = (&self.acme.app, self.acme.app.key());
        let own = app.key_of(&self.mia, keyed("Laptop", &["me:read"])).await;
        let user = format!("/v1/users/{}", self.mia.id);
        let token = json!({"token": self.mia.access_token()});

        let asking = async || own.get("/v1/me").await.told(200);
        self.repeats("me.read by an API key", asking).await;
        let asking = async || key.get(&user).await.told(200);
        self.repeats("users.read by a secret key", asking).await;
        let asking = async || key.get("/v1/admin/users").await.told(200);
        self.repeats("admin.users.list by a secret key", asking)
            .await;
        let asking = async || {
            let told = key.post("/v1/introspect").json(token.clone()).await;
            assert_eq!(told.told(200)["active"], true);
        };
        self.repeats("tokens.introspect of an access token", asking)
            .await;
        let asking = async || own.exchanges().await.told(200);
        self.repeats("tokens.exchange of an API key", asking).await;
    }

    async fn comes_and_goes(&mut self) {
        let (zoe, visitor) = (self.zoe.on_another_device().await, self.zoe.visitor());
        let mut going = Vec::new();
        for _ in 0..TRIES {
            going.push(visitor.enters_on(&zoe.email, DEVICE).await);
            self.zoe.visitor().enters_on(&self.mia.email, DEVICE).await;
        }
        let known = |person: &Person| {
            let body = json!({"email": person.email, "password": PASSWORD, "device_id": DEVICE});
            visitor.post("/v1/signin").json(body)
        };
        let other = self.mia.on_another_device().await;

        let asking = async |nth| {
            let email = format!("new-{nth}@example.org");
            visitor.signs_up(&email, PASSWORD).await.told(201)
        };
        self.counts("auth.sign_up", 0..TRIES, asking).await;
        let asking = async || known(&zoe).await.told(200);
        self.repeats("auth.sign_in", asking).await;
        let asking = async || known(&other).await.told(200);
        self.repeats("auth.sign_in with one organization", asking)
            .await;
        let asking = async || zoe.refreshes().await.told(200);
        self.repeats("auth.refresh", asking).await;
        let (mia, org) = (self.mia().await, &self.acme.org);
        let asking = async || mia.switches_to(Some(org)).await.told(200);
        self.repeats("me.switch_org", asking).await;
        let asking = async || mia.refreshes().await.told(200);
        self.repeats("auth.refresh within an organization", asking)
            .await;
        let asking = async |gone: Person| gone.signs_out().await.expect(204);
        self.counts("auth.sign_out", going, asking).await;
        let asking = async |nth| {
            let new = json!({"name": "Globex", "slug": format!("globex-{nth}")});
            zoe.post("/v1/orgs").json(new).await.told(201)
        };
        self.counts("orgs.create", 0..TRIES, asking).await;
    }

    async fn is_refused(&mut self) {
        let (app, mia) = (&self.acme.app, self.mia.on_another_device().await);
        let (visitor, gone) = (mia.visitor(), mia.on_another_device().await);
        let forged = format!("{}x", mia.refresh_token());
        let misspelt = format!("sk_test_{}", "0".repeat(49));
        let _ = gone.signs_out().await.expect(204);

        let asking = async || {
            let reply = app.get("/v1/me").bearer(&mia.refresh_token()).await;
            reply.refuses(401, "invalid_token")
        };
        self.repeats("me.read by what is no token", asking).await;
        let asking = async || {
            let reply = app.get("/v1/me").api_key(&misspelt).await;
            reply.refuses(401, "invalid_token")
        };
        self.repeats("me.read by a misspelt key", asking).await;
        let asking = async || gone.me().await.refuses(401, "invalid_token");
        self.repeats("me.read after a sign-out", asking).await;
        let asking = async || {
            let reply = mia.presents(&forged).await;
            reply.refuses(401, "invalid_refresh_token")
        };
        self.repeats("auth.refresh by a forged token", asking).await;
        let asking = async || {
            let reply = visitor.signs_in(&mia.email, "not the password").await;
            reply.refuses(401, "invalid_credentials")
        };
        self.repeats("auth.sign_in by a wrong password", asking)
            .await;
        let asking = async || {
            let reply = visitor.signs_in("nobody@example.org", PASSWORD).await;
            reply.refuses(401, "invalid_credentials")
        };
        self.repeats("auth.sign_in of nobody", asking).await;
    }
}

const DEVICE: &str = "the-telephone-of-mia";
