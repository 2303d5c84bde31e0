//! How a password is written down.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine};
use bcrypt::{HashParts, Version};
use serde::{Deserialize, Serialize};

use super::firebase::FirebaseProject;
use super::foreign::{BCRYPT_COST, BadHash, Foreign};
use super::phc::LONGEST;
use crate::kernel::entropy::Entropy;
use crate::kernel::password::Password;
use crate::kernel::secret::MacKey;

const SCHEME: &str = "bcrypt-hmac-sha256:";
/// A stored hash of a higher cost is not computed: it would hold a hashing thread for minutes.
const MOST_COST: u32 = 15;

/// The key under which passwords are hashed before bcrypt sees them, and bcrypt's cost.
#[derive(Debug, Clone)]
pub struct Pepper {
    key: MacKey,
    cost: u32,
}

/// A password hash as it is stored, its scheme in front.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredHash(String);

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(…)")
    }
}

impl Pepper {
    /// `cost` is bcrypt's, 4 to 15.
    pub fn new(pepper: &[u8], cost: u32) -> Self {
        Self {
            key: MacKey::new(pepper),
            cost,
        }
    }

    /// Hashes; takes as long as the cost says. `None` only if bcrypt refuses the cost.
    pub(super) fn hash(&self, password: &Password, entropy: &Entropy) -> Option<StoredHash> {
        let parts =
            bcrypt::hash_with_salt(self.blend(password), self.cost, entropy.bytes()).ok()?;
        Some(StoredHash(format!(
            "{SCHEME}{}",
            parts.format_for_version(Version::TwoB)
        )))
    }

    /// Whether `password` is the one of `stored`. A hash that cannot be read, and none at all, cost
    /// what a wrong password costs (OWASP ASVS 6.3.8); one of another system costs what it says.
    pub(super) fn verify(&self, password: &Password, stored: Option<&StoredHash>) -> bool {
        let blend = self.blend(password);
        if let Some(hash) = stored.and_then(StoredHash::bcrypt) {
            return bcrypt::verify(blend, hash).unwrap_or(false);
        }
        if let Some(foreign) = stored.and_then(StoredHash::foreign) {
            return foreign.verify(password, &self.key);
        }
        drop(bcrypt::verify(blend, &self.nobodys_hash()));
        false
    }

    /// The stored form of a hash that a Firebase project made; both texts are in base64.
    pub(super) fn adopt(
        &self,
        project: &FirebaseProject,
        hash_and_salt: (&str, &str),
    ) -> Result<StoredHash, BadHash> {
        project.stored(hash_and_salt, &self.key).map(StoredHash)
    }

    /// The stored form of a hash as it is written down, which is kept as it is: of another system, or
    /// ours, which is good under the same pepper only, and not dearer than what is made here.
    pub(super) fn take_over(&self, text: &str) -> Result<StoredHash, BadHash> {
        let hash = StoredHash(text.to_owned());
        if !text.starts_with(SCHEME) {
            Foreign::parse(text)?;
            return Ok(hash);
        }
        let own = hash.bcrypt().filter(|_| text.len() <= LONGEST);
        let own = own.and_then(|own| HashParts::from_str(own).ok());
        let cost = own.ok_or(BadHash::Malformed)?.get_cost();
        if cost > self.cost.max(*BCRYPT_COST.end()) {
            return Err(BadHash::TooDear);
        }
        Ok(hash)
    }

    /// Whether `stored` was made at another cost than today's, or by another system.
    pub fn is_outdated(&self, stored: &StoredHash) -> bool {
        let cost = stored
            .bcrypt()
            .and_then(|hash| HashParts::from_str(hash).ok());
        cost.is_none_or(|parts| parts.get_cost() != self.cost)
    }

    /// 44 characters, whatever the password: within bcrypt's 72 bytes and free of NUL.
    fn blend(&self, password: &Password) -> String {
        BASE64_STANDARD.encode(self.key.tag("password", &[password.expose().as_bytes()]))
    }

    /// Well-formed, of today's cost, and the hash of nothing anybody knows. The last character of
    /// either part has bits to spare, which have to be zero.
    fn nobodys_hash(&self) -> String {
        format!(
            "$2b${:02}${}.{}.",
            self.cost,
            "K".repeat(21),
            "e".repeat(30)
        )
    }
}

impl StoredHash {
    /// The text, for those who may take hashes along.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn foreign(&self) -> Option<Foreign<'_>> {
        Foreign::parse(&self.0).ok()
    }

    fn bcrypt(&self) -> Option<&str> {
        let hash = self.0.strip_prefix(SCHEME)?;
        let parts = HashParts::from_str(hash).ok()?;
        (parts.get_cost() <= MOST_COST).then_some(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pepper(cost: u32) -> Pepper {
        Pepper::new(b"a pepper of the tests, 32 bytes!", cost)
    }

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[test]
    fn a_password_is_verified_whole_beyond_bcrypts_72_bytes() {
        let long = "x".repeat(100);
        let stored = pepper(4)
            .hash(&password(&long), &Entropy::seeded(1))
            .unwrap();

        assert!(pepper(4).verify(&password(&long), Some(&stored)));
        assert!(!pepper(4).verify(&password(&format!("{}y", &long[..99])), Some(&stored)));
    }

    #[test]
    fn another_pepper_verifies_nothing() {
        let stored = pepper(4)
            .hash(&password("correct horse"), &Entropy::seeded(1))
            .unwrap();
        let other = Pepper::new(b"another pepper of 32 characters.", 4);

        assert!(!other.verify(&password("correct horse"), Some(&stored)));
    }

    #[test]
    fn a_damaged_or_monstrous_hash_is_a_wrong_password() {
        let monstrous = format!("{SCHEME}$2b$31${}", "K".repeat(53));
        for damaged in [
            "",
            "§",
            "$2b$04$short",
            "argon2:$x",
            "$argon2id$v=19$m=9",
            &monstrous,
        ] {
            let stored = StoredHash(damaged.to_owned());
            assert!(
                !pepper(4).verify(&password("correct horse"), Some(&stored)),
                "{damaged}"
            );
        }
    }

    #[test]
    fn nobodys_hash_is_computed_like_any_other() {
        let parts = HashParts::from_str(&pepper(5).nobodys_hash()).unwrap();
        assert_eq!(parts.get_cost(), 5);
        assert!(bcrypt::verify("x", &pepper(4).nobodys_hash()).is_ok());
    }

    #[test]
    fn a_hash_of_another_cost_is_outdated() {
        let stored = pepper(4)
            .hash(&password("correct horse"), &Entropy::seeded(1))
            .unwrap();
        assert!(!pepper(4).is_outdated(&stored));
        assert!(pepper(5).is_outdated(&stored));
    }
}
