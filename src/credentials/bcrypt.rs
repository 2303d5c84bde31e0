//! bcrypt: what is computed of a password, and how it is written down: `$2b$<cost>$<salt><hash>`.
//!
//! What is cut and what is refused is the `bcrypt` crate's rule: a password counts to its 72nd byte
//! (ours are 44 long), and a text is a hash if the crate says so. Computing is for [`super::hasher`].

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ::bcrypt::{BASE_64, HashParts};
use authsome_lanes::{DIGEST, Input, Key, SALT};
use base64::Engine;

use super::foreign::BadHash;
use crate::kernel::secret::same;

/// Bytes of the digest that are written down.
const HASH: usize = 23;
/// Where the hash begins in the text, in base64.
const HASH_AT: usize = "$2b$12$".len() + 22;

/// One password that is to be hashed.
#[derive(Debug)]
pub(super) struct Task {
    pub cost: u32,
    pub salt: [u8; SALT],
    pub key: Key,
}

impl Task {
    pub(super) fn new(password: &[u8], cost: u32, salt: [u8; SALT]) -> Self {
        let key = Key::new(password);
        Self { cost, salt, key }
    }

    pub(super) fn input(&self) -> Input<'_> {
        Input {
            key: &self.key,
            salt: &self.salt,
        }
    }
}

/// A hash, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub cost: u32,
    pub salt: [u8; SALT],
    hash: [u8; HASH],
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

impl Written {
    pub(super) fn new(cost: u32, salt: [u8; SALT], digest: &[u8; DIGEST]) -> Self {
        let mut hash = [0; HASH];
        hash.copy_from_slice(&digest[..HASH]);
        Self { cost, salt, hash }
    }

    /// One whose cost is among `costs`: another would hold a thread for minutes, or be no work.
    pub(super) fn parse(text: &str, costs: &RangeInclusive<u32>) -> Result<Self, BadHash> {
        let parts = HashParts::from_str(text).map_err(|_| BadHash::Malformed)?;
        if !costs.contains(&parts.get_cost()) {
            return Err(BadHash::TooDear);
        }
        let hash = text.get(HASH_AT..).and_then(|it| BASE_64.decode(it).ok());
        let hash = hash.and_then(|it| it.try_into().ok());
        Ok(Self {
            cost: parts.get_cost(),
            salt: parts.get_salt_raw(),
            hash: hash.ok_or(BadHash::Malformed)?,
        })
    }

    /// In a time that does not tell where they differ.
    pub(super) fn is(&self, digest: &[u8; DIGEST]) -> bool {
        same(&self.hash, &digest[..HASH])
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cost, salt, hash) = (self.cost, self.salt, self.hash);
        write!(
            f,
            "$2b${cost:02}${}{}",
            BASE_64.encode(salt),
            BASE_64.encode(hash)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$04$zkbNa7tp49p9pnmbPs5/3.BPQhLj7E//TM1gVYR1Vic30ziCPnWTG";

    #[test]
    fn what_is_read_is_written_the_same() {
        let written = Written::parse(HASH, &(4..=14)).unwrap();

        assert_eq!(written.cost, 4);
        assert_eq!(written.to_string(), HASH);
        let parts = HashParts::from_str(HASH).unwrap();
        assert_eq!(written.salt, parts.get_salt_raw());
    }

    #[test]
    fn a_digest_is_the_hash_if_its_first_23_bytes_are() {
        let written = Written::parse(HASH, &(4..=14)).unwrap();
        let task = Task::new(b"correct horse", written.cost, written.salt);
        let [mut digest] = authsome_lanes::digests(4, &[task.input()]).unwrap()[..] else {
            panic!("one digest");
        };

        assert!(written.is(&digest));
        assert_eq!(Written::new(4, task.salt, &digest), written);
        digest[23] ^= 1;
        assert!(written.is(&digest));
        digest[22] ^= 1;
        assert!(!written.is(&digest));
    }

    #[test]
    fn damaged_ones_and_those_of_other_costs_are_told_apart() {
        for cost in ["00", "03", "15", "31", "99"] {
            let other = HASH.replace("$04$", &format!("${cost}$"));
            assert_eq!(
                Written::parse(&other, &(4..=14)),
                Err(BadHash::TooDear),
                "{cost}"
            );
        }
        let damaged = [
            "",
            "§",
            "$2b$04$short",
            &"$2b$".repeat(15),
            &HASH[..59],
            &HASH.replace("$2b$", "$2c$"),
            &HASH.replace("TG", "T§"),
        ];
        for text in damaged {
            assert_eq!(
                Written::parse(text, &(4..=14)),
                Err(BadHash::Malformed),
                "{text}"
            );
        }
    }
}
