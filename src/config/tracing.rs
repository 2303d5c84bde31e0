//! Tracing: where spans of requests are sent.

use std::collections::HashMap;

use url::Url;

use crate::kernel::secret::SecretString;

use super::{
    setting::{Fallback, section},
    takes::{By, Choice, Optional, Secret, Unfit},
};

section! {
    /// Where spans of requests are sent.
    pub struct Tracing in "tracing" {
        /// Where a collector takes spans, by OTLP over HTTP in protobuf.
        otlp_endpoint: Option<Url> = Fallback::Unset("no spans are made"), Optional(By {
            takes: "an http or https URL, like `http://127.0.0.1:4318/v1/traces`",
            parse: endpoint,
        });
        /// Headers of each call of the collector, such as its key.
        otlp_headers: Option<Vec<(String, SecretString)>> = Fallback::Unset("none"),
            Optional(Secret(By {
                takes: "names and values separated by commas, like `x-api-key=…,x-team=…`",
                parse: headers,
            }));
        /// What the collector knows this server as.
        service_name: String = Fallback::Value("authsome"), By {
            takes: "a name of 1 to 100 characters",
            parse: name,
        };
        /// Of how many requests spans are made.
        sample_ratio: f64 = Fallback::Value("1"), By {
            takes: "a number from 0 (none) to 1 (all)",
            parse: ratio,
        };
        /// Whether the trace that a caller names (`traceparent`) is gone on with, and whether it is
        /// sampled is his to say; for servers that only trusted callers reach.
        trust_callers: bool = Fallback::Value("false"), Choice(&[("true", true), ("false", false)]);
    }
}

impl Tracing {
    /// The headers, to be sent.
    pub fn headers(&self) -> HashMap<String, SecretString> {
        self.otlp_headers.iter().flatten().cloned().collect()
    }
}

fn endpoint(text: &str) -> Result<Url, Unfit> {
    let url = Url::parse(text).map_err(|_| Unfit::NotAllowed)?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
        return Err(Unfit::NotAllowed);
    }
    Ok(url)
}

fn headers(text: &str) -> Result<Vec<(String, SecretString)>, Unfit> {
    text.split(',').map(header).collect()
}

fn header(text: &str) -> Result<(String, SecretString), Unfit> {
    let (name, value) = text.split_once('=').ok_or(Unfit::NotAllowed)?;
    let (name, value) = (name.trim(), value.trim());
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_visible = |c: char| c.is_ascii_graphic() || c == ' ';
    if name.is_empty() || !name.chars().all(is_token) || !value.chars().all(is_visible) {
        return Err(Unfit::NotAllowed);
    }
    Ok((name.to_ascii_lowercase(), SecretString::from(value)))
}

fn name(text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    if text.is_empty() || text.len() > 100 {
        return Err(Unfit::NotAllowed);
    }
    Ok(text.to_owned())
}

fn ratio(text: &str) -> Result<f64, Unfit> {
    let ratio: f64 = text.parse().map_err(|_| Unfit::NotAllowed)?;
    if (0.0..=1.0).contains(&ratio) {
        return Ok(ratio);
    }
    Err(Unfit::NotAllowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::secret::ExposeSecret;

    #[test]
    fn headers_are_names_and_values() {
        let read = headers("X-Api-Key=a b=c, x-team=blue").map_err(|_| "not allowed");
        let read: Vec<_> = read
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}: {}", value.expose_secret()))
            .collect();

        assert_eq!(read, ["x-api-key: a b=c", "x-team: blue"]);
        for bad in ["", "x-api-key", "=a", "x y=a", "a=b,"] {
            assert!(headers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ratios_are_between_none_and_all() {
        assert_eq!(ratio("0.25"), Ok(0.25));
        for bad in ["", "-0.1", "1.1", "NaN", "all"] {
            assert!(ratio(bad).is_err(), "{bad}");
        }
        for bad in [
            "127.0.0.1:4318",
            "grpc://a:4317",
            "http://u:p@a/v1/traces",
            "https://",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
