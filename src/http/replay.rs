//! Idempotency keys: the same request, sent again, has the same answer and no second effect
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! ```text
//! new ──claim──▶ under way ──answer──▶ answered: told again for 24 hours
//!                 ├─ 5xx, 429, 401, 403 ──▶ forgotten: may be tried again
//!                 └─ the process was killed ──▶ lost: 409, for nobody knows whether it took effect
//! ```
//!
//! A key is its caller's. Whoever has no credential is known by what he says: his whole request is
//! part of the key, so that nobody is told an answer whose question he does not know, password
//! included. Before a caller is told an answer again he is asked for the permission anew, and must
//! have what he had; an answer that gave a session is forgotten with the sessions of its user.
//! Not here: how answers are kept ([`Replays`]), sealed, by a feature.

use std::rc::Rc;
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use futures_util::future::LocalBoxFuture;

use super::authenticate::Identity;
use super::caller::Caller;
use super::edge::Edge;
use super::operations::Operations;
use super::problem::{MEDIA_TYPE, Problem};
use super::problems::ProblemKind;
use super::repeatable::{KEY, Repeatable, Whose, key, repeatable};
use super::trace::RequestId;
use super::{body, errors};
use crate::access::{Grantable, PERMISSIONS, Realm, is_scope};
use crate::kernel::id::{OrgId, TeamId, UserId};
use crate::store::StoreError;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer that is longer is not kept.
const ANSWER_MAX: u64 = 1024 * 1024;

/// How often somebody looks whether the first request has been answered, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LATER_LOOKS: Duration = Duration::from_millis(250);

/// How long he goes on looking.
const PATIENCE: Duration = Duration::from_secs(10);

/// An organisation, and perhaps a team in it.
type Place = (OrgId, Option<TeamId>);

/// What a key stands for.
#[derive(Clone, Debug)]
pub enum Claim {
    /// Nothing yet: it is the caller's, who proves so by the text when he answers.
    Taken(String),
    /// The first request is being answered.
    UnderWay,
    Answered(Recorded),
    /// Another request.
    Differs,
    /// A request whose answer nobody knows any more.
    Lost,
}

/// An answer as it was first given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The permission that its guard asked for, by realm and name.
    pub permission: Option<(Realm, String)>,
    /// What the policy of the app judged.
    pub subjects: Vec<String>,
    /// The user who has signed in by it.
    pub signed_in: Option<UserId>,
}

/// Keeps answers by the key of their request.
pub trait Replays: Send + Sync {
    /// Of any number of requests with one key, one gets [`Claim::Taken`].
    fn claim<'a>(
        &'a self,
        request: &'a Repeatable,
    ) -> LocalBoxFuture<'a, Result<Claim, StoreError>>;

    fn answer<'a>(
        &'a self,
        request: &'a Repeatable,
        proof: &'a str,
        answer: Recorded,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    fn forget<'a>(
        &'a self,
        request: &'a Repeatable,
        proof: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// Whether the caller may do this in an organisation, and in a team of it, now.
    fn may<'a>(
        &'a self,
        caller: &'a Caller,
        permission: Grantable,
        place: Place,
    ) -> LocalBoxFuture<'a, Result<(), Problem>>;
}

/// The middleware right around the handlers: whatever happens here is known to be the caller's.
pub(super) async fn replay(
    edge: Data<Edge>,
    operations: Data<Operations>,
    mut req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    if !req.headers().contains_key(KEY) {
        return next.call(req).await;
    }
    let operation = operations.find(req.method(), req.match_info().as_str());
    let Some(operation) = operation.filter(|operation| operation.remembers) else {
        return next.call(req).await;
    };
    let Some(identity) = req.extensions().get::<Rc<Identity>>().cloned() else {
        return next.call(req).await;
    };
    let Some(whose) = Whose::of(&identity) else {
        // The guard says what is wrong with the sender.
        return next.call(req).await;
    };
    let key = match key(req.headers()) {
        Ok(key) => key,
        Err(problem) => return Ok(req.error_response(problem)),
    };
    let Some(said) = body::held(&mut req, edge.body_timeout).await else {
        // The handler says what is wrong with the body.
        return next.call(req).await;
    };
    let request = repeatable(&edge.replay_key, &whose, &key, (&req, &said));
    match claimed(&edge, &request).await {
        Ok(Claim::Taken(proof)) => {
            let answer = next.call(req).await?;
            Ok(settled(&edge, &request, &proof, answer).await)
        }
        Ok(Claim::Answered(recorded)) => {
            let path = req.match_info().as_str();
            match place(&operation.pattern, path, &said) {
                Ok(place) => Ok(told_again(&edge, &identity, (recorded, place), req).await),
                Err(problem) => Ok(req.error_response(problem)),
            }
        }
        Ok(Claim::UnderWay) => {
            Ok(req.error_response(Problem::new(ProblemKind::IdempotencyKeyInUse)))
        }
        Ok(Claim::Differs) => {
            Ok(req.error_response(Problem::new(ProblemKind::IdempotencyKeyReused)))
        }
        Ok(Claim::Lost) => Ok(req.error_response(Problem::new(ProblemKind::IdempotencyAnswerLost))),
        Err(error) => Ok(req.error_response(Problem::from(error))),
    }
}

