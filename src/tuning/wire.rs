//! What clients send and get of settings.

use serde::Serialize;
use serde_json::Value as Json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::service::Wish;
use crate::http::{Fields, FromFields, Problem, ProblemKind};
use crate::settings::{Chosen, Definition, Key, Kind, Level};

/// A value as it is on the wire: true or false, a whole number, or text.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct WireValue(Json);

impl PartialSchema for WireValue {
    fn schema() -> RefOr<Schema> {
        let of = |kind: Type| ObjectBuilder::new().schema_type(kind);
        OneOfBuilder::new()
            .item(of(Type::Boolean))
            .item(of(Type::Integer))
            .item(of(Type::String))
            .into()
    }
}

impl ToSchema for WireValue {
    fn name() -> std::borrow::Cow<'static, str> {
        "SettingValue".into()
    }
}

/// A setting: what it is, what counts, and who has decided it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Setting)]
pub(super) struct SettingView {
    key: Key,
    help: &'static str,
    /// `boolean`, `integer`, `text`, `choice`, `url` or `secret`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where it may be chosen, the most general first.
    levels: &'static [Level],
    /// Of a number, the least; of a secret, the fewest characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    minimum: Option<usize>,
    /// Of a number, the most; of text, the most characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    maximum: Option<usize>,
    /// The words to choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    options: Option<&'static [&'static str]>,
    /// What counts. Absent where that is nothing, and for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    value: Option<WireValue>,
    /// Whether there is a value, also where it is a secret.
    is_set: bool,
    /// Whose choice counts. Absent where the default does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decided_by: Option<Level>,
    /// Whether nothing counts that is chosen below.
    enforced: bool,
    /// What is chosen at each level that the caller may know of.
    chosen: Vec<ChoiceView>,
}

/// What is chosen at one level.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingChoice)]
struct ChoiceView {
    level: Level,
    /// Absent for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    value: Option<WireValue>,
    enforced: bool,
}

/// Every setting.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SettingList {
    settings: Vec<SettingView>,
}

impl SettingView {
    /// A setting with the choices at `known` levels.
    pub(super) fn of(chosen: &Chosen, key: Key, known: &[Level]) -> Self {
        let (row, decided) = (key.definition(), chosen.decided(key));
        let (minimum, maximum) = bounds(&row);
        let all = chosen.at_each_level(key);
        let all = all.filter(|(level, _)| known.contains(level));
        Self {
            key,
            help: row.help,
            kind: row.kind.name(),
            levels: row.levels,
            minimum,
            maximum,
            options: match row.kind {
                Kind::Choice(words) => Some(words),
                Kind::Flag | Kind::Number(..) | Kind::Text(_) | Kind::Url | Kind::Secret(..) => {
                    None
                }
            },
            is_set: decided.value.is_some(),
            value: decided.value.and_then(|it| it.shown()).map(WireValue),
            decided_by: decided.level,
            enforced: decided.enforced,
            chosen: all
                .map(|(level, choice)| ChoiceView {
                    level,
                    value: choice.value.shown().map(WireValue),
                    enforced: choice.enforced,
                })
                .collect(),
        }
    }
}

impl SettingList {
    /// Those that can be chosen at one of the `known` levels.
    pub(super) fn of(chosen: &Chosen, known: &[Level]) -> Self {
        let is_known = |key: &&Key| {
            let levels = key.definition().levels;
            levels.iter().any(|level| known.contains(level))
        };
        let keys = Key::ALL.iter().filter(is_known);
        Self {
            settings: keys
                .map(|key| SettingView::of(chosen, *key, known))
                .collect(),
        }
    }
}

fn bounds(row: &Definition) -> (Option<usize>, Option<usize>) {
    match row.kind {
        Kind::Number(least, most) => (usize::try_from(least).ok(), usize::try_from(most).ok()),
        Kind::Secret(least, most) => (Some(least), Some(most)),
        Kind::Text(most) => (None, Some(most)),
        Kind::Flag | Kind::Choice(_) | Kind::Url => (None, None),
    }
}

/// A choice to make.
#[derive(Debug, ToSchema)]
pub(super) struct NewChoice {
    /// Of the type that the setting has, and within its bounds.
    #[schema(value_type = WireValue)]
    value: Json,
    /// Whether nothing is to count that is chosen below. Absent: as before.
    #[schema(nullable = false)]
    enforced: Option<bool>,
}

impl FromFields for NewChoice {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let value = fields.json("value");
        let enforced = fields.flag("enforced");
        Some(Self {
            value: value?,
            enforced: enforced?,
        })
    }
}

impl NewChoice {
    /// The wish for this setting, whose bounds it must keep to.
    pub(super) fn of(self, key: Key) -> Result<Wish, Problem> {
        let value = key.definition().kind.parse(&self.value);
        let value = value.map_err(|unfit| {
            Problem::new(ProblemKind::InvalidBody).field(
                "/value",
                "invalid_value",
                unfit.to_string(),
            )
        })?;
        Ok(Wish {
            key,
            value,
            enforced: self.enforced,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewChoice>();
    }
}
