//! One question of a form, and what makes it one that can be answered.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::{Fields, FromFields};
use crate::kernel::text::{Day, FieldName, Label, Reason};

/// Options that a question may offer.
const MOST_OPTIONS: usize = 100;
const ORDER: RangeInclusive<u32> = 0..=10_000;

/// What every account has, or what must never be asked for into a map that everybody reads. Compared
/// without case, `_` and `-`.
const RESERVED: [&str; 31] = [
    "id",
    "appid",
    "envid",
    "orgid",
    "userid",
    "email",
    "emailverified",
    "password",
    "newpassword",
    "currentpassword",
    "passwordhash",
    "phone",
    "phoneverified",
    "username",
    "displayusername",
    "firstname",
    "lastname",
    "image",
    "role",
    "roles",
    "permissions",
    "status",
    "banned",
    "metadata",
    "token",
    "secret",
    "deviceid",
    "createdat",
    "updatedat",
    "constructor",
    "prototype",
];

/// What is asked for, and so what an answer is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = FormFieldType)]
pub enum FieldType {
    Text,
    Textarea,
    Email,
    Phone,
    Url,
    Number,
    Date,
    Checkbox,
    Select,
    Multiselect,
    Radio,
}

/// What a text or a number must look like besides. There are no patterns of one's own: what a
/// regular expression costs is its author's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = FormFieldFormat)]
pub enum TextFormat {
    Letters,
    Digits,
    Alphanumeric,
    Slug,
    Country,
    Integer,
}

/// One question.
///
/// | `type` | answer | bounds |
/// |---|---|---|
/// | `text` | one line | `min`, `max`: characters, 255 at most unless `max` says up to 1,000; `format` |
/// | `textarea` | lines | `min`, `max`: characters, 5,000 at most unless `max` says up to 10,000 |
/// | `email`, `phone`, `url` | an address, a number in international form, an http(s) URL | |
/// | `number` | a number | `min`, `max`; `format` `integer` |
/// | `date` | a day like `2040-01-31` | `earliest`, `latest` |
/// | `checkbox` | `true` or `false`; `true` where it is required | |
/// | `select`, `radio` | the value of one option | `options` |
/// | `multiselect` | a list of values, each once | `options`; `min`, `max`: how many |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FormField {
    /// What the answer is called in the metadata. None of the names that accounts have themselves.
    pub name: FieldName,
    #[serde(rename = "type")]
    pub kind: FieldType,
    pub label: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub placeholder: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub help: Option<Reason>,
    /// Whether it must be answered; `false` where nothing is said.
    #[serde(default)]
    #[schema(required = false)]
    pub required: bool,
    /// What counts where it is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    pub default: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    pub options: Option<Vec<FormOption>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub earliest: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latest: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub format: Option<TextFormat>,
    /// Fields are asked in this order; where nothing is said, as they stand in the list.
    #[serde(default)]
    #[schema(required = false, minimum = 0, maximum = 10_000)]
    pub order: u32,
}

/// One of the answers that a question offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FormFieldOption)]
pub struct FormOption {
    /// What is kept.
    pub value: Label,
    /// What is shown, where it is not the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub label: Option<Label>,
}

/// Reads one of the names of an enumeration.
fn named<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

impl FromStr for FieldType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text).ok_or(
            "not one of text, textarea, email, phone, url, number, date, checkbox, select, \
             multiselect and radio",
        )
    }
}

impl FromStr for TextFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text).ok_or("not one of letters, digits, alphanumeric, slug, country and integer")
    }
}

impl FromFields for FormOption {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let value = fields.required("value", Label::parse);
        let label = fields.optional("label", Label::parse);
        Some(Self {
            value: value?,
            label: label?,
        })
    }
}

impl FromFields for FormField {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", free_name);
        let kind = fields.required("type", FieldType::from_str);
        let label = fields.required("label", Label::parse);
        let placeholder = fields.optional("placeholder", Label::parse);
        let help = fields.optional("help", Reason::parse);
        let required = fields.flag("required");
        let default = fields.value("default", Ok::<_, &str>);
        let options = fields.optional_objects("options", MOST_OPTIONS);
        let (min, max) = (fields.decimal("min"), fields.decimal("max"));
        let earliest = fields.optional("earliest", Day::parse);
        let latest = fields.optional("latest", Day::parse);
        let format = fields.optional("format", TextFormat::from_str);
        let order = fields.number("order", ORDER);
        let field = Self {
            name: name?,
            kind: kind?,
            label: label?,
            placeholder: placeholder?,
            help: help?,
            required: required?.unwrap_or_default(),
            default: default?,
            options: options?,
            min: min?,
            max: max?,
            earliest: earliest?,
            latest: latest?,
            format: format?,
            order: order?.unwrap_or(UNORDERED),
        };
        field.sensible(fields)
    }
}

/// Characters of an answer whose question does not say how many.
const LINE_MOST: f64 = 255.0;
const LINES_MOST: f64 = 5_000.0;

/// The order of a field of which none is told, until its place in the list is known.
pub(super) const UNORDERED: u32 = u32::MAX;

/// A name that no account has already.
fn free_name(text: &str) -> Result<FieldName, String> {
    let name = FieldName::parse(text).map_err(|refused| refused.to_string())?;
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    if RESERVED.contains(&plain.to_ascii_lowercase().as_str()) {
        return Err(format!("`{text}` is a name that accounts have themselves"));
    }
    Ok(name)
}

impl FieldType {
    pub(super) fn is_chosen(self) -> bool {
        matches!(self, Self::Select | Self::Multiselect | Self::Radio)
    }

