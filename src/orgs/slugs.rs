//! Which slugs organisations may have.

use crate::kernel::text::{Label, Slug};

/// Words that address a part of a site, or speak for whoever runs it.
const RESERVED: [&str; 48] = [
    "about",
    "accept",
    "account",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "authsome",
    "billing",
    "blog",
    "cdn",
    "check-slug",
    "dashboard",
    "decline",
    "docs",
    "help",
    "home",
    "invitation",
    "invitations",
    "invite",
    "login",
    "logout",
    "lookup",
    "mail",
    "new",
    "null",
    "oauth",
    "org",
    "organization",
    "organizations",
    "orgs",
    "platform",
    "public",
    "root",
    "settings",
    "signin",
    "signup",
    "static",
    "status",
    "support",
    "system",
    "undefined",
    "well-known",
    "www",
    "you",
];

/// Whether no organisation may have this slug.
pub(super) fn is_reserved(slug: &Slug) -> bool {
    RESERVED.contains(&slug.as_str())
}

/// A slug for an organisation of this name; `None` where the name has nothing of one.
pub(super) fn of_name(name: &Label) -> Option<Slug> {
    Slug::from_name(name.as_str()).filter(|slug| !is_reserved(slug))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_site_are_kept() {
        for word in ["admin", "api", "www", "Admin", "well-known"] {
            assert!(is_reserved(&Slug::parse(word).unwrap()), "{word}");
        }
        assert!(!is_reserved(&Slug::parse("acme").unwrap()));
    }

    #[test]
    fn every_kept_word_is_a_slug() {
        for word in RESERVED {
            assert_eq!(
                Slug::parse(word).map(|slug| slug.to_string()).as_deref(),
                Ok(word)
            );
        }
    }
}
