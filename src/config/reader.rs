//! The reader: what people gave, layer over layer, turned into values row by row.
//!
//! A layer is one source (the file, then the environment); within a layer a setting may be given
//! once, between layers the later one wins. Faults are kept, so that all are told at once.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
};

use super::{
    fault::{Fault, Faults},
    setting::{Fallback, Form, Setting},
    takes::{Takes, Unfit},
};

/// One answer to a setting.
pub(super) struct Given {
    /// How its giver spells it, with the place: `AUTHSOME_SERVER__BIND`, `server.bind in x.toml`.
    pub(super) spelled: String,
    pub(super) setting: &'static Setting,
    pub(super) form: Form,
    pub(super) text: String,
}

#[derive(Default)]
pub(super) struct Reader {
    given: BTreeMap<(&'static str, &'static str), Given>,
    faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Lays the answers of one source over those of earlier ones.
    pub(super) fn layer(&mut self, answers: Vec<Given>) {
        let mut layer: BTreeMap<_, Given> = BTreeMap::new();
        for answer in answers {
            match layer.entry((answer.setting.section, answer.setting.key)) {
                Entry::Vacant(place) => {
                    place.insert(answer);
                }
                Entry::Occupied(first) => {
                    let first = first.get().spelled.clone();
                    self.faults.push(Fault::Twice {
                        first,
                        second: answer.spelled,
                    });
                }
            }
        }
        self.given.append(&mut layer);
    }

    /// The value of a row: what was given, else its default.
    pub(super) fn value<T: Takes>(&mut self, row: &Setting, kind: &T) -> Option<T::Value> {
        let answer = match self.given.remove(&(row.section, row.key)) {
            Some(given) => self.text(given)?,
            None => match row.default {
                Fallback::Unset(_) => return kind.absent(),
                Fallback::Value(text) => (row.name().dotted().to_owned(), text.to_owned()),
            },
        };
        let (spelled, text) = answer;
        let text = if T::SECRET {
            text.as_str()
        } else {
            text.trim()
        };
        kind.parse(text)
            .map_err(|unfit| self.refuse(kind, spelled, text, unfit))
            .ok()
    }

    fn refuse<T: Takes>(&mut self, kind: &T, spelled: String, text: &str, unfit: Unfit) {
        let why = match unfit {
            Unfit::NotAllowed => format!("it takes {}", kind.allowed()),
            Unfit::Because(why) => why,
        };
        self.fault(if T::SECRET {
            Fault::Secret { spelled, why }
        } else {
            Fault::Value {
                spelled,
                text: text.to_owned(),
                why,
            }
        });
    }

    /// The text of an answer, fetched from the file it names where it names one. Editors and
    /// `echo` end a file with a line break, which is no part of the secret.
    fn text(&mut self, given: Given) -> Option<(String, String)> {
        if given.form == Form::Plain {
            return Some((given.spelled, given.text));
        }
        match fs::read_to_string(&given.text) {
            Ok(text) => {
                let line = text.strip_suffix('\n').unwrap_or(&text);
                let line = line.strip_suffix('\r').unwrap_or(line);
                Some((given.spelled, line.to_owned()))
            }
            Err(cause) => {
                self.fault(Fault::SecretFile {
                    spelled: given.spelled,
                    cause,
                });
                None
            }
        }
    }

    pub(super) fn into_faults(self) -> Faults {
        Faults::from(self.faults)
    }
}
