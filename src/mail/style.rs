//! How letters look: colours that can be read, fonts, a logo, and rules of one's own.

use minijinja::context;
use minijinja::value::Value;

use super::plain::Plain;
use crate::kernel::css::StyleSheet;
use crate::kernel::text::{Color, FontFamily};

/// What a letter wears. Its colours and fonts cannot leave their declaration, by their types.
#[derive(Debug, Clone)]
pub struct Style {
    pub logo: Option<Logo>,
    /// What stands in its place where there is none.
    pub company: Plain,
    /// Below the letter.
    pub tagline: Option<Plain>,
    /// Of the line above the letter.
    pub primary: Color,
    /// Around the letter.
    pub background: Color,
    /// Of buttons and links.
    pub accent: Color,
    pub font: FontFamily,
    pub css: Option<StyleSheet>,
}

/// A picture; shown where its URL is an `https` one.
#[derive(Debug, Clone)]
pub struct Logo {
    pub url: String,
    /// What is told to whoever does not see it.
    pub text: Plain,
}

impl Style {
    /// The product's own look, under a name.
    pub fn of(company: Plain) -> Self {
        Self {
            logo: None,
            company,
            tagline: None,
            primary: Color::default(),
            background: Color::light_grey(),
            accent: Color::default(),
            font: FontFamily::default(),
            css: None,
        }
    }

    /// The variables of templates. Nothing is written in a colour that cannot be read on its ground:
    /// links on the white letter are black where the accent is too light.
    pub(super) fn shown(&self) -> Value {
        let white = Color::white();
        let is_readable = self.accent.is_readable_on(&white);
        let link = if is_readable {
            self.accent.clone()
        } else {
            white.ink()
        };
        let logo = self.logo.as_ref();
        let logo = logo.filter(|logo| logo.url.starts_with("https://"));
        context! {
            logo => logo.map(|logo| context! { url => logo.url.as_str(), text => logo.text.as_str() }),
            company => self.company.as_str(),
            tagline => self.tagline.as_ref().map(Plain::as_str),
            primary => self.primary.as_str(),
            background => self.background.as_str(),
            on_background => self.background.ink().as_str(),
            accent => self.accent.as_str(),
            on_accent => self.accent.ink().as_str(),
            link => link.as_str(),
            font => Value::from_safe_string(self.font.to_string()),
            css => self.css.as_ref().map(|css| Value::from_safe_string(css.as_str().to_owned())),
        }
    }
}
