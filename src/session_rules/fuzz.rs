//! Words of the rules of sessions: see [`crate::kernel::fuzz`].

use super::record::TokenFormat;
use crate::kernel::fuzz::{always, is_as_serialized, texts};

#[test]
fn a_format_of_tokens_is_read_as_it_is_written() {
    always(texts(["jwt", "JWT", "opaque"]), |text| {
        is_as_serialized::<TokenFormat>(&text);
    });
}
