//! Values: defaults, ranges and shapes.

use crate::kernel::algorithm::Algorithm;

use super::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn cores() -> usize {
    std::thread::available_parallelism().unwrap().get()
}

#[test]
fn every_default_of_the_server_is_the_documented_one() {
    let config = World::new().load().unwrap();

    let Server {
        bind,
        public_url,
        base_path,
        trusted_proxies,
        workers,
        max_connections,
        header_timeout,
        body_timeout,
        handler_timeout,
        write_timeout,
        keep_alive,
        stop_delay,
        shutdown_timeout,
    } = &config.server;
    assert_eq!(bind.to_string(), "127.0.0.1:8080");
    assert!(public_url.is_none());
    assert_eq!(config.server.url(*bind).as_str(), "http://127.0.0.1:8080");
    assert_eq!(base_path.as_str(), "");
    assert!(trusted_proxies.is_empty());
    assert_eq!((*workers, *max_connections), (cores(), 10_000));
    assert_eq!((*header_timeout, *body_timeout), (seconds(10), seconds(15)));
    assert_eq!((*handler_timeout, *keep_alive), (seconds(15), seconds(60)));
    assert_eq!(*write_timeout, seconds(60));
    assert_eq!((*stop_delay, *shutdown_timeout), (seconds(5), seconds(20)));
}

#[test]
fn every_other_default_is_the_documented_one() {
    let config = World::new().load().unwrap();

    let Store {
        url,
        pool_size,
        readers,
        synchronous,
    } = &config.store;
    assert!(matches!(url, StoreUrl::File(path) if path == Path::new("authsome-data/authsome.db")));
    assert_eq!(
        (*pool_size, *readers, *synchronous),
        (64, cores(), Synchronous::Full)
    );

    let Security {
        encryption_key,
        refresh_secret,
        pepper,
        bcrypt_cost,
        hash_threads,
        hash_queue_seconds,
        hash_queue_length,
    } = &config.security;
    assert!(encryption_key.is_none() && refresh_secret.is_none() && pepper.is_none());
    assert_eq!(
        (*bcrypt_cost, *hash_threads, *hash_queue_length),
        (12, cores(), 256)
    );
    assert_eq!(*hash_queue_seconds, seconds(2));

    let Tokens {
        access_ttl,
        refresh_ttl,
        algorithm,
        publish_ahead,
    } = &config.tokens;
    assert_eq!(
        (*access_ttl, *refresh_ttl),
        (seconds(15 * 60), seconds(30 * 86_400))
    );
    assert_eq!(
        (*algorithm, *publish_ahead),
        (Algorithm::Es256, seconds(86_400))
    );

    let Log { format, level } = &config.log;
    assert_eq!((*format, level.as_str()), (LogFormat::Text, "info"));
    assert!(config.warnings().is_empty());
}

/// Setting, values at the ends of its range, values beyond them.
const RANGES: &[(&str, &[&str], &[&str])] = &[
    (
        "SERVER__BIND",
        &["0.0.0.0:0", "[::1]:443"],
        &["8080", "localhost", ""],
    ),
    (
        "SERVER__PUBLIC_URL",
        &["https://a.example"],
        &["", "a.example"],
    ),
    ("SERVER__BASE_PATH", &["", "/auth"], &["auth", "/"]),
    (
        "SERVER__TRUSTED_PROXIES",
        &["", "10.0.0.0/8,::1"],
        &["10.0.0.0/40"],
    ),
    ("SERVER__WORKERS", &["1", "cores"], &["0", "many"]),
    (
        "SERVER__MAX_CONNECTIONS",
        &["1", "1000000"],
        &["0", "1000001"],
    ),
    ("SERVER__HEADER_TIMEOUT", &["1s", "5m"], &["999ms", "301"]),
    ("SERVER__STOP_DELAY", &["0", "5m"], &["301"]),
    ("STORE__POOL_SIZE", &["1", "10000"], &["0", "-1"]),
    ("STORE__SYNCHRONOUS", &["full", "normal"], &["off", "FULL"]),
    ("SECURITY__BCRYPT_COST", &["10", "15"], &["9", "16"]),
    (
        "SECURITY__HASH_QUEUE_SECONDS",
        &["2", "500ms"],
        &["0", "31s"],
    ),
    (
        "TOKENS__ACCESS_TTL",
        &["1m", "60m", "900"],
        &["59s", "61m", "soon"],
    ),
    ("TOKENS__PUBLISH_AHEAD", &["10m", "7d"], &["599", "8d"]),
    ("TOKENS__REFRESH_TTL", &["1h", "90d"], &["59m", "91d"]),
    (
        "TOKENS__ALGORITHM",
        &["ES256", "EdDSA", "RS256", "HS256"],
        &["none", "es256"],
    ),
    ("LOG__FORMAT", &["text", "json"], &["xml"]),
    ("LOG__LEVEL", &["debug", "info,authsome=trace"], &["loud"]),
];

