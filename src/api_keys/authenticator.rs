use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::record::ApiKey;
use super::repo;
use crate::access::subjects;
use crate::http::{Authenticator, Caller, Credential, Principal, Problem, ProblemKind};
use crate::kernel::id::AppId;
use crate::kernel::secret::{ExposeSecret, digest};
use crate::kernel::tenant::Tenant;
use crate::store::Store;

/// Longer texts are no keys and are not looked up.
const LONGEST_KEY: usize = 128;

/// Finds the caller behind a secret key, by one look-up of its digest.
#[derive(Debug, Clone)]
pub struct SecretKeys {
    pub store: Store,
    pub platform: AppId,
}

impl Authenticator for SecretKeys {
    fn caller<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Option<Caller>, Problem>> {
        async move {
            let Credential::ApiKey(key) = credential else {
                return Ok(None);
            };
            let key = key.expose_secret();
            if key.len() > LONGEST_KEY {
                return Err(ProblemKind::InvalidToken.into());
            }
            let mut once = self.store.once();
            let mut all = once.across_tenants("a secret key names its tenant");
            let found = repo::by_hash(&mut all, &digest(key.as_bytes())).await?;
            let key = found.ok_or(ProblemKind::InvalidToken)?;
            Ok(Some(self.caller_of(&key)))
        }
        .boxed_local()
    }
}

impl SecretKeys {
    fn caller_of(&self, key: &ApiKey) -> Caller {
        let home = Tenant {
            app_id: key.app_id,
            env_id: key.env_id,
        };
        Caller {
            principal: Principal::Key { key_id: key.id },
            home,
            tenant: home,
            subjects: subjects(key.app_id == self.platform, &key.roles),
        }
    }
}