/// What the key stands for, once the first request with it has been answered, or patience is over.
#[expect(
    clippy::disallowed_methods,
    reason = "who sends the same request twice waits for the answer of the first"
)]
async fn claimed(edge: &Edge, request: &Repeatable) -> Result<Claim, StoreError> {
    let (mut pause, mut waited) = (FIRST_LOOK, Duration::ZERO);
    loop {
        let claim = edge.replays.claim(request).await?;
        if !matches!(claim, Claim::UnderWay) || waited >= PATIENCE.min(edge.handler_timeout) {
            return Ok(claim);
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(LATER_LOOKS);
    }
}

/// Writes the answer down, where it would be the same if the handler were asked again. It is given
/// also where it could not be written: then the key stands for an answer that is lost.
async fn settled(
    edge: &Edge,
    request: &Repeatable,
    proof: &str,
    answer: ServiceResponse,
) -> ServiceResponse {
    let (req, response) = answer.into_parts();
    let identity = req.extensions().get::<Rc<Identity>>().cloned();
    let permission = identity.as_ref().and_then(|it| it.asked.get());
    let caller = identity
        .as_ref()
        .and_then(|it| it.standing.as_ref().ok()?.caller.as_ref());
    let id = req.extensions().get::<RequestId>().cloned();
    let (response, recorded) = recorded(response, id.as_ref()).await;
    let done = match recorded {
        Some(recorded) => {
            let permission = permission.map(|row| (row.realm, row.name.to_owned()));
            let recorded = Recorded {
                permission,
                subjects: caller.map(|it| it.subjects.clone()).unwrap_or_default(),
                signed_in: signed_in(&recorded.body),
                ..recorded
            };
            edge.replays.answer(request, proof, recorded).await
        }
        None => edge.replays.forget(request, proof).await,
    };
    if let Err(error) = done {
        tracing::warn!(%error, "an answer could not be kept under its idempotency key");
    }
    ServiceResponse::new(req, response)
}

/// The user whom an answer gives a session.
fn signed_in(answer: &[u8]) -> Option<UserId> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    answer.get("access_token")?;
    answer.pointer("/user/id")?.as_str()?.parse().ok()
}

/// Facts are kept: what was done, and why it could not be. What passes (a right that is missing, a
/// limit, a fault) is not.
fn is_fact(status: StatusCode) -> bool {
    let refusals = [400, 404, 409, 410, 415, 422];
    status.is_success() || refusals.contains(&status.as_u16())
}

/// The answer, and a copy of it to keep. A refusal is kept as it will be rendered.
async fn recorded(
    response: HttpResponse,
    id: Option<&RequestId>,
) -> (HttpResponse, Option<Recorded>) {
    if !is_fact(response.status()) {
        return (response, None);
    }
    if let (Some(problem), Some(id)) = (errors::problem(&response), id) {
        let rendered = problem.render(id.as_str());
        let (_, copy) = copied(rendered).await;
        return (response, copy);
    }
    copied(response).await
}

async fn copied(response: HttpResponse) -> (HttpResponse, Option<Recorded>) {
    let is_short = match response.body().size() {
        BodySize::None => true,
        BodySize::Sized(length) => length <= ANSWER_MAX,
        BodySize::Stream => false,
    };
    if !is_short {
        return (response, None);
    }
    let status = response.status().as_u16();
    let lines = response.headers().iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let headers = lines.collect();
    let (response, body) = response.into_parts();
    let Ok(body) = to_bytes(body).await else {
        return (response.set_body(BoxBody::new(())), None);
    };
    let recorded = Recorded {
        status,
        headers,
        body: body.to_vec(),
        permission: None,
        subjects: Vec::new(),
        signed_in: None,
    };
    (response.set_body(BoxBody::new(body)), Some(recorded))
}

/// The recorded answer, to a caller who may still do what he was answered.
async fn told_again(
    edge: &Edge,
    identity: &Identity,
    (recorded, place): (Recorded, Option<Place>),
    req: ServiceRequest,
) -> ServiceResponse {
    match may_still(edge, identity, (&recorded, place)).await {
        Ok(()) => {
            let answer = rebuilt(recorded, req.extensions().get::<RequestId>());
            req.into_response(answer)
        }
        Err(problem) => req.error_response(problem),
    }
}

