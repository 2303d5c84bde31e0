use serde_json::json;

use super::*;

/// A field as it is read from a request, with what the test says of it.
fn field(more: &Value) -> FormField {
    let mut field = json!({"name": "it", "type": "text", "label": "It"});
    for (name, value) in more.as_object().unwrap() {
        field[name] = value.clone();
    }
    serde_json::from_value(field).unwrap()
}

/// What is kept of an answer, or what its fault is called.
fn told(field: &FormField, answer: &Value) -> Value {
    match field.answer(answer) {
        Ok(kept) => kept.unwrap_or_default(),
        Err(fault) => fault.kind.into(),
    }
}

fn options() -> Value {
    json!([{"value": "red"}, {"value": "green", "label": "Green"}, {"value": "blue"}])
}

fn assert_told(table: &[(Value, Value, Value)]) {
    for (what, answer, wanted) in table {
        assert_eq!(told(&field(what), answer), *wanted, "{what} {answer}");
    }
}

#[test]
#[rustfmt::skip]
fn texts_are_kept_in_one_spelling_or_refused() {
    let long = "x".repeat(256);
    assert_told(&[
        (json!({}), json!("  Zoe\u{308} "), json!("Zoë")),
        (json!({}), json!("a\nb"), json!("invalid_text")),
        (json!({}), json!("a\u{202e}b"), json!("invalid_text")),
        (json!({}), json!(long), json!("too_long")),
        (json!({"max": 300.0}), json!(long), json!(long)),
        (json!({"max": 3.0}), json!("äöüß"), json!("too_long")),
        (json!({"min": 3.0}), json!("ab"), json!("too_short")),
        (json!({}), json!(7), json!("wrong_type")),
        (json!({}), json!(["a"]), json!("wrong_type")),
        (json!({"format": "digits"}), json!("0123"), json!("0123")),
        (json!({"format": "digits"}), json!("٣"), json!("invalid_format")),
        (json!({"format": "letters"}), json!("Zoë O'Brien-K."), json!("Zoë O'Brien-K.")),
        (json!({"format": "letters"}), json!("R2"), json!("invalid_format")),
        (json!({"format": "alphanumeric"}), json!("R2ä"), json!("R2ä")),
        (json!({"format": "slug"}), json!("Acme"), json!("invalid_format")),
        (json!({"format": "country"}), json!("DE"), json!("DE")),
        (json!({"format": "country"}), json!("de"), json!("invalid_format")),
        (json!({"type": "textarea"}), json!(" a\r\nb\t "), json!("a\nb")),
        (json!({"type": "textarea"}), json!("a\0"), json!("invalid_text")),
        (json!({"type": "email"}), json!(" Mia@EXAMPLE.org"), json!("mia@example.org")),
        (json!({"type": "email"}), json!("mia"), json!("invalid_email")),
        (json!({"type": "phone"}), json!("+49 (170) 123-4567"), json!("+491701234567")),
        (json!({"type": "phone"}), json!("0170"), json!("invalid_phone")),
        (json!({"type": "url"}), json!("HTTPS://Example.org"), json!("https://example.org/")),
        (json!({"type": "url"}), json!("javascript:alert(1)"), json!("invalid_url")),
        (json!({"type": "url"}), json!("https://u:p@x.io/"), json!("invalid_url")),
        (json!({"type": "url"}), json!("//x.io"), json!("invalid_url")),
    ]);
}

