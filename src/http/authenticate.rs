//! Authentication: from what a request presents to an [`Identity`] the guards can judge at once.
//!
//! ```text
//! publishable key ──Directory──▶ tenant ┐
//! credential ──Authenticators──▶ caller ┴─ must agree ─▶ ?app_id=&env_id= ─▶ Identity
//! ```
//!
//! It never answers a request itself: what is wrong is kept in the identity, because only the guard
//! of the handler knows whether it matters. Nothing here falls back to the platform app.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderValue, USER_AGENT};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};

use super::caller::{ActOn, Caller, Credential, KeyOwner, Presented, Principal};
use super::client_ip::{self, NotAnAddress};
use super::edge::Edge;
use super::problem::Problem;
use super::problems::ProblemKind;
use super::trace::RequestId;
use super::witness::{self, Asked};
use crate::access::{OperateApps, Permission, Policy, is_scope};
use crate::events::Origin;
use crate::kernel::id::{AppId, EnvId, UserId};
use crate::kernel::language::Language;
use crate::kernel::tenant::Tenant;

/// Subjects that keep their meaning in an app that is not the caller's own.
const PLATFORM_SUBJECTS: &str = "platform:";

/// Paths that ask about the process and not about a tenant.
const HEALTH: [&str; 3] = ["/livez", "/readyz", "/v1/health"];

/// What the edge knows of a request's sender.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) origin: Origin,
    pub(super) policy: Policy,
    edge: Data<Edge>,
    presented: Option<Presented>,
    pub(super) standing: Result<Standing, Problem>,
    pub(super) asked: Asked,
}

/// The sender's standing, where the request does not contradict itself.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) caller: Option<Caller>,
    /// Why the credential that was presented does not count.
    pub(super) refused: Option<Problem>,
    /// The tenant acted on; an error where `?app_id=` names one that this sender may not act on.
    pub(super) tenant: Result<Option<Tenant>, Problem>,
}

impl Standing {
    fn nobody() -> Self {
        Self {
            caller: None,
            refused: None,
            tenant: Ok(None),
        }
    }

    fn acting(&self) -> Option<UserId> {
        self.caller.as_ref()?.acting()
    }

    /// Whether this is a backend, by a secret key of the environment: whoever else has a key is no more
    /// to be believed about addresses than anybody.
    fn is_backend(&self) -> bool {
        let principal = self.caller.as_ref().map(|caller| caller.principal);
        let owner = KeyOwner::Environment;
        matches!(principal, Some(Principal::Key { owner: of, .. }) if of == owner)
    }
}

/// Whether a request comes in, or has been let in and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    ComesIn,
    GoesOn,
}

impl Identity {
    /// The standing that a request of the same sender would have now.
    pub(super) async fn standing_now(&self) -> Result<Standing, Problem> {
        match &self.presented {
            Some(presented) => standing(&self.edge, presented, Stage::GoesOn).await,
            None => Ok(Standing::nobody()),
        }
    }

    pub(super) fn tenant(&self) -> Option<Tenant> {
        self.standing
            .as_ref()
            .ok()?
            .tenant
            .as_ref()
            .ok()
            .copied()
            .flatten()
    }
}

/// The innermost middleware: leaves an [`Identity`] in the extensions of the request.
pub(super) async fn authenticate(
    edge: Data<Edge>,
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let mut origin = origin(&req, &edge);
    let presented = Presented::of(req.headers(), req.query_string());
    let standing = match &presented {
        // Whether the process lives must not depend on the store, whatever a probe presents.
        _ if HEALTH.contains(&req.path()) => Ok(Standing::nobody()),
        Ok(presented) => standing(&edge, presented, Stage::ComesIn).await,
        Err(problem) => Err(problem.clone()),
    };
    if let Some(caller) = standing.as_ref().ok().and_then(|it| it.caller.as_ref()) {
        for authenticator in &edge.authenticators {
            authenticator.seen(caller, &origin);
        }
    }
    let is_backend = standing.as_ref().is_ok_and(Standing::is_backend);
    origin.acting = standing.as_ref().ok().and_then(Standing::acting);
    let client = if is_backend {
        client_ip::on_behalf(req.headers())
    } else {
        Ok(None)
    };
    let is_for_itself = is_backend && client == Ok(None);
    let standing = client.map_err(not_an_address).and_then(|client| {
        origin.ip = client.or(origin.ip);
        standing
    });
    let identity = Identity {
        origin,
        policy: edge.policy.clone(),
        edge: edge.clone(),
        presented: presented.ok(),
        standing,
        asked: Asked::default(),
    };
    req.extensions_mut().insert(Rc::new(identity));
    let answer = next.call(req).await?;
    witness::hear(&edge, &answer);
    Ok(if is_for_itself {
        advised(answer)
    } else {
        answer
    })
}

fn not_an_address(_: NotAnAddress) -> Problem {
    Problem::new(ProblemKind::BadRequest)
        .detail("`X-Authsome-Client-IP` takes one IP address, without a port")
}

