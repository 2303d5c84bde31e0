//! Chance that repeats itself: random documents, conditions and changes.

use authsome::kernel::entropy::Entropy;
use authsome::kernel::time::Timestamp;
use authsome::store::{Field, Filter, Update};
use serde::Serialize;

use super::sample::{
    AMOUNT, AT, FLAG, MARK, NUMBER, NUMBERS, PART, PART_NUMBER, PART_TEXT, Part, SCORES, Sample,
    TAGS, TEXT, TEXTS, TIMES, UNTIL, WORD,
};

/// Chance that repeats itself.
#[derive(Debug)]
pub(super) struct Chance(Entropy);

impl Chance {
    pub(super) fn new(entropy: Entropy) -> Self {
        Self(entropy)
    }

    fn below(&self, bound: usize) -> usize {
        let drawn = u64::from_le_bytes(self.0.bytes());
        usize::try_from(drawn % u64::try_from(bound).unwrap()).unwrap()
    }

    fn maybe<T>(&self, some: impl FnOnce(&Self) -> T) -> Option<T> {
        (self.below(4) > 0).then(|| some(self))
    }

    fn some<T>(&self, one: impl Fn(&Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| one(self)).collect()
    }

    fn text(&self) -> String {
        TEXTS[self.below(TEXTS.len())].to_owned()
    }

    fn number(&self) -> i64 {
        NUMBERS[self.below(NUMBERS.len())]
    }

    /// Far from the ends, where an addition is refused.
    fn amount(&self) -> i64 {
        NUMBERS[self.below(NUMBERS.len())] % 5
    }

    fn flag(&self) -> bool {
        self.below(2) == 0
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(TIMES[self.below(TIMES.len())])
    }

    fn part(&self) -> Part {
        Part {
            text: self.maybe(Self::text),
            number: self.maybe(Self::number),
        }
    }

    pub(super) fn sample(&self, id: String) -> Sample {
        Sample {
            id,
            text: self.maybe(Self::text),
            word: self.maybe(Self::text),
            number: self.maybe(Self::number),
            amount: self.maybe(Self::amount),
            flag: self.maybe(Self::flag),
            mark: self.maybe(Self::flag),
            at: self.maybe(Self::time),
            until: self.maybe(Self::time),
            tags: self.maybe(|chance| chance.some(Self::text)),
            scores: self.maybe(|chance| chance.some(Self::number)),
            part: self.maybe(Self::part),
        }
    }

    fn compared<T: Serialize>(
        &self,
        field: Field<Sample, T>,
        value: impl Fn(&Self) -> T,
    ) -> Filter<Sample> {
        match self.below(9) {
            0 => field.eq(value(self)),
            1 => field.ne(value(self)),
            2 => field.lt(value(self)),
            3 => field.lte(value(self)),
            4 => field.gt(value(self)),
            5 => field.gte(value(self)),
            6 => field.one_of(self.some(value)),
            7 => field.present(),
            _ => field.absent(),
        }
    }

    fn there<T: Serialize>(&self, field: Field<Sample, T>) -> Filter<Sample> {
        if self.flag() {
            field.present()
        } else {
            field.absent()
        }
    }

    fn lettered(&self, field: Field<Sample, String>) -> Filter<Sample> {
        if self.below(4) > 0 {
            return self.compared(field, Self::text);
        }
        field.starts_with(&self.text())
    }

    fn condition(&self) -> Filter<Sample> {
        match self.below(15) {
            0 => self.lettered(TEXT),
            1 => self.lettered(WORD),
            2 => self.lettered(PART_TEXT),
            3 => self.compared(NUMBER, Self::number),
            4 => self.compared(AMOUNT, Self::amount),
            5 => self.compared(PART_NUMBER, Self::number),
            6 => self.compared(FLAG, Self::flag),
            7 => self.compared(MARK, Self::flag),
            8 => self.compared(AT, Self::time),
            9 => self.compared(UNTIL, Self::time),
            10 => TAGS.has(&self.text()),
            11 => SCORES.has(&self.number()),
            12 => self.there(TAGS) | self.there(SCORES),
            13 => self.there(PART),
            // What does not compare equals nothing and differs from everything.
            _ if self.flag() => PART.eq(self.part()),
            _ => TAGS.ne(self.some(Self::text)),
        }
    }

    pub(super) fn filter(&self, depth: usize) -> Filter<Sample> {
        if depth == 0 || self.below(3) == 0 {
            return self.condition();
        }
        let parts = (0..self.below(4)).map(|_| self.filter(depth - 1));
        if self.flag() {
            return parts.fold(Filter::all(), |all, part| all & part);
        }
        parts
            .reduce(|any, part| any | part)
            .unwrap_or_else(|| NUMBER.one_of([]))
    }

    pub(super) fn change(&self) -> Change {
        let (text, number, flag, time) = (self.text(), self.number(), self.flag(), self.time());
        let (tags, scores, part) = (self.some(Self::text), self.some(Self::number), self.part());
        match self.below(13) {
            0 => change(TEXT.set(text.clone()), move |s| s.text = Some(text.clone())),
            1 => change(WORD.set(text.clone()), move |s| s.word = Some(text.clone())),
            2 => change(NUMBER.set(number), move |s| s.number = Some(number)),
            3 => change(FLAG.set(flag), move |s| s.flag = Some(flag)),
            4 => change(AT.set(time), move |s| s.at = Some(time)),
            5 => change(UNTIL.set(time), move |s| s.until = Some(time)),
            6 => change(TAGS.set(tags.clone()), move |s| s.tags = Some(tags.clone())),
            7 => change(SCORES.set(scores.clone()), move |s| {
                s.scores = Some(scores.clone());
            }),
            8 => change(PART.set(part.clone()), move |s| s.part = Some(part.clone())),
            9 => change(TEXT.unset(), |s| s.text = None),
            10 => change(AT.unset(), |s| s.at = None),
            11 => change(TAGS.unset(), |s| s.tags = None),
            _ => change(PART.unset(), |s| s.part = None),
        }
    }

    /// Of a field that [`Chance::change`] leaves alone.
    pub(super) fn addition(&self) -> Change {
        let by = self.amount();
        change(AMOUNT.inc(by), move |s| {
            s.amount = Some(s.amount.unwrap_or(0) + by);
        })
    }
}

/// A change in the port's language and in plain Rust.
pub(super) struct Change {
    pub update: Update<Sample>,
    pub apply: Box<dyn Fn(&mut Sample)>,
}

fn change(update: Update<Sample>, apply: impl Fn(&mut Sample) + 'static) -> Change {
    Change {
        update,
        apply: Box::new(apply),
    }
}

pub(super) fn both(one: Change, other: Change) -> Change {
    change(one.update.and(other.update), move |sample| {
        (one.apply)(sample);
        (other.apply)(sample);
    })
}
