//! Parsers of what comes from outside, and the laws that hold of them whatever comes (fuzzing).
//!
//! A parser is what is called one: a function `parse` or `parse_…`, or a `FromStr`. One without a row
//! here fails, and so does a row without its parser or its law. What reads texts from outside under
//! another name is in the table all the same. How laws are tried: `src/kernel/fuzz/mod.rs`.

use std::collections::BTreeSet;

use super::lexer::Token;
use super::rules::Breach;
use super::sources::{Source, of_the_product};

/// What comes; the laws, below `src`; the parsers: a file, and a type or a function in it.
type Row = (
    &'static str,
    &'static [(&'static str, &'static [&'static str])],
    &'static [&'static str],
);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("access tokens", &[
        ("tokens/fuzz.rs", &["an_access_token_that_is_altered_is_none",
            "a_header_that_says_anything_else_is_refused_though_it_is_signed", "claims_of_any_shape_are_judged"]),
    ], &["tokens/access.rs verify"]),
    ("refresh tokens", &[
        ("tokens/fuzz.rs", &["a_refresh_token_that_is_altered_is_none"]),
    ], &["tokens/refresh.rs RefreshTokens"]),
    ("codes and tokens of letters", &[
        ("tokens/fuzz.rs", &["a_code_of_a_letter_is_six_digits_and_no_other_text"]),
    ], &["tokens/links.rs is_code"]),
    ("secret keys", &[
        ("api_keys/fuzz.rs", &["a_key_that_is_altered_is_none_or_an_older_one"]),
    ], &["api_keys/secret.rs is_one"]),
    ("identifiers", &[
        ("kernel/fuzz/opaque.rs", &["an_identifier_is_read_as_another_library_reads_it", "identifiers_of_whatever_time_come_back"]),
    ], &["kernel/id.rs Id"]),
    ("cursors", &[
        ("kernel/fuzz/opaque.rs", &["a_cursor_that_is_altered_opens_nothing", "a_cursor_opens_where_it_was_made_and_nowhere_else"]),
    ], &["kernel/page.rs open"]),
    ("secrets of devices", &[
        ("devices/fuzz.rs", &["a_device_is_named_by_a_secret_that_is_taken_as_it_is"]),
    ], &["devices/secret.rs DeviceSecret"]),
    ("the headers that name a caller", &[
        ("http/fuzz/headers.rs", &["a_credential_is_taken_as_it_was_sent", "keys_and_tenants_that_contradict_each_other_are_ambiguous",
            "a_cookie_counts_where_it_is_the_only_one_of_its_name"]),
    ], &["http/caller.rs bearer", "http/cookies.rs only"]),
    ("the headers that name a client", &[
        ("http/fuzz/headers.rs", &["a_stranger_is_his_socket", "nobody_becomes_another_client_by_what_he_puts_before",
            "behind_proxies_the_right_most_untrusted_hop_counts", "a_backend_names_one_address_or_none"]),
        ("kernel/fuzz/words.rs", &["a_network_is_the_address_or_its_64"]),
    ], &["http/client_ip.rs of", "http/client_ip.rs on_behalf"]),
    ("user agents", &[
        ("devices/fuzz.rs", &["an_agent_is_told_in_our_own_words"]),
        ("events/fuzz.rs", &["an_agent_is_kept_on_one_short_line"]),
    ], &["devices/agent.rs of", "events/origin.rs printable"]),
    ("Origin, Content-Type, Idempotency-Key", &[
        ("http/fuzz/headers.rs", &["a_page_is_named_only_as_browsers_spell_it", "a_body_is_json_only_where_it_says_so",
            "an_idempotency_key_is_one_line_of_what_shows"]),
    ], &["http/cors.rs origin", "http/body.rs is_json", "http/repeatable.rs key"]),
    ("Accept-Language", &[
        ("kernel/fuzz/words.rs", &["a_language_is_one_of_ours", "the_best_liked_language_is_found_among_any_others"]),
    ], &["kernel/language.rs Language", "kernel/language.rs accepted", "kernel/language.rs of_tag"]),
    ("JSON bodies", &[
        ("http/fuzz/bodies.rs", &["a_body_is_what_every_parser_sees_in_it", "a_body_of_any_shape_is_answered",
            "every_field_is_known_and_every_fault_is_where_it_is_told", "a_request_is_known_again_by_what_it_says"]),
    ], &["http/json.rs object", "http/fields/mod.rs read", "http/repeatable.rs canonical"]),
    ("queries and forms", &[
        ("http/fuzz/parameters.rs", &["a_query_is_read_as_it_was_written", "a_list_takes_a_limit_and_its_own_cursors",
            "a_form_is_read_as_it_was_written", "a_problem_is_named_by_its_slug_alone"]),
        ("kernel/fuzz/words.rs", &["how_many_is_a_number_from_one_to_a_hundred"]),
    ], &["http/query.rs parameters", "http/form.rs members", "http/docs.rs ProblemKind", "kernel/page.rs Limit"]),
    ("filters of lists", &[
        ("users/fuzz.rs", &["what_is_looked_for_is_taken_literally", "a_page_is_a_number_and_a_standing_a_word"]),
    ], &["users/list.rs beginning_of_a_name", "users/list.rs page_number"]),
    ("lines of an import", &[
        ("kernel/fuzz/words.rs", &["lines_are_the_same_in_whatever_pieces_they_come"]),
        ("http/fuzz/bodies.rs", &["a_line_is_read_as_a_body_is"]),
        ("transfers/fuzz.rs", &["a_line_is_an_account_or_says_what_is_wrong"]),
    ], &["kernel/lines.rs takes", "http/ndjson.rs read_line", "transfers/wire.rs from_fields"]),
    ("hashes of other systems", &[
        ("credentials/fuzz.rs", &["a_hash_that_is_taken_is_bounded_by_what_stands_in_it", "the_notation_is_read_as_it_is_written",
            "a_project_of_firebase_is_whole_or_none"]),
    ], &["credentials/bcrypt.rs Written", "credentials/foreign.rs Foreign", "credentials/phc.rs Phc", "credentials/firebase.rs stored"]),
    ("passwords", &[
        ("kernel/fuzz/texts.rs", &["a_password_is_kept_whole_in_one_spelling"]),
        ("kernel/fuzz/opaque.rs", &["a_secret_is_not_printed"]),
    ], &["kernel/password.rs Password", "kernel/password.rs presented"]),
    ("addresses and telephone numbers", &[
        ("kernel/fuzz/texts.rs", &["an_address_has_one_spelling_and_one_reader", "a_telephone_number_is_a_plus_and_digits"]),
    ], &["kernel/text/email.rs Email", "kernel/text/phone.rs Phone"]),
    ("names", &[
        ("kernel/fuzz/texts.rs", &["names_for_machines_are_plain", "a_slug_is_made_of_any_name_or_of_none",
            "names_for_people_show_and_do_not_mislead", "free_text_is_read_again_as_itself"]),
    ], &["kernel/text/names.rs Slug", "kernel/text/names.rs Label", "kernel/text/names.rs Reason", "kernel/text/names.rs Word",
        "kernel/text/names.rs Username", "kernel/text/field_name.rs FieldName", "kernel/text/free.rs line", "kernel/text/free.rs lines"]),
    ("places on the web", &[
        ("kernel/fuzz/texts.rs", &["an_origin_is_what_a_browser_would_say", "a_page_is_asked_for_securely_and_where_it_says",
            "a_page_is_given_one_parameter_more"]),
        ("users/fuzz.rs", &["a_picture_is_an_address_of_https"]),
        ("pages/fuzz.rs", &["a_page_is_found_by_its_name_alone"]),
    ], &["kernel/text/origin.rs Origin", "kernel/text/web_url.rs WebUrl", "users/api.rs image_url", "pages/mod.rs Page"]),
    ("looks", &[
        ("kernel/fuzz/texts.rs", &["a_colour_is_six_digits_and_its_ink_can_be_read", "fonts_end_no_declaration"]),
        ("kernel/css/fuzz.rs", &["whatever_is_taken_is_harmless_and_taken_again_unchanged",
            "so_is_any_text_that_resembles_a_sheet", "so_are_rules_that_mostly_pass"]),
    ], &["kernel/text/color.rs Color", "kernel/text/font_family.rs FontFamily", "kernel/css/mod.rs StyleSheet"]),
    ("times", &[
        ("kernel/fuzz/texts.rs", &["a_day_is_one_of_the_calendar"]),
        ("kernel/fuzz/times.rs", &["a_time_is_written_in_one_way_and_sorts_as_text", "a_time_is_where_the_calendar_has_it",
            "every_number_is_an_instant", "a_date_of_http_is_read_as_it_is_written"]),
    ], &["kernel/text/day.rs Day", "kernel/time/mod.rs Timestamp", "kernel/time/mod.rs of_http_date"]),
    ("what clients keep with their things", &[
        ("kernel/fuzz/words.rs", &["what_clients_keep_survives_both_stores"]),
    ], &["kernel/metadata.rs Metadata"]),
    ("forms and their answers", &[
        ("forms/fuzz.rs", &["kinds_of_forms_and_questions_are_read_as_they_are_written", "answers_settle_and_are_those_to_our_questions"]),
    ], &["forms/record.rs FormType", "forms/field.rs FieldType", "forms/field.rs TextFormat", "forms/answers.rs kept"]),
    ("rights and roles", &[
        ("access/fuzz.rs", &["a_line_of_rights_covers_what_it_says", "scopes_are_a_set_of_lines", "roles_are_read_as_they_are_written"]),
        ("roles/fuzz.rs", &["a_role_is_referred_to_by_any_short_text_as_it_is"]),
    ], &["access/rights.rs Pattern", "access/scopes.rs Scopes", "access/roles.rs Role", "access/place.rs OrgRole", "roles/requests.rs RoleReference"]),
    ("policies, their cases and suites", &[
        ("access/fuzz.rs", &["a_line_of_a_policy_has_its_fields_and_no_others", "a_table_is_read_as_it_was_written"]),
        ("cli/policy/fuzz.rs", &["a_suite_has_nothing_in_it_that_is_not_read"]),
    ], &["access/policy.rs check_lines", "access/cases.rs parse", "cli/policy/suite.rs rows"]),
    ("settings that are chosen, and words of configurations", &[
        ("settings/fuzz.rs", &["settings_and_their_levels_are_read_as_they_are_written", "a_value_is_kept_in_one_spelling"]),
        ("client_config/fuzz.rs", &["ways_to_sign_in_are_read_as_they_are_written"]),
        ("session_rules/fuzz.rs", &["a_format_of_tokens_is_read_as_it_is_written"]),
        ("environments/fuzz.rs", &["a_kind_of_environment_is_read_as_it_is_written"]),
    ], &["settings/key.rs Key", "settings/level.rs Level", "settings/value.rs Kind", "client_config/api.rs Method",
        "client_config/api.rs SignInName", "session_rules/record.rs TokenFormat", "environments/record.rs Kind"]),
    ("whom webhooks ask, and what for", &[
        ("outbound/fuzz.rs", &["a_target_is_public_by_its_scheme_port_and_host", "a_target_by_address_is_judged_as_the_address",
            "an_address_is_judged_by_the_address_that_it_carries"]),
        ("webhooks/fuzz.rs", &["a_pattern_matches_something_and_is_kept_as_it_is", "headers_that_are_taken_are_harmless",
            "secrets_that_are_read_are_written_as_they_were", "the_next_attempt_is_soon_whatever_a_receiver_wants"]),
    ], &["outbound/target.rs Target", "outbound/addresses.rs is_public", "webhooks/pattern.rs Pattern", "webhooks/headers.rs parse",
        "webhooks/signature.rs of_text", "webhooks/schedule.rs next_attempt"]),
    ("what mail servers answer", &[
        ("mail/fuzz.rs", &["of_a_reply_the_code_is_told"]),
    ], &["mail/replies.rs enhanced"]),
    ("files and variables of operators", &[
        ("config/fuzz.rs", &["a_variable_is_taken_or_refused_by_its_name", "a_file_is_taken_or_told_apart", "a_name_that_is_nearly_a_setting_is_none"]),
        ("kernel/fuzz/times.rs", &["a_duration_is_a_number_and_a_unit", "a_rate_is_a_number_within_a_duration"]),
        ("kernel/fuzz/opaque.rs", &["a_key_ring_opens_what_it_seals_or_is_none"]),
    ], &["config/file.rs read_text", "config/environment.rs answer", "config/takes.rs Takes", "config/takes.rs Span",
        "config/takes.rs Count", "config/takes.rs Cores", "config/takes.rs Choice", "config/takes.rs By", "config/takes.rs Secret",
        "config/takes.rs Optional", "config/mail.rs MailUrl", "config/server.rs PublicUrl", "config/server.rs BasePath",
        "config/store.rs StoreUrl", "kernel/time/duration.rs parse_duration", "kernel/rate.rs Rate", "kernel/rate.rs Rates",
        "kernel/secret/keyring.rs KeyRing", "kernel/secret/keyring.rs Slot"]),
    ("what was sealed or vouched for here", &[
        ("kernel/fuzz/opaque.rs", &["what_is_sealed_and_altered_does_not_open", "a_tag_is_of_its_parts_alone"]),
    ], &["kernel/secret/keyring.rs open", "kernel/secret/mod.rs verify"]),
];

