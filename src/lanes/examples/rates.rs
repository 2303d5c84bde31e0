//! What a hash costs in one lane to six, beside one of the `bcrypt` crate: processor time of this
//! thread, in rounds one after another, of which the median is told.
//!
//! `cargo run --release --package authsome-lanes --example rates [COST] [ROUNDS]`

use std::error::Error;
use std::fs;

use authsome_lanes::{Input, Key, MOST, digests};

const SALT: [u8; 16] = *b"sixteen of salt.";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |or| arguments.next().map_or(Ok(or), |it| it.parse::<u32>());
    let (cost, rounds) = (next(10)?, next(11)?);
    let keys: Vec<_> = (0..MOST).map(|at| Key::new(&[b'a'; 44][at..])).collect();
    let inputs: Vec<_> = keys.iter().map(|key| Input { key, salt: &SALT }).collect();
    let mut took = vec![Vec::new(); MOST + 1];
    for _ in 0..rounds {
        for (lanes, took) in took.iter_mut().enumerate() {
            let began = nanoseconds()?;
            match lanes {
                0 => {
                    bcrypt::hash_with_salt(keys[0].bytes(), cost, SALT)?;
                }
                lanes => drop(digests(cost, &inputs[..lanes]).ok_or("no such cost")?),
            }
            took.push((nanoseconds()? - began) / u64::try_from(lanes.max(1))?);
        }
    }
    let medians = took.into_iter().map(|mut it| {
        it.sort_unstable();
        it.get(it.len() / 2).copied().unwrap_or(1).max(1)
    });
    let medians: Vec<_> = medians.collect();
    println!("cost {cost}, {rounds} rounds: a hash, in milliseconds");
    for (lanes, nanoseconds) in medians.iter().enumerate() {
        let name = match lanes {
            0 => "the crate".to_owned(),
            lanes => format!("{lanes} at once"),
        };
        let (whole, part) = (nanoseconds / 1_000_000, nanoseconds / 10_000 % 100);
        let rate = 100 * medians[0] / nanoseconds;
        println!("{name:>10} {whole:>8}.{part:02} {rate:>5} %");
    }
    Ok(())
}

/// On a processor, since this thread began (Linux).
fn nanoseconds() -> Result<u64, Box<dyn Error>> {
    let told = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(told.split(' ').next().unwrap_or_default().parse()?)
}
