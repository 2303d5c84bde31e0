//! An account whose address is proven late: it is the reader's of the letter, and nobody else's
//! (Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022).

use super::ending::Ended;
use super::record::Ending;
use super::service::Sessions;
use crate::api_keys;
use crate::credentials;
use crate::devices;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::links::{self, LinkRefused};
use crate::store::Tx;
use crate::tokens::Revocation;
use crate::users::{self, User};

impl Sessions {
    /// Gives an account to the reader of a letter to its address, which nobody has proven before.
    /// Whatever whoever made it has left to come back by is taken away: password, sessions, devices,
    /// links, keys, names.
    pub async fn reclaim(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        user: &User,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Vec<Revocation>, LinkRefused> {
        let (id, mut scoped) = (user.id, tx.within(tenant));
        self.prove_address(&mut scoped, user, (now, origin)).await?;
        users::password_changed(&mut scoped, id, now).await?;
        credentials::forget(&mut scoped, id).await?;
        self.lockouts.lift(&mut scoped, tenant.app_id, id).await?;
        let mut everywhere = tx.within(tenant.app_id);
        devices::forget(&mut everywhere, id).await?;
        links::void(&mut everywhere, id, now).await?;
        api_keys::forget_own(&mut everywhere, id).await?;
        let ended = Ended {
            user: id,
            how: Ending::Reclaimed,
            by: Party::new("user", id),
        };
        let ended = self.end_all_in(tx, tenant, &ended, (now, origin)).await?;
        ended.ok_or(LinkRefused::Invalid)
    }

    /// Verifies the address of a user who has followed a link to it, and takes away what
    /// whoever made the account may have called it; nothing where it was verified before. Sessions
    /// and password are the caller's affair.
    pub async fn prove_address(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(), LinkRefused> {
        if user.email_verified {
            return Ok(());
        }
        let his = users::reclaim(tx, user, now).await?;
        his.ok_or(LinkRefused::Invalid)?;
        let (name, party) = (Name::EmailVerified, Party::new("user", user.id));
        let told = self
            .event(name, tx.scope(), party.clone(), (now, origin))
            .on(party);
        Ok(events::record(tx, &told).await?)
    }
}
