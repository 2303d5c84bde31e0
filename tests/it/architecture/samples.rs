//! Each rule of the house on a few lines that break it, and on their neighbours that do not.

use super::memory;
use super::names;
use super::parsers;
use super::rows;
use super::rules::{self, Breach, Table};
use super::sources::Source;

const TABLE: Table<'_> = Table {
    platform: &[("kernel", &[]), ("store", &["kernel"])],
    of_features: &["kernel", "store"],
    features: &["apps", "users"],
    roots: &[("app", &[]), ("main", &["app"])],
};

fn told(breaches: &[Breach]) -> Vec<String> {
    breaches.iter().map(ToString::to_string).collect()
}

fn imports(place: &str, text: &str) -> Vec<String> {
    told(&rules::foreign_imports(&[Source::new(place, text)], &TABLE))
}

#[test]
fn an_arrow_against_the_table_is_told_with_its_line() {
    let against = [
        (
            "kernel/id.rs",
            "\nuse crate::store::Store;",
            "src/kernel/id.rs:2: kernel may not import store",
        ),
        (
            "store/mod.rs",
            "use crate::{kernel::id, users};",
            "src/store/mod.rs:1: store may not import users",
        ),
        (
            "apps/api.rs",
            "fn f(a: crate::users::User) {}",
            "src/apps/api.rs:1: apps may not import users",
        ),
        (
            "apps/api.rs",
            "use super::super::users::User;",
            "src/apps/api.rs:1: apps may not import users",
        ),
        (
            "apps/mod.rs",
            "macro_rules! a { () => { $crate::app::b() } }",
            "src/apps/mod.rs:1: apps may not import app",
        ),
        (
            "app.rs",
            "\n\nfn f() { crate::main::g() }",
            "src/app.rs:3: app may not import main",
        ),
        (
            "orgs/mod.rs",
            "",
            "src/orgs/mod.rs:1: orgs has no row in the import table",
        ),
    ];
    for (place, text, sentence) in against {
        assert_eq!(imports(place, text), [sentence], "{text}");
    }
}

#[test]
fn an_arrow_along_the_table_is_not() {
    let along = [
        (
            "users/api.rs",
            "use crate::apps::App; use crate::store::Store; use super::record::User;",
        ),
        (
            "users/mod.rs",
            "//! Not here: [`crate::app`].\nconst A: &str = \"crate::app\";",
        ),
        ("app.rs", "use crate::{apps, kernel, store, users};"),
        ("main.rs", "use authsome::app;"),
        ("lib.rs", "pub mod users; pub use crate::users::User;"),
    ];
    for (place, text) in along {
        assert_eq!(imports(place, text), [""; 0], "{text}");
    }
}

#[test]
fn a_circle_is_found_however_long() {
    let circle = |back: &str| {
        let sources = [
            Source::new("a/mod.rs", "use crate::b;"),
            Source::new("b/mod.rs", "use crate::c;"),
            Source::new("c/mod.rs", back),
            Source::new("d.rs", "use crate::a;"),
        ];
        rules::cycles(&sources)
    };

    assert_eq!(circle("use crate::a;"), ["a", "b", "c"]);
    assert_eq!(circle("use crate::e;"), [""; 0]);
}

#[test]
fn a_path_past_a_mod_rs_is_told_and_so_is_an_open_door() {
    let world = |place: &str, text: &str| {
        let sources = [
            Source::new("kernel/id.rs", ""),
            Source::new("users/repo.rs", ""),
            Source::new("users/mod.rs", "mod repo; pub use self::repo::by_id;"),
            Source::new(place, text),
        ];
        told(&rules::reached_into(&sources, &["kernel"]))
    };

    assert_eq!(
        world("apps/api.rs", "use crate::users::repo::by_id;"),
        ["src/apps/api.rs:1: users::repo::by_id is no business of apps"],
    );
    assert_eq!(
        world("apps/mod.rs", "\npub(crate) mod repo;"),
        ["src/apps/mod.rs:2: the module repo is public; publish items of it"],
    );
    let fine = "use crate::users::by_id; use crate::kernel::id::UserId; pub mod nested {}";
    assert_eq!(world("apps/api.rs", fine), [""; 0]);
    assert_eq!(world("users/api.rs", "use super::repo::by_id;"), [""; 0]);
}

#[test]
fn a_field_outside_a_repository_is_told() {
    let text = "const EMAIL: Field<User, Email> =\n    Field::at(\"email\");";
    let found = |place: &str| {
        told(&rules::scattered_fields(
            &[Source::new(place, text)],
            |it| it.name() == "repo.rs",
        ))
    };

    assert_eq!(
        found("users/service.rs"),
        ["src/users/service.rs:2: fields are named in repo.rs"]
    );
    assert_eq!(found("users/repo.rs"), [""; 0]);
}

