//! Words of environments, and the keys that name them: see [`crate::kernel::fuzz`].

use super::record::Kind;
use crate::kernel::fuzz::{always, is_as_serialized, texts};

#[test]
fn a_kind_of_environment_is_read_as_it_is_written() {
    let seeds = ["production", "staging", "development", "Production", "prod"];
    always(texts(seeds), |text| is_as_serialized::<Kind>(&text));
}
