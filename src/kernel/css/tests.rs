//! What passes, in which spelling; what does not, on which line and why; and that nothing else does.

use super::{LONGEST, StyleSheet};

fn normal(text: &str) -> String {
    match StyleSheet::parse(text) {
        Ok(sheet) => sheet.0,
        Err(error) => panic!("{text}: {error}"),
    }
}

#[test]
fn presentation_passes_in_one_spelling() {
    for (text, written) in [
        ("a{color:red}", "a { color: red }"),
        (
            "/* ours */ .letter , A.big#x:hover>b   i {COLOR : #FFF ;; margin:0 auto;}",
            ".letter, A.big#x:hover > b i { color: #fff; margin: 0 auto }",
        ),
        (
            ".button { background-color: rgb(0 0 0 / 50%) ! important }",
            ".button { background-color: rgb(0 0 0 / 50%) !important }",
        ),
        (
            "p{font-family:Inter,\"Helvetica Neue\",-apple-system;font-weight:700;line-height:1.3333333}",
            "p { font-family: Inter, 'Helvetica Neue', -apple-system; font-weight: 700; line-height: 1.333 }",
        ),
        (
            "*{background:linear-gradient(90deg,rgba(1,2,3,.5) 0%,#FFF8 100%)}",
            "* { background: linear-gradient(90deg, rgba(1, 2, 3, 0.5) 0%, #fff8 100%) }",
        ),
        (
            "@MEDIA screen AND (max-width:600PX),print{a{color:red}b{color:blue}}",
            "@media screen and (max-width: 600px), print {\na { color: red }\nb { color: blue }\n}",
        ),
        (
            "@media (prefers-color-scheme:DARK){.letter{color:#eee}}a{}",
            "@media (prefers-color-scheme: dark) {\n.letter { color: #eee }\n}\na {  }",
        ),
        (
            "a{border:1px/**/solid/**/red}",
            "a { border: 1px solid red }",
        ),
        (
            "a{width:+12.50px;height:1e1px}",
            "a { width: 12.5px; height: 10px }",
        ),
        (
            "a{color:red}\r\n\tb{color:red}",
            "a { color: red }\nb { color: red }",
        ),
    ] {
        assert_eq!(normal(text), written);
        assert_eq!(normal(written), written);
    }
}

