//! Bodies: JSON as it is read here, beside JSON as `serde_json` reads it.

use proptest::collection::vec;
use proptest::prelude::any;
use serde_json::{Map, Value, json};

use super::super::fields::{self, Fields, FromFields, Source};
use super::super::problems::ProblemKind;
use super::super::{json as strict, ndjson, repeatable};
use crate::kernel::fuzz::{always, any_json, blobs, texts};
use crate::kernel::lines::LONGEST_LINE;
use crate::kernel::text::Email;

const BODIES: [&str; 15] = [
    r#"{"email":"mia@example.org","password":"hunter2-hunter2","tags":["a","b"],"size":5}"#,
    r#"{"a":{"b":[{"c":null},true,-0.5e-3,1E400]}}"#,
    r#"{"m":-1e+73,"n":1.8446744073709552e+23,"o":-0.0}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":1,"\u0061":2}"#,
    r#"{"a":"\ud83d\ude00","b":"\ud800","c":"\u0000"}"#,
    "{\"a\":\"\0\"}",
    "\u{feff}{}",
    r#"{"n":18446744073709551616,"m":-9223372036854775809,"o":-0}"#,
    r#"{"":{"":{"":{}}}}"#,
    r#"{"__proto__":{"$where":"1"},"a.b":1}"#,
    "[{}]",
    "{}{}",
    "{\"a\":1,}",
    r#"{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"#,
];

