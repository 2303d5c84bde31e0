//! What lines look like on their way in, and what is said of them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::credentials::FirebaseProject;
use crate::http::{Fault, Fields, FromFields, ProblemKind};
use crate::kernel::id::UserId;
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::users::image_url;

/// Users in one call that is no stream.
const MOST: usize = 1_000;
const LONGEST_HASH: usize = 512;
const LONGEST_ID: usize = 128;

/// A user to be brought in.
#[derive(Debug, ToSchema)]
#[schema(as = ImportedUser)]
pub struct NewLine {
    /// What he is called where he comes from: told again in the answer, and not kept.
    #[schema(max_length = 128)]
    pub id: Option<String>,
    pub email: Email,
    /// Not, unless it is said.
    pub email_verified: Option<bool>,
    pub phone: Option<Phone>,
    pub phone_verified: Option<bool>,
    pub username: Option<Username>,
    pub display_username: Option<Label>,
    pub first_name: Option<Label>,
    pub last_name: Option<Label>,
    /// An `https` URL of at most 2,048 characters.
    #[schema(value_type = Option<String>)]
    pub image: Option<String>,
    /// `USER` is always among them; nobody brings in a role that he does not hold.
    pub roles: Option<Vec<String>>,
    pub metadata: Option<Metadata>,
    pub banned: Option<bool>,
    pub ban_reason: Option<Label>,
    pub ban_expires: Option<Timestamp>,
    /// Kept as it is, and made anew at the next sign-in: bcrypt (`$2a$ $2b$ $2y$`), Argon2id,
    /// scrypt or PBKDF2 in PHC notation, Django's `pbkdf2_sha256$…`, Firebase's scrypt in base64,
    /// or a hash of this server under the same pepper.
    #[schema(max_length = 512)]
    pub password_hash: Option<String>,
    /// With a hash of Firebase's: its salt, in base64.
    #[schema(max_length = 512)]
    pub password_salt: Option<String>,
    /// With a hash of Firebase's, where it is of another project than the others.
    pub firebase: Option<Project>,
    /// When the account was made; in the past.
    pub created_at: Option<Timestamp>,
}

/// The hash parameters of a Firebase project, as its console shows them.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = FirebaseProject)]
#[expect(dead_code, reason = "fields of a schema; what is read is the project")]
pub struct Project {
    /// In base64.
    signer_key: String,
    /// In base64.
    salt_separator: String,
    #[schema(minimum = 1, maximum = 8)]
    rounds: u32,
    #[schema(minimum = 1, maximum = 16)]
    mem_cost: u32,
    #[schema(ignore)]
    pub project: FirebaseProject,
}

/// Users to be brought in, in one body.
#[derive(Debug, ToSchema)]
#[schema(as = UserImport)]
pub(super) struct NewImport {
    /// At most 1,000. Each is read by itself: one with a fault fails alone.
    #[schema(value_type = Vec<NewLine>, max_items = 1000)]
    pub users: Vec<Value>,
    /// Where hashes are Firebase's.
    pub firebase: Option<Project>,
}

/// A line that says of which Firebase project the hashes of those behind it are.
#[derive(Debug)]
pub(super) struct Preface {
    pub firebase: Option<Project>,
}

impl FromFields for NewLine {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let id = fields.optional("id", short::<LONGEST_ID>);
        let email = fields.required("email", Email::parse);
        let email_verified = fields.flag("email_verified");
        let phone = fields.optional("phone", Phone::parse);
        let phone_verified = fields.flag("phone_verified");
        let username = fields.optional("username", Username::parse);
        let display_username = fields.optional("display_username", Label::parse);
        let first_name = fields.optional("first_name", Label::parse);
        let last_name = fields.optional("last_name", Label::parse);
        let image = fields.optional("image", image_url);
        let roles = fields.optional_list("roles", str::parse::<String>);
        let metadata = fields.map("metadata", Metadata::parse);
        let banned = fields.flag("banned");
        let ban_reason = fields.optional("ban_reason", Label::parse);
        let ban_expires = fields.optional("ban_expires", str::parse);
        let unknown = ProblemKind::UnknownHash;
        let hash = fields.optional_else("password_hash", unknown, short::<LONGEST_HASH>);
        let salt = fields.optional_else("password_salt", unknown, short::<LONGEST_HASH>);
        let firebase = fields.object("firebase");
        let created_at = fields.optional("created_at", str::parse);
        Some(Self {
            id: id?,
            email: email?,
            email_verified: email_verified?,
            phone: phone?,
            phone_verified: phone_verified?,
            username: username?,
            display_username: display_username?,
            first_name: first_name?,
            last_name: last_name?,
            image: image?,
            roles: roles?,
            metadata: metadata?,
            banned: banned?,
            ban_reason: ban_reason?,
            ban_expires: ban_expires?,
            password_hash: hash?,
            password_salt: salt?,
            firebase: firebase?,
            created_at: created_at?,
        })
    }
}

fn short<const MOST: usize>(text: &str) -> Result<String, String> {
    if text.len() <= MOST {
        Ok(text.to_owned())
    } else {
        Err(format!("is longer than {MOST} bytes"))
    }
}

impl FromFields for Project {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let signer_key = fields.required("signer_key", str::parse::<String>);
        let separator = fields.required("salt_separator", str::parse::<String>);
        let rounds = fields.required_number("rounds", 1..=8);
        let mem_cost = fields.required_number("mem_cost", 1..=16);
        let (signer_key, salt_separator) = (signer_key?, separator?);
        let (rounds, mem_cost) = (rounds?, mem_cost?);
        let keys = (&*signer_key, &*salt_separator);
        match FirebaseProject::new(keys, (rounds, mem_cost)) {
            Ok(project) => Some(Self {
                signer_key: String::new(),
                salt_separator,
                rounds,
                mem_cost,
                project,
            }),
            Err(why) => fields.fault(
                "signer_key",
                ProblemKind::UnknownHash.slug(),
                why.to_string(),
            ),
        }
    }
}

impl From<FirebaseProject> for Project {
    fn from(project: FirebaseProject) -> Self {
        Self {
            signer_key: String::new(),
            salt_separator: String::new(),
            rounds: 0,
            mem_cost: 0,
            project,
        }
    }
}

impl FromFields for NewImport {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let users = fields.items_as_they_are("users", MOST);
        let firebase = fields.object("firebase");
        Some(Self {
            users: users?,
            firebase: firebase?,
        })
    }
}

impl FromFields for Preface {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let firebase = fields.object("firebase");
        Some(Self {
            firebase: firebase?,
        })
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ImportOutcome)]
pub enum Outcome {
    Created,
    /// Somebody has the address already, and stays as he is.
    Skipped,
    /// Nothing was made.
    Failed,
}

/// One line, and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ImportedLine)]
pub struct ImportedLine {
    /// From 1, blank ones counted; in a body that is no stream, the place in the list.
    pub line: u64,
    pub status: Outcome,
    /// The user who was made, or has the address. Absent in a dry run, of one who would be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<UserId>,
    /// The `id` of the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub from: Option<String>,
    /// Why he was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewLine>();
        assert_documented::<Project>();
        assert_documented::<NewImport>();
    }
}
