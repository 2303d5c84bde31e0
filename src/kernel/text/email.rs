//! E-mail addresses: one plain mailbox, in the one spelling that is stored, compared and mailed.
//!
//! Local part: RFC 5321 dot-atom without quotes, RFC 6531 letters allowed, NFKC, lower-case.
//! Domain: IDNA (UTS #46, strict), as ASCII, with a dot; so that a rule about a domain judges
//! the very text an SMTP server gets. Refused beyond the RFCs: quoted local parts, address
//! literals, encoded words (RFC 2047), `%` and `!` (source routes of old mailers), and every
//! character that does not show. Sub-addresses and dots count: `v+1@x.io` is not `v@x.io`.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{checked_text, hides};
use crate::kernel::id::UserId;

const LOCAL_MAX: usize = 64;
const TOTAL_MAX: usize = 254;
/// Longer text is refused before it is normalised.
const RAW_MAX: usize = 1_024;

checked_text! {
    /// One address: at most 64 bytes, `@`, a domain; 254 bytes in all (RFC 5321 §4.5.3.1).
    Email, refused as NotAnEmail: "not one plain e-mail address";
    schema: 5..=254, Some("email"), "mia@example.org"
}

impl Email {
    /// Spaces around the address are dropped; anything else that is not part of it is refused.
    pub fn parse(text: &str) -> Result<Self, NotAnEmail> {
        let text = text.trim_matches(' ');
        if text.len() > RAW_MAX || text.chars().any(hides) {
            return Err(NotAnEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(NotAnEmail)?;
        let local = canonical_local(local)?;
        let domain = canonical_domain(domain)?;
        if local.len() + 1 + domain.len() > TOTAL_MAX {
            return Err(NotAnEmail);
        }
        lettre::Address::new(&local, &domain).map_err(|_| NotAnEmail)?;
        Ok(Self(format!("{local}@{domain}")))
    }

    /// An address that no mail ever reaches (RFC 6761 §6.4), for where one has been erased.
    pub fn nowhere(unguessable: UserId) -> Self {
        Self(format!("{unguessable}@deleted.invalid"))
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

fn canonical_local(text: &str) -> Result<String, NotAnEmail> {
    let local = folded(text);
    let well_formed = local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom));
    // Text that folds differently a second time would have two stored spellings.
    if !well_formed || local.len() > LOCAL_MAX || local.contains("=?") || folded(&local) != local {
        return Err(NotAnEmail);
    }
    Ok(local)
}

fn folded(text: &str) -> String {
    // What NFKC and lower case do to ASCII, where nearly all addresses are.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc()
        .collect::<String>()
        .to_lowercase()
        .nfkc()
        .collect()
}

/// `atext` of RFC 5322 §3.2.3 without `%` and `!`, and letters, digits and marks of RFC 6531.
fn is_atom(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "#$&'*+-/=?^_`{|}~".contains(c);
    }
    (c.is_alphanumeric() || is_combining_mark(c)) && !hides(c)
}

fn canonical_domain(text: &str) -> Result<String, NotAnEmail> {
    let domain = idna::domain_to_ascii_strict(text).map_err(|_| NotAnEmail)?;
    let (_, top) = domain.rsplit_once('.').ok_or(NotAnEmail)?;
    // No top-level domain begins with a digit; what does is an IPv4 address in some notation.
    if !top.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(NotAnEmail);
    }
    Ok(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rustfmt::skip]
    const REFUSED: &[&str] = &[
        // No address at all.
        "", " ", "@", "mia", "mia@", "@example.org", "mia.example.org",
        // Lists, comments, display names, header injection.
        "a@evil.io,v@corp.com", "a@evil.io;v@corp.com", "a@evil.io v@corp.com",
        "a@evil.io, v@corp.com", "\"a@evil.io,\"@corp.com", "<a@evil.io>v@corp.com",
        "<a@evil.io>", "Mia <mia@example.org>", "a@evil.io%0aCc:v@corp.com",
        "a@evil.io\nCc:v@corp.com", "a@evil.io\r\nCc: v@corp.com", "a(x)@corp.com",
        "a@corp.com(x)", "a@@corp.com", "a@b@corp.com", "a＠b@corp.com", "a@evil.io＠corp.com",
        "a@evil.io﹫corp.com", "mailto:a@corp.com", "a:b@corp.com", "@a.io:b@corp.com",
        // Source routes.
        "v%evil.io@corp.com", "evil.io!v@corp.com", "evil.io!v%x@corp.com",
        // Encoded words and quoting.
        "=?utf-8?q?=61=62?=@corp.com", "=?x?=@corp.com", "\"mia\"@corp.com",
        "\"v@evil.io\"@corp.com", "mia\\@corp.com", "mia\\,x@corp.com",
        // Dots and spaces.
        ".mia@corp.com", "mia.@corp.com", "mi..a@corp.com", "mi a@corp.com", "mia @corp.com",
        "mia@ corp.com", "mia@corp .com", "mi\u{a0}a@corp.com", "\u{a0}mia@corp.com",
        "\tmia@corp.com", "mia@corp.com\n",
        // Domains.
        "mia@localhost", "mia@corp", "mia@corp.com.", "mia@.corp.com", "mia@corp..com",
        "mia@-corp.com", "mia@corp-.com", "mia@ab--cd.com", "mia@corp_x.com", "mia@co rp.com",
        "mia@[127.0.0.1]", "mia@[IPv6:::1]", "mia@127.0.0.1", "mia@::1", "mia@1.2.3.0x4",
        "mia@xn--example-.org", "mia@xn--example.org", "mia@xn--.org", "mia@xn--a.org",
        "mia@corp.com/x", "mia@corp.com?x", "mia@corp.com#x", "mia@corp.com:25",
        // What does not show.
        "mi\u{200b}a@corp.com", "mia@co\u{200b}rp.com", "mia@co\u{ad}rp.com",
        "\u{feff}mia@corp.com", "mi\u{200d}a@corp.com", "mi\u{202e}a@corp.com",
        "mia@corp.com\u{200b}", "mi\u{3164}a@corp.com", "mi\u{ffa0}a@corp.com",
        "mi\u{fe0f}a@corp.com", "mi\u{e0061}a@corp.com", "mi\0a@corp.com", "mi\u{7f}a@corp.com",
        "mi\u{2060}a@corp.com", "mi\u{85}a@corp.com", "mi😀a@corp.com", "mi—a@corp.com",
    ];

