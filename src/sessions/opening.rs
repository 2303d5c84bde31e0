//! The beginning of a session, whatever proved who begins it.

use super::issue::{Draft, Issued};
use super::service::Sessions;
use super::signing_in::SignInError;
use crate::environments::Environment;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::UserId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::Tx;
use crate::tokens::KeyError;
use crate::users::{self, User};

/// A session that counts once its unit of work commits; then it is to be [issued](Sessions::issue).
#[derive(Debug)]
pub struct Opened {
    pub(super) user: User,
    pub(super) draft: Draft,
}

impl Sessions {
    /// Sees to it that the environment can sign. Before a unit of work that opens a session.
    pub async fn prepare(&self, tenant: Tenant) -> Result<(), KeyError> {
        self.issuer.access.prepare(tenant).await
    }

    /// Opens a session of a user who has proven to be himself by `amr` (RFC 8176), as he is at this
    /// moment.
    pub async fn open(
        &self,
        tx: &mut Tx<'_>,
        environment: &Environment,
        (id, amr): (UserId, &str),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Opened, SignInError> {
        let tenant = environment.tenant();
        let mut tx = tx.within(tenant);
        let user = users::signs_in(&mut tx, id, now)
            .await?
            .ok_or(SignInError::Wrong)?;
        if !user.may_sign_in(now) {
            return Err(SignInError::Disabled);
        }
        if environment.settings.require_verification && !user.email_verified {
            return Err(SignInError::Unverified);
        }
        let draft = self.issuer.begin(tenant, (&user, amr), (now, origin));
        tx.insert(&draft.session).await?;
        let told = self
            .event(
                Name::SessionCreated,
                tenant,
                Party::new("user", user.id),
                (now, origin),
            )
            .on(Party::new("session", draft.session.id));
        events::record(&mut tx, &told).await?;
        Ok(Opened { user, draft })
    }

    /// The tokens of a session whose unit of work has committed.
    pub async fn issue(&self, opened: Opened) -> Result<Issued, KeyError> {
        let Opened { user, draft } = opened;
        self.issuer
            .sign(draft.claims, draft.refresh_token, user)
            .await
    }
}
