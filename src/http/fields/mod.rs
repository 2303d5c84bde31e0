//! Fields: reading a request's object so that every bad field is told at once.
//!
//! A request type asks for its fields by name and gets each of them parsed, or `None` after the
//! fault has been noted; what it did not ask for is unknown, and refused.
//!
//! ```ignore
//! impl FromFields for NewUser {
//!     fn from_fields(fields: &mut Fields) -> Option<Self> {
//!         let email = fields.required("email", Email::parse);
//!         let password = fields.required_else("password", ProblemKind::WeakPassword, Password::parse);
//!         let first_name = fields.optional("first_name", Label::parse);
//!         Some(Self { email: email?, password: password?, first_name: first_name? })
//!     }
//! }
//! ```

#[cfg(test)]
mod documented;
mod json;
mod objects;
#[cfg(test)]
mod tests;
mod values;

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::json::escaped;
use super::problem::{FieldError, Problem};
use super::problems::ProblemKind;
use crate::kernel::page::{Cursor, Position};
use crate::kernel::secret::MacKey;

#[cfg(test)]
pub(crate) use documented::assert_documented;

/// A request that is read from the members of an object.
///
/// Ask for every field before using `?`, or the faults of the later ones go untold.
pub trait FromFields: Sized {
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// What a PATCH does to one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The field is absent.
    #[default]
    Keep,
    /// The field is `null`.
    Clear,
    Set(T),
}

impl<T: Clone> Change<T> {
    /// What `before` becomes.
    pub fn applied_to(&self, before: &Option<T>) -> Option<T> {
        match self {
            Self::Keep => before.clone(),
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        }
    }
}

/// Whether faults are told as JSON pointers or as names of query parameters; of a form, what nobody
/// asks for is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Body,
    Form,
    Query,
}

/// The key of cursors and the list that is being read, tenant included.
#[derive(Clone, Debug)]
pub(super) struct CursorScope {
    pub(super) key: MacKey,
    pub(super) list: String,
}

/// The members of one object, taken out as they are asked for.
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    source: Source,
    cursors: Option<CursorScope>,
    errors: Vec<FieldError>,
    #[cfg(test)]
    asked: Vec<(&'static str, bool)>,
}

/// Reads a `T` from `members`, or tells every fault at once.
pub(super) fn read<T: FromFields>(
    members: Map<String, Value>,
    source: Source,
    cursors: Option<CursorScope>,
) -> Result<T, Problem> {
    let mut fields = Fields::of(members, source);
    fields.cursors = cursors;
    let value = T::from_fields(&mut fields);
    fields.refuse_the_rest();
    match value {
        Some(value) if fields.errors.is_empty() => Ok(value),
        _ => Err(problem(source, fields.errors)),
    }
}

/// One problem for all faults: its kind is theirs where they agree and the table has a row for it.
/// Of a query only a bad cursor has a row of its own: a parameter may bear the name of a field.
fn problem(source: Source, errors: Vec<FieldError>) -> Problem {
    let mixed = if source == Source::Query {
        ProblemKind::InvalidQuery
    } else {
        ProblemKind::InvalidBody
    };
    let shared = errors
        .first()
        .filter(|first| errors.iter().all(|error| error.kind == first.kind));
    let kind = shared
        .and_then(|error| ProblemKind::by_slug(&error.kind))
        .filter(|kind| source != Source::Query || *kind == ProblemKind::BadCursor);
    Problem::new(kind.unwrap_or(mixed)).fields(errors)
}

impl Fields {
    fn of(members: Map<String, Value>, source: Source) -> Self {
        Self {
            members,
            source,
            cursors: None,
            errors: Vec::new(),
            #[cfg(test)]
            asked: Vec::new(),
        }
    }