/// Parsers of what nobody outside can write.
const FROM_WITHIN: &[(&str, &str)] = &[
    (
        "mail/message.rs AutoSubmitted",
        "a header that is written alone",
    ),
    (
        "store/whole.rs Whole",
        "a document that a store of ours wrote, under the checksum of its archive",
    ),
    ("tokens/material.rs Material", "a key that was sealed here"),
];

/// Parsers that no row holds, and rows of parsers that there are not.
pub fn without_a_law(sources: &[Source]) -> Vec<Breach> {
    let product = of_the_product(sources);
    let found = product.iter().flat_map(|source| parsers(source));
    let listed = TABLE
        .iter()
        .flat_map(|(_, _, parsers)| parsers.iter().copied());
    let listed: BTreeSet<&str> = listed
        .chain(FROM_WITHIN.iter().map(|(it, _)| *it))
        .collect();
    let mut breaches = Vec::new();
    for (source, name, line) in found {
        if !listed.contains(&*format!("{} {name}", source.place)) {
            let what = format!("{name} parses, and nothing holds of it whatever comes");
            breaches.push(Breach::of(source, line, what));
        }
    }
    for row in listed {
        let (place, name) = row.split_once(' ').expect("a file and a name");
        let home = product.iter().find(|source| source.place == place);
        if !home.is_some_and(|source| names(source, name)) {
            breaches.push(Breach {
                place: place.to_owned(),
                line: 1,
                sentence: format!("there is no {name}"),
            });
        }
    }
    breaches
}

