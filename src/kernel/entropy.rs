//! Chance, as an argument: where identifiers, tokens and keys draw their random bytes.
//!
//! A server draws from the operating system's generator. A test draws from a seed, so that the
//! same run makes the same identifiers. The seeded source is not secret and not for production.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::{digest, rand};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

const BLOCK: usize = 32;

/// A source of random bytes. Clones share one stream.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded {
        seed: u64,
        blocks_drawn: Arc<AtomicU64>,
    },
}

impl Entropy {
    /// The cryptographic generator of the process, seeded by the operating system.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// SHA-256 of seed and counter: the same bytes in the same order of calls. For tests.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded {
            seed,
            blocks_drawn: Arc::default(),
        })
    }

    /// Overwrites all of `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Source::System => fill_from_system(bytes),
            Source::Seeded { seed, blocks_drawn } => {
                for chunk in bytes.chunks_mut(BLOCK) {
                    let counter = blocks_drawn.fetch_add(1, Ordering::Relaxed);
                    chunk.copy_from_slice(&block(*seed, counter)[..chunk.len()]);
                }
            }
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A secret nobody guesses: 32 bytes as 43 characters of base64url (RFC 4648 §5, no padding).
    pub fn token(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that draws from the system"
)]
#[expect(
    clippy::expect_used,
    reason = "without random bytes every later secret is guessable"
)]
fn fill_from_system(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the operating system gives random bytes");
}

fn block(seed: u64, counter: u64) -> [u8; BLOCK] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&seed.to_be_bytes());
    context.update(&counter.to_be_bytes());
    let mut block = [0; BLOCK];
    block.copy_from_slice(context.finish().as_ref());
    block
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Entropy(system)",
            Source::Seeded { .. } => "Entropy(seeded)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));

        let drawn = [a.token(), a.token(), a.token()];

        assert_eq!(drawn, [b.token(), b.token(), b.token()]);
        assert_eq!(a.bytes::<100>(), b.bytes::<100>());
        assert_ne!(a.bytes::<16>(), Entropy::seeded(8).bytes::<16>());
    }

    #[test]
    fn clones_continue_the_stream_instead_of_repeating_it() {
        let entropy = Entropy::seeded(7);

        let first = entropy.token();

        assert_ne!(first, entropy.clone().token());
        assert_eq!(first, Entropy::seeded(7).token());
    }

    #[test]
    fn tokens_are_forty_three_characters_and_do_not_repeat() {
        for entropy in [Entropy::system(), Entropy::seeded(0)] {
            let tokens: HashSet<_> = (0..500).map(|_| entropy.token()).collect();

            assert_eq!(tokens.len(), 500);
            assert!(tokens.iter().all(|token| token.len() == 43));
        }
    }

    #[test]
    fn every_byte_of_a_long_buffer_is_drawn() {
        for entropy in [Entropy::system(), Entropy::seeded(0)] {
            let bytes = entropy.bytes::<1_000>();

            assert!(
                bytes
                    .chunks(20)
                    .all(|chunk| chunk.iter().any(|byte| *byte != 0))
            );
        }
    }
}
