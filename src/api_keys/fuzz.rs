//! Texts of keys: see [`crate::kernel::fuzz`].

use super::secret::{is_one, minted};
use crate::kernel::entropy::Entropy;
use crate::kernel::fuzz::{altered, always};
use crate::kernel::secret::ExposeSecret;

/// A misspelt key is told without the store: by its checksum, or where it is older by its length.
#[test]
fn a_key_that_is_altered_is_none_or_an_older_one() {
    let entropy = Entropy::seeded(1);
    let keys =
        ["test", "stg", "live"].map(|marker| minted(marker, &entropy).expose_secret().to_owned());
    let older = ["sk_test_", "sk_live_"].map(|marker| format!("{marker}{}", entropy.token()));
    let seeds: Vec<String> = keys.iter().cloned().chain(older).collect();
    always(altered(seeds), |(_, text)| {
        let body = ["sk_test_", "sk_stg_", "sk_live_"]
            .iter()
            .find_map(|it| text.strip_prefix(it));
        let is_older = body.is_some_and(|body| {
            body.len() == 43
                && body
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        });
        assert_eq!(is_one(&text), is_older || keys.contains(&text), "{text}");
    });
}
