//! Secrets: the three that an installation cannot do without, given or made.
//!
//! | store | a secret that is not given |
//! |---|---|
//! | a SQLite file | is made once, in the folder of the database, mode 0600 |
//! | SQLite in memory | is made for this process |
//! | MongoDB | stops the start: every node needs the same one |
//!
//! A database that is already there was filled with some secret. Where that one is missing, a new
//! one would open nothing and no password would be right: the start stops instead.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::kernel::{
    entropy::Entropy,
    secret::{ExposeSecret, KeyRing, SecretString},
};

use super::{
    fault::{Fault, Faults},
    secret_file,
    security::{self, Security},
    setting::Name,
    store::{Store, StoreUrl},
    takes::Unfit,
};

/// The secrets in force.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Seals what must be read back.
    pub encryption: KeyRing,
    /// Authenticates refresh tokens, and is what links, codes, cursors and the names of counters
    /// derive from: another one makes open links void and lifts locks. At least 32 characters.
    pub refresh: SecretString,
    /// Goes into every password hash; at least 32 characters.
    pub pepper: SecretString,
}

/// A secret that can be made.
struct Recipe {
    key: &'static str,
    file: &'static str,
    make: fn(&Entropy) -> String,
}

const ENCRYPTION_KEY: Recipe = Recipe {
    key: "encryption_key",
    file: "encryption.key",
    make: |entropy| STANDARD.encode(entropy.bytes::<32>()),
};
const REFRESH_SECRET: Recipe = Recipe {
    key: "refresh_secret",
    file: "refresh.secret",
    make: Entropy::token,
};
const PEPPER: Recipe = Recipe {
    key: "pepper",
    file: "pepper",
    make: Entropy::token,
};

impl Secrets {
    /// Finds or makes the secrets; call it before the store is opened, because a database that
    /// exists without its secrets is refused.
    ///
    /// On a SQLite file the folder of the database is made too, mode 0700. Of several processes
    /// that start at once, all get the same secrets.
    pub fn resolve(store: &Store, security: &Security, entropy: &Entropy) -> Result<Self, Faults> {
        Self::at(&Home::of(store, security)?, security, entropy)
    }

    /// Finds the secrets, and makes none: what a backup was taken under cannot be made up.
    pub fn find(store: &Store, security: &Security, entropy: &Entropy) -> Result<Self, Faults> {
        let home = match Home::of(store, security)? {
            Home::Folder { path, database, .. } => Home::Folder {
                path,
                database,
                filled: Filled::Elsewhere,
            },
            Home::Process => Home::Process,
        };
        Self::at(&home, security, entropy)
    }

    fn at(home: &Home, security: &Security, entropy: &Entropy) -> Result<Self, Faults> {
        let encryption = given_or(security.encryption_key.as_ref(), || {
            home.kept(&ENCRYPTION_KEY, security::key_ring, entropy)
        });
        let refresh = given_or(security.refresh_secret.as_ref(), || {
            home.kept(&REFRESH_SECRET, security::random_text, entropy)
        });
        let pepper = given_or(security.pepper.as_ref(), || {
            home.kept(&PEPPER, security::random_text, entropy)
        });
        match (encryption, refresh, pepper) {
            (Ok(encryption), Ok(refresh), Ok(pepper)) => Ok(Self {
                encryption,
                refresh,
                pepper,
            }),
            (encryption, refresh, pepper) => {
                let faults = [encryption.err(), refresh.err(), pepper.err()];
                Err(Faults::from(
                    faults.into_iter().flatten().collect::<Vec<_>>(),
                ))
            }
        }
    }
}

fn given_or<T: Clone>(
    given: Option<&T>,
    kept: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    given.map_or_else(kept, |given| Ok(given.clone()))
}

/// Where secrets live that nobody gives.
enum Home {
    Process,
    Folder {
        path: PathBuf,
        database: PathBuf,
        filled: Filled,
    },
}

/// What secrets there must have been already, when somebody looks for them.
#[derive(Clone, Copy)]
enum Filled {
    /// None: there is no database.
    NotYet,
    /// Those of the database.
    Here,
    /// Those of another one, which comes here.
    Elsewhere,
}

impl Home {
    fn of(store: &Store, security: &Security) -> Result<Self, Fault> {
        match &store.url {
            StoreUrl::Memory => Ok(Self::Process),
            StoreUrl::File(database) => Self::beside(database),
            StoreUrl::Mongo { .. } => {
                let variables = missing(security);
                if variables.is_empty() {
                    return Ok(Self::Process);
                }
                Err(Fault::MissingOnMongo { variables })
            }
        }
    }

    fn beside(database: &Path) -> Result<Self, Fault> {
        let parent = database
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let path = parent.unwrap_or(Path::new(".")).to_owned();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|cause| Fault::NotMade {
                path: path.clone(),
                cause,
            })?;
        // Looked up before any secret: a process that finds a database made by one that started
        // at the same time also finds the secrets, which that one made first.
        let is_filled = fs::metadata(database).is_ok_and(|about| about.len() > 0);
        Ok(Self::Folder {
            path,
            database: database.to_owned(),
            filled: if is_filled {
                Filled::Here
            } else {
                Filled::NotYet
            },
        })
    }

    fn kept<T>(
        &self,
        recipe: &Recipe,
        parse: fn(&str) -> Result<T, Unfit>,
        entropy: &Entropy,
    ) -> Result<T, Fault> {
        let (text, spelled) = match self {
            Self::Process => (
                SecretString::from((recipe.make)(entropy)),
                recipe.key.to_owned(),
            ),
            Self::Folder {
                path,
                database,
                filled,
            } => {
                let file = path.join(recipe.file);
                let text = match (secret_file::read(&file)?, *filled) {
                    (Some(text), _) => text,
                    (None, Filled::NotYet) => {
                        secret_file::make(&file, &(recipe.make)(entropy), entropy)?
                    }
                    (None, Filled::Here) => return Err(lost(recipe, file, database)),
                    (None, Filled::Elsewhere) => {
                        let variable = variable(recipe);
                        return Err(Fault::Absent {
                            path: file,
                            variable,
                        });
                    }
                };
                (text, file.display().to_string())
            }
        };
        parse(text.expose_secret()).map_err(|unfit| Fault::Secret {
            spelled,
            why: match unfit {
                Unfit::Because(why) => why,
                Unfit::NotAllowed => "it is not what was written there".to_owned(),
            },
        })
    }
}

fn lost(recipe: &Recipe, path: PathBuf, database: &Path) -> Fault {
    Fault::Lost {
        database: database.to_owned(),
        path,
        variable: variable(recipe),
    }
}

fn missing(security: &Security) -> Vec<String> {
    let given = [
        (&ENCRYPTION_KEY, security.encryption_key.is_some()),
        (&REFRESH_SECRET, security.refresh_secret.is_some()),
        (&PEPPER, security.pepper.is_some()),
    ];
    given
        .iter()
        .filter(|(_, is_given)| !is_given)
        .map(|(recipe, _)| variable(recipe))
        .collect()
}

fn variable(recipe: &Recipe) -> String {
    Name::in_file("security", recipe.key).variable()
}

#[cfg(test)]
mod tests;
