//! What paths call roles: see [`crate::kernel::fuzz`].

use super::requests::RoleReference;
use crate::kernel::fuzz::{always, texts};

#[test]
fn a_role_is_referred_to_by_any_short_text_as_it_is() {
    always(
        texts(["editor", "arol_01h2xcejqtf2nbrexx3vqjhp41", ""]),
        |text| {
            let read = text.parse::<RoleReference>().ok();
            assert_eq!(read.is_some(), (1..=64).contains(&text.len()));
            assert!(read.is_none_or(|read| read.as_str() == text));
        },
    );
}