/// Laws that no row names, and rows of laws that there are not.
pub fn unlisted(sources: &[Source]) -> Vec<Breach> {
    let all = TABLE.iter().flat_map(|(_, laws, _)| laws.iter());
    let mut listed: BTreeSet<(String, String)> = all
        .flat_map(|(place, names)| {
            names
                .iter()
                .map(|it| ((*place).to_owned(), (*it).to_owned()))
        })
        .collect();
    let mut breaches = Vec::new();
    for source in sources
        .iter()
        .filter(|it| it.module().iter().any(|it| it == "fuzz"))
    {
        for (name, line) in laws(source) {
            if !listed.remove(&(source.place.clone(), name.clone())) {
                breaches.push(Breach::of(source, line, format!("no row names {name}")));
            }
        }
    }
    let missing = listed.into_iter().map(|(place, name)| Breach {
        place,
        line: 1,
        sentence: format!("there is no law {name}"),
    });
    breaches.extend(missing);
    breaches
}

/// What a source calls a parser: the type that parses, or the function where it stands alone.
fn parsers(source: &Source) -> Vec<(&Source, String, usize)> {
    let tokens = source.product();
    let (mut found, mut whose, mut depth) = (Vec::new(), None, 0_usize);
    for at in 0..tokens.len() {
        match tokens[at].text.as_str() {
            "{" if !tokens[at].is_text() => depth += 1,
            "}" if !tokens[at].is_text() => {
                depth -= 1;
                whose = whose.filter(|_| depth > 0);
            }
            "impl" | "trait" if depth == 0 => whose = implementer(&tokens[at + 1..]),
            "fn" if !tokens[at].is_text() => {
                let name = tokens.get(at + 1).map_or("", |it| it.text.as_str());
                let is_one = matches!(name, "parse" | "from_str") || name.starts_with("parse_");
                let called = whose.clone().unwrap_or_else(|| name.to_owned());
                // In a macro it is of whatever the macro makes.
                if is_one && called != "$" && called != "from_str" {
                    found.push((source, called, tokens[at].line));
                }
            }
            _ => {}
        }
    }
    found
}

