//! Two tenants, their callers, and a few handlers of no feature.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{get, post};
use futures_util::future::{LocalBoxFuture, ready};
use serde::Serialize;
use tokio::sync::Notify;
use utoipa::ToSchema;

use crate::access::{Grantable, ListUsers, Permission, Policy, ReadMe};
use crate::http::{
    Allowed, Answer, Anyone, Authenticator, Body, Caller, Claim, Credential, Denial, Directory,
    Edge, Fields, FromFields, InFlight, Leaving, NoContent, Ok200, Paging, Principal, Problem,
    ProblemKind, Public, Query, Recorded, Repeatable, Replays, Routing, Traffic, Witness,
};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, OrgId, SessionId, TeamId, UserId};
use crate::kernel::secret::{ExposeSecret, MacKey};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{self, Email};
use crate::kernel::time::{Clock, Timestamp};
use crate::store::StoreError;

/// Two apps, known to everybody here: the platform's and a customer's.
fn tenant(seed: u64) -> Tenant {
    let (now, entropy) = (Timestamp::from_millis(0), Entropy::seeded(seed));
    Tenant {
        app_id: AppId::new(now, &entropy),
        env_id: EnvId::new(now, &entropy),
    }
}

pub(super) fn platform() -> Tenant {
    tenant(1)
}

pub(super) fn customer() -> Tenant {
    tenant(2)
}

struct World;

impl Directory for World {
    fn by_publishable_key<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Tenant>, Problem>> {
        let known = [("pk_platform", platform()), ("pk_customer", customer())];
        let found = known
            .into_iter()
            .find(|(name, _)| *name == key)
            .map(|(_, tenant)| tenant);
        Box::pin(ready(Ok(found)))
    }

    fn environment(
        &self,
        app: AppId,
        _: Option<EnvId>,
    ) -> LocalBoxFuture<'_, Result<Option<Tenant>, Problem>> {
        let found = [platform(), customer()]
            .into_iter()
            .find(|tenant| tenant.app_id == app);
        Box::pin(ready(Ok(found)))
    }

    fn allows_origin<'a>(
        &'a self,
        tenant: Option<Tenant>,
        origin: &'a text::Origin,
    ) -> LocalBoxFuture<'a, Result<bool, Problem>> {
        let is_theirs = tenant.is_none_or(|tenant| tenant == customer());
        Box::pin(ready(Ok(
            is_theirs && origin.as_str() == "https://app.example"
        )))
    }
}

/// Tokens are `<app>-<subject>`; a credential that begins with `x` is nobody's.
impl Authenticator for World {
    fn caller<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Option<Caller>, Problem>> {
        let (Credential::Bearer(secret) | Credential::ApiKey(secret)) = credential;
        let found = match secret.expose_secret().split_once('-') {
            Some(("sk_x", _)) | None => Ok(None),
            Some((app, subject)) => Ok(Some(caller(app, &subject.replace('.', ":")))),
        };
        Box::pin(ready(found))
    }
}

/// Nothing is written down here.
impl Witness for World {
    fn denied(&self, _: Denial) -> LocalBoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }
}

/// Nothing is remembered here.
impl Replays for World {
    fn claim<'a>(&'a self, _: &'a Repeatable) -> LocalBoxFuture<'a, Result<Claim, StoreError>> {
        Box::pin(ready(Ok(Claim::Taken(String::new()))))
    }

    fn answer<'a>(
        &'a self,
        _: &'a Repeatable,
        _: &'a str,
        _: Recorded,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }

    fn forget<'a>(
        &'a self,
        _: &'a Repeatable,
        _: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }

    fn may<'a>(
        &'a self,
        _: &'a Caller,
        _: Grantable,
        _: (OrgId, Option<TeamId>),
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(ready(Ok(())))
    }
}

