//! Mail: as far as a letter goes, without one.

use super::finding::Finding;
use crate::app;
use crate::config::{Config, MailUrl};

const CHECK: &str = "mail";

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let mailer = match app::mailer(config) {
        Ok(mailer) => mailer,
        Err(why) => return vec![Finding::fail(CHECK, why.to_string(), "see `mail.ca_file`")],
    };
    if config.mail.url.is_none() {
        let detail = format!("letters become files in {mailer}, and nobody gets them");
        let advice = "set AUTHSOME_MAIL__URL to a mail server, like \
                      smtp://user:password@mail.example.com:587?tls=required";
        return vec![Finding::warn(CHECK, detail, advice)];
    }
    let mut findings = vec![match mailer.try_out().await {
        Ok(()) => Finding::ok(CHECK, format!("{mailer} takes letters")),
        Err(why) => {
            let detail = format!("{mailer} takes no letters: {why}");
            Finding::fail(CHECK, detail, advice(&why.to_string()))
        }
    }];
    findings.extend(sender(config));
    findings
}

/// What to look at, by the place where it failed.
fn advice(reason: &str) -> &'static str {
    if reason.starts_with("tls") {
        return "the server offers no encryption, or its certificate is not trusted or not for this \
                host: see `tls=` in AUTHSOME_MAIL__URL and AUTHSOME_MAIL__CA_FILE";
    }
    if reason.starts_with("login") || reason.starts_with("smtp 535") {
        return "the user or the password in AUTHSOME_MAIL__URL is not right";
    }
    if reason.starts_with("folder") {
        return "name a folder in AUTHSOME_MAIL__URL that the user whom the server runs as can write";
    }
    "is the host and port in AUTHSOME_MAIL__URL right, and does a firewall let this machine reach it"
}

fn sender(config: &Config) -> Option<Finding> {
    let is_server = matches!(config.mail.url, Some(MailUrl::Smtp(_)));
    let from = config.mail.from.email.domain();
    if !is_server || from != "localhost" {
        return None;
    }
    let detail = format!(
        "letters come from {}, which no server accepts",
        config.mail.from.email
    );
    let advice = "set AUTHSOME_MAIL__FROM to an address of a domain of yours";
    Some(Finding::warn(CHECK, detail, advice))
}
