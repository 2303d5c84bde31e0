//! Settings from a TOML file: a table a section, a key a setting.
//!
//! Numbers, truth values and lists of text become the text that a variable would hold
//! (`["10.0.0.0/8", "::1"]` is `10.0.0.0/8,::1`), so that a value means the same in both places.

use std::{fs, io, path::Path};

use ::config::{FileFormat, Format, Map, Value, ValueKind};

use super::{
    fault::Fault,
    reader::{Given, Reader},
    setting::Name,
    settings,
};

/// Reads a file that must exist.
pub(super) fn read(path: &Path, reader: &mut Reader) {
    match fs::read_to_string(path) {
        Ok(text) => read_text(path, &text, reader),
        Err(cause) => {
            let spelled = "--config".to_owned();
            reader.fault(Fault::Named {
                spelled,
                path: path.to_owned(),
                cause,
            });
        }
    }
}

/// Reads a file that may be missing, but not be there and unreadable.
pub(super) fn read_where_present(path: &Path, reader: &mut Reader) {
    match fs::read_to_string(path) {
        Ok(text) => read_text(path, &text, reader),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => reader.fault(Fault::Unreadable {
            path: path.to_owned(),
            cause,
        }),
    }
}

fn read_text(path: &Path, text: &str, reader: &mut Reader) {
    let root = match FileFormat::Toml.parse(None, text) {
        Ok(root) => root,
        Err(cause) => {
            let why = without_source(&cause.to_string());
            return reader.fault(Fault::NotToml {
                path: path.to_owned(),
                why,
            });
        }
    };
    let mut answers = Vec::new();
    for (section, value) in sorted(root) {
        let rows = match (is_section(&section), value.kind) {
            (true, ValueKind::Table(rows)) => rows,
            (false, ValueKind::Table(_)) => {
                reader.fault(unknown_section(section, path));
                continue;
            }
            // A value outside any table is a setting whose section was forgotten.
            (_, _) => {
                let nearest = Name::in_file("", &section).nearest().dotted().to_owned();
                let spelled = format!("{section} in {}", path.display());
                reader.fault(Fault::Unknown { spelled, nearest });
                continue;
            }
        };
        for (key, value) in sorted(rows) {
            match answer(&section, &key, value, path) {
                Ok(given) => answers.push(given),
                Err(fault) => reader.fault(fault),
            }
        }
    }
    reader.layer(answers);
}

fn answer(section: &str, key: &str, value: Value, path: &Path) -> Result<Given, Fault> {
    let name = Name::in_file(section, key);
    let spelled = format!("{} in {}", name.dotted(), path.display());
    let Some((setting, form)) = name.known() else {
        return Err(Fault::Unknown {
            spelled,
            nearest: name.nearest().dotted().to_owned(),
        });
    };
    match text_of(value.kind) {
        Ok(text) => Ok(Given {
            spelled,
            setting,
            form,
            text,
        }),
        Err(what) => Err(Fault::Shape { spelled, what }),
    }
}

/// The text of a TOML value, or what it is instead.
fn text_of(kind: ValueKind) -> Result<String, &'static str> {
    match kind {
        ValueKind::String(text) => Ok(text),
        ValueKind::I64(number) => Ok(number.to_string()),
        ValueKind::I128(number) => Ok(number.to_string()),
        ValueKind::U64(number) => Ok(number.to_string()),
        ValueKind::U128(number) => Ok(number.to_string()),
        ValueKind::Boolean(truth) => Ok(truth.to_string()),
        ValueKind::Array(items) => {
            let texts: Result<Vec<_>, _> =
                items.into_iter().map(|item| text_of(item.kind)).collect();
            Ok(texts?.join(","))
        }
        ValueKind::Float(_) => Err("a fraction"),
        ValueKind::Table(_) => Err("a table"),
        ValueKind::Nil => Err("nothing"),
    }
}

fn is_section(name: &str) -> bool {
    settings().any(|setting| setting.section == name)
}

fn unknown_section(section: String, path: &Path) -> Fault {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&section, known);
    let nearest = settings()
        .map(|setting| setting.section)
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
        .unwrap_or_default()
        .to_owned();
    Fault::UnknownSection {
        section,
        path: path.display().to_string(),
        nearest,
    }
}

/// The parser's position and reason without the line it quotes: that line may hold a secret.
fn without_source(message: &str) -> String {
    let mut lines = message.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let place = first.strip_prefix("TOML parse error at ").unwrap_or(first);
    lines
        .next_back()
        .map_or_else(|| place.to_owned(), |reason| format!("{place}: {reason}"))
}

fn sorted(table: Map<String, Value>) -> Vec<(String, Value)> {
    let mut rows: Vec<_> = table.into_iter().collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    rows
}
