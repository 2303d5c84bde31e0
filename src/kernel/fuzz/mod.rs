//! Fuzzing: laws that a parser keeps, whatever text or bytes it is given.
//!
//! ```text
//! seeds (good ones, and every one that was a fault once)
//!   ├─────────────▶ law          as they are
//!   └─▶ mutated ──▶ law          a few hundred, the same ones each time
//! ```
//!
//! A law says what holds, not only that nothing breaks: one spelling of one thing, nothing of a seal
//! that can be altered, what another implementation reads. No text may take long, either. Targets
//! stand beside their parsers, in modules called `fuzz`; `tests/it/architecture/parsers.rs` has the
//! table of all, and knows a parser without one. To look for longer, and elsewhere:
//! `PARSER_SECONDS=300 PARSER_SEED=$RANDOM tests/run fuzz::`.

mod mutations;
mod opaque;
mod texts;
mod times;
mod words;

use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Serialize;

use super::measure::Stopwatch;

pub(crate) use mutations::{altered, any_json, blobs, one_of, texts};

/// So many for each target, unless for so long.
const CASES: u32 = 400;
/// No text of a few thousand characters is worth more, on a busy machine and without optimisation.
const PATIENCE: Duration = Duration::from_secs(5);

/// Holds `law` for whatever `cases` makes.
pub(crate) fn always<S: Strategy>(cases: S, law: impl Fn(S::Value)) {
    let (since, time) = (Stopwatch::start(), chosen("PARSER_SECONDS"));
    let mut seed = chosen("PARSER_SEED").unwrap_or(1);
    loop {
        let tried = runner(seed).run(&cases, |case| {
            let watch = Stopwatch::start();
            law(case);
            let took = watch.elapsed();
            assert!(took < PATIENCE, "it took {took:?}");
            Ok(())
        });
        if let Err(fault) = tried {
            panic!("PARSER_SEED={seed}: {fault}");
        }
        if time.is_none_or(|time| since.elapsed() >= Duration::from_secs(time)) {
            return;
        }
        seed = seed.wrapping_add(1);
    }
}

fn runner(seed: u64) -> TestRunner {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let bytes = [seed.to_le_bytes(); 4].concat();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(config, rng)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long is looked is the affair of whoever runs the tests"
)]
fn chosen(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The law of every checked text: what is read of it is its one spelling, which is read as itself.
pub(crate) fn settles<T>(text: &str) -> Option<String>
where
    T: FromStr<Err: Debug> + ToString + PartialEq + Debug,
{
    let read: T = text.parse().ok()?;
    let spelling = read.to_string();
    let again = spelling.parse::<T>();
    assert_eq!(again.expect("what is spelled can be read"), read);
    Some(spelling)
}

/// The law of words of which there are few: nothing but the word is read as it.
pub(crate) fn is_as_written<T: FromStr + ToString>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string(), text);
    }
}

/// The same of what is written as JSON alone.
pub(crate) fn is_as_serialized<T: FromStr + Serialize>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(serde_json::to_value(read).expect("JSON"), text);
    }
}
