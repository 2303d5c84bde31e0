//! Where a request came from, as far as the server can know it: what an event says about its cause.

use std::net::IpAddr;

use crate::kernel::id::UserId;
use crate::kernel::language::Language;

/// The longest `User-Agent` kept, in bytes; what exceeds it is cut at a character boundary.
const USER_AGENT_MAX: usize = 256;

/// The request behind an event: its identifier, the client's address and what the client calls itself.
///
/// `ip` is the socket's peer, or what a trusted proxy says of it; `None` where neither is known
/// (commands, jobs). `user_agent` is the client's own claim: shown to people, never decided on.
/// `language` is what its reader likes best among ours, if he said so. `acting` is who impersonates
/// the caller: every event that such a request leaves names him.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub request_id: String,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub language: Option<Language>,
    pub acting: Option<UserId>,
}

impl Origin {
    /// An origin whose user agent has lost its control characters and is at most 256 bytes long.
    pub fn new(request_id: String, ip: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let user_agent = user_agent.map(printable).filter(|text| !text.is_empty());
        Self {
            request_id,
            ip,
            user_agent,
            language: None,
            acting: None,
        }
    }

    #[must_use]
    pub fn reading(self, language: Option<Language>) -> Self {
        Self { language, ..self }
    }
}

fn printable(text: &str) -> String {
    let mut kept = String::new();
    for character in text.chars().filter(|c| !c.is_control()) {
        if kept.len() + character.len_utf8() > USER_AGENT_MAX {
            break;
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_keeps_no_control_characters_and_is_cut() {
        let long = format!("curl\r\n\u{1b}[31m{}", "ü".repeat(300));

        let origin = Origin::new("r".into(), None, Some(&long));

        let kept = origin.user_agent.unwrap_or_default();
        assert!(kept.starts_with("curl[31mü") && kept.len() <= USER_AGENT_MAX);
    }

    #[test]
    fn an_empty_user_agent_is_none() {
        assert_eq!(
            Origin::new("r".into(), None, Some("\u{7}")).user_agent,
            None
        );
    }
}