/// A backend that names no client is limited as one client, and may wonder why.
fn advised(answer: ServiceResponse) -> ServiceResponse {
    let problem = answer.response().error();
    let problem = problem
        .and_then(|error| error.as_error::<Problem>())
        .cloned();
    match problem.filter(|problem| problem.kind() == ProblemKind::TooManyAttempts) {
        Some(problem) => answer.error_response(problem.detail(
            "all requests of this key count as one client's: \
             say in `X-Authsome-Client-IP` whose they are",
        )),
        None => answer,
    }
}

fn origin(req: &ServiceRequest, edge: &Edge) -> Origin {
    let request_id = req.extensions().get::<RequestId>().map(ToString::to_string);
    let user_agent = req.headers().get(USER_AGENT).map(HeaderValue::as_bytes);
    let user_agent = user_agent.map(String::from_utf8_lossy);
    let peer = req.peer_addr().map(|address| address.ip());
    let ip = peer.map(|peer| client_ip::of(peer, req.headers(), &edge.trusted_proxies));
    let language = req.headers().get(ACCEPT_LANGUAGE);
    let language = language.and_then(|header| Language::accepted(header.to_str().ok()?));
    Origin::new(request_id.unwrap_or_default(), ip, user_agent.as_deref()).reading(language)
}

async fn standing(edge: &Edge, presented: &Presented, stage: Stage) -> Result<Standing, Problem> {
    let named = match &presented.publishable_key {
        Some(key) => Some(tenant_of_key(edge, key).await?),
        None => None,
    };
    let (mut caller, refused) = match &presented.credential {
        None => (None, None),
        Some(Err(malformed)) => (None, Some(malformed.clone())),
        Some(Ok(credential)) => match authenticated(edge, credential, stage).await {
            Ok(caller) => (Some(caller), None),
            Err(problem) => (None, Some(problem)),
        },
    };
    let home = caller.as_ref().map(|caller| caller.home);
    if let (Some(named), Some(home)) = (named, home)
        && named != home
    {
        return Err(ProblemKind::TenantMismatch.into());
    }
    let tenant = match (&presented.act_on, caller.as_mut()) {
        (None, _) => Ok(home.or(named)),
        (Some(wanted), Some(caller)) => act_on(edge, caller, wanted).await.map(Some),
        (Some(wanted), None) => agree(named, wanted),
    };
    Ok(Standing {
        caller,
        refused,
        tenant,
    })
}

async fn tenant_of_key(edge: &Edge, key: &str) -> Result<Tenant, Problem> {
    let tenant = edge.directory.by_publishable_key(key).await?;
    tenant.ok_or_else(|| ProblemKind::InvalidPublishableKey.into())
}

async fn authenticated(
    edge: &Edge,
    credential: &Credential,
    stage: Stage,
) -> Result<Caller, Problem> {
    for authenticator in &edge.authenticators {
        let found = match stage {
            Stage::ComesIn => authenticator.caller(credential),
            Stage::GoesOn => authenticator.caller_still(credential),
        };
        if let Some(caller) = found.await? {
            return Ok(caller);
        }
    }
    Err(ProblemKind::InvalidToken.into())
}

/// Without a caller, `?app_id=` may repeat what the publishable key says, and nothing else.
fn agree(named: Option<Tenant>, wanted: &ActOn) -> Result<Option<Tenant>, Problem> {
    let (app, environment) = parsed(wanted)?;
    match named {
        Some(tenant) if !is_within(tenant, app, environment) => Err(ProblemKind::NotFound.into()),
        tenant => Ok(tenant),
    }
}

/// Moves the caller to the tenant named, if it is the caller's own or the policy lets it operate.
///
/// An operator takes along only what the platform gives: what its roles allow at home says nothing
/// about another app. Foreign, unknown and malformed look alike.
async fn act_on(edge: &Edge, caller: &mut Caller, wanted: &ActOn) -> Result<Tenant, Problem> {
    let (app, environment) = parsed(wanted)?;
    if is_within(caller.home, app, environment) {
        return Ok(caller.home);
    }
    if !edge
        .policy
        .allows(&caller.subjects, OperateApps::OBJECT, OperateApps::ACTION)
    {
        return Err(ProblemKind::NotFound.into());
    }
    let tenant = edge.directory.environment(app, environment).await?;
    let tenant = tenant.ok_or(ProblemKind::NotFound)?;
    caller
        .subjects
        .retain(|subject| subject.starts_with(PLATFORM_SUBJECTS) || is_scope(subject));
    caller.tenant = tenant;
    Ok(tenant)
}

fn parsed(wanted: &ActOn) -> Result<(AppId, Option<EnvId>), Problem> {
    let app = wanted.app_id.parse().map_err(|_| ProblemKind::NotFound)?;
    let environment = wanted.env_id.as_deref().map(str::parse).transpose();
    Ok((app, environment.map_err(|_| ProblemKind::NotFound)?))
}

fn is_within(tenant: Tenant, app: AppId, environment: Option<EnvId>) -> bool {
    tenant.app_id == app && environment.is_none_or(|wanted| wanted == tenant.env_id)
}