/// A sheet, the line that is told, and a part of the reason.
const ATTACKS: &[(&str, u32, &str)] = &[
    ("@import 'https://evil.example/x.css';", 1, "`@import`"),
    ("a{color:red}\n@import url(x);", 2, "`@import`"),
    ("@charset \"utf-7\"; a{color:red}", 1, "`@charset`"),
    ("@charset { a{color:red} }", 1, "`@charset`"),
    ("@font-face{font-family:x;src:url(x)}", 1, "`@font-face`"),
    ("@keyframes x{from{color:red}}", 1, "`@keyframes`"),
    ("@namespace svg url(x);", 1, "`@namespace`"),
    ("@supports (color:red){a{color:red}}", 1, "`@supports`"),
    ("@layer x{a{color:red}}", 1, "`@layer`"),
    ("@page{margin:0}", 1, "`@page`"),
    (
        "@container (min-width:1px){a{color:red}}",
        1,
        "`@container`",
    ),
    ("@property --x{syntax:'*'}", 1, "`@property`"),
    ("@media screen{@import 'x';}", 1, "`@import`"),
    ("@media screen{@media print{a{color:red}}}", 1, "`@media`"),
    ("@media x{a{color:red}}", 1, "`x`"),
    ("@media screen;a{color:red}", 1, "joined by `and`"),
    ("@media (width:url(x)){a{color:red}}", 1, "`width`"),
    (
        "@media (max-width:calc(1px)){a{color:red}}",
        1,
        "`max-width`",
    ),
    ("@media {a{color:red}}", 1, "condition of media"),
    ("@media screen", 1, "has no block"),
    ("a{@media screen{color:red}}", 1, "`@media`"),
    ("a{background:url(https://evil.example/?x)}", 1, "`url()`"),
    ("a{background:URL('https://evil.example/')}", 1, "`URL()`"),
    ("a{background:url (x)}", 1, "not allowed in a value"),
    ("a{background:src('x')}", 1, "`src()`"),
    ("a{background:image('x')}", 1, "`image()`"),
    ("a{background:image-set('x' 1x)}", 1, "`image-set()`"),
    (
        "a{background:-webkit-image-set('x' 1x)}",
        1,
        "`-webkit-image-set()`",
    ),
    ("a{background:cross-fade(url(x),red)}", 1, "`cross-fade()`"),
    ("a{background:element(#x)}", 1, "`element()`"),
    ("a{background:paint(x)}", 1, "`paint()`"),
    ("a{background:linear-gradient(url(x),red)}", 1, "`url()`"),
    ("a{width:expression(alert(1))}", 1, "`expression()`"),
    ("a{width:attr(href)}", 1, "`attr()`"),
    ("a{color:var(--x)}", 1, "`var()`"),
    ("a{width:env(x)}", 1, "`env()`"),
    ("a{width:calc(100% - 1px)}", 1, "`calc()`"),
    ("a{--x:red}", 1, "`--x`"),
    ("a{content:'You have won'}", 1, "`content`"),
    ("a{behavior:url(x)}", 1, "`behavior`"),
    ("a{-moz-binding:url(x)}", 1, "`-moz-binding`"),
    ("a{position:fixed}", 1, "`position`"),
    ("a{position:absolute}", 1, "`position`"),
    ("a{position:sticky}", 1, "`position`"),
    ("a{transform:scale(100)}", 1, "`transform`"),
    ("a{float:left}", 1, "`float`"),
    ("a{display:none}", 1, "`display`"),
    ("a{visibility:hidden}", 1, "`visibility`"),
    ("a{opacity:0}", 1, "`opacity`"),
    ("a{clip-path:circle(0)}", 1, "`clip-path`"),
    ("a{filter:blur(9px)}", 1, "`filter`"),
    ("a{cursor:url(x),auto}", 1, "`cursor`"),
    ("a{z-index:9}", 1, "`z-index`"),
    ("a{animation:x 1s}", 1, "`animation`"),
    ("a{list-style:url(x)}", 1, "`list-style`"),
    ("a{margin-top:-900px}", 1, "from 0 to"),
    ("a{width:1e9px}", 1, "from 0 to"),
    ("a{width:1frob}", 1, "from 0 to"),
    ("\\61{color:red}", 1, "escapes"),
    ("a{\\62 ackground:red}", 1, "escapes"),
    ("a{background:\\75rl(x)}", 1, "escapes"),
    ("@\\69mport 'x';", 1, "escapes"),
    ("a{color:red\\9}", 1, "escapes"),
    ("/* \\ */a{color:red}", 1, "escapes"),
    ("</style><script>alert(1)</script>", 1, "`<`"),
    ("a{color:red}\n\n/* </style> */", 3, "`<`"),
    ("<!-- a{color:red} -->", 1, "`<`"),
    ("--> a{color:red}", 1, "selector"),
    ("a{font-family:'</style>'}", 1, "`<`"),
    ("a{color:red", 1, "`}` is missing"),
    ("@media screen{a{color:red}", 1, "`}` is missing"),
    ("a{color:rgb(1,2,3}", 1, "`}` closes nothing"),
    ("a{color:red}}b{color:red}", 1, "`}` closes nothing"),
    ("a{color:red)}", 1, "`)` closes nothing"),
    ("a{font-family:'x}", 1, "string"),
    ("a{font-family:'x\n'}", 2, "string"),
    ("a{color:red}/* ", 1, "comment"),
    ("a{color:red}/*/", 1, "comment"),
    ("a{color:red}\0", 1, "do not show"),
    ("a{color:\u{1b}[31m}", 1, "do not show"),
    ("a{color:\u{c}red}", 1, "do not show"),
    ("\u{feff}a{color:red}", 1, "do not show"),
    ("input[value^=a]{color:red}", 1, "attributes"),
    ("a[href]{color:red}", 1, "attributes"),
    ("a:not([href]){color:red}", 1, "selector"),
    ("a:has(b){color:red}", 1, "`:`"),
    ("a::before{color:red}", 1, "`:`"),
    ("a::selection{color:red}", 1, "`:`"),
    (":root{color:red}", 1, "`:root`"),
    ("a:nth-child(2){color:red}", 1, "`:`"),
    ("svg|a{color:red}", 1, "selector"),
    ("a + b{color:red}", 1, "selector"),
    ("a ~ b{color:red}", 1, "selector"),
    ("a,{color:red}", 1, "missing"),
    ("> a{color:red}", 1, "selector"),
    ("a > {color:red}", 1, "missing"),
    ("a > > b{color:red}", 1, "selector"),
    ("a/**/b{color:red}", 1, "selector"),
    ("{color:red}", 1, "missing"),
    ("#1{color:red}", 1, "selector"),
    (".\u{fc}{color:red}", 1, "not a name"),
    ("a;b{color:red}", 1, "selector"),
    ("a", 1, "has no block"),
    ("a{b{color:red}}", 1, "`b`"),
    ("a{color red}", 1, "colon"),
    ("a{color:}", 1, "no value"),
    ("a{color:red!}", 1, "`!`"),
    ("a{color:red !important blue}", 1, "`!`"),
    ("a{color:!important}", 1, "`!`"),
    ("a{color:red !ie}", 1, "`!`"),
    ("a{color:#ggg}", 1, "value"),
    ("a{color:{}}", 1, "value"),
    ("a{color:[x]}", 1, "value"),
    ("a{color:(x)}", 1, "value"),
    ("a{color:red@import 'x'}", 1, "value"),
    (
        "a{filter:progid:DXImageTransform.Microsoft.Alpha()}",
        1,
        "`filter`",
    ),
    ("a{color:javascript:alert(1)}", 1, "value"),
    ("a{*color:red}", 1, "declarations"),
    ("", 1, "no rule"),
    (" /* nothing */ ", 1, "no rule"),
    ("a{color:red}\n\nb{\n  colour: red }", 4, "`colour`"),
];

