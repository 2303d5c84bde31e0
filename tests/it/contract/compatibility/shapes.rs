//! Two schemas compared, as somebody sees them who sends such values, or who is told them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Changes, items, members};

/// Which way values go: what is sent may be taken more widely, what is told may be told more narrowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// Bounds, and whether more of one takes less.
const BOUNDS: [(&str, bool); 6] = [
    ("minimum", true),
    ("minLength", true),
    ("minItems", true),
    ("maximum", false),
    ("maxLength", false),
    ("maxItems", false),
];

/// A comparison of the schemas of two documents.
pub(super) struct Shapes<'a> {
    pub(super) before: &'a Value,
    pub(super) after: &'a Value,
    changes: &'a mut Changes,
    /// Pairs of components that are being compared: schemas may contain themselves.
    seen: BTreeSet<(String, String, Direction)>,
}

impl<'a> Shapes<'a> {
    pub(super) fn new(before: &'a Value, after: &'a Value, changes: &'a mut Changes) -> Self {
        Self {
            before,
            after,
            changes,
            seen: BTreeSet::new(),
        }
    }

    pub(super) fn breaks(&mut self, place: &str, what: &str) {
        self.changes.breaks.push(format!("{place} {what}"));
    }

    /// Compares what may be sent or told at a place.
    pub(super) fn compare(&mut self, place: &str, (old, new): (&Value, &Value), way: Direction) {
        let (old, new) = (arms(self.before, old), arms(self.after, new));
        self.types(place, (&old, &new), way);
        self.values(place, (&old, &new), way);
        // Arms that are objects are compared with those they have most members in common with.
        for arm in &old {
            let same_kind = new.iter().filter(|it| kinds(it) == kinds(arm));
            if let Some(now) = same_kind.max_by_key(|it| in_common(arm, it))
                && self.is_first(arm, now, way)
            {
                self.one(place, (arm.schema, now.schema), way);
            }
        }
    }

    /// Whether two components are not being compared already; what has no name is no component.
    fn is_first(&mut self, old: &Arm<'_>, new: &Arm<'_>, way: Direction) -> bool {
        let names = old.component.zip(new.component);
        names.is_none_or(|(one, other)| self.seen.insert((one.to_owned(), other.to_owned(), way)))
    }

