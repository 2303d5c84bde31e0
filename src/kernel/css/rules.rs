//! Rules: style rules, and `@media` around them.

use cssparser::{Delimiter, Parser, Token};

use super::{Read, Told, allowed, refused, selectors, token, values};

/// What may stand at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    /// `@media` stands in no other.
    InMedia,
}

/// The whole sheet, one rule a line.
pub(super) fn sheet(parser: &mut Parser<'_>) -> Read<String> {
    let rules = rules(parser, Place::Top)?;
    if rules.is_empty() {
        return refused(parser, "there is no rule in it");
    }
    Ok(rules)
}

fn rules(parser: &mut Parser<'_>, place: Place) -> Read<String> {
    let mut rules: Vec<String> = Vec::new();
    while !parser.is_exhausted() {
        let before = parser.state();
        if let Ok(Token::AtKeyword(name)) = parser.next().cloned() {
            if place == Place::InMedia || !name.eq_ignore_ascii_case("media") {
                return refused(parser, format!("`@{name:.40}` is not allowed here"));
            }
            rules.push(media(parser)?);
            continue;
        }
        parser.reset(&before);
        rules.push(style(parser)?);
    }
    Ok(rules.join("\n"))
}

fn media(parser: &mut Parser<'_>) -> Read<String> {
    let queries = parser.parse_until_before(Delimiter::CurlyBracketBlock, queries)?;
    if parser.expect_curly_bracket_block().is_err() {
        return refused(parser, "`@media` has no block");
    }
    let rules = parser.parse_nested_block(|block| rules(block, Place::InMedia))?;
    Ok(format!("@media {queries} {{\n{rules}\n}}"))
}

fn style(parser: &mut Parser<'_>) -> Read<String> {
    let selectors = parser.parse_until_before(Delimiter::CurlyBracketBlock, selectors::list)?;
    if parser.expect_curly_bracket_block().is_err() {
        return refused(parser, format!("{} has no block", Told(&selectors)));
    }
    let declarations = parser.parse_nested_block(declarations)?;
    Ok(format!("{selectors} {{ {declarations} }}"))
}

fn declarations(block: &mut Parser<'_>) -> Read<String> {
    let mut declarations: Vec<String> = Vec::new();
    while !block.is_exhausted() {
        match block.next().cloned() {
            Ok(Token::Semicolon) => {}
            Ok(Token::Ident(name)) => declarations.push(declaration(block, &name)?),
            Ok(Token::AtKeyword(name)) => {
                return refused(block, format!("`@{name:.40}` is not allowed here"));
            }
            Ok(_) | Err(_) => return refused(block, "a rule holds declarations, and nothing else"),
        }
    }
    Ok(declarations.join("; "))
}

fn declaration(block: &mut Parser<'_>, name: &str) -> Read<String> {
    let Some(property) = allowed::property(name) else {
        let why = format!("{} is not a property that can be set here", Told(name));
        return refused(block, why);
    };
    if block.expect_colon().is_err() {
        return refused(block, format!("behind `{property}` a colon is missing"));
    }
    let value = block.parse_until_before(Delimiter::Semicolon, values::value)?;
    if value.is_empty() {
        return refused(block, format!("`{property}` has no value"));
    }
    Ok(format!("{property}: {value}"))
}

/// What is between `@media` and its block: `screen and (max-width: 600px), print`.
fn queries(parser: &mut Parser<'_>) -> Read<String> {
    let mut queries = Vec::new();
    loop {
        queries.push(parser.parse_until_before(Delimiter::Comma, query)?);
        if parser.expect_comma().is_err() {
            return Ok(queries.join(", "));
        }
    }
}

fn query(parser: &mut Parser<'_>) -> Read<String> {
    let mut parts = vec![part(parser)?];
    while !parser.is_exhausted() {
        if parser.expect_ident_matching("and").is_err() {
            return refused(parser, "conditions of media are joined by `and`");
        }
        parts.push(part(parser)?);
    }
    Ok(parts.join(" and "))
}

fn part(parser: &mut Parser<'_>) -> Read<String> {
    match parser.next().cloned() {
        Ok(Token::Ident(name)) => match allowed::media_type(&name) {
            Some(name) => Ok(name.to_owned()),
            None => refused(parser, format!("{} is not a kind of media", Told(&name))),
        },
        Ok(Token::ParenthesisBlock) => parser.parse_nested_block(feature),
        Ok(_) | Err(_) => refused(parser, "this is not a condition of media"),
    }
}

fn feature(parser: &mut Parser<'_>) -> Read<String> {
    let name = parser.expect_ident().map(ToString::to_string);
    let name = name.unwrap_or_default();
    let Some((name, words)) = allowed::feature(&name) else {
        return refused(parser, format!("{} is not a feature of media", Told(&name)));
    };
    if parser.expect_colon().is_err() {
        return refused(parser, format!("behind `{name}` a colon is missing"));
    }
    parser.skip_whitespace();
    let value = match token(parser) {
        Some(Token::Ident(word)) => allowed::word(words, &word).map(str::to_owned),
        Some(length) if words.is_empty() => values::number(&length),
        Some(_) | None => None,
    };
    match value.filter(|_| parser.is_exhausted()) {
        Some(value) => Ok(format!("({name}: {value})")),
        None => refused(parser, format!("`{name}` cannot be that")),
    }
}