#[test]
fn what_could_do_anything_else_is_refused_with_its_line_and_reason() {
    for (text, line, reason) in ATTACKS {
        let refusal = match StyleSheet::parse(text) {
            Ok(sheet) => panic!("{text:?} is taken, as {sheet:?}"),
            Err(refusal) => refusal.to_string(),
        };
        assert!(
            refusal.starts_with(&format!("line {line}: ")),
            "{text:?}: {refusal}"
        );
        assert!(refusal.contains(reason), "{text:?}: {refusal}");
    }
}

#[test]
fn a_sheet_is_bounded_as_it_comes_and_as_it_is_kept() {
    let rule = "a{color:red}";
    let full = rule.repeat(LONGEST / rule.len());
    let other = format!("{}{}", " ".repeat(LONGEST - rule.len()), rule);

    assert!(StyleSheet::parse(&other).is_ok());
    for long in [full, format!(" {other}")] {
        let refusal = StyleSheet::parse(&long).unwrap_err().to_string();
        assert!(refusal.contains("16 KiB"), "{refusal}");
    }
    let half = LONGEST / 2 - 8;
    for [open, close] in [["(", ")"], ["rgb(", ")"], ["{", "}"], ["[", "]"]] {
        let times = half / open.len();
        let deep = format!("a{{color:{}{}}}", open.repeat(times), close.repeat(times));
        assert!(StyleSheet::parse(&deep).is_err(), "{open}");
    }
}

#[test]
fn what_is_kept_is_read_by_the_same_rules() {
    let sheet: StyleSheet = serde_json::from_str("\"a{color:red}\"").unwrap();
    assert_eq!(
        serde_json::to_string(&sheet).unwrap(),
        "\"a { color: red }\""
    );
    assert!(serde_json::from_str::<StyleSheet>("\"a{color:url(x)}\"").is_err());
}
