//! The table of rules that all nodes count together.

use crate::events::Name;
use crate::kernel::rate::Rates;

macro_rules! rules {
    ($($Rule:ident = $key:ident, $event:expr, $meaning:literal;)+) => {
        /// What is counted. The subject of each is named by its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Rule {
            $(#[doc = $meaning] $Rule,)+
        }

        impl Rule {
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Rule::$Rule => stringify!($key),)+ }
            }

            /// What the first refusal of a period is told as.
            pub(super) const fn event(self) -> Name {
                match self { $(Rule::$Rule => $event,)+ }
            }
        }

        /// How often, rule by rule.
        #[derive(Debug, Clone)]
        pub struct RateSettings {
            $(#[doc = $meaning] pub $key: Rates,)+
            /// Refreshes by one address, counted by each node for itself.
            pub refresh: Rates,
        }

        impl RateSettings {
            pub(super) fn of(&self, rule: Rule) -> &Rates {
                match rule { $(Rule::$Rule => &self.$key,)+ }
            }
        }
    };
}

rules! {
    SignIn = signin, Name::RateLimitExceeded, "Sign-ins, by address.";
    SignUp = signup, Name::RateLimitExceeded, "Sign-ups, by address.";
    Recovery = recovery, Name::RateLimitExceeded, "Requests for a letter, by address.";
    Code = code, Name::RateLimitExceeded, "Codes and links presented, by address.";
    Letters = letters, Name::RateLimitExceeded, "Letters that strangers can cause, by recipient.";
    CodeGuesses = code_guesses, Name::RateLimitExceeded, "Codes tried, by address.";
    Invitations = invitations, Name::RateLimitExceeded, "Invitations, by organisation.";
    FailedSignIns = failed_signins, Name::SpraySuspected, "Wrong sign-ins, in the app as a whole.";
}
