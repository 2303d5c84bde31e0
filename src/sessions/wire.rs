//! What clients send and get: the shapes of `api`.

use std::convert::Infallible;

use serde::Serialize;
use utoipa::ToSchema;

use super::issue::Issued;
use super::signing_in::Identifier;
use crate::devices::DeviceSecret;
use crate::http::{Change, Fields, FromFields, ProblemKind};
use crate::kernel::id::{AppId, OrgId, SessionId};
use crate::kernel::metadata::Metadata;
use crate::kernel::password::Password;
use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::users::{NewUser, UserView};

/// A new account.
#[derive(Debug, ToSchema)]
pub(super) struct SignUp {
    pub(super) email: Email,
    /// 8 to 128 characters, none of the common ones.
    #[schema(value_type = String, min_length = 8, max_length = 128, format = Password)]
    pub(super) password: Password,
    pub(super) first_name: Option<Label>,
    pub(super) last_name: Option<Label>,
    pub(super) username: Option<Username>,
    pub(super) phone: Option<Phone>,
    pub(super) metadata: Option<Metadata>,
    /// What the environment wants people to know, where it wants something (setting `signup_code`).
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(super) signup_code: Option<SecretString>,
    /// Must agree with the publishable key.
    pub(super) app_id: Option<AppId>,
    /// What names the device: what the server told it before, or a secret of its own.
    pub(super) device_id: Option<DeviceSecret>,
}

impl FromFields for SignUp {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_else("email", ProblemKind::InvalidEmail, Email::parse);
        let password = fields.required_else("password", ProblemKind::WeakPassword, Password::parse);
        let first_name = fields.optional("first_name", Label::parse);
        let last_name = fields.optional("last_name", Label::parse);
        let username = fields.optional("username", Username::parse);
        let phone = fields.optional("phone", Phone::parse);
        let metadata = fields.map("metadata", Metadata::parse);
        let signup_code = fields.optional("signup_code", |text| {
            Ok::<_, Infallible>(SecretString::from(text))
        });
        let app_id = fields.optional("app_id", str::parse);
        let device_id = fields.optional("device_id", DeviceSecret::parse);
        Some(Self {
            email: email?,
            password: password?,
            first_name: first_name?,
            last_name: last_name?,
            username: username?,
            phone: phone?,
            metadata: metadata?,
            signup_code: signup_code?,
            app_id: app_id?,
            device_id: device_id?,
        })
    }
}

impl SignUp {
    pub(super) fn into_user(self) -> (NewUser, Password) {
        let user = NewUser {
            email: self.email,
            email_verified: false,
            phone: self.phone,
            username: self.username,
            first_name: self.first_name,
            last_name: self.last_name,
            roles: Vec::new(),
            metadata: self.metadata.unwrap_or_default(),
        };
        (user, self.password)
    }
}

/// Exactly one of `email`, `username` and `phone`, and the password.
#[derive(Debug, ToSchema)]
pub(super) struct SignIn {
    pub(super) email: Option<Email>,
    pub(super) username: Option<Username>,
    pub(super) phone: Option<Phone>,
    #[schema(value_type = String, max_length = 128, format = Password)]
    pub(super) password: Password,
    /// Must agree with the publishable key.
    pub(super) app_id: Option<AppId>,
    /// What names the device: what the server told it before, or a secret of its own.
    pub(super) device_id: Option<DeviceSecret>,
    /// The organisation that the tokens are to be for; its user must be a member.
    pub(super) org_id: Option<OrgId>,
}

impl FromFields for SignIn {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.optional("email", Email::parse);
        let username = fields.optional("username", Username::parse);
        let phone = fields.optional("phone", Phone::parse);
        let password = fields.required("password", Password::presented);
        let app_id = fields.optional("app_id", str::parse);
        let device_id = fields.optional("device_id", DeviceSecret::parse);
        let org_id = fields.optional("org_id", str::parse);
        let (email, username, phone) = (email?, username?, phone?);
        let named = [email.is_some(), username.is_some(), phone.is_some()];
        if named.into_iter().filter(|named| *named).count() != 1 {
            let detail = "exactly one of `email`, `username` and `phone` is needed";
            return fields.fault("email", "required", detail);
        }
        Some(Self {
            email,
            username,
            phone,
            password: password?,
            app_id: app_id?,
            device_id: device_id?,
            org_id: org_id?,
        })
    }
}

