//! Strict JSON: one object, no name twice anywhere, at most 32 levels deep.
//!
//! `serde_json` keeps the last of two equal names; a proxy or an audit that keeps the first would
//! see another request than we do (RFC 8259 §4), so a repeated name is an error here.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::problem::Problem;
use super::problems::ProblemKind;

const DEPTH_MAX: usize = 32;

/// Parses the bytes of a body, which must be one JSON object.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let repeated = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let root = Node {
        pointer: &Pointer::Root,
        depth: 0,
        repeated: &repeated,
    };
    let value = root
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    match (value, repeated.into_inner()) {
        (Ok(Value::Object(members)), _) => Ok(members),
        (Ok(_), _) => Err(malformed("the body must be one JSON object")),
        (Err(_), Some(pointer)) => Err(duplicate(&pointer)),
        (Err(error), None) => Err(malformed(&place(&error))),
    }
}

fn malformed(detail: &str) -> Problem {
    Problem::new(ProblemKind::MalformedJson).detail(detail)
}

fn duplicate(pointer: &str) -> Problem {
    let kind = ProblemKind::DuplicateField;
    Problem::new(kind).field(pointer, kind.slug(), "is there twice")
}

/// Where, but not what: the parser's message may quote a secret.
fn place(error: &serde_json::Error) -> String {
    if error.is_data() {
        return format!("the body nests deeper than {DEPTH_MAX} levels");
    }
    format!(
        "not JSON at line {}, column {}",
        error.line(),
        error.column()
    )
}

/// A JSON pointer as a chain of stack frames; it becomes text only when there is an error to tell.
enum Pointer<'a> {
    Root,
    Name(&'a Pointer<'a>, &'a str),
    Index(&'a Pointer<'a>, usize),
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Name(parent, name) => write!(f, "{parent}/{}", escaped(name)),
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// RFC 6901 §3.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

struct Node<'a> {
    pointer: &'a Pointer<'a>,
    depth: usize,
    repeated: &'a RefCell<Option<String>>,
}

impl Node<'_> {
    /// The same place one level down, unless that is one level too many.
    fn deeper<E: Error>(mut self) -> Result<Self, E> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            Err(E::custom("too deep"))
        } else {
            Ok(self)
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let pointer = Pointer::Index(self.pointer, values.len());
            let child = Node {
                pointer: &pointer,
                depth: self.depth,
                repeated: self.repeated,
            };
            match items.next_element_seed(child.deeper()?)? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let pointer = Pointer::Name(self.pointer, &name);
            if object.contains_key(&name) {
                self.repeated.replace(Some(pointer.to_string()));
                return Err(A::Error::custom("a name twice"));
            }
            let child = Node {
                pointer: &pointer,
                depth: self.depth,
                repeated: self.repeated,
            };
            let value = members.next_value_seed(child.deeper()?)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> (ProblemKind, String) {
        let problem = object(text.as_bytes()).unwrap_err();
        (problem.kind(), format!("{problem:?}"))
    }

    #[test]
    fn an_object_is_read_as_it_stands() {
        let members = object(br#"{"a":[1,-2,0.5,null,true],"b":{"c":"\u00fc"}}"#).unwrap();

        let expected = serde_json::json!({"a": [1, -2, 0.5, null, true], "b": {"c": "ü"}});
        assert_eq!(Value::Object(members), expected);
    }

    #[test]
    fn a_repeated_name_is_told_by_its_pointer() {
        let table = [
            (r#"{"a":1,"a":1}"#, "/a"),
            (r#"{"a":1,"\u0061":2}"#, "/a"),
            (r#"{"x":[0,{"a/b":{"~":1,"~":2}}]}"#, "/x/1/a~1b/~0"),
        ];
        for (text, pointer) in table {
            let (kind, debug) = refusal(text);
            assert_eq!(kind, ProblemKind::DuplicateField, "{text}");
            assert!(debug.contains(&format!("Some({pointer:?})")), "{debug}");
        }
    }

    #[test]
    fn what_is_not_one_object_is_malformed() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let deep = format!(r#"{{"a":{}}}"#, nested(10_000));
        let table = [
            "",
            "null",
            "[]",
            "\"x\"",
            "{",
            "{\"a\":1,}",
            "{\"a\":NaN}",
            "{}{}",
            "{}x",
            "\u{feff}{}",
            r#"{"a":"\ud800"}"#,
            "{\"a\":1e400}",
            &deep,
        ];
        for text in table {
            assert_eq!(refusal(text).0, ProblemKind::MalformedJson, "{text:.40}");
        }
        assert!(object(format!(r#"{{"a":{}}}"#, nested(31)).as_bytes()).is_ok());
        assert!(object(format!(r#"{{"a":{}}}"#, nested(32)).as_bytes()).is_err());
        assert!(object(&[b'{', b'"', 0xff, b'"', b':', b'1', b'}']).is_err());
    }

    #[test]
    fn a_refusal_does_not_quote_the_body() {
        assert!(!refusal(r#"{"password":"hunter2"x}"#).1.contains("hunter2"));
    }
}
