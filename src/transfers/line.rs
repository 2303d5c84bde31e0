//! A line becomes an account: made up, and judged by itself.

use super::wire::NewLine;
use crate::access::{Role, assignable};
use crate::credentials::{BadHash, FirebaseProject, Hasher, StoredHash};
use crate::forms::Form;
use crate::http::{Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::metadata::Metadata;
use crate::kernel::time::Timestamp;
use crate::users::{NewUser, User};

/// An account that is made up, and not made yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub line: u64,
    pub from: Option<String>,
    pub user: User,
    pub hash: Option<StoredHash>,
}

/// What drafts are made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workshop<'a> {
    pub app: AppId,
    pub is_platform: bool,
    /// What answers are held against, where the app asks anything.
    pub form: Option<&'a Form>,
    pub hasher: &'a Hasher,
    pub entropy: &'a Entropy,
    pub now: Timestamp,
}

impl Workshop<'_> {
    pub(super) fn draft(
        &self,
        line: u64,
        new: NewLine,
        project: Option<&FirebaseProject>,
    ) -> Result<Draft, Problem> {
        let roles = self.roles(new.roles.as_deref().unwrap_or_default())?;
        let hash = self.hash(&new, project)?;
        let made_at = new.created_at.unwrap_or(self.now);
        if made_at > self.now || made_at < Timestamp::from_millis(0) {
            return Err(invalid(
                "created_at",
                "must lie in the past, and after 1970",
            ));
        }
        let is_banned = new.banned.unwrap_or(false);
        if !is_banned && (new.ban_reason.is_some() || new.ban_expires.is_some()) {
            return Err(invalid("banned", "a ban is needed for its reason and term"));
        }
        let metadata = self.metadata(new.metadata.unwrap_or_default())?;
        let phone_verified = new.phone.is_some() && new.phone_verified.unwrap_or(false);
        let account = NewUser {
            email: new.email,
            email_verified: new.email_verified.unwrap_or(false),
            phone: new.phone,
            username: new.username,
            first_name: new.first_name,
            last_name: new.last_name,
            roles,
            metadata,
        };
        let user = User {
            phone_verified,
            display_username: new.display_username,
            image: new.image,
            banned: is_banned,
            ban_reason: new.ban_reason,
            ban_expires: new.ban_expires,
            updated_at: self.now,
            ..account.made(self.app, made_at, self.entropy)
        };
        Ok(Draft {
            line,
            from: new.id,
            user,
            hash,
        })
    }

    fn metadata(&self, said: Metadata) -> Result<Metadata, Problem> {
        match self.form {
            Some(form) => Ok(form.answered(said)?),
            None => Ok(said),
        }
    }

    /// Whether the caller could give them is judged with the unit of work that makes the account.
    fn roles(&self, names: &[String]) -> Result<Vec<Role>, Problem> {
        let mut roles = Vec::new();
        for name in names {
            let role = name.parse::<Role>().ok();
            let known = role.filter(|role| assignable(self.is_platform).contains(role));
            roles.push(known.ok_or(ProblemKind::UnknownRole)?);
        }
        Ok(roles)
    }

    fn hash(
        &self,
        new: &NewLine,
        project: Option<&FirebaseProject>,
    ) -> Result<Option<StoredHash>, Problem> {
        let own = new.firebase.as_ref().map(|own| &own.project);
        let taken = match (&new.password_hash, &new.password_salt) {
            (None, None) => return Ok(None),
            (None, Some(_)) => Err(BadHash::Malformed),
            (Some(hash), None) => self.hasher.take_over(hash),
            (Some(hash), Some(salt)) => match own.or(project) {
                Some(project) => self.hasher.adopt(project, (hash, salt)),
                None => Err(BadHash::NoParameters),
            },
        };
        taken.map(Some).map_err(|why| {
            let kind = ProblemKind::UnknownHash;
            Problem::new(kind).field("/password_hash", kind.slug(), why.to_string())
        })
    }
}

fn invalid(name: &str, why: &str) -> Problem {
    let kind = format!("invalid_{name}");
    Problem::new(ProblemKind::InvalidBody).field(&format!("/{name}"), &kind, why)
}