    fn types(&mut self, place: &str, (old, new): (&[Arm<'_>], &[Arm<'_>]), way: Direction) {
        let of = |arms: &[Arm<'_>]| arms.iter().flat_map(kinds).collect::<BTreeSet<_>>();
        let (old, new) = (of(old), of(new));
        // A schema that says nothing of types takes all of them.
        let lost = match way {
            Direction::Request if new.is_empty() => BTreeSet::new(),
            Direction::Request => &old - &new,
            Direction::Answer if old.is_empty() => BTreeSet::new(),
            Direction::Answer => &new - &old,
        };
        for kind in lost {
            match way {
                Direction::Request => self.breaks(place, &format!("takes no {kind} any more")),
                Direction::Answer => self.breaks(place, &format!("may be {kind}")),
            }
        }
    }

    fn values(&mut self, place: &str, (old, new): (&[Arm<'_>], &[Arm<'_>]), way: Direction) {
        let of = |arms: &[Arm<'_>]| arms.iter().flat_map(values).collect::<BTreeSet<_>>();
        let is_listed = |arms: &[Arm<'_>]| arms.iter().any(|arm| arm.schema.get("enum").is_some());
        match way {
            Direction::Request if is_listed(new) => {
                for value in &of(old) - &of(new) {
                    self.breaks(place, &format!("takes no {value} any more"));
                }
                if !is_listed(old) {
                    self.breaks(place, "takes listed values only");
                }
            }
            Direction::Answer if is_listed(old) && is_listed(new) => {
                for value in &of(new) - &of(old) {
                    self.changes.notes.push(format!("{place} may be {value}"));
                }
            }
            Direction::Request | Direction::Answer => {}
        }
    }

    fn one(&mut self, place: &str, (old, new): (&Value, &Value), way: Direction) {
        self.bounds(place, (old, new), way);
        for rule in ["format", "pattern"] {
            let is_loosened = way == Direction::Request && new.get(rule).is_none();
            let is_added_to_answer = way == Direction::Answer && old.get(rule).is_none();
            if old.get(rule) != new.get(rule) && !is_loosened && !is_added_to_answer {
                self.breaks(place, &format!("has another {rule}"));
            }
        }
        if let (Some(one), Some(other)) = (old.get("items"), new.get("items")) {
            self.compare(&format!("{place}[]"), (one, other), way);
        }
        self.members(place, (old, new), way);
        match way {
            Direction::Request => self.asked(place, (old, new)),
            Direction::Answer => self.told(place, (old, new)),
        }
    }

    fn bounds(&mut self, place: &str, (old, new): (&Value, &Value), way: Direction) {
        for (bound, is_least) in BOUNDS {
            let (before, now) = (old[bound].as_f64(), new[bound].as_f64());
            let is_tighter = match (before, now) {
                (Some(before), Some(now)) if is_least => now > before,
                (Some(before), Some(now)) => now < before,
                (None, now) => now.is_some(),
                (Some(_), None) => false,
            };
            if is_tighter && way == Direction::Request {
                self.breaks(place, &format!("has another {bound}"));
            }
        }
    }

    fn members(&mut self, place: &str, (old, new): (&Value, &Value), way: Direction) {
        for (name, member) in members(&old["properties"]) {
            let here = format!("{place}.{name}");
            match (new["properties"].get(name), way) {
                (Some(now), _) => self.compare(&here, (member, now), way),
                (None, Direction::Request) => self.breaks(&here, "is not taken any more"),
                (None, Direction::Answer) => self.breaks(&here, "is not told any more"),
            }
        }
    }

    /// Members that are required now, and were not.
    fn asked(&mut self, place: &str, (old, new): (&Value, &Value)) {
        for name in required(new).difference(&required(old)) {
            self.breaks(&format!("{place}.{name}"), "is asked for");
        }
    }

    /// Members that were always there, and need not be now.
    fn told(&mut self, place: &str, (old, new): (&Value, &Value)) {
        for name in required(old).difference(&required(new)) {
            if new["properties"].get(name).is_some() {
                self.breaks(&format!("{place}.{name}"), "may be absent");
            }
        }
    }
}

/// A possibility of a value: a schema without references and alternatives, and its component.
struct Arm<'a> {
    component: Option<&'a str>,
    schema: &'a Value,
}

/// What a value may be.
fn arms<'a>(document: &'a Value, schema: &'a Value) -> Vec<Arm<'a>> {
    if let Some(component) = schema["$ref"].as_str() {
        let target = component
            .strip_prefix('#')
            .and_then(|it| document.pointer(it));
        let mut arms = target.map_or_else(Vec::new, |it| arms(document, it));
        for arm in &mut arms {
            arm.component = arm.component.or(Some(component));
        }
        return arms;
    }
    let alternatives = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    let Some(alternatives) = alternatives.and_then(Value::as_array) else {
        return vec![Arm {
            component: None,
            schema,
        }];
    };
    alternatives
        .iter()
        .flat_map(|it| arms(document, it))
        .collect()
}

/// The types of a schema.
fn kinds(arm: &Arm<'_>) -> BTreeSet<String> {
    let kinds = &arm.schema["type"];
    let all = kinds
        .as_str()
        .into_iter()
        .chain(items(kinds).filter_map(Value::as_str));
    all.map(str::to_owned).collect()
}

fn values(arm: &Arm<'_>) -> Vec<String> {
    items(&arm.schema["enum"]).map(Value::to_string).collect()
}

fn required(schema: &Value) -> BTreeSet<String> {
    items(&schema["required"])
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn in_common(one: &Arm<'_>, other: &Arm<'_>) -> usize {
    let (one, other) = (&one.schema["properties"], &other.schema["properties"]);
    members(one)
        .filter(|(name, _)| other.get(name).is_some())
        .count()
}
