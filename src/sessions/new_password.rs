//! A password that somebody chooses: judged, then hashed.

use super::service::Sessions;
use crate::apps;
use crate::credentials::{Busy, StoredHash};
use crate::http::{Problem, ProblemKind};
use crate::kernel::password::{MIN_CHARS, Password, WeakPassword};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Label};
use crate::settings::Key;
use crate::store::StoreError;
use crate::users::{NewUser, User};

/// Whose password it is to be: what it must not consist of.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    email: &'a Email,
    first_name: Option<&'a Label>,
    last_name: Option<&'a Label>,
}

#[derive(Debug, thiserror::Error)]
pub enum PasswordRefused {
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    #[error("the password is among those that are guessed first")]
    Common,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PasswordRefused {
    /// The problem of a body whose field at `pointer` is the password.
    pub fn at(self, pointer: &str) -> Problem {
        match self {
            Self::Common => Problem::new(ProblemKind::WeakPassword).field(
                pointer,
                ProblemKind::WeakPassword.slug(),
                "is among the passwords that are guessed first",
            ),
            Self::Weak(weak) => Problem::new(ProblemKind::WeakPassword).field(
                pointer,
                ProblemKind::WeakPassword.slug(),
                weak.to_string(),
            ),
            Self::Busy(_) => ProblemKind::Busy.into(),
            Self::Store(error) => error.into(),
        }
    }
}

impl Sessions {
    /// The hash of a password that is as long as the environment wants it, and that nobody would
    /// guess early (SP 800-63B-4 §3.1.1.2).
    pub async fn hash_new(
        &self,
        tenant: Tenant,
        password: Password,
        owner: Owner<'_>,
    ) -> Result<StoredHash, PasswordRefused> {
        let environment = self.environment(tenant).await?;
        let least = environment.chosen.number(Key::PasswordMinLength);
        let least = usize::try_from(least).unwrap_or(MIN_CHARS);
        password.is_at_least(least)?;
        let app = apps::get(&mut self.store.once().shared(), tenant.app_id).await?;
        let mut words = owner.words();
        words.extend(app.map(|app| app.name.to_string()));
        if self
            .hasher
            .is_common(tenant, password.clone(), words)
            .await?
        {
            return Err(PasswordRefused::Common);
        }
        Ok(self.hasher.hash(tenant, password).await?)
    }
}

impl Owner<'_> {
    fn words(&self) -> Vec<String> {
        let names = [self.first_name, self.last_name].map(|name| name.map_or("", Label::as_str));
        let [first, last] = names.map(str::to_owned);
        let words = [
            self.email.to_string(),
            self.email.local().to_owned(),
            format!("{first} {last}"),
            first,
            last,
        ];
        let said = words.into_iter().filter(|word| !word.trim().is_empty());
        said.collect()
    }
}

impl<'a> From<&'a User> for Owner<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            email: &user.email,
            first_name: user.first_name.as_ref(),
            last_name: user.last_name.as_ref(),
        }
    }
}

impl<'a> From<&'a NewUser> for Owner<'a> {
    fn from(user: &'a NewUser) -> Self {
        Self {
            email: &user.email,
            first_name: user.first_name.as_ref(),
            last_name: user.last_name.as_ref(),
        }
    }
}
