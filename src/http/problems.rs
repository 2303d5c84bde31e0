//! The table of problems: every way a request can be refused, one row each.
//!
//! From a row derive the status, the `type`, the title, the page at `GET /problems/{type}` and the
//! entries of the OpenAPI document. A row that no operation and no part of the edge can answer is
//! refused by a test.

use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};

macro_rules! problems {
    ($( $kind:ident $status:literal $slug:literal $title:literal $documentation:literal; )*) => {
        /// A row of the table of problems.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind {
            $( #[doc = $documentation] $kind, )*
        }

        impl ProblemKind {
            /// Every row, in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$kind, )* ];

            /// The stable machine-readable name: the `type` of the answer.
            pub const fn slug(self) -> &'static str {
                match self { $( Self::$kind => $slug, )* }
            }

            /// One sentence for people, the same for every occurrence (RFC 9457 §3.1.3).
            pub const fn title(self) -> &'static str {
                match self { $( Self::$kind => $title, )* }
            }

            /// What the page of the problem says.
            pub const fn documentation(self) -> &'static str {
                match self { $( Self::$kind => $documentation, )* }
            }

            const fn code(self) -> u16 {
                match self { $( Self::$kind => $status, )* }
            }
        }
    };
}

problems! {
    BadRequest 400 "bad_request" "The request cannot be understood"
        "The request is not well-formed HTTP for this path.";
    InvalidBody 400 "invalid_body" "The body is not valid"
        "One or more fields are missing or out of bounds. `errors` names each of them by its JSON pointer.";
    MalformedJson 400 "malformed_json" "The body is not JSON"
        "The body is not one JSON object in UTF-8, or nests deeper than 32 levels.";
    UnknownField 400 "unknown_field" "The body has a field this operation does not know"
        "Fields outside the schema are refused rather than ignored, so that a misspelt one cannot go unnoticed. `errors` names them.";
    DuplicateField 400 "duplicate_field" "The body names a field twice"
        "Two readers of the same document could pick different values, so a repeated name is refused.";
    InvalidEmail 400 "invalid_email" "This is not an e-mail address"
        "The text is not one plain e-mail address after normalisation.";
    InvalidIdempotencyKey 400 "invalid_idempotency_key" "This is no idempotency key"
        "`Idempotency-Key` takes 1 to 255 visible ASCII characters, once. A UUID is one.";
    WeakPassword 400 "weak_password" "This password is too weak"
        "The password is too short or too long, is among the common ones, or contains the name or address of its owner.";
    UnknownRole 400 "unknown_role" "There is no such role"
        "A role that was named does not exist in this app.";
    NotConfirmed 400 "not_confirmed" "Confirm it by the slug of the app"
        "What cannot be undone wants the slug of the app typed: `?confirm=<slug>`.";
    UnknownHash 400 "unknown_hash" "This password hash is not taken over"
        "The hash is of a kind that is not known here, is damaged, needs parameters that were not given, or would take too long to verify.";
    RoleReserved 400 "role_reserved" "This name is kept"
        "The name belongs to the product, or would be taken for a role that is more than one of an organisation. Case and separators do not matter. Choose another one.";
    RoleCycle 400 "role_cycle" "A role cannot inherit from itself"
        "The parent is the role itself, or inherits from it.";
    RoleTooDeep 400 "role_too_deep" "The role inherits through too many others"
        "A chain of roles that inherit from one another has ten at most, built-in ones aside.";
    SettingLevel 400 "setting_level" "This setting is not chosen at this level"
        "Each setting can be chosen at the levels that the list of settings names.";
    SlugReserved 400 "slug_reserved" "This slug is kept"
        "The slug would be taken for a part of a site, such as `admin` or `api`. Choose another one.";
    InvalidLink 400 "invalid_link" "This link is not good"
        "The token is not one of ours, is of another purpose or app, or the link was used, replaced by a newer one or made void. Ask for a new letter.";
    LinkExpired 400 "link_expired" "This link is over"
        "The link was good for the time that its letter names. Ask for a new letter.";
    InvalidCode 400 "invalid_code" "This code is wrong"
        "The code is not the one of the newest letter to this address, is over, or was tried too often. Ask for a new letter.";
    InvalidQuery 400 "invalid_query" "The query is not valid"
        "A query parameter is unknown, repeated or out of bounds. `errors` names each of them.";
    BadCursor 400 "bad_cursor" "This cursor is not one of ours"
        "A cursor is valid only for the list that issued it, and only unchanged. Start again without one.";
    AppContextRequired 400 "app_context_required" "The request names no app"
        "Send the publishable key of the environment in `X-Publishable-Key`, or a credential.";
    AmbiguousCredentials 400 "ambiguous_credentials" "The request presents more than one credential"
        "Two different credentials or publishable keys were sent. Send one of them.";
    AmbiguousFraming 400 "ambiguous_framing" "The length of the body is ambiguous"
        "The request states the length of its body in two ways, or carries a body where none belongs. The connection closes.";
    SignInRequired 401 "sign_in_required" "Sign in to accept this invitation"
        "The address that was invited has an account. Sign in to it; the invitation waits there.";
    Unauthenticated 401 "unauthenticated" "Sign in first"
        "The operation needs a credential and the request presents none.";
    InvalidToken 401 "invalid_token" "This credential is not valid"
        "The access token or API key is malformed, expired, revoked or not ours.";
    InvalidPublishableKey 401 "invalid_publishable_key" "This publishable key is unknown"
        "No environment has this publishable key.";
    TenantMismatch 401 "tenant_mismatch" "Key and credential do not belong together"
        "The publishable key (or the `app_id` of the body) and the credential name different apps or environments.";
    InvalidCredentials 401 "invalid_credentials" "These credentials are wrong"
        "The account does not exist or the password is wrong; which of them is not told.";
    InvalidRefreshToken 401 "invalid_refresh_token" "This refresh token is not valid"
        "The refresh token is malformed, expired, or belongs to a session that has ended or is bound to another address or device; in the last case it is still good there.";
    RefreshTokenReused 401 "refresh_token_reused" "This refresh token was used before"
        "A refresh token works once. A second use means that it was copied, so its session has been ended.";
    Forbidden 403 "forbidden" "This is not allowed"
        "The caller is known, but none of its roles allows the operation.";
    RoleNotHeld 403 "role_not_held" "You do not have this role yourself"
        "Nobody gives or takes a role that he does not hold, and nobody bans, deletes or impersonates a user who has one, or ends the sessions of one.";
    ScopeNotHeld 403 "scope_not_held" "You do not have this right yourself"
        "An API key is given no scope that whoever makes it, or whoever it is for, does not have, and a token none that its key does not have; `errors` names the scope.";
    KeyNotExchangeable 403 "key_not_exchangeable" "This key is not exchanged for tokens"
        "The uses of the key are counted, and a token could be used any number of times.";
    NotAddressee 403 "not_addressee" "This invitation is for somebody else"
        "The invitation went to another address than that of the account that is signed in.";
    NotAMember 403 "not_a_member" "You are no member of this organisation"
        "The organisation that tokens were asked for does not exist, or its user is no member. Which of the two is not told.";
    UserRequired 403 "user_required" "Only a person can do this"
        "The operation concerns the caller's own account, or wants somebody to answer for it, and was called with an API key.";
    ReauthRequired 403 "reauth_required" "Prove first that it is you"
        "What cannot be undone needs the password, or, of an account without one, a session that began within the last ten minutes.";
    SignupCodeWrong 403 "signup_code_wrong" "This takes the right sign-up code"
        "People make accounts here with the code that they were given, sent as `signup_code`.";
    SignupClosed 403 "signup_closed" "Sign-up is closed"
        "People cannot make accounts for themselves in this environment.";
    MethodDisabled 403 "method_disabled" "The app does not let people in this way"
        "An administrator of the app has switched this way off: `GET /v1/client-config` lists those that are open.";
    EmailNotVerified 403 "email_not_verified" "Verify your e-mail address first"
        "The environment lets people sign in, and an invitation lets them in, only after they have verified their address.";
    AccountDisabled 403 "account_disabled" "This account is disabled"
        "An administrator has banned the account, for a time or until the ban is lifted.";
    OrganizationCreationClosed 403 "organization_creation_closed" "Nobody founds organisations here"
        "Only administrators of the app found organisations in this environment.";
    NotFound 404 "not_found" "There is no such thing"
        "Nothing exists at this path for this caller. A foreign identifier and an unknown one look alike.";
    MethodNotAllowed 405 "method_not_allowed" "This path does not know this method"
        "The path exists; the `Allow` header lists the methods it answers.";
    BodyTimeout 408 "body_timeout" "The body did not arrive in time"
        "The whole body must arrive within the time that the server is configured for, 15 seconds by default.";
    EmailTaken 409 "email_taken" "This e-mail address is taken"
        "Another account of this app has this address.";
    UsernameTaken 409 "username_taken" "This username is taken"
        "Another account of this app has this username.";
    PhoneTaken 409 "phone_taken" "This telephone number is taken"
        "Another account of this app has this number.";
    LastAdmin 409 "last_admin" "The last administrator cannot go"
        "The change would leave the app without an administrator. Appoint another one first.";
    LastOwner 409 "last_owner" "The last owner cannot go"
        "The change would leave an organisation without an owner who can act. Make somebody else an owner first, or delete the organisation.";
    AlreadyMember 409 "already_member" "This user is a member already"
        "A user has one place in an organisation. Change its roles instead.";
    AlreadyInvited 409 "already_invited" "This address has already been invited"
        "An invitation to the address is pending in this organisation. Send it anew, or revoke it first.";
    InvitationVoid 409 "invitation_void" "This invitation does not hold"
        "Whoever invited could not do so any more, or a role that was offered is gone. Ask for a new invitation.";
    MemberInactive 409 "member_inactive" "This user cannot sign in"
        "The user is banned, so that he can neither join an organisation nor be handed one.";
    SeatLimit 409 "seat_limit" "Every seat is taken"
        "The organisation has as many members as it may have.";
    SlugTaken 409 "slug_taken" "This slug is taken"
        "Another organisation of this environment, another team of this organisation, or another environment of this app has this slug.";
    SettingEnforced 409 "setting_enforced" "This setting is enforced above"
        "A more general level has chosen the setting and enforces it, so that nothing is chosen below. `detail` names the level.";
    EnvironmentLimit 409 "environment_limit" "There are as many environments as there may be"
        "An app has at most 20 environments.";
    DefaultEnvironment 409 "default_environment" "The default environment stays"
        "The default environment of an app cannot be deleted, and so neither can its last one. Make another one the default first.";
    AlreadyInTeam 409 "already_in_team" "This member is in the team already"
        "A member has one place in a team. Change its role instead.";
    TeamLimit 409 "team_limit" "There are as many teams as there may be"
        "An organisation has as many teams as the setting `teams_per_organization` allows: at most 500.";
    TeamFull 409 "team_full" "The team is full"
        "A team has at most 1,000 members.";
    StaleVersion 409 "stale_version" "Somebody else has changed it"
        "The `version` that the change is for is not the one that there is. Read it again, and change that.";
    RoleNameTaken 409 "role_name_taken" "This name is taken"
        "Another role of the app, or of this organisation, has this name.";
    RoleFixed 409 "role_fixed" "This role is not changed here"
        "Built-in roles stay as they are, and a role of the app is changed for all its organisations at once, below `/v1/roles`.";
    RoleInUse 409 "role_in_use" "The role is in use"
        "Members or teams have the role, or other roles inherit from it. Say by `?replacement=` which role they are to have instead.";
    RoleLimit 409 "role_limit" "There are as many as there may be"
        "An app and an organisation have at most 100 roles each, and a role at most 100 permissions.";
    TooManyHolders 409 "too_many_holders" "Too many have this role"
        "The role of at most 5,000 members and teams, and the parent of at most 5,000 roles, is replaced at once. Give some of them other roles first.";
    WebhookLimit 409 "webhook_limit" "There are as many webhooks as there may be"
        "An environment has at most 20 webhooks of its own, and an organisation 5. Delete one first.";
    WebhookInactive 409 "webhook_inactive" "This webhook is switched off"
        "Nothing is sent to a webhook that is not active. Switch it on first.";
    AppSlugTaken 409 "app_slug_taken" "This slug is taken"
        "Another app of this installation has this slug.";
    PlatformApp 409 "platform_app" "The platform app stays"
        "The app that holds the operators cannot be deleted, and keeps its slug.";
    KeyLimit 409 "key_limit" "There are as many keys as there may be"
        "A user, an organisation, a service account and an environment have at most 100 API keys each. Revoke one first.";
    KeyOver 409 "key_over" "This key is over"
        "Another secret would be as dead. A key that has ended is rotated with another end (`expires_at` or `expires_in`); one whose uses are used up is not: make another key.";
    LastRole 409 "last_role" "A member has one role at least"
        "The change would leave the member without a role. Give him another one first, or remove him.";
    UserBanned 409 "user_banned" "This user is banned"
        "Nobody acts as a user who could not sign in himself. Lift the ban first.";
    NotImpersonating 409 "not_impersonating" "You act as nobody but yourself"
        "The access token is not one by which somebody acts as another user, so there is nothing to stop.";
    IdempotencyKeyInUse 409 "idempotency_key_in_use" "The first request with this key is under way"
        "A request with the same `Idempotency-Key` is still being answered. Send it again a little later.";
    IdempotencyAnswerLost 409 "idempotency_answer_lost" "What became of the first request is not known"
        "The server was cut off while it answered the first request with this `Idempotency-Key`. It took effect or it did not, and is not done a second time: look, and if need be ask again with another key.";
    InvitationAccepted 410 "invitation_accepted" "This invitation has been accepted"
        "An invitation is good once.";
    InvitationDeclined 410 "invitation_declined" "This invitation has been declined"
        "Whoever was invited has said no. Ask for a new invitation.";
    InvitationRevoked 410 "invitation_revoked" "This invitation has been revoked"
        "The organisation has taken the invitation back.";
    InvitationSuperseded 410 "invitation_superseded" "There is a newer invitation"
        "The invitation had run out, and the same address was invited again. Use the link of the newest letter.";
    InvitationExpired 410 "invitation_expired" "This invitation is over"
        "An invitation is good for the time that its letter names. Ask for it to be sent anew.";
    BodyTooLarge 413 "body_too_large" "The body is too large"
        "A JSON body may have 64 KiB; where users are imported 8 MiB, and each of them 64 KiB.";
    UriTooLong 414 "uri_too_long" "The address is too long"
        "Path and query may have 8 KiB together.";
    UnsupportedMediaType 415 "unsupported_media_type" "The body is not declared as JSON"
        "Send `Content-Type: application/json`, in UTF-8 and without a content encoding.";
    IdempotencyKeyReused 422 "idempotency_key_reused" "The key belongs to another request"
        "The same caller has sent this `Idempotency-Key` with another path, query or body within 24 hours. Take a new key for a new request.";
    TooManyAttempts 429 "too_many_attempts" "Too many attempts"
        "The same has been tried too often, or the account is locked after wrong passwords; whether it exists is not told. Try again after `Retry-After` seconds.";
    HeadersTooLarge 431 "headers_too_large" "The headers are too large"
        "All headers together may have 16 KiB, in at most 100 lines.";
    Internal 500 "internal" "Something went wrong on our side"
        "The cause is in the log of the server, under the `request_id` of this answer.";
    Busy 503 "busy" "The server is busy"
        "More work is waiting than can be done in time. Try again after `Retry-After` seconds.";
    StoreUnavailable 503 "store_unavailable" "The store is unavailable"
        "The database cannot be reached. Try again after `Retry-After` seconds.";
    Timeout 503 "timeout" "The answer takes too long"
        "The operation was still running when the time for an answer was over. It may yet complete.";
}

impl ProblemKind {
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The row with this `type`.
    pub fn by_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

/// A kind is written as its `type`, in `x-problems` too: `json!([ProblemKind::EmailTaken])`.
impl Serialize for ProblemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_complete_and_unique() {
        let mut slugs = BTreeSet::new();
        for kind in ProblemKind::ALL {
            assert!(slugs.insert(kind.slug()), "{kind:?}");
            assert!(
                StatusCode::from_u16(kind.code()).is_ok_and(|s| s.as_u16() >= 400),
                "{kind:?}"
            );
            assert!(
                kind.slug()
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_'),
                "{kind:?}"
            );
            assert!(
                !kind.title().ends_with('.') && kind.documentation().ends_with('.'),
                "{kind:?}"
            );
            assert_eq!(ProblemKind::by_slug(kind.slug()), Some(*kind));
        }
    }
}
