//! Blowfish states, several side by side, each with its own keys.
//!
//! Whatever is done is done to all lanes, step by step: the innermost loops run over the lanes, so
//! that no step waits for the one before it in the same lane without others between.

use std::array::from_fn;
use std::mem::swap;

use zeroize::Zeroize;

use crate::pi::PI;
use crate::{DIGEST, SALT};

pub(crate) const SUBKEYS: usize = 18;
const ROUNDS: usize = 16;
/// `OrpheanBeholderScryDoubt`
const TEXT: [u32; 6] = [
    0x4f72_7068,
    0x6561_6e42,
    0x6568_6f6c,
    0x6465_7253,
    0x6372_7944,
    0x6f75_6274,
];

pub(crate) type Subkeys = [u32; SUBKEYS];
/// The halves of a block, of each lane.
type Blocks<const N: usize> = ([u32; N], [u32; N]);

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) p: Subkeys,
    pub(crate) s: [[u32; 256]; 4],
}

impl State {
    #[inline]
    fn f(&self, half: u32) -> u32 {
        let [a, b, c, d] = half.to_be_bytes().map(usize::from);
        let [first, second, third, fourth] = &self.s;
        (first[a].wrapping_add(second[b]) ^ third[c]).wrapping_add(fourth[d])
    }
}

/// A salt's words, over and over.
pub(crate) fn salt(bytes: &[u8; SALT]) -> Subkeys {
    let (words, _) = bytes.as_chunks::<4>();
    from_fn(|at| u32::from_be_bytes(words[at % words.len()]))
}

pub(crate) struct Lanes<const N: usize>([State; N]);

impl<const N: usize> Drop for Lanes<N> {
    fn drop(&mut self) {
        for state in &mut self.0 {
            state.p.zeroize();
            state.s.zeroize();
        }
    }
}

impl<const N: usize> Lanes<N> {
    pub(crate) fn begun() -> Self {
        Self(from_fn(|_| PI))
    }

    /// `ExpandKey(state, 0, key)`
    pub(crate) fn mix(&mut self, keys: [&Subkeys; N]) {
        self.mixed(keys, |_, _| {});
    }

    /// `ExpandKey(state, salt, key)`
    pub(crate) fn mix_with_salts(&mut self, keys: [&Subkeys; N], salts: [&Subkeys; N]) {
        self.mixed(keys, |block, (left, right)| {
            // Four words come round every second block.
            let at = 2 * (block % 2);
            for ((left, right), salt) in left.iter_mut().zip(right).zip(salts) {
                *left ^= salt[at];
                *right ^= salt[at + 1];
            }
        });
    }

    #[inline]
    fn mixed(&mut self, keys: [&Subkeys; N], before: impl Fn(usize, &mut Blocks<N>)) {
        for (state, key) in self.0.iter_mut().zip(keys) {
            for (subkey, word) in state.p.iter_mut().zip(key) {
                *subkey ^= word;
            }
        }
        let mut blocks = ([0; N], [0; N]);
        for at in 0..SUBKEYS / 2 {
            before(at, &mut blocks);
            self.encrypt(&mut blocks);
            for ((state, left), right) in self.0.iter_mut().zip(blocks.0).zip(blocks.1) {
                state.p[2 * at] = left;
                state.p[2 * at + 1] = right;
            }
        }
        for table in 0..4 {
            for at in 0..128 {
                before(at + SUBKEYS / 2, &mut blocks);
                self.encrypt(&mut blocks);
                for ((state, left), right) in self.0.iter_mut().zip(blocks.0).zip(blocks.1) {
                    state.s[table][2 * at] = left;
                    state.s[table][2 * at + 1] = right;
                }
            }
        }
    }

    #[expect(clippy::inline_always, reason = "called, it takes a sixth longer")]
    #[inline(always)]
    fn encrypt(&self, (left, right): &mut Blocks<N>) {
        for (left, state) in left.iter_mut().zip(&self.0) {
            *left ^= state.p[0];
        }
        for round in (1..=ROUNDS).step_by(2) {
            for ((right, left), state) in right.iter_mut().zip(&*left).zip(&self.0) {
                *right ^= state.f(*left) ^ state.p[round];
            }
            for ((left, right), state) in left.iter_mut().zip(&*right).zip(&self.0) {
                *left ^= state.f(*right) ^ state.p[round + 1];
            }
        }
        for (right, state) in right.iter_mut().zip(&self.0) {
            *right ^= state.p[SUBKEYS - 1];
        }
        swap(left, right);
    }

    pub(crate) fn digests(self) -> [[u8; DIGEST]; N] {
        let mut digests = [[0; DIGEST]; N];
        for at in (0..TEXT.len()).step_by(2) {
            let mut blocks = ([TEXT[at]; N], [TEXT[at + 1]; N]);
            for _ in 0..64 {
                self.encrypt(&mut blocks);
            }
            for ((digest, left), right) in digests.iter_mut().zip(blocks.0).zip(blocks.1) {
                let (words, _) = digest.as_chunks_mut::<4>();
                words[at] = left.to_be_bytes();
                words[at + 1] = right.to_be_bytes();
            }
        }
        digests
    }
}
