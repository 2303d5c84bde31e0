use std::str::FromStr;

use actix_web::web::Data;
use actix_web::{get, patch};
use utoipa::ToSchema;

use super::changing::SettingsChange;
use super::record::{Kept, Settings};
use super::service::Environments;
use crate::access::{Permission, ReadEnvironments, UpdateEnvironments};
use crate::http::{
    Allowed, Answer, Body, Change, Fields, FromFields, Ok200, PathId, ProblemKind, Routing,
};
use crate::kernel::id::EnvId;
use crate::kernel::language::Language;
use crate::kernel::text::{Origin, WebUrl};
use crate::settings::{Key, Kind, Value};

/// Origins an environment may allow, at most.
const MOST_ORIGINS: usize = 50;

pub(super) fn routes(config: &mut Routing) {
    config.service(settings).service(change_settings);
}

/// A change to settings; what is absent stays.
#[derive(Debug, Clone, Default, ToSchema)]
#[schema(as = EnvironmentSettingsChanges)]
pub(super) struct SettingsChanges {
    pub signup_open: Option<bool>,
    pub require_verification: Option<bool>,
    /// At most 50, each exactly as browsers send it: `https://app.example.com`.
    #[schema(max_items = 50)]
    pub allowed_origins: Option<Vec<Origin>>,
    pub default_language: Option<Language>,
    #[schema(value_type = Option<WebUrl>)]
    pub verify_email_url: Change<WebUrl>,
    #[schema(value_type = Option<WebUrl>)]
    pub reset_password_url: Change<WebUrl>,
    #[schema(value_type = Option<WebUrl>)]
    pub magic_link_url: Change<WebUrl>,
    #[schema(value_type = Option<WebUrl>)]
    pub change_email_url: Change<WebUrl>,
    #[schema(value_type = Option<WebUrl>)]
    pub invitation_url: Change<WebUrl>,
    #[schema(minimum = 3600, maximum = 2_592_000)]
    pub invitation_ttl_seconds: Option<u32>,
}

impl SettingsChanges {
    fn kept(&self, before: &Kept) -> Kept {
        let origins = self.allowed_origins.as_ref();
        Kept {
            allowed_origins: origins.unwrap_or(&before.allowed_origins).clone(),
            verify_email_url: self.verify_email_url.applied_to(&before.verify_email_url),
            reset_password_url: self
                .reset_password_url
                .applied_to(&before.reset_password_url),
            magic_link_url: self.magic_link_url.applied_to(&before.magic_link_url),
            change_email_url: self.change_email_url.applied_to(&before.change_email_url),
            invitation_url: self.invitation_url.applied_to(&before.invitation_url),
        }
    }

    /// What of it is chosen among the settings of all levels, at that of the environment.
    fn choices(&self) -> Vec<(Key, Value)> {
        let signup_open = self.signup_open.map(Value::Flag);
        let require_verification = self.require_verification.map(Value::Flag);
        let language = self.default_language.map(|it| it.as_str().to_owned());
        let invitation_ttl = self.invitation_ttl_seconds.map(Value::Number);
        let all = [
            (Key::SignupOpen, signup_open),
            (Key::RequireVerification, require_verification),
            (Key::DefaultLanguage, language.map(Value::Text)),
            (Key::InvitationTtl, invitation_ttl),
        ];
        let chosen = all.into_iter().filter_map(|(key, it)| Some((key, it?)));
        chosen.collect()
    }
}

impl FromFields for SettingsChanges {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let Kind::Number(least, most) = Key::InvitationTtl.definition().kind else {
            return None;
        };
        let signup_open = fields.flag("signup_open");
        let require_verification = fields.flag("require_verification");
        let allowed_origins = fields.optional_list("allowed_origins", Origin::parse);
        let default_language = fields.optional("default_language", Language::from_str);
        let verify_email_url = fields.change("verify_email_url", WebUrl::parse);
        let reset_password_url = fields.change("reset_password_url", WebUrl::parse);
        let magic_link_url = fields.change("magic_link_url", WebUrl::parse);
        let change_email_url = fields.change("change_email_url", WebUrl::parse);
        let invitation_url = fields.change("invitation_url", WebUrl::parse);
        let invitation_ttl = fields.number("invitation_ttl_seconds", least..=most);
        let allowed_origins = allowed_origins?;
        if allowed_origins
            .as_ref()
            .is_some_and(|it| it.len() > MOST_ORIGINS)
        {
            return fields.fault("allowed_origins", "too_many", "at most 50 origins");
        }
        Some(Self {
            signup_open: signup_open?,
            require_verification: require_verification?,
            allowed_origins,
            default_language: default_language?,
            verify_email_url: verify_email_url?,
            reset_password_url: reset_password_url?,
            magic_link_url: magic_link_url?,
            change_email_url: change_email_url?,
            invitation_url: invitation_url?,
            invitation_ttl_seconds: invitation_ttl?,
        })
    }
}

/// Read the settings of an environment
///
/// As they hold, with the default where nothing is chosen.
#[utoipa::path(
    tag = "environments", operation_id = "environments.settings.read",
    params(("id" = EnvId, Path, description = "The environment")),
    responses((status = 200, description = "The settings", body = Settings)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadEnvironments::NAME))),
)]
#[get("/v1/environments/{id}/settings")]
async fn settings(
    access: Allowed<ReadEnvironments>,
    id: PathId<EnvId>,
    environments: Data<Environments>,
) -> Answer<Ok200<Settings>> {
    Ok(Ok200::new(
        environments
            .get(access.tenant(), id.into_inner())
            .await?
            .settings,
    ))
}

/// Change the settings of an environment
///
/// A field that is absent stays as it is; a page that is `null` is this server's own again. Its
/// origins and pages are its own. The rest is chosen at the level of the environment, as by
/// `PUT /v1/admin/settings/{setting}?level=environment`, where nothing above enforces another choice.
#[utoipa::path(
    tag = "environments", operation_id = "environments.settings.update",
    params(("id" = EnvId, Path, description = "The environment")),
    request_body(
        content = SettingsChanges,
        example = json!({"allowed_origins": ["https://app.example.com"]}),
    ),
    responses((status = 200, description = "The changed settings", body = Settings)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateEnvironments::NAME)),
        ("x-problems" = json!([ProblemKind::SettingEnforced])),
    ),
)]
#[patch("/v1/environments/{id}/settings")]
async fn change_settings(
    access: Allowed<UpdateEnvironments>,
    id: PathId<EnvId>,
    changes: Body<SettingsChanges>,
    environments: Data<Environments>,
) -> Answer<Ok200<Settings>> {
    let (id, changes) = (id.into_inner(), changes.into_inner());
    let change = SettingsChange {
        kept: &|before| changes.kept(before),
        choices: changes.choices(),
    };
    let after = environments
        .change_settings(access.caller(), (id, &change), access.origin())
        .await?;
    Ok(Ok200::new(after.settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<SettingsChanges>();
    }
}
