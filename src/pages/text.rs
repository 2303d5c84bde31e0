//! What the pages say, in every language. Nothing a client sent is in them.

use crate::kernel::language::Language;
use crate::tokens::Purpose;

/// The page that links of a purpose lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page(pub(super) Purpose);

/// The words of one page.
struct Words {
    title: &'static str,
    intro: &'static str,
    button: &'static str,
    done: &'static str,
}

/// The words that pages have in common.
struct Common {
    password: &'static str,
    key: &'static str,
    weak: &'static str,
    dead: &'static str,
    failed: &'static str,
}

impl Page {
    /// What its button calls, as seen from the page, so that it is right below a base path too.
    const fn action(self) -> &'static str {
        match self.0 {
            Purpose::VerifyEmail => "../v1/verify-email",
            Purpose::ResetPassword => "../v1/reset-password",
            Purpose::MagicLink | Purpose::Invitation => "",
            Purpose::ChangeEmail => "../v1/me/change-email/confirm",
        }
    }

    const fn words(self, language: Language) -> Words {
        match language {
            Language::English => self.in_english(),
            Language::German => self.in_german(),
        }
    }

    const fn in_english(self) -> Words {
        match self.0 {
            Purpose::VerifyEmail => Words {
                title: "Verify your address",
                intro: "One click, and we know that this address is yours.",
                button: "Verify",
                done: "Your address is verified. You can close this page.",
            },
            Purpose::ResetPassword => Words {
                title: "Set a new password",
                intro: "You will be signed out everywhere.",
                button: "Set password",
                done: "Your password is set. Sign in with it.",
            },
            Purpose::MagicLink => Words {
                title: "Sign in",
                intro: "This app has not said where its sign-in page is. Enter this key there; it can be \
                        used only once, and not for long.",
                button: "",
                done: "",
            },
            Purpose::ChangeEmail => Words {
                title: "Confirm your new address",
                intro: "One click, and your account has this address.",
                button: "Confirm",
                done: "Your address is changed. You can close this page.",
            },
            Purpose::Invitation => Words {
                title: "Invitation",
                intro: "This app has not said where its page for invitations is. Enter this key \
                        there; it can be used only once.",
                button: "",
                done: "",
            },
        }
    }

    const fn in_german(self) -> Words {
        match self.0 {
            Purpose::VerifyEmail => Words {
                title: "Adresse bestätigen",
                intro: "Ein Klick, und wir wissen, dass diese Adresse Ihnen gehört.",
                button: "Bestätigen",
                done: "Ihre Adresse ist bestätigt. Sie können diese Seite schließen.",
            },
            Purpose::ResetPassword => Words {
                title: "Neues Passwort wählen",
                intro: "Sie werden überall abgemeldet.",
                button: "Passwort festlegen",
                done: "Ihr neues Passwort gilt ab sofort. Melden Sie sich damit an.",
            },
            Purpose::MagicLink => Words {
                title: "Anmelden",
                intro: "Diese App hat nicht angegeben, wo ihre Anmeldeseite ist. Geben Sie diesen \
                        Schlüssel dort ein; er gilt nur einmal und nicht lange.",
                button: "",
                done: "",
            },
            Purpose::ChangeEmail => Words {
                title: "Neue Adresse bestätigen",
                intro: "Ein Klick, und Ihr Konto hat diese Adresse.",
                button: "Bestätigen",
                done: "Ihre Adresse ist geändert. Sie können diese Seite schließen.",
            },
            Purpose::Invitation => Words {
                title: "Einladung",
                intro: "Diese App hat nicht angegeben, wo ihre Seite für Einladungen ist. Geben Sie \
                        diesen Schlüssel dort ein; er gilt nur einmal.",
                button: "",
                done: "",
            },
        }
    }

    /// The controls between the introduction and the outcome.
    fn controls(self, words: &Words, common: &Common) -> String {
        let password = format!(
            r#"<label for="password">{}</label>
<input id="password" type="password" autocomplete="new-password" minlength="8" maxlength="128" required>
"#,
            common.password
        );
        let field = match self.0 {
            Purpose::MagicLink | Purpose::Invitation => {
                return format!(
                    r#"<label for="key">{}</label><input id="key" readonly>"#,
                    common.key
                );
            }
            Purpose::ResetPassword => password,
            Purpose::VerifyEmail | Purpose::ChangeEmail => String::new(),
        };
        format!("<form>\n{field}<button>{}</button>\n</form>", words.button)
    }
}

const fn common(language: Language) -> Common {
    match language {
        Language::English => Common {
            password: "New password",
            key: "Key",
            weak: "This password is too easily guessed. Choose a longer one.",
            dead: "This link has expired or was used already. Ask for a new email.",
            failed: "That did not work. Try again in a moment.",
        },
        Language::German => Common {
            password: "Neues Passwort",
            key: "Schlüssel",
            weak: "Dieses Passwort ist zu leicht zu erraten. Wählen Sie ein längeres.",
            dead: "Dieser Link ist abgelaufen oder wurde schon benutzt. Fordern Sie eine neue E-Mail an.",
            failed: "Das hat nicht geklappt. Versuchen Sie es gleich noch einmal.",
        },
    }
}

pub(super) fn page(page: Page, language: Language) -> String {
    let (words, common) = (page.words(language), common(language));
    let (title, intro, done) = (words.title, words.intro, words.done);
    let (weak, dead, failed) = (common.weak, common.dead, common.failed);
    let (action, controls) = (page.action(), page.controls(&words, &common));
    format!(
        r#"<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
<main data-action="{action}" data-done="{done}" data-weak="{weak}" data-dead="{dead}" data-failed="{failed}">
<h1>{title}</h1>
<p>{intro}</p>
{controls}
<output aria-live="polite"></output>
</main>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_page_is_there_in_every_language_and_differs() {
        let mut seen = HashSet::new();
        for purpose in Purpose::ALL {
            for language in Language::ALL {
                let html = page(Page(purpose), language);

                assert!(html.contains(&format!("lang=\"{language}\"")));
                assert!(!html.contains('{') && !html.contains("style="), "{html}");
                assert!(seen.insert(html));
            }
        }
    }
}
