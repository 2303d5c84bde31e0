//! How a password is written down.

use std::fmt;
use std::ops::RangeInclusive;

use authsome_lanes::{DIGEST, SALT};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};

use super::bcrypt::{Task, Written};
use super::firebase::FirebaseProject;
use super::foreign::{BadHash, Foreign};
use crate::kernel::entropy::Entropy;
use crate::kernel::password::Password;
use crate::kernel::secret::MacKey;

const SCHEME: &str = "bcrypt-hmac-sha256:";
/// A stored hash of a higher cost is not computed: it would hold a hashing thread for minutes.
const COSTS: RangeInclusive<u32> = 4..=15;
/// Of hashes that other systems made.
const FOREIGN_COSTS: RangeInclusive<u32> = 4..=14;
/// The salt of nobody's hash.
const NOBODY: [u8; SALT] = *b"nobody is hashed";

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

/// What tells whether a password is right.
#[derive(Debug)]
pub(super) enum Question {
    /// Right if the digest is that one; without one it is wrong.
    Bcrypt(Task, Option<Written>),
    /// [`Pepper::verify_foreign`] is.
    Foreign,
}

/// A stored hash, taken apart.
#[derive(Debug)]
enum Read {
    /// Of a password under the pepper.
    Own(Written),
    /// Of a password as it is.
    Bcrypt(Written),
    Foreign,
}

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

    pub(super) fn cost(&self) -> u32 {
        self.cost
    }

    /// What is to be computed of a new password.
    pub(super) fn task(&self, password: &Password, entropy: &Entropy) -> Task {
        Task::new(self.blend(password).as_bytes(), self.cost, entropy.bytes())
    }

    /// What is to be asked about `password`. A hash that cannot be read, and none at all, cost what a
    /// wrong password costs (OWASP ASVS 6.3.8); one of another system costs what it says.
    pub(super) fn question(&self, password: &Password, stored: Option<&StoredHash>) -> Question {
        let ask = |password: &[u8], hash: Written| {
            let task = Task::new(password, hash.cost, hash.salt);
            Question::Bcrypt(task, Some(hash))
        };
        match stored.map(StoredHash::read) {
            Some(Ok(Read::Own(hash))) => ask(self.blend(password).as_bytes(), hash),
            Some(Ok(Read::Bcrypt(hash))) => ask(password.expose().as_bytes(), hash),
            Some(Ok(Read::Foreign)) => Question::Foreign,
            Some(Err(_)) | None => {
                let blend = self.blend(password);
                Question::Bcrypt(Task::new(blend.as_bytes(), self.cost, NOBODY), None)
            }
        }
    }

    /// Whether `password` is the one of `stored`, which is not bcrypt's.
    pub(super) fn verify_foreign(&self, password: &Password, stored: &StoredHash) -> bool {
        let foreign = Foreign::parse(&stored.0);
        foreign.is_ok_and(|foreign| foreign.verify(password, &self.key))
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
        match hash.read()? {
            Read::Own(own) if own.cost > self.cost.max(*FOREIGN_COSTS.end()) => {
                Err(BadHash::TooDear)
            }
            Read::Own(_) | Read::Bcrypt(_) | Read::Foreign => Ok(hash),
        }
    }

    /// Whether `stored` was made at another cost than today's, or by another system.
    pub fn is_outdated(&self, stored: &StoredHash) -> bool {
        match stored.read() {
            Ok(Read::Own(own)) => own.cost != self.cost,
            Ok(Read::Bcrypt(_) | Read::Foreign) | Err(_) => true,
        }
    }

    /// 44 characters, whatever the password: within bcrypt's 72 bytes and free of NUL.
    fn blend(&self, password: &Password) -> String {
        BASE64_STANDARD.encode(self.key.tag("password", &[password.expose().as_bytes()]))
    }
}

impl StoredHash {
    /// What has been computed of a new password.
    pub(super) fn of(task: &Task, digest: &[u8; DIGEST]) -> Self {
        let written = Written::new(task.cost, task.salt, digest);
        Self(format!("{SCHEME}{written}"))
    }

