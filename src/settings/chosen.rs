use std::collections::BTreeMap;

use super::key::{Ground, Key};
use super::level::Level;
use super::precedence::{Choice, decide};
use super::value::Value;
use crate::kernel::secret::SecretString;

/// All that is chosen for one place and above it.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    ground: Ground,
    choices: BTreeMap<(Key, Level), Choice<Value>>,
}

/// What counts, and who has decided it.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Absent where nothing is chosen, and the feature does without.
    pub value: Option<Value>,
    /// Absent where the default counts.
    pub level: Option<Level>,
    /// Whether nothing counts that is chosen below.
    pub enforced: bool,
}

impl Chosen {
    pub(super) fn new(ground: Ground) -> Self {
        Self {
            ground,
            choices: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, key: Key, level: Level, choice: Choice<Value>) {
        self.choices.insert((key, level), choice);
    }

    /// What is chosen at each level.
    pub fn at_each_level(&self, key: Key) -> impl Iterator<Item = (Level, &Choice<Value>)> {
        let of_key = self
            .choices
            .range((key, Level::Platform)..=(key, Level::Organization));
        of_key.map(|((_, level), choice)| (*level, choice))
    }

    /// What counts.
    pub fn decided(&self, key: Key) -> Decided {
        let choices = self.at_each_level(key);
        match decide(choices.map(|(level, choice)| (level, choice.clone()))) {
            Some((level, choice)) => Decided {
                value: Some(choice.value),
                level: Some(level),
                enforced: choice.enforced,
            },
            None => Decided {
                value: key.definition().default(self.ground),
                level: None,
                enforced: false,
            },
        }
    }

    /// The level above this one that enforces what it has chosen.
    pub fn enforced_above(&self, key: Key, level: Level) -> Option<Level> {
        let mut above = self.at_each_level(key).take_while(|(it, _)| *it < level);
        above.find(|(_, choice)| choice.enforced).map(|(it, _)| it)
    }

    /// Whether it is so; `false` where that is no flag.
    pub fn flag(&self, key: Key) -> bool {
        matches!(self.decided(key).value, Some(Value::Flag(true)))
    }

    /// How many it is; 0 where that is no number.
    pub fn number(&self, key: Key) -> u32 {
        match self.decided(key).value {
            Some(Value::Number(number)) => number,
            Some(Value::Flag(_) | Value::Text(_) | Value::Secret(_)) | None => 0,
        }
    }

    /// The text it is, of whatever kind.
    pub fn text(&self, key: Key) -> Option<String> {
        match self.decided(key).value {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Flag(_) | Value::Number(_) | Value::Secret(_)) | None => None,
        }
    }

    /// The secret it is.
    pub fn secret(&self, key: Key) -> Option<SecretString> {
        match self.decided(key).value {
            Some(Value::Secret(secret)) => Some(secret),
            Some(Value::Flag(_) | Value::Number(_) | Value::Text(_)) | None => None,
        }
    }
}
