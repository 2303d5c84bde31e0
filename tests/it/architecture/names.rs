//! Names that must be one thing's: of schemas in the document, and of what is sealed in the store.

use std::collections::BTreeMap;

use super::lexer::Token;
use super::rules::Breach;
use super::sources::{Source, closed, of_the_product};

/// Types that claim the name of another one in the OpenAPI document, where the last would silently take
/// the place of the others. Types that macros make are not seen, but what they are called is.
pub fn schemas_of_one_name(sources: &[Source]) -> Vec<Breach> {
    let mut claimed: BTreeMap<String, String> = BTreeMap::new();
    let mut breaches = Vec::new();
    for source in of_the_product(sources) {
        for (name, line) in schemas(&source.untested()) {
            let place = format!("src/{}:{line}", source.place);
            match claimed.get(&name) {
                Some(first) => {
                    let what = format!("the schema {name} is called as that of {first}");
                    breaches.push(Breach::of(source, line, what));
                }
                None => {
                    claimed.insert(name, place);
                }
            }
        }
    }
    breaches
}

/// What the types that derive `ToSchema` are called: by `#[schema(as = …)]`, or as in the code.
fn schemas(tokens: &[Token]) -> Vec<(String, usize)> {
    let (mut found, mut attributes, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        if token.is("#") && tokens.get(at + 1).is_some_and(|it| it.is("[")) {
            let end = at + 1 + closed(&tokens[at + 1..]);
            attributes.push(&tokens[at + 2..end]);
            at = end;
            continue;
        }
        if token.is("struct") || token.is("enum") {
            let own = tokens.get(at + 1).filter(|name| name.is_word());
            let is_one = attributes.iter().any(|it| derives(it));
            let called = attributes.iter().find_map(|it| called(it));
            if let Some(name) = called.or(own).filter(|_| is_one) {
                found.push((name.text.clone(), name.line));
            }
        }
        // Who may see the type stands between it and its attributes.
        let is_visibility = ["pub", "(", "super", "crate", "in", "::", ")"];
        if !is_visibility.iter().any(|it| token.is(it)) {
            attributes.clear();
        }
        at += 1;
    }
    found
}

fn derives(attribute: &[Token]) -> bool {
    let is_derive = attribute.first().is_some_and(|it| it.is("derive"));
    is_derive && attribute.iter().any(|it| it.is("ToSchema"))
}

/// `schema(…, as = Name, …)`
fn called(attribute: &[Token]) -> Option<&Token> {
    let is_schema = attribute.first().is_some_and(|it| it.is("schema"));
    let mut windows = attribute.windows(3).filter(|_| is_schema);
    let found = windows.find(|it| it[0].is("as") && it[1].is("="));
    found.map(|it| &it[2])
}

/// Whoever seals something has a document that says so (`Sealed`), and each of those a line in `table`,
/// by which it is sealed anew when the key changes.
pub fn sealed_and_forgotten(sources: &[Source], table: &str) -> Vec<Breach> {
    let product = of_the_product(sources);
    let lines = product.iter().find(|source| source.place == table);
    let lines = lines.expect("the table is there").product();
    let mut breaches = Vec::new();
    for source in &product {
        let tokens = source.product();
        for at in 0..tokens.len() {
            let rest = &tokens[at..];
            if let Some(document) = document(rest)
                && !lines.iter().any(|it| it.is(&document.text))
            {
                let what = format!(
                    "{} is sealed, and has no line in src/{table}",
                    document.text
                );
                breaches.push(Breach::of(source, document.line, what));
            }
            let is_sealing = rest.len() > 2 && rest[0].is(".") && rest[1].is("seal");
            if is_sealing && !has_a_document(&product, source.home()) {
                let what = "something is sealed of which no document says so".to_owned();
                breaches.push(Breach::of(source, rest[1].line, what));
            }
        }
    }
    breaches
}

/// `impl Sealed for Document`
fn document(tokens: &[Token]) -> Option<&Token> {
    let [impl_, sealed, for_, document, ..] = tokens else {
        return None;
    };
    let is_one = impl_.is("impl") && sealed.is("Sealed") && for_.is("for");
    is_one.then_some(document)
}

fn has_a_document(product: &[&Source], home: &str) -> bool {
    // The vocabulary seals what it is given.
    let mut own = product.iter().filter(|source| source.home() == home);
    home == "kernel"
        || own.any(|source| {
            let tokens = source.product();
            (0..tokens.len()).any(|at| document(&tokens[at..]).is_some())
        })
}
