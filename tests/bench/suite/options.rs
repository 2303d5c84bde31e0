//! What is measured, and for how long.

use std::time::Duration;

use serde::Serialize;

/// The forms of the suite.
#[derive(Debug, Clone, Serialize)]
pub struct Options {
    /// Three minutes in all: one short round of each, fewer clients.
    pub quick: bool,
    /// Where they are here. In the quick form only if they are asked for.
    pub peers: bool,
    /// A million users and ten thousand organisations besides.
    pub scale: bool,
    /// Of bcrypt, of the server and of whoever is compared with it.
    pub cost: u32,
    pub rounds: usize,
    pub seconds: f64,
    /// How many ask at once.
    pub clients: Vec<usize>,
    /// Sessions of the measurement of memory.
    pub sessions: usize,
    /// Apps of the measurement of a start.
    pub apps: usize,
    /// How often a start is measured.
    pub starts: usize,
    /// `GET /v1/me` a second, of the measurement of what is beside it.
    pub beats: f64,
}

impl Options {
    /// As the command line says; what it says that is not known, otherwise.
    pub fn of(arguments: &[&str]) -> Result<Self, String> {
        let (mut names, mut cost) = (Vec::new(), None);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--cost" => {
                    let next = rest.next().and_then(|it| it.parse().ok());
                    cost = next.filter(|it| (10..=15).contains(it));
                    cost.ok_or("--cost takes a number from 10 to 15")?;
                }
                known @ ("--quick" | "--peers" | "--scale") => names.push(known),
                other => return Err(format!("{other}: no such option, and no such figure")),
            }
        }
        Ok(Self::with(&names, cost))
    }

    fn with(names: &[&str], cost: Option<u32>) -> Self {
        let has = |name| names.contains(&name);
        let scale = has("--scale");
        if has("--quick") {
            return Self {
                quick: true,
                peers: has("--peers"),
                scale,
                cost: cost.unwrap_or(10),
                rounds: 1,
                seconds: 0.7,
                clients: vec![1, 16],
                sessions: 1_000,
                apps: 100,
                starts: 5,
                beats: 1_000.0,
            };
        }
        Self {
            quick: false,
            peers: true,
            scale,
            cost: cost.unwrap_or(12),
            rounds: 3,
            seconds: 3.0,
            clients: vec![1, 16, 64],
            sessions: 10_000,
            apps: 1_000,
            starts: 11,
            beats: 2_000.0,
        }
    }

    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Most that ask at once.
    pub fn most(&self) -> usize {
        self.clients.iter().copied().max().unwrap_or(1)
    }
}
