//! Webhooks: how far events are sent.

use super::{
    setting::{Fallback, section},
    takes::Choice,
};

section! {
    /// How far events are sent.
    pub struct Webhooks in "webhooks" {
        /// For development: webhooks may lead to private addresses and this machine, and by `http`.
        allow_private: bool = Fallback::Value("false"), Choice(&[("true", true), ("false", false)]);
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