    /// The text, for those who may take hashes along.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn read(&self) -> Result<Read, BadHash> {
        if let Some(own) = self.0.strip_prefix(SCHEME) {
            return Written::parse(own, &COSTS).map(Read::Own);
        }
        let is_bcrypt = ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|it| self.0.starts_with(it));
        if is_bcrypt {
            return Written::parse(&self.0, &FOREIGN_COSTS).map(Read::Bcrypt);
        }
        Foreign::parse(&self.0).map(|_| Read::Foreign)
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

    fn digest(task: &Task) -> [u8; DIGEST] {
        authsome_lanes::digests(task.cost, &[task.input()]).unwrap()[0]
    }

    fn hashed(pepper: &Pepper, text: &str) -> StoredHash {
        let task = pepper.task(&password(text), &Entropy::seeded(1));
        StoredHash::of(&task, &digest(&task))
    }

    fn is_right(pepper: &Pepper, text: &str, stored: Option<&StoredHash>) -> bool {
        match pepper.question(&password(text), stored) {
            Question::Bcrypt(task, hash) => hash.is_some_and(|it| it.is(&digest(&task))),
            Question::Foreign => pepper.verify_foreign(&password(text), stored.unwrap()),
        }
    }

    /// Made by `tests/e2e/hashes.py`.
    const FOREIGN: [&str; 3] = [
        "$2b$04$zkbNa7tp49p9pnmbPs5/3.BPQhLj7E//TM1gVYR1Vic30ziCPnWTG",
        "$2a$04$Y8tTTV0l8JIVdiEPksZRy.32MGBm68us1N2CjeynE3ZtTKwvsyW8K",
        "$2y$04$zkbNa7tp49p9pnmbPs5/3.BPQhLj7E//TM1gVYR1Vic30ziCPnWTG",
    ];

    #[test]
    fn a_password_is_verified_whole_beyond_bcrypts_72_bytes() {
        let long = "x".repeat(100);
        let stored = hashed(&pepper(4), &long);

        assert!(is_right(&pepper(4), &long, Some(&stored)));
        let other = format!("{}y", &long[..99]);
        assert!(!is_right(&pepper(4), &other, Some(&stored)));
    }

    #[test]
    fn what_is_stored_is_what_the_crate_verifies() {
        let stored = hashed(&pepper(5), "correct horse");

        let own = stored.expose().strip_prefix(SCHEME).unwrap();
        let blend = pepper(5).blend(&password("correct horse"));
        assert!(::bcrypt::verify(blend, own).unwrap(), "{own}");
    }

    #[test]
    fn another_pepper_verifies_nothing() {
        let stored = hashed(&pepper(4), "correct horse");
        let other = Pepper::new(b"another pepper of 32 characters.", 4);

        assert!(!is_right(&other, "correct horse", Some(&stored)));
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
                !is_right(&pepper(4), "correct horse", Some(&stored)),
                "{damaged}"
            );
        }
    }

    /// Nobody can tell an account that is there from one that is not by the time it takes.
    #[test]
    fn where_there_is_no_hash_as_much_is_computed() {
        let stored = hashed(&pepper(5), "correct horse");
        let damaged = StoredHash(format!("{SCHEME}$2b$31${}", "K".repeat(53)));
        for stored in [Some(&stored), Some(&damaged), None] {
            let Question::Bcrypt(task, _) = pepper(5).question(&password("correct horse"), stored)
            else {
                panic!("another question");
            };
            assert_eq!((task.cost, task.key.bytes().len()), (5, 45));
        }
    }

    #[test]
    fn bcrypt_of_other_systems_is_of_the_password_as_it_is() {
        for text in FOREIGN {
            let stored = pepper(4).take_over(text).unwrap();
            assert!(
                is_right(&pepper(4), "correct horse", Some(&stored)),
                "{text}"
            );
            assert!(
                !is_right(&pepper(4), "correct horsf", Some(&stored)),
                "{text}"
            );
            assert!(pepper(4).is_outdated(&stored), "{text}");
        }
    }

    #[test]
    fn what_would_take_seconds_is_not_taken_over() {
        let rest = format!("${}.{}.", "K".repeat(21), "e".repeat(30));
        let taken = |cost: u32, text: String| pepper(cost).take_over(&text).map(drop);

        assert_eq!(taken(4, format!("$2b$14{rest}")), Ok(()));
        assert_eq!(taken(15, format!("$2b$15{rest}")), Err(BadHash::TooDear));
        assert_eq!(taken(12, format!("{SCHEME}$2b$14{rest}")), Ok(()));
        assert_eq!(
            taken(12, format!("{SCHEME}$2b$15{rest}")),
            Err(BadHash::TooDear)
        );
        assert_eq!(taken(15, format!("{SCHEME}$2b$15{rest}")), Ok(()));
        assert_eq!(
            taken(15, format!("{SCHEME}$2b$16{rest}")),
            Err(BadHash::TooDear)
        );
        for damaged in [
            "$2b$".repeat(1_000),
            format!("{SCHEME}$2b$12"),
            format!("{SCHEME}$1$x"),
        ] {
            assert_eq!(taken(12, damaged), Err(BadHash::Malformed));
        }
    }

    #[test]
    fn a_hash_of_another_cost_is_outdated() {
        let stored = hashed(&pepper(4), "correct horse");
        assert!(!pepper(4).is_outdated(&stored));
        assert!(pepper(5).is_outdated(&stored));
    }
}