impl SignIn {
    pub(super) fn into_identifier(self) -> Option<(Identifier, Password)> {
        let email = self.email.map(Identifier::Email);
        let username = self.username.map(Identifier::Username);
        let identifier = email.or(username).or(self.phone.map(Identifier::Phone));
        Some((identifier?, self.password))
    }
}

/// A refresh token to exchange.
#[derive(Debug, ToSchema)]
pub(super) struct Refresh {
    #[expect(clippy::struct_field_names, reason = "RFC 6749 §6 calls it so")]
    pub(super) refresh_token: String,
    /// What names the device, where the app binds sessions to their devices and no cookie does.
    pub(super) device_id: Option<DeviceSecret>,
    /// The organisation that the tokens are to be for; absent: the one before.
    pub(super) org_id: Option<OrgId>,
}

impl FromFields for Refresh {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let refresh_token = fields.required("refresh_token", str::parse::<String>);
        let device_id = fields.optional("device_id", DeviceSecret::parse);
        let org_id = fields.optional("org_id", str::parse);
        Some(Self {
            refresh_token: refresh_token?,
            device_id: device_id?,
            org_id: org_id?,
        })
    }
}

/// The organisation that a session is to go on in.
#[derive(Debug, ToSchema)]
pub(super) struct SwitchOrg {
    /// `null` for none.
    #[schema(required = true)]
    pub(super) org_id: Option<OrgId>,
    /// What names the device, where the app binds sessions to their devices and no cookie does.
    pub(super) device_id: Option<DeviceSecret>,
}

impl FromFields for SwitchOrg {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let wanted = fields.change("org_id", str::parse);
        let device_id = fields.optional("device_id", DeviceSecret::parse);
        let org_id = match wanted? {
            Change::Keep => return fields.fault("org_id", "required", "is missing"),
            Change::Clear => None,
            Change::Set(org_id) => Some(org_id),
        };
        Some(Self {
            org_id,
            device_id: device_id?,
        })
    }
}

/// A signed-in user and the tokens of the session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    pub(super) user: UserView,
    pub(super) session_id: SessionId,
    /// The organisation that the tokens are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) org_id: Option<OrgId>,
    /// The access token again, for clients that know it by this name.
    pub(super) session_token: String,
    /// A JWT (RFC 9068); verify it offline by the keys of `/.well-known/jwks.json`.
    pub(super) access_token: String,
    /// Good for one exchange.
    pub(super) refresh_token: String,
    #[schema(pattern = "^Bearer$")]
    pub(super) token_type: &'static str,
    /// When the access token ends.
    pub(super) expires_at: Timestamp,
    /// Seconds until then.
    pub(super) expires_in: i64,
    /// What names the device from now on: keep it, and send it with the next sign-in. Whoever keeps
    /// cookies has it as `authsome_device`. Absent from a refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) device_id: Option<String>,
}

impl SignedIn {
    /// Told to the client of this device.
    #[must_use]
    pub fn on(self, device: &DeviceSecret) -> Self {
        let device_id = Some(device.expose().to_owned());
        Self { device_id, ..self }
    }
}

impl From<Issued> for SignedIn {
    fn from(issued: Issued) -> Self {
        Self {
            user: UserView::of(issued.user, issued.at),
            session_id: issued.session_id,
            org_id: issued.org_id,
            session_token: issued.access_token.clone(),
            access_token: issued.access_token,
            refresh_token: issued.refresh_token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_at: issued.expires_at,
            expires_in: issued.expires_at.as_secs() - issued.at.as_secs(),
            device_id: None,
        }
    }
}

/// The address must be verified before its holder can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerificationRequired {
    #[schema(pattern = "^verification_required$", example = "verification_required")]
    pub(super) status: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<SignUp>();
        assert_documented::<SignIn>();
        assert_documented::<Refresh>();
    }
}
