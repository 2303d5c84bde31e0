//! What a mail server's refusal means for the letter.
//!
//! | refused | by 4yz, or not answered | by 5yz |
//! |---|---|---|
//! | connection, login, sender | for now | for now: the operator can put it right |
//! | recipient, message | for now | for good |

use std::error::Error as _;
use std::io::{self, ErrorKind};

use lettre::transport::smtp::Error;

use super::refusal::Refusal;

/// What was said when the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Connection,
    Encryption,
    Login,
    Sender,
    Letter,
}

/// What an operator should know of faults of the network.
const WORDS: &[(ErrorKind, &str)] = &[
    (ErrorKind::ConnectionRefused, "connection refused"),
    (ErrorKind::ConnectionReset, "connection lost"),
    (ErrorKind::UnexpectedEof, "connection lost"),
    (ErrorKind::BrokenPipe, "connection lost"),
    (ErrorKind::TimedOut, "timeout"),
    (ErrorKind::HostUnreachable, "unreachable"),
    (ErrorKind::NetworkUnreachable, "unreachable"),
    // How the TLS library tells of certificates and broken protocol.
    (ErrorKind::InvalidData, "tls"),
    (ErrorKind::InvalidInput, "tls"),
];

pub(super) fn refusal(stage: Stage, error: &Error) -> Refusal {
    let Some(code) = error.status() else {
        return Refusal::for_now(fault(stage, error));
    };
    let code = u16::from(code);
    let text = error.source().map(ToString::to_string);
    let said = match text.as_deref().and_then(enhanced) {
        Some(enhanced) => format!("{code} {enhanced}"),
        None => code.to_string(),
    };
    match stage {
        Stage::Letter if error.is_permanent() => Refusal::for_good(format!("smtp {said}")),
        Stage::Letter | Stage::Connection => Refusal::for_now(format!("smtp {said}")),
        Stage::Encryption => Refusal::for_now(format!("tls: smtp {said}")),
        Stage::Login => Refusal::for_now(format!("login: smtp {said}")),
        Stage::Sender => Refusal::for_now(format!("sender: smtp {said}")),
    }
}

/// The enhanced status code at the beginning of a reply's text (RFC 3463 §2): `5.1.1`. The rest of
/// the text may quote addresses.
pub(super) fn enhanced(text: &str) -> Option<&str> {
    let word = text.split([' ', '\r', '\n']).next()?;
    let mut parts = word.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |part: &str| part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    let filled = [subject, detail]
        .iter()
        .all(|part| !part.is_empty() && is_number(part));
    (matches!(class, "4" | "5") && filled && parts.next().is_none()).then_some(word)
}

/// What happened below SMTP, in a few stable words.
fn fault(stage: Stage, error: &Error) -> &'static str {
    if stage == Stage::Encryption {
        return "tls";
    }
    if let Some(error) = io_error(error) {
        let known = WORDS.iter().find(|(kind, _)| *kind == error.kind());
        let lookup = stage == Stage::Connection && error.raw_os_error().is_none();
        return match known {
            Some((_, words)) => words,
            None if lookup => "unknown host",
            None => "connection lost",
        };
    }
    if error.is_timeout() {
        return "timeout";
    }
    match stage {
        Stage::Login if error.is_client() => "login: no way in common",
        _ if error.is_tls() => "tls",
        Stage::Connection | Stage::Encryption | Stage::Login | Stage::Sender | Stage::Letter => {
            "connection lost"
        }
    }
}

fn io_error(error: &Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return Some(error);
        }
        source = inner.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::enhanced;

    #[test]
    fn only_an_enhanced_status_code_is_taken_from_a_reply() {
        let table = [
            ("5.1.1 <mia@example.org>: no such user", Some("5.1.1")),
            ("4.7.1\r\nlater", Some("4.7.1")),
            ("5.1.1", Some("5.1.1")),
            ("mia@example.org unknown", None),
            ("5.1", None),
            ("5.1.1.1 x", None),
            ("2.1.0 ok", None),
            ("5.x.1", None),
            ("5..1", None),
            ("5.1.1000", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(enhanced(text), expected, "{text}");
        }
    }
}
