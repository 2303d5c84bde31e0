use std::collections::HashSet;

use actix_web::web::Data;
use actix_web::{delete, get, put};
use serde::Serialize;
use utoipa::ToSchema;

use super::field::{FormField, UNORDERED};
use super::record::{FormConfig, FormType, FormVersion, MOST_FIELDS};
use super::service::{FormError, Forms, NewForm};
use crate::access::{Permission, ReadFormConfig, UpdateFormConfig};
use crate::http::{
    Allowed, Answer, Body, Fields, FromFields, NoContent, Ok200, Paging, PathIds, Problem,
    ProblemKind, Query, Routing,
};
use crate::kernel::id::{AppId, FormConfigId};
use crate::kernel::time::Timestamp;

pub fn routes(config: &mut Routing) {
    config
        .service(read)
        .service(replace)
        .service(remove)
        .service(versions);
}

/// How many characters an answered form needs at most, so that it fits the body of a request.
const MOST_NEEDED: f64 = 15_000.0;
const TOO_LONG: &str = "need more than 15000 characters together, which no request has room for";

/// What a form is to be.
#[derive(Debug, ToSchema)]
#[schema(as = NewFormConfig)]
struct NewFormBody {
    /// At most 50, each of a name of its own.
    #[schema(max_items = 50)]
    fields: Vec<FormField>,
    /// Whether anybody is asked; `true` where nothing is said.
    active: Option<bool>,
    /// The version that is changed, 0 for none; where there is another, nothing is.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    version: Option<u32>,
}

impl FromFields for NewFormBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let asked = fields.objects::<FormField>("fields", MOST_FIELDS);
        let active = fields.flag("active");
        let version = fields.number("version", 0..=2_147_483_647);
        let asked = ordered(asked?);
        let mut names = HashSet::new();
        for (index, field) in asked.iter().enumerate() {
            if !names.insert(&field.name) {
                let at = format!("fields/{index}/name");
                return fields.fault(&at, "duplicate", "is the name of two fields");
            }
        }
        if asked.iter().map(FormField::needs).sum::<f64>() > MOST_NEEDED {
            return fields.fault("fields", "too_long", TOO_LONG);
        }
        Some(Self {
            fields: asked,
            active: active?,
            version: version?,
        })
    }
}

/// The fields in the order in which they are asked.
fn ordered(mut fields: Vec<FormField>) -> Vec<FormField> {
    for (place, field) in (0..).zip(&mut fields) {
        if field.order == UNORDERED {
            field.order = place;
        }
    }
    fields.sort_by_key(|field| field.order);
    fields
}

impl From<NewFormBody> for NewForm {
    fn from(body: NewFormBody) -> Self {
        Self {
            fields: body.fields,
            active: body.active.unwrap_or(true),
            seen: body.version.map(i64::from),
        }
    }
}

/// A form of an app.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormConfig)]
struct FormView {
    id: FormConfigId,
    app_id: AppId,
    form_type: FormType,
    fields: Vec<FormField>,
    active: bool,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<FormConfig> for FormView {
    fn from(form: FormConfig) -> Self {
        Self {
            id: form.id,
            app_id: form.app_id,
            form_type: form.form_type,
            fields: form.fields,
            active: form.active,
            version: form.version,
            created_at: form.created_at,
            updated_at: form.updated_at,
        }
    }
}

/// What a form was from then on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormVersion)]
struct VersionView {
    version: i64,
    fields: Vec<FormField>,
    active: bool,
    created_at: Timestamp,
}

impl From<FormVersion> for VersionView {
    fn from(form: FormVersion) -> Self {
        Self {
            version: form.version,
            fields: form.fields,
            active: form.active,
            created_at: form.created_at,
        }
    }
}

/// The versions of a form, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct FormVersionList {
    versions: Vec<VersionView>,
    /// Absent where this is the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// Read a form of an app
///
/// Also one that is not active; where none is set there is none.
#[utoipa::path(
    tag = "administration", operation_id = "admin.form_configs.read",
    params(
        ("app" = AppId, Path, description = "The app"),
        ("type" = FormType, Path, description = "The form", example = "signup"),
    ),
    responses((status = 200, description = "The form", body = FormView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadFormConfig::NAME))),
)]
#[get("/v1/admin/apps/{app}/form-configs/{type}")]
async fn read(
    access: Allowed<ReadFormConfig>,
    which: PathIds<(AppId, FormType)>,
    forms: Data<Forms>,
) -> Answer<Ok200<FormView>> {
    let (app, which) = own(&access, which)?;
    Ok(Ok200::new(forms.get(app, which).await?.into()))
}

