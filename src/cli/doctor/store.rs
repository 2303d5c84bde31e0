//! The store, and what is in it.

use std::time::Duration;

use super::finding::Finding;
use crate::app::{Examined, World};
use crate::config::{Config, Secrets, StoreUrl};
use crate::kernel::time::Timestamp;
use crate::store::{Resealed, StoreError};
use crate::tokens::KeyReport;
use crate::webhooks::Undelivered;

const STORE: &str = "store";
const INDEXES: &str = "indexes";
const CLOCK: &str = "clock";
const KEYS: &str = "signing keys";
const SEALED: &str = "encryption keys";
const PEPPER: &str = "pepper";
const REFRESH_SECRET: &str = "refresh secret";
const OUTBOX: &str = "outbox";
const WEBHOOKS: &str = "webhooks";

/// Clocks that differ by more make limits and tokens wrong.
const SKEW: Duration = Duration::from_secs(30);
const SLIGHT_SKEW: Duration = Duration::from_secs(2);
/// A key that signs for longer should have been replaced.
const OLD_KEY: Duration = Duration::from_hours(90 * 24);
const LATE: Duration = Duration::from_mins(10);

pub(super) async fn findings(config: &Config, world: &World) -> Vec<Finding> {
    if !config.store.url.is_filled() {
        let detail = "there is no database yet; the first start makes it";
        return vec![Finding::ok(STORE, detail)];
    }
    // Made are secrets only where there is no database yet.
    let secrets = match Secrets::resolve(&config.store, &config.security, &world.entropy) {
        Ok(secrets) => secrets,
        Err(faults) => {
            let text = faults.to_string();
            let advice = "restore the secrets from the backup of the database";
            let lines = text.lines();
            return lines
                .map(|line| Finding::fail(SEALED, line, advice))
                .collect();
        }
    };
    match opened(config, &secrets, world).await {
        Ok(examined) => of_what_is_in_it(&examined, config, world).await,
        Err(why) => vec![unreachable(&why)],
    }
}

async fn opened(config: &Config, secrets: &Secrets, world: &World) -> Result<Examined, StoreError> {
    let examined = Examined::open(config, secrets, world).await?;
    examined.ping().await?;
    Ok(examined)
}

fn unreachable(why: &StoreError) -> Finding {
    let advice = match why {
        StoreError::Unsuitable(_) => "do what it says, and run this again",
        StoreError::Unavailable(_) | StoreError::Timeout => {
            "does it run, and is AUTHSOME_STORE__URL right; a replica set needs a primary"
        }
        StoreError::Corrupt(_) => "restore the database from its backup",
        StoreError::Duplicate(_)
        | StoreError::Conflict
        | StoreError::Gone
        | StoreError::OutsideScope(_) => "look into its log",
    };
    Finding::fail(STORE, why.to_string(), advice)
}

async fn of_what_is_in_it(examined: &Examined, config: &Config, world: &World) -> Vec<Finding> {
    let what = match &config.store.url {
        StoreUrl::Mongo { .. } => "MongoDB answers, as a replica set with a primary",
        StoreUrl::File(_) | StoreUrl::Memory => "the embedded database answers and can be written",
    };
    let mut findings = vec![Finding::ok(STORE, what)];
    let flaws = match examined.flaws().await {
        Ok(flaws) => flaws,
        Err(why) => return vec![unreachable(&why)],
    };
    let is_whole = flaws.is_empty();
    findings.extend(indexes(flaws));
    let before = world.clock.now();
    let told = examined.time().await;
    let now = world.clock.now();
    findings.push(told.map_or_else(|why| unreachable(&why), |time| clock(time, before, now)));
    if !is_whole {
        // What is in it cannot be asked for by an index that is not there.
        return findings;
    }
    findings.extend(of_its_documents(examined, now).await);
    findings
}

