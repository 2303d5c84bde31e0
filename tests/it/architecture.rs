//! The house rules, read off the sources: who may import whom, and what is kept in one place.
//!
//! A failure names the file and the line. Where the work shows a better wall, move it here and in
//! the map of `src/lib.rs`, in one commit. `samples` shows of every rule that it can fail.

mod lexer;
mod memory;
mod names;
mod parsers;
mod rows;
mod rules;
mod samples;
mod sources;

use std::fmt::Display;

use self::rules::Table;
use self::sources::{Source, of_the_crate};

/// `kernel ← config ← mail`,
/// `kernel ← store ← tokens, access, events, limits, jobs, telemetry ← http ← features (left to right) ← app ← cli`
const TABLE: Table<'_> = Table {
    platform: &[
        ("kernel", &[]),
        ("config", &["kernel"]),
        ("mail", &["kernel", "config"]),
        ("outbound", &["kernel"]),
        ("store", &["kernel"]),
        ("tokens", &["kernel", "store"]),
        ("access", &["kernel"]),
        ("events", &["kernel", "store"]),
        ("limits", &["kernel", "store", "events"]),
        ("jobs", &["kernel", "store", "tokens"]),
        ("telemetry", &["kernel"]),
        (
            "http",
            &[
                "kernel",
                "store",
                "tokens",
                "access",
                "events",
                "limits",
                "telemetry",
            ],
        ),
    ],
    // Settings reach a feature as values, from the composition root.
    of_features: &[
        "kernel", "mail", "outbound", "store", "tokens", "access", "events", "limits", "jobs",
        "http",
    ],
    features: &[
        "apps",
        "settings",
        "environments",
        "forms",
        "branding",
        "client_config",
        "users",
        "credentials",
        "notifications",
        "links",
        "devices",
        "session_rules",
        "rbac",
        "memberships",
        "idempotency",
        "api_keys",
        "sessions",
        "verification",
        "passwords",
        "magic_links",
        "orgs",
        "roles",
        "teams",
        "invitations",
        "permissions",
        "tuning",
        "styling",
        "pages",
        "locks",
        "departures",
        "accounts",
        "keys",
        "service_accounts",
        "exchange",
        "tenancy",
        "transfers",
        "statistics",
        "revocations",
        "audit",
        "webhooks",
        "cloning",
        "setup",
        "backups",
        "metrics",
        "health",
        "discovery",
    ],
    roots: &[("app", &[]), ("cli", &["app"]), ("main", &["cli"])],
};

/// The vocabulary has no inside: its modules are its names.
const OPEN: &[&str] = &["kernel"];

/// A file that grows past this holds two ideas.
const MOST_LINES: usize = 450;

/// Every look past the walls between tenants, with its reason.
const ACROSS_TENANTS: &[(&str, &str)] = &[
    ("api_keys/live.rs", "a secret key names its tenant"),
    (
        "audit/service.rs",
        "how long events are kept is the installation's affair",
    ),
    ("backups/restoring.rs", "a backup brings every tenant back"),
    (
        "backups/restoring.rs",
        "a backup is brought into a store that nobody has used",
    ),
    ("backups/taking.rs", "a backup is of everything"),
    (
        "cli/keys.rs",
        "an operator names a key by its identifier alone",
    ),
    (
        "cli/keys.rs",
        "an operator rotates the keys of every environment",
    ),
    (
        "environments/deleting.rs",
        "deleted environments of every app are cleared away",
    ),
    (
        "environments/directory.rs",
        "a preflight request names an origin but no tenant",
    ),
    (
        "environments/directory.rs",
        "a publishable key names its tenant",
    ),
    (
        "idempotency/repo.rs",
        "answers are found by the user who has signed in by them",
    ),
    (
        "invitations/service.rs",
        "the token of an invitation names its tenant",
    ),
    ("links/service.rs", "the token of a link names its tenant"),
    (
        "notifications/delivery.rs",
        "every node delivers the letters of all tenants",
    ),
    (
        "notifications/service.rs",
        "how much is to be delivered is the installation's affair",
    ),
    (
        "sessions/refreshing.rs",
        "a refresh token names its session, and so its tenant",
    ),
    (
        "store/sealed.rs",
        "an encryption key seals for every tenant",
    ),
    (
        "tokens/index.rs",
        "every node hears of what any tenant revokes",
    ),
    (
        "tokens/index.rs",
        "every node refuses what any tenant has revoked",
    ),
    ("tokens/signing.rs", "an access token names its signing key"),
    (
        "tokens/signing.rs",
        "the key set of the issuer has every environment's",
    ),
    (
        "webhooks/courier.rs",
        "every node delivers the events of all tenants",
    ),
    (
        "webhooks/courier.rs",
        "what is due is taken in hand whoever it belongs to",
    ),
    (
        "webhooks/deliveries/backlog.rs",
        "how much is to be told is the installation's affair",
    ),
    (
        "webhooks/relay.rs",
        "an event is told in the unit that takes its mark",
    ),
    (
        "webhooks/relay.rs",
        "the relay passes on the events of all tenants",
    ),
];