/// Set a form of an app
///
/// Replaces it whole, as its next version; the last 50 are kept. It holds for every environment of
/// the app, within a second, also where `metadata` is absent: `signup` for who signs up or accepts an
/// invitation as somebody new, `profile` for changes of one's own account, where `signup` holds as
/// long as there is no active `profile`. Answers are in `metadata`; each is checked and kept in one
/// spelling, and a name that the form does not have is refused. Users who are there are not asked
/// before they change their metadata. There are eleven types of fields, described with `FormField`.
#[utoipa::path(
    tag = "administration", operation_id = "admin.form_configs.replace",
    params(
        ("app" = AppId, Path, description = "The app"),
        ("type" = FormType, Path, description = "The form", example = "signup"),
    ),
    request_body(
        content = NewFormBody,
        example = json!({"fields": [
            {"name": "company", "type": "text", "label": "Company", "required": true, "max": 80},
            {"name": "size", "type": "select", "label": "How many are you?",
             "options": [{"value": "1-9"}, {"value": "10-99"}, {"value": "100+", "label": "100 and more"}]},
            {"name": "terms", "type": "checkbox", "label": "I agree to the terms", "required": true},
        ]}),
    ),
    responses((status = 200, description = "The form as it is now", body = FormView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateFormConfig::NAME)),
        ("x-problems" = json!([ProblemKind::StaleVersion])),
    ),
)]
#[put("/v1/admin/apps/{app}/form-configs/{type}")]
async fn replace(
    access: Allowed<UpdateFormConfig>,
    which: PathIds<(AppId, FormType)>,
    new: Body<NewFormBody>,
    forms: Data<Forms>,
) -> Answer<Ok200<FormView>> {
    let (_, which) = own(&access, which)?;
    let new = NewForm::from(new.into_inner());
    let form = forms.replace(access.caller(), (which, &new), access.origin());
    Ok(Ok200::new(form.await?.into()))
}

/// Remove a form of an app
///
/// Nobody is asked any more. The versions stay, and the next one goes on from the last.
#[utoipa::path(
    tag = "administration", operation_id = "admin.form_configs.remove",
    params(
        ("app" = AppId, Path, description = "The app"),
        ("type" = FormType, Path, description = "The form", example = "signup"),
    ),
    responses((status = 204, description = "There is no such form")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateFormConfig::NAME))),
)]
#[delete("/v1/admin/apps/{app}/form-configs/{type}")]
async fn remove(
    access: Allowed<UpdateFormConfig>,
    which: PathIds<(AppId, FormType)>,
    forms: Data<Forms>,
) -> Answer<NoContent> {
    let (_, which) = own(&access, which)?;
    forms
        .remove(access.caller(), which, access.origin())
        .await?;
    Ok(NoContent)
}

/// List the versions of a form
///
/// Newest first; the event `user.signed_up` names the one that somebody answered.
#[utoipa::path(
    tag = "administration", operation_id = "admin.form_configs.versions.list",
    params(
        ("app" = AppId, Path, description = "The app"),
        ("type" = FormType, Path, description = "The form", example = "signup"),
        Paging,
    ),
    responses((status = 200, description = "A page of versions", body = FormVersionList)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadFormConfig::NAME))),
)]
#[get("/v1/admin/apps/{app}/form-configs/{type}/versions")]
async fn versions(
    access: Allowed<ReadFormConfig>,
    which: PathIds<(AppId, FormType)>,
    paging: Query<Paging>,
    forms: Data<Forms>,
) -> Answer<Ok200<FormVersionList>> {
    let (app, which) = own(&access, which)?;
    let paging = paging.into_inner();
    let window = (paging.after.as_ref(), paging.limit);
    let slice = forms.versions(app, which, window).await?;
    let next_cursor = paging.cursor(slice.next.as_ref());
    Ok(Ok200::new(FormVersionList {
        versions: slice.items.into_iter().map(VersionView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// The app acted on, and one of its forms; another app is unknown in it.
fn own<P>(
    access: &Allowed<P>,
    which: PathIds<(AppId, FormType)>,
) -> Result<(AppId, FormType), Problem> {
    let (app, which) = which.into_inner();
    Ok((access.own(app)?, which))
}

impl From<FormError> for Problem {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Unknown => ProblemKind::NotFound.into(),
            FormError::Stale => ProblemKind::StaleVersion.into(),
            FormError::Refused(refused) => refused.into(),
            FormError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewFormBody>();
    }
}
