//! Hashes that other systems made: read, bounded, and verified as they are.
//!
//! | kind | notation | at most |
//! |---|---|---|
//! | Argon2id (RFC 9106) | PHC | 128 MiB; 512 MiB of passes, 4,096 of them |
//! | scrypt (RFC 7914) | PHC | N·r·p of 2^20, r·p of 2^10: 128 MiB |
//! | PBKDF2 (RFC 8018) | PHC, passlib's, Django's | SHA-256: 2,000,000 rounds, SHA-512: 1,000,000 |
//! | Firebase's scrypt | [`super::firebase`] | N of 2^16, r of 8 |
//! | bcrypt | [`super::bcrypt`] | cost 14 |
//!
//! That is a second of a slow core, and 128 MiB. What would cost more is refused when it comes, and
//! never computed (a stored hash is not trusted either). Passwords are hashed as they are, in NFC and without our pepper.

use std::fmt;
use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2};
use aws_lc_rs::pbkdf2;

use super::firebase::Firebase;
use super::phc::{LONGEST, Phc, decoded};
use crate::kernel::password::Password;
use crate::kernel::secret::{MacKey, same};

/// KiB of memory.
const ARGON2_MEMORY: u32 = 128 * 1024;
/// KiB of memory, as often as it is passed over.
const ARGON2_WORK: u64 = 512 * 1024;
/// A pass over little memory costs more than its memory says.
const ARGON2_PASSES: u32 = 4_096;
/// N·r·p: blocks of 128 bytes that are mixed one after another, of which N·r are kept (RFC 7914 §5).
const SCRYPT_WORK: u64 = 1 << 20;
/// r·p: blocks of 128 bytes that PBKDF2 makes before and takes after (RFC 7914 §6); all are kept.
const SCRYPT_LANES: u64 = 1 << 10;
/// Iterations, as often as the hash is longer than one output of the function.
const PBKDF2_SHA256_ROUNDS: u64 = 2_000_000;
/// An output takes twice as long.
const PBKDF2_SHA512_ROUNDS: u64 = 1_000_000;
const HASH_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
const SALT_BYTES: std::ops::RangeInclusive<usize> = 1..=64;

/// Why a hash is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHash {
    #[error("is of a kind that is not known here")]
    Unknown,
    #[error("is not well-formed")]
    Malformed,
    #[error(
        "would take more than a second or 128 MiB to verify: let its holder reset his password"
    )]
    TooDear,
    #[error("needs its salt, and the hash parameters of its Firebase project")]
    NoParameters,
}

/// A hash of another system, ready to be verified.
#[derive(Debug)]
pub(super) enum Foreign<'a> {
    Argon2id(Box<Argon2<'static>>, Phc<'a>),
    Scrypt(scrypt::Params, Phc<'a>),
    Pbkdf2(Pbkdf2),
    Firebase(Firebase),
}

pub(super) struct Pbkdf2 {
    algorithm: pbkdf2::Algorithm,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl fmt::Debug for Pbkdf2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pbkdf2")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl<'a> Foreign<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BadHash> {
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(BadHash::Malformed);
        }
        if let Some(firebase) = Firebase::stored(text) {
            return firebase.map(Self::Firebase);
        }
        if let Some(django) = text.strip_prefix("pbkdf2_sha256$") {
            return of_django(django).map(Self::Pbkdf2);
        }
        let kind = text.strip_prefix('$').and_then(|it| it.split('$').next());
        match kind {
            Some("argon2id") => argon2id(phc(text)?),
            Some("scrypt") => scrypt(phc(text)?),
            Some("pbkdf2-sha256") => {
                pbkdf2(pbkdf2::PBKDF2_HMAC_SHA256, phc(text)?).map(Self::Pbkdf2)
            }
            Some("pbkdf2-sha512") => {
                pbkdf2(pbkdf2::PBKDF2_HMAC_SHA512, phc(text)?).map(Self::Pbkdf2)
            }
            Some(_) | None => Err(BadHash::Unknown),
        }
    }

    /// Whether `password` is the one that was hashed; takes as long as the hash says.
    pub(super) fn verify(&self, password: &Password, key: &MacKey) -> bool {
        let password = password.expose().as_bytes();
        match self {
            Self::Argon2id(argon2, phc) => {
                let mut out = vec![0; phc.hash.len()];
                let hashed = argon2.hash_password_into(password, &phc.salt, &mut out);
                hashed.is_ok() && same(&out, &phc.hash)
            }
            Self::Scrypt(params, phc) => {
                let mut out = vec![0; phc.hash.len()];
                let hashed = scrypt::scrypt(password, &phc.salt, params, &mut out);
                hashed.is_ok() && same(&out, &phc.hash)
            }
            Self::Pbkdf2(it) => {
                let (salt, hash) = (&it.salt, &it.hash);
                pbkdf2::verify(it.algorithm, it.iterations, salt, password, hash).is_ok()
            }
            Self::Firebase(firebase) => firebase.verify(password, key),
        }
    }
}

