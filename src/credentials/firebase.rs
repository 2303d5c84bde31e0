//! Firebase's own scrypt (<https://github.com/firebase/scrypt>): the project's signer key, enciphered
//! with AES-256-CTR under a key that scrypt makes of the password.
//!
//! The signer key is not kept: what it was enciphered with follows from it and the hash, and a tag
//! of that under our pepper is enough to know it again. So the store holds nothing of the project's,
//! and whoever has the store alone can try no password.

use std::fmt;

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

use super::foreign::{BadHash, scrypt_params};
use super::phc::{decoded, encoded};
use crate::kernel::secret::{ExposeSecret, MacKey, SecretString};

const SCHEME: &str = "firebase-scrypt-hmac-sha256:";
const PURPOSE: &str = "firebase password";
/// Bytes of a signer key, and so of a hash.
const SIGNER_KEY: usize = 64;
const CIPHER_KEY: usize = 32;

/// The hash parameters of a Firebase project, as its console shows them.
#[derive(Clone)]
pub struct FirebaseProject {
    signer_key: SecretString,
    separator: Vec<u8>,
    rounds: u32,
    mem_cost: u32,
}

/// One hash, without the signer key it was made with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Firebase {
    salt: Vec<u8>,
    separator: Vec<u8>,
    rounds: u32,
    mem_cost: u32,
    tag: Vec<u8>,
}

impl fmt::Debug for FirebaseProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirebaseProject")
            .field("rounds", &self.rounds)
            .field("mem_cost", &self.mem_cost)
            .finish_non_exhaustive()
    }
}

impl FirebaseProject {
    /// Key and separator are in base64. [`BadHash`] where no hash of such a project could be
    /// verified.
    pub fn new(
        (signer_key, separator): (&str, &str),
        (rounds, mem_cost): (u32, u32),
    ) -> Result<Self, BadHash> {
        let key = decoded(signer_key).filter(|key| key.len() == SIGNER_KEY);
        key.ok_or(BadHash::Malformed)?;
        let separator = decoded(separator).filter(|it| it.len() <= 16);
        scrypt_params(mem_cost, rounds, 1)?;
        Ok(Self {
            signer_key: SecretString::from(signer_key),
            separator: separator.ok_or(BadHash::Malformed)?,
            rounds,
            mem_cost,
        })
    }

    /// The stored form of an account's hash and salt, which are in base64.
    pub(super) fn stored(
        &self,
        (hash, salt): (&str, &str),
        key: &MacKey,
    ) -> Result<String, BadHash> {
        let hash = decoded(hash).filter(|it| it.len() == SIGNER_KEY);
        let salt = decoded(salt).filter(|it| (1..=64).contains(&it.len()));
        let signer = decoded(self.signer_key.expose_secret());
        let (Some(hash), Some(salt), Some(signer)) = (hash, salt, signer) else {
            return Err(BadHash::Malformed);
        };
        let stream: Vec<u8> = hash.iter().zip(&signer).map(|(a, b)| a ^ b).collect();
        let Self {
            separator,
            rounds,
            mem_cost,
            ..
        } = self;
        Ok(format!(
            "{SCHEME}ln={mem_cost},r={rounds}${}${}${}",
            encoded(&salt),
            encoded(separator),
            encoded(&key.tag(PURPOSE, &[&stream]))
        ))
    }
}

impl Firebase {
    /// `None` for a text that is of another scheme.
    pub(super) fn stored(text: &str) -> Option<Result<Self, BadHash>> {
        let rest = text.strip_prefix(SCHEME)?;
        Some(Self::parsed(rest).ok_or(BadHash::Malformed).and_then(|it| {
            scrypt_params(it.mem_cost, it.rounds, 1)?;
            Ok(it)
        }))
    }

    fn parsed(rest: &str) -> Option<Self> {
        let mut parts = rest.split('$');
        let (mem_cost, rounds) = parts.next()?.strip_prefix("ln=")?.split_once(",r=")?;
        let firebase = Self {
            mem_cost: mem_cost.parse().ok()?,
            rounds: rounds.parse().ok()?,
            salt: decoded(parts.next()?)?,
            separator: decoded(parts.next()?)?,
            tag: decoded(parts.next()?)?,
        };
        (parts.next().is_none() && firebase.tag.len() == 32).then_some(firebase)
    }

    pub(super) fn verify(&self, password: &[u8], key: &MacKey) -> bool {
        let stream = self.stream(password);
        stream.is_some_and(|stream| key.verify(PURPOSE, &[&stream], &self.tag))
    }

    /// What the signer key is enciphered with, for this password.
    fn stream(&self, password: &[u8]) -> Option<[u8; SIGNER_KEY]> {
        let params = scrypt_params(self.mem_cost, self.rounds, 1).ok()?;
        let salt = [&*self.salt, &*self.separator].concat();
        let mut derived = [0; CIPHER_KEY];
        scrypt::scrypt(password, &salt, &params, &mut derived).ok()?;
        let unbound = UnboundCipherKey::new(&AES_256, &derived).ok()?;
        let cipher = EncryptingKey::ctr(unbound).ok()?;
        let mut stream = [0; SIGNER_KEY];
        let begin = EncryptionContext::Iv128(FixedLength::from([0; 16]));
        cipher.less_safe_encrypt(&mut stream, begin).ok()?;
        Some(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of <https://github.com/firebase/scrypt>.
    const SIGNER: &str =
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    const SALT: &str = "42xEC+ixf3L2lw==";
    const HASH: &str =
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

    fn stored() -> String {
        let project = FirebaseProject::new((SIGNER, "Bw=="), (8, 14)).unwrap();
        project.stored((HASH, SALT), &pepper()).unwrap()
    }

    fn pepper() -> MacKey {
        MacKey::new(b"a pepper of the tests")
    }

    #[test]
    fn the_published_example_is_verified() {
        let firebase = Firebase::stored(&stored()).unwrap().unwrap();

        assert!(firebase.verify(b"user1password", &pepper()));
        assert!(!firebase.verify(b"user2password", &pepper()));
        assert!(!firebase.verify(b"user1password", &MacKey::new(b"another")));
    }

    #[test]
    fn nothing_of_the_project_s_key_or_the_hash_is_kept() {
        let stored = stored();

        assert!(!stored.contains(&SIGNER[..20]) && !stored.contains(&HASH[..20]));
        let project = FirebaseProject::new((SIGNER, "Bw=="), (8, 14)).unwrap();
        assert!(!format!("{project:?}").contains(&SIGNER[..8]));
    }

    #[test]
    fn parameters_are_bounded() {
        for (of, expected) in [
            ((8, 18), BadHash::TooDear),
            ((8, 64), BadHash::TooDear),
            ((1_000_000, 14), BadHash::TooDear),
            ((8, 0), BadHash::Malformed),
        ] {
            let made = FirebaseProject::new((SIGNER, "Bw=="), of);
            assert_eq!(made.err(), Some(expected), "{of:?}");
        }
        let short = FirebaseProject::new(("AQID", "Bw=="), (8, 14));
        assert_eq!(short.err(), Some(BadHash::Malformed));
        let damaged = Firebase::stored("firebase-scrypt-hmac-sha256:ln=31,r=8$AQ$AQ$AQ");
        assert!(damaged.unwrap().is_err());
        assert!(Firebase::stored("$2b$04$x").is_none());
    }
}
