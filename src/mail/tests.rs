//! Every letter, in every language, from every sample; and letters about hostile names.

use super::*;
use crate::kernel::language::Language;

/// The logo of the organization of a sample.
const NORTHWIND: &str = "<img src=\"https://northwind.example.com/logo.png\" alt=\"Northwind\"";

fn head() -> Head {
    Head {
        app: Plain::app("Acme").expect("a name"),
        logo: Some("https://app.example.com/logo.png?a=1&b=2".to_owned()),
        accent: "#1d4ed8".parse().expect("a colour"),
        name: Plain::name("Mia"),
    }
}

fn written(head: &Head, language: Language) -> Vec<(&'static str, Rendered)> {
    let templates = Templates::built_in().expect("templates");
    templates.samples(head, language).expect("letters")
}

fn links(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "\"<>".contains(c));
    words.filter(|word| word.contains("token=")).collect()
}

/// How a letter begins what it says at last: to whoever did not ask for it, or what to do now.
fn last_words(name: &str, language: Language) -> &'static str {
    match (language, name) {
        (Language::English, Invitation::NAME) => "If you did not expect this",
        (Language::German, Invitation::NAME) => "Falls Sie diese Einladung nicht erwartet",
        (Language::English, WebhookDisabled::NAME) => "Switch it on again",
        (Language::German, WebhookDisabled::NAME) => "Schalten Sie ihn wieder ein",
        (Language::English, _) => "If this was not you",
        (Language::German, _) => "Falls Sie das nicht waren",
    }
}

/// Whether nothing of a template, and no word for nothing, is left in it.
fn is_filled_in(part: &str) -> bool {
    !["{", "}", "None", "none,"]
        .iter()
        .any(|it| part.contains(it))
}

#[test]
fn every_letter_is_whole_in_every_language() {
    let plain = Head {
        logo: None,
        name: None,
        ..head()
    };
    for (head, language) in [head(), plain]
        .iter()
        .flat_map(|head| Language::ALL.map(|it| (head, it)))
    {
        let letters = written(head, language);
        for (name, letter) in &letters {
            let Rendered {
                subject,
                text,
                html,
            } = letter;
            let what = format!("{name} in {language}\n{subject}\n{text}\n{html}");
            assert!((8..=78).contains(&subject.chars().count()), "{what}");
            assert!(!subject.contains(['\r', '\n']), "{what}");
            for part in [subject, text, html] {
                assert!(is_filled_in(part), "{what}");
            }
            assert!(!text.contains("\n\n\n"), "{what}");
            assert!(text.contains("Acme") && subject.contains("Acme"), "{what}");
            assert!(
                html.contains(&format!("<html lang=\"{language}\">")),
                "{what}"
            );
            assert!(
                html.contains(&format!("<title>{subject}</title>")),
                "{what}"
            );
            assert_eq!(links(text).len() * 3, links(html).len(), "{what}");
            for (link, as_html) in links(text).iter().zip(links(html)) {
                assert!(link.starts_with("https://app.example.com/"), "{what}");
                assert_eq!(*link, as_html, "{what}");
            }
            let last_words = last_words(name, language);
            assert!(
                text.contains(last_words) && html.contains(last_words),
                "{what}"
            );
            assert_eq!(text.contains("Mia"), head.name.is_some(), "{what}");
            let has_logo = head.logo.is_some() || html.contains(NORTHWIND);
            assert_eq!(html.contains("<img"), has_logo, "{what}");
        }
        for name in Templates::names() {
            assert!(letters.iter().any(|(written, _)| written == name), "{name}");
        }
    }
}

#[test]
fn codes_and_their_term_are_in_both_parts() {
    for (language, term) in [
        (Language::English, "24 hours"),
        (Language::German, "24 Stunden"),
    ] {
        let letters = written(&head(), language);
        let (_, letter) = &letters[0];
        for part in [&letter.text, &letter.html] {
            assert!(part.contains("042917") && part.contains(term), "{part}");
        }
    }
}

#[test]
fn a_device_is_told_in_words_of_the_language_and_not_where_nothing_is_known() {
    let lines = |language, label: &str| -> Vec<String> {
        let letters = written(&head(), language);
        let about = letters.iter().filter(|(name, _)| *name == NewDevice::NAME);
        let lines = about.map(|(_, letter)| {
            let line = letter
                .text
                .lines()
                .find_map(|line| line.strip_prefix(label));
            let line = line.unwrap_or_default().to_owned();
            assert_eq!(
                letter.html.contains(label),
                !line.is_empty(),
                "{}",
                letter.html
            );
            assert!(letter.html.contains(&line), "{}", letter.html);
            line
        });
        lines.collect()
    };

    let english = lines(Language::English, "Device: ");
    let german = lines(Language::German, "Gerät: ");

    assert_eq!(english, ["Firefox on Linux", "iOS", ""]);
    assert_eq!(german, ["Firefox unter Linux", "iOS", ""]);
}

#[test]
fn languages_differ_in_every_sentence() {
    let [english, german] = Language::ALL.map(|language| written(&head(), language));
    for ((name, one), (_, other)) in english.iter().zip(&german) {
        assert_ne!(one.subject, other.subject, "{name}");
        let sentences = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.contains(' '));
            lines
                .filter(|line| !line.contains("UTC"))
                .map(str::to_owned)
                .collect()
        };
        for sentence in sentences(&one.text) {
            let is_brand = sentence == "Acme";
            assert!(
                is_brand || !other.text.contains(&sentence),
                "{name}: {sentence}"
            );
        }
    }
}

