//! Checked texts: addresses, names, numbers, places on the web, looks.

use unicode_normalization::UnicodeNormalization;
use url::{Url, form_urlencoded};

use super::{always, settles, texts};
use crate::kernel::password::{MAX_CHARS, MIN_CHARS, Password};
use crate::kernel::text::{
    Color, Day, Email, FieldName, FontFamily, Label, Origin, Phone, Reason, Slug, Username, WebUrl,
    Word, line, lines,
};

const EMAILS: [&str; 13] = [
    "mia@example.org",
    "  Mia@EXAMPLE.org ",
    "first.last+tag@sub.example.co.uk",
    "o'neil_{x}|y~z@example.org",
    "gru\u{308}n@bücher.example",
    "δοκιμή@xn--bcher-kva.example",
    "ｍｉａ@ｅｘａｍｐｌｅ。org",
    "ﬁn@straße.example",
    "a@evil.io,v@corp.com",
    "\"a@evil.io,\"@corp.com",
    "mia@[127.0.0.1]",
    "=?utf-8?q?=61?=@corp.com",
    "mia@1.2.3.0x4",
];

/// Whatever is taken is one address to whoever delivers, whatever it was spelled like.
#[test]
fn an_address_has_one_spelling_and_one_reader() {
    always(texts(EMAILS), |text| {
        let Some(email) = settles::<Email>(&text) else {
            return;
        };
        let (local, domain) = email.split_once('@').expect("two sides");
        assert!(email.len() <= 254 && local.len() <= 64, "{email}");
        assert!(domain.is_ascii() && domain.contains('.') && !domain.contains('@'));
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"%!".contains(c);
        assert!(!email.contains(odd) && !email.contains("=?"), "{email}");
        let delivered: lettre::Address = email.parse().expect("mail can be sent to it");
        assert_eq!((delivered.user(), delivered.domain()), (local, domain));
        // However a client folds case and width, it means the same account.
        let shouted = format!("{}@{}", local.to_uppercase(), domain.to_uppercase());
        if let Ok(shouted) = Email::parse(&shouted) {
            assert_eq!(shouted.local().to_lowercase(), shouted.local());
        }
        let decomposed: String = email.nfd().collect();
        assert_eq!(Email::parse(&decomposed).expect("the same").as_str(), email);
    });
}

#[test]
fn a_telephone_number_is_a_plus_and_digits() {
    let seeds = [
        "+4915112345678",
        " +49 (151) 123-456.78 ",
        "+12345678",
        "004915112345678",
    ];
    always(texts(seeds), |text| {
        let Some(phone) = settles::<Phone>(&text) else {
            return;
        };
        let digits = phone.strip_prefix('+').expect("a plus");
        assert!((8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
        let kept: String = text.chars().filter(|c| !" -.()".contains(*c)).collect();
        assert_eq!(kept, phone);
    });
}

#[test]
fn names_for_machines_are_plain() {
    let seeds = [
        "acme",
        "Acme-7",
        "mia.k",
        "7of9",
        "a_-",
        "ｍｉａ",
        "read_all",
        "vatId",
        "t-shirt_2",
    ];
    always(texts(seeds), |text| {
        let is_of = |text: &str, more: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
            text.chars().all(plain)
        };
        if let Some(slug) = settles::<Slug>(&text) {
            assert!(
                is_of(&slug, "-") && (3..=40).contains(&slug.len()),
                "{slug}"
            );
            assert_eq!(slug, text.to_ascii_lowercase());
        }
        if let Some(name) = settles::<Username>(&text) {
            assert!(
                is_of(&name, "._-") && (3..=32).contains(&name.len()),
                "{name}"
            );
        }
        if let Some(word) = settles::<Word>(&text) {
            assert!(is_of(&word, "_-") && word == text, "{word}");
        }
        if let Some(name) = settles::<FieldName>(&text) {
            assert!(
                is_of(&name.to_ascii_lowercase(), "_-") && name == text,
                "{name}"
            );
        }
        // What no name can be: an address, a number, a path.
        assert!(Username::parse(&text).is_err() || Email::parse(&text).is_err());
        assert!(Username::parse(&text).is_err() || Phone::parse(&text).is_err());
    });
}

/// A slug that is made of a name is a slug, or there is none.
#[test]
fn a_slug_is_made_of_any_name_or_of_none() {
    always(
        texts([
            "Acme Research, Inc.",
            "  Änderungs-Büro 7! ",
            "日本語",
            "ﬁne — print",
        ]),
        |name| {
            if let Some(slug) = Slug::from_name(&name) {
                assert_eq!(
                    settles::<Slug>(slug.as_str()).as_deref(),
                    Some(slug.as_str())
                );
            }
        },
    );
}

#[test]
fn names_for_people_show_and_do_not_mislead() {
    let seeds = [
        " Acme ",
        "O'Brien-Łukasz, Jr.",
        "Zoe\u{308}",
        "می\u{200c}خواهم",
        "👩\u{200d}💻 team",
        "{{7*7}} <b>",
        "first\r\nsecond\tthird",
    ];
    always(texts(seeds), |text| {
        let label = settles::<Label>(&text);
        let reason = settles::<Reason>(&text);
        for (told, most) in [(&label, 100), (&reason, 200)] {
            let Some(told) = told else {
                continue;
            };
            assert!((1..=most).contains(&told.chars().count()));
            assert!(told.trim() == told && told.nfc().eq(told.chars()));
            assert!(
                !told.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))
            );
        }
        // Whatever names something is a reason as well.
        assert!(label.is_none() || label == reason);
    });
}

