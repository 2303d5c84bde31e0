//! Refusals of what a caller may not do: each is told, after its answer (ASVS 16.3.2).
//!
//! Guards note in the [`Asked`] of a request which permission they ask for. Whatever answers 403
//! `forbidden` then, the guard itself or the place of the caller in an organisation, is told to the
//! [`Witness`] of the edge. Who has no valid credential, and what he may not even know of, is not.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::HttpMessage;
use actix_web::dev::ServiceResponse;
use actix_web::web::Data;
use futures_util::future::LocalBoxFuture;

use super::authenticate::Identity;
use super::caller::Caller;
use super::edge::Edge;
use super::problem::Problem;
use super::problems::ProblemKind;
use super::unit::Afterwards;
use crate::access::{Grantable, Realm};
use crate::events::Origin;
use crate::kernel::id::OrgId;
use crate::store::StoreError;

/// The parameter of paths that names the organisation entered.
const ORGANIZATION: &str = "org";

/// The permission that a guard asks for, as soon as one does.
pub(super) type Asked = Cell<Option<Grantable>>;

/// A caller who was refused what he asked for.
#[derive(Debug)]
pub struct Denial {
    pub caller: Caller,
    pub permission: Grantable,
    /// The organisation whose policy refused it.
    pub org: Option<OrgId>,
    pub origin: Origin,
}

/// Hears of refusals.
pub trait Witness: Send + Sync {
    fn denied(&self, denial: Denial) -> LocalBoxFuture<'_, Result<(), StoreError>>;
}

/// Has a refusal told once it is answered.
pub(super) fn hear(edge: &Data<Edge>, answer: &ServiceResponse) {
    let Some(denial) = denial(answer) else {
        return;
    };
    let witness = edge.witness.clone();
    let later = Afterwards::of(edge);
    later.run("a refusal was not told", async move {
        witness.denied(denial).await
    });
}

fn denial(answer: &ServiceResponse) -> Option<Denial> {
    let problem = answer.response().error()?.as_error::<Problem>()?;
    if problem.kind() != ProblemKind::Forbidden {
        return None;
    }
    let request = answer.request();
    let identity = request.extensions().get::<Rc<Identity>>().cloned()?;
    let permission = identity.asked.get()?;
    let standing = identity.standing.as_ref().ok()?;
    let org = request.match_info().get(ORGANIZATION);
    let is_entered = permission.realm == Realm::Organization;
    Some(Denial {
        caller: standing.caller.clone()?,
        permission,
        org: org.filter(|_| is_entered).and_then(|org| org.parse().ok()),
        origin: identity.origin.clone(),
    })
}
