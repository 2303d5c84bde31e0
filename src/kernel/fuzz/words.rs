//! What else stands in requests: pages, languages, lines, what clients keep with their things.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::Index;
use serde_json::{Map, Value};

use super::{always, any_json, blobs, is_as_written, texts};
use crate::kernel::language::Language;
use crate::kernel::lines::{Cutter, LONGEST_LINE, NumberedLine};
use crate::kernel::metadata::Metadata;
use crate::kernel::network::Network;
use crate::kernel::page::Limit;

#[test]
fn how_many_is_a_number_from_one_to_a_hundred() {
    always(
        texts([
            "1",
            "20",
            "100",
            "101",
            "0",
            "007",
            "99999999999999999999",
            "-1",
            "5.0",
        ]),
        |text| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let digits = text.trim_start_matches('0');
            let expected = (is_number && !digits.is_empty()).then(|| {
                if digits.len() > 2 {
                    100
                } else {
                    digits.parse().unwrap_or(100)
                }
            });
            assert_eq!(Limit::parse(&text).ok().map(Limit::get), expected, "{text}");
        },
    );
}

#[test]
fn a_language_is_one_of_ours() {
    always(texts(["en", "de", "de-AT", "DE_at", "fr"]), |tag| {
        is_as_written::<Language>(&tag);
        let primary: String = tag.chars().take_while(|c| !"-_".contains(*c)).collect();
        let primary = primary.to_ascii_lowercase();
        let known = Language::ALL.into_iter().find(|it| it.as_str() == primary);
        assert_eq!(Language::of_tag(&tag), known);
    });
}

/// The language that somebody likes best, whatever else he likes and in whatever order he says so.
#[test]
fn the_best_liked_language_is_found_among_any_others() {
    let ranges = vec((0..4_usize, 0..=1_000_u32), 1..6);
    always(ranges, |ranges| {
        let tags = ["en", "de-CH", "fr", "*"];
        let range = |(tag, weight): &(usize, u32)| {
            let weight = format!("{}.{:03}", weight / 1_000, weight % 1_000);
            format!("{} ; q={weight}", tags[*tag]).replace(" ;", ";")
        };
        let header = ranges.iter().map(range).collect::<Vec<_>>().join(", ");
        let ours = ranges
            .iter()
            .filter(|(tag, weight)| *tag < 2 && *weight > 0);
        let best = ours.clone().map(|(_, weight)| *weight).max();
        let first = ours.into_iter().find(|(_, weight)| Some(*weight) == best);
        let expected = first.map(|(tag, _)| Language::ALL[*tag]);
        assert_eq!(Language::accepted(&header), expected, "{header}");
        assert_eq!(
            Language::accepted(&header.to_uppercase()),
            expected,
            "{header}"
        );
    });
    always(
        texts(["de-AT,de;q=0.9,en;q=0.8", "en;q=0", "de;q=1.001", ", ,"]),
        |header| {
            if let Some(told) = Language::accepted(&header) {
                assert!(header.to_ascii_lowercase().contains(told.as_str()));
            }
        },
    );
}

fn cut(pieces: &[&[u8]]) -> Vec<NumberedLine> {
    let mut cutter = Cutter::default();
    let mut lines = Vec::new();
    for piece in pieces {
        cutter.takes(piece);
        lines.extend(std::iter::from_fn(|| cutter.next_line()));
    }
    cutter.ends();
    lines.extend(std::iter::from_fn(|| cutter.next_line()));
    lines
}

/// However a body is cut on its way, its lines are those that it was written with.
#[test]
fn lines_are_the_same_in_whatever_pieces_they_come() {
    let seeds = ["a\n\nb\r\n \t\nc", "{\"email\":\"a\"}\n{}\n", "\n\n\n", ""];
    let cases = (blobs(seeds), vec(any::<Index>(), 0..8));
    always(cases, |(text, cuts)| {
        let mut places: Vec<usize> = cuts.iter().map(|at| at.index(text.len() + 1)).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|it| &text[it[0]..it[1]]).collect();
        let written = text.split(|byte| *byte == b'\n').enumerate();
        let written = written.filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace));
        let expected = written.map(|(at, line)| (at as u64 + 1, line.to_vec()));
        let told = cut(&pieces)
            .into_iter()
            .map(|line| (line.number, line.text));
        assert!(text.len() > LONGEST_LINE || told.eq(expected));
    });
}

/// Whatever is kept with things comes back from both notations of the stores as it was.
#[test]
fn what_clients_keep_survives_both_stores() {
    // Numbers that came back as others once.
    for number in [-1e73_f64, -1.580_360_574_685_946e-142] {
        let text = Value::from(number).to_string();
        let read: Value = serde_json::from_str(&text).expect("a number");
        assert_eq!(read.as_f64().map(f64::to_bits), Some(number.to_bits()));
    }
    let name = || texts(["name", "$where", "a.b", ""]);
    let members = vec((name(), any_json()), 0..5);
    always(members, |members| {
        let members: Map<String, Value> = members.into_iter().collect();
        let Ok(metadata) = Metadata::parse(members.clone()) else {
            return;
        };
        assert_eq!(metadata.members(), &members);
        let text = serde_json::to_string(&metadata).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Metadata>(&text).expect("the same"),
            metadata
        );
        let bytes = bson::serialize_to_vec(&metadata).expect("BSON");
        let read: Metadata = bson::deserialize_from_slice(&bytes).expect("the same");
        assert_eq!(read, metadata);
        assert!(
            names(&Value::Object(members))
                .iter()
                .all(|it| { !it.is_empty() && !it.starts_with('$') && !it.contains(['.', '\0']) })
        );
    });
}

/// The names of all members, all the way down.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(object) => {
            let below = object
                .iter()
                .flat_map(|(name, value)| [vec![&**name], names(value)].concat());
            below.collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn a_network_is_the_address_or_its_64() {
    always((any::<u128>(), any::<u64>()), |(bits, other)| {
        let ip = |bits: u128| std::net::IpAddr::from(bits.to_be_bytes());
        let beside = bits >> 64 << 64 | u128::from(other);
        let is_mapped = bits >> 32 == 0xffff || beside >> 32 == 0xffff;
        assert!(is_mapped || Network::of(ip(bits)) == Network::of(ip(beside)));
        let elsewhere = ip(bits ^ 1 << 64);
        assert!(is_mapped || Network::of(ip(bits)) != Network::of(elsewhere));
    });
}
