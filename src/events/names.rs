//! The table of event names: stable, documented, one row each.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};

macro_rules! names {
    ($($variant:ident = $name:literal, $meaning:literal;)+) => {
        /// What happened, as consumers of events know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Name {
            $(#[doc = $meaning] #[serde(rename = $name)] $variant,)+
        }

        impl Name {
            /// Every name with its meaning, for documentation.
            pub const ALL: &'static [(Name, &'static str, &'static str)] =
                &[$((Name::$variant, $name, $meaning)),+];

            /// The name on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Name::$variant => $name,)+
                }
            }
        }
    };
}

// Written out because the derive does not see names that come out of a table.
impl utoipa::PartialSchema for Name {
    fn schema() -> RefOr<Schema> {
        let row = |(_, name, meaning): &(Name, &str, &str)| format!("- `{name}`: {meaning}\n");
        let rows: String = Name::ALL.iter().map(row).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Name::ALL.iter().map(|(_, name, _)| *name)))
            .description(Some(format!("What happened.\n\n{rows}")))
            .into()
    }
}

impl utoipa::ToSchema for Name {
    fn name() -> std::borrow::Cow<'static, str> {
        "EventName".into()
    }
}

names! {
    UserSignedUp = "user.signed_up", "An account was made by its holder.";
    UserCreated = "user.created",
        "An account was made by an administrator, with `roles`; of an import, whoever has one beyond `USER`.";
    UsersImported = "users.imported",
        "Users were brought in at once, `users` of them; one import has several such events, and one `import`.";
    UsersExported = "users.exported",
        "The users of an app were taken along, with their password hashes where `hashes` says so.";
    UserUpdated = "user.updated", "A profile was changed.";
    UserRolesChanged = "user.roles_changed", "The roles of a user in his app were changed.";
    EmailVerified = "user.email_verified",
        "An address was proven to be its user's; denied, where a link or code was refused.";
    VerificationRequested = "verification.requested",
        "Another letter was asked for that verifies an address.";
    EmailChangeRequested = "email_change.requested", "A user asked for another address.";
    EmailChanged = "email_change.completed", "A new address was confirmed.";
    EmailChangeRejected = "email_change.rejected",
        "A new address was not confirmed: its link was void or over, or somebody else had it.";
    PasswordResetRequested = "password.reset_requested",
        "A letter was asked for that sets a new password.";
    PasswordReset = "password.reset",
        "A new password was set by link; denied, where the link was refused.";
    PasswordResetStarted = "password.admin_reset_started",
        "An administrator had a letter sent that sets a new password.";
    PasswordChanged = "password.changed", "A user changed his password.";
    MagicLinkRequested = "magic_link.requested", "A letter was asked for that signs in.";
    UserBanned = "user.banned", "A user was banned, or his ban was changed.";
    UserUnbanned = "user.unbanned", "The ban of a user was lifted.";
    ImpersonationStarted = "user.impersonation_started",
        "An administrator began to act as a user, for the `reason` that he gave.";
    ImpersonationStopped = "user.impersonation_stopped",
        "Acting as a user ended before its time; `ended` says why.";
    UserDeleted = "user.deleted", "An account was deleted, by its holder or by an administrator.";
    UserExported = "user.exported", "A user was given all that is kept about him.";
    OrganizationCreated = "organization.created", "An organisation was founded.";
    OrganizationUpdated = "organization.updated", "An organisation was changed.";
    OrganizationDeleted = "organization.deleted",
        "An organisation was deleted, with everything that was part of it.";
    OrganizationTransferred = "organization.transferred",
        "An owner handed an organisation to another member.";
    MemberAdded = "member.added", "A user became a member of an organisation.";
    MemberRolesChanged = "member.roles_changed", "The roles of a member were changed.";
    MemberRemoved = "member.removed", "A member was removed from an organisation.";
    MemberLeft = "member.left", "A member left an organisation.";
    InvitationCreated = "invitation.created", "Somebody was invited into an organisation.";
    InvitationResent = "invitation.resent",
        "An invitation was sent anew; the link of the letter before leads nowhere.";
    InvitationRevoked = "invitation.revoked", "An invitation was revoked.";
    InvitationSuperseded = "invitation.superseded",
        "An invitation that had run out gave way to a new one.";
    InvitationAccepted = "invitation.accepted",
        "An invitation was accepted; denied, where whoever had its link could not accept it.";
    InvitationDeclined = "invitation.declined", "An invitation was declined.";
    TeamCreated = "team.created", "A team of an organisation was made.";
    TeamUpdated = "team.updated", "A team was changed.";
    TeamDeleted = "team.deleted", "A team was deleted, with every place in it.";
    TeamMemberAdded = "team.member_added", "A member was put into a team.";
    TeamMemberChanged = "team.member_changed", "A member became lead of a team, or lead no more.";
    TeamMemberRemoved = "team.member_removed", "A member was taken out of a team.";
    PermissionsRegistered = "permissions.registered",
        "The resources and actions that an app registers were changed.";
    RoleCreated = "role.created", "A role was defined, by an app or in an organisation.";
    RoleUpdated = "role.updated", "A role was redefined.";
    RoleDeleted = "role.deleted",
        "A role was deleted; who had it has the `replacement` from then on.";
    AccessDenied = "access.denied",
        "A caller was refused what he may not do: the `permission` that it takes; told once a minute.";
    ReauthenticationDenied = "reauthentication.denied",
        "A user did not prove again that it is he, before something that cannot be undone.";
    SessionCreated = "session.created", "A user signed in.";
    SessionDenied = "session.denied",
        "A sign-in was refused, or any other use of a password while the account was locked.";
    SessionRevoked = "session.revoked", "A session was ended before its time.";
    SessionsRevoked = "sessions.revoked",
        "Sessions of a user were ended at once; `sessions` says how many, `reason` why.";
    SessionsRevokedTogether = "sessions.revoked_together",
        "The sessions of several users, or of everybody in the environment, were ended at once; `sessions` says how many.";
    RefreshReuseDetected = "refresh.reuse_detected",
        "A refresh token was presented after it had been exchanged; its session was ended.";
    RateLimitExceeded = "rate_limit.exceeded",
        "Something was tried more often than its rule admits; told once a period.";
    SpraySuspected = "auth.spray_suspected",
        "More sign-ins of an app were wrong within a minute than people get wrong; told once a period.";
    SuspiciousSignIn = "auth.suspicious",
        "A right password came after so many wrong ones that the account had been locked.";
    UserUnlocked = "user.unlocked", "An administrator lifted the lock of an account.";
    BindingRefused = "session.binding_refused",
        "A refresh token was presented from another address or device than its session's; it stays good there.";
    DeviceAdded = "device.added", "A user signed in from a device for the first time.";
    DeviceRenamed = "device.renamed", "A device was named by its user.";
    DeviceTrusted = "device.trusted", "A device is trusted by its user, for a term.";
    DeviceUntrusted = "device.untrusted", "A device is no longer trusted by its user.";
    DeviceRemoved = "device.removed", "A device was removed by its user, and its sessions ended.";
    SessionConfigUpdated = "session_config.updated", "The session rules of an app were changed.";
    FormConfigUpdated = "form_config.updated",
        "A form of an app was changed: the `form_type` and the `version` that it has now.";
    FormConfigRemoved = "form_config.removed", "A form of an app was removed: the `form_type`.";
    ClientConfigUpdated = "client_config.updated",
        "The ways in and the pages that an app offers were changed.";
    BrandingUpdated = "branding.updated", "How an app or an organisation looks was changed.";
    SettingChosen = "setting.chosen",
        "A setting was chosen, at the `level` that is named; never to which value.";
    SettingTakenBack = "setting.taken_back", "A setting is no longer chosen at a `level`.";
    EnvironmentUpdated = "environment.updated",
        "An environment, or its settings, were changed.";
    EnvironmentDeleted = "environment.deleted",
        "An environment was deleted, with everything of it; told in the app's default one.";
    EnvironmentDefaultChanged = "environment.default_changed",
        "Another environment became the default one of its app.";
    PublishableKeyRotated = "environment.key_rotated",
        "An environment has a new publishable key; the one before is good until `superseded_until`.";
    ApiKeyCreated = "api_key.created", "An API key was made.";
    ApiKeyUpdated = "api_key.updated", "An API key was given another name, other scopes or an earlier end.";
    ApiKeyRotated = "api_key.rotated",
        "An API key was given another secret; the one before is good until the time in `until`.";
    ApiKeyRevoked = "api_key.revoked", "An API key was revoked.";
    ApiKeyCreatorLeft = "api_key.creator_left",
        "Whoever made an API key of an organisation or the app has left; the key stays.";
    TokenExchanged = "token.exchanged", "An API key was exchanged for an access token.";
    ServiceAccountCreated = "service_account.created", "A service account was made.";
    ServiceAccountUpdated = "service_account.updated",
        "A service account was changed, disabled or enabled.";
    ServiceAccountDeleted = "service_account.deleted",
        "A service account was deleted, with its API keys.";
    NotificationFailed = "notification.failed", "A letter was given up: its recipient was refused, \
        or it came too late.";
    AppCreated = "app.created", "An app was made.";
    AppUpdated = "app.updated", "How an app is described was changed.";
    AppDeleted = "app.deleted", "An app was deleted, with everything that was its own.";
    EnvironmentCreated = "environment.created", "An environment was made.";
    WebhookCreated = "webhook.created", "A webhook was made.";
    WebhookUpdated = "webhook.updated", "A webhook was changed.";
    WebhookDeleted = "webhook.deleted", "A webhook was deleted.";
    WebhookSecretRotated = "webhook.secret_rotated", "A webhook was given a new secret.";
    WebhookTested = "webhook.tested", "A webhook was asked for a sign of life; of all webhooks, told to it alone.";
    WebhookRetried = "webhook.delivery_retried", "A delivery of a webhook was asked for again.";
    WebhookDisabled = "webhook.disabled",
        "A webhook was switched off, as nothing reached it any more; `reason` says how that showed.";
    SigningKeyPublished = "signing_key.published",
        "A new signing key was published, which signs from the time in `activates_at`.";
    SigningKeyWithdrawn = "signing_key.withdrawn",
        "A signing key was replaced at once, and every token it had signed was refused from then on.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Name;

    #[test]
    fn names_are_unique_dotted_and_lower_case() {
        let names: HashSet<_> = Name::ALL.iter().map(|(_, name, _)| *name).collect();
        assert_eq!(names.len(), Name::ALL.len());
        for name in names {
            assert!(name.contains('.'), "{name}");
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || "._".contains(c)),
                "{name}"
            );
        }
    }
}
