//! Every letter, in every language, from every sample; and letters about hostile names.

use super::*;
use crate::kernel::css::StyleSheet;
use crate::kernel::language::Language;

fn head() -> Head {
    let acme = Plain::app("Acme").expect("a name");
    Head {
        app: acme.clone(),
        name: Plain::name("Mia"),
        style: Style {
            logo: Some(logo("https://app.example.com/logo.png?a=1&b=2")),
            ..Style::of(acme)
        },
    }
}

fn logo(url: &str) -> Logo {
    Logo {
        url: url.to_owned(),
        text: Plain::app("Acme").expect("a name"),
    }
}

/// Every letter, in a look that differs from the product's.
fn worn(change: impl FnOnce(&mut Style)) -> Vec<String> {
    let mut head = head();
    change(&mut head.style);
    let letters = written(&head, Language::English).into_iter();
    letters.map(|(_, letter)| letter.html).collect()
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
        name: None,
        style: Style::of(head().app),
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
            assert_eq!(html.contains("<img"), head.style.logo.is_some(), "{what}");
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
        name: Plain::name("Mia & <b>co"),
        style: Style {
            logo: Some(logo("javascript:alert(1)")),
            tagline: Plain::tagline("</p><script>"),
            ..Style::of(Plain::app("<script>").expect("a name"))
        },
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
    let letters = worn(|style| {
        style.logo = Some(logo("https://x.example/a.png\"onerror=\"alert(1)"));
    });
    assert!(letters.iter().all(|html| !html.contains("\"onerror")));
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
fn an_invitation_shows_who_invites_where_to_and_as_what() {
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

#[test]
fn letters_wear_colours_fonts_and_words_of_ones_own() {
    let letters = worn(|style| {
        style.primary = "#111111".parse().expect("a colour");
        style.background = "#222222".parse().expect("a colour");
        style.accent = "#333333".parse().expect("a colour");
        style.font = "Inter, serif".parse().expect("fonts");
        style.css = StyleSheet::parse(".button{border-radius:0 !important}").ok();
        style.tagline = Plain::tagline("Since 1940 at acme.example");
    });
    for html in letters {
        for part in [
            "border-top:4px solid #111111",
            "background:#222222;color:#ffffff;font:16px/1.5 'Inter', serif\"",
            "<style>\n.button { border-radius: 0 !important }\n</style>\n</head>",
            "<p class=\"tagline\" style=\"margin:0 0 4px\">Since 1940 at acme.example</p>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        let has_link = html.contains("token=");
        assert_eq!(html.contains("background:#333333;color:#ffffff"), has_link);
        assert_eq!(html.contains("color:#333333;word-break"), has_link);
    }
}

/// Black on a light button; and no link on white in a colour that nobody sees there.
#[test]
fn what_is_written_can_be_read_on_any_colour() {
    let letters = worn(|style| {
        style.accent = "#ffee00".parse().expect("a colour");
        style.background = "#ffffee".parse().expect("a colour");
    });
    for html in letters.iter().filter(|html| html.contains("token=")) {
        assert!(html.contains("background:#ffee00;color:#000000"), "{html}");
        assert!(html.contains("color:#000000;word-break"), "{html}");
        assert!(html.contains("background:#ffffee;color:#000000"), "{html}");
    }
}

#[test]
fn the_text_has_the_tagline_and_nothing_of_the_look() {
    let mut head = head();
    head.style.tagline = Plain::tagline("Since 1940");
    head.style.css = StyleSheet::parse("a{color:#abcdef}").ok();

    for (name, letter) in written(&head, Language::English) {
        assert!(
            letter.text.contains("Acme\nSince 1940\nThis email"),
            "{name}: {}",
            letter.text
        );
        assert!(
            !letter.text.contains(['#', '{', '<']),
            "{name}: {}",
            letter.text
        );
    }
}
