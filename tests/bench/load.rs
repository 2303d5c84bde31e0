//! Load: clients who ask, each on a connection of his own, all of them in one thread.
//!
//! ```text
//! closed   each asks again once he was answered, for a time      how many a second can be answered
//! steady   somebody asks at every beat, whatever the answers do  how long an answer takes
//! ```
//!
//! The time of a steady load's answer counts from its beat: an answer that is late because those
//! before it were late has taken long, too. Only what a client has overslept is not the server's.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::{Answer, PATIENCE};

/// A client with this many failures has nothing more to say.
const ENOUGH: usize = 20;

/// What one client asks, again and again.
pub trait Asker {
    /// Writes the next request; `false` where there is none any more.
    fn ask(&mut self, request: &mut Vec<u8>) -> bool;

    fn hear(&mut self, answer: &Answer<'_>) -> Heard;
}

pub type Askers = Vec<Box<dyn Asker>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// What a right request gets.
    Right,
    /// Told to come again later, and when.
    Refused,
    Wrong,
}

impl Heard {
    /// By the status that a right request gets.
    pub fn by(answer: &Answer<'_>, status: u16) -> Self {
        if answer.status == status {
            return Self::Right;
        }
        let is_later = matches!(answer.status, 429 | 503);
        if is_later && answer.header("retry-after").is_some() {
            return Self::Refused;
        }
        Self::Wrong
    }

    /// What was right by its status only is right if this is so, too.
    pub fn if_also(self, is_so: impl FnOnce() -> bool) -> Self {
        if self == Self::Right && !is_so() {
            return Self::Wrong;
        }
        self
    }
}

/// What a load came to; times are sorted.
#[derive(Debug, Default)]
pub struct Load {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Of right answers.
    pub times: Vec<Duration>,
    pub refusals: Vec<Duration>,
    pub failed: usize,
    /// The first answer that was wrong, or why there was none.
    pub why: Option<String>,
}

impl Load {
    /// Right answers a second.
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The time within which this part of the right answers came.
    pub fn percentile(&self, part: f64) -> Duration {
        percentile(&self.times, part)
    }

    /// Everything but right answers.
    pub fn missed(&self) -> usize {
        self.failed + self.refusals.len()
    }

    fn failed(&mut self, why: String) {
        self.failed += 1;
        self.why.get_or_insert(why);
    }

    fn absorb(&mut self, other: Self) {
        self.times.extend(other.times);
        self.refusals.extend(other.refusals);
        self.failed += other.failed;
        self.why = self.why.take().or(other.why);
    }
}

/// Of times that are sorted; zero where there are none.
pub fn percentile(times: &[Duration], part: f64) -> Duration {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = (times.len() as f64 * part) as usize;
    let index = index.min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or_default()
}

/// Runs a load to its end on a runtime of its own, within six minutes.
pub fn run<T>(load: impl Future<Output = T>) -> T {
    run_within(PATIENCE * 3, load)
}

/// The same, within another bound.
pub fn run_within<T>(bound: Duration, load: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let all = timeout(bound, load).await;
        all.expect("every load ends within its time")
    })
}

/// Everybody asks again and again for so long.
pub async fn closed(to: SocketAddr, time: Duration, askers: &mut [Box<dyn Asker>]) -> Load {
    let lines = open(to, askers.len()).await;
    let began = Instant::now();
    let all: FuturesUnordered<_> = lines
        .into_iter()
        .zip(askers)
        .map(async |(mut line, asker)| {
            let mut load = Load::default();
            while began.elapsed() < time && load.failed < ENOUGH {
                if !line
                    .exchange(asker.as_mut(), Instant::now(), &mut load)
                    .await
                {
                    break;
                }
            }
            load
        })
        .collect();
    gathered(began, all).await
}

/// Somebody asks so many times a second, for so long; as many wait at once as there are askers.
pub async fn steady(
    to: SocketAddr,
    (rate, time): (f64, Duration),
    askers: &mut [Box<dyn Asker>],
) -> Load {
    let lines = open(to, askers.len()).await;
    let (began, beat) = (Instant::now(), Cell::new(0_u32));
    let every = Duration::from_secs_f64(1.0 / rate);
    let all: FuturesUnordered<_> = lines
        .into_iter()
        .zip(askers)
        .map(async |(mut line, asker)| {
            let mut load = Load::default();
            loop {
                let due = every * beat.replace(beat.get() + 1);
                if due >= time || load.failed >= ENOUGH {
                    return load;
                }
                let since = until(began + due).await;
                if !line.exchange(asker.as_mut(), since, &mut load).await {
                    return load;
                }
            }
        })
        .collect();
    gathered(began, all).await
}

async fn gathered(began: Instant, mut all: FuturesUnordered<impl Future<Output = Load>>) -> Load {
    let mut load = Load::default();
    while let Some(one) = all.next().await {
        load.absorb(one);
    }
    load.elapsed = began.elapsed();
    load.times.sort_unstable();
    load.refusals.sort_unstable();
    load
}

/// Waits for a beat. From when an answer to it counts: the beat itself where it is past, because
/// everybody was still waiting for an answer.
async fn until(due: Instant) -> Instant {
    let left = due.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return due;
    }
    sleep(left).await;
    Instant::now()
}

async fn open(to: SocketAddr, count: usize) -> Vec<Line> {
    let mut lines = Vec::with_capacity(count);
    for _ in 0..count {
        lines.push(Line::open(to).await.expect("a connection"));
    }
    lines
}

/// One kept-alive connection.
struct Line {
    to: SocketAddr,
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Line {
    async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            to,
            stream,
            request: Vec::with_capacity(1024),
            buffer: Vec::with_capacity(8192),
        })
    }

    /// One request and its answer; `false` where there was nothing to ask any more.
    async fn exchange(&mut self, asker: &mut dyn Asker, since: Instant, load: &mut Load) -> bool {
        self.request.clear();
        if !asker.ask(&mut self.request) {
            return false;
        }
        match self.answer().await {
            Ok(answer) => match asker.hear(&answer) {
                Heard::Right => load.times.push(since.elapsed()),
                Heard::Refused => load.refusals.push(since.elapsed()),
                Heard::Wrong => load.failed(answer.in_words()),
            },
            Err(error) => {
                load.failed(error.to_string());
                match Self::open(self.to).await {
                    Ok(anew) => *self = anew,
                    Err(_) => return false,
                }
            }
        }
        true
    }

    async fn answer(&mut self) -> io::Result<Answer<'_>> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if Answer::of(&self.buffer).is_some() {
                break;
            }
        }
        // Borrowed anew: a borrow that is returned from within the loop would hold it throughout.
        Answer::of(&self.buffer).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
