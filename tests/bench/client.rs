//! A closed-loop load client: a thread and a kept-alive connection each, nothing shared.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// One kept-alive HTTP/1.1 connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(to: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8192),
        })
    }

    /// Sends a whole request and reads a whole answer with a `Content-Length`.
    pub fn ask(&mut self, request: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let mut chunk = [0_u8; 8192];
        loop {
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.extend_from_slice(&chunk[..read]);
            if let Some(answer) = whole(&self.buffer) {
                return Ok(answer);
            }
        }
    }
}

fn whole(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let body = &bytes[head + 4..];
    let length = length.unwrap_or(0);
    (body.len() >= length).then(|| (status, body[..length].to_vec()))
}

/// What a load came to.
#[derive(Debug)]
pub struct Load {
    pub rate: f64,
    pub failed: usize,
    times: Vec<Duration>,
}

impl Load {
    /// The time within which this part of the answers came.
    pub fn percentile(&self, part: f64) -> Duration {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let index = (self.times.len() as f64 * part) as usize;
        self.times
            .get(index.min(self.times.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }
}

/// Runs `clients` loops of the askers that `make` gives for `time`; each says whether it succeeded.
pub fn drive<A>(clients: usize, time: Duration, make: impl Fn(usize) -> A + Sync) -> Load
where
    A: FnMut() -> bool,
{
    let began = Instant::now();
    let until = began + time;
    let results: Vec<(Vec<Duration>, usize)> = std::thread::scope(|scope| {
        let make = &make;
        let threads: Vec<_> = (0..clients)
            .map(|number| {
                scope.spawn(move || {
                    let mut ask = make(number);
                    let (mut times, mut failed) = (Vec::new(), 0);
                    while Instant::now() < until {
                        let asked = Instant::now();
                        if ask() {
                            times.push(asked.elapsed());
                        } else {
                            failed += 1;
                        }
                    }
                    (times, failed)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a client thread"))
            .collect()
    });
    let elapsed = began.elapsed().as_secs_f64();
    let failed = results.iter().map(|(_, failed)| failed).sum();
    let mut times: Vec<Duration> = results.into_iter().flat_map(|(times, _)| times).collect();
    times.sort_unstable();
    Load {
        rate: times.len() as f64 / elapsed,
        failed,
        times,
    }
}
