use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{Problem, ProblemKind};
use crate::kernel::id::{AppId, ClientConfigId};
use crate::kernel::language::Language;
use crate::kernel::text::{Email, WebUrl};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

/// What an administrator has set for an app; at most one document an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientConfig {
    #[serde(rename = "_id")]
    pub id: ClientConfigId,
    pub app_id: AppId,
    pub offered: Offered,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for ClientConfig {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_app_client_configs";
    const INDEXES: &'static [Index] = &[Index::unique("app_client_configs_app", &["app_id"])];
}

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignInMethod)]
pub enum Method {
    Password,
    MagicLink,
}

/// What somebody who signs in by password can call himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInName {
    Email,
    Username,
    Phone,
}

/// What an app offers, as far as it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ClientSettings)]
pub struct Offered {
    /// How people can sign in, at least one; absent: every way there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1, max_items = 2)]
    pub methods: Option<Vec<Method>>,
    /// What they can call themselves beside a password, at least one; absent: every name there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1, max_items = 3)]
    pub sign_in_names: Option<Vec<SignInName>>,
    /// Whether people may make accounts for themselves, where the environment lets them; absent:
    /// they may. Whoever is invited comes in anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub signup_enabled: Option<bool>,
    /// Where a page leads to who has signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub redirect_url: Option<WebUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub terms_url: Option<WebUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub privacy_url: Option<WebUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub support_email: Option<Email>,
    /// What the app's pages are written in, the one to begin with first; absent: every language of
    /// letters, that of the environment first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1, max_items = 2)]
    pub languages: Option<Vec<Language>>,
}

/// The way is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the app does not let people in this way")]
pub struct Closed;

impl From<Closed> for Problem {
    fn from(Closed: Closed) -> Self {
        ProblemKind::MethodDisabled.into()
    }
}

impl Method {
    pub const ALL: [Self; 2] = [Self::Password, Self::MagicLink];
}

impl SignInName {
    pub const ALL: [Self; 3] = [Self::Email, Self::Username, Self::Phone];
}

impl Offered {
    /// The ways that are open, in the order in which they are set.
    pub fn methods(&self) -> &[Method] {
        self.methods.as_deref().unwrap_or(&Method::ALL)
    }

    pub fn sign_in_names(&self) -> &[SignInName] {
        self.sign_in_names.as_deref().unwrap_or(&SignInName::ALL)
    }

    pub fn is_signup_enabled(&self) -> bool {
        self.signup_enabled.unwrap_or(true)
    }

    /// Refuses a way that is switched off.
    pub fn admits(&self, method: Method) -> Result<(), Closed> {
        if self.methods().contains(&method) {
            return Ok(());
        }
        Err(Closed)
    }

    /// Refuses a password beside a name that does not count.
    pub fn admits_password_of(&self, name: SignInName) -> Result<(), Closed> {
        self.admits(Method::Password)?;
        if self.sign_in_names().contains(&name) {
            return Ok(());
        }
        Err(Closed)
    }

    /// Refuses who would make an account for himself.
    pub fn admits_signup(&self) -> Result<(), Closed> {
        if self.is_signup_enabled() {
            return Ok(());
        }
        Err(Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_set_every_way_is_open() {
        let offered = Offered::default();

        assert!(Method::ALL.into_iter().all(|it| offered.admits(it).is_ok()));
        let mut names = SignInName::ALL.into_iter();
        assert!(names.all(|it| offered.admits_password_of(it).is_ok()));
        assert!(offered.admits_signup().is_ok());
    }

    #[test]
    fn a_name_counts_only_where_passwords_do() {
        let offered = Offered {
            methods: Some(vec![Method::MagicLink]),
            sign_in_names: Some(vec![SignInName::Email]),
            ..Offered::default()
        };

        assert_eq!(offered.admits(Method::MagicLink), Ok(()));
        assert_eq!(offered.admits_password_of(SignInName::Email), Err(Closed));
    }
}
