use crate::access::Policy;
use crate::kernel::entropy::Entropy;
use crate::kernel::time::Clock;
use crate::memberships::Memberships;
use crate::store::Store;
use crate::tokens::RevocationIndex;

/// The verbs on permissions.
#[derive(Debug, Clone)]
pub struct Permissions {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub revocations: RevocationIndex,
    pub memberships: Memberships,
    /// What roles of apps amount to.
    pub policy: Policy,
}