/// What an app calls itself is shown as it is, and is nothing but text.
#[test]
fn names_are_escaped_in_html_and_alone_on_their_line() {
    let hostile = Head {
        app: Plain::app("<script>alert(1)</script>\r\nBcc: x \"' & {{ 7*7 }}").expect("a name"),
        logo: Some("javascript:alert(1)".to_owned()),
        accent: "#1d4ed8".parse().expect("a colour"),
        name: Plain::name("Mia & <b>co"),
    };
    for language in Language::ALL {
        for (name, letter) in written(&hostile, language) {
            let Rendered {
                subject,
                text,
                html,
            } = letter;
            assert!(
                !html.contains("<script") && !html.contains("javascript:"),
                "{name}: {html}"
            );
            assert!(html.contains("&lt;script&gt;"), "{name}: {html}");
            assert!(!subject.contains(['\r', '\n']), "{name}: {subject}");
            assert!(
                text.contains("{{ 7*7 }}") && !text.contains("49"),
                "{name}: {text}"
            );
            assert!(
                !text.lines().any(|line| line.starts_with("Bcc")),
                "{name}: {text}"
            );
        }
    }
}

#[test]
fn a_logo_cannot_leave_its_attribute() {
    let hostile = Head {
        logo: Some("https://x.example/a.png\"onerror=\"alert(1)".to_owned()),
        ..head()
    };
    let letters = written(&hostile, Language::English);
    assert!(
        letters
            .iter()
            .all(|(_, letter)| !letter.html.contains("\"onerror"))
    );
}

#[test]
fn what_is_enclosed_is_not_printed() {
    for letter in VerifyEmail::samples() {
        let printed = format!("{letter:?}");
        assert!(
            !printed.contains("token") && !printed.contains("042917"),
            "{printed}"
        );
    }
}

/// What the two samples of an invitation say.
const INVITATIONS: [(Language, [&str; 5], [&str; 3]); 2] = [
    (
        Language::English,
        [
            "Zoe Winter invites you to join Northwind on Acme.",
            "Your roles: admin, editor",
            "Message from Zoe Winter:",
            "“See you on Monday!”",
            "7 days",
        ],
        [
            "Somebody invites you to join Northwind on Acme.",
            "Your role: member",
            "1 hour",
        ],
    ),
    (
        Language::German,
        [
            "Zoe Winter lädt Sie ein, bei Acme Mitglied von Northwind zu werden.",
            "Ihre Rollen: admin, editor",
            "Nachricht von Zoe Winter:",
            "„See you on Monday!“",
            "7 Tage",
        ],
        [
            "jemand lädt Sie ein, bei Acme Mitglied von Northwind zu werden.",
            "Ihre Rolle: member",
            "1 Stunde",
        ],
    ),
];

#[test]
fn an_invitation_shows_who_invites_where_to_as_what_and_under_which_sign() {
    for (language, full, bare) in INVITATIONS {
        let letters = written(&head(), language);
        let about = letters.iter().filter(|(name, _)| *name == Invitation::NAME);
        let [(_, one), (_, other)] = about.collect::<Vec<_>>()[..] else {
            panic!("two samples")
        };

        for (letter, said) in [(one, &full[..]), (other, &bare[..])] {
            for said in said {
                assert!(letter.text.contains(said), "{said}: {}", letter.text);
                assert!(letter.html.contains(said), "{said}: {}", letter.html);
            }
        }
        assert!(!other.text.contains(['“', '„']), "{}", other.text);
        assert!(one.html.contains(NORTHWIND) && !one.html.contains("app.example.com/logo"));
        assert!(
            other.html.contains("app.example.com/logo"),
            "{}",
            other.html
        );
    }
}

/// Anybody can found an organization, call it and himself anything, and write to anybody.
#[test]
fn an_invitation_leads_nowhere_but_to_its_page_whatever_its_names_are() {
    let templates = Templates::built_in().expect("templates");
    let long = "x".repeat(10 * 1_024);
    for hostile in [
        "<a href=\"https://evil.example\">Click</a>",
        "https://evil.example/login",
        "Acme evil.example\r\nBcc: v@corp.example\r\n\r\n<script>",
        "\u{202e}elpmaxe.live\u{2066}",
        "{{ 7*7 }} {% raw %} ]]> <!--",
        long.as_str(),
    ] {
        let letter = Invitation {
            link: Enclosed::new("https://app.example.com/invitation?token=x"),
            organization: Plain::organization(hostile).expect("something is left"),
            organization_logo: None,
            inviter: Plain::name(hostile),
            roles: Plain::name(hostile).into_iter().collect(),
            message: Plain::message(hostile),
            minutes: 60,
        };
        for language in Language::ALL {
            let Rendered {
                subject,
                text,
                html,
            } = templates
                .render(&letter, &head(), language)
                .expect("a letter");

            assert!(subject.chars().count() < 140 && !subject.contains(['\r', '\n']));
            assert!(text.len() < 4_096, "{text}");
            for part in [&subject, &text, &html] {
                let words = part.split(|c: char| c.is_whitespace() || "\"<>".contains(c));
                let leads = |word: &&str| word.split_once("//").is_some_and(|it| !it.1.is_empty());
                let links = words.filter(leads);
                let led: Vec<_> = links.filter(|it| !it.contains("app.example.com")).collect();
                assert!(led.is_empty(), "{led:?}: {part}");
                assert!(!part.contains("evil.ex") && !part.contains("v@c"), "{part}");
                assert!(!part.contains(['\u{202e}', '\u{2066}']) && !part.contains("49"));
            }
            assert_eq!(html.matches("<a ").count(), 2, "{html}");
            assert!(
                !html.contains("<script") && !html.contains("<!--"),
                "{html}"
            );
            assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        }
    }
}