#[test]
fn free_text_is_read_again_as_itself() {
    let seeds = ["  Zoe\u{308} & <Co> ", "a\r\nb\rc\n\td ", "a\u{202e}b", ""];
    always(texts(seeds), |text| {
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        if let Ok(told) = line(&text) {
            assert_eq!(line(&told).as_deref(), Ok(&*told));
            assert!(!told.contains(char::is_control));
            assert_eq!(lines(&told).as_deref(), Ok(&*told));
        }
        if let Ok(told) = lines(&text) {
            assert_eq!(lines(&told).as_deref(), Ok(&*told));
            assert!(!told.contains(odd));
        }
    });
}

#[test]
fn a_day_is_one_of_the_calendar() {
    let seeds = [
        "2040-01-31",
        "2024-02-29",
        "1900-02-28",
        "2023-02-29",
        "0001-01-01",
        "9999-12-31",
    ];
    always(texts(seeds), |text| {
        let parts: Vec<&str> = text.split('-').collect();
        let numbers = parts.iter().map(|it| it.parse::<u32>().ok());
        let is_shaped = text.len() == 10
            && text
                .bytes()
                .filter(|b| *b != b'-')
                .all(|b| b.is_ascii_digit());
        let is_one = match numbers.collect::<Option<Vec<_>>>().as_deref() {
            Some([year, month, day]) if is_shaped && parts[0].len() == 4 && parts[1].len() == 2 => {
                let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                let longest = match month {
                    2 => 28 + u32::from(is_leap),
                    4 | 6 | 9 | 11 => 30,
                    1..=12 => 31,
                    _ => 0,
                };
                (1..=longest).contains(day)
            }
            _ => false,
        };
        assert_eq!(settles::<Day>(&text).is_some(), is_one, "{text}");
    });
}

#[test]
fn an_origin_is_what_a_browser_would_say() {
    let seeds = [
        "https://app.example.com",
        "HTTPS://App.Example.COM:443",
        "http://localhost:3000",
        "http://[::1]:8080",
        "https://bücher.example",
        "https://0x7f.1",
        "https://app.example.com/",
        "https://mia@app.example.com",
        "https://example.com\\.evil.io",
    ];
    always(texts(seeds), |text| {
        let Some(origin) = settles::<Origin>(&text) else {
            return;
        };
        let url = Url::parse(&text).expect("a URL");
        assert_eq!(url.origin().ascii_serialization(), origin);
        assert!(url.username().is_empty() && url.password().is_none());
        assert!(url.path() == "/" && url.query().is_none() && url.fragment().is_none());
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.:/[]".contains(c);
        assert!(
            origin.len() <= 300 && origin.chars().all(is_plain),
            "{origin}"
        );
    });
}