async fn of_its_documents(examined: &Examined, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    match examined.is_unfinished().await {
        Ok(false) => {}
        Ok(true) => findings.push(unfinished()),
        Err(why) => findings.push(unreachable(&why)),
    }
    findings.push(match examined.signing_keys(now).await {
        Ok(report) => signing_keys(report),
        Err(why) => unreachable(&why),
    });
    findings.push(match examined.sealed().await {
        Ok(found) => sealed(found),
        Err(why) => unreachable(&why),
    });
    findings.push(match examined.has_other_pepper().await {
        Ok(is_other) => pepper(is_other),
        Err(why) => unreachable(&why),
    });
    findings.push(match examined.has_other_refresh_secret().await {
        Ok(is_other) => refresh_secret(is_other),
        Err(why) => unreachable(&why),
    });
    findings.push(match examined.backlog(now).await {
        Ok(backlog) => outbox(backlog.letters, backlog.overdue),
        Err(why) => unreachable(&why),
    });
    findings.push(match examined.undelivered(now).await {
        Ok(found) => webhooks(found),
        Err(why) => unreachable(&why),
    });
    findings
}

fn unfinished() -> Finding {
    let advice = "let `authsome restore` come to its end, or run it again with the same file";
    let what = "a backup is being brought back into it, and is not all there yet";
    Finding::fail(STORE, what, advice)
}

fn indexes(flaws: Vec<String>) -> Vec<Finding> {
    if flaws.is_empty() {
        return vec![Finding::ok(
            INDEXES,
            "every collection and index is as declared",
        )];
    }
    let told = |flaw: String| {
        let advice = if flaw.ends_with("definition") {
            "drop it, and run `authsome migrate`, which makes it anew"
        } else {
            "run `authsome migrate`"
        };
        Finding::fail(INDEXES, flaw, advice)
    };
    flaws.into_iter().map(told).collect()
}

/// Between `before` and `now` the database said what time it is.
fn clock(time: Option<Timestamp>, before: Timestamp, now: Timestamp) -> Finding {
    let Some(time) = time else {
        return Finding::ok(CLOCK, "the database has the clock of this machine");
    };
    // The answer may have been under way for all of the time.
    let ahead = before.since(time);
    let behind = time.since(now);
    let skew = ahead.max(behind);
    let which = if behind > ahead { "behind" } else { "ahead of" };
    let detail = format!(
        "this machine is {}.{:03}s {which} the database",
        skew.as_secs(),
        skew.subsec_millis()
    );
    let advice = "let both keep time by NTP (chrony, systemd-timesyncd)";
    if skew > SKEW {
        return Finding::fail(CLOCK, detail, advice);
    }
    if skew > SLIGHT_SKEW {
        return Finding::warn(CLOCK, detail, advice);
    }
    Finding::ok(CLOCK, detail)
}

fn signing_keys(report: KeyReport) -> Finding {
    let KeyReport {
        environments,
        oldest,
        next,
        unusable,
    } = report;
    if !unusable.is_empty() {
        let advice = "give the encryption key back that sealed it (AUTHSOME_SECURITY__ENCRYPTION_KEY \
                      takes several), or withdraw it: `authsome keys withdraw`";
        return Finding::fail(KEYS, unusable.join("; "), advice);
    }
    if environments == 0 {
        return Finding::ok(KEYS, "there are none yet; the first token makes one");
    }
    let next = next.map_or_else(
        || "none is published to follow".to_owned(),
        |at| format!("the next one signs from {at} on"),
    );
    let days = oldest.as_secs() / 86_400;
    let detail =
        format!("{environments} environments; the oldest key signs for {days} days; {next}");
    if oldest > OLD_KEY {
        let advice = "run `authsome keys rotate`; 90 days are long enough for a key";
        return Finding::warn(KEYS, detail, advice);
    }
    Finding::ok(KEYS, detail)
}

fn pepper(is_other: bool) -> Finding {
    if is_other {
        let detail = "it is another than the passwords here were hashed with: none is right";
        let advice = "restore AUTHSOME_SECURITY__PEPPER from the backup; where it is lost for good, \
                      people reset their passwords, and `authsome keys accept-pepper` ends this";
        return Finding::fail(PEPPER, detail, advice);
    }
    Finding::ok(
        PEPPER,
        "it is none but the one that the store was filled under",
    )
}

