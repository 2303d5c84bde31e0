//! An account whose address is proven late: it is the reader's of the letter, and nobody else's.

use super::service::Sessions;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::links::LinkRefused;
use crate::store::Tx;
use crate::users::{self, User};

impl Sessions {
    /// Verifies the address of a user who has followed a link to it, and takes away what whoever
    /// made the account may have left to come back by, if that was somebody else. Whether there was
    /// anything to do; sessions and password are the caller's affair.
    pub async fn reclaim(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<bool, LinkRefused> {
        if user.email_verified {
            return Ok(false);
        }
        let his = users::reclaim(tx, user, now).await?;
        his.ok_or(LinkRefused::Invalid)?;
        let (name, party) = (Name::EmailVerified, Party::new("user", user.id));
        let told = self
            .event(name, tx.scope(), party.clone(), (now, origin))
            .on(party);
        events::record(tx, &told).await?;
        Ok(true)
    }
}
