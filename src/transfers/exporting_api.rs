use actix_web::get;
use actix_web::web::Data;
use utoipa::IntoParams;

use super::Transfers;
use super::authority::Authority;
use super::exporting::{Export, Exported, ExportedUser};
use crate::access::{ExportHashes, ExportUsers, Permission};
use crate::http::{
    Afterwards, Allowed, Answer, Fields, FromFields, NdJson, Problem, ProblemKind, Query, Routing,
    Scribe,
};

/// Bytes that wait for the client.
const ROOM: usize = 256 * 1024;

pub(super) fn routes(config: &mut Routing) {
    config.service(export_users);
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `hashes` takes password hashes along, for operators.
    #[param(rename = "include", value_type = Option<String>, pattern = "^hashes$")]
    with_hashes: bool,
}

impl FromFields for ExportQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let include = fields.optional("include", hashes);
        Some(Self {
            with_hashes: include?.is_some(),
        })
    }
}

fn hashes(text: &str) -> Result<(), &'static str> {
    if text == "hashes" {
        Ok(())
    } else {
        Err("can only be `hashes`")
    }
}

/// Export users
///
/// Every user of the app as NDJSON, newest first, in the shape that an import takes. Whoever is there
/// from the beginning of the answer to its end is in it once. Password hashes are for operators: an
/// administrator of an app is refused them. An answer that breaks off ends its connection; so does
/// that of a caller who meanwhile loses his credential or his rights.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.export",
    params(ExportQuery),
    responses((
        status = 200, description = "The users, one a line",
        body = ExportedUser, content_type = "application/x-ndjson",
    )),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ExportUsers::NAME))),
)]
#[get("/v1/admin/bulk/users/export")]
async fn export_users(
    access: Allowed<ExportUsers>,
    query: Query<ExportQuery>,
    afterwards: Afterwards,
    transfers: Data<Transfers>,
) -> Answer<NdJson> {
    let with_hashes = query.into_inner().with_hashes;
    if with_hashes && !access.also::<ExportHashes>() {
        return Err(Problem::from(ProblemKind::Forbidden));
    }
    let (tenant, by) = (access.tenant(), access.caller().party());
    transfers
        .tell_export((tenant, by), with_hashes, access.origin())
        .await?;
    let (scribe, answer) = NdJson::open(ROOM);
    let transfers = transfers.into_inner();
    let export = Export {
        tenant,
        authority: Authority::caller(access),
        with_hashes,
    };
    let work = async move { transfers.written(export, scribe).await };
    afterwards.run("an export was not taken to its end", work);
    Ok(answer)
}

impl Transfers {
    async fn written(&self, export: Export, scribe: Scribe) -> Result<(), Exported> {
        let take = async |user| scribe.write(&user).await;
        let exported = self.export(&export, take).await;
        if exported.is_err() {
            scribe.tear();
        }
        exported.map(drop)
    }
}
