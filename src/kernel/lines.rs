//! Lines, cut out of a text that comes in pieces.
//!
//! ```text
//! piece, piece, … ─▶ [`Cutter`] ─▶ line 1, line 2, line 4, …   (line 3 was blank: passed over, and counted)
//! ```
//!
//! A line that is too long is a line all the same: of it as much is kept as shows it, and whoever reads
//! it refuses it alone. So memory holds a piece and a line, whatever comes.

use std::collections::VecDeque;

/// Bytes that a line has at most.
pub const LONGEST_LINE: usize = 64 * 1024;

/// A line without its end, and its place in the text, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedLine {
    pub number: u64,
    /// More than [`LONGEST_LINE`] bytes where it is too long, which are not all of it.
    pub text: Vec<u8>,
}

/// Cuts a text into its lines.
#[derive(Debug, Default)]
pub struct Cutter {
    whole: VecDeque<NumberedLine>,
    /// What has come of the next line.
    begun: Vec<u8>,
    /// Lines that have ended.
    ended: u64,
}

impl Cutter {
    pub fn takes(&mut self, piece: &[u8]) {
        for (at, part) in piece.split(|byte| *byte == b'\n').enumerate() {
            // What is before the first end of a line goes on with what was begun.
            if at > 0 {
                self.ends_line();
            }
            let room = (LONGEST_LINE + 1).saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    /// Nothing comes any more: what was begun is the last line.
    pub fn ends(&mut self) {
        if !self.begun.is_empty() {
            self.ends_line();
        }
    }

    /// The next line that is whole and not blank.
    pub fn next_line(&mut self) -> Option<NumberedLine> {
        self.whole.pop_front()
    }

    fn ends_line(&mut self) {
        self.ended += 1;
        let text = std::mem::take(&mut self.begun);
        let is_blank = text.len() <= LONGEST_LINE && text.iter().all(u8::is_ascii_whitespace);
        if !is_blank {
            let number = self.ended;
            self.whole.push_back(NumberedLine { number, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&str]) -> Vec<(u64, String)> {
        let mut cutter = Cutter::default();
        for piece in pieces {
            cutter.takes(piece.as_bytes());
        }
        cutter.ends();
        let lines = std::iter::from_fn(|| cutter.next_line());
        lines
            .map(|line| (line.number, String::from_utf8(line.text).unwrap()))
            .collect()
    }

    #[test]
    fn lines_are_the_same_in_whatever_pieces_they_come() {
        let expected = [
            (1, "a".to_owned()),
            (3, "b\r".to_owned()),
            (5, "c".to_owned()),
        ];
        assert_eq!(cut(&["a\n\nb\r\n \t\nc"]), expected);
        assert_eq!(cut(&["a", "\n", "\nb", "\r\n ", "\t\n", "c"]), expected);
        assert_eq!(cut(&["a\n\nb\r\n \t\nc\n"]), expected);
        assert_eq!(cut(&["", "\n", ""]), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line_of_which_no_more_is_kept_than_shows_it() {
        let (most, more) = ("x".repeat(LONGEST_LINE), "x".repeat(LONGEST_LINE + 1));
        let blank = " ".repeat(LONGEST_LINE + 1);
        let long = format!("{more}yyy");
        for pieces in [
            &[&*long, "\n", "b\n"][..],
            &[&long[..10], &long[10..], "zz\nb"],
            &[&*most, "\"", "z", "\nb"],
        ] {
            let lines = cut(pieces);
            let lengths: Vec<_> = lines.iter().map(|(at, text)| (*at, text.len())).collect();
            assert_eq!(lengths, [(1, LONGEST_LINE + 1), (2, 1)]);
        }
        assert_eq!(cut(&[&most])[0].1.len(), LONGEST_LINE);
        assert_eq!(cut(&[&blank, "x"])[0].1.len(), LONGEST_LINE + 1);
    }
}
