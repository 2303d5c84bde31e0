//! Tokens: how long they live and how they are signed.

use std::time::Duration;

use crate::kernel::algorithm::Algorithm;

use super::{
    setting::{Fallback, section},
    takes::{Choice, Span, days, hours, minutes},
};

section! {
    /// How long tokens live and how they are signed.
    pub struct Tokens in "tokens" {
        /// How long an access token is good for.
        access_ttl: Duration = Fallback::Value("15m"), Span { min: minutes(1), max: minutes(60) };
        /// How long a session lives, however often it is refreshed.
        refresh_ttl: Duration = Fallback::Value("30d"), Span { min: hours(1), max: days(90) };
        /// What access tokens are signed with; a new one counts from the next key on.
        algorithm: Algorithm = Fallback::Value("ES256"), Choice(&[
            ("ES256", Algorithm::Es256),
            ("EdDSA", Algorithm::EdDsa),
            ("RS256", Algorithm::Rs256),
            ("HS256", Algorithm::Hs256),
        ]);
        /// How long a new signing key is published before it signs; verifiers keep the key set 10 minutes.
        publish_ahead: Duration = Fallback::Value("24h"), Span { min: minutes(10), max: days(7) };
    }
}