fn refresh_secret(is_other: bool) -> Finding {
    if is_other {
        let detail = "it is another than that of the node which started last";
        let advice = "give every node the same AUTHSOME_SECURITY__REFRESH_SECRET; a new one ends \
                      sessions and makes open links void";
        return Finding::warn(REFRESH_SECRET, detail, advice);
    }
    Finding::ok(
        REFRESH_SECRET,
        "it is none but that of the node which started last",
    )
}

fn sealed(found: Resealed) -> Finding {
    let Resealed {
        anew: behind,
        already,
        unopened,
    } = found;
    if !unopened.is_empty() {
        let advice = "give the encryption key back that sealed it, behind the one in use";
        return Finding::fail(SEALED, unopened.join("; "), advice);
    }
    if behind > 0 {
        let detail = format!("{behind} documents are sealed under an older key, {already} are not");
        let advice = "run `authsome keys reseal` before that key is dropped";
        return Finding::warn(SEALED, detail, advice);
    }
    let detail = format!("{already} documents open under the key in use");
    Finding::ok(SEALED, detail)
}

fn outbox(letters: u64, overdue: Duration) -> Finding {
    let minutes = overdue.as_secs() / 60;
    if overdue > LATE {
        let detail = format!("{letters} letters wait, the first for {minutes} minutes");
        let advice = "does a server run, and does the mail server take letters; \
                      `GET /v1/admin/notifications` says why not";
        return Finding::warn(OUTBOX, detail, advice);
    }
    Finding::ok(OUTBOX, format!("{letters} letters wait"))
}

fn webhooks(found: Undelivered) -> Finding {
    let Undelivered {
        events,
        deliveries,
        overdue,
    } = found;
    let detail = format!("{events} events are to be passed on, and {deliveries} deliveries wait");
    if overdue > LATE {
        let minutes = overdue.as_secs() / 60;
        let detail = format!("{detail}, the first for {minutes} minutes");
        let advice = "does a server run that can write to the database, or does a receiver hang: \
                      what is behind its delivery waits (`GET /v1/webhooks/{webhook}/deliveries`)";
        return Finding::warn(WEBHOOKS, detail, advice);
    }
    Finding::ok(WEBHOOKS, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Health;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn clocks_may_differ_by_two_seconds_and_must_not_by_more_than_thirty() {
        let judged = |time: i64| clock(Some(at(time)), at(1_000), at(1_001));
        let table = [
            (1_000, Health::Ok),
            (1_003, Health::Ok),
            (1_004, Health::Warn),
            (1_031, Health::Warn),
            (1_032, Health::Fail),
            (998, Health::Ok),
            (997, Health::Warn),
            (969, Health::Fail),
        ];
        for (time, expected) in table {
            assert_eq!(judged(time).health, expected, "{time}");
        }
        assert!(judged(900).detail.contains("100.000s ahead of"));
        assert!(judged(1_101).detail.contains("100.000s behind"));
        assert_eq!(clock(None, at(0), at(0)).health, Health::Ok);
    }

    #[test]
    fn a_key_should_not_sign_for_more_than_ninety_days() {
        let report = |oldest| KeyReport {
            environments: 1,
            oldest,
            ..KeyReport::default()
        };
        assert_eq!(signing_keys(report(OLD_KEY)).health, Health::Ok);
        let older = report(OLD_KEY + Duration::from_secs(1));
        assert_eq!(signing_keys(older).health, Health::Warn);
    }

    #[test]
    fn deliveries_that_wait_for_long_are_told() {
        let found = |overdue| Undelivered {
            deliveries: 3,
            overdue,
            ..Undelivered::default()
        };
        assert_eq!(webhooks(found(LATE)).health, Health::Ok);
        assert_eq!(webhooks(found(LATE * 2)).health, Health::Warn);
    }

    #[test]
    fn letters_that_wait_for_long_are_told() {
        assert_eq!(outbox(3, LATE).health, Health::Ok);
        assert_eq!(outbox(3, LATE * 2).health, Health::Warn);
    }
}