/// Where a field of a document may be named: the port itself, and the documents of `tokens` and
/// of `limits`, `events` and `jobs`, which have no repositories of their own.
fn may_name_fields(source: &Source) -> bool {
    match source.home() {
        "store" | "tokens" | "limits" | "events" | "jobs" => true,
        home => TABLE.features.contains(&home) && source.name() == "repo.rs",
    }
}

/// What documents a problem does not answer with it.
fn may_answer(source: &Source) -> bool {
    source.place != "http/problems.rs" && !source.place.starts_with("http/openapi/")
}

fn nothing<T: Display>(breaches: &[T]) {
    let lines: Vec<_> = breaches.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn nobody_imports_what_the_table_does_not_allow() {
    nothing(&rules::foreign_imports(&of_the_crate(), &TABLE));
}

#[test]
fn modules_do_not_import_each_other_in_a_circle() {
    nothing(&rules::cycles(&of_the_crate()));
}

#[test]
fn a_module_is_used_through_its_mod_rs_only() {
    nothing(&rules::reached_into(&of_the_crate(), OPEN));
}

#[test]
fn fields_are_named_in_repositories_only() {
    nothing(&rules::scattered_fields(&of_the_crate(), may_name_fields));
}

/// Registering a handler documents it; only pages for people are registered otherwise.
#[test]
fn every_route_is_documented() {
    // What takes handlers in takes documented ones only.
    let may = ["http/docs.rs", "http/routing.rs", "pages/mod.rs"];
    let may = |source: &Source| may.contains(&&*source.place);
    nothing(&rules::undocumented_routes(&of_the_crate(), may));
}

#[test]
fn every_look_across_tenants_is_listed_with_its_reason() {
    let sources = of_the_crate();

    let found = rules::across_tenants(&sources);

    let listed = ACROSS_TENANTS
        .iter()
        .map(|(file, why)| ((*file).to_owned(), (*why).to_owned()));
    assert_eq!(found, listed.collect::<Vec<_>>());
}

#[test]
fn no_file_holds_two_ideas() {
    nothing(&rules::long_files(&of_the_crate(), MOST_LINES));
}

#[test]
fn every_problem_is_somebodys_answer() {
    let sources = of_the_crate();
    let table = "http/problems.rs";
    nothing(&rows::unused(
        &sources,
        table,
        rows::problems,
        rows::as_problem,
        may_answer,
    ));
}

#[test]
fn every_event_happens() {
    let (sources, table) = (of_the_crate(), "events/names.rs");
    nothing(&rows::unused(
        &sources,
        table,
        rows::events,
        rows::as_event,
        |it| it.place != table,
    ));
}

#[test]
fn every_permission_is_asked_for() {
    let (sources, table) = (of_the_crate(), "access/permission.rs");
    let elsewhere = |it: &Source| it.place != table;
    nothing(&rows::unused(
        &sources,
        table,
        rows::permissions,
        rows::as_permission,
        elsewhere,
    ));
}

#[test]
fn every_setting_is_read() {
    let sources = of_the_crate();
    for section in [
        "events", "limits", "log", "mail", "metrics", "security", "server", "store", "tokens",
        "tracing", "webhooks",
    ] {
        let table = format!("config/{section}.rs");
        nothing(&rows::unused(
            &sources,
            &table,
            rows::settings,
            rows::as_setting,
            |_| true,
        ));
    }
}

/// The document has one schema of a name: of two types that claim it, one would be described as the
/// other.
#[test]
fn no_two_types_are_one_schema() {
    nothing(&names::schemas_of_one_name(&of_the_crate()));
}

#[test]
fn whatever_is_sealed_is_sealed_anew_when_the_key_changes() {
    nothing(&names::sealed_and_forgotten(
        &of_the_crate(),
        "app/sealed.rs",
    ));
}

/// Whoever writes a parser of what comes from outside says what holds of it, whatever comes.
#[test]
fn every_parser_is_held_by_a_law() {
    nothing(&parsers::without_a_law(&of_the_crate()));
}

#[test]
fn every_law_is_in_the_table_of_parsers() {
    nothing(&parsers::unlisted(&of_the_crate()));
}

/// Keys that strangers choose must not fill the memory (DO-05).
#[test]
fn what_is_kept_in_memory_is_bounded() {
    nothing(&memory::unbounded_caches(&of_the_crate()));
    nothing(&memory::unlisted_collections(&of_the_crate()));
}
