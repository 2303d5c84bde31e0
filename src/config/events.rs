//! Events: how long the record of what happened is kept.

use std::time::Duration;

use super::{
    setting::{Fallback, section},
    takes::{Span, days},
};

section! {
    /// How long the record of what happened is kept.
    pub struct Events in "events" {
        /// How long a security event is kept.
        retention: Duration = Fallback::Value("400d"), Span { min: days(30), max: days(3650) };
    }
}
