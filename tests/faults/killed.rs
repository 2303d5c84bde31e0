//! Servers that are killed in the middle of writes, again and again.

use rustix::process::Signal;

use super::house::House;
use super::{Form, PATIENCE, run, until};
use crate::e2e::server::Home;

/// Kills servers in turn, each some acknowledged requests after the one before.
async fn are_killed(house: &mut House, times: usize) {
    for turn in 0..times {
        let before = house.load.ledger.counts().done;
        let some = 3 + turn * 7 % 20;
        until("some more is done", PATIENCE, async || {
            (house.load.ledger.counts().done >= before + some).then_some(())
        })
        .await;
        let at = turn % house.servers.len();
        house.servers[at].process.signal(Signal::KILL);
        house.servers[at].process.ended().await;
        house.starts_again(at).await;
    }
}

async fn nothing_is_lost(home: Home, servers: usize) {
    let mut house = House::of(home, servers, None).await;
    let form = Form::asked_for();
    let crowd = house.load.begins(1).await;

    are_killed(&mut house, form.kills).await;

    crowd.ends().await;
    let counts = house.load.holds().await;
    assert!(counts.done > form.kills, "{counts:?}");
    // Whoever was killed with an event in hand has it for a minute.
    house.load.is_told_to(&house.receiver).await;
}

/// RL-16.
#[test]
fn nothing_that_a_server_acknowledged_before_it_was_killed_is_lost_on_sqlite() {
    run(async {
        nothing_is_lost(Home::embedded(), 1).await;
    });
}

#[test]
fn nothing_that_a_server_acknowledged_before_it_was_killed_is_lost_on_mongo() {
    run(async {
        nothing_is_lost(Home::on_mongodb(), 2).await;
    });
}