    /// A text that must be there. A fault of `parse` is told as `invalid_<name>`.
    pub fn required<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.demand(name)?;
        self.parsed(name, &value, &format!("invalid_{name}"), parse)
    }

    /// Like [`Fields::required`]; a fault of `parse` is told as `kind`.
    pub fn required_else<T, E: Display>(
        &mut self,
        name: &'static str,
        kind: ProblemKind,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.demand(name)?;
        self.parsed(name, &value, kind.slug(), parse)
    }

    /// A text that may be absent or `null`: `Some(None)` then, and `None` only after a fault.
    pub fn optional<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self
                .parsed(name, &value, &format!("invalid_{name}"), parse)
                .map(Some),
        }
    }

    /// Like [`Fields::optional`]; a fault of `parse` is told as `kind`.
    pub fn optional_else<T, E: Display>(
        &mut self,
        name: &'static str,
        kind: ProblemKind,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.parsed(name, &value, kind.slug(), parse).map(Some),
        }
    }

    /// A text that PATCH can leave, clear or set.
    pub fn change<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Change<T>> {
        match self.take(name) {
            None => Some(Change::Keep),
            Some(Value::Null) => Some(Change::Clear),
            Some(value) => self
                .parsed(name, &value, &format!("invalid_{name}"), parse)
                .map(Change::Set),
        }
    }

    /// `true` or `false`, or absent.
    pub fn flag(&mut self, name: &'static str) -> Option<Option<bool>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::Bool(flag)) => Some(Some(flag)),
            Some(_) => self.fault(name, "wrong_type", "must be true or false"),
        }
    }

    /// `true` or `false`, which must be there.
    pub fn required_flag(&mut self, name: &'static str) -> Option<bool> {
        match self.demand(name)?.as_bool() {
            Some(flag) => Some(flag),
            None => self.fault(name, "wrong_type", "must be true or false"),
        }
    }

    /// A whole number within `bounds`, or absent. `5.0` is 5 (JSON Schema 2020-12 Core §4.2.3).
    pub fn number(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<u32>,
    ) -> Option<Option<u32>> {
        let value = match self.take(name) {
            None | Some(Value::Null) => return Some(None),
            Some(value) => value,
        };
        if !value.is_number() {
            return self.fault(name, "wrong_type", "must be a number");
        }
        // As text, since that is exact: `5.0` is written `5`.
        let number = value.as_f64().and_then(|it| it.to_string().parse().ok());
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            return Some(Some(number));
        }
        let (least, most) = bounds.into_inner();
        let detail = format!("not a whole number from {least} to {most}");
        self.fault(name, &format!("invalid_{name}"), detail)
    }

    /// A whole number within `bounds`, which must be there.
    pub fn required_number(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = self.demand(name)?;
        self.members.insert(name.to_owned(), value);
        match self.number(name, bounds)? {
            Some(number) => Some(number),
            None => self.fault(name, "wrong_type", "must be a number"),
        }
    }

    /// A whole number within `bounds` that PATCH can leave, clear or set.
    pub fn number_change(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<u32>,
    ) -> Option<Change<u32>> {
        if !self.members.contains_key(name) {
            #[cfg(test)]
            self.asked.push((name, false));
            return Some(Change::Keep);
        }
        let number = self.number(name, bounds)?;
        Some(number.map_or(Change::Clear, Change::Set))
    }

    /// A free-form object, or absent. A fault of `parse` is told as `invalid_<name>`.
    pub fn map<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(Map<String, Value>) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::Object(members)) => match parse(members) {
                Ok(value) => Some(Some(value)),
                Err(reason) => self.fault(name, &format!("invalid_{name}"), reason.to_string()),
            },
            Some(_) => self.fault(name, "wrong_type", "must be an object"),
        }
    }

    /// A list of texts that must be there; it may be empty. Every bad item is told.
    pub fn list<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let items = self.items(name)?;
        self.parsed_items(name, &items, parse)
    }

    /// A list of texts, or absent. Every bad item is told.
    pub fn optional_list<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Option<Vec<T>>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::Array(items)) => self.parsed_items(name, &items, parse).map(Some),
            Some(_) => self.fault(name, "wrong_type", "must be a list"),
        }
    }

    fn parsed_items<T, E: Display>(
        &mut self,
        name: &'static str,
        items: &[Value],
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let kind = format!("invalid_{name}");
        let parsed = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.parsed(&format!("{name}/{index}"), item, &kind, &parse));
        collected(parsed.collect())
    }

    /// The place after which a page begins; told as `bad_cursor` unless this list issued it.
    pub fn cursor(&mut self, name: &'static str) -> Option<Option<Position>> {
        let Some(value) = self.take(name) else {
            return Some(None);
        };
        let scope = self.cursors.clone();
        let opened = value
            .as_str()
            .zip(scope)
            .and_then(|(text, scope)| Cursor::open(&scope.key, &scope.list, text).ok());
        match opened {
            Some(position) => Some(Some(position)),
            None => self.fault(
                name,
                ProblemKind::BadCursor.slug(),
                "is not a cursor of this list",
            ),
        }
    }

    pub(super) fn cursors(&self) -> Option<CursorScope> {
        self.cursors.clone()
    }

    /// Notes that something is wrong with a field although it could be parsed; always `None`.
    pub fn fault<T>(&mut self, name: &str, kind: &str, detail: impl Into<String>) -> Option<T> {
        let (pointer, parameter) = match self.source {
            Source::Body | Source::Form => (Some(format!("/{name}")), None),
            Source::Query => (None, Some(name.to_owned())),
        };
        let (kind, detail) = (kind.to_owned(), detail.into());
        self.errors.push(FieldError {
            pointer,
            parameter,
            kind,
            detail,
        });
        None
    }

    fn items(&mut self, name: &'static str) -> Option<Vec<Value>> {
        let Value::Array(items) = self.demand(name)? else {
            return self.fault(name, "wrong_type", "must be a list");
        };
        Some(items)
    }

    fn demand(&mut self, name: &'static str) -> Option<Value> {
        #[cfg(test)]
        self.asked.push((name, true));
        match self.members.remove(name) {
            Some(value) => Some(value),
            None => self.fault(name, "required", "is missing"),
        }
    }

    fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        value: &Value,
        kind: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Some(text) = value.as_str() else {
            return self.fault(name, "wrong_type", "must be text");
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(reason) => self.fault(name, kind, reason.to_string()),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        #[cfg(test)]
        self.asked.push((name, false));
        self.members.remove(name)
    }

    fn refuse_the_rest(&mut self) {
        if self.source == Source::Form {
            return;
        }
        for (name, _) in std::mem::take(&mut self.members) {
            let _: Option<()> = self.fault(
                &escaped(&name),
                ProblemKind::UnknownField.slug(),
                "is not a field here",
            );
        }
    }
}

/// All of them, or none: a list with a fault in it is no list.
fn collected<T>(items: Vec<Option<T>>) -> Option<Vec<T>> {
    items.into_iter().collect()
}
