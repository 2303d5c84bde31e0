use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::access::{Role, impersonated, subjects};
use crate::http::{Authenticator, Caller, Credential, Principal, Problem, ProblemKind};
use crate::kernel::id::AppId;
use crate::kernel::secret::ExposeSecret;
use crate::tokens::{AccessClaims, AccessTokens, Refused};

/// Finds the caller in an access token, without a look at the store.
#[derive(Debug, Clone)]
pub struct BearerTokens {
    pub access: AccessTokens,
    pub platform: AppId,
}

impl Authenticator for BearerTokens {
    fn caller<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Option<Caller>, Problem>> {
        async move {
            let Credential::Bearer(token) = credential else {
                return Ok(None);
            };
            match self.access.verify(token.expose_secret()).await {
                Ok(claims) => Ok(Some(self.caller_of(&claims))),
                Err(refused) => Err(problem(refused)),
            }
        }
        .boxed_local()
    }
}

impl BearerTokens {
    fn caller_of(&self, claims: &AccessClaims) -> Caller {
        let roles: Vec<Role> = claims
            .roles
            .iter()
            .filter_map(|role| role.parse().ok())
            .collect();
        let acting = claims.act.as_ref().map(|actor| actor.sub);
        let subjects = match acting {
            Some(_) => impersonated(),
            None => subjects(claims.app_id == self.platform, &roles),
        };
        Caller {
            principal: Principal::User {
                user_id: claims.sub,
                session_id: claims.sid,
                acting,
            },
            home: claims.tenant(),
            tenant: claims.tenant(),
            subjects,
        }
    }
}

fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Keys(error) => error.into(),
        Refused::Store(error) => error.into(),
        Refused::NotOne
        | Refused::Unsigned
        | Refused::Foreign
        | Refused::Over
        | Refused::Revoked => ProblemKind::InvalidToken.into(),
    }
}
