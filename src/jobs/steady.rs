//! Steady work: what every node does for as long as it serves, and brings to an end when it stops.

use std::sync::Arc;

use actix_web::rt;
use tokio::sync::watch;

/// A job without a schedule, as its process holds it. Clones are one job.
#[derive(Debug, Clone)]
pub struct Steady {
    state: Arc<watch::Sender<State>>,
}

/// Tells a job that it is to end.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Running,
    Stopping,
}

impl Default for Steady {
    fn default() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(State::Idle)),
        }
    }
}

impl Steady {
    /// Works until [`Steady::stop`], on the runtime of the caller.
    pub fn start<W: Future<Output = ()> + 'static>(&self, work: impl FnOnce(Stopping) -> W) {
        let running = self.clone();
        running.state.send_replace(State::Running);
        let work = work(Stopping(running.state.subscribe()));
        rt::spawn(async move {
            work.await;
            running.state.send_replace(State::Idle);
        });
    }

    /// Asks for the end, and returns when the work is over.
    pub async fn stop(&self) {
        let stopping = |state: &mut State| {
            let runs = *state == State::Running;
            if runs {
                *state = State::Stopping;
            }
            runs
        };
        self.state.send_if_modified(stopping);
        let mut state = self.state.subscribe();
        // It cannot be closed: this handle holds the sender.
        let _ = state.wait_for(|state| *state == State::Idle).await;
    }
}

impl Stopping {
    /// Returns when the job is to end. A job that nobody holds any more ends as well.
    pub async fn asked(&mut self) {
        let _ = self.0.wait_for(|state| *state == State::Stopping).await;
    }
}
