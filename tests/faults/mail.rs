//! A mail server that hangs: it takes connections, and says nothing.

use std::time::Duration;

use super::house::{generous, served};
use super::letters::Letters;
use super::load::Load;
use super::network::{Crossing, Network};
use super::{PATIENCE, run, until};
use crate::e2e::server::Home;
use crate::support::smtp::MailServer;

const PEOPLE: usize = 12;
/// What people are kept waiting by a hash on a busy machine, and by nothing else.
const PROMPT: Duration = Duration::from_secs(5);

fn address(number: usize) -> String {
    format!("mia-{number}@example.org")
}

/// RL-20: whoever signs up meanwhile does not notice, and has his letter in the end.
#[test]
fn a_mail_server_that_hangs_keeps_nobody_waiting_and_costs_no_letter() {
    run(async {
        let (network, mail) = (Network::new(), MailServer::start(&[]));
        let line = network.line_to(mail.port).await;
        line.leads_to(mail.id());
        let home = generous(Home::embedded())
            .with("MAIL__URL", format!("smtp://localhost:{}", line.port))
            .with("MAIL__TIMEOUT", "1s");
        let told = home.bootstrap(&[]);
        let island = [mail.id()];
        let server = served(&home, Some(&network)).await;
        let load = Load::on(vec![server.url.clone()], &told, Some(Letters::to(mail)));
        network.part(&island, Crossing::Hang);

        for number in 0..PEOPLE {
            load.somebody(&address(number)).await;
        }

        load.is_normal(0, &address(0))
            .await
            .expect("a server that serves");
        let counts = load.ledger.counts();
        assert_eq!((counts.away, counts.lost), (0, 0));
        assert!(counts.slowest < PROMPT, "{counts:?}");
        let letters = load.letters.as_ref().expect("a mailbox");
        assert_eq!(letters.token_for(&address(0)), None);
        network.heal();
        for number in 0..PEOPLE {
            until("a letter arrives", PATIENCE, async || {
                letters.token_for(&address(number))
            })
            .await;
        }
    });
}
