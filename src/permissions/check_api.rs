use actix_web::post;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::asking::{Asked, Asker};
use super::deciding::{Check, Decision, Explanation, Grant, Reason, Through};
use super::service::Permissions;
use crate::access::{CheckOthers, CheckPermissions, Permission};
use crate::http::{Allowed, Answer, Body, Fields, FromFields, Ok200, Routing};
use crate::kernel::id::{OrgId, TeamId, UserId};

/// How many checks a request has at most.
const MOST_CHECKS: usize = 100;
/// No name of a catalogue is longer.
const LONGEST_NAME: usize = 64;

pub(super) fn routes(config: &mut Routing) {
    config.service(check);
}

/// What is asked.
#[derive(Debug, ToSchema)]
struct Checks {
    #[schema(max_items = 100)]
    checks: Vec<CheckBody>,
    /// Whether to say why.
    #[schema(nullable = false)]
    explain: Option<bool>,
}

/// Whether somebody may do this.
#[derive(Debug, ToSchema)]
#[schema(as = Check)]
struct CheckBody {
    #[schema(max_length = 64)]
    resource: String,
    #[schema(max_length = 64)]
    action: String,
    /// Absent: in the app.
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    /// Absent: the caller himself.
    #[schema(nullable = false)]
    user_id: Option<UserId>,
}

impl FromFields for Checks {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let checks = fields.objects("checks", MOST_CHECKS);
        let explain = fields.flag("explain");
        Some(Self {
            checks: checks?,
            explain: explain?,
        })
    }
}

impl FromFields for CheckBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let resource = fields.required("resource", name);
        let action = fields.required("action", name);
        let org_id = fields.optional("org_id", str::parse::<OrgId>);
        let user_id = fields.optional("user_id", str::parse::<UserId>);
        Some(Self {
            resource: resource?,
            action: action?,
            org_id: org_id?,
            user_id: user_id?,
        })
    }
}

/// Any text: what no catalogue names is a permission that nobody has.
fn name(text: &str) -> Result<String, &'static str> {
    if text.len() > LONGEST_NAME {
        return Err("longer than any name of a catalogue");
    }
    Ok(text.to_owned())
}

impl From<CheckBody> for Asked {
    fn from(body: CheckBody) -> Self {
        Self {
            what: Check {
                resource: body.resource,
                action: body.action,
            },
            org_id: body.org_id,
            user_id: body.user_id,
        }
    }
}

/// The answers, in the order of the checks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckResults)]
struct ResultsView {
    results: Vec<ResultView>,
}

/// The answer to a check.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckResult)]
struct ResultView {
    allowed: bool,
    reason: Reason,
    /// There if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    explanation: Option<ExplanationView>,
}

/// By what something is allowed; where it is not, which roles would allow it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckExplanation)]
struct ExplanationView {
    /// Every way to the right.
    granted_by: Vec<GrantView>,
    /// What built-in roles, and those that the caller may read, would allow it. Empty where it is
    /// allowed.
    granted_to: Vec<String>,
}

/// One way to a right.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckGrant)]
struct GrantView {
    /// The role that is held.
    role: String,
    through: Through,
    /// The team that gives the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    team_id: Option<TeamId>,
    /// The roles that it is inherited through, up to the one that has the line. Empty where the role
    /// has it itself.
    inherited_from: Vec<String>,
    /// The line that allows it: `documents:*`.
    #[schema(example = "documents:*")]
    rule: String,
}

impl From<Decision> for ResultView {
    fn from(decision: Decision) -> Self {
        Self {
            allowed: decision.is_allowed(),
            reason: decision.reason,
            explanation: decision.explanation.map(ExplanationView::from),
        }
    }
}

impl From<Explanation> for ExplanationView {
    fn from(explanation: Explanation) -> Self {
        let granted_by = explanation.granted_by.into_iter();
        Self {
            granted_by: granted_by.map(GrantView::from).collect(),
            granted_to: explanation.granted_to,
        }
    }
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        let mut path = grant.path.into_iter();
        Self {
            role: path.next().unwrap_or_default(),
            through: grant.through,
            team_id: grant.team_id,
            inherited_from: path.collect(),
            rule: grant.rule,
        }
    }
}

/// Check permissions
///
/// Up to 100 checks, answered in their order. What this node has changed counts at once, and what
/// another has given or taken within a second. Without `org_id` a check is about the
/// app, with it about that organisation, the roles of teams included. Without `user_id` it is about
/// the caller. About others asks whoever has `rights:check` in the organisation, of its members, or
/// `permissions:check_others` in the app, as its secret keys have. An organisation or a user that the
/// caller may not know of is answered like one that does not exist: `allowed` is false, and `reason`
/// is `unknown`.
#[utoipa::path(
    tag = "permissions", operation_id = "permissions.check",
    request_body(content = Checks, example = json!({
        "checks": [{"resource": "users", "action": "list"}], "explain": true,
    })),
    responses((status = 200, description = "The answers", body = ResultsView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(CheckPermissions::NAME))),
)]
#[post("/v1/permissions/check")]
async fn check(
    access: Allowed<CheckPermissions>,
    wanted: Body<Checks>,
    permissions: Data<Permissions>,
) -> Answer<Ok200<ResultsView>> {
    let wanted = wanted.into_inner();
    let checks: Vec<Asked> = wanted.checks.into_iter().map(Asked::from).collect();
    let asker = Asker {
        caller: access.caller(),
        may_ask_of_others: access.also::<CheckOthers>(),
    };
    let what = (&*checks, wanted.explain.unwrap_or_default());
    let decisions = permissions.check(&asker, what).await?;
    Ok(Ok200::new(ResultsView {
        results: decisions.into_iter().map(ResultView::from).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<Checks>();
        assert_documented::<CheckBody>();
    }
}
