//! What goes into bcrypt of a password.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::state::{SUBKEYS, Subkeys};

const MOST_BYTES: usize = 4 * SUBKEYS;

/// A password as bcrypt takes it: its first 72 bytes, and a zero byte after a shorter one.
///
/// So what is written after 72 bytes counts for nothing, and a password that has a zero byte may be
/// as good as another: `a`, and `a\0a`. Whoever minds hashes what has neither. Erased when dropped.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; MOST_BYTES],
    length: usize,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Key {
    #[must_use]
    pub fn new(password: &[u8]) -> Self {
        let taken = password.len().min(MOST_BYTES);
        let mut bytes = [0; MOST_BYTES];
        bytes[..taken].copy_from_slice(&password[..taken]);
        Self {
            bytes,
            length: MOST_BYTES.min(taken + 1),
        }
    }

    /// The password, with its zero byte: 1 to 72 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Over and over, until there is enough.
    pub(crate) fn words(&self) -> Zeroizing<Subkeys> {
        let mut bytes = self.bytes().iter().cycle();
        let mut words = Zeroizing::new([0; SUBKEYS]);
        for word in words.iter_mut() {
            *word = (0..4).fold(0, |word, _| {
                word << 8 | u32::from(bytes.next().copied().unwrap_or_default())
            });
        }
        words
    }
}
