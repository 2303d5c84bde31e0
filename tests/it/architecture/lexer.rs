//! Rust sources as words, texts and marks; comments are gone. Enough to follow paths, no parser.

/// A piece of source, and the line it begins on (from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    pub line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// A string literal; the text is what stands between the quotes, escapes untouched.
    Text,
    /// `::`, or one character.
    Mark,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }

    pub fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }

    pub fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }
}

/// The tokens of a source file. A lifetime is a word; a character literal is left out.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        rest: source,
        line: 1,
        found: Vec::new(),
    };
    while lexer.step() {}
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Token>,
}

impl Lexer<'_> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(block_comment(self.rest));
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if let Some((before, after)) = quotes(self.rest) {
            self.take_text(before, &after);
        } else if first == '\'' {
            self.take_quoted();
        } else if is_word(first) {
            let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            self.take(Kind::Word, end);
        } else {
            let end = if self.rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            self.take(Kind::Mark, end);
        }
        true
    }

    fn skip(&mut self, length: usize) {
        let (past, rest) = self.rest.split_at(length);
        self.line += past.matches('\n').count();
        self.rest = rest;
    }

    fn take(&mut self, kind: Kind, length: usize) {
        let text = self.rest[..length].to_owned();
        self.found.push(Token {
            kind,
            text,
            line: self.line,
        });
        self.skip(length);
    }

    /// A string of which the opening takes `before` bytes and which `after` closes.
    fn take_text(&mut self, before: usize, after: &str) {
        let body = &self.rest[before..];
        let is_raw = before > 1 && self.rest[..before].contains('r');
        let length = if is_raw {
            body.find(after)
        } else {
            plain_end(body)
        };
        let length = length.unwrap_or(body.len());
        let text = body[..length].to_owned();
        self.found.push(Token {
            kind: Kind::Text,
            text,
            line: self.line,
        });
        self.skip((before + length + after.len()).min(self.rest.len()));
    }

    /// A lifetime, or a character literal.
    fn take_quoted(&mut self) {
        let mut following = self.rest.chars().skip(1);
        let (one, two) = (following.next(), following.next());
        match (one, two) {
            (Some('\\'), Some(escaped)) => {
                // The escaped character may itself be the quote.
                let start = 2 + escaped.len_utf8();
                let end = self.rest[start..]
                    .find('\'')
                    .map_or(self.rest.len(), |at| start + at + 1);
                self.skip(end);
            }
            (Some(one), Some('\'')) => self.skip(2 + one.len_utf8()),
            _ => {
                let end = self.rest[1..]
                    .find(|c| !is_word(c))
                    .map_or(self.rest.len(), |at| at + 1);
                self.take(Kind::Word, end);
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a comment, with those inside it.
fn block_comment(source: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < source.len() {
        let rest = &source[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    source.len()
}

/// How a string literal that begins here opens and closes: `"`, `b"`, `c"`, `r##"` and so on.
fn quotes(source: &str) -> Option<(usize, String)> {
    let prefix = source.find(|c: char| !"bcr".contains(c))?;
    let hashes = source[prefix..].find(|c| c != '#')?;
    let is_raw = source[..prefix].contains('r');
    let opens = source[prefix + hashes..].starts_with('"');
    let fits = prefix <= 2 && opens && (hashes == 0 || is_raw);
    fits.then(|| (prefix + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

fn plain_end(body: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(source: &str) -> Vec<String> {
        let kept = |token: Token| match token.kind {
            Kind::Text => format!("<{}>", token.text),
            Kind::Word | Kind::Mark => token.text,
        };
        tokens(source).into_iter().map(kept).collect()
    }

    #[test]
    fn comments_and_characters_are_left_out() {
        let source = "a /* b /* c */ d */ e // f\n'\\'' '\"' 'x' '\\u{41}' g";

        assert_eq!(spelled(source), ["a", "e", "g"]);
    }

    #[test]
    fn strings_are_texts_however_they_are_quoted() {
        let source = r###"f("a // \" b") r"c\" r##"d "# e"## b"f" br#"g"# c"h" bar"###;
        let expected = [
            "f",
            "(",
            r#"<a // \" b>"#,
            ")",
            r"<c\>",
            r##"<d "# e>"##,
            "<f>",
            "<g>",
            "<h>",
            "bar",
        ];

        assert_eq!(spelled(source), expected);
    }

    #[test]
    fn a_lifetime_opens_no_literal() {
        assert_eq!(
            spelled("&'a str, 'static, '_"),
            ["&", "'a", "str", ",", "'static", ",", "'_"]
        );
    }

    #[test]
    fn lines_are_counted_inside_everything() {
        let source = "a\n/* \n */ \"x\ny\" b::c";

        let lines: Vec<_> = tokens(source).into_iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 3, 4, 4, 4]);
    }
}