#[test]
#[rustfmt::skip]
fn numbers_days_and_choices_are_kept_or_refused() {
    assert_told(&[
        (json!({"type": "number"}), json!(2.5), json!(2.5)),
        (json!({"type": "number"}), json!("2"), json!("wrong_type")),
        (json!({"type": "number", "format": "integer"}), json!(2.5), json!("invalid_format")),
        (json!({"type": "number", "min": 0.0, "max": 9.0}), json!(0), json!(0)),
        (json!({"type": "number", "min": 0.0, "max": 9.0}), json!(9), json!(9)),
        (json!({"type": "number", "min": 0.0}), json!(-0.1), json!("too_small")),
        (json!({"type": "number", "max": 9.0}), json!(10), json!("too_large")),
        (json!({"type": "date"}), json!("2024-02-29"), json!("2024-02-29")),
        (json!({"type": "date"}), json!("2023-02-29"), json!("invalid_date")),
        (json!({"type": "date", "earliest": "2000-01-02"}), json!("2000-01-01"), json!("too_early")),
        (json!({"type": "date", "latest": "2000-01-02"}), json!("2000-01-03"), json!("too_late")),
        (json!({"type": "checkbox"}), json!(false), json!(false)),
        (json!({"type": "checkbox"}), json!("on"), json!("wrong_type")),
        (json!({"type": "checkbox", "required": true}), json!(false), json!("required")),
        (json!({"type": "checkbox", "required": true}), json!(true), json!(true)),
        (json!({"type": "select", "options": options()}), json!("green"), json!("green")),
        (json!({"type": "select", "options": options()}), json!("Green"), json!("not_an_option")),
        (json!({"type": "radio", "options": options()}), json!("pink"), json!("not_an_option")),
    ]);
}

#[test]
fn several_options_are_kept_in_their_order_each_once() {
    let several = |more: Value| {
        let mut what = json!({"type": "multiselect", "options": options()});
        for (name, value) in more.as_object().unwrap() {
            what[name] = value.clone();
        }
        field(&what)
    };
    let table = [
        (json!({}), json!(["blue", "red"]), json!(["red", "blue"])),
        (json!({}), json!(["blue", "blue"]), json!("duplicate")),
        (json!({}), json!(["pink"]), json!("not_an_option")),
        (json!({}), json!("red"), json!("wrong_type")),
        (json!({}), json!([1]), json!("wrong_type")),
        (json!({}), json!([]), Value::Null),
        (json!({"required": true}), json!([]), json!("required")),
        (json!({"min": 2.0}), json!(["red"]), json!("too_few")),
        (
            json!({"max": 1.0}),
            json!(["red", "blue"]),
            json!("too_many"),
        ),
    ];
    for (more, answer, wanted) in table {
        assert_eq!(
            told(&several(more.clone()), &answer),
            wanted,
            "{more} {answer}"
        );
    }
}

#[test]
fn what_says_nothing_is_no_answer() {
    let (asked, needed) = (field(&json!({})), field(&json!({"required": true})));
    for nothing in [json!(null), json!(""), json!(" \u{3000} ")] {
        assert_eq!(told(&asked, &nothing), Value::Null);
        assert_eq!(told(&needed, &nothing), "required");
    }
    let usual = field(&json!({"required": true, "default": "red"}));
    assert_eq!(told(&usual, &json!("")), "red");
    assert_eq!(told(&usual, &json!("blue")), "blue");
}

fn map(value: &Value) -> Metadata {
    Metadata::parse(value.as_object().unwrap().clone()).unwrap()
}

#[test]
fn what_others_have_left_is_repeated_or_left_out_and_never_changed() {
    let form = Form {
        version: 1,
        fields: vec![field(&json!({}))],
    };
    let before = map(&json!({"it": "old", "plan": "pro", "seats": {"most": 5}}));

    let after = |answers: Value| form.answered_beside(&before, map(&answers));

    let kept = map(&json!({"it": "new", "plan": "pro", "seats": {"most": 5}}));
    assert_eq!(after(json!({"it": "new"})), Ok(kept.clone()));
    assert_eq!(
        after(json!({"it": "new", "plan": "pro", "seats": {"most": 5}})),
        Ok(kept)
    );
    let without = map(&json!({"plan": "pro", "seats": {"most": 5}}));
    assert_eq!(after(json!({})), Ok(without));
    for bad in [
        json!({"plan": "max"}),
        json!({"seats": {"most": 6}}),
        json!({"other": 1}),
    ] {
        let Err(FormRefused(faults)) = after(bad) else {
            panic!("it is kept")
        };
        assert_eq!(faults[0].1.kind, "unknown_field");
    }
    assert!(form.answered(map(&json!({"plan": "pro"}))).is_err());
}
