//! The tables of rules: of what all nodes count together, and of what each counts for itself.

use std::time::Duration;

use crate::events::Name;
use crate::kernel::rate::{Rate, Rates};

macro_rules! rules {
    (
        everywhere { $($Rule:ident = $key:ident, $event:expr, $meaning:literal;)+ }
        here { $($Here:ident = $here:ident, $of:literal;)+ }
    ) => {
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

        /// What each node counts for itself, in its memory: it guards the node, whose store is not to
        /// be asked for that, and nothing that could be guessed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum NodeRule {
            $(#[doc = $of] $Here,)+
        }

        impl NodeRule {
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(NodeRule::$Here => stringify!($here),)+ }
            }
        }

        /// How often, rule by rule.
        #[derive(Debug, Clone)]
        pub struct RateSettings {
            $(#[doc = $meaning] pub $key: Rates,)+
            $(#[doc = $of] pub $here: Rates,)+
        }

        impl RateSettings {
            pub(super) fn of(&self, rule: Rule) -> &Rates {
                match rule { $(Rule::$Rule => &self.$key,)+ }
            }

            pub(super) fn of_node(&self, rule: NodeRule) -> &Rates {
                match rule { $(NodeRule::$Here => &self.$here,)+ }
            }

            /// Of what each node counts for itself.
            pub(super) fn longest_of_node(&self) -> Duration {
                let all = [$(&self.$here,)+].into_iter();
                let longest = all.flat_map(Rates::iter).map(Rate::period).max();
                longest.unwrap_or_default()
            }
        }
    };
}

rules! {
    everywhere {
        SignIn = signin, Name::RateLimitExceeded, "Sign-ins, by address.";
        SignUp = signup, Name::RateLimitExceeded, "Sign-ups, by address.";
        Recovery = recovery, Name::RateLimitExceeded, "Requests for a letter, by address.";
        Code = code, Name::RateLimitExceeded, "Codes and links presented, by address.";
        Letters = letters, Name::RateLimitExceeded, "Letters that strangers can cause, by recipient.";
        CodeGuesses = code_guesses, Name::RateLimitExceeded, "Codes tried, by address.";
        Invitations = invitations, Name::RateLimitExceeded, "Invitations, by organisation.";
        FailedSignIns = failed_signins, Name::SpraySuspected, "Wrong sign-ins, in the app as a whole.";
    }
    here {
        Refresh = refresh, "Refreshes, by address.";
        Exchange = exchanges, "Exchanges of a key, by key.";
        FailedExchange = failed_exchanges, "Exchanges of what is no key that is good, by address.";
        Introspection = introspections, "Keys and tokens looked into, by whoever asks.";
    }
}
