//! Hashes of other systems: see [`crate::kernel::fuzz`].

use proptest::collection::vec;
use proptest::prelude::any;

use super::firebase::{Firebase, FirebaseProject};
use super::foreign::Foreign;
use super::phc::{Phc, decoded, encoded};
use super::scheme::Pepper;
use crate::kernel::fuzz::{always, texts};

const HASHES: [&str; 9] = [
    "$2b$04$Y8tTTV0l8JIVdiEPksZRy.32MGBm68us1N2CjeynE3ZtTKwvsyW8K",
    "$argon2id$v=19$m=8192,t=2,p=2$M32r/lfrozKMahB5Phu//g$Zl/aRYsHs159ZCj9yo4TcQlzt5t7frDfXQa0s0xyNR4",
    "$argon2id$v=19$m=65536,t=8,p=1$c29tZXNhbHQ$AQIDBAUGBwgJCgsMDQ4PEA",
    "$scrypt$ln=12,r=8,p=1$7Sy2Y9mThHpMn32BDIZ1fg$mBQb1JuhiZHQFVBT4jCvhRltTvXvjxB+xKB667nfuqc",
    "$pbkdf2-sha256$i=10000,l=32$3A+MdOEeOEQcGpMYNCtvKw$fxCxvM/urFRy5nUHZsq+g0pwZkdao4KzF4nelLRELmA",
    "$pbkdf2-sha512$10000$XGstxThHKGVMaY0xZqxVig$crZuZt2EdMB28mplW5MUctJuGu8eMJ07onOWjaFMlLZhjKvAwyjmcTwqalDUXtx4S8zTRpjYg6j9RBz6/nC/cQ",
    "pbkdf2_sha256$10000$x7Kd02mQpLw9$PvKVv7zGbPC6MFRNy48rIPjYUzmBgsN6JWaAOQm5GFA=",
    "firebase-scrypt-hmac-sha256:ln=14,r=8$42xEC+ixf3L2lw$Bw$AQIDBAUGBwgJCgsMDQ4PEAECAwQFBgcICQoLDA0ODxA",
    "$1$abc$def",
];

/// The first number behind a mark.
fn number(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whatever is taken costs a second at most, by what stands in it; a number that is not read is none
/// that counts.
#[test]
fn a_hash_that_is_taken_is_bounded_by_what_stands_in_it() {
    let pepper = Pepper::new(b"a pepper of the tests, 32 bytes!", 4);
    always(texts(HASHES), |text| {
        if text.starts_with("$2") {
            let cost = text.get(4..6).and_then(|it| it.parse::<u32>().ok());
            let is_bounded = cost.is_some_and(|cost| (4..=14).contains(&cost));
            assert!(is_bounded || pepper.take_over(&text).is_err(), "{text}");
            return;
        }
        let Ok(taken) = Foreign::parse(&text) else {
            return;
        };
        assert!(text.len() <= 512 && text.is_ascii(), "{text}");
        let of = |mark| number(&text, mark).unwrap_or(u64::MAX);
        let is_bounded = match taken {
            Foreign::Argon2id(..) => {
                let (memory, passes) = (of("m="), of("t="));
                memory <= 128 * 1024 && memory.saturating_mul(passes) <= 512 * 1024
            }
            Foreign::Scrypt(..) => {
                let lanes = of("r=").saturating_mul(of("p="));
                of("ln=") < 21 && lanes.saturating_mul(1 << of("ln=").min(40)) <= 1 << 20
            }
            Foreign::Firebase(_) => of("r=").saturating_mul(1 << of("ln=").min(40)) <= 1 << 20,
            Foreign::Pbkdf2(_) => {
                let rounds = number(&text, "i=").or_else(|| number(&text[1..], "$"));
                rounds.is_some_and(|rounds| (1..=2_000_000).contains(&rounds))
            }
        };
        assert!(is_bounded, "{text}");
    });
}

/// However it is written, with padding or without, and with passlib's dots.
#[test]
fn the_notation_is_read_as_it_is_written() {
    let bytes = || vec(any::<u8>(), 1..64);
    always((bytes(), bytes(), any::<u32>()), |(salt, hash, number)| {
        let (salted, hashed) = (encoded(&salt), encoded(&hash));
        for text in [
            format!("$x$v={number}$m={number}${salted}${hashed}"),
            format!(
                "$x$v={number}$a=1,m={number}${}${}",
                salted.trim_end_matches('='),
                hashed.replace('+', ".")
            ),
        ] {
            let phc = Phc::parse(&text).expect("a hash");
            assert_eq!((&phc.salt, &phc.hash), (&salt, &hash));
            assert_eq!(
                (phc.version, phc.number("m"), phc.number("n")),
                (Some(number), Some(number), None)
            );
            assert!(Phc::parse(&format!("{text}$")).is_none());
        }
    });
    always(texts(HASHES), |text| {
        if let Some(bytes) = decoded(&text) {
            assert_eq!(decoded(&encoded(&bytes)), Some(bytes));
        }
        assert!(
            Phc::parse(&text)
                .is_none_or(|phc| text.matches('$').count() >= 4 && !phc.hash.is_empty())
        );
    });
}

#[test]
fn a_project_of_firebase_is_whole_or_none() {
    const SIGNER: &str =
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    let cases = (
        texts([SIGNER, "AQID"]),
        texts(["Bw==", ""]),
        any::<u32>(),
        0..64_u32,
    );
    always(cases, |(signer, separator, rounds, mem_cost)| {
        let rounds = rounds % 2_000;
        let made = FirebaseProject::new((&signer, &separator), (rounds, mem_cost));
        let is_whole = decoded(&signer).is_some_and(|key| key.len() == 64)
            && decoded(&separator).is_some_and(|it| it.len() <= 16);
        assert!(is_whole || made.is_err());
        if let Ok(project) = made {
            assert!(is_whole && u64::from(rounds) << mem_cost <= 1 << 20);
            assert!(!format!("{project:?}").contains(&signer[..12]));
        }
    });
    always(texts(HASHES), |text| {
        let is_ours = text.starts_with("firebase-scrypt-hmac-sha256:");
        assert_eq!(Firebase::stored(&text).is_some(), is_ours, "{text}");
    });
}
