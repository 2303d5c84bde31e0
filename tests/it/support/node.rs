//! A node: everything that serves, in a thread of its own, as one process would.

use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::rt::{self, System};
use authsome::app::{Background, Foundation, World};
use authsome::config::{Config, Secrets};
use authsome::setup::Wanted;
use serde_json::Value;
use tokio::sync::oneshot;

use super::client::Client;

/// How long it may take over what it does beside requests, when that ends.
const LONG: Duration = Duration::from_secs(5);

/// Everything that serves, as one process would.
#[derive(Debug)]
pub struct Node {
    client: Client,
    pub(super) foundation: Foundation,
    background: Background,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// A node that listens, and what its start told.
    pub(super) async fn raise(config: Config, world: World) -> (Self, Value) {
        super::log::keep();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener
            .set_nonblocking(true)
            .expect("a listener that does not block");
        let bound = listener
            .local_addr()
            .expect("a bound listener has an address");
        let (up, raised) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let serve = move || System::new().block_on(serve((config, world), listener, up, stopped));
        let thread = thread::Builder::new()
            .name("server".to_owned())
            .spawn(serve);
        let (foundation, background, told) = raised.await.expect("the server starts");
        let thread = Some(thread.expect("a thread for the server"));
        (
            Self {
                client: Client::of(bound),
                foundation,
                background,
                stop: Some(stop),
                thread,
            },
            told,
        )
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn foundation(&self) -> &Foundation {
        &self.foundation
    }

    /// Ends what goes on beside requests: jobs, and the delivery of letters.
    pub async fn falls_silent(&self) {
        silence(&self.background).await;
    }
}

async fn silence(background: &Background) {
    background.hand_over(LONG).await;
    background.wind_down(LONG).await;
}

async fn serve(
    (config, world): (Config, World),
    listener: TcpListener,
    up: oneshot::Sender<(Foundation, Background, Value)>,
    stopped: oneshot::Receiver<()>,
) {
    let bound = listener
        .local_addr()
        .expect("a bound listener has an address");
    let secrets = Secrets::resolve(&config.store, &config.security, &world.entropy);
    let secrets = secrets.expect("the secrets of a test are good");
    let foundation = Foundation::lay(config, secrets, world, bound)
        .await
        .expect("a foundation");
    let told = foundation
        .bootstrap(&Wanted::default())
        .await
        .expect("a first start");
    let told = serde_json::to_value(told).expect("a report is JSON");
    let authsome = foundation.raise().await.expect("everything that serves");
    let background = authsome.background();
    let server = authsome.serve(listener).expect("a server that listens");
    let handle = server.handle();
    let serving = rt::spawn(server);
    let raised = (foundation, background.clone(), told);
    up.send(raised).expect("the test waits for its server");
    // An error is a test that is gone: the server goes as well.
    let _ = stopped.await;
    // A transaction that is left open keeps others from its documents for a minute.
    silence(&background).await;
    handle.stop(false).await;
    serving
        .await
        .expect("the server does not panic")
        .expect("the server stops well");
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            ended.transpose().expect("the server does not panic");
        }
    }
}
