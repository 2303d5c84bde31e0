//! What a letter wears: the look of its app, or of the organization that it is about.

use super::record::{Invited, Message};
use crate::apps::App;
use crate::branding::{Brand, Worn};
use crate::kernel::text::Label;
use crate::mail::{Head, Logo, Plain, Style};
use crate::users::User;

/// How words of others are made safe.
type Words = fn(&str) -> Option<Plain>;

/// The head of a letter. Its sentences name the app as the app calls itself, whatever an organization
/// does: anybody can found one of any name.
pub(super) fn head((app, worn): (&App, &Worn), user: Option<&User>, message: &Message) -> Head {
    // Whoever made an account with an address that nobody has proven may be writing to a stranger.
    let proven = user.filter(|user| user.email_verified);
    let name = proven.and_then(|user| user.first_name.as_ref());
    let of_app = worn.by_app(app);
    let in_sentences = of_app.company_name.as_ref().unwrap_or(&app.name);
    Head {
        app: Plain::app(in_sentences.as_str()).unwrap_or_default(),
        name: name.and_then(|name| Plain::name(name.as_str())),
        style: match message.organization() {
            Some(_) => of_organization((app, worn), message),
            None => style(of_app, (Plain::app, Plain::tagline)),
        },
    }
}

/// What would become a link in the words of an organization is broken up, and its letters wear the
/// sheet of the app: what whoever founds one could take out of sight is what protects its reader.
fn of_organization((app, worn): (&App, &Worn), message: &Message) -> Style {
    let invited = invited(message);
    let name = invited.and_then(|it| Label::parse(&it.organization).ok());
    let logo = invited.and_then(|it| it.logo.as_deref());
    let brand = Brand {
        custom_css: worn.by_app(app).custom_css,
        ..worn.by_organization(app, (name.as_ref(), logo))
    };
    style(brand, (Plain::organization, Plain::message))
}

fn invited(message: &Message) -> Option<&Invited> {
    if let Message::Invitation(invited) = message {
        return Some(invited);
    }
    None
}

fn style(brand: Brand, (name, line): (Words, Words)) -> Style {
    let named = |label: Option<Label>| label.and_then(|label| name(label.as_str()));
    let text = named(brand.logo_text);
    let logo = brand.logo_url.map(|url| Logo {
        url,
        text: text.unwrap_or_default(),
    });
    Style {
        logo,
        company: named(brand.company_name).unwrap_or_default(),
        tagline: brand.tagline.and_then(|tagline| line(tagline.as_str())),
        primary: brand.primary_color,
        background: brand.background_color,
        accent: brand.accent_color,
        font: brand.font_family,
        css: brand.custom_css,
    }
}
