//! The templates: embedded, one source a letter and language, written as text and as HTML.
//!
//! ```text
//! en/verify_email ─extends─▶ en/frame ─extends─▶ layout.txt   without escaping
//!   its sentences              words every         or
//!   as blocks                  letter shares     layout.html  everything escaped
//! ```
//!
//! A variable that is not there fails the letter rather than leaving a gap.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, context};

use super::letters::{NAMES, SOURCES, Template, samples};
use super::plain::Plain;
use super::style::Style;
use super::words;
use crate::kernel::language::Language;

/// What all letters of an app have in common, and who reads this one.
#[derive(Debug, Clone)]
pub struct Head {
    /// What its sentences call the app.
    pub app: Plain,
    /// The reader's first name.
    pub name: Option<Plain>,
    pub style: Style,
}

/// A letter in words. It holds what only its recipient may see.
#[derive(Clone)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rendered({:?})", self.subject)
    }
}

/// A template and its facts do not fit together: a defect.
#[derive(Debug, thiserror::Error)]
#[error("a letter cannot be written: {0}")]
pub struct Unrenderable(#[from] Error);

/// Writes letters. Clones share the templates.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Arc<Environment<'static>>,
}

const LAYOUTS: [(&str, &str); 2] = [
    ("layout.txt", include_str!("templates/layout.txt")),
    ("layout.html", include_str!("templates/layout.html")),
];

impl Templates {
    /// The built-in letters.
    pub fn built_in() -> Result<Self, Unrenderable> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
            Some((_, "html")) => AutoEscape::Html,
            Some(_) | None => AutoEscape::None,
        });
        environment.add_filter("duration", duration);
        environment.add_filter("device", device);
        environment.add_filter("href", href);
        for (name, source) in LAYOUTS {
            environment.add_template(name, source)?;
        }
        for (name, source) in SOURCES.iter().flatten() {
            for form in ["txt", "html"] {
                environment.add_template_owned(format!("{name}.{form}"), *source)?;
            }
        }
        Ok(Self {
            environment: environment.into(),
        })
    }

    /// The letter with these facts, in words.
    pub fn render<T: Template>(
        &self,
        letter: &T,
        head: &Head,
        language: Language,
    ) -> Result<Rendered, Unrenderable> {
        let facts = Value::from(Serde(letter));
        let mut plain = self
            .template::<T>("txt", language)?
            .render_captured(context! {
                ..common("txt", head, language), ..facts.clone()
            })?;
        let subject = plain.with_state_mut(|state| state.render_block("subject"))?;
        let html = self.template::<T>("html", language)?.render(context! {
            ..context! { subject => subject.trim() }, ..common("html", head, language), ..facts
        })?;
        Ok(Rendered {
            subject: subject.trim().to_owned(),
            text: plain.output().to_owned(),
            html,
        })
    }

    /// The names of all letters.
    pub fn names() -> &'static [&'static str] {
        NAMES
    }

    /// Every sample of every letter, by its name.
    pub fn samples(
        &self,
        head: &Head,
        language: Language,
    ) -> Result<Vec<(&'static str, Rendered)>, Unrenderable> {
        samples(self, head, language)
    }

    fn template<T: Template>(
        &self,
        form: &str,
        language: Language,
    ) -> Result<minijinja::Template<'_, '_>, Error> {
        self.environment
            .get_template(&format!("{language}/{}.{form}", T::NAME))
    }
}

fn common(form: &str, head: &Head, language: Language) -> Value {
    context! {
        layout => format!("layout.{form}"),
        frame => format!("{language}/frame.{form}"),
        language => language.as_str(),
        app => head.app.as_str(),
        name => head.name.as_ref().map(Plain::as_str),
        style => head.style.shown(),
    }
}

/// `{{ minutes|duration }}`: a length of time in words of the letter's language.
fn duration(state: &State<'_, '_>, minutes: u64) -> Result<String, Error> {
    Ok(words::duration(minutes, language(state)?))
}

/// `{{ browser|device(os) }}`: a device in words of the letter's language, if anything is known.
fn device(
    state: &State<'_, '_>,
    browser: Option<&str>,
    os: Option<&str>,
) -> Result<Option<String>, Error> {
    Ok(words::device(browser, os, language(state)?))
}

/// The language that a letter is written in.
fn language(state: &State<'_, '_>) -> Result<Language, Error> {
    let language = state.lookup("language");
    let tag = language.as_ref().and_then(Value::as_str);
    tag.and_then(Language::of_tag)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the letter has no language"))
}

/// `{{ link|href }}`: a URL in HTML. The usual escape also writes slashes as entities, which old
/// mail programs show as they are.
fn href(url: &str) -> Value {
    let escaped = url
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    Value::from_safe_string(escaped)
}
