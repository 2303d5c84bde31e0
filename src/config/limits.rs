//! Limits: how often things may be tried, and when an account is locked.

use std::time::Duration;

use crate::kernel::rate::Rates;

use super::{
    setting::{Fallback, section},
    takes::{By, Count, Span, hours, parsed, seconds},
};

/// One rate, or several that must all hold.
const RATES: By<Rates> = By {
    takes: "a number within a time, like `10/1m`, or several, like `3/10m,10/1d`",
    parse: parsed::<Rates>,
};

section! {
    /// How often things may be tried, and when an account is locked.
    pub struct Limits in "limits" {
        /// Sign-ins by one address, or by one /64 of IPv6.
        signin: Rates = Fallback::Value("10/1m"), RATES;
        /// Sign-ups by one address.
        signup: Rates = Fallback::Value("5/1m"), RATES;
        /// Requests for a letter by one address: forgotten passwords, links, codes.
        recovery: Rates = Fallback::Value("5/10m"), RATES;
        /// Codes and links presented by one address.
        code: Rates = Fallback::Value("10/1m"), RATES;
        /// Refreshes by one address, on each node.
        refresh: Rates = Fallback::Value("60/1m"), RATES;
        /// Exchanges of one API key for an access token, on each node.
        exchanges: Rates = Fallback::Value("600/1m"), RATES;
        /// Exchanges by one address of what is no key that is good, on each node.
        failed_exchanges: Rates = Fallback::Value("60/1m"), RATES;
        /// Introspections by one key, or one user, on each node.
        introspections: Rates = Fallback::Value("6000/1m"), RATES;
        /// Letters to one recipient that strangers can cause.
        letters: Rates = Fallback::Value("3/10m,10/1d"), RATES;
        /// Codes tried for one e-mail address.
        code_guesses: Rates = Fallback::Value("20/1d"), RATES;
        /// Invitations, new or sent anew, of one organisation.
        invitations: Rates = Fallback::Value("200/1h,1000/1d"), RATES;
        /// Wrong sign-ins in one app before it is taken to be sprayed with guesses.
        failed_signins: Rates = Fallback::Value("300/1m"), RATES;
        /// Wrong passwords in a row that lock an account.
        lockout_after: u32 = Fallback::Value("5"), Count { min: 1, max: 100 };
        /// How long the first lock holds; each further wrong password doubles it.
        lockout_delay: Duration = Fallback::Value("1m"), Span { min: seconds(1), max: hours(1) };
        /// How long a lock holds at most.
        lockout_longest: Duration = Fallback::Value("15m"), Span { min: seconds(1), max: hours(1) };
    }
}
