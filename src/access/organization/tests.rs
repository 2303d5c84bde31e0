use super::*;
use crate::kernel::entropy::Entropy;
use crate::kernel::time::Timestamp;

fn subjects(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn word(text: &str) -> Word {
    Word::parse(text).unwrap()
}

fn line(resource: &str, action: &str) -> Pattern {
    Pattern {
        resource: resource.to_owned(),
        action: action.to_owned(),
    }
}

fn documents() -> Vec<Resource> {
    vec![Resource {
        name: word("documents"),
        actions: vec![word("read"), word("write")],
    }]
}

fn role(name: &str, parent: Option<OrgRole>, lines: &[(&str, &str)]) -> RoleRule {
    RoleRule {
        id: RoleId::new(Timestamp::from_millis(1), &Entropy::system()),
        name: word(name),
        is_template: false,
        parent,
        permissions: lines.iter().map(|(a, b)| line(a, b)).collect(),
    }
}

async fn policy(roles: &[RoleRule]) -> OrgPolicy {
    let policies = OrgPolicies::built_in().await.unwrap();
    policies
        .compile(&documents(), roles.to_vec())
        .await
        .unwrap()
}

#[tokio::test]
async fn built_in_roles_have_what_is_theirs_and_no_more() {
    let policy = policy(&[]).await;
    let may = |subject: &str, object: &str, action: &str| {
        // Twice: the second answer comes from the table.
        let first = policy.allows(&subjects(&[subject]), object, action);
        assert_eq!(policy.allows(&subjects(&[subject]), object, action), first);
        first
    };

    assert!(may("org:owner", "organization", "delete"));
    assert!(!may("org:admin", "organization", "delete"));
    assert!(may("org:admin", "members", "update") && !may("org:member", "members", "update"));
    assert!(may("org:viewer", "members", "read") && may("org:owner", "members", "read"));
    assert!(may("role:ADMIN", "organization", "delete"));
    assert!(may("platform:OWNER", "members", "remove"));
    assert!(!may("role:USER", "members", "read"));
}

#[tokio::test]
async fn what_the_app_registers_is_run_by_owners_and_admins() {
    let policy = policy(&[]).await;

    for (subject, may) in [
        ("org:owner", true),
        ("org:admin", true),
        ("org:member", false),
    ] {
        assert_eq!(
            policy.allows(&subjects(&[subject]), "documents", "write"),
            may,
            "{subject}"
        );
    }
    assert!(!policy.allows(&subjects(&["org:owner"]), "documents", "burn"));
    assert!(!policy.allows(&subjects(&["org:owner"]), "folders", "read"));
}

#[tokio::test]
async fn the_star_is_a_word_of_grants_and_not_of_questions() {
    let policy = policy(&[]).await;

    for (object, action) in [("*", "*"), ("documents", "*"), ("*", "read")] {
        assert!(!policy.allows(&subjects(&["org:owner"]), object, action));
    }
    assert!(!policy.allows(&subjects(&["*"]), "documents", "read"));
}

#[tokio::test]
async fn roles_inherit_along_more_arrows_than_casbin_follows() {
    let mut chain = vec![role("deep-0", Some(OrgRole::OWNER), &[])];
    for at in 1..20 {
        let parent = OrgRole::Custom(chain[at - 1].id);
        chain.push(role(&format!("deep-{at}"), Some(parent), &[]));
    }
    let last = chain.last().unwrap().id.to_string();
    let policy = policy(&chain).await;

    assert!(policy.allows(std::slice::from_ref(&last), "organization", "delete"));
    assert!(policy.allows(&[last], "members", "read"));
}

#[tokio::test]
async fn a_circle_gives_what_is_in_it_and_ends() {
    let mut a = role("one", None, &[("documents", "read")]);
    let b = role("two", Some(OrgRole::Custom(a.id)), &[]);
    a.parent = Some(OrgRole::Custom(b.id));
    let policy = policy(&[a.clone(), b.clone()]).await;

    assert!(policy.allows(&[b.id.to_string()], "documents", "read"));
    assert!(!policy.allows(&[a.id.to_string()], "documents", "write"));
}

#[tokio::test]
async fn nobody_holds_more_than_he_has() {
    let reader = role("reader", None, &[("documents", "read")]);
    let writer = role(
        "writer",
        Some(OrgRole::Custom(reader.id)),
        &[("documents", "write")],
    );
    let every = role("every", None, &[("documents", "*")]);
    let policy = policy(&[reader.clone(), writer.clone(), every.clone()]).await;
    let of = |role: &RoleRule| vec![role.id.to_string()];
    let custom = |role: &RoleRule| OrgRole::Custom(role.id);

    assert!(policy.holds(&of(&writer), custom(&reader)));
    assert!(!policy.holds(&of(&reader), custom(&writer)));
    // Every action there is now is less than every action.
    assert!(!policy.holds(&of(&writer), custom(&every)));
    assert!(policy.holds(&of(&every), custom(&writer)));
    assert!(policy.holds(&subjects(&["org:admin"]), custom(&every)));
    assert!(!policy.holds(&subjects(&["org:admin"]), OrgRole::OWNER));
    assert!(policy.holds(&subjects(&["org:owner"]), OrgRole::OWNER));
    assert!(policy.holds(&subjects(&["role:ADMIN"]), OrgRole::OWNER));
    assert!(!policy.holds(&[], custom(&reader)));
}

#[tokio::test]
async fn a_role_is_meant_by_name_or_identifier_and_one_of_the_app_has_its_name_for_itself() {
    let mut template = role("billing", None, &[]);
    template.is_template = true;
    let own = role("billing", None, &[]);
    let policy = policy(&[template.clone(), own.clone()]).await;

    assert_eq!(policy.role("billing"), Some(OrgRole::Custom(template.id)));
    assert_eq!(
        policy.role(&own.id.to_string()),
        Some(OrgRole::Custom(own.id))
    );
    assert_eq!(policy.role("owner"), Some(OrgRole::OWNER));
    assert_eq!(policy.role("Owner"), None);
    assert_eq!(
        policy.name(OrgRole::Custom(template.id)).as_deref(),
        Some("billing")
    );
    assert_eq!(
        policy.name(OrgRole::Custom(own.id)),
        Some(own.id.to_string())
    );
}

#[tokio::test]
async fn a_decision_has_a_source_exactly_where_it_is_yes() {
    let reader = role("reader", Some(OrgRole::MEMBER), &[("documents", "read")]);
    let policy = policy(std::slice::from_ref(&reader)).await;
    for subject in policy.subjects.keys() {
        for (object, action) in &policy.permissions {
            let is_allowed = policy.allows(std::slice::from_ref(subject), object, action);
            let sources = policy.sources(subject, object, action);
            assert_eq!(
                !sources.is_empty(),
                is_allowed,
                "{subject} {object}:{action}"
            );
        }
    }
    let sources = policy.sources(&reader.id.to_string(), "invitations", "read");
    assert_eq!(
        sources[0].path,
        [reader.id.to_string(), "org:member".to_owned()]
    );
}

#[tokio::test]
async fn grants_that_speak_of_nothing_do_not_load() {
    for (from, to) in [
        ("p, org:admin, members, *", "p, org:admin, members, fly"),
        ("p, org:admin, members, *", "p, org:admin, cats, *"),
        ("p, org:admin, members, *", "p, org:boss, members, *"),
        ("g, org:admin, org:member", "g, org:admin, org:boss"),
        ("g, org:admin, org:member", "g, org:admin"),
        ("p, org:owner, *, *", ""),
    ] {
        let grants = GRANTS.replace(from, to);
        assert!(OrgPolicies::load(&grants).await.is_err(), "{to}");
    }
    assert!(OrgPolicies::load("").await.is_err());
}

#[tokio::test]
async fn names_are_data_and_never_lines_of_policy() {
    let odd = RoleRule {
        permissions: vec![
            line("documents, read\np, role:USER, *", "*"),
            line("\"", "*"),
        ],
        ..role("odd", None, &[])
    };
    let policy = policy(&[odd]).await;

    assert!(!policy.allows(&subjects(&["role:USER"]), "documents", "read"));
    assert!(!policy.allows(&subjects(&["role:USER"]), "members", "read"));
}

/// What is asked of many lines at once is what the engine says of each.
#[tokio::test]
async fn what_a_subject_reaches_is_what_it_is_allowed() {
    let reader = role("reader", Some(OrgRole::MEMBER), &[("documents", "read")]);
    let below = role("below", Some(OrgRole::Custom(reader.id)), &[("*", "read")]);
    let whole = role("whole", None, &[("documents", "*")]);
    let policy = policy(&[reader, below, whole]).await;
    let star = |word: &str| [word.to_owned(), "*".to_owned()];
    let (mut yes, mut no) = (0, 0);
    for subject in policy.subjects.keys() {
        let reach = policy.rights.reach(std::slice::from_ref(subject));
        for (object, action) in &policy.permissions {
            for (object, action) in star(object)
                .iter()
                .flat_map(|object| star(action).map(|action| (object.clone(), action)))
            {
                let decided = policy.enforce(subject, &object, &action);
                let covers = reach.covers(&object, &action);
                assert_eq!(decided, Some(covers), "{subject} {object} {action}");
                *(if covers { &mut yes } else { &mut no }) += 1;
            }
        }
    }
    assert!(yes > 100 && no > 100, "{yes} {no}");
}
