//! Texts and bytes that are almost good: a seed with a few edits.

use proptest::collection::vec;
use proptest::prelude::{Just, any};
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use proptest::strategy::{BoxedStrategy, Strategy};
use serde_json::Value;

/// What has broken parsers before, anybody's.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "", "\0", "\n", "\r\n", "\r", "\t", " ", "  ", "\u{a0}", "\u{85}", "\u{2028}", "\u{3000}",
    "\u{200b}", "\u{200d}", "\u{202e}", "\u{feff}", "\u{fffd}", "\u{ad}", "\u{301}", "\u{e0041}",
    "é", "e\u{301}", "ﬁ", "İ", "ı", "ß", "ſ", "\u{212a}", "１", "٣", "ａ", "＠", "。", "😀", "{",
    "}", "[", "]", "(", ")", "<", ">", "\"", "'", "\\", "/", "//", "..", ".", ",", ";", ":", "@",
    "&", "=", "?", "#", "%", "%00", "%2e", "+", "-", "-0", "_", "*", "$", "$$", "{{7*7}}", "0",
    "00", "1e400", "99999999999999999999999", "null", "xn--",
];

/// What is done to a text. Places are shares of its length, so that edits survive shrinking.
#[derive(Debug, Clone)]
enum Edit {
    Cut(Index, usize),
    Insert(Index, String),
    Replace(Index, char),
    /// A piece again, so many times.
    Repeat(Index, usize, usize),
    OtherCase(Index),
    /// The rest is that of another seed.
    Graft(Index, Index),
}

fn edits(more: usize) -> BoxedStrategy<Vec<Edit>> {
    let piece = select(PIECES).prop_map(str::to_owned);
    let edit = prop_oneof![
        3 => (any::<Index>(), 1..6_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        5 => (any::<Index>(), piece).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        4 => (any::<Index>(), any::<char>()).prop_map(|(at, other)| Edit::Replace(at, other)),
        4 => (any::<Index>(), 32..127_u8).prop_map(|(at, other)| Edit::Replace(at, other.into())),
        2 => (any::<Index>(), 1..40_usize, 2..4_usize).prop_map(repeat),
        1 => (any::<Index>(), 1..4_usize, 2..600_usize).prop_map(repeat),
        2 => any::<Index>().prop_map(Edit::OtherCase),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(at, from)| Edit::Graft(at, from)),
    ];
    vec(edit, 0..more).boxed()
}

fn repeat((at, length, times): (Index, usize, usize)) -> Edit {
    Edit::Repeat(at, length, times)
}

impl Edit {
    fn of(&self, text: Vec<char>, seeds: &[String]) -> Vec<char> {
        let place = |at: &Index| at.index(text.len() + 1);
        match self {
            Self::Cut(at, length) => {
                let (at, mut text) = (place(at), text);
                text.drain(at..(at + length).min(text.len()));
                text
            }
            Self::Insert(at, piece) => {
                let (before, after) = text.split_at(place(at));
                [before, &piece.chars().collect::<Vec<_>>(), after].concat()
            }
            Self::Replace(at, other) => {
                let (at, mut text) = (place(at), text);
                text.splice(at..(at + 1).min(text.len()), [*other]);
                text
            }
            Self::Repeat(at, length, times) => {
                let at = place(at);
                let end = (at + length).min(text.len());
                [&text[..at], &text[at..end].repeat(*times), &text[end..]].concat()
            }
            Self::OtherCase(at) => {
                let (before, after) = text.split_at(place(at));
                let turned = after.iter().map(|c| {
                    if c.is_ascii_uppercase() {
                        c.to_ascii_lowercase()
                    } else {
                        c.to_ascii_uppercase()
                    }
                });
                before.iter().copied().chain(turned).collect()
            }
            Self::Graft(at, from) => {
                let other: Vec<char> = seeds[from.index(seeds.len())].chars().collect();
                let start = at.index(other.len() + 1);
                [&text[..place(at)], &other[start..]].concat()
            }
        }
    }
}

fn owned<T: ToString>(seeds: impl IntoIterator<Item = T>) -> Vec<String> {
    seeds.into_iter().map(|seed| seed.to_string()).collect()
}

/// Seeds as they are, seeds with a few edits, heaps of pieces, and any text at all.
pub(crate) fn texts<T: ToString>(seeds: impl IntoIterator<Item = T>) -> BoxedStrategy<String> {
    let seeds = owned(seeds);
    let pieces = vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![
        12 => edited(seeds, 5),
        2 => pieces,
        2 => vec(any::<char>(), 0..40).prop_map(String::from_iter),
    ]
    .boxed()
}

fn edited(seeds: Vec<String>, more: usize) -> BoxedStrategy<String> {
    let which = (0..seeds.len(), edits(more));
    which
        .prop_map(move |(seed, edits)| {
            let begun = seeds[seed].chars().collect();
            let text = edits.iter().fold(begun, |text, edit| edit.of(text, &seeds));
            String::from_iter(text)
        })
        .boxed()
}

/// A seed, and what a few edits made of it: something else.
pub(crate) fn altered<T: ToString>(
    seeds: impl IntoIterator<Item = T>,
) -> BoxedStrategy<(String, String)> {
    let seeds = owned(seeds);
    let which = (0..seeds.len(), edits(4));
    which
        .prop_map(move |(seed, edits)| {
            let begun = seeds[seed].chars().collect();
            let text = edits.iter().fold(begun, |text, edit| edit.of(text, &seeds));
            (seeds[seed].clone(), String::from_iter(text))
        })
        .prop_filter("nothing is altered", |(seed, text)| seed != text)
        .boxed()
}

/// The same of bytes, which need not be UTF-8.
pub(crate) fn blobs<T: ToString>(seeds: impl IntoIterator<Item = T>) -> BoxedStrategy<Vec<u8>> {
    let flips = vec((any::<Index>(), any::<u8>()), 0..3);
    let spoilt = (texts(seeds), flips).prop_map(|(text, flips)| {
        let mut bytes = text.into_bytes();
        for (at, byte) in flips {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    });
    prop_oneof![9 => spoilt, 1 => vec(any::<u8>(), 0..64)].boxed()
}

/// A JSON value, of the kinds that clients send.
pub(crate) fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        texts(["a", "$set", "a.b", "", "a\0"]).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    let name = || texts(["name", "$where", "a.b", "", "nul\0", "__proto__"]);
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let members = vec((name(), inner.clone()), 0..5);
        let object = members.prop_map(|all| Value::Object(all.into_iter().collect()));
        prop_oneof![vec(inner, 0..5).prop_map(Value::Array), object]
    })
    .boxed()
}

/// One of these.
pub(crate) fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> BoxedStrategy<T> {
    match all {
        [only] => Just(only.clone()).boxed(),
        _ => select(all).boxed(),
    }
}
