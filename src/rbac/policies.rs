//! Compiled policies, made on demand and kept while their versions count.

use std::sync::Arc;

use moka::sync::Cache;

use super::record::{CustomRole, RegisteredResource};
use super::repo;
use crate::access::{OrgPolicies, OrgPolicy};
use crate::kernel::id::{OrgId, PolicyId};
use crate::kernel::measure::{Lookups, Measured, Page};
use crate::store::{OfApp, Reaches, StoreError, Stored, Tx};

/// How many bytes of compiled policies are kept: those of some two thousand organisations, or of
/// fewer whose apps register much.
const KEPT: u64 = 64 << 20;

/// The policies of all organisations. Clones share what is compiled.
#[derive(Debug, Clone)]
pub struct Policies {
    compiler: Arc<OrgPolicies>,
    kept: Cache<OrgId, Arc<Compiled>>,
    lookups: Arc<Lookups>,
}

/// What a policy was compiled from: of the app, and of the organisation.
type Versions = (Option<PolicyId>, Option<PolicyId>);

#[derive(Debug)]
struct Compiled {
    from: Versions,
    policy: Arc<OrgPolicy>,
}

/// The policy that counts in an organisation at this moment.
#[derive(Debug, Clone)]
pub struct InForce {
    pub policy: Arc<OrgPolicy>,
    /// The version of what the app defines for all its organisations; access tokens carry it.
    pub app_version: i64,
}

impl Measured for Policies {
    fn tell(&self, page: &mut Page) {
        self.lookups.tell(page, "policies");
    }
}

impl Policies {
    pub fn new(compiler: OrgPolicies) -> Self {
        Self {
            compiler: Arc::new(compiler),
            kept: Cache::builder()
                .max_capacity(KEPT)
                .weigher(|_, kept: &Arc<Compiled>| kept.policy.weight())
                .build(),
            lookups: Arc::default(),
        }
    }

    /// The policy of an organisation whose own roles have this version, as it is in this unit of
    /// work.
    pub async fn of<S>(
        &self,
        tx: &mut Tx<'_, S>,
        (org, own): (OrgId, Option<PolicyId>),
    ) -> Stored<InForce>
    where
        S: Copy + Reaches<OfApp>,
    {
        let catalogue = repo::catalogue(tx).await?;
        let from = (catalogue.as_ref().map(|it| it.policy_id), own);
        let app_version = catalogue.as_ref().map_or(0, |it| it.version);
        let kept = self.kept.get(&org).filter(|kept| kept.from == from);
        if let Some(kept) = self.lookups.noted(kept) {
            let policy = kept.policy.clone();
            return Ok(InForce {
                policy,
                app_version,
            });
        }
        let roles = repo::of_organization(tx, org).await?;
        let resources = catalogue.map(|it| it.resources).unwrap_or_default();
        let policy = Arc::new(self.draft(&resources, &roles).await?);
        let compiled = Compiled {
            from,
            policy: policy.clone(),
        };
        self.kept.insert(org, Arc::new(compiled));
        Ok(InForce {
            policy,
            app_version,
        })
    }

    /// A policy of these resources and roles that is not in force, or not yet.
    pub async fn draft(
        &self,
        resources: &[RegisteredResource],
        roles: &[CustomRole],
    ) -> Stored<OrgPolicy> {
        let resources: Vec<_> = resources.iter().map(RegisteredResource::resource).collect();
        let defined = roles.iter().map(CustomRole::rule).collect();
        let compiled = self.compiler.compile(&resources, defined).await;
        compiled.map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}
