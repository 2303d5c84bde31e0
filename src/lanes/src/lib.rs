//! bcrypt of several passwords at once, in one thread.
//!
//! ```text
//! alone      F──────▶F──────▶F──────▶      each look into a table waits for the one before
//! in lanes   F──────▶F──────▶F──────▶      and meanwhile the others look into theirs
//!             F──────▶F──────▶F──────▶
//!              F──────▶F──────▶F──────▶
//! ```
//!
//! Bit for bit what the `bcrypt` crate computes. A lane has a state of 4.2 KB; six fit into the
//! first cache of a core. Nothing here is for one processor only: built for it
//! (`target-cpu=native`), the compiler gathers from tables by vector instructions, which is slower.
//! Not here: salts, notations, comparing, and how many lanes are best on a machine.

#![forbid(unsafe_code)]

mod key;
mod pi;
mod state;
#[cfg(test)]
mod tests;

pub use crate::key::Key;
use crate::state::Lanes;

/// Bytes of a salt.
pub const SALT: usize = 16;
/// Bytes of what bcrypt computes; a hash that is written down has the first 23 of them.
pub const DIGEST: usize = 24;
/// More lanes are slower.
pub const MOST: usize = 6;

const COSTS: std::ops::Range<u32> = 0..32;

/// One password to be hashed.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub key: &'a Key,
    pub salt: &'a [u8; SALT],
}

/// The digest of each of `inputs`, in their order; they are hashed [`MOST`] at a time.
///
/// `cost` is the binary logarithm of the rounds: below 32, and 4 or more wherever it counts.
/// `None` for another. What is written of keys into memory is erased.
#[must_use]
pub fn digests(cost: u32, inputs: &[Input<'_>]) -> Option<Vec<[u8; DIGEST]>> {
    if !COSTS.contains(&cost) {
        return None;
    }
    let mut found = Vec::with_capacity(inputs.len());
    for some in inputs.chunks(MOST) {
        found.extend(match some.len() {
            1 => together::<1>(cost, some),
            2 => together::<2>(cost, some),
            3 => together::<3>(cost, some),
            4 => together::<4>(cost, some),
            5 => together::<5>(cost, some),
            _ => together::<MOST>(cost, some),
        }?);
    }
    Some(found)
}

/// Provos and Mazières, A Future-Adaptable Password Scheme (1999), §4 and §5, of `N` at once; `None`
/// where there are not as many.
fn together<const N: usize>(cost: u32, inputs: &[Input<'_>]) -> Option<Vec<[u8; DIGEST]>> {
    let inputs: &[Input<'_>; N] = inputs.try_into().ok()?;
    let salts = inputs.each_ref().map(|it| state::salt(it.salt));
    let keys = inputs.each_ref().map(|it| it.key.words());
    let (keys, salts) = (keys.each_ref().map(|it| &**it), salts.each_ref());
    let mut lanes = Lanes::begun();
    lanes.mix_with_salts(keys, salts);
    for _ in 0..1_u32 << cost {
        lanes.mix(keys);
        lanes.mix(salts);
    }
    Some(lanes.digests().to_vec())
}
