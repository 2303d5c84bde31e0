//! Pages of lists: how many, after which item, and the opaque cursor that says so to a client.
//!
//! A list runs from the newest item to the oldest; a page begins behind the last item seen, so
//! that items that come or go between two calls are neither repeated nor skipped.
//! A [`Cursor`] is vouched for by a server key and bound to the list it came from: edited, or
//! replayed on another list or tenant, it is refused. It hides nothing: what is in it, the
//! client has seen.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};

use super::{
    secret::{MacKey, same},
    time::Timestamp,
};

/// How many items a page may hold: 1–100, 20 unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u32);

impl Limit {
    pub const DEFAULT: Self = Self(20);
    pub const MAX: Self = Self(100);

    /// Digits only. More than 100 counts as 100; zero, a sign or anything else is refused.
    pub fn parse(text: &str) -> Result<Self, NotALimit> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotALimit);
        }
        // Digits that overflow are still just a large number.
        Self::try_from(text.parse().unwrap_or(u32::MAX))
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Not a whole number from 1 up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a whole number from 1 to 100")]
pub struct NotALimit;

/// Zero is refused; more than 100 counts as 100.
impl TryFrom<u32> for Limit {
    type Error = NotALimit;

    fn try_from(number: u32) -> Result<Self, NotALimit> {
        if number == 0 {
            return Err(NotALimit);
        }
        Ok(Self(number).min(Self::MAX))
    }
}

impl utoipa::PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .default(Some(20.into()))
            .description(Some("How many items at most; larger numbers count as 100."))
            .into()
    }
}

impl utoipa::ToSchema for Limit {}

/// The place of an item in its list: its time, and its identifier where times are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub at: Timestamp,
    pub id: String,
}

/// Part of a list, newest first. `next` is the place of the last item if more follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T> {
    pub items: Vec<T>,
    pub next: Option<Position>,
}

/// A [`Position`] as text for clients: base64url of 16 bytes of MAC and a small JSON.
#[derive(Debug)]
pub enum Cursor {}

/// The text is no cursor, was altered, or belongs to another list or tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct BadCursor;

const PURPOSE: &str = "page cursor";
const TAG_LEN: usize = 16;
const CURSOR_MAX: usize = 512;

#[derive(Serialize, Deserialize)]
struct Body {
    t: i64,
    i: String,
}

impl Cursor {
    /// Text for `position` that opens only with the same key and `scope`.
    ///
    /// `scope` names the list and its tenant, for example `admin_users aapp_… aenv_…`, and the
    /// filters if they must not change between pages. Identifiers in positions are to stay below
    /// 250 bytes, or the cursor is longer than [`Cursor::open`] reads.
    pub fn seal(key: &MacKey, scope: &str, position: &Position) -> String {
        let body = serde_json::json!({ "t": position.at.as_millis(), "i": position.id });
        let body = body.to_string().into_bytes();
        let tag = tag(key, scope, &body);
        BASE64_URL_SAFE_NO_PAD.encode([tag.as_slice(), &body].concat())
    }

    /// Reads at most 512 characters; every way of being wrong is the same [`BadCursor`].
    pub fn open(key: &MacKey, scope: &str, text: &str) -> Result<Position, BadCursor> {
        if text.len() > CURSOR_MAX {
            return Err(BadCursor);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (given, body) = bytes.split_at_checked(TAG_LEN).ok_or(BadCursor)?;
        if !same(&tag(key, scope, body), given) {
            return Err(BadCursor);
        }
        let body: Body = serde_json::from_slice(body).map_err(|_| BadCursor)?;
        Ok(Position {
            at: Timestamp::from_millis(body.t),
            id: body.i,
        })
    }
}

fn tag(key: &MacKey, scope: &str, body: &[u8]) -> [u8; TAG_LEN] {
    let whole = key.tag(PURPOSE, &[scope.as_bytes(), body]);
    let mut tag = [0; TAG_LEN];
    tag.copy_from_slice(&whole[..TAG_LEN]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        let at = Timestamp::from_millis(1_795_266_499_123);
        Position {
            at,
            id: "ausr_01h2xcejqtf2nbrexx3vqjhp41".into(),
        }
    }

    fn key() -> MacKey {
        MacKey::new(&[7; 32])
    }

    #[test]
    fn limits_run_from_one_to_a_hundred() {
        let table = [
            ("1", 1),
            ("20", 20),
            ("100", 100),
            ("101", 100),
            ("1000000000", 100),
        ];
        for (text, limit) in table {
            assert_eq!(Limit::parse(text).map(Limit::get), Ok(limit), "{text}");
        }
        assert_eq!(
            Limit::parse("99999999999999999999999").map(Limit::get),
            Ok(100)
        );
        for text in ["", "0", "000", "-1", "+5", "x", "1e9", "5.0", " 5"] {
            assert_eq!(Limit::parse(text), Err(NotALimit), "{text}");
        }
        assert_eq!(Limit::default().get(), 20);
    }

    #[test]
    fn a_cursor_opens_on_its_own_list() {
        let text = Cursor::seal(&key(), "users aapp_1", &position());

        assert_eq!(Cursor::open(&key(), "users aapp_1", &text), Ok(position()));
        assert!(text.len() < 120, "{}", text.len());
    }

    #[test]
    fn a_cursor_of_another_list_tenant_or_server_is_refused() {
        let text = Cursor::seal(&key(), "users aapp_1", &position());

        for scope in ["users aapp_2", "sessions aapp_1", "users", ""] {
            assert_eq!(
                Cursor::open(&key(), scope, &text),
                Err(BadCursor),
                "{scope}"
            );
        }
        let other = MacKey::new(&[8; 32]);
        assert_eq!(Cursor::open(&other, "users aapp_1", &text), Err(BadCursor));
    }

    #[test]
    fn an_altered_or_invented_cursor_is_refused() {
        let text = Cursor::seal(&key(), "users", &position());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();

        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(
                Cursor::open(&key(), "users", &forged),
                Err(BadCursor),
                "bit {bit}"
            );
        }
        for forged in [
            "",
            "x",
            "-1",
            "e30",
            &text[1..],
            &format!("{text}="),
            &"A".repeat(100_000),
        ] {
            assert_eq!(Cursor::open(&key(), "users", forged), Err(BadCursor));
        }
    }
}
