//! Guards: the first argument of every handler, and the only way to a tenant.
//!
//! ```text
//! Allowed<P>   a caller whom the policy allows P    401 without one, then 404 elsewhere, then 403
//! Entering<P>  a caller who comes for P to an organisation, which then says whether he may
//! Anyone       a tenant, with or without a caller   400 app_context_required without one
//! Public       neither: health, keys, documentation
//! ```
//!
//! Guards are synchronous. actix polls the arguments of a handler in turn until one fails, and a
//! guard that had to wait would let a malformed body answer before a missing credential.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::authenticate::{Identity, Standing};
use super::caller::{Caller, Principal};
use super::problem::Problem;
use super::problems::ProblemKind;
use crate::access::{EnterOrganizations, Grantable, InApp, InOrganization, Permission, Policy};
use crate::events::Origin;
use crate::kernel::id::{AppId, SessionId, UserId};
use crate::kernel::tenant::Tenant;

/// A caller who holds the permission `P` in the tenant acted on.
#[derive(Debug)]
pub struct Allowed<P> {
    caller: Caller,
    identity: Rc<Identity>,
    permission: PhantomData<P>,
}

impl<P: Permission<In = InApp>> Allowed<P> {
    /// Judges the caller anew, for work that goes on after its request was let in: fails where the
    /// same credential would not get past the guard any more, or would act somewhere else.
    pub async fn again(&self) -> Result<Self, Problem> {
        let standing = self.identity.standing_now().await?;
        let caller = allowed::<P>(&standing, &self.identity.policy)?;
        // Where `?app_id=` alone says where he acts, that may be another environment by now.
        if caller.tenant != self.caller.tenant {
            return Err(ProblemKind::NotFound.into());
        }
        Ok(Self {
            caller,
            identity: self.identity.clone(),
            permission: PhantomData,
        })
    }
}

impl<P> Allowed<P> {
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    pub fn tenant(&self) -> Tenant {
        self.caller.tenant
    }

    pub fn origin(&self) -> &Origin {
        &self.identity.origin
    }

    /// The app acted on, which a path names too: another one is unknown in it.
    pub fn own(&self, named: AppId) -> Result<AppId, Problem> {
        if named == self.caller.tenant.app_id {
            return Ok(named);
        }
        Err(ProblemKind::NotFound.into())
    }

    /// Whether the policy allows the caller `Q` as well.
    pub fn also<Q: Permission<In = InApp>>(&self) -> bool {
        self.identity
            .policy
            .allows(&self.caller.subjects, Q::OBJECT, Q::ACTION)
    }

    /// He comes for `Q`, for which this guard is not enough: that is what he is refused, and what he
    /// must still have to be told the answer again.
    pub fn comes_for<Q: Permission>(&self) {
        self.identity.asked.set(Some(Q::ROW));
    }

    /// The person and session behind the request; 403 `user_required` for an API key.
    pub fn user(&self) -> Result<(UserId, SessionId), Problem> {
        match self.caller.principal {
            Principal::User {
                user_id,
                session_id,
                ..
            } => Ok((user_id, session_id)),
            Principal::Key { .. } => Err(ProblemKind::UserRequired.into()),
        }
    }

    /// The person behind the request, also where he acts by a key of his own; 403 `user_required` for
    /// any other key.
    pub fn person(&self) -> Result<UserId, Problem> {
        match self.caller.principal {
            Principal::User { user_id, .. } => Some(user_id),
            Principal::Key { owner, .. } => owner.user(),
        }
        .ok_or_else(|| ProblemKind::UserRequired.into())
    }
}

/// A caller who may act in organisations at all. Whether he may do `P` in this one follows from his
/// place in it, which the unit of work reads: see [`Entering::entrance`].
#[derive(Debug)]
pub struct Entering<P> {
    caller: Caller,
    identity: Rc<Identity>,
    permission: PhantomData<P>,
}

/// Who comes to an organisation, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Entrance<'a> {
    pub caller: &'a Caller,
    pub permission: Grantable,
    pub origin: &'a Origin,
}

impl<P: Permission<In = InOrganization>> Entering<P> {
    /// Whether the policy of the app allows the caller `Q`.
    pub fn also<Q: Permission<In = InApp>>(&self) -> bool {
        let subjects = &self.caller.subjects;
        self.identity.policy.allows(subjects, Q::OBJECT, Q::ACTION)
    }

    /// He comes for `Q` in the app itself instead: if it is refused, then that is told.
    pub fn instead<Q: Permission<In = InApp>>(&self) {
        self.identity.asked.set(Some(Q::ROW));
    }

    pub fn entrance(&self) -> Entrance<'_> {
        Entrance {
            caller: &self.caller,
            permission: P::ROW,
            origin: &self.identity.origin,
        }
    }
}

