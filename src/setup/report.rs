//! What an operator is told of an installation: as JSON for programs, as text with curl lines.

use std::fmt::Write;

use serde::Serialize;

use super::service::Installed;
use crate::environments::Environment;
use crate::kernel::id::{AppId, EnvId, UserId};
use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::text::{Email, Slug};

/// Secrets stand in it only when they were just made.
#[derive(Debug, Serialize)]
pub struct Report {
    app_id: AppId,
    /// The app's default environment.
    env_id: EnvId,
    publishable_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
    admin: Admin,
    platform: Platform,
    environments: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Admin {
    user_id: UserId,
    email: Email,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Debug, Serialize)]
struct Platform {
    app_id: AppId,
    env_id: EnvId,
    publishable_key: String,
}

#[derive(Debug, Serialize)]
struct Named {
    id: EnvId,
    slug: Slug,
    publishable_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
}

impl Report {
    /// `None` only for an app without environments.
    pub fn of(installed: &Installed) -> Option<Self> {
        let all = &installed.environments;
        let default = all
            .iter()
            .find(|(environment, _)| environment.is_default)
            .or(all.first())?;
        Some(Self {
            app_id: installed.app.id,
            env_id: default.0.id,
            publishable_key: default.0.publishable_key.clone(),
            secret_key: shown(default.1.as_ref()),
            admin: Admin {
                user_id: installed.operator.id,
                email: installed.operator.email.clone(),
                password: shown(installed.operator_password.as_ref()),
            },
            platform: Platform {
                app_id: installed.platform.app_id,
                env_id: installed.platform.id,
                publishable_key: installed.platform.publishable_key.clone(),
            },
            environments: all
                .iter()
                .map(|(one, secret)| named(one, secret.as_ref()))
                .collect(),
        })
    }

    /// Whether this start made something whose secrets will not be told again.
    pub fn is_new(&self) -> bool {
        self.admin.password.is_some() || self.secret_key.is_some()
    }

    /// Whether the operator was just made.
    pub fn made_operator(&self) -> bool {
        self.admin.password.is_some()
    }

    /// For people: what was made, and first steps against the server at `url`.
    pub fn text(&self, url: &str) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "app                {}", self.app_id);
        for environment in &self.environments {
            let _ = writeln!(text, "\n{}", environment.slug);
            let _ = writeln!(text, "  publishable key  {}", environment.publishable_key);
            if let Some(secret) = &environment.secret_key {
                let _ = writeln!(text, "  secret key       {secret}   (shown once)");
            }
        }
        let _ = writeln!(text, "\noperator           {}", self.admin.email);
        if let Some(password) = &self.admin.password {
            let _ = writeln!(text, "  password         {password}   (shown once)");
        }
        let _ = writeln!(text, "  publishable key  {}", self.platform.publishable_key);
        text + self.first_steps(url).as_str()
    }

    fn first_steps(&self, url: &str) -> String {
        let key = &self.publishable_key;
        let account = r#"{"email":"mia@example.org","password":"a long quiet river"}"#;
        let call = |path: &str| {
            format!(
                "curl -sS {url}{path} -H 'X-Publishable-Key: {key}' \\\n  \
                 -H 'Content-Type: application/json' -d '{account}'\n"
            )
        };
        format!(
            "\nSign up, then sign in:\n\n{}\n{}",
            call("/v1/signup"),
            call("/v1/signin")
        )
    }
}

fn shown(secret: Option<&SecretString>) -> Option<String> {
    secret.map(|secret| secret.expose_secret().to_owned())
}

fn named(environment: &Environment, secret: Option<&SecretString>) -> Named {
    Named {
        id: environment.id,
        slug: environment.slug.clone(),
        publishable_key: environment.publishable_key.clone(),
        secret_key: shown(secret),
    }
}