const PAGES: [&str; 9] = [
    "https://app.example.com/verify?lang=de&token=x&token&a=%20b",
    "http://localhost:3000/verify",
    "http://127.1/verify",
    "http://[::ffff:7f00:1]/",
    "https://app.example.com/a/../b/%2e%2e/c//",
    "https://mia:x@app.example.com/",
    "https://app.example.com/#x",
    "javascript://app.example.com/%0aalert(1)",
    "https:app.example.com\\@evil.io",
];

#[test]
fn a_page_is_asked_for_securely_and_where_it_says() {
    always(texts(PAGES), |text| {
        let Some(page) = settles::<WebUrl>(&text) else {
            return;
        };
        let url = Url::parse(&page).expect("a URL");
        assert!(page.len() <= 2_048 && page.is_ascii(), "{page}");
        assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        let host = url.host_str().expect("a host");
        assert!(
            !page.contains(['"', '<', '>', ' ']) && !host.contains(['\'', '`']),
            "{page}"
        );
        let is_here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        assert!(
            url.scheme() == "https" || (url.scheme() == "http" && is_here),
            "{page}"
        );
    });
}

/// The token is in the address once, whatever was there; and everything else still is.
#[test]
fn a_page_is_given_one_parameter_more() {
    always(
        (texts(PAGES), texts(["token", "a&b=c#d"])),
        |(text, value)| {
            let Ok(page) = WebUrl::parse(&text) else {
                return;
            };
            let with = Url::parse(&page.with("token", &value)).expect("a URL");
            let pairs = |url: &Url| -> Vec<(String, String)> {
                let query = url.query().unwrap_or_default();
                let pairs = form_urlencoded::parse(query.as_bytes());
                pairs.into_owned().collect()
            };
            let before = Url::parse(page.as_str()).expect("a URL");
            let mut expected: Vec<_> = pairs(&before);
            expected.retain(|(name, _)| name != "token");
            expected.push(("token".to_owned(), value));
            assert_eq!(pairs(&with), expected);
            assert_eq!(
                (with.host(), with.port(), with.path()),
                (before.host(), before.port(), before.path())
            );
        },
    );
}

#[test]
fn a_colour_is_six_digits_and_its_ink_can_be_read() {
    always(
        texts(["#1A73E8", "#ffffff", "#000000", "red", "#1a73e8;"]),
        |text| {
            if let Some(told) = settles::<Color>(&text) {
                assert_eq!(told, text.to_ascii_lowercase());
                let number = u32::from_str_radix(&told[1..], 16).expect("six digits");
                assert_eq!(format!("#{number:06x}"), told);
                let ground = Color::parse(&told).expect("a colour");
                assert!(ground.ink().is_readable_on(&ground));
            }
        },
    );
}

#[test]
fn fonts_end_no_declaration() {
    let seeds = [
        "'Inter', 'Helvetica Neue', sans-serif",
        "Inter,\"Helvetica Neue\",SERIF",
        "-apple-system, system-ui",
        "a; background: url(x)",
        "'a', 'b\\', expression('",
    ];
    always(texts(seeds), |text| {
        if let Some(told) = settles::<FontFamily>(&text) {
            let plain = |c: char| c.is_ascii_alphanumeric() || " -,'".contains(c);
            assert!(told.len() <= 200 && told.chars().all(plain), "{told}");
            assert!(told.matches('\'').count() % 2 == 0, "{told}");
        }
    });
}

#[test]
fn a_password_is_kept_whole_in_one_spelling() {
    let seeds = [
        "a long quiet river, 42",
        " spaces kept ",
        "e\u{301}e\u{301}e\u{301}e\u{301}",
        "a\0b",
        "",
    ];
    always(texts(seeds), |text| {
        let normal: String = text.nfc().collect();
        let count = normal.chars().count();
        let may_be = !text.contains('\0') && count <= MAX_CHARS && text.len() <= 4_096;
        let presented = Password::presented(&text);
        assert_eq!(presented.is_ok(), may_be);
        if let Ok(password) = presented {
            assert_eq!(password.expose(), normal);
            assert_eq!(Password::parse(&text).is_ok(), count >= MIN_CHARS);
            assert_eq!(format!("{password:?}"), "Password(redacted)");
        }
    });
}
