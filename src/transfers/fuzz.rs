//! Lines of an import: see [`crate::kernel::fuzz`].

use super::wire::NewLine;
use crate::http::{ProblemKind, read_line};
use crate::kernel::fuzz::{always, blobs};
use crate::kernel::text::Email;

const LINES: [&str; 6] = [
    r#"{"id":"7","email":"Mia@example.org","email_verified":true,"phone":"+4915112345678","roles":["USER"],"metadata":{"a":1}}"#,
    r#"{"email":"mia@example.org","password_hash":"$2b$04$Y8tTTV0l8JIVdiEPksZRy.32MGBm68us1N2CjeynE3ZtTKwvsyW8K","created_at":"2024-02-29T12:00:00Z"}"#,
    r#"{"email":"mia@example.org","password_hash":"AQID","password_salt":"AQID","firebase":{"signer_key":"AQID","salt_separator":"Bw==","rounds":8,"mem_cost":14}}"#,
    r#"{"email":"mia@example.org","banned":true,"ban_reason":"Spam","ban_expires":"2041-01-01T00:00:00Z","image":"https://x.example/i.png"}"#,
    r#"{"email":"a@evil.io,v@corp.com"}"#,
    r#"{"email":"mia@example.org","email":"eva@example.org"}"#,
];

/// A line is an account in checked words, or its faults are told, each by its place; and no hash that
/// stands in it is.
#[test]
fn a_line_is_an_account_or_says_what_is_wrong() {
    always(blobs(LINES), |line| match read_line::<NewLine>(&line) {
        Ok(new) => {
            assert_eq!(Email::parse(new.email.as_str()).as_ref(), Ok(&new.email));
            assert!(new.id.is_none_or(|id| id.chars().count() <= 128));
            assert!(new.password_hash.is_none_or(|hash| hash.len() <= 512));
        }
        Err(problem) => {
            let is_whole = matches!(
                problem.kind(),
                ProblemKind::MalformedJson
                    | ProblemKind::DuplicateField
                    | ProblemKind::BodyTooLarge
            );
            let told = format!("{problem:?}");
            assert!(is_whole || told.contains("pointer"), "{told}");
            assert!(!told.contains("Y8tTTV0l8JIVdiEPksZRy"), "{told}");
        }
    });
}