    #[test]
    fn plain_addresses_have_one_spelling() {
        for (text, canonical) in [
            ("mia@example.org", "mia@example.org"),
            ("  Mia@EXAMPLE.org ", "mia@example.org"),
            ("A@X.io", "a@x.io"),
            ("v+1@x.io", "v+1@x.io"),
            (
                "first.last@sub.example.co.uk",
                "first.last@sub.example.co.uk",
            ),
            ("o'neil_{x}|y~z@example.org", "o'neil_{x}|y~z@example.org"),
            ("a=b?c@example.org", "a=b?c@example.org"),
            ("ｍｉａ@ｅｘａｍｐｌｅ.org", "mia@example.org"),
            ("mia@example。org", "mia@example.org"),
            ("ﬁn@example.org", "fin@example.org"),
            ("GRÜN@example.org", "grün@example.org"),
            ("gru\u{308}n@example.org", "grün@example.org"),
            ("δοκιμή@example.org", "δοκιμή@example.org"),
            ("mia@bücher.example", "mia@xn--bcher-kva.example"),
            ("mia@BÜCHER.example", "mia@xn--bcher-kva.example"),
            ("mia@xn--bcher-kva.example", "mia@xn--bcher-kva.example"),
            ("mia@XN--BCHER-KVA.example", "mia@xn--bcher-kva.example"),
            ("mia@straße.example", "mia@xn--strae-oqa.example"),
            ("1@1.example", "1@1.example"),
        ] {
            let email = Email::parse(text)
                .map_err(|why| format!("{text:?}: {why}"))
                .unwrap();

            assert_eq!(email.as_str(), canonical, "{text:?}");
            assert_eq!(Email::parse(canonical), Ok(email));
        }
    }

    #[test]
    fn anything_but_one_plain_address_is_refused() {
        for text in REFUSED {
            assert_eq!(Email::parse(text), Err(NotAnEmail), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_of_the_stored_text() {
        let label = "d".repeat(63);
        let domain = |last: usize| format!("{label}.{label}.{}.org", "e".repeat(last));
        let email =
            |local: usize, last| Email::parse(&format!("{}@{}", "a".repeat(local), domain(last)));

        assert!(email(64, 57).is_ok_and(|email| email.as_str().len() == 254));
        assert!(email(64, 58).is_err());
        assert!(Email::parse(&format!("{}@x.io", "a".repeat(64))).is_ok());
        assert!(Email::parse(&format!("{}@x.io", "a".repeat(65))).is_err());
        assert!(Email::parse(&format!("{}@x.io", "é".repeat(33))).is_err());
        assert!(Email::parse(&format!("a@{}.io", "d".repeat(64))).is_err());
        assert!(Email::parse(&"a".repeat(1_000_000)).is_err());
    }

    #[test]
    fn what_is_stored_parses_to_itself() {
        for c in ('\u{80}'..'\u{2fff}').chain('\u{a000}'..'\u{ffff}') {
            if let Ok(email) = Email::parse(&format!("a{c}b@example.org")) {
                assert_eq!(Email::parse(email.as_str()), Ok(email), "{c:?}");
            }
        }
    }

    #[test]
    fn the_local_part_is_as_stored() {
        let email = Email::parse("V+News@Bücher.example").unwrap();

        assert_eq!(email.local(), "v+news");
    }
}
