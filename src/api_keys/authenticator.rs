use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use moka::sync::Cache;

use super::live::{Live, LiveKeys};
use super::repo;
use crate::events::Origin;
use crate::http::{Afterwards, Authenticator, Caller, Credential, Principal, Problem, ProblemKind};
use crate::kernel::id::ApiKeyId;
use crate::kernel::secret::ExposeSecret;
use crate::kernel::time::{Clock, Timestamp};
use crate::tokens::AccessTokens;

/// How often the use of a key is noted at most.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// How many keys a node remembers to have noted.
const REMEMBERED: u64 = 10_000;

/// Finds the caller behind a secret key, by its digest, or behind an access token that one was
/// exchanged for. Either is looked up each time: nothing that ends a key has to be heard of.
#[derive(Debug, Clone)]
pub struct SecretKeys {
    live: LiveKeys,
    access: AccessTokens,
    clock: Clock,
    afterwards: Afterwards,
    noted: Cache<ApiKeyId, Timestamp>,
}

impl SecretKeys {
    pub fn new(
        live: LiveKeys,
        access: AccessTokens,
        (clock, afterwards): (Clock, Afterwards),
    ) -> Self {
        Self {
            live,
            access,
            clock,
            afterwards,
            noted: Cache::new(REMEMBERED),
        }
    }

    async fn by_secret(&self, text: &str) -> Result<Live, Problem> {
        let live = self.live.by_secret(text, self.clock.now()).await?;
        live.ok_or_else(|| ProblemKind::InvalidToken.into())
    }

    /// The key that is presented, if one is.
    async fn presented(&self, credential: &Credential) -> Result<Option<Live>, Problem> {
        match credential {
            Credential::ApiKey(key) => self.by_secret(key.expose_secret()).await.map(Some),
            Credential::Bearer(token) => self.by_token(token.expose_secret()).await,
        }
    }

    async fn by_token(&self, text: &str) -> Result<Option<Live>, Problem> {
        let claims = self.access.verify(text).await?;
        if !claims.is_of_key() {
            return Ok(None);
        }
        let live = self.live.by_token(&claims, self.clock.now()).await?;
        Ok(Some(live.ok_or(ProblemKind::InvalidToken)?))
    }

    /// Whether this node has not noted the use of a key for a while; it has now.
    fn is_due(&self, key: ApiKeyId, now: Timestamp) -> bool {
        let noted = self.noted.get(&key);
        let is_due = noted.is_none_or(|at| now.since(at) >= NOTED_EVERY);
        if is_due {
            self.noted.insert(key, now);
        }
        is_due
    }
}

impl Authenticator for SecretKeys {
    fn caller<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Option<Caller>, Problem>> {
        async move {
            let live = self.presented(credential).await?;
            // A request by a secret uses it up by one, whatever comes of it.
            if let (Some(live), Credential::ApiKey(_)) = (&live, credential)
                && !self.live.spend(live).await?
            {
                return Err(ProblemKind::InvalidToken.into());
            }
            Ok(live.map(|live| live.caller))
        }
        .boxed_local()
    }

    fn caller_still<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Option<Caller>, Problem>> {
        async move {
            let live = self.presented(credential).await?;
            Ok(live.map(|live| live.caller))
        }
        .boxed_local()
    }

    /// Notes the use of a key, once a minute, and after the request: nobody waits for it.
    fn seen(&self, caller: &Caller, from: &Origin) {
        let Principal::Key { key_id, .. } = caller.principal else {
            return;
        };
        let now = self.clock.now();
        if !self.is_due(key_id, now) {
            return;
        }
        let (store, home) = (self.live.store.clone(), caller.home);
        let ip = from.ip.map(|ip| ip.to_string());
        let failed = "the use of a key was not noted";
        self.afterwards.run(failed, async move {
            let mut once = store.once();
            let since = now.minus(NOTED_EVERY);
            repo::used(&mut once.within(home), key_id, (now, since), ip).await
        });
    }
}
