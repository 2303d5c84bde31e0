//! Signatures: how a receiver knows that a message is ours, whole and of this moment.
//!
//! ```text
//! webhook-signature      v1,<base64 HMAC-SHA-256(id "." timestamp "." body)> …   by the secret's bytes
//! x-authsome-signature   t=<timestamp>,v1=<hex HMAC-SHA-256(timestamp "." body)> …  by the whole text
//! ```
//!
//! The first is that of Standard Webhooks, for whose key the part behind `whsec_` is read as base64.
//! While an old secret still counts, both sign.

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::kernel::entropy::Entropy;
use crate::kernel::id::EventId;
use crate::kernel::secret::{ExposeSecret, SecretString, hmac_sha256};
use crate::kernel::time::Timestamp;

const PREFIX: &str = "whsec_";
/// Between secrets in the text that is sealed.
const SEPARATOR: char = ' ';

/// The secrets of a webhook, the newest first. Never empty.
#[derive(Debug, Clone)]
pub(super) struct Secrets(Vec<SecretString>);

/// The headers of one message.
pub(super) struct Signed {
    pub(super) timestamp: String,
    pub(super) standard: String,
    pub(super) own: String,
}

/// A new secret: `whsec_` and 256 random bits in base64.
pub(super) fn new_secret(entropy: &Entropy) -> SecretString {
    let random: [u8; 32] = entropy.bytes();
    SecretString::from(format!("{PREFIX}{}", BASE64_STANDARD.encode(random)))
}

impl Secrets {
    pub(super) fn only(secret: SecretString) -> Self {
        Self(vec![secret])
    }

    /// A new one before the newest of these, and none of those before.
    pub(super) fn followed_by(&self, secret: SecretString) -> Self {
        Self(
            [secret]
                .into_iter()
                .chain(self.0.first().cloned())
                .collect(),
        )
    }

    /// The newest alone.
    pub(super) fn newest(mut self) -> Self {
        self.0.truncate(1);
        self
    }

    /// What is sealed.
    pub(super) fn text(&self) -> SecretString {
        let texts: Vec<&str> = self.0.iter().map(ExposeSecret::expose_secret).collect();
        SecretString::from(texts.join(&SEPARATOR.to_string()))
    }

    /// The inverse of [`Secrets::text`].
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let all: Vec<_> = text
            .split(SEPARATOR)
            .map(|secret| SecretString::from(secret.to_owned()))
            .collect();
        let are_ours = all.iter().all(|it| key(it.expose_secret()).is_some());
        are_ours.then_some(Self(all))
    }

    pub(super) fn sign(&self, id: EventId, now: Timestamp, body: &str) -> Signed {
        self.signed(&id.to_string(), now.as_secs(), body)
    }

    fn signed(&self, id: &str, timestamp: i64, body: &str) -> Signed {
        let (mut standard, mut own) = (Vec::new(), vec![format!("t={timestamp}")]);
        for secret in self.0.iter().map(ExposeSecret::expose_secret) {
            let message = format!("{id}.{timestamp}.{body}");
            let tag = hmac_sha256(&key(secret).unwrap_or_default(), message.as_bytes());
            standard.push(format!("v1,{}", BASE64_STANDARD.encode(tag)));
            let message = format!("{timestamp}.{body}");
            let tag = hmac_sha256(secret.as_bytes(), message.as_bytes());
            own.push(format!("v1={}", hexadecimal(&tag)));
        }
        Signed {
            timestamp: timestamp.to_string(),
            standard: standard.join(" "),
            own: own.join(","),
        }
    }
}

fn key(secret: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"test": 2432232314}"#;

    fn published() -> Secrets {
        Secrets::of_text(SECRET).unwrap()
    }

    /// The example that the verifiers of the specification are published with.
    #[test]
    fn a_message_is_signed_as_the_specification_has_it() {
        let signed = published().signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, BODY);

        assert_eq!(signed.timestamp, "1614265330");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.standard, expected);
    }

    #[test]
    fn our_own_signature_is_that_of_the_time_and_the_body_by_the_whole_secret() {
        let signed = published().signed("any", 7, BODY);

        let tag = hmac_sha256(SECRET.as_bytes(), format!("7.{BODY}").as_bytes());
        assert_eq!(signed.own, format!("t=7,v1={}", hexadecimal(&tag)));
        assert_eq!(hexadecimal(&[0, 15, 255]), "000fff");
    }

    #[test]
    fn two_secrets_sign_side_by_side_the_newest_first() {
        let (first, second) = (published(), new_secret(&Entropy::seeded(1)));
        let both = first.followed_by(second.clone());

        let signed = both.signed("id", 7, BODY);

        let alone = [Secrets::only(second), first].map(|it| it.signed("id", 7, BODY));
        let [new, old] = &alone;
        assert_eq!(
            signed.standard,
            format!("{} {}", new.standard, old.standard)
        );
        assert_eq!(both.newest().signed("id", 7, BODY).standard, new.standard);
    }

    #[test]
    fn a_third_secret_ends_the_first() {
        let entropy = Entropy::seeded(1);
        let both = published().followed_by(new_secret(&entropy));

        let then = both.followed_by(new_secret(&entropy));

        assert_eq!(then.0.len(), 2);
        assert!(!then.text().expose_secret().contains(SECRET));
    }

    #[test]
    fn secrets_survive_being_written_down() {
        let entropy = Entropy::seeded(1);
        let secret = new_secret(&entropy);
        assert_eq!(key(secret.expose_secret()).unwrap().len(), 32);
        let both = Secrets::only(secret).followed_by(new_secret(&entropy));

        let text = both.text();
        let read = Secrets::of_text(text.expose_secret()).unwrap();

        assert_eq!(read.text().expose_secret(), text.expose_secret());
        for bad in [
            "",
            " ",
            "whsec_*",
            "sk_live_x",
            &format!("{SECRET}  {SECRET}"),
        ] {
            assert!(Secrets::of_text(bad).is_none(), "{bad}");
        }
    }
}
