//! One bcrypt hash of the crate after another, on one thread.

use std::time::{Duration, Instant};

use super::{Reached, Stint};

/// At least one, however long that takes.
pub fn measure(cost: u32, time: Duration) -> Reached {
    let (stint, mut times) = (Stint::begin(), Vec::new());
    while times.is_empty() || stint.began.elapsed() < time {
        let began = Instant::now();
        bcrypt::hash("a long quiet river", cost).expect("a hash");
        times.push(began.elapsed());
    }
    stint.end(times)
}
