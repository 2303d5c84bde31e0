//! What the oracle asks about: a document with a field of every kind, and values that could go
//! wrong.

use authsome::kernel::time::Timestamp;
use authsome::store::{Entity, Field, Index, Nobody};
use serde::{Deserialize, Serialize};

/// Every field is optional, and of each kind one is indexed and one is not: SQLite reads them from
/// a generated column or from the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sample {
    #[serde(rename = "_id")]
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Vec<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
}

impl Entity for Sample {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_test_samples";
    const INDEXES: &'static [Index] = &[
        Index::on("samples_text", &["text"]),
        Index::on("samples_number_text", &["number", "text"]),
        Index::on("samples_flag", &["flag"]),
        Index::on("samples_at", &["at", "_id"]).when_present("at"),
        Index::on("samples_part", &["part.text"]).when_present("part.text"),
        Index::on("samples_scores", &["scores"]),
    ];
}

pub(super) const TEXT: Field<Sample, String> = Field::at("text");
pub(super) const WORD: Field<Sample, String> = Field::at("word");
pub(super) const NUMBER: Field<Sample, i64> = Field::at("number");
pub(super) const AMOUNT: Field<Sample, i64> = Field::at("amount");
pub(super) const FLAG: Field<Sample, bool> = Field::at("flag");
pub(super) const MARK: Field<Sample, bool> = Field::at("mark");
pub(super) const AT: Field<Sample, Timestamp> = Field::at("at");
pub(super) const UNTIL: Field<Sample, Timestamp> = Field::at("until");
pub(super) const TAGS: Field<Sample, Vec<String>> = Field::at("tags");
pub(super) const SCORES: Field<Sample, Vec<i64>> = Field::at("scores");
pub(super) const PART: Field<Sample, Part> = Field::at("part");
pub(super) const PART_TEXT: Field<Sample, String> = Field::at("part.text");
pub(super) const PART_NUMBER: Field<Sample, i64> = Field::at("part.number");

pub(super) const TEXTS: &[&str] = &[
    "",
    "\0",
    "a\0b",
    "a",
    "A",
    "ab",
    "a%",
    "a_",
    "a*",
    "a.b",
    "a\\",
    "'",
    "\"",
    "ü",
    "u\u{308}",
    "\u{D7FF}",
    "\u{E000}",
    "𝄞",
    "\u{10FFFF}",
    "\u{10FFFF}a",
    "1",
    "true",
    "null",
    "1970-01-01T00:00:00.000Z",
];
pub(super) const NUMBERS: &[i64] = &[
    i64::MIN,
    i64::MIN + 1,
    -(1 << 53) - 1,
    -1,
    0,
    1,
    2,
    1 << 31,
    (1 << 53) + 1,
    i64::MAX - 1,
    i64::MAX,
];
pub(super) const TIMES: &[i64] = &[
    i64::MIN,
    -1_000,
    -1,
    0,
    1,
    999,
    2_208_988_800_000,
    2_208_988_800_001,
    i64::MAX,
];
