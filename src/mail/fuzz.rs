//! What mail servers answer: see [`crate::kernel::fuzz`].

use super::replies::enhanced;
use crate::kernel::fuzz::{always, texts};

/// Of a reply, which may quote an address, a code of three numbers is told and nothing else.
#[test]
fn of_a_reply_the_code_is_told() {
    let seeds = [
        "5.1.1 <mia@example.org>: no such user",
        "4.7.0\r\nlater",
        "550 5.1.1 x",
        "5.1.1.1",
    ];
    always(texts(seeds), |text| {
        let Some(code) = enhanced(&text) else {
            return;
        };
        assert!(text.starts_with(code) && code.len() <= 9, "{code}");
        let parts: Vec<&str> = code.split('.').collect();
        assert!(parts.len() == 3 && ["4", "5"].contains(&parts[0]), "{code}");
        assert!(
            parts
                .iter()
                .all(|part| part.parse::<u16>().is_ok_and(|it| it < 1_000)),
            "{code}"
        );
    });
}
