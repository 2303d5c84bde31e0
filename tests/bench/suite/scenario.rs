//! Scenarios: what is asked of everybody who can answer it.

use std::time::Duration;

use serde::Serialize;

use super::figure::Round;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    SignIn,
    /// Who somebody is, by a token that was seen before.
    Me,
    /// The same, each token for the first time.
    MeAnew,
    Refresh,
    /// One question about one permission in an organisation.
    Check,
    /// A page of a hundred members.
    List,
    /// Of twenty questions eighteen are [`Scenario::Me`], one a refresh, one a sign-in.
    Mixed,
    SignUp,
    /// A new organisation.
    Found,
}

/// In the order in which they are measured: those that make a store larger come last.
pub const ALL: [Scenario; 9] = [
    Scenario::Me,
    Scenario::MeAnew,
    Scenario::Refresh,
    Scenario::Check,
    Scenario::List,
    Scenario::SignIn,
    Scenario::Mixed,
    Scenario::SignUp,
    Scenario::Found,
];

/// Which of twenty questions is which in [`Scenario::Mixed`]: 0 is `me`, 1 a refresh, 2 a sign-in.
pub const MIXTURE: [usize; 20] = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];

impl Scenario {
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Me => "who am I",
            Self::MeAnew => "who am I, by a token not seen before",
            Self::Refresh => "refresh",
            Self::Check => "permission check",
            Self::List => "list 100 members",
            Self::Mixed => "mixed: 90 % who am I, 5 % refresh, 5 % sign-in",
            Self::SignUp => "sign-up",
            Self::Found => "create an organisation",
        }
    }
}

/// Who is measured.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    pub name: String,
    /// The store that it works on, where it has one.
    pub store: Option<&'static str>,
    pub kind: Kind,
    /// Versions, algorithms and costs.
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Authsome,
    Limit,
    Peer,
}

/// Somebody who answers, on the server's core.
pub trait Subject {
    fn about(&self) -> &About;

    /// One round with so many clients; none where it does not do this.
    fn round(&mut self, scenario: Scenario, clients: usize, time: Duration) -> Option<Round>;
}
