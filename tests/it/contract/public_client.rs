//! The operations that Authsome's public TypeScript client calls, held against the document.
//!
//! What is missing is listed; whoever builds it takes it off the list.

use std::collections::BTreeSet;

use super::operations;

/// What the client calls: methods and a path, whose variables go by any name.
const CALLED: &str = "
POST /v1/signup
POST /v1/signin
POST /v1/refresh
POST /v1/signout
POST /v1/signout/all
POST /v1/forgot-password
POST /v1/reset-password
POST /v1/change-password
POST /v1/verify-email
POST /v1/verify-email/resend
POST /v1/magic-link/send
POST /v1/magic-link/verify
POST /v1/introspect
GET /v1/client-config
GET /.well-known/jwks.json
GET /.well-known/openid-configuration
GET /.well-known/authsome/manifest
GET /.well-known/authsome/openapi
GET /v1/health
GET /livez
GET /readyz
GET /metrics

GET PATCH DELETE /v1/me
GET /v1/me/export
POST /v1/me/switch-org
GET /v1/me/orgs
GET /v1/me/invitations
GET /v1/me/auth-methods
GET /v1/sessions
DELETE /v1/sessions/{id}
GET /v1/devices
GET DELETE /v1/devices/{id}
PATCH /v1/devices/{id}/trust

GET POST /v1/orgs
GET /v1/orgs/check-slug
GET PATCH DELETE /v1/orgs/{org}
POST /v1/orgs/{org}/leave
POST /v1/orgs/{org}/transfer
GET POST /v1/orgs/{org}/members
GET PATCH DELETE /v1/orgs/{org}/members/{member}
GET POST /v1/orgs/{org}/invitations
GET DELETE /v1/orgs/{org}/invitations/{invitation}
POST /v1/orgs/{org}/invitations/{invitation}/resend
GET /v1/orgs/invitations/lookup
POST /v1/orgs/invitations/accept
POST /v1/orgs/invitations/decline
GET POST /v1/orgs/{org}/teams
GET PATCH DELETE /v1/orgs/{org}/teams/{team}
GET POST /v1/orgs/{org}/teams/{team}/members
DELETE /v1/orgs/{org}/teams/{team}/members/{member}
GET POST /v1/orgs/{org}/roles
GET PATCH DELETE /v1/orgs/{org}/roles/{role}
GET /v1/orgs/{org}/events

GET POST /v1/roles
GET PATCH DELETE /v1/roles/{role}
GET POST /v1/roles/{role}/permissions
DELETE /v1/roles/{role}/permissions/{permission}
POST /v1/roles/{role}/assign
POST /v1/roles/{role}/unassign
GET /v1/users/{user}/roles
GET /v1/permissions
POST /v1/permissions/check

GET /v1/admin/users
POST /v1/admin/users/create
GET PATCH DELETE /v1/admin/users/{user}
POST /v1/admin/users/{user}/ban
POST /v1/admin/users/{user}/unban
POST /v1/admin/users/{user}/roles
POST /v1/admin/users/{user}/reset-password
POST /v1/admin/users/{user}/unlock
GET DELETE /v1/admin/users/{user}/sessions
POST /v1/admin/impersonate/{user}
POST /v1/admin/impersonate/stop
GET /v1/admin/orgs
GET /v1/admin/stats
GET /v1/admin/security-events
GET POST /v1/admin/apps
GET PATCH DELETE /v1/admin/apps/{app}
GET PUT DELETE /v1/admin/apps/{app}/session-config
GET PUT DELETE /v1/admin/apps/{app}/client-config
GET PUT DELETE /v1/admin/apps/{app}/form-configs/{type}
GET PUT DELETE /v1/admin/apps/{app}/branding
POST DELETE /v1/admin/platform/owners
GET POST /v1/admin/service-accounts
GET PATCH DELETE /v1/admin/service-accounts/{id}
POST /v1/admin/service-accounts/{id}/api-keys
POST /v1/admin/bulk/users/import
DELETE /v1/admin/bulk/sessions
GET PUT DELETE /v1/admin/settings/{key}

GET POST /v1/environments
GET PATCH DELETE /v1/environments/{env}
POST /v1/environments/{env}/clone
POST /v1/environments/{env}/set-default
GET PATCH /v1/environments/{env}/settings
POST /v1/environments/{env}/rotate-key

GET POST /v1/keys
GET PATCH DELETE /v1/keys/{key}
POST /v1/keys/{key}/rotate
GET POST /v1/webhooks
GET PATCH DELETE /v1/webhooks/{webhook}
POST /v1/webhooks/{webhook}/rotate-secret
POST /v1/webhooks/{webhook}/test
GET /v1/webhooks/{webhook}/deliveries
POST /v1/webhooks/{webhook}/deliveries/{delivery}/retry
GET /v1/events
GET /v1/revocations
";

/// What of it is not there yet.
const MISSING: &str = "
";

/// `GET /v1/orgs/{}`, one for each method.
fn calls(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.split_once(" /"));
    let each = lines.flat_map(|(methods, path)| {
        let path = anonymous(path);
        methods
            .split(' ')
            .map(move |method| format!("{method} /{path}"))
            .collect::<Vec<_>>()
    });
    each.collect()
}

/// The path with its variables unnamed.
fn anonymous(path: &str) -> String {
    let unnamed = |segment| {
        if str::starts_with(segment, '{') {
            "{}"
        } else {
            segment
        }
    };
    path.split('/').map(unnamed).collect::<Vec<_>>().join("/")
}

#[test]
fn what_the_public_client_calls_is_documented_but_for_what_is_listed() {
    let documented = operations().into_iter();
    let documented: BTreeSet<_> = documented
        .map(|it| format!("{} {}", it.method, anonymous(&it.path)))
        .collect();
    let (called, missing) = (calls(CALLED), calls(MISSING));

    let absent: BTreeSet<_> = called.difference(&documented).cloned().collect();
    let (lost, built) = (absent.difference(&missing), missing.difference(&absent));
    let (lost, built) = (lost.collect::<Vec<_>>(), built.collect::<Vec<_>>());

    assert!(
        lost.is_empty(),
        "neither documented nor listed as missing: {lost:#?}"
    );
    assert!(
        built.is_empty(),
        "built: take it off the list of what is missing: {built:#?}"
    );
}

#[test]
fn a_path_is_told_by_its_place_and_not_by_the_names_of_its_variables() {
    let ours = calls("GET PATCH /v1/orgs/{org}/members/{member}\n");

    assert_eq!(
        ours,
        calls("PATCH /v1/orgs/{a}/members/{b}\nGET /v1/orgs/{c}/members/{d}")
    );
    assert_eq!(ours.len(), 2);
}
