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
    /// Of an invitation.
    organization: &'static str,
    inviter: &'static str,
    role: &'static str,
    address: &'static str,
    first_name: &'static str,
    last_name: &'static str,
    known: &'static str,
    full: &'static str,
    /// Before the questions of the app that are not answered well.
    asked: &'static str,
}

impl Page {
    /// What its button calls, as seen from the page, so that it is right below a base path too.
    const fn action(self) -> &'static str {
        match self.0 {
            Purpose::VerifyEmail => "../v1/verify-email",
            Purpose::ResetPassword => "../v1/reset-password",
            Purpose::MagicLink => "",
            Purpose::ChangeEmail => "../v1/me/change-email/confirm",
            Purpose::Invitation => "../v1/orgs/invitations/accept",
        }
    }

    /// What tells the page what its link offers.
    const fn lookup(self) -> &'static str {
        match self.0 {
            Purpose::Invitation => "../v1/orgs/invitations/lookup",
            Purpose::VerifyEmail
            | Purpose::ResetPassword
            | Purpose::MagicLink
            | Purpose::ChangeEmail => "",
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
                intro: "Choose a password, and you are in. If you have an account already, sign in to \
                        the app: the invitation waits there.",
                button: "Join",
                done: "You are in. Sign in to the app with your address and your password.",
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
                intro: "Wählen Sie ein Passwort, und Sie sind dabei. Wenn Sie schon ein Konto haben, \
                        melden Sie sich in der App an: Die Einladung wartet dort.",
                button: "Beitreten",
                done: "Sie sind dabei. Melden Sie sich in der App mit Ihrer Adresse und Ihrem \
                       Passwort an.",
            },
        }
    }

    /// The controls between the introduction and the outcome.
    fn controls(self, words: &Words, common: &Common) -> String {
        let password = |name: &str| {
            format!(
                r#"<label for="password">{}</label>
<input id="password" name="{name}" type="password" autocomplete="new-password" minlength="8" maxlength="128" required>
"#,
                common.password
            )
        };
        let field = match self.0 {
            Purpose::MagicLink => {
                return format!(
                    r#"<label for="key">{}</label><input id="key" readonly>"#,
                    common.key
                );
            }
            Purpose::ResetPassword => password("new_password"),
            Purpose::VerifyEmail | Purpose::ChangeEmail => String::new(),
            Purpose::Invitation => format!("{}{}", common.names(), password("password")),
        };
        let form = format!("<form>\n{field}<button>{}</button>\n</form>", words.button);
        match self.0 {
            Purpose::Invitation => format!("{}{form}", common.offer()),
            Purpose::VerifyEmail
            | Purpose::ResetPassword
            | Purpose::MagicLink
            | Purpose::ChangeEmail => form,
        }
    }
}

impl Common {
    /// Where the page says what is offered, once it has asked.
    fn offer(&self) -> String {
        let row = |(id, word): (&str, &str)| format!("<dt>{word}</dt><dd id=\"{id}\"></dd>\n");
        let rows = [
            ("organization", self.organization),
            ("inviter", self.inviter),
            ("role", self.role),
        ];
        let rows: String = rows.into_iter().map(row).collect();
        format!("<dl hidden>\n{rows}</dl>\n")
    }

    /// The address is for the browser, which keeps it beside the password.
    fn names(&self) -> String {
        let Self {
            address,
            first_name,
            last_name,
            ..
        } = self;
        format!(
            r#"<label for="email">{address}</label>
<input id="email" type="email" autocomplete="username" readonly>
<label for="first_name">{first_name}</label>
<input id="first_name" name="first_name" autocomplete="given-name" maxlength="100">
<label for="last_name">{last_name}</label>
<input id="last_name" name="last_name" autocomplete="family-name" maxlength="100">
"#
        )
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
            organization: "Organization",
            inviter: "Invited by",
            role: "Role",
            address: "Address",
            first_name: "First name",
            last_name: "Last name",
            known: "This address has an account already. Sign in to the app: the invitation waits there.",
            full: "There is no seat left at the moment. Ask whoever has invited you.",
            asked: "Please look at these answers again:",
        },
        Language::German => Common {
            password: "Neues Passwort",
            key: "Schlüssel",
            weak: "Dieses Passwort ist zu leicht zu erraten. Wählen Sie ein längeres.",
            dead: "Dieser Link ist abgelaufen oder wurde schon benutzt. Fordern Sie eine neue E-Mail an.",
            failed: "Das hat nicht geklappt. Versuchen Sie es gleich noch einmal.",
            organization: "Organisation",
            inviter: "Eingeladen von",
            role: "Rolle",
            address: "Adresse",
            first_name: "Vorname",
            last_name: "Nachname",
            known: "Diese Adresse hat schon ein Konto. Melden Sie sich in der App an: Die Einladung wartet dort.",
            full: "Im Moment ist kein Platz frei. Fragen Sie die Person, die Sie eingeladen hat.",
            asked: "Bitte prüfen Sie diese Antworten:",
        },
    }
}

pub(super) fn page(page: Page, language: Language) -> String {
    let (words, common) = (page.words(language), common(language));
    let (title, intro, done) = (words.title, words.intro, words.done);
    let (weak, dead, failed) = (common.weak, common.dead, common.failed);
    let (known, full, asked) = (common.known, common.full, common.asked);
    let (action, lookup) = (page.action(), page.lookup());
    let controls = page.controls(&words, &common);
    format!(
        r#"<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
<main data-action="{action}" data-lookup="{lookup}" data-done="{done}" data-weak="{weak}" data-dead="{dead}" data-known="{known}" data-full="{full}" data-asked="{asked}" data-failed="{failed}">
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