/// Somebody in a known tenant, signed in or not.
#[derive(Debug)]
pub struct Anyone {
    tenant: Tenant,
    identity: Rc<Identity>,
}

impl Anyone {
    pub fn tenant(&self) -> Tenant {
        self.tenant
    }

    pub fn origin(&self) -> &Origin {
        &self.identity.origin
    }
}

/// Nobody in particular.
#[derive(Debug)]
pub struct Public(Rc<Identity>);

impl Public {
    /// The tenant that a publishable key or a valid credential names, if any. A key that is not
    /// one of ours, and two that disagree, are refused all the same.
    pub fn tenant(&self) -> Result<Option<Tenant>, Problem> {
        let standing = self.0.standing.as_ref().map_err(Clone::clone)?;
        standing.tenant.clone()
    }

    /// The person who is signed in, if somebody is and the policy allows him `P`; a backend is nobody. A
    /// credential that does not count is refused.
    pub fn person<P: Permission<In = InApp>>(&self) -> Result<Option<UserId>, Problem> {
        let standing = self.0.standing.as_ref().map_err(Clone::clone)?;
        let principal = standing.caller.as_ref().map(|caller| caller.principal);
        match principal {
            Some(Principal::User { user_id, .. }) => {
                allowed::<P>(standing, &self.0.policy).map(|_| Some(user_id))
            }
            Some(Principal::Key { .. }) => Ok(None),
            None => standing.refused.clone().map_or(Ok(None), Err),
        }
    }

    /// Whoever asks, if somebody does. A credential that does not count is refused.
    pub fn caller(&self) -> Result<Option<&Caller>, Problem> {
        let standing = self.0.standing.as_ref().map_err(Clone::clone)?;
        match &standing.caller {
            Some(caller) => Ok(Some(caller)),
            None => standing.refused.clone().map_or(Ok(None), Err),
        }
    }

    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }
}

/// The caller, if its credential is valid and the policy allows it `P` in the tenant it acts on.
pub(super) fn allowed<P: Permission<In = InApp>>(
    standing: &Standing,
    policy: &Policy,
) -> Result<Caller, Problem> {
    let Some(caller) = &standing.caller else {
        let refused = standing.refused.clone();
        return Err(refused.unwrap_or_else(|| ProblemKind::Unauthenticated.into()));
    };
    standing.tenant.as_ref().map_err(Clone::clone)?;
    if !policy.allows(&caller.subjects, P::OBJECT, P::ACTION) {
        return Err(ProblemKind::Forbidden.into());
    }
    Ok(caller.clone())
}

/// The tenant of somebody. A credential that does not count is overlooked only where a valid
/// publishable key names the tenant: a browser with a stale token must be able to sign in again.
fn anyone(identity: &Identity) -> Result<Tenant, Problem> {
    let Standing {
        refused, tenant, ..
    } = identity.standing.as_ref().map_err(Clone::clone)?;
    let tenant = tenant.as_ref().map_err(Clone::clone)?;
    let is_fatal =
        |problem: &&Problem| tenant.is_none() || problem.kind() != ProblemKind::InvalidToken;
    if let Some(problem) = refused.as_ref().filter(is_fatal) {
        return Err(problem.clone());
    }
    tenant.ok_or_else(|| ProblemKind::AppContextRequired.into())
}

/// A request that did not pass the middleware has no identity, and gets nowhere.
pub(super) fn identity(req: &HttpRequest) -> Result<Rc<Identity>, Problem> {
    let identity = req.extensions().get::<Rc<Identity>>().cloned();
    identity.ok_or_else(|| Problem::internal("a guarded handler is mounted outside the edge"))
}

impl<P: Permission<In = InApp>> FromRequest for Allowed<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(req).and_then(|identity| {
            let standing = identity.standing.as_ref().map_err(Clone::clone)?;
            identity.asked.set(Some(P::ROW));
            let caller = allowed::<P>(standing, &identity.policy)?;
            Ok(Self {
                caller,
                identity,
                permission: PhantomData,
            })
        }))
    }
}

impl<P: Permission<In = InOrganization>> FromRequest for Entering<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(req).and_then(|identity| {
            let standing = identity.standing.as_ref().map_err(Clone::clone)?;
            identity.asked.set(Some(EnterOrganizations::ROW));
            let caller = allowed::<EnterOrganizations>(standing, &identity.policy)?;
            identity.asked.set(Some(P::ROW));
            Ok(Self {
                caller,
                identity,
                permission: PhantomData,
            })
        }))
    }
}

impl FromRequest for Anyone {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(req).and_then(|identity| {
            let tenant = anyone(&identity)?;
            Ok(Self { tenant, identity })
        }))
    }
}

impl FromRequest for Public {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(req).map(Self))
    }
}
