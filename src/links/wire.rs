//! What clients send and get wherever a letter is asked for or a link followed.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{Fields, FromFields, ProblemKind};
use crate::kernel::text::Email;

/// An address to write to.
#[derive(Debug, ToSchema)]
pub struct Recipient {
    pub email: Email,
}

impl FromFields for Recipient {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_else("email", ProblemKind::InvalidEmail, Email::parse);
        Some(Self { email: email? })
    }
}

/// What has become of a request.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Outcome {
    status: Status,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OutcomeStatus)]
enum Status {
    /// A letter goes out if there is somebody to write to; whether there is, is not told.
    Accepted,
    /// The address is its user's.
    Verified,
    /// The password or the address is another one.
    Changed,
    /// The password is set anew.
    Reset,
}

impl Outcome {
    pub const ACCEPTED: Self = Self {
        status: Status::Accepted,
    };
    pub const VERIFIED: Self = Self {
        status: Status::Verified,
    };
    pub const CHANGED: Self = Self {
        status: Status::Changed,
    };
    pub const RESET: Self = Self {
        status: Status::Reset,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<Recipient>();
    }
}
