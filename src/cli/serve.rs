//! Serving, from the first breath of the process to its last.
//!
//! ```text
//! bind ─▶ begin ─────────────────────▶ serve ─▶ told to stop ─▶ not ready ─▶ drain ─▶ exit 0
//!           └─ the store is away ─▶ wait, alive and not ready ─┐     stop_delay  shutdown_timeout
//!                     ▲─────────────── still ──────────────────┘
//! ```

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt;
use anyhow::Context;
use rustix::process::Signal;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::timeout;

use super::log;
use super::run::said;
use crate::app::{Authsome, Background, Foundation, StartError, World};
use crate::config::{Config, Secrets};
use crate::http::wait_on;
use crate::kernel::measure::Stopwatch;
use crate::setup::Wanted;

/// How long a store that is away is left alone before it is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long the last answers may take on their way when everything else has taken its time.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// What a server is made of, as often as it takes.
struct Start {
    config: Config,
    secrets: Secrets,
    world: World,
    bound: SocketAddr,
}

/// Serves until the process is told to stop.
pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let mut stop = Stop::heeded()?;
    let bind = config.server.bind;
    let listener =
        TcpListener::bind(bind).with_context(|| format!("{bind} cannot be listened on"))?;
    listener.set_nonblocking(true)?;
    let world = World::real();
    let secrets = Secrets::resolve(&config.store, &config.security, &world.entropy)?;
    let bound = listener.local_addr()?;
    let start = Start {
        config,
        secrets,
        world,
        bound,
    };
    let _spared = survive_limits()?;
    let begun = Box::pin(start.begun(&listener, &mut stop));
    let Some((foundation, authsome)) = begun.await? else {
        return Ok(());
    };
    let (health, background) = (authsome.health.clone(), authsome.background());
    let server = authsome.serve(listener)?;
    let url = &foundation.tokens.issuer;
    let serving = format!("Serving on {url} (documentation: {url}/docs)");
    log::say(std::io::stdout(), &serving);
    tracing::info!(%bound, "serving");
    let handle = server.handle();
    let mut serving = rt::spawn(server);
    let graceful = tokio::select! {
        graceful = stop.told() => graceful,
        ended = &mut serving => return Ok(ended.context("the server stopped badly")??),
    };
    health.stop();
    tracing::info!(graceful, "stopping");
    if !graceful {
        handle.stop(false).await;
        return Ok(serving.await.context("the server stopped badly")??);
    }
    leave(&foundation.config.server, &handle, &background).await;
    Ok(())
}

/// Ends within the delay and the time for requests in flight, whatever is under way.
async fn leave(server: &crate::config::Server, handle: &ServerHandle, background: &Background) {
    let (delay, most) = (server.stop_delay, server.shutdown_timeout);
    let watch = Stopwatch::start();
    let draining = async {
        wait(delay).await;
        handle.pause().await;
        background.wind_down(most).await;
    };
    tokio::join!(background.hand_over(delay + most), draining);
    let rest = (delay + most).saturating_sub(watch.elapsed());
    let stopped = timeout(rest.max(LAST_BYTES), handle.stop(true)).await;
    if stopped.is_err() {
        tracing::warn!("a connection was not done in time");
    }
}

impl Start {
    /// A server that is ready to listen, as soon as its store can be used; nothing where the process
    /// is told to stop before. What it was about then is undone, as by any end of a process.
    async fn begun(
        &self,
        listener: &TcpListener,
        stop: &mut Stop,
    ) -> anyhow::Result<Option<(Foundation, Authsome)>> {
        let mut waiting: Option<ServerHandle> = None;
        let begun = loop {
            let attempt = tokio::select! {
                _ = stop.told() => break Ok(None),
                attempt = self.attempt() => attempt,
            };
            let why = match attempt {
                Err(why) if is_passing(&why) => why,
                begun => break begun.map(Some),
            };
            let why = format!("{why:#}");
            tracing::warn!(
                why,
                "not ready: the store cannot be used yet, waiting for it"
            );
            if waiting.is_none() {
                let server = wait_on(listener.try_clone()?, &self.world.entropy)?;
                waiting = Some(in_background(server));
            }
            tokio::select! {
                _ = stop.told() => break Ok(None),
                () = wait(AGAIN_AFTER) => {}
            }
        };
        if let Some(waiting) = waiting {
            waiting.stop(true).await;
        }
        begun
    }

    async fn attempt(&self) -> anyhow::Result<(Foundation, Authsome)> {
        let (config, secrets) = (self.config.clone(), self.secrets.clone());
        let foundation = Foundation::lay(config, secrets, self.world.clone(), self.bound).await?;
        if foundation.platform().await?.is_none() {
            let report = foundation.bootstrap(&Wanted::default()).await?;
            if report.is_new() {
                said(&report.text(&foundation.tokens.issuer))?;
            }
        }
        let noticed = foundation.notice_other_secrets().await;
        noticed.map_err(StartError::Store)?;
        let authsome = foundation.raise().await?;
        Ok((foundation, authsome))
    }
}

fn is_passing(why: &anyhow::Error) -> bool {
    let start = why.downcast_ref::<StartError>();
    start.is_some_and(StartError::is_passing)
}

fn in_background(server: Server) -> ServerHandle {
    let handle = server.handle();
    drop(rt::spawn(server));
    handle
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process that starts gives its store time, and one that stops gives others time to notice"
)]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A file that may not grow any more is an error of whoever writes it, as on a full disk, and no
/// reason to be killed (setrlimit(2), `RLIMIT_FSIZE`): as long as the answer is held.
fn survive_limits() -> std::io::Result<Signals> {
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))
}

/// The signals by which a process is told to stop; from when they are heeded, none kills it.
struct Stop {
    terminate: Signals,
    interrupt: Signals,
}

impl Stop {
    fn heeded() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Whether requests in flight may finish: they may by SIGTERM, but not by SIGINT.
    async fn told(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => false,
        }
    }
}