    /// What `min` and `max` may be; `None` for what has none.
    fn bounds(self, options: usize) -> Option<RangeInclusive<f64>> {
        let most = u32::try_from(options).unwrap_or(u32::MAX);
        match self {
            Self::Text => Some(0.0..=1_000.0),
            Self::Textarea => Some(0.0..=10_000.0),
            Self::Number => Some(f64::MIN..=f64::MAX),
            Self::Multiselect => Some(0.0..=f64::from(most)),
            Self::Email
            | Self::Phone
            | Self::Url
            | Self::Date
            | Self::Checkbox
            | Self::Select
            | Self::Radio => None,
        }
    }

    fn admits(self, format: TextFormat) -> bool {
        match format {
            TextFormat::Integer => self == Self::Number,
            TextFormat::Letters
            | TextFormat::Digits
            | TextFormat::Alphanumeric
            | TextFormat::Slug
            | TextFormat::Country => self == Self::Text,
        }
    }
}

impl FormField {
    /// How many an answer has at most, or how much it is: `max`, else what its type says.
    pub(super) fn most(&self) -> Option<f64> {
        self.max.or(match self.kind {
            FieldType::Text => Some(LINE_MOST),
            FieldType::Textarea => Some(LINES_MOST),
            FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::Number
            | FieldType::Date
            | FieldType::Checkbox
            | FieldType::Select
            | FieldType::Multiselect
            | FieldType::Radio => None,
        })
    }

    /// How many characters must be written to answer it.
    pub(super) fn needs(&self) -> f64 {
        let is_written = matches!(self.kind, FieldType::Text | FieldType::Textarea);
        let least = self.min.filter(|_| self.required && is_written);
        least.unwrap_or(0.0)
    }

    /// This question, with its default in the spelling that is kept, if everything in it agrees.
    fn sensible(mut self, fields: &mut Fields) -> Option<Self> {
        let agrees = [
            self.agrees_on_options(fields),
            self.agrees_on_bounds(fields),
            self.agrees_on_days(fields),
            self.agrees_on_format(fields),
        ];
        if !agrees.into_iter().all(|it| it.is_some()) {
            return None;
        }
        let Some(default) = self.default.take() else {
            return Some(self);
        };
        if self.kind == FieldType::Checkbox && self.required {
            let why = "nobody agrees by saying nothing: a required checkbox has no default";
            return fields.fault("default", "invalid_default", why);
        }
        match self.kept(&default) {
            Ok(kept) => self.default = kept,
            Err(fault) => {
                let why = format!("is no answer to this: {}", fault.detail);
                return fields.fault("default", fault.kind, why);
            }
        }
        Some(self)
    }

    fn agrees_on_options(&self, fields: &mut Fields) -> Option<()> {
        let Some(options) = &self.options else {
            if self.kind.is_chosen() {
                return fields.fault("options", "required", "this type needs some");
            }
            return Some(());
        };
        if !self.kind.is_chosen() {
            return fields.fault("options", "invalid_options", "this type has none");
        }
        if options.is_empty() {
            return fields.fault("options", "too_few", "at least one is needed");
        }
        let mut seen = HashSet::new();
        for (index, option) in options.iter().enumerate() {
            if !seen.insert(&option.value) {
                let at = format!("options/{index}/value");
                return fields.fault(&at, "duplicate", "is there twice");
            }
        }
        Some(())
    }

    fn agrees_on_bounds(&self, fields: &mut Fields) -> Option<()> {
        let options = self.options.as_ref().map_or(0, Vec::len);
        let bounds = self.kind.bounds(options);
        for (name, kind, bound) in [
            ("min", "invalid_min", self.min),
            ("max", "invalid_max", self.max),
        ] {
            let Some(bound) = bound else {
                continue;
            };
            let Some(bounds) = &bounds else {
                return fields.fault(name, kind, "this type has none");
            };
            let is_counted = self.kind != FieldType::Number;
            if !bounds.contains(&bound) || (is_counted && bound.fract() != 0.0) {
                let (least, most) = (bounds.start(), bounds.end());
                let detail = format!("not a number that this type admits, from {least} to {most}");
                return fields.fault(name, kind, detail);
            }
        }
        let too_much = self.min.zip(self.most()).filter(|(min, most)| min > most);
        if let Some((_, most)) = too_much {
            let detail = format!("is more than `max`, which is {most}");
            return fields.fault("min", "invalid_min", detail);
        }
        Some(())
    }

    fn agrees_on_days(&self, fields: &mut Fields) -> Option<()> {
        let (earliest, latest) = (self.earliest.as_ref(), self.latest.as_ref());
        let is_bounded = earliest.is_some() || latest.is_some();
        if is_bounded && self.kind != FieldType::Date {
            let name = earliest.map_or("latest", |_| "earliest");
            return fields.fault(name, &format!("invalid_{name}"), "this type has none");
        }
        if earliest.zip(latest).is_some_and(|(from, to)| from > to) {
            return fields.fault("earliest", "invalid_earliest", "is after `latest`");
        }
        Some(())
    }

    fn agrees_on_format(&self, fields: &mut Fields) -> Option<()> {
        match self.format {
            Some(format) if !self.kind.admits(format) => {
                fields.fault("format", "invalid_format", "this type has not this one")
            }
            Some(_) | None => Some(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<FormField>();
        assert_documented::<FormOption>();
    }

    #[test]
    fn names_of_accounts_are_kept_however_they_are_spelled() {
        for bad in [
            "email",
            "Password",
            "first_name",
            "firstName",
            "FIRST-NAME",
            "metadata",
        ] {
            assert!(free_name(bad).is_err(), "{bad}");
        }
        for good in ["company", "passwords_read", "emailFrequency", "a1"] {
            assert!(free_name(good).is_ok(), "{good}");
        }
    }
}
