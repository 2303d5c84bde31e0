//! What a hash costs in one lane to six, beside one of the `bcrypt` crate: processor time of this
//! thread, in rounds one after another, of which the median is told.
//!
//! `cargo run --release --package authsome-lanes --example rates [COST] [ROUNDS]`

use std::fs;

use authsome_lanes::{Input, Key, MOST, digests};

const SALT: [u8; 16] = *b"sixteen of salt.";

fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse::<u32>());
    let mut next = |or| arguments.next().map_or(or, |it| it.expect("a number"));
    let (cost, rounds) = (next(10), next(11));
    let keys: Vec<_> = (0..MOST).map(|at| Key::new(&[b'a'; 44][at..])).collect();
    let inputs: Vec<_> = keys.iter().map(|key| Input { key, salt: &SALT }).collect();
    let mut took = vec![Vec::new(); MOST + 1];
    for _ in 0..rounds {
        for (lanes, took) in took.iter_mut().enumerate() {
            let began = nanoseconds();
            match inputs.get(..lanes) {
                Some([]) | None => drop(bcrypt::bcrypt(cost, SALT, keys[0].bytes())),
                Some(some) => drop(digests(cost, some)),
            }
            let each = u64::try_from(lanes.max(1)).expect("few lanes");
            took.push((nanoseconds() - began) / each);
        }
    }
    let medians = took.into_iter().map(|mut it| {
        it.sort_unstable();
        it[it.len() / 2]
    });
    let medians: Vec<_> = medians.collect();
    println!("cost {cost}, {rounds} rounds: a hash, in milliseconds");
    for (lanes, nanoseconds) in medians.iter().enumerate() {
        let name = if lanes == 0 {
            "the crate".to_owned()
        } else {
            format!("{lanes} lanes")
        };
        println!(
            "{name:>10} {:>8}.{:02} {:>5} %",
            nanoseconds / 1_000_000,
            nanoseconds / 10_000 % 100,
            100 * medians[0] / nanoseconds,
        );
    }
}

/// On a processor, since this thread began (Linux).
fn nanoseconds() -> u64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let first = told.split(' ').next().expect("a number");
    first.parse().expect("a number")
}
