//! A replica set that loses its primary in every way there is, under load.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use super::asking::{As, Ask};
use super::cluster::Cluster;
use super::house::House;
use super::network::{Crossing, Network};
use super::{Form, NORMAL, lasts, run, until};
use crate::e2e::server::{Home, text};

/// Nobody waits longer for an answer, be it a refusal: a request may take 15 seconds, its body as many.
const SLOWEST: Duration = Duration::from_secs(31);
/// How long whoever asks whether a node is back to normal waits before he asks anew.
const LOOK: Duration = Duration::from_secs(5);
/// How long a node may not know that it is cut off: an election, and a look at every member.
const UNAWARE: Duration = Duration::from_secs(5);
/// How much longer everything takes on a slow network, each way.
const DELAY: Duration = Duration::from_millis(50);

/// Two nodes on three members.
struct Rig {
    network: Network,
    cluster: Cluster,
    house: House,
    form: Form,
}

/// Somebody who is let in everywhere.
const SOMEBODY: &str = "somebody@example.org";
/// Somebody who is banned while a node cannot hear of it.
const OUTCAST: &str = "outcast@example.org";

impl Rig {
    async fn start() -> Self {
        let network = Network::new();
        let cluster = Cluster::of(3, &network).await;
        let home = Home::on_mongodb().with("STORE__URL", cluster.url());
        let house = House::of(home, 2, Some(&network)).await;
        for address in [SOMEBODY, OUTCAST] {
            house.load.somebody(address).await;
        }
        Self {
            network,
            cluster,
            house,
            form: Form::asked_for(),
        }
    }

    /// These nodes are back to normal, in time since the fault.
    async fn recovers(&self, what: &str, nodes: &[usize], since: Instant) {
        let load = &self.house.load;
        let each = nodes.iter().map(async |node| {
            // What a member that hangs was asked before a node knew of another is answered by nobody.
            let look = async || {
                let told = timeout(LOOK, load.is_normal(*node, SOMEBODY)).await;
                told.ok().flatten()
            };
            until(what, NORMAL, look).await;
        });
        join_all(each).await;
        let took = since.elapsed();
        eprintln!("{what}: back to normal after {took:?}");
        assert!(took < NORMAL, "{what}: {took:?}");
    }

    /// Another member than this is primary.
    async fn is_replaced(&self, member: usize) {
        until("another primary", NORMAL, async || {
            self.cluster.primary().await.filter(|it| *it != member)
        })
        .await;
    }

    async fn the_primary_is_killed(&mut self) {
        let primary = self.cluster.elected().await;
        let since = Instant::now();
        self.cluster.kill(primary);
        self.is_replaced(primary).await;
        self.recovers("killed", &[0, 1], since).await;
        self.cluster.start_again(primary, &self.network);
        self.cluster.is_whole().await;
    }

    async fn the_primary_steps_down(&mut self) {
        let primary = self.cluster.elected().await;
        let since = Instant::now();
        self.cluster.step_down(primary).await;
        self.is_replaced(primary).await;
        self.recovers("stepped down", &[0, 1], since).await;
        self.cluster.is_whole().await;
    }

    async fn the_primary_is_stopped(&mut self) {
        let primary = self.cluster.elected().await;
        let since = Instant::now();
        self.cluster.stop(primary);
        self.is_replaced(primary).await;
        self.recovers("stopped", &[0, 1], since).await;
        lasts(self.form.silence.saturating_sub(since.elapsed())).await;
        let since = Instant::now();
        self.cluster.resume(primary);
        self.recovers("resumed", &[0, 1], since).await;
        self.cluster.is_whole().await;
    }

    /// The primary and one node are on an island; what happens on the mainland counts there as well.
    async fn the_primary_is_cut_off_with_a_node(&mut self, crossing: Crossing) {
        let load = &self.house.load;
        let outcast = load.signs_in(0, OUTCAST).await.expect("he is let in yet");
        let primary = self.cluster.elected().await;
        let island = [
            self.cluster.process(primary),
            self.house.servers[0].process.id(),
        ];
        let since = Instant::now();
        self.network.part(&island, crossing);
        self.is_replaced(primary).await;
        self.recovers("the mainland", &[1], since).await;
        let path = format!("/v1/admin/users/{}/ban", text(&outcast, "/user/id"));
        let ban = Ask::post(path, json!({})).by(&load.backend);
        until("he is banned", NORMAL, async || {
            load.ask(1, &ban).await.done()
        })
        .await;

        self.is_let_in_nowhere(&As::Holder(text(&outcast, "/access_token")))
            .await;

        let since = Instant::now();
        self.network.heal();
        self.recovers("healed", &[0, 1], since).await;
        self.cluster.is_whole().await;
        assert_eq!(load.signs_in(0, OUTCAST).await, None);
        let path = format!("/v1/admin/users/{}/unban", text(&outcast, "/user/id"));
        let unban = Ask::post(path, json!({})).by(&load.backend);
        assert!(load.insists(&unban).await.done().is_some());
    }

    /// The node on the island begins no session for who is banned elsewhere, and soon knows that it
    /// cannot tell who is.
    async fn is_let_in_nowhere(&self, outcast: &As) {
        let (load, since) = (&self.house.load, Instant::now());
        let mut last_seen = Duration::ZERO;
        while since.elapsed() < self.form.silence.max(UNAWARE) {
            let (me, again) = futures_util::future::join(
                load.ask(0, &Ask::get("/v1/me").by(outcast)),
                load.signs_in(0, OUTCAST),
            )
            .await;
            assert_eq!(again, None, "a session was begun on the island");
            if me.done().is_some() {
                last_seen = since.elapsed();
            }
        }
        assert!(last_seen < UNAWARE, "{last_seen:?}");
    }

    async fn the_network_is_slow(&self) {
        self.network.slow_down(DELAY);
        lasts(self.form.slowness).await;
        let since = Instant::now();
        self.network.heal();
        self.recovers("slow", &[0, 1], since).await;
    }
}

/// RL-06, RL-07, RL-08.
#[test]
fn whatever_befalls_the_primary_nothing_acknowledged_is_lost() {
    run(async {
        let mut rig = Rig::start().await;
        let crowd = rig.house.load.begins(1).await;

        rig.the_primary_is_killed().await;
        rig.the_primary_steps_down().await;
        rig.the_primary_is_stopped().await;
        for crossing in [Crossing::Hang, Crossing::Cut] {
            rig.the_primary_is_cut_off_with_a_node(crossing).await;
        }
        rig.the_network_is_slow().await;

        crowd.ends().await;
        rig.house.load.is_told_to(&rig.house.receiver).await;
        let counts = rig.house.load.holds().await;
        assert_eq!(counts.lost, 0, "both servers live");
        assert!(counts.slowest < SLOWEST, "{counts:?}");
    });
}
