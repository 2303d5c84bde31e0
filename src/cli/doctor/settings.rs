//! The configuration, and the secrets that it gives.

use std::collections::BTreeSet;

use super::finding::Finding;
use crate::config::{Config, Faults};
use crate::kernel::secret::{ExposeSecret, SecretString};

const CHECK: &str = "configuration";
const REPLACE: &str = "make another with `openssl rand -base64 32`, the same on every node; a new \
                       pepper makes every password wrong";

/// Random text of 32 characters has more than that many different ones.
const LEAST_VARIETY: usize = 10;

/// A line for each thing that keeps every command from running.
pub(super) fn faults(faults: &Faults) -> Vec<Finding> {
    let text = faults.to_string();
    let lines = text.lines();
    lines
        .map(|line| {
            Finding::fail(
                CHECK,
                line,
                "`authsome config` lists what each setting takes",
            )
        })
        .collect()
}

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings: Vec<_> = config
        .warnings()
        .into_iter()
        .map(|warning| Finding::warn(CHECK, warning, "see `authsome config` for what it takes"))
        .collect();
    findings.extend(public_url(config));
    findings.extend(secrets(config));
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "every setting is within its range"));
    }
    findings
}

/// Whether tokens are issued under an address that is meant to last.
fn public_url(config: &Config) -> Option<Finding> {
    let server = &config.server;
    if server.public_url.is_some() || !server.bind.ip().is_loopback() {
        return None;
    }
    let issuer = server.url(server.bind);
    let detail = format!("server.public_url is not set, so tokens say that {issuer} issued them");
    let advice = "set AUTHSOME_SERVER__PUBLIC_URL before anybody else uses this server";
    Some(Finding::warn(CHECK, detail, advice))
}

fn secrets(config: &Config) -> Vec<Finding> {
    let security = &config.security;
    let given = [
        ("security.refresh_secret", &security.refresh_secret),
        ("security.pepper", &security.pepper),
    ];
    let mut findings = Vec::new();
    for (name, secret) in given {
        if secret.as_ref().is_some_and(is_weak) {
            let detail = format!("{name} is made of a few characters over and over");
            findings.push(Finding::fail(CHECK, detail, REPLACE));
        }
    }
    let [Some(one), Some(other)] = given.map(|(_, secret)| secret.as_ref()) else {
        return findings;
    };
    if one.expose_secret() == other.expose_secret() {
        let detail = "security.refresh_secret and security.pepper are the same text";
        findings.push(Finding::warn(CHECK, detail, REPLACE));
    }
    findings
}

fn is_weak(secret: &SecretString) -> bool {
    let characters: BTreeSet<_> = secret.expose_secret().chars().collect();
    characters.len() < LEAST_VARIETY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_few_characters_is_weak() {
        for (text, expected) in [
            ("abcabcabcabcabcabcabcabcabcabcabc", true),
            ("012345678012345678012345678012345", true),
            ("3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=", false),
        ] {
            assert_eq!(is_weak(&SecretString::from(text)), expected, "{text}");
        }
    }
}
