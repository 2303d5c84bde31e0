//! Decisions of compiled policies, and what compiling one takes: in this process, one at a time.
//!
//! Organisation after organisation, each is asked whatever its roles could allow: first of a policy
//! that was never asked, then again of its table of answers.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authsome::access::{OrgPolicies, OrgPolicy};
use authsome::memberships::Organization;
use authsome::rbac::{self, Policies};
use authsome::store::StoreError;

use super::seed::Town;

/// How many organisations are asked, of all that there are.
const SAMPLED: usize = 500;
/// How many policies are compiled again to see what it takes.
const COMPILED: usize = 200;

/// Medians and 99th percentiles.
pub struct Decisions {
    pub cached: (Duration, Duration),
    pub first: (Duration, Duration),
    pub compiled: (Duration, Duration),
}

pub async fn measure(town: &Town) -> Decisions {
    let built_in = OrgPolicies::built_in().await.expect("the policy is sound");
    let policies = Policies::new(built_in);
    let step = (town.organizations.len() / SAMPLED).max(1);
    let sampled: Vec<&Organization> = town
        .organizations
        .iter()
        .step_by(step)
        .take(SAMPLED)
        .collect();
    let mut compiled = Vec::new();
    for at in 0..COMPILED {
        compiled.push(compile(town, &policies, sampled[at % sampled.len()]).await);
    }
    let (mut first, mut cached) = (Vec::new(), Vec::new());
    for organization in &sampled {
        let policy = in_force(town, &policies, organization).await;
        for times in [&mut first, &mut cached] {
            ask(town, &policy, times);
        }
    }
    Decisions {
        cached: percentiles(cached),
        first: percentiles(first),
        compiled: percentiles(compiled),
    }
}

async fn in_force(town: &Town, policies: &Policies, of: &Organization) -> Arc<OrgPolicy> {
    let mut once = town.store.once();
    let mut tx = once.within(town.tenant);
    let in_force = policies.of(&mut tx, (of.id, of.policy_id)).await;
    in_force.expect("a policy").policy
}

async fn compile(town: &Town, policies: &Policies, of: &Organization) -> Duration {
    let mut once = town.store.once();
    let roles = rbac::of_organization(&mut once.within(town.tenant), of.id).await;
    let roles = roles.expect("roles");
    let began = Instant::now();
    let policy = policies.draft(&town.resources, &roles).await;
    black_box(policy.map_err(|error: StoreError| error.to_string())).expect("a policy");
    began.elapsed()
}

/// Everything that each role of the organisation could be asked for.
fn ask(town: &Town, policy: &OrgPolicy, times: &mut Vec<Duration>) {
    for role in policy.roles() {
        let subjects = [role.id.to_string()];
        for resource in &town.resources {
            for action in &resource.actions {
                let began = Instant::now();
                let (object, action) = (resource.name.as_str(), action.as_str());
                black_box(policy.allows(black_box(&subjects), object, action));
                times.push(began.elapsed());
            }
        }
    }
}

fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
