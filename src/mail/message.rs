//! A letter as it travels: one message to one recipient (RFC 5322), text and HTML beside each other.

use std::fmt;
use std::time::{Duration, SystemTime};

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::plain::Plain;
use super::refusal::Refusal;
use super::templates::Rendered;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;

/// A letter to be sent.
#[derive(Clone)]
pub struct Parcel {
    /// The same for the same letter, however often it is sent: readers can tell it by that.
    pub id: String,
    pub to: Email,
    /// Whom it is from, beside the address of the server; absent: as that is configured.
    pub sender: Option<Plain>,
    pub written_at: Timestamp,
    pub letter: Rendered,
}

/// Without what only its recipient may see.
impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parcel({})", self.id)
    }
}

/// RFC 3834 §5: machines do not answer machines.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The message, from `from`.
pub(super) fn message(parcel: &Parcel, from: &Mailbox) -> Result<Message, Refusal> {
    let to: Address = parcel
        .to
        .as_str()
        .parse()
        .map_err(|_| Refusal::for_good("not an address"))?;
    let Rendered {
        subject,
        text,
        html,
    } = parcel.letter.clone();
    let sender = parcel.sender.as_ref().map(|it| it.as_str().to_owned());
    let from = Mailbox::new(sender.or_else(|| from.name.clone()), from.email.clone());
    let domain = from.email.domain().to_owned();
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(subject)
        .date(instant(parcel.written_at))
        .message_id(Some(format!("<{}@{}>", parcel.id, domain)))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|_| Refusal::for_good("not a message"))
}

fn instant(at: Timestamp) -> SystemTime {
    let since = u64::try_from(at.as_secs()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(since)
}
