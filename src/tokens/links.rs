//! Link tokens and codes: what a letter carries, and no collection holds.
//!
//! Both are derived under a server key from the purpose and the identifier of a document, so that
//! whoever writes the letter, however often, makes the same ones again. The document holds the
//! digest of the token alone; a code is derived again to be compared. A token of one purpose is
//! none of another. What it opens, how long and how often is for the document to say.

use std::fmt::Display;

use crate::kernel::id::InvitationId;
use crate::kernel::secret::{MacKey, SecretString, digest, same};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

const TOKEN: &str = "link token";
const CODE: &str = "link code";
/// Codes have six digits.
const CODES: u32 = 1_000_000;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
    MagicLink,
    ChangeEmail,
    Invitation,
}

/// Derives tokens and codes.
#[derive(Clone, Debug)]
pub struct LinkTokens {
    key: MacKey,
}

impl Purpose {
    pub const ALL: [Self; 5] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::MagicLink,
        Self::ChangeEmail,
        Self::Invitation,
    ];

    /// The last segment of the address of this server's own page for it.
    pub const fn page(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::MagicLink => "magic-link",
            Self::ChangeEmail => "change-email",
            Self::Invitation => "invitation",
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::MagicLink => "magic_link",
            Self::ChangeEmail => "change_email",
            Self::Invitation => "invitation",
        }
    }
}

impl LinkTokens {
    pub fn new(key: MacKey) -> Self {
        Self { key }
    }

    /// The token of the document `id`: 256 bits as 43 characters of base64url.
    pub fn token(&self, purpose: Purpose, id: impl Display) -> SecretString {
        let tag = self.tag(TOKEN, purpose, &id.to_string());
        SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// The token of an invitation. Each generation has another: when one is sent anew, those before
    /// open nothing.
    pub fn invitation(&self, id: InvitationId, generation: i64) -> SecretString {
        self.token(Purpose::Invitation, format_args!("{id}.{generation}"))
    }

    /// The code of the document `id`: six digits, each of the million as likely as the others.
    pub fn code(&self, purpose: Purpose, id: impl Display) -> SecretString {
        let tag = self.tag(CODE, purpose, &id.to_string());
        // Of 2^32 values the last ones beyond a whole number of millions are passed over.
        let bound = u32::MAX - u32::MAX % CODES;
        let words = tag.chunks_exact(4).filter_map(|word| word.try_into().ok());
        let drawn = words.map(u32::from_be_bytes).find(|word| *word < bound);
        SecretString::from(format!("{:06}", drawn.unwrap_or_default() % CODES))
    }

    /// Whether `given` is the code of the document; compares in constant time.
    pub fn is_code(&self, purpose: Purpose, id: impl Display, given: &str) -> bool {
        use crate::kernel::secret::ExposeSecret;
        let code = self.code(purpose, id);
        same(code.expose_secret().as_bytes(), given.as_bytes())
    }

    /// What a document stores of its token, and is found by.
    pub fn digest(token: &str) -> String {
        digest(token.as_bytes())
    }

    fn tag(&self, kind: &str, purpose: Purpose, id: &str) -> [u8; 32] {
        self.key
            .tag(kind, &[purpose.as_str().as_bytes(), id.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::secret::ExposeSecret;
    use crate::kernel::time::Timestamp;

    fn links() -> LinkTokens {
        LinkTokens::new(MacKey::new(b"a key of the tests"))
    }

    #[test]
    fn the_same_document_and_purpose_give_the_same_token_and_code() {
        let (one, other) = (links(), links());
        let purpose = Purpose::VerifyEmail;
        assert_eq!(
            one.token(purpose, "x").expose_secret(),
            other.token(purpose, "x").expose_secret()
        );
        assert!(other.is_code(purpose, "x", one.code(purpose, "x").expose_secret()));
    }

    #[test]
    fn another_purpose_document_or_key_gives_others() {
        let links = links();
        let foreign = LinkTokens::new(MacKey::new(b"another key"));
        let tokens = [
            links.token(Purpose::VerifyEmail, "x"),
            links.token(Purpose::MagicLink, "x"),
            links.token(Purpose::VerifyEmail, "y"),
            foreign.token(Purpose::VerifyEmail, "x"),
        ];
        let distinct: HashSet<&str> = tokens.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(distinct.len(), tokens.len());
    }

    #[test]
    fn every_generation_of_an_invitation_has_a_token_of_its_own() {
        let links = links();
        let [one, other] = [1, 2].map(|seed| {
            let entropy = Entropy::seeded(seed);
            InvitationId::new(Timestamp::from_millis(0), &entropy)
        });

        let tokens = [
            links.invitation(one, 1),
            links.invitation(one, 2),
            links.invitation(other, 1),
            links.token(Purpose::Invitation, one),
        ];

        let distinct: HashSet<&str> = tokens.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(distinct.len(), tokens.len());
        assert_eq!(
            links.invitation(one, 1).expose_secret(),
            tokens[0].expose_secret()
        );
    }

    /// χ² of the last digit over 100,000 codes: 27.88 is its 0.999 quantile at nine degrees.
    #[test]
    fn codes_are_six_digits_and_uniform() {
        let (links, mut last) = (links(), [0_i32; 10]);
        for id in 0..100_000 {
            let code = links.code(Purpose::VerifyEmail, id);
            let code = code.expose_secret();
            assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()));
            last[usize::from(code.as_bytes()[5] - b'0')] += 1;
        }
        let squares = last.map(|count| f64::from(count - 10_000).powi(2) / 10_000.0);
        assert!(squares.iter().sum::<f64>() < 27.88, "{last:?}");
    }
}