/// The type of `impl Trait for Type<…> {`, `impl<…> Type {` or `trait Type {`.
fn implementer(tokens: &[Token]) -> Option<String> {
    let head = tokens.iter().take_while(|token| !token.is("{"));
    let head: Vec<&Token> = head.collect();
    let after = head
        .iter()
        .rposition(|token| token.is("for"))
        .map_or(0, |at| at + 1);
    let mut angles = 0_i32;
    for token in &head[after..] {
        match token.text.as_str() {
            "<" => angles += 1,
            ">" => angles -= 1,
            "$" => return Some("$".to_owned()),
            _ if angles == 0 && token.is_word() => return Some(token.text.clone()),
            _ => {}
        }
    }
    None
}

/// Whether a source has a type or a function of that name.
fn names(source: &Source, name: &str) -> bool {
    let declares = ["fn", "struct", "enum", "trait", "type", "impl", "for"];
    let pairs = source.tokens().windows(2);
    let mut named = pairs.filter(|two| two[1].is(name) && declares.iter().any(|it| two[0].is(it)));
    // Types that a macro makes are named where it is called.
    named.next().is_some()
        || source
            .tokens()
            .windows(3)
            .any(|it| it[0].is(name) && it[1].is(",") && it[2].is("refused"))
}

/// The tests of a source.
fn laws(source: &Source) -> Vec<(String, usize)> {
    let spelled = ["#", "[", "test", "]", "fn"];
    let is_test = |window: &&[Token]| {
        window
            .iter()
            .zip(spelled)
            .all(|(token, text)| token.is(text))
    };
    let windows = source.tokens().windows(6).filter(is_test);
    windows
        .map(|window| (window[5].text.clone(), window[5].line))
        .collect()
}
