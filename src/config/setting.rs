//! A setting: one row of a section's table, and the names it goes by.
//!
//! `server.bind` in the file is `AUTHSOME_SERVER__BIND` in the environment. A secret may also be
//! read from a file of its own: `security.pepper_file`, `AUTHSOME_SECURITY__PEPPER_FILE`.
//! `section!` makes a typed section, its rows and its reading from one table.

use super::{settings, takes::Takes};

/// What every variable of ours begins with.
pub(super) const PREFIX: &str = "AUTHSOME_";

/// One row: everything there is to know about a setting save its type.
pub(super) struct Setting {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) default: Fallback,
    /// Never printed, and may come from a file.
    pub(super) secret: bool,
    /// What is allowed: completes "it takes …".
    pub(super) takes: fn() -> String,
    pub(super) help: &'static str,
}

/// What counts where nobody says anything.
#[derive(Clone, Copy)]
pub(super) enum Fallback {
    /// This text, read like a given one.
    Value(&'static str),
    /// Nothing; the sentence says what happens then.
    Unset(&'static str),
}

impl Setting {
    pub(super) fn name(&self) -> Name {
        Name(format!("{}.{}", self.section, self.key))
    }

    /// The name under which the value is in a file of its own; for secrets only.
    fn name_of_file(&self) -> Option<Name> {
        self.secret
            .then(|| Name(format!("{}.{}_file", self.section, self.key)))
    }
}

/// Where a value is found: under the setting's own name, or in the file that `…_file` names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    InFile,
}

/// A name in its dotted, lower-case spelling, known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn in_file(section: &str, key: &str) -> Self {
        Self(format!("{section}.{key}"))
    }

    /// `None` for a variable that is not spelled like ours; `AUTHSOME_` alone decides.
    pub(super) fn in_environment(variable: &str) -> Option<Self> {
        let rest = variable.strip_prefix(PREFIX)?;
        Some(Self(rest.to_lowercase().replace("__", ".")))
    }

    pub(super) fn dotted(&self) -> &str {
        &self.0
    }

    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.0.replace('.', "__").to_uppercase())
    }

    pub(super) fn known(&self) -> Option<(&'static Setting, Form)> {
        names()
            .find(|(name, ..)| name == self)
            .map(|(_, setting, form)| (setting, form))
    }

    /// The known name that this one was most likely meant to be: alike as a whole, or, for people
    /// who forget or mistake the section, alike after the last dot.
    pub(super) fn nearest(&self) -> Name {
        let likeness = |known: &Name| {
            let whole = strsim::normalized_damerau_levenshtein(&self.0, &known.0);
            let key = strsim::normalized_damerau_levenshtein(self.key(), known.key());
            // Sections have keys of the same name: of those the one that is most alike as a whole.
            (whole.max(0.9 * key), whole)
        };
        names()
            .map(|(name, ..)| (likeness(&name), name))
            .max_by(|((one, whole), _), ((other, other_whole), _)| {
                one.total_cmp(other).then(whole.total_cmp(other_whole))
            })
            .map_or_else(|| self.clone(), |(_, name)| name)
    }

    fn key(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }
}

fn names() -> impl Iterator<Item = (Name, &'static Setting, Form)> {
    settings().flat_map(|setting| {
        let plain = Some((setting.name(), setting, Form::Plain));
        let in_file = setting
            .name_of_file()
            .map(|name| (name, setting, Form::InFile));
        plain.into_iter().chain(in_file)
    })
}

/// Whether what `_kind` takes is secret; a row is made before there is any value.
pub(super) const fn is_secret<T: Takes>(_kind: &T) -> bool {
    T::SECRET
}

/// Makes a section from its table: the struct, `SETTINGS` and `read`.
///
/// A row is `/// meaning` and `key: Type = fallback, kind;` where the kind says what is allowed.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $Section:ident in $section:literal {
            $( $(#[doc = $help:literal])+ $key:ident: $type:ty = $default:expr, $kind:expr; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub struct $Section {
            $( $(#[doc = $help])+ pub $key: $type, )+
        }

        impl $Section {
            pub(super) const SETTINGS: &'static [$crate::config::setting::Setting] = &[
                $( $crate::config::setting::Setting {
                    section: $section,
                    key: stringify!($key),
                    default: $default,
                    secret: $crate::config::setting::is_secret(&$kind),
                    takes: || $crate::config::takes::Takes::allowed(&$kind),
                    help: concat!($($help),+),
                }, )+
            ];

            /// `None` when a row had a fault, which the reader keeps.
            pub(super) fn read(reader: &mut $crate::config::reader::Reader) -> Option<Self> {
                let mut rows = Self::SETTINGS.iter();
                $( let $key = rows.next().and_then(|row| reader.value(row, &$kind)); )+
                Some(Self { $( $key: $key?, )+ })
            }
        }
    };
}
pub(super) use section;
