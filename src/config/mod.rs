//! Configuration: typed settings, a file a section, read once when the process starts.
//!
//! ```text
//! built-in defaults  <  authsome.toml (or --config PATH)  <  AUTHSOME_<SECTION>__<KEY>
//! ```
//!
//! Every setting is one row of its section's table (`setting.rs`): its name, what it takes, its
//! default and its meaning. Reading, the search for the nearest name and [`reference()`] derive
//! from the rows. A name that is no row is fatal, and so is a value outside its range; everything
//! that is wrong is told at once ([`Faults`]), never with a secret in it.
//! There is no reloading: a changed file counts from the next start.
//! Not here: rules of an app or environment, which live in the store.

mod environment;
mod events;
mod fault;
mod file;
#[cfg(test)]
mod fuzz;
mod limits;
mod log;
mod mail;
mod metrics;
mod reader;
mod sample;
mod secret_file;
mod secrets;
mod security;
mod server;
mod setting;
mod store;
mod takes;
mod tokens;
mod tracing;
mod webhooks;

use std::{ffi::OsString, path::Path};

pub use events::Events;
pub use fault::{Fault, Faults};
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use mail::{Encryption, Mail, MailUrl, SmtpLogin, SmtpUrl};
pub use metrics::Metrics;
pub use sample::sample;
pub use secrets::Secrets;
pub use security::Security;
pub(crate) use server::reachable;
pub use server::{BasePath, PublicUrl, Server};
pub use store::{Store, StoreUrl, Synchronous};
pub use tokens::Tokens;
pub use tracing::Tracing;
pub use webhooks::Webhooks;

use reader::Reader;
use setting::{Fallback, Setting};

/// The file that is read when the command line names none, in the working directory.
const USUAL_FILE: &str = "authsome.toml";

/// The exit code of a process whose configuration cannot be used, as for a bad command line.
pub const EXIT_CODE: u8 = 2;

/// Everything that can be configured, checked: each value is within its range.
#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub store: Store,
    pub security: Security,
    pub tokens: Tokens,
    pub limits: Limits,
    pub mail: Mail,
    pub events: Events,
    pub metrics: Metrics,
    pub tracing: Tracing,
    pub webhooks: Webhooks,
    pub log: Log,
}

/// The tables of all sections, in the order people read them.
const SECTIONS: &[&[Setting]] = &[
    Server::SETTINGS,
    Store::SETTINGS,
    Security::SETTINGS,
    Tokens::SETTINGS,
    Limits::SETTINGS,
    Mail::SETTINGS,
    Events::SETTINGS,
    Metrics::SETTINGS,
    Tracing::SETTINGS,
    Webhooks::SETTINGS,
    Log::SETTINGS,
];

impl Config {
    /// Reads defaults, file and environment; the later one wins, setting by setting.
    ///
    /// `named` is the file of `--config` and must exist; without it `authsome.toml` in the working
    /// directory is read where there is one. Of `environment`, only names that begin `AUTHSOME_`
    /// count, save those that begin `AUTHSOME_TEST_`.
    pub fn load(
        named: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Faults> {
        Self::load_beside(Path::new(""), named, environment)
    }

    /// Like [`Config::load`], with another folder than the working directory.
    fn load_beside(
        folder: &Path,
        named: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Faults> {
        let mut reader = Reader::default();
        match named {
            Some(path) => file::read(path, &mut reader),
            None => file::read_where_present(&folder.join(USUAL_FILE), &mut reader),
        }
        environment::read(environment, &mut reader);
        let config = Self::of_sections(&mut reader);
        let faults = reader.into_faults();
        config.filter(|_| faults.is_empty()).ok_or(faults)
    }

    /// All sections are read before the first missing one is noticed: every fault is told.
    fn of_sections(reader: &mut Reader) -> Option<Self> {
        let server = Server::read(reader);
        let store = Store::read(reader);
        let security = Security::read(reader);
        let tokens = Tokens::read(reader);
        let limits = Limits::read(reader);
        let mail = Mail::read(reader);
        let events = Events::read(reader);
        let metrics = Metrics::read(reader);
        let tracing = Tracing::read(reader);
        let webhooks = Webhooks::read(reader);
        let log = Log::read(reader);
        Some(Self {
            server: server?,
            store: store?,
            security: security?,
            tokens: tokens?,
            limits: limits?,
            mail: mail?,
            events: events?,
            metrics: metrics?,
            tracing: tracing?,
            webhooks: webhooks?,
            log: log?,
        })
    }

    /// What an operator should know about settings that are allowed but seldom meant: sentences
    /// for the log, without secrets.
    pub fn warnings(&self) -> Vec<String> {
        [
            self.server.warnings(),
            self.mail.warnings(),
            self.webhooks.warnings(),
        ]
        .concat()
    }
}

/// Every setting as the rows of a Markdown table: the configuration table of the README.
pub fn reference() -> String {
    let head = "| Variable | Default | Takes | Meaning |\n|---|---|---|---|\n".to_owned();
    settings().fold(head, |table, setting| table + row(setting).as_str())
}

fn row(setting: &Setting) -> String {
    let variable = setting.name().variable();
    let also = if setting.secret {
        " (or `…_FILE`)"
    } else {
        ""
    };
    let default = match setting.default {
        Fallback::Value("") => "empty".to_owned(),
        Fallback::Value(text) => format!("`{text}`"),
        Fallback::Unset(what_then) => what_then.to_owned(),
    };
    let takes = (setting.takes)();
    let help = setting.help.trim();
    format!("| `{variable}`{also} | {default} | {takes} | {help} |\n")
}

fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().copied().flatten()
}

#[cfg(test)]
mod tests;
