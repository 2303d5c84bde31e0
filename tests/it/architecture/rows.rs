//! Tables of the product (problems, events, permissions, settings): every row is used.
//!
//! Tests use nothing, nor do attributes: what only the document mentions is answered by nobody.

use super::lexer::Token;
use super::rules::Breach;
use super::sources::{Source, of_the_product};

/// A row of a table, by the name the code uses.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub names: Vec<String>,
    pub line: usize,
}

/// Rows of `table` that no use makes real; `elsewhere` says which files can use them.
pub fn unused(
    sources: &[Source],
    table: &str,
    read: fn(&[Token]) -> Vec<Row>,
    is_use: fn(&[Token], &str) -> bool,
    elsewhere: impl Fn(&Source) -> bool,
) -> Vec<Breach> {
    let home = sources
        .iter()
        .find(|source| source.place == table)
        .expect("the table is there");
    let users = of_the_product(sources)
        .into_iter()
        .filter(|source| elsewhere(source));
    let users: Vec<Vec<Token>> = users.map(Source::product).collect();
    let is_used = |name: &String| {
        users
            .iter()
            .any(|tokens| (0..tokens.len()).any(|at| is_use(&tokens[at..], name)))
    };
    let rows = read(home.tokens());
    assert!(!rows.is_empty(), "no row is found in src/{table}");
    let idle = rows
        .into_iter()
        .filter(|row| !row.names.iter().any(is_used));
    idle.map(|row| {
        Breach::of(
            home,
            row.line,
            format!("nothing uses {}", row.names.join(", ")),
        )
    })
    .collect()
}

/// `Kind 404 "slug" …`
pub fn problems(tokens: &[Token]) -> Vec<Row> {
    rows(tokens, |window| {
        let is_row = window[0].is_word() && is_number(&window[1]) && window[2].is_text();
        is_row.then(|| window[0].text.clone())
    })
}

/// `Name = "dotted.name", "…"`
pub fn events(tokens: &[Token]) -> Vec<Row> {
    rows(tokens, |window| {
        let is_row = window[0].is_word() && window[1].is("=") && window[2].is_text();
        (is_row && window[2].text.contains('.')).then(|| window[0].text.clone())
    })
}

/// `"object":"action" => Marker, Marker; "…"`
pub fn permissions(tokens: &[Token]) -> Vec<Row> {
    let mut found = Vec::new();
    for at in 5..tokens.len() {
        let is_row = tokens[at - 5].is_text()
            && tokens[at - 4].is(":")
            && tokens[at - 3].is_text()
            && tokens[at - 2].is("=")
            && tokens[at - 1].is(">");
        if is_row {
            let markers = tokens[at..].iter().take_while(|token| !token.is(";"));
            let names = markers
                .filter(|token| token.is_word())
                .map(|token| token.text.clone());
            found.push(Row {
                names: names.collect(),
                line: tokens[at].line,
            });
        }
    }
    found
}

/// `name: Type = Fallback::…`
pub fn settings(tokens: &[Token]) -> Vec<Row> {
    let mut found = Vec::new();
    for at in 2..tokens.len() {
        if !(tokens[at].is("Fallback") && tokens[at - 1].is("=")) {
            continue;
        }
        let colon = tokens[..at].iter().rposition(|token| token.is(":"));
        let name = colon.and_then(|colon| tokens.get(colon.checked_sub(1)?));
        found.extend(name.map(|name| Row {
            names: vec![name.text.clone()],
            line: name.line,
        }));
    }
    found
}

fn rows(tokens: &[Token], read: impl Fn(&[Token]) -> Option<String>) -> Vec<Row> {
    let row = |window: &[Token]| {
        Some(Row {
            names: vec![read(window)?],
            line: window[0].line,
        })
    };
    tokens.windows(3).filter_map(row).collect()
}

fn is_number(token: &Token) -> bool {
    token.is_word() && token.text.chars().all(|c| c.is_ascii_digit())
}

/// `ProblemKind::Row`
pub fn as_problem(tokens: &[Token], name: &str) -> bool {
    spells(tokens, &["ProblemKind", "::", name])
}

/// `Name::Row`
pub fn as_event(tokens: &[Token], name: &str) -> bool {
    spells(tokens, &["Name", "::", name])
}

/// `Allowed<Row>`, `Entering<Row>`, `also::<Row>()`, `allows::<Row>()` or `Row::OBJECT`: what is judged
/// by a policy.
pub fn as_permission(tokens: &[Token], name: &str) -> bool {
    spells(tokens, &["Allowed", "<", name])
        || spells(tokens, &["Entering", "<", name])
        || spells(tokens, &["also", "::", "<", name])
        || spells(tokens, &["allows", "::", "<", name])
        || spells(tokens, &[name, "::", "OBJECT"])
}

/// `.row`
pub fn as_setting(tokens: &[Token], name: &str) -> bool {
    spells(tokens, &[".", name])
}

fn spells(tokens: &[Token], text: &[&str]) -> bool {
    tokens.len() >= text.len() && tokens.iter().zip(text).all(|(token, text)| token.is(text))
}
