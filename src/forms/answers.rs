//! Answers: judged question by question, every fault told at once, and kept in one spelling each.

use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;
use utoipa::ToSchema;

use super::field::{FieldType, FormField, TextFormat};
use super::record::FormConfig;
use crate::events::Event;
use crate::http::{Problem, ProblemKind};
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Day, Email, Phone, Slug, line, lines};

const URL_MAX: usize = 2_048;

/// What is wrong with one answer, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub kind: &'static str,
    pub detail: String,
}

/// Why answers are refused: by the names of their questions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the form is not answered as it asks")]
pub struct FormRefused(Vec<(String, Fault)>);

/// An active form, as whoever is asked sees it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = AskedForm)]
pub struct Form {
    pub version: i64,
    pub fields: Vec<FormField>,
}

/// What is kept of answers, and which version of the form they were given to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answered {
    pub metadata: Metadata,
    /// `None` where nobody asked.
    pub version: Option<i64>,
}

impl Answered {
    /// The event of an account that was made, with the version of the form that was answered.
    #[must_use]
    pub fn told_by(&self, event: Event) -> Event {
        match self.version {
            Some(version) => event.with("form_version", version),
            None => event,
        }
    }
}

/// As answers are told: by JSON pointers into `metadata` (RFC 6901).
impl From<FormRefused> for Problem {
    fn from(FormRefused(faults): FormRefused) -> Self {
        let problem = Self::new(ProblemKind::InvalidBody);
        faults.into_iter().fold(problem, |problem, (name, fault)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            problem.field(&format!("/metadata/{name}"), fault.kind, fault.detail)
        })
    }
}

impl From<&FormConfig> for Form {
    fn from(config: &FormConfig) -> Self {
        Self {
            version: config.version,
            fields: config.fields.clone(),
        }
    }
}

fn fault(kind: &'static str, detail: impl Into<String>) -> Fault {
    Fault {
        kind,
        detail: detail.into(),
    }
}

fn wrong_type(wanted: &str) -> Fault {
    fault("wrong_type", format!("must be {wanted}"))
}

impl Form {
    /// The form for people who never saw it: it needs no answer and makes none up, but judges each
    /// that there is.
    #[must_use]
    pub fn unasked(&self) -> Self {
        let fields = self.fields.iter().map(|field| FormField {
            required: false,
            default: None,
            ..field.clone()
        });
        Self {
            version: self.version,
            fields: fields.collect(),
        }
    }

    /// What is kept of the answers of somebody new. A name that the form does not have is refused.
    pub fn answered(&self, answers: Metadata) -> Result<Metadata, FormRefused> {
        self.answered_beside(&Metadata::default(), answers)
    }

