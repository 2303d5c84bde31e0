use crate::client_config::{Closed, Method};
use crate::events::{Name, Origin};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::links::{LinkPurpose, LinkRefused, Verification};
use crate::sessions::{Issued, Sessions, SignInError, Visit};
use crate::store::{StoreError, Tx};
use crate::tokens::{KeyError, Revocation};
use crate::users::{self, User};

/// How the user proved to be himself: a secret good once, sent to him (RFC 8176 §2).
const AMR: &str = "otp";

/// Signs in by letter.
#[derive(Debug, Clone)]
pub struct MagicLinks {
    pub accounts: Sessions,
}

#[derive(Debug, thiserror::Error)]
pub enum MagicLinkError {
    #[error(transparent)]
    Link(#[from] LinkRefused),
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

impl From<Closed> for MagicLinkError {
    fn from(closed: Closed) -> Self {
        Self::SignIn(closed.into())
    }
}

impl From<KeyError> for MagicLinkError {
    fn from(error: KeyError) -> Self {
        Self::SignIn(error.into())
    }
}

impl From<StoreError> for MagicLinkError {
    fn from(error: StoreError) -> Self {
        Self::SignIn(error.into())
    }
}

impl MagicLinks {
    /// Refuses a link where the app does not let people in by one.
    pub async fn admitted(&self, tenant: Tenant) -> Result<(), MagicLinkError> {
        let offered = self.accounts.client_configs.of(tenant.app_id).await?;
        Ok(offered.admits(Method::MagicLink)?)
    }

    /// Signs in the user whose link this is.
    pub async fn follow(
        &self,
        named: Option<Tenant>,
        token: &str,
        visit: Visit<'_>,
    ) -> Result<Issued, MagicLinkError> {
        let (accounts, origin) = (&self.accounts, visit.origin);
        let purpose = (LinkPurpose::MagicLink, token);
        let link = accounts
            .links
            .verification(&accounts.store, purpose, named)
            .await?;
        let tenant = link.tenant();
        // Also one that was sent before: it waits, in case the app lets people in again.
        self.admitted(tenant).await?;
        let environment = accounts.environment(tenant).await?;
        let rules = accounts.prepare(tenant).await?;
        let now = accounts.clock.now();
        let entered = accounts
            .store
            .write(async |tx| {
                accounts
                    .links
                    .follow(&mut tx.within(tenant), &link, now)
                    .await?;
                let revoked = self.reclaim(tx, &link, (now, origin)).await?;
                let who = (link.user_id, AMR);
                let place = (&*environment, &rules);
                let opened = accounts.open(tx, place, who, (now, visit)).await?;
                Ok::<_, MagicLinkError>((revoked, opened))
            })
            .await;
        if let Err(MagicLinkError::Link(refused)) = &entered {
            let (name, from) = (Name::SessionDenied, (now, origin));
            accounts.tell_refused(&link, (name, refused), from).await?;
        }
        let (revoked, opened) = entered?;
        if let Some(revoked) = revoked {
            accounts.apply(&revoked);
            accounts.recent.forget(tenant.app_id, link.user_id);
        }
        Ok(accounts.issue(opened).await?)
    }

    /// An account whose address was not proven before is the reader's from now on, and nobody
    /// else's.
    async fn reclaim(
        &self,
        tx: &mut Tx<'_>,
        link: &Verification,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Option<Vec<Revocation>>, MagicLinkError> {
        let accounts = &self.accounts;
        let (tenant, id) = (link.tenant(), link.user_id);
        let mut scoped = tx.within(tenant);
        let user = users::get(&mut scoped, id).await?;
        let his = |user: &User| user.email == link.address;
        let user = user.filter(his).ok_or(LinkRefused::Invalid)?;
        if user.email_verified {
            return Ok(None);
        }
        let reclaimed = accounts.reclaim(tx, tenant, &user, (now, origin)).await?;
        Ok(Some(reclaimed))
    }
}
