//! The policies: what is shipped in `policies/` decides as `policies/cases.csv` and
//! `policies/organization_cases.csv` expect, and the cases leave out nothing that the tables have.

use std::collections::BTreeSet;

use authsome::access::{
    Case, OrgPolicies, OrgPolicy, PERMISSIONS, Policy, Realm, cases, organization_cases,
};

use super::guarded;
use crate::support::stores::run;

/// Everybody whom `policies/roles.csv` grants something.
const SUBJECTS: [&str; 6] = [
    "role:IMPERSONATED",
    "role:ORGANIZATION",
    "role:USER",
    "role:ADMIN",
    "platform:ADMIN",
    "platform:OWNER",
];

/// Everybody whom `policies/organization.csv` grants something, and those of the app who are nobody
/// in an organisation.
const IN_ORGANIZATIONS: [&str; 11] = [
    "org:owner",
    "org:admin",
    "org:member",
    "org:viewer",
    "team:lead",
    "team:member",
    "role:IMPERSONATED",
    "role:USER",
    "role:ADMIN",
    "platform:ADMIN",
    "platform:OWNER",
];

/// The policy of an organisation where nobody has defined anything.
async fn of_an_organization() -> OrgPolicy {
    let policies = OrgPolicies::built_in().await.expect("the policy is sound");
    let policy = policies.compile(&[], Vec::new()).await;
    policy.expect("the policy is sound")
}

#[test]
fn every_case_is_decided_as_expected() {
    run(async {
        let policy = Policy::built_in().await.expect("the policy is sound");
        let cases = cases().expect("the cases can be read");

        assert_eq!(policy.misjudged(&cases), Vec::<&Case>::new());
    });
}

/// A case that expects otherwise is told: the comparison can fail.
#[test]
fn a_case_that_expects_otherwise_is_told() {
    run(async {
        let policy = Policy::built_in().await.expect("the policy is sound");
        let mut cases = cases().expect("the cases can be read");
        cases[0].allowed = !cases[0].allowed;

        assert_eq!(policy.misjudged(&cases), [&cases[0]]);
    });
}

#[test]
fn every_case_about_an_organization_is_decided_as_expected() {
    run(async {
        let policy = of_an_organization().await;
        let mut cases = organization_cases().expect("the cases can be read");

        assert_eq!(policy.misjudged(&cases), Vec::<&Case>::new());
        // A second look comes from the answers that are kept, and must not differ.
        assert_eq!(policy.misjudged(&cases), Vec::<&Case>::new());

        cases[0].allowed = !cases[0].allowed;
        assert_eq!(policy.misjudged(&cases), [&cases[0]]);
    });
}

/// Everything of the tables that these cases do not decide about.
fn missing(cases: &[Case], subjects: &[&str], realm: Realm) -> Vec<String> {
    let known: BTreeSet<_> = cases
        .iter()
        .map(|it| (&*it.subject, &*it.object, &*it.action))
        .collect();
    let rows = PERMISSIONS.iter().filter(|row| row.realm == realm);
    let all = rows.flat_map(|row| subjects.iter().map(move |it| (*it, row.object, row.action)));
    let missing = all.filter(|it| !known.contains(it));
    missing.map(|it| format!("{it:?}")).collect()
}

#[test]
fn every_subject_has_a_case_for_every_permission() {
    let of_apps = cases().expect("the cases can be read");
    let of_organizations = organization_cases().expect("the cases can be read");

    let lacking = missing(&of_apps, &SUBJECTS, Realm::App);
    assert!(lacking.is_empty(), "policies/cases.csv lacks {lacking:?}");
    let lacking = missing(&of_organizations, &IN_ORGANIZATIONS, Realm::Organization);
    assert!(
        lacking.is_empty(),
        "policies/organization_cases.csv lacks {lacking:?}"
    );
}

/// The start-up check says the same of the tables; this one begins with what routes ask for.
#[test]
fn every_permission_that_a_route_asks_for_is_somebodys() {
    run(async {
        let policy = Policy::built_in().await.expect("the policy is sound");
        let of_organization = of_an_organization().await;
        for operation in guarded() {
            let row = operation.row();
            let is_somebodys = IN_ORGANIZATIONS.iter().any(|subject| {
                let subject = [(*subject).to_owned()];
                match row.realm {
                    Realm::App => policy.allows(&subject, row.object, row.action),
                    Realm::Organization => of_organization.allows(&subject, row.object, row.action),
                }
            });

            assert!(is_somebodys, "{}: {} is nobody's", operation.id, row.name);
        }
    });
}
