//! The store: which database, and how hard it is leant on.

use std::path::{Path, PathBuf};

use crate::kernel::secret::SecretString;

use super::{
    setting::{Fallback, section},
    takes::{By, Choice, Cores, Count, Secret, Unfit},
};

section! {
    /// Which database, and how hard it is leant on.
    pub struct Store in "store" {
        /// Where everything is kept.
        url: StoreUrl = Fallback::Value("sqlite:authsome-data/authsome.db"), Secret(By {
            takes: "`sqlite:<path>`, `sqlite::memory:`, `mongodb://<hosts>/<database>` or \
                    `mongodb+srv://<host>/<database>`",
            parse: StoreUrl::parse,
        });
        /// MongoDB: connections a process has at most.
        pool_size: u32 = Fallback::Value("64"), Count { min: 1, max: 10_000 };
        /// SQLite: connections that read.
        readers: usize = Fallback::Value("cores"), Cores { max: 256 };
        /// SQLite: `full` survives a power cut with every answered write, `normal` may lose the last ones.
        synchronous: Synchronous = Fallback::Value("full"),
            Choice(&[("full", Synchronous::Full), ("normal", Synchronous::Normal)]);
    }
}

/// Where everything is kept. A MongoDB URL may hold a password and is never printed.
#[derive(Debug, Clone)]
pub enum StoreUrl {
    /// SQLite in memory: gone with the process.
    Memory,
    /// SQLite in this file; relative to the working directory.
    File(PathBuf),
    /// A MongoDB replica set, with the database that the URL's path names.
    Mongo { url: SecretString, database: String },
}

/// What SQLite waits for when it commits (`PRAGMA synchronous`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    Full,
    Normal,
}

impl StoreUrl {
    /// Whether there is a database already; of MongoDB only its servers know.
    pub fn is_filled(&self) -> bool {
        match self {
            Self::Memory => false,
            Self::File(path) => std::fs::metadata(path).is_ok_and(|about| about.len() > 0),
            Self::Mongo { .. } => true,
        }
    }

    fn parse(text: &str) -> Result<Self, Unfit> {
        let text = text.trim();
        if text == "sqlite::memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            return database_file(path).map(Self::File);
        }
        let after = |scheme| text.strip_prefix(scheme);
        let rest = after("mongodb://").or_else(|| after("mongodb+srv://"));
        let database = database_name(rest.ok_or(Unfit::NotAllowed)?)?.to_owned();
        Ok(Self::Mongo {
            url: SecretString::from(text),
            database,
        })
    }
}

/// A path is taken as it stands; what looks like another program's URL is refused, since it would
/// quietly make a file of that name.
fn database_file(path: &str) -> Result<PathBuf, Unfit> {
    if path.starts_with("//") || path.starts_with(':') || path.contains('?') {
        let way_out =
            "after `sqlite:` comes a plain path, like `sqlite:/var/lib/authsome/authsome.db`";
        return Err(Unfit::Because(way_out.to_owned()));
    }
    if path.is_empty() || path.ends_with('/') || Path::new(path).file_name().is_none() {
        return Err(Unfit::Because(
            "it names no file after `sqlite:`".to_owned(),
        ));
    }
    Ok(PathBuf::from(path))
}

/// The path of a MongoDB URL, given what follows the scheme. Hosts, user and password cannot hold
/// a bare `/` or `?`, so the first one ends them (MongoDB's connection string specification).
fn database_name(rest: &str) -> Result<&str, Unfit> {
    let address = rest.split('?').next().unwrap_or_default();
    let (hosts, database) = address.split_once('/').unwrap_or((address, ""));
    if hosts.rsplit('@').next().is_none_or(str::is_empty) {
        return Err(Unfit::NotAllowed);
    }
    if database.is_empty() {
        return Err(Unfit::Because(
            "it names no database: write its name after the hosts, like \
             `mongodb://127.0.0.1:27017/authsome`, and options after that"
                .to_owned(),
        ));
    }
    if database.len() > 63
        || database.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))
    {
        return Err(Unfit::Because(
            "its database name may have 63 letters, digits, `-` and `_`".to_owned(),
        ));
    }
    Ok(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_understood() {
        assert!(matches!(
            StoreUrl::parse("sqlite::memory:"),
            Ok(StoreUrl::Memory)
        ));
        let file = StoreUrl::parse("sqlite:/var/lib/authsome.db");
        assert!(
            matches!(file, Ok(StoreUrl::File(path)) if path == Path::new("/var/lib/authsome.db"))
        );
        for url in [
            "mongodb://127.0.0.1:27017/shop",
            "mongodb://u:p%2Fq@a:1,b:2/shop?replicaSet=rs0&authSource=admin",
            "mongodb+srv://u:p@cluster.example.net/shop?retryWrites=true",
        ] {
            let parsed = StoreUrl::parse(url);
            assert!(
                matches!(parsed, Ok(StoreUrl::Mongo { database, .. }) if database == "shop"),
                "{url}"
            );
        }
    }

    #[test]
    fn a_mongodb_url_without_a_database_is_told_so() {
        for url in [
            "mongodb://a:1",
            "mongodb://a:1/",
            "mongodb://a:1/?replicaSet=rs0",
            "mongodb://a?x=/y",
        ] {
            let Err(Unfit::Because(why)) = StoreUrl::parse(url) else {
                assert_eq!(url, "refused with a reason of its own");
                continue;
            };
            assert!(why.contains("database"), "{url}: {why}");
        }
    }

    #[test]
    fn urls_of_other_programs_are_refused() {
        for url in [
            "",
            "authsome.db",
            "sqlite:",
            "sqlite:data/",
            "sqlite://data/x.db",
            "sqlite:x.db?mode=ro",
            "sqlite:..",
            "postgres://a/b",
            "mongodb:///db",
            "mongodb://u@/db",
            "mongodb://a/b.c",
        ] {
            assert!(StoreUrl::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_not_shown() {
        let url = StoreUrl::parse("mongodb://u:hunter22@a/shop");
        assert!(!format!("{url:?}").contains("hunter22"));
    }
}
