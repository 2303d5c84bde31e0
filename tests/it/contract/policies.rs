//! The policy: what is shipped in `policies/` decides as `policies/cases.csv` expects, and the
//! cases leave out nothing that the tables have.

use std::collections::BTreeSet;

use authsome::access::{Case, PERMISSIONS, Policy, cases};

use crate::support::stores::run;

/// Everybody whom `policies/roles.csv` grants something.
const SUBJECTS: [&str; 5] = [
    "role:IMPERSONATED",
    "role:USER",
    "role:ADMIN",
    "platform:ADMIN",
    "platform:OWNER",
];

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
fn every_subject_has_a_case_for_every_permission() {
    let cases = cases().expect("the cases can be read");
    let known: BTreeSet<_> = cases
        .iter()
        .map(|it| (&*it.subject, &*it.object, &*it.action))
        .collect();
    let all = SUBJECTS.iter().flat_map(|subject| {
        PERMISSIONS
            .iter()
            .map(move |row| (*subject, row.object, row.action))
    });

    let missing: Vec<_> = all.filter(|it| !known.contains(it)).collect();

    assert!(missing.is_empty(), "policies/cases.csv lacks {missing:?}");
}
