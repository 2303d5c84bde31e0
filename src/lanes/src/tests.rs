//! Held to published vectors, to the `bcrypt` crate, and to lanes that know nothing of each other.

use base64::Engine;

use super::*;

/// Chance from a seed (xorshift64*), so that a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll()).unwrap() % bound
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let some = (0..length).map(|_| u8::try_from(self.roll() & 0xff).unwrap());
        some.collect()
    }

    fn candidate(&mut self) -> Candidate {
        // Beyond the 72 bytes as well.
        let length = self.below(90);
        let key = Key::new(&self.bytes(length));
        let salt = self.bytes(SALT).try_into().unwrap();
        Candidate { key, salt }
    }

    fn candidates(&mut self, many: usize) -> Vec<Candidate> {
        (0..many).map(|_| self.candidate()).collect()
    }
}

struct Candidate {
    key: Key,
    salt: [u8; SALT],
}

fn hashed(cost: u32, candidates: &[Candidate]) -> Vec<[u8; DIGEST]> {
    let inputs = candidates.iter().map(|it| Input {
        key: &it.key,
        salt: &it.salt,
    });
    digests(cost, &inputs.collect::<Vec<_>>()).unwrap()
}

fn by_the_crate(cost: u32, candidate: &Candidate) -> [u8; DIGEST] {
    ::bcrypt::bcrypt(cost, candidate.salt, candidate.key.bytes())
}