#[test]
fn a_route_past_the_document_is_told() {
    let found = |text: &str| {
        told(&rules::undocumented_routes(
            &[Source::new("users/api.rs", text)],
            |_| false,
        ))
    };

    let sentence = ["src/users/api.rs:1: a route that is no documented handler"];
    assert_eq!(
        found("fn routes() { config.route(\"/a\", web::get().to(a)); }"),
        sentence
    );
    assert_eq!(
        found("fn routes() { config.service(web::scope(\"/a\")) }"),
        sentence
    );
    assert_eq!(
        found("fn routes() { config.service(a) } #[cfg(test)] mod t { fn b() { c.route(d) } }"),
        [""; 0]
    );
}

#[test]
fn a_look_across_tenants_is_found_with_its_reason() {
    let text = "pub fn across_tenants(why: &str) {} fn f() { tx.across_tenants(\n \"a key\"); \
        Tx::across_tenants(tx, why) } // tx.across_tenants(\"nothing\")";

    let found = rules::across_tenants(&[Source::new("users/repo.rs", text)]);

    let reasons: Vec<_> = found.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, ["a key", "no literal reason"]);
}

#[test]
fn a_long_file_is_told_and_one_at_the_limit_is_not() {
    let found = |lines: usize| rules::long_files(&[Source::new("a.rs", &"\n".repeat(lines))], 3);

    assert_eq!(
        told(&found(4)),
        ["src/a.rs:4: 4 lines; split by idea what is over 3"]
    );
    assert_eq!(found(3), []);
}

#[test]
fn a_problem_that_only_documents_and_tests_mention_is_told() {
    let unused = |user: &str| {
        let sources = [
            Source::new(
                "problems.rs",
                "problems! { A 404 \"a\" \"t\" \"d\"; B 409 \"b\" \"t\" \"d\"; }",
            ),
            Source::new("api.rs", user),
        ];
        let breaches = rows::unused(
            &sources,
            "problems.rs",
            rows::problems,
            rows::as_problem,
            |_| true,
        );
        told(&breaches)
    };

    let mentioned = "#[path(json!([ProblemKind::B]))] fn a() { ProblemKind::A }\n\
        #[cfg(test)] mod tests { fn b() { ProblemKind::B } } // ProblemKind::B";
    assert_eq!(unused(mentioned), ["src/problems.rs:1: nothing uses B"]);
    assert_eq!(
        unused("fn a() { (ProblemKind::A, ProblemKind::B) }"),
        [""; 0]
    );
}

#[test]
fn an_event_that_nothing_records_is_told() {
    let sources = [
        Source::new(
            "names.rs",
            "names! { A = \"a.made\", \"…\";\n B = \"b.made\",\n \"…\"; }",
        ),
        Source::new("service.rs", "fn a() { Event::new(Name::A) }"),
    ];

    let breaches = rows::unused(&sources, "names.rs", rows::events, rows::as_event, |_| true);

    assert_eq!(told(&breaches), ["src/names.rs:2: nothing uses B"]);
}

#[test]
fn a_permission_that_nobody_asks_for_is_told() {
    let table = "permissions! { \"a\":\"read\" => ReadA, SeeA; \"…\"\n\
        \"b\":\"read\" => ReadB; \"…\"\n\
        \"c\":\"read\" => ReadC; \"…\" \"d\":\"read\" => ReadD; \"…\" }";
    let user = "use crate::access::ReadB; #[path(json!(ReadB::NAME))] fn a(it: Allowed<SeeA>) {\n\
        it.also::<ReadC>(); policy.allows(ReadD::OBJECT) }";
    let sources = [
        Source::new("permission.rs", table),
        Source::new("api.rs", user),
    ];

    let breaches = rows::unused(
        &sources,
        "permission.rs",
        rows::permissions,
        rows::as_permission,
        |_| true,
    );

    assert_eq!(told(&breaches), ["src/permission.rs:2: nothing uses ReadB"]);
}

#[test]
fn a_setting_that_nobody_reads_is_told() {
    let table = "section! { pub struct Server in \"server\" {\n\
        workers: usize = Fallback::Value(\"1\"), Cores { max: 4 };\n\
        patience: Option<Duration> = Fallback::Unset(\"for ever\"), Span {}; } }";
    let sources = [
        Source::new("server.rs", table),
        Source::new("app.rs", "fn a() { config.workers }"),
    ];

    let breaches = rows::unused(
        &sources,
        "server.rs",
        rows::settings,
        rows::as_setting,
        |_| true,
    );

    assert_eq!(told(&breaches), ["src/server.rs:3: nothing uses patience"]);
}