async fn may_still(
    edge: &Edge,
    identity: &Identity,
    (recorded, place): (&Recorded, Option<Place>),
) -> Result<(), Problem> {
    let caller = identity
        .standing
        .as_ref()
        .ok()
        .and_then(|it| it.caller.as_ref());
    let (Some((realm, name)), Some(caller)) = (&recorded.permission, caller) else {
        return Ok(());
    };
    let mut rows = PERMISSIONS.iter();
    let row = rows.find(|row| row.realm == *realm && row.name == name);
    let row = row.ok_or(ProblemKind::Forbidden)?;
    identity.asked.set(Some(*row));
    if !has_no_less(caller, &recorded.subjects) {
        return Err(ProblemKind::Forbidden.into());
    }
    match row.realm {
        Realm::App if edge.policy.allows(&caller.subjects, row.object, row.action) => Ok(()),
        Realm::App => Err(ProblemKind::Forbidden.into()),
        Realm::Organization => {
            let Some(place) = place else {
                // It was for none, so that the roles in the app decided.
                return Ok(());
            };
            edge.replays.may(caller, *row, place).await
        }
    }
}

/// Whether the caller has all roles and scopes that were judged then, and no scope limits him who was
/// not limited: a handler may ask for more than its guard.
fn has_no_less(caller: &Caller, then: &[String]) -> bool {
    let is_limited = |subjects: &[String]| subjects.iter().any(|it| is_scope(it));
    let is_held = |subject: &String| caller.subjects.contains(subject);
    then.iter().all(is_held) && (is_limited(then) || !is_limited(&caller.subjects))
}

/// The organisation and the team in it that a request is for, by its path; or by its body the
/// organisation. Fails where the path names none that there could be.
fn place(pattern: &str, path: &str, said: &[u8]) -> Result<Option<Place>, Problem> {
    let unknown = |_| Problem::from(ProblemKind::NotFound);
    let team = segment(pattern, path, "{team}").map(str::parse);
    let team = team.transpose().map_err(unknown)?;
    if let Some(named) = segment(pattern, path, "{org}") {
        return Ok(Some((named.parse().map_err(unknown)?, team)));
    }
    let body: Option<serde_json::Value> = serde_json::from_slice(said).ok();
    let named = body.and_then(|body| body["org_id"].as_str()?.parse().ok());
    Ok(named.map(|org| (org, team)))
}

/// What stands in a path where its pattern has this variable. The router has not looked yet.
fn segment<'a>(pattern: &str, path: &'a str, variable: &str) -> Option<&'a str> {
    let place = pattern.split('/').position(|it| it == variable)?;
    path.split('/').nth(place)
}

/// The same answer; a refusal names the request that it answers now.
fn rebuilt(recorded: Recorded, id: Option<&RequestId>) -> HttpResponse {
    let Recorded {
        status,
        headers,
        mut body,
        ..
    } = recorded;
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or_default());
    for (name, value) in &headers {
        response.append_header((name.as_str(), value.as_str()));
        if value == MEDIA_TYPE
            && let Some(id) = id
        {
            body = renamed(&body, id);
        }
    }
    response.append_header((REPLAYED, HeaderValue::from_static("true")));
    if body.is_empty() {
        return response.finish();
    }
    response.body(body)
}

fn renamed(problem: &[u8], id: &RequestId) -> Vec<u8> {
    match serde_json::from_slice::<serde_json::Value>(problem) {
        Ok(mut document) => {
            document["request_id"] = id.as_str().into();
            document.to_string().into_bytes()
        }
        Err(_) => problem.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_found_where_its_pattern_has_it() {
        let (pattern, path) = (
            "/v1/orgs/{org}/teams/{team}/members",
            "/v1/orgs/a/teams/b/members",
        );

        assert_eq!(segment(pattern, path, "{org}"), Some("a"));
        assert_eq!(segment(pattern, path, "{team}"), Some("b"));
        assert_eq!(segment(pattern, path, "{role}"), None);
    }

    #[test]
    fn a_place_is_named_by_the_path_or_by_the_body() {
        let entropy = crate::kernel::entropy::Entropy::seeded(1);
        let now = crate::kernel::time::Timestamp::from_millis(0);
        let (org, team) = (OrgId::new(now, &entropy), TeamId::new(now, &entropy));
        let of = |pattern: &str, path: String, said: String| {
            place(pattern, &path, said.as_bytes()).map_err(|problem| problem.kind())
        };
        let teams = "/v1/orgs/{org}/teams/{team}/members";

        assert_eq!(
            of(
                teams,
                format!("/v1/orgs/{org}/teams/{team}/members"),
                String::new()
            ),
            Ok(Some((org, Some(team))))
        );
        assert_eq!(
            of(
                "/v1/keys",
                "/v1/keys".into(),
                format!(r#"{{"org_id": "{org}"}}"#)
            ),
            Ok(Some((org, None)))
        );
        assert_eq!(of("/v1/keys", "/v1/keys".into(), "{}".into()), Ok(None));
        for path in [
            format!("/v1/orgs/a/teams/{team}/members"),
            format!("/v1/orgs/{org}/teams/b/members"),
        ] {
            assert_eq!(of(teams, path, String::new()), Err(ProblemKind::NotFound));
        }
    }
}
