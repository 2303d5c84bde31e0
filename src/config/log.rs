//! The log: how its lines look and which are written.

use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use super::{
    setting::{Fallback, section},
    takes::{By, Choice, Unfit},
};

section! {
    /// How the log looks and what it holds.
    pub struct Log in "log" {
        /// One line a record for people, or one JSON object a record for machines.
        format: LogFormat = Fallback::Value("text"),
            Choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]);
        /// The least severe level that is written, in general or by module.
        level: String = Fallback::Value("info"), By {
            takes: "`error`, `warn`, `info`, `debug`, `trace` or `off`, also by module: \
                    `info,authsome::store=debug`",
            parse: filter,
        };
    }
}

/// How a log record looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Directives that [`EnvFilter`] reads. It takes a mistyped level for the name of a module and
/// then logs nothing, so a word alone must be a level.
fn filter(text: &str) -> Result<String, Unfit> {
    let alone = |directive: &str| !directive.contains(['=', '[']);
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    if text
        .split(',')
        .map(str::trim)
        .any(|directive| alone(directive) && !is_level(directive))
    {
        return Err(Unfit::NotAllowed);
    }
    EnvFilter::builder()
        .parse(text)
        .map_err(|_| Unfit::NotAllowed)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_level_is_not_taken_for_a_module() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,authsome=debug",
            "warn,authsome::store=trace",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["", "inof", "info,", "info,authsome", "authsome=loud"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
