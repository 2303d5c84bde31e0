//! What must hold before a parser looks at a style sheet: nothing hides, and everything is closed.
//!
//! A parser goes on where something is not closed (CSS Syntax §2.2), each in its own way; and an
//! escape spells a name that no list knows. So neither is let through to it.

use std::iter::Peekable;
use std::str::Chars;

use super::NotAStyleSheet;

/// Reads characters, and knows on which line they are.
struct Ground<'a> {
    rest: Peekable<Chars<'a>>,
    line: u32,
    /// What is open: what closes it.
    open: Vec<char>,
}

pub(super) fn check(text: &str) -> Result<(), NotAStyleSheet> {
    let mut ground = Ground {
        rest: text.chars().peekable(),
        line: 1,
        open: Vec::new(),
    };
    while let Some(c) = ground.next()? {
        ground.walk(c)?;
    }
    match ground.open.pop() {
        Some(closing) => ground.refuses(format!("`{closing}` is missing")),
        None => Ok(()),
    }
}

impl Ground<'_> {
    fn refuses<T>(&self, why: impl Into<String>) -> Result<T, NotAStyleSheet> {
        let (line, why) = (self.line, why.into());
        Err(NotAStyleSheet { line, why })
    }

    /// The next character, which may stand in a style sheet.
    fn next(&mut self) -> Result<Option<char>, NotAStyleSheet> {
        let Some(c) = self.rest.next() else {
            return Ok(None);
        };
        match c {
            '\n' => self.line += 1,
            '\t' | '\r' => {}
            '<' => return self.refuses("`<` is not allowed, not even in a comment"),
            '\\' => return self.refuses("escapes are not allowed"),
            c if c.is_control() || c == '\u{FEFF}' => {
                return self.refuses("characters that do not show are not allowed");
            }
            _ => {}
        }
        Ok(Some(c))
    }

    fn walk(&mut self, c: char) -> Result<(), NotAStyleSheet> {
        match c {
            '/' if self.rest.peek() == Some(&'*') => self.comment(),
            '"' | '\'' => self.string(c),
            '{' => self.opens('}'),
            '(' => self.opens(')'),
            '[' => self.opens(']'),
            '}' | ')' | ']' if self.open.pop() != Some(c) => {
                self.refuses(format!("`{c}` closes nothing"))
            }
            _ => Ok(()),
        }
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "every step of the walk answers alike"
    )]
    fn opens(&mut self, closing: char) -> Result<(), NotAStyleSheet> {
        self.open.push(closing);
        Ok(())
    }

    fn comment(&mut self) -> Result<(), NotAStyleSheet> {
        self.next()?;
        let mut before = ' ';
        while let Some(c) = self.next()? {
            if before == '*' && c == '/' {
                return Ok(());
            }
            before = c;
        }
        self.refuses("a comment is not closed")
    }

    fn string(&mut self, quote: char) -> Result<(), NotAStyleSheet> {
        while let Some(c) = self.next()? {
            if c == quote {
                return Ok(());
            }
            if c == '\n' || c == '\r' {
                break;
            }
        }
        self.refuses("a string is not closed")
    }
}
