//! Webhooks: how far events are sent, and how long somebody waits there.

use std::time::Duration;

use super::{
    setting::{Fallback, section},
    takes::{Choice, Span, seconds},
};

section! {
    /// How far events are sent, and how long somebody waits there.
    pub struct Webhooks in "webhooks" {
        /// For development: webhooks may lead to private addresses and this machine, and by `http`.
        allow_private: bool = Fallback::Value("false"), Choice(&[("true", true), ("false", false)]);
        /// How long a receiver may take, from the look-up of its name to the end of its answer.
        timeout: Duration = Fallback::Value("10s"), Span { min: seconds(1), max: seconds(30) };
    }
}

impl Webhooks {
    /// See [`super::Config::warnings`].
    pub(super) fn warnings(&self) -> Vec<String> {
        let warning = "webhooks.allow_private is on: whoever makes a webhook has this server send \
                       requests into its own network";
        self.allow_private
            .then(|| warning.to_owned())
            .into_iter()
            .collect()
    }
}