    /// What becomes of `before` where the answers replace those to this form. What the form does not
    /// ask for stays as it is: it may be repeated, and not changed.
    pub fn answered_beside(
        &self,
        before: &Metadata,
        answers: Metadata,
    ) -> Result<Metadata, FormRefused> {
        let (mut kept, mut faults) = (self.not_asked(before), Vec::new());
        let mut answers = answers.into_members();
        for field in &self.fields {
            let answer = answers.remove(field.name.as_str()).unwrap_or_default();
            match field.answer(&answer) {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    kept.insert(field.name.to_string(), answer);
                }
                Err(fault) => faults.push((field.name.to_string(), fault)),
            }
        }
        for (name, answer) in answers {
            if kept.get(&name) != Some(&answer) {
                let detail = "the app does not ask for this";
                faults.push((name, fault(ProblemKind::UnknownField.slug(), detail)));
            }
        }
        if !faults.is_empty() {
            return Err(FormRefused(faults));
        }
        // Nothing is in there that was not in what could be stored.
        Metadata::parse(kept).map_err(|refused| {
            let detail = fault("invalid_metadata", refused.to_string());
            FormRefused(vec![(String::new(), detail)])
        })
    }

    fn not_asked(&self, before: &Metadata) -> Map<String, Value> {
        let is_asked = |name: &str| self.fields.iter().any(|field| field.name.as_str() == name);
        let others = before.members().iter().filter(|(name, _)| !is_asked(name));
        others
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

impl FormField {
    /// What is kept of an answer, or of the default where there is none.
    fn answer(&self, answer: &Value) -> Result<Option<Value>, Fault> {
        match self.kept(answer)?.or_else(|| self.default.clone()) {
            None if self.required => Err(fault("required", "is missing")),
            kept => Ok(kept),
        }
    }

    /// The answer in its one spelling; `None` where it says nothing.
    pub(super) fn kept(&self, answer: &Value) -> Result<Option<Value>, Fault> {
        if answer.is_null() {
            return Ok(None);
        }
        match self.kind {
            FieldType::Number => self.number(answer).map(Some),
            FieldType::Checkbox => self.ticked(answer).map(Some),
            FieldType::Multiselect => self.several(answer),
            FieldType::Text
            | FieldType::Textarea
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::Date
            | FieldType::Select
            | FieldType::Radio => {
                let text = answer.as_str().ok_or_else(|| wrong_type("text"))?;
                // Pages send what was left empty as an empty text.
                if text.trim().is_empty() {
                    return Ok(None);
                }
                self.text(text).map(|text| Some(text.into()))
            }
        }
    }

    fn text(&self, text: &str) -> Result<String, Fault> {
        match self.kind {
            FieldType::Email => Email::parse(text)
                .map(|email| email.to_string())
                .map_err(|refused| fault("invalid_email", refused.to_string())),
            FieldType::Phone => Phone::parse(text)
                .map(|phone| phone.to_string())
                .map_err(|refused| fault("invalid_phone", refused.to_string())),
            FieldType::Url => web_address(text)
                .ok_or_else(|| fault("invalid_url", "not an http or https URL without password")),
            FieldType::Date => self.day(text),
            FieldType::Select | FieldType::Radio => self.option(text),
            FieldType::Textarea => {
                let text =
                    lines(text).map_err(|refused| fault("invalid_text", refused.to_string()));
                self.measured(text?)
            }
            FieldType::Text | FieldType::Number | FieldType::Checkbox | FieldType::Multiselect => {
                let text = line(text).map_err(|refused| fault("invalid_text", refused.to_string()));
                let text = self.measured(text?)?;
                self.formatted(text)
            }
        }
    }

    fn measured(&self, text: String) -> Result<String, Fault> {
        let characters = count(text.chars().count());
        if let Some(most) = self.most().filter(|most| characters > *most) {
            return Err(fault("too_long", format!("longer than {most} characters")));
        }
        match self.min.filter(|least| characters < *least) {
            Some(least) => Err(fault(
                "too_short",
                format!("shorter than {least} characters"),
            )),
            None => Ok(text),
        }
    }

    fn formatted(&self, text: String) -> Result<String, Fault> {
        let Some(format) = self.format else {
            return Ok(text);
        };
        if format.matches(&text) {
            return Ok(text);
        }
        Err(fault("invalid_format", format.described()))
    }

    fn day(&self, text: &str) -> Result<String, Fault> {
        let day = Day::parse(text).map_err(|refused| fault("invalid_date", refused.to_string()))?;
        if let Some(earliest) = self.earliest.as_ref().filter(|it| day < **it) {
            return Err(fault("too_early", format!("before {earliest}")));
        }
        if let Some(latest) = self.latest.as_ref().filter(|it| day > **it) {
            return Err(fault("too_late", format!("after {latest}")));
        }
        Ok(day.to_string())
    }

    fn option(&self, text: &str) -> Result<String, Fault> {
        let mut options = self.options.iter().flatten();
        let chosen = options.find(|option| option.value.as_str() == text);
        let chosen = chosen.ok_or_else(|| fault("not_an_option", "is none of the options"))?;
        Ok(chosen.value.to_string())
    }

    fn number(&self, answer: &Value) -> Result<Value, Fault> {
        let number = answer.as_f64().ok_or_else(|| wrong_type("a number"))?;
        if self.format == Some(TextFormat::Integer) && answer.as_i64().is_none() {
            return Err(fault("invalid_format", TextFormat::Integer.described()));
        }
        if let Some(least) = self.min.filter(|least| number < *least) {
            return Err(fault("too_small", format!("less than {least}")));
        }
        if let Some(most) = self.max.filter(|most| number > *most) {
            return Err(fault("too_large", format!("more than {most}")));
        }
        Ok(answer.clone())
    }

    fn ticked(&self, answer: &Value) -> Result<Value, Fault> {
        match answer.as_bool() {
            None => Err(wrong_type("true or false")),
            Some(false) if self.required => Err(fault("required", "must be agreed to")),
            Some(ticked) => Ok(ticked.into()),
        }
    }

    /// In the order of the options, whatever the order of the answer.
    fn several(&self, answer: &Value) -> Result<Option<Value>, Fault> {
        let items = answer.as_array().ok_or_else(|| wrong_type("a list"))?;
        let mut chosen = Vec::new();
        for item in items {
            let text = item.as_str().ok_or_else(|| wrong_type("a list of texts"))?;
            let value = self.option(text)?;
            if chosen.contains(&value) {
                return Err(fault("duplicate", "names an option twice"));
            }
            chosen.push(value);
        }
        if chosen.is_empty() {
            return Ok(None);
        }
        let many = count(chosen.len());
        if let Some(least) = self.min.filter(|least| many < *least) {
            return Err(fault("too_few", format!("fewer than {least}")));
        }
        if let Some(most) = self.max.filter(|most| many > *most) {
            return Err(fault("too_many", format!("more than {most}")));
        }
        let options = self.options.iter().flatten().map(|it| it.value.to_string());
        let kept: Vec<String> = options.filter(|it| chosen.contains(it)).collect();
        Ok(Some(kept.into()))
    }
}

impl TextFormat {
    fn matches(self, text: &str) -> bool {
        let all = |is: fn(char) -> bool| text.chars().all(is);
        match self {
            Self::Letters => all(|c| c.is_alphabetic() || " -'’.".contains(c)),
            Self::Digits => all(|c| c.is_ascii_digit()),
            Self::Alphanumeric => all(char::is_alphanumeric),
            Self::Slug => Slug::parse(text).is_ok_and(|slug| slug.as_str() == text),
            Self::Country => text.len() == 2 && all(|c| c.is_ascii_uppercase()),
            Self::Integer => false,
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Letters => "must be letters, spaces, hyphens, apostrophes and dots",
            Self::Digits => "must be digits",
            Self::Alphanumeric => "must be letters and digits",
            Self::Slug => {
                "must be 3 to 40 letters a-z, digits and hyphens, none of those at an end"
            }
            Self::Country => "must be two capital letters (ISO 3166-1), like DE",
            Self::Integer => "must be a whole number",
        }
    }
}

/// Sizes of what fits into a request.
fn count(many: usize) -> f64 {
    f64::from(u32::try_from(many).unwrap_or(u32::MAX))
}

/// An address of the web that a page may lead to.
fn web_address(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > URL_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_web && is_plain && url.as_str().len() <= URL_MAX).then(|| url.to_string())
}

#[cfg(test)]
mod tests;