/// Members of all objects within.
fn members(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Colons that stand in no text, and how deep brackets go there.
fn counted(text: &[u8]) -> (usize, usize) {
    let (mut colons, mut depth, mut deepest, mut in_text, mut is_escaped) =
        (0, 0_usize, 0, false, false);
    for byte in text {
        match (in_text, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b':') => colons += 1,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    (colons, deepest)
}

/// Taken is what another parser takes as the same object, if no name is lost in it and it is not too
/// deep; and nothing of a body is in its refusal.
#[test]
fn a_body_is_what_every_parser_sees_in_it() {
    always(blobs(BODIES), |bytes| {
        let lenient: Option<Value> = serde_json::from_slice(&bytes).ok();
        let (colons, deepest) = counted(&bytes);
        match strict::object(&bytes) {
            Ok(object) => {
                let object = Value::Object(object);
                assert_eq!(lenient.as_ref(), Some(&object));
                assert_eq!(members(&object), colons, "no name is there twice");
                assert!(deepest <= 32, "{deepest}");
            }
            Err(problem) => {
                let is_object = lenient.as_ref().is_some_and(Value::is_object);
                let is_whole = lenient.is_some_and(|it| members(&it) == colons);
                assert!(!is_object || !is_whole || deepest > 32);
                let told = format!("{problem:?}");
                assert!(
                    !told.contains("hunter2") && !told.contains("mia@"),
                    "{told}"
                );
            }
        }
    });
}

/// Deeper than stacks are, wider than tables, longer than numbers.
#[test]
fn a_body_of_any_shape_is_answered() {
    let size = proptest::prop_oneof![1..40_usize, 1..3_000_usize];
    let shape = (0..4_u8, size, any::<bool>());
    always(shape, |(kind, size, closed)| {
        let text = match kind {
            0 => format!("{{\"a\":{}{}", "[".repeat(size), "]".repeat(size)),
            1 => format!("{}1{}", "{\"a\":".repeat(size), "}".repeat(size - 1)),
            2 => format!("{{\"a\":{}", "9".repeat(size)),
            _ => format!("{{\"a\":\"{}\"", "\\u00e9".repeat(size)),
        };
        let text = if closed { text + "}" } else { text };
        let is_taken = strict::object(text.as_bytes()).is_ok();
        let is_shallow = match kind {
            0 => size <= 31,
            1 => size <= 32,
            _ => true,
        };
        let may_be = closed && is_shallow;
        // So long a number is beyond what a number holds.
        assert!(
            is_taken == may_be || (kind == 2 && size > 300 && !is_taken),
            "{kind} {size}"
        );
    });
}

/// What a body of every kind of field is read as.
#[derive(Debug, PartialEq)]
struct Sample {
    email: Email,
    tags: Option<Vec<Email>>,
    size: Option<u32>,
    flag: Option<bool>,
}

impl FromFields for Sample {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", Email::parse);
        let tags = fields.optional_list("tags", Email::parse);
        let size = fields.number("size", 1..=9);
        let flag = fields.flag("flag");
        Some(Self {
            email: email?,
            tags: tags?,
            size: size?,
            flag: flag?,
        })
    }
}

const NAMES: [&str; 4] = ["email", "tags", "size", "flag"];

/// Nobody's field is passed over, and every fault is pointed at where it is (RFC 6901).
#[test]
fn every_field_is_known_and_every_fault_is_where_it_is_told() {
    let name = texts([NAMES.as_slice(), &["role", "a/b", "~", ""]].concat());
    let good =
        json!({"email": "mia@example.org", "size": 5, "flag": true, "tags": ["a@b.example"]});
    let value = proptest::prop_oneof![
        any_json(),
        proptest::sample::select(vec![
            json!(null),
            json!(7),
            json!(5.0),
            json!(true),
            json!([7])
        ]),
    ];
    always(vec((name, value), 0..4), |changes| {
        let Value::Object(mut members) = good.clone() else {
            return;
        };
        members.extend(changes);
        let body = Value::Object(members.clone());
        match fields::read::<Sample>(members.clone(), Source::Body, None) {
            Ok(sample) => {
                assert!(members.keys().all(|name| NAMES.contains(&name.as_str())));
                let said = members["email"].as_str().unwrap_or_default();
                assert_eq!(Email::parse(said).as_ref(), Ok(&sample.email));
                assert_eq!(sample.size.map(f64::from), members["size"].as_f64());
                assert_eq!(sample.flag, members["flag"].as_bool());
            }
            Err(problem) => {
                assert!(!problem.errors().is_empty());
                for error in problem.errors() {
                    let pointer = error.pointer.as_deref().expect("a pointer");
                    let is_missing = error.kind == "required" && pointer == "/email";
                    assert!(body.pointer(pointer).is_some() || is_missing, "{pointer}");
                }
            }
        }
    });
}

#[test]
fn a_line_is_read_as_a_body_is() {
    always(blobs(BODIES), |line| {
        let as_line = ndjson::read_line::<Sample>(&line);
        let as_body =
            strict::object(&line).and_then(|it| fields::read::<Sample>(it, Source::Body, None));
        assert_eq!(as_line.as_ref().ok(), as_body.as_ref().ok());
        let mut long = line;
        long.resize(LONGEST_LINE + 1, b' ');
        let refused = ndjson::read_line::<Sample>(&long).map_err(|problem| problem.kind());
        assert_eq!(refused.err(), Some(ProblemKind::BodyTooLarge));
    });
}

/// An object with its members in the other order, all the way down.
fn turned(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}: {}", json!(name), turned(value));
            let all: Vec<_> = object.iter().rev().map(member).collect();
            format!("{{ {} }}", all.join(" ,"))
        }
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(turned).collect::<Vec<_>>().join(", ")
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Two bodies are the same request where they say the same, and only there.
#[test]
fn a_request_is_known_again_by_what_it_says() {
    let body = || vec((texts(["a", "b", "amount"]), any_json()), 0..4);
    always((body(), body()), |(one, other)| {
        let object =
            |all: Vec<(String, Value)>| Value::Object(all.into_iter().collect::<Map<_, _>>());
        let (one, other) = (object(one), object(other));
        let said = |text: &str| repeatable::canonical(text.as_bytes());
        assert_eq!(said(&one.to_string()), said(&turned(&one)));
        let again: Value = serde_json::from_str(&one.to_string()).expect("JSON");
        let beside: Value = serde_json::from_str(&other.to_string()).expect("JSON");
        assert_eq!(
            said(&one.to_string()) == said(&other.to_string()),
            again == beside
        );
    });
    always(blobs(BODIES), |bytes| {
        let once = repeatable::canonical(&bytes);
        assert_eq!(repeatable::canonical(&once), once);
    });
}
