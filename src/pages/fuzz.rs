//! Names of pages: see [`crate::kernel::fuzz`].

use super::text::Page;
use crate::kernel::fuzz::{always, texts};

#[test]
fn a_page_is_found_by_its_name_alone() {
    let seeds = [
        "verify-email",
        "reset-password",
        "magic-link",
        "../page.js",
        "invitation",
    ];
    always(texts(seeds), |text| {
        let found = text.parse::<Page>().ok();
        assert_eq!(found.map_or(&*text, |page| page.0.page()), text);
    });
}
