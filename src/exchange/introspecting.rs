//! Looking into a key or a token: what it is good for at this moment (RFC 7662).

use super::service::{Exchange, ExchangeError};
use super::wire::Introspection;
use crate::kernel::tenant::Tenant;
use crate::tokens::Refused;

/// What every key of ours begins with.
const KEY: &str = "sk_";

impl Exchange {
    /// What a text is good for in an environment. Whatever it is not good for there, or not any more,
    /// is the same nothing. Nothing is used up by being asked about.
    pub(super) async fn introspect(
        &self,
        tenant: Tenant,
        text: &str,
    ) -> Result<Introspection, ExchangeError> {
        let found = if text.starts_with(KEY) {
            self.key(tenant, text).await?
        } else {
            match self.access_token(tenant, text).await? {
                Some(found) => Some(found),
                None => self.refresh_token(tenant, text).await?,
            }
        };
        Ok(found.unwrap_or_default())
    }

    async fn key(
        &self,
        tenant: Tenant,
        text: &str,
    ) -> Result<Option<Introspection>, ExchangeError> {
        let live = self.live.by_secret(text, self.clock.now()).await?;
        let is_left = |uses: Option<i64>| uses.is_none_or(|uses| uses > 0);
        let live = live.filter(|live| live.key.tenant() == tenant);
        let Some(live) = live.filter(|live| is_left(live.key.remaining_uses)) else {
            return Ok(None);
        };
        let told = self.told_of(&live).await?;
        let issuer = self.access.issuer();
        Ok(Some(Introspection::of_key(&live, told, issuer)))
    }

    async fn access_token(
        &self,
        tenant: Tenant,
        text: &str,
    ) -> Result<Option<Introspection>, ExchangeError> {
        let claims = match self.access.verify(text).await {
            Ok(claims) if claims.tenant() == tenant => claims,
            Err(Refused::Keys(error)) => return Err(error.into()),
            Err(Refused::Store(error)) => return Err(error.into()),
            Ok(_)
            | Err(
                Refused::NotOne
                | Refused::Unsigned
                | Refused::Foreign
                | Refused::Over
                | Refused::Revoked,
            ) => return Ok(None),
        };
        if claims.is_of_key() {
            let live = self.live.by_token(&claims, self.clock.now()).await?;
            if live.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(Introspection::of_claims(&claims)))
    }

    async fn refresh_token(
        &self,
        tenant: Tenant,
        text: &str,
    ) -> Result<Option<Introspection>, ExchangeError> {
        let found = self.sessions.by_refresh_token(tenant, text).await?;
        let issuer = self.access.issuer();
        Ok(found.map(|(session, user)| Introspection::of_session(&session, &user, issuer)))
    }
}
