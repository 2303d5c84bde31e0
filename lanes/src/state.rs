//! Blowfish states, several side by side, each with its own keys.
//!
//! Whatever is done is done to all lanes, step by step: the innermost loops run over the lanes, so
//! that no step waits for the one before it in the same lane without others between.

use std::array::from_fn;

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
    #[inline(always)]
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
            for lane in 0..N {
                left[lane] ^= salts[lane][at];
                right[lane] ^= salts[lane][at + 1];
            }
        });
    }

    #[inline(always)]
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
            for lane in 0..N {
                self.0[lane].p[2 * at] = blocks.0[lane];
                self.0[lane].p[2 * at + 1] = blocks.1[lane];
            }
        }
        for table in 0..4 {
            for at in 0..128 {
                before(at + SUBKEYS / 2, &mut blocks);
                self.encrypt(&mut blocks);
                for lane in 0..N {
                    self.0[lane].s[table][2 * at] = blocks.0[lane];
                    self.0[lane].s[table][2 * at + 1] = blocks.1[lane];
                }
            }
        }
    }

    #[inline(always)]
    fn encrypt(&self, (left, right): &mut Blocks<N>) {
        for lane in 0..N {
            left[lane] ^= self.0[lane].p[0];
        }
        for round in (1..=ROUNDS).step_by(2) {
            for lane in 0..N {
                right[lane] ^= self.0[lane].f(left[lane]) ^ self.0[lane].p[round];
            }
            for lane in 0..N {
                left[lane] ^= self.0[lane].f(right[lane]) ^ self.0[lane].p[round + 1];
            }
        }
        for lane in 0..N {
            right[lane] ^= self.0[lane].p[SUBKEYS - 1];
        }
        std::mem::swap(left, right);
    }

    pub(crate) fn digests(self) -> [[u8; DIGEST]; N] {
        let mut digests = [[0; DIGEST]; N];
        for at in (0..TEXT.len()).step_by(2) {
            let mut blocks = ([TEXT[at]; N], [TEXT[at + 1]; N]);
            for _ in 0..64 {
                self.encrypt(&mut blocks);
            }
            for lane in 0..N {
                let (words, _) = digests[lane].as_chunks_mut::<4>();
                words[at] = blocks.0[lane].to_be_bytes();
                words[at + 1] = blocks.1[lane].to_be_bytes();
            }
        }
        digests
    }
}
