use actix_web::web::Data;
use actix_web::{Either, post};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Transfers;
use super::authority::Authority;
use super::importing::{CutShort, Import, Source, Summary, Told};
use super::wire::{ImportedLine, NewImport, NewLine, Outcome};
use crate::access::{ImportUsers, Permission};
use crate::apps;
use crate::http::{
    Afterwards, Allowed, Answer, CutOff, Fault, Fields, FromFields, HungUp, Lines, NdJson, Ok200,
    Problem, ProblemKind, Query, Routing, Scribe, Upload,
};
use crate::kernel::id::UserId;
use crate::kernel::lines::NumberedLine;

/// Bytes of results that wait for a client which reads nothing before it has sent everything.
const ROOM: usize = 32 * 1024 * 1024;

pub fn routes(config: &mut Routing) {
    config
        .service(import_users)
        .configure(super::exporting_api::routes);
}

/// Whether anything is made.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Judge every line, and make nobody.
    #[param(rename = "dry_run", value_type = Option<bool>)]
    is_dry: bool,
}

impl FromFields for ImportQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let is_dry = fields.optional("dry_run", str::parse::<bool>);
        Some(Self {
            is_dry: is_dry?.unwrap_or(false),
        })
    }
}

/// What became of every line.
#[derive(Debug, Serialize, ToSchema)]
struct ImportReport {
    results: Vec<ImportedLine>,
    summary: Summary,
}

/// A line of an answer that goes on: of one user, of how far it has come, or, last, of everything.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ImportAnswer<'a> {
    /// From 1, blank ones counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<Outcome>,
    /// The user who was made, or has the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<UserId>,
    /// The `id` of the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from: Option<&'a str>,
    /// Why he was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<&'a Fault>,
    /// How far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    progress: Option<&'a Summary>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    summary: Option<&'a Summary>,
}

impl<'a> From<&'a ImportedLine> for ImportAnswer<'a> {
    fn from(result: &'a ImportedLine) -> Self {
        Self {
            line: Some(result.line),
            status: Some(result.status),
            id: result.id,
            from: result.from.as_deref(),
            error: result.error.as_ref(),
            ..Self::default()
        }
    }
}

/// Import users
///
/// A thousand at most as one JSON document, or up to 200,000 as NDJSON (`application/x-ndjson`, one
/// user a line), which is answered as NDJSON while it comes: a line for every line, `progress` from
/// time to time, and a `summary` last. A line `{"firebase": {…}}` before the others says of which
/// project their hashes are. Each user is made whole, with his password, or not at all.
///
/// An address that is taken is skipped: what broke off is run again as it is. Password hashes are
/// kept as they are until their holders sign in. A line of more than 64 KiB fails alone; a body has 10
/// minutes to arrive. Before each unit of at most 250 users the caller is judged anew: where he has
/// lost his credential or his rights, or the app is deleted, nobody else is made, and the `summary`
/// has that as its `error`. Whoever is given a role has a `user.created` of his own.
///
/// Where the app has an active sign-up form, `metadata` is held against it: each answer is kept in
/// one spelling, and a bad one, or a name that the form does not have, fails its line. Nothing is
/// required, and no default is filled in: these people were never asked.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.import",
    params(ImportQuery),
    request_body(content(
        (NewImport = "application/json", example = json!({"users": [{
            "email": "mia@example.org", "first_name": "Mia", "email_verified": true,
            "password_hash": "$2b$12$KKKKKKKKKKKKKKKKKKKKK.eeeeeeeeeeeeeeeeeeeeeeeeeeeeee.",
        }]})),
        (NewLine = "application/x-ndjson"),
    )),
    responses((status = 200, description = "What became of every user", content(
        (ImportReport = "application/json"),
        (ImportAnswer = "application/x-ndjson"),
    ))),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ImportUsers::NAME))),
)]
#[post("/v1/admin/bulk/users/import")]
async fn import_users(
    access: Allowed<ImportUsers>,
    query: Query<ImportQuery>,
    upload: Upload<NewImport>,
    afterwards: Afterwards,
    transfers: Data<Transfers>,
) -> Answer<Either<Ok200<ImportReport>, NdJson>> {
    let import = transfers.asked(access, query.into_inner().is_dry).await?;
    match upload {
        Upload::Whole(whole) => Ok(Either::Left(transfers.whole(import, whole).await)),
        Upload::Lines(lines) => {
            let (scribe, answer) = NdJson::open(ROOM);
            let transfers = transfers.into_inner();
            let work = async move { transfers.streamed(import, lines, scribe).await };
            afterwards.run("an import was not told to its end", work);
            Ok(Either::Right(answer))
        }
    }
}

impl Transfers {
    async fn asked(&self, access: Allowed<ImportUsers>, is_dry: bool) -> Result<Import, Problem> {
        let tenant = access.tenant();
        let app = apps::get(&mut self.store.once().shared(), tenant.app_id).await?;
        app.ok_or(ProblemKind::NotFound)?;
        Ok(Import {
            tenant,
            origin: access.origin().clone(),
            authority: Authority::caller(access),
            is_dry,
            firebase: None,
        })
    }

    async fn whole(&self, import: Import, whole: NewImport) -> Ok200<ImportReport> {
        let mut users = whole.users.into_iter().zip(1..);
        let import = Import {
            firebase: whole.firebase.map(|it| it.project),
            ..import
        };
        let mut results = Vec::new();
        let summary = self.import(import, &mut users, &mut results).await;
        Ok200::new(ImportReport { results, summary })
    }

    async fn streamed(
        &self,
        import: Import,
        mut lines: Lines,
        mut scribe: Scribe,
    ) -> Result<(), HungUp> {
        let summary = self.import(import, &mut lines, &mut scribe).await;
        scribe
            .write(&ImportAnswer {
                summary: Some(&summary),
                ..ImportAnswer::default()
            })
            .await
    }
}

/// Users of a list, and their places in it.
impl<I: Iterator<Item = (serde_json::Value, u64)>> Source for I {
    async fn next(&mut self) -> Result<Option<NumberedLine>, CutShort> {
        let user = Iterator::next(self);
        Ok(user.map(|(value, number)| NumberedLine {
            number,
            text: value.to_string().into_bytes(),
        }))
    }
}

impl Source for Lines {
    async fn next(&mut self) -> Result<Option<NumberedLine>, CutShort> {
        Lines::next(self)
            .await
            .map_err(|cut: CutOff| CutShort::Unread(cut.to_string()))
    }
}

impl Told for Vec<ImportedLine> {
    async fn line(&mut self, line: &ImportedLine) -> Result<(), HungUp> {
        self.push(line.clone());
        Ok(())
    }

    async fn progress(&mut self, _: &Summary) -> Result<(), HungUp> {
        Ok(())
    }
}

impl Told for Scribe {
    async fn line(&mut self, line: &ImportedLine) -> Result<(), HungUp> {
        self.write(&ImportAnswer::from(line)).await
    }

    async fn progress(&mut self, so_far: &Summary) -> Result<(), HungUp> {
        let progress = Some(so_far);
        let answer = ImportAnswer {
            progress,
            ..ImportAnswer::default()
        };
        self.write(&answer).await
    }
}
