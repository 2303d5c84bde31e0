//! Words of what an app offers: see [`crate::kernel::fuzz`].

use super::record::{Method, SignInName};
use crate::kernel::fuzz::{always, is_as_serialized, texts};

#[test]
fn ways_to_sign_in_are_read_as_they_are_written() {
    let seeds = [
        "password",
        "magic_link",
        "email",
        "username",
        "phone",
        "Password",
    ];
    always(texts(seeds), |text| {
        is_as_serialized::<Method>(&text);
        is_as_serialized::<SignInName>(&text);
    });
}