/// Of jBCrypt (`TestBCrypt.java`) and of Openwall's `crypt_blowfish` (`wrapper.c`).
const PUBLISHED: &[(&[u8], &str)] = &[
    (b"", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
    (b"a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
    (b"a", "$2a$08$cfcvVd2aQ8CMvoMpP2EBfeodLEkkFJ9umNEfPD18.hUF62qqlC/V."),
    (b"abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
    (b"abc", "$2a$08$Ro0CUfOqk6cXEKf3dyaM7OhSCvnwM9s4wIX9JeLapehKK5YdLxKcm"),
    (
        b"abcdefghijklmnopqrstuvwxyz",
        "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
    ),
    (
        b"abcdefghijklmnopqrstuvwxyz",
        "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.",
    ),
    (
        b"~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
        "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
    ),
    (b"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    (b"U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
    (b"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    (
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ),
    (b"\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"),
];

#[test]
fn published_vectors_are_met_in_every_lane() {
    for (password, written) in PUBLISHED {
        let (cost, written) = (written[4..6].parse().unwrap(), &written[7..]);
        let salt = ::bcrypt::BASE_64.decode(&written[..22]).unwrap();
        let expected = ::bcrypt::BASE_64.decode(&written[22..]).unwrap();

        let (key, salt) = (Key::new(password), salt.try_into().unwrap());
        let alike = [Input {
            key: &key,
            salt: &salt,
        }; MOST];

        for digest in digests(cost, &alike).unwrap() {
            assert_eq!(digest[..23], expected, "{written}");
        }
    }
}

#[test]
fn ten_thousand_times_it_is_what_the_crate_computes() {
    let mut dice = Dice(0x05ee_d0fa_11a7_e57e);
    let mut compared = 0;
    while compared < 10_000 {
        let lanes = 1 + dice.below(MOST);
        let cost = [4, 4, 4, 4, 4, 4, 4, 5][dice.below(8)] + u32::from(dice.below(50) == 0);
        let candidates = dice.candidates(lanes);

        let found = hashed(cost, &candidates);

        let expected: Vec<_> = candidates.iter().map(|it| by_the_crate(cost, it)).collect();
        assert_eq!(
            found, expected,
            "{lanes} lanes, cost {cost}, after {compared}"
        );
        compared += lanes;
    }
}

#[test]
fn in_another_order_the_same_is_found_in_that_order() {
    let mut dice = Dice(7);
    for lanes in 2..=MOST {
        for _ in 0..40 {
            let mut candidates = dice.candidates(lanes);
            let mut expected = hashed(1, &candidates);
            for at in (1..lanes).rev() {
                let other = dice.below(at + 1);
                candidates.swap(at, other);
                expected.swap(at, other);
            }

            assert_eq!(hashed(1, &candidates), expected, "{lanes} lanes");
        }
    }
}

#[test]
fn what_goes_into_one_lane_changes_no_other() {
    let mut dice = Dice(11);
    for lanes in 1..=MOST {
        for changed in 0..lanes {
            let mut candidates = dice.candidates(lanes);
            let before = hashed(1, &candidates);
            candidates[changed] = dice.candidate();

            let after = hashed(1, &candidates);

            for lane in 0..lanes {
                let is_same = before[lane] == after[lane];
                assert_eq!(is_same, lane != changed, "lane {lane} of {lanes}");
            }
        }
    }
}

#[test]
fn none_and_more_than_there_are_lanes_are_hashed_too() {
    for many in [0, MOST, MOST + 1, 3 * MOST + 2] {
        let candidates = Dice(13).candidates(many);

        let found = hashed(0, &candidates);

        let expected: Vec<_> = candidates.iter().map(|it| by_the_crate(0, it)).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_cost_that_is_none_is_refused() {
    let (key, salt) = (Key::new(b"x"), [0; SALT]);
    let input = Input {
        key: &key,
        salt: &salt,
    };

    assert_eq!(digests(32, &[input]), None);
    assert_eq!(digests(u32::MAX, &[]), None);
}

#[test]
fn a_key_is_72_bytes_of_a_password_or_all_and_a_zero_byte() {
    assert_eq!(Key::new(b"").bytes(), b"\0");
    assert_eq!(Key::new(b"a\0b").bytes(), b"a\0b\0");
    assert_eq!(
        Key::new(&[b'x'; 71]).bytes(),
        [&[b'x'; 71][..], b"\0"].concat()
    );
    assert_eq!(Key::new(&[b'x'; 72]).bytes(), [b'x'; 72]);
    assert_eq!(Key::new(&[b'x'; 100]).bytes(), [b'x'; 72]);
    assert_eq!(format!("{:?}", Key::new(b"secret")), "Key(…)");
}

/// The crate's rules, through its own door: what counts of a password, and what does not.
#[test]
fn passwords_are_cut_and_ended_as_the_crate_does() {
    let salt = [3; SALT];
    for password in [
        &b""[..],
        b"a",
        b"a\0",
        b"a\0a",
        &[b'x'; 71],
        &[b'x'; 72],
        &[b'x'; 73],
    ] {
        let parts = ::bcrypt::hash_with_salt(password, 4, salt).unwrap();
        let expected = parts.to_string();

        let candidate = [Candidate {
            key: Key::new(password),
            salt,
        }];
        let digest = hashed(4, &candidate)[0];

        assert_eq!(::bcrypt::BASE_64.encode(&digest[..23]), expected[29..]);
    }
}

/// π = 16 arctan 1/5 - 4 arctan 1/239 (Machin 1706), in fixed point.
#[test]
fn blowfish_begins_with_the_digits_of_pi() {
    let mut pi = Fixed::arctan_of_one_over(5).times(16);
    pi.take(&Fixed::arctan_of_one_over(239).times(4));

    assert_eq!(pi.0[0], 3);
    let state = pi::PI;
    let written = state.p.iter().chain(state.s.as_flattened());
    assert!(
        pi.0[1..]
            .iter()
            .zip(written)
            .all(|(one, other)| one == other)
    );
}

/// A word before the point and as many behind it as are needed, and two for what is rounded.
#[derive(Clone)]
struct Fixed(Vec<u32>);

impl Fixed {
    fn one() -> Self {
        let mut words = vec![0; 1 + 18 + 4 * 256 + 2];
        words[0] = 1;
        Self(words)
    }

    fn arctan_of_one_over(x: u32) -> Self {
        let mut power = Self::one().over(x);
        let mut sum = power.clone();
        for odd in (3..).step_by(2) {
            power = power.over(x * x);
            if power.0.iter().all(|word| *word == 0) {
                break;
            }
            let term = power.over(odd);
            if odd % 4 == 3 {
                sum.take(&term);
            } else {
                sum.add(&term);
            }
        }
        sum
    }

    fn over(&self, divisor: u32) -> Self {
        let mut rest = 0;
        let words = self.0.iter().map(|word| {
            let all = rest << 32 | u64::from(*word);
            rest = all % u64::from(divisor);
            u32::try_from(all / u64::from(divisor)).unwrap()
        });
        Self(words.collect())
    }

    fn times(&self, factor: u32) -> Self {
        let none = Self(vec![0; self.0.len()]);
        (0..factor).fold(none, |mut sum, _| {
            sum.add(self);
            sum
        })
    }

    fn add(&mut self, other: &Self) {
        let mut carried = false;
        for (word, other) in self.0.iter_mut().zip(&other.0).rev() {
            (*word, carried) = word.carrying_add(*other, carried);
        }
    }

    fn take(&mut self, other: &Self) {
        let mut borrowed = false;
        for (word, other) in self.0.iter_mut().zip(&other.0).rev() {
            (*word, borrowed) = word.borrowing_sub(*other, borrowed);
        }
    }
}
