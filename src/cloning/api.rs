use actix_web::post;
use actix_web::web::Data;
use utoipa::ToSchema;

use super::service::{Cloning, Likeness};
use crate::access::{CloneEnvironment, Permission};
use crate::environments::{EnvironmentView, Kind};
use crate::http::{
    Allowed, Answer, Body, Created, Fields, FromFields, PathId, ProblemKind, Routing,
};
use crate::kernel::id::EnvId;
use crate::kernel::text::{Color, Label, Slug};

pub fn routes(config: &mut Routing) {
    config.service(clone);
}

/// What the clone is called, and what is different in it.
#[derive(Debug, ToSchema)]
struct CloneBody {
    name: Label,
    /// Absent: made of the name. No other environment of the app has it.
    #[schema(nullable = false)]
    slug: Option<Slug>,
    /// Absent: that of the environment that is cloned.
    #[schema(rename = "type", nullable = false)]
    kind: Option<Kind>,
    /// Absent: that of the environment that is cloned.
    #[schema(nullable = false)]
    color: Option<Color>,
}

impl FromFields for CloneBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let kind = fields.optional("type", str::parse::<Kind>);
        let color = fields.optional("color", Color::parse);
        Some(Self {
            name: name?,
            slug: slug?,
            kind: kind?,
            color: color?,
        })
    }
}

impl From<CloneBody> for Likeness {
    fn from(body: CloneBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            kind: body.kind,
            color: body.color,
        }
    }
}

/// Clone an environment
///
/// Makes another one with the configuration of the one acted on: its settings, origins and pages, and
/// its own webhooks, which are inactive: rotate their secrets, which nobody has been told, before you activate them.
/// Nothing that was issued or founded there comes along, and no key: users, roles for all
/// organisations and session rules are the app's, and so are shared.
#[utoipa::path(
    tag = "environments", operation_id = "environments.clone",
    params(("id" = EnvId, Path, description = "The environment to clone")),
    request_body(
        content = CloneBody,
        example = json!({"name": "Staging", "type": "staging"}),
    ),
    responses((status = 201, description = "The new environment", body = EnvironmentView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(CloneEnvironment::NAME)),
        ("x-problems" = json!([ProblemKind::SlugTaken, ProblemKind::EnvironmentLimit])),
    ),
)]
#[post("/v1/environments/{id}/clone")]
async fn clone(
    access: Allowed<CloneEnvironment>,
    id: PathId<EnvId>,
    wanted: Body<CloneBody>,
    cloning: Data<Cloning>,
) -> Answer<Created<EnvironmentView>> {
    let wanted = Likeness::from(wanted.into_inner());
    let what = (id.into_inner(), &wanted);
    let made = cloning
        .clone_environment(access.caller(), what, access.origin())
        .await?;
    Ok(Created::new(made.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<CloneBody>();
    }
}