fn phc(text: &str) -> Result<Phc<'_>, BadHash> {
    let phc = Phc::parse(text).ok_or(BadHash::Malformed)?;
    let is_sound = HASH_BYTES.contains(&phc.hash.len()) && SALT_BYTES.contains(&phc.salt.len());
    if is_sound {
        Ok(phc)
    } else {
        Err(BadHash::Malformed)
    }
}

fn argon2id(phc: Phc<'_>) -> Result<Foreign<'_>, BadHash> {
    let costs = ["m", "t", "p"].map(|name| phc.number(name));
    let [Some(memory), Some(passes), Some(lanes)] = costs else {
        return Err(BadHash::Malformed);
    };
    let work = u64::from(memory) * u64::from(passes);
    if memory > ARGON2_MEMORY || work > ARGON2_WORK || passes > ARGON2_PASSES || lanes > 64 {
        return Err(BadHash::TooDear);
    }
    // Without a version it is that of the first specification.
    let version = phc.version.unwrap_or(0x10).try_into();
    let params = argon2::Params::new(memory, passes, lanes, Some(phc.hash.len()));
    let (Ok(version), Ok(params)) = (version, params) else {
        return Err(BadHash::Malformed);
    };
    let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
    Ok(Foreign::Argon2id(Box::new(argon2), phc))
}

fn scrypt(phc: Phc<'_>) -> Result<Foreign<'_>, BadHash> {
    let costs = ["ln", "r", "p"].map(|name| phc.number(name));
    let [Some(log_n), Some(block), Some(lanes)] = costs else {
        return Err(BadHash::Malformed);
    };
    scrypt_params(log_n, block, lanes).map(|params| Foreign::Scrypt(params, phc))
}

pub(super) fn scrypt_params(log_n: u32, r: u32, p: u32) -> Result<scrypt::Params, BadHash> {
    let lanes = u64::from(r) * u64::from(p);
    let n = 1_u64.checked_shl(log_n).filter(|_| log_n < 32);
    let work = n.and_then(|n| n.checked_mul(lanes));
    if lanes > SCRYPT_LANES || work.is_none_or(|work| work > SCRYPT_WORK) {
        return Err(BadHash::TooDear);
    }
    let log_n = u8::try_from(log_n).map_err(|_| BadHash::TooDear)?;
    if log_n == 0 {
        return Err(BadHash::Malformed);
    }
    scrypt::Params::new(log_n, r, p).map_err(|_| BadHash::Malformed)
}

fn pbkdf2(algorithm: pbkdf2::Algorithm, phc: Phc<'_>) -> Result<Pbkdf2, BadHash> {
    let iterations = phc.number("i").or_else(|| phc.lone_number());
    Pbkdf2::new(algorithm, iterations, (phc.salt, phc.hash))
}

/// `<iterations>$<salt, as it is>$<hash>`
fn of_django(text: &str) -> Result<Pbkdf2, BadHash> {
    let mut parts = text.splitn(3, '$');
    let (Some(iterations), Some(salt), Some(hash)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(BadHash::Malformed);
    };
    let hash = decoded(hash).ok_or(BadHash::Malformed)?;
    let is_sound = HASH_BYTES.contains(&hash.len()) && SALT_BYTES.contains(&salt.len());
    if !is_sound {
        return Err(BadHash::Malformed);
    }
    let kept = (salt.as_bytes().to_vec(), hash);
    Pbkdf2::new(pbkdf2::PBKDF2_HMAC_SHA256, iterations.parse().ok(), kept)
}

impl Pbkdf2 {
    fn new(
        algorithm: pbkdf2::Algorithm,
        iterations: Option<u32>,
        (salt, hash): (Vec<u8>, Vec<u8>),
    ) -> Result<Self, BadHash> {
        let iterations = iterations.and_then(NonZeroU32::new);
        let iterations = iterations.ok_or(BadHash::Malformed)?;
        let (most, output) = if algorithm == pbkdf2::PBKDF2_HMAC_SHA256 {
            (PBKDF2_SHA256_ROUNDS, 32)
        } else {
            (PBKDF2_SHA512_ROUNDS, 64)
        };
        let outputs = hash.len().div_ceil(output) as u64;
        if u64::from(iterations.get()) * outputs > most {
            return Err(BadHash::TooDear);
        }
        Ok(Self {
            algorithm,
            iterations,
            salt,
            hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(hash: &str) -> Result<(), BadHash> {
        Foreign::parse(hash).map(drop)
    }

    fn is_right(hash: &str, password: &str) -> bool {
        let password = Password::presented(password).unwrap();
        let key = MacKey::new(b"of no use");
        Foreign::parse(hash).unwrap().verify(&password, &key)
    }

    /// Made by `tests/e2e/hashes.py`: libargon2, passlib and OpenSSL.
    #[test]
    fn hashes_of_others_are_verified() {
        let vectors = [
            "$argon2id$v=19$m=8192,t=2,p=2$M32r/lfrozKMahB5Phu//g$Zl/aRYsHs159ZCj9yo4TcQlzt5t7frDfXQa0s0xyNR4",
            "$scrypt$ln=12,r=8,p=1$7Sy2Y9mThHpMn32BDIZ1fg$mBQb1JuhiZHQFVBT4jCvhRltTvXvjxB+xKB667nfuqc",
            "$pbkdf2-sha256$i=10000,l=32$3A+MdOEeOEQcGpMYNCtvKw$fxCxvM/urFRy5nUHZsq+g0pwZkdao4KzF4nelLRELmA",
            "$pbkdf2-sha256$10000$4ByjtPb.v3eOsXbO.T8HIA$rnmp1wgYFBnnk3DbvUBMnSFZKNvMWdp7XGeNuqVHExI",
            "$pbkdf2-sha512$10000$XGstxThHKGVMaY0xZqxVig$crZuZt2EdMB28mplW5MUctJuGu8eMJ07onOWjaFMlLZhjKvAwyjmcTwqalDUXtx4S8zTRpjYg6j9RBz6/nC/cQ",
            "pbkdf2_sha256$10000$x7Kd02mQpLw9$PvKVv7zGbPC6MFRNy48rIPjYUzmBgsN6JWaAOQm5GFA=",
        ];
        for hash in vectors {
            assert!(is_right(hash, "correct horse"), "{hash}");
            assert!(!is_right(hash, "correct horsf"), "{hash}");
        }
    }

    #[test]
    fn what_would_take_seconds_or_gibibytes_is_never_computed() {
        let (salt, hash) = ("c29tZXNhbHQ", "AQIDBAUGBwgJCgsMDQ4PEA");
        let dear = [
            format!("$argon2id$v=19$m=131073,t=1,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=65536,t=9,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=8,t=4097,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1${salt}${hash}"),
            format!("$scrypt$ln=18,r=8,p=1${salt}${hash}"),
            format!("$scrypt$ln=17,r=8,p=2${salt}${hash}"),
            // Little is kept of N, and much beside it.
            format!("$scrypt$ln=1,r=524288,p=2${salt}${hash}"),
            format!("$scrypt$ln=1,r=1,p=1048576${salt}${hash}"),
            format!("$scrypt$ln=1,r=1,p=1025${salt}${hash}"),
            format!("$scrypt$ln=1,r=4294967295,p=4294967295${salt}${hash}"),
            format!("$scrypt$ln=63,r=8,p=1${salt}${hash}"),
            format!("$scrypt$ln=200,r=4294967295,p=1${salt}${hash}"),
            format!("$pbkdf2-sha256$i=2000001${salt}${hash}"),
            // Two outputs of the function.
            format!("$pbkdf2-sha256$i=1000001${salt}${}", "AQID".repeat(12)),
            format!("$pbkdf2-sha512$i=1000001${salt}${hash}"),
            "pbkdf2_sha256$2000001$salt$AQIDBAUGBwgJCgsMDQ4PEA==".to_owned(),
        ];
        for hash in dear {
            assert_eq!(verdict(&hash), Err(BadHash::TooDear), "{hash}");
        }
    }

    #[test]
    fn what_is_usual_elsewhere_is_within_bounds() {
        let (salt, hash) = ("c29tZXNhbHQ", "AQIDBAUGBwgJCgsMDQ4PEA");
        for usual in [
            format!("$argon2id$v=19$m=65536,t=3,p=4${salt}${hash}"),
            format!("$argon2id$v=19$m=102400,t=2,p=8${salt}${hash}"),
            format!("$scrypt$ln=17,r=8,p=1${salt}${hash}"),
            format!("$scrypt$ln=14,r=8,p=5${salt}${hash}"),
            format!("$scrypt$ln=14,r=16,p=1${salt}${hash}"),
            format!("$pbkdf2-sha512$i=210000,l=16${salt}${hash}"),
            "pbkdf2_sha256$1200000$salt$AQIDBAUGBwgJCgsMDQ4PEA==".to_owned(),
        ] {
            assert_eq!(verdict(&usual), Ok(()), "{usual}");
        }
    }

    #[test]
    fn other_kinds_and_damaged_ones_are_told_apart() {
        let short = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AQID";
        for (hash, expected) in [
            ("", BadHash::Unknown),
            ("5f4dcc3b5aa765d61d8327deb882cf99", BadHash::Unknown),
            ("$1$abc$def", BadHash::Unknown),
            (
                "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AQID",
                BadHash::Unknown,
            ),
            ("$6$rounds=5000$abc$def", BadHash::Unknown),
            ("§", BadHash::Malformed),
            (short, BadHash::Malformed),
            (
                "$scrypt$ln=14,r=8$c29tZXNhbHQ$AQIDBAUGBwgJCgsMDQ4PEA",
                BadHash::Malformed,
            ),
            (
                "pbkdf2_sha256$x$salt$AQIDBAUGBwgJCgsMDQ4PEA==",
                BadHash::Malformed,
            ),
            (
                "pbkdf2_sha256$0$salt$AQIDBAUGBwgJCgsMDQ4PEA==",
                BadHash::Malformed,
            ),
        ] {
            assert_eq!(verdict(hash), Err(expected), "{hash}");
        }
        assert_eq!(
            verdict(&"$argon2id$".repeat(1_000)),
            Err(BadHash::Malformed)
        );
    }
}
