//! Reading keys: all of one owner, or one.

use super::holding::{By, Deed};
use super::making::Whose;
use super::service::{KeyError, Keys};
use crate::api_keys::{self, ApiKey};
use crate::kernel::id::ApiKeyId;
use crate::kernel::page::{Limit, Position, Slice};

impl Keys {
    /// The keys of whoever is meant, newest first.
    pub(super) async fn list(
        &self,
        by: &By<'_>,
        whose: Whose,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<ApiKey>, KeyError> {
        let owner = whose.meant_by(by.caller)?;
        self.store
            .read(async |tx| {
                let mut tx = tx.within(by.caller.tenant);
                self.let_at(&mut tx, (by, Deed::Read), owner).await?;
                Ok(api_keys::page(&mut tx, owner, page).await?)
            })
            .await
    }

    pub(super) async fn get(&self, by: &By<'_>, id: ApiKeyId) -> Result<ApiKey, KeyError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(by.caller.tenant);
                self.one(&mut tx, (by, Deed::Read), id).await
            })
            .await
    }
}