fn caller(app: &str, subject: &str) -> Caller {
    let (now, entropy) = (Timestamp::from_millis(0), Entropy::seeded(3));
    let home = if app == "platform" {
        platform()
    } else {
        customer()
    };
    let (user_id, session_id) = (UserId::new(now, &entropy), SessionId::new(now, &entropy));
    let principal = Principal::User {
        user_id,
        session_id,
        acting: None,
    };
    let subjects = vec![subject.to_owned(), "role:USER".to_owned()];
    Caller {
        principal,
        home,
        tenant: home,
        subjects,
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Seen {
    app: String,
    email: Option<String>,
}

impl Seen {
    fn of(tenant: Tenant, email: Option<String>) -> Ok200<Self> {
        Ok200::new(Self {
            app: tenant.app_id.to_string(),
            email,
        })
    }
}

#[derive(Debug, ToSchema)]
struct Greeting {
    #[schema(value_type = String)]
    email: Email,
}

impl FromFields for Greeting {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", Email::parse);
        Some(Self { email: email? })
    }
}

/// Read oneself
#[utoipa::path(
    operation_id = "test.me", responses((status = 200, body = Seen)),
    security(("session" = [])), extensions(("x-permission" = json!(ReadMe::NAME))),
)]
#[get("/v1/me")]
async fn me(access: Allowed<ReadMe>) -> Answer<Ok200<Seen>> {
    Ok(Seen::of(access.tenant(), None))
}

/// List users
#[utoipa::path(
    operation_id = "test.users", params(Paging), responses((status = 200, body = Seen)),
    security(("session" = [])), extensions(("x-permission" = json!(ListUsers::NAME))),
)]
#[get("/v1/users")]
async fn users(access: Allowed<ListUsers>, paging: Query<Paging>) -> Answer<Ok200<Seen>> {
    paging.into_inner();
    Ok(Seen::of(access.tenant(), None))
}

/// Greet
#[utoipa::path(
    operation_id = "test.greet", request_body = Greeting, responses((status = 200, body = Seen)),
    security(("publishable_key" = [])),
    extensions(("x-problems" = json!([ProblemKind::EmailTaken]))),
)]
#[post("/v1/greet")]
async fn greet(who: Anyone, greeting: Body<Greeting>) -> Answer<Ok200<Seen>> {
    Ok(Seen::of(
        who.tenant(),
        Some(greeting.into_inner().email.as_str().to_owned()),
    ))
}

/// Panic
#[utoipa::path(operation_id = "test.panic", responses((status = 204)))]
#[post("/v1/panic")]
async fn panics(_: Public) -> Answer<NoContent> {
    assert!(
        Timestamp::from_millis(0) > Timestamp::from_millis(1),
        "as asked"
    );
    Ok(NoContent)
}

/// Told when [`slow`] begins, and when it has come to its end; it waits to be let go in between.
pub(super) static BEGUN: Notify = Notify::const_new();
pub(super) static LET_GO: Notify = Notify::const_new();
pub(super) static DONE: Notify = Notify::const_new();

/// Take a while
#[utoipa::path(operation_id = "test.slow", responses((status = 204)))]
#[post("/v1/slow")]
async fn slow(_: Public) -> Answer<NoContent> {
    BEGUN.notify_one();
    LET_GO.notified().await;
    DONE.notify_one();
    Ok(NoContent)
}

pub(super) fn routes(config: &mut Routing) {
    config
        .service(me)
        .service(users)
        .service(greet)
        .service(panics)
        .service(slow);
}

pub(super) async fn edge() -> Data<Edge> {
    Data::new(Edge {
        policy: Policy::built_in().await.unwrap(),
        authenticators: vec![Arc::new(World)],
        directory: Arc::new(World),
        witness: Arc::new(World),
        replays: Arc::new(World),
        clock: Clock::frozen(Timestamp::from_millis(0)),
        entropy: Entropy::seeded(9),
        trusted_proxies: Vec::new(),
        cursor_key: MacKey::new(&[1; 32]),
        replay_key: MacKey::new(&[2; 32]),
        base_path: "/auth".to_owned(),
        body_timeout: Duration::from_secs(15),
        handler_timeout: Duration::from_secs(15),
        in_flight: InFlight::default(),
        leaving: Leaving::default(),
        traffic: Traffic::default(),
        telemetry: None,
    })
}