#[test]
fn every_range_is_kept_at_both_ends() {
    for &(variable, good, bad) in RANGES {
        let variable = format!("AUTHSOME_{variable}");
        for value in good {
            let outcome = World::new().variable(&variable, value).load();
            assert!(outcome.is_ok(), "{variable}={value}: {outcome:?}");
        }
        for value in bad {
            let refusal = World::new().variable(&variable, value).refusal();
            assert!(
                refusal.starts_with(&format!("{variable} is {value:?}, but it takes ")),
                "{refusal}"
            );
        }
    }
}

#[test]
fn lists_numbers_and_words_mean_the_same_in_a_file() {
    let world = World::new().file(
        "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nmax_connections = 50\n\
         [security]\nhash_queue_seconds = \"500ms\"",
    );

    let config = world.load().unwrap();

    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.server.max_connections, 50);
    assert_eq!(
        config.security.hash_queue_seconds,
        Duration::from_millis(500)
    );
}

#[test]
fn values_of_the_wrong_shape_are_refused_without_being_shown() {
    for (toml, sentence) in [
        (
            "[security]\npepper = 1.5",
            "security.pepper in authsome.toml is a fraction, which no setting takes.",
        ),
        (
            "[server.bind]\nport = 1",
            "server.bind in authsome.toml is a table, which no setting takes.",
        ),
    ] {
        assert_eq!(World::new().file(toml).refusal(), sentence);
    }
}

#[test]
fn a_mongodb_url_without_a_database_says_how_to_name_one() {
    let world = World::new().variable("AUTHSOME_STORE__URL", "mongodb://127.0.0.1:27017/");

    let refusal = world.refusal();

    assert!(
        refusal.contains("names no database") && refusal.contains("/authsome"),
        "{refusal}"
    );
}

#[test]
fn settings_that_are_seldom_meant_are_pointed_out() {
    let warned = |variable: &str, value: &str| {
        World::new()
            .variable(variable, value)
            .load()
            .unwrap()
            .warnings()
            .join(" ")
    };

    assert!(warned("AUTHSOME_SERVER__BIND", "0.0.0.0:80").contains("AUTHSOME_SERVER__PUBLIC_URL"));
    assert!(warned("AUTHSOME_SERVER__PUBLIC_URL", "http://a.example").contains("unencrypted"));
    assert!(warned("AUTHSOME_SERVER__TRUSTED_PROXIES", "::/0").contains("anybody"));
    assert_eq!(
        warned("AUTHSOME_SERVER__PUBLIC_URL", "http://localhost:8080"),
        ""
    );
}

#[test]
fn the_reference_has_a_row_for_every_setting() {
    let table = reference();

    assert_eq!(table.lines().count(), 2 + settings().count());
    assert!(
        table.lines().all(|row| row.matches('|').count() == 5),
        "{table}"
    );
    for row in [
        "| `AUTHSOME_SERVER__BIND` | `127.0.0.1:8080` | an IP address and a port, ",
        "| `AUTHSOME_SECURITY__PEPPER` (or `…_FILE`) | made once ",
        "| `AUTHSOME_TOKENS__ACCESS_TTL` | `15m` | a duration from 1m to 1h | ",
    ] {
        assert!(table.contains(row), "{row}\n{table}");
    }
}
