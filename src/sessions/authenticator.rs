use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::access::{Role, impersonated, subjects};
use crate::http::{Authenticator, Caller, Credential, Principal, Problem};
use crate::kernel::id::AppId;
use crate::kernel::secret::ExposeSecret;
use crate::tokens::{AccessClaims, AccessTokens};

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
                Ok(claims) => Ok(self.caller_of(&claims)),
                Err(refused) => Err(refused.into()),
            }
        }
        .boxed_local()
    }
}

impl BearerTokens {
    /// `None` for a token that an API key was exchanged for.
    fn caller_of(&self, claims: &AccessClaims) -> Option<Caller> {
        let user_id = claims.sub.user().filter(|_| !claims.is_of_key())?;
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
        Some(Caller {
            principal: Principal::User {
                user_id,
                session_id: claims.sid,
                acting,
            },
            home: claims.tenant(),
            tenant: claims.tenant(),
            subjects,
        })
    }
}