#[test]
fn two_types_that_are_called_alike_in_the_document_are_told() {
    let sources = [
        Source::new(
            "a.rs",
            "#[derive(Debug, ToSchema)]\n/// …\n#[schema(as = Key)]\nstruct KeyView {}",
        ),
        Source::new(
            "b.rs",
            "#[derive(ToSchema)]\npub(in crate::b) struct KeyView;\nstruct Key;",
        ),
        Source::new(
            "c.rs",
            "#[derive(ToSchema)]\n#[serde(rename_all = \"lowercase\")]\npub enum Key { A }",
        ),
    ];

    let breaches = names::schemas_of_one_name(&sources);

    let one = "src/c.rs:3: the schema Key is called as that of src/a.rs:3";
    assert_eq!(told(&breaches), [one]);
}

#[test]
fn what_is_sealed_and_forgotten_is_told() {
    let seals = "fn a() {}\nfn b(ring: &KeyRing) { ring.seal(b\"\", \"\"); }";
    let sources = [
        Source::new("app/sealed.rs", "sealed!(Letter);"),
        Source::new("letters/service.rs", seals),
        Source::new("letters/record.rs", "impl Sealed for Letter {}"),
        Source::new("seeds/service.rs", seals),
        Source::new("hooks/record.rs", "\nimpl Sealed for Hook {}"),
    ];

    let breaches = names::sealed_and_forgotten(&sources, "app/sealed.rs");

    assert_eq!(
        told(&breaches),
        [
            "src/seeds/service.rs:2: something is sealed of which no document says so",
            "src/hooks/record.rs:2: Hook is sealed, and has no line in src/app/sealed.rs",
        ]
    );
}

/// The breaches of one file alone: the table is of the whole house.
fn of_file(breaches: &[Breach], place: &str) -> Vec<String> {
    let all = told(breaches).into_iter();
    all.filter(|it| it.starts_with(place)).collect()
}

#[test]
fn a_parser_that_no_row_holds_is_told() {
    let text = "struct A; impl A {\nfn parse(t: &str) {} }\nimpl<K: Kind> FromStr for B<K> {\n\
        fn from_str(t: &str) {} }\nfn parse_c(t: &str) {}\nimpl D { fn read(t: &str) {} }\n\
        #[cfg(test)] mod tests { fn parse(t: &str) {} }\n\
        #[cfg(test)] pub(crate) mod fuzz { fn parse_e(t: &str) {} }";
    let sources = [
        Source::new("a.rs", text),
        Source::new(
            "kernel/text/phone.rs",
            "impl Phone { fn parse(t: &str) {} }",
        ),
    ];

    let breaches = parsers::without_a_law(&sources);

    let nothing = |line: usize, name: &str| {
        format!("src/a.rs:{line}: {name} parses, and nothing holds of it whatever comes")
    };
    assert_eq!(
        of_file(&breaches, "src/a.rs"),
        [nothing(2, "A"), nothing(4, "B"), nothing(5, "parse_c")]
    );
    assert_eq!(of_file(&breaches, "src/kernel/text/phone.rs"), [""; 0]);
    let gone = "src/kernel/text/email.rs:1: there is no Email";
    assert_eq!(of_file(&breaches, "src/kernel/text/email.rs"), [gone]);
}

#[test]
fn a_law_that_no_row_names_is_told_and_so_is_one_that_there_is_not() {
    let laws =
        "#[test]\nfn of_a_reply_the_code_is_told() {}\n#[test]\nfn a_new_one() {}\nfn no_test() {}";
    let sources = [
        Source::new("mail/fuzz.rs", laws),
        Source::new("mail/a.rs", laws),
    ];

    let breaches = parsers::unlisted(&sources);

    let unnamed = "src/mail/fuzz.rs:4: no row names a_new_one";
    assert_eq!(of_file(&breaches, "src/mail/"), [unnamed]);
    let gone = "src/events/fuzz.rs:1: there is no law an_agent_is_kept_on_one_short_line";
    assert_eq!(of_file(&breaches, "src/events/"), [gone]);
}

#[test]
fn what_can_grow_without_a_bound_is_told() {
    let text = "fn a() { Cache::builder().max_capacity(9).build() }\n\
        fn b() { Cache::builder().time_to_live(T).build() }\n\
        struct C { c: Mutex<HashMap<String, u8>>, d: Mutex<()> }";
    let sources = [Source::new("a.rs", text)];

    assert_eq!(
        told(&memory::unbounded_caches(&sources)),
        ["src/a.rs:2: a cache without a capacity"]
    );
    assert_eq!(
        told(&memory::unlisted_collections(&sources)),
        ["src/a.rs:3: nothing says what bounds HashMap"]
    );
}
