//! Style sheets of apps, which end up in pages and letters: see [`crate::kernel::fuzz`].

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::select;

use super::{LONGEST, StyleSheet};
use crate::kernel::fuzz::{always, texts};

/// Pieces of sheets, good and bad.
const PIECES: &[&str] = &[
    "a",
    "b",
    ".c",
    "#d",
    "*",
    ":hover",
    "::",
    ":",
    " ",
    "\n",
    ">",
    ",",
    "{",
    "}",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ";",
    "color:",
    "margin:",
    "font-family:",
    "background:",
    "--x:",
    "red",
    "#fff",
    "0",
    "1.5px",
    "-1px",
    "33.333%",
    "1e3",
    "3999.9995em",
    "'x y'",
    "\"",
    "'",
    "url(",
    "rgb(1,2,3)",
    "linear-gradient(",
    "var(--x)",
    "!important",
    "!",
    "/",
    "/*",
    "*/",
    "/**/",
    "@media ",
    "@media screen",
    "(max-width:600px)",
    " and ",
    "@import 'x';",
    "<",
    "</style>",
    "\\",
    "\\75rl(",
    "-->",
    "-",
    "--",
    "e",
    "ü",
    "\u{0}",
    "\u{feff}",
];

/// Rules that mostly pass, so that the law below is about something.
fn likely() -> impl Strategy<Value = String> {
    let selector = select(vec![
        "a",
        ".b,c",
        "a > b",
        "*",
        "#x:hover",
        "a  b",
        "@media print{p",
    ]);
    let values = vec![
        "red",
        "#FFF",
        "0",
        "1.2345px",
        "12.34567%",
        "'x'",
        ",",
        "/",
        "rgb(1,2,3)",
    ];
    let property = select(vec![
        "color",
        "margin",
        "font-family",
        "BORDER",
        "background",
    ]);
    let number = (0.0_f32..4_500.0).prop_map(|it| format!("{it}px"));
    let value = vec(
        select(values)
            .prop_map(str::to_owned)
            .boxed()
            .prop_union(number.boxed()),
        1..4,
    );
    let gap = select(vec![" ", "/**/", "\n"]);
    let declaration =
        (property, value, gap, any::<bool>()).prop_map(|(name, value, gap, is_important)| {
            let important = if is_important { "!important" } else { "" };
            format!("{name}:{}{important}", value.join(gap))
        });
    let rule = (selector, vec(declaration, 0..4)).prop_map(|(selector, declarations)| {
        let close = "}".repeat(selector.matches('{').count());
        format!("{selector}{{{}}}{close}", declarations.join(";"))
    });
    vec(rule, 1..5).prop_map(|rules| rules.join("\n"))
}

/// Whatever is taken is harmless, and is taken again as it is.
fn holds(text: &str) {
    let Ok(sheet) = StyleSheet::parse(text) else {
        return;
    };
    let normal = sheet.as_str();
    assert_eq!(StyleSheet::parse(normal).as_ref(), Ok(&sheet), "{text:?}");
    assert!(normal.len() <= LONGEST);
    assert!(!normal.contains(['<', '\\', '\0', '[', '"']), "{normal}");
    let lower = normal.to_ascii_lowercase().replace("@media ", "");
    for word in [
        "@",
        "url(",
        "/*",
        "*/",
        "-->",
        "var(",
        "expression",
        "import",
    ] {
        assert!(
            !lower.replace("!important", "").contains(word),
            "{word} in {normal}"
        );
    }
    assert_eq!(normal.matches('{').count(), normal.matches('}').count());
}

#[test]
fn whatever_is_taken_is_harmless_and_taken_again_unchanged() {
    always(vec(select(PIECES), 0..24), |pieces| holds(&pieces.concat()));
}

#[test]
fn so_is_any_text_that_resembles_a_sheet() {
    let seeds = [
        ".card { color: #1a73e8; background: white }",
        "@media (max-width: 600px) { .card > a:hover { margin: 0 auto !important } }",
        "a{b:c}/* x */.x::before{content:\"\\201C\"}",
        "</style><script>",
        "@import url(//evil);",
        "x{background:u\\72l(//evil)}",
    ];
    always(texts(seeds), |text| holds(&text));
}

#[test]
fn so_are_rules_that_mostly_pass() {
    always(likely(), |text| holds(&text));
}
