use std::{os::unix::fs::PermissionsExt, sync::Barrier, thread};

use tempfile::TempDir;

use super::*;
use crate::config::Config;

const KEY: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=";
const TEXT: &str = "kX2vT9mQ4wZ7bN1cR5jL8pF3hD6sG0yA";
const FILES: [&str; 3] = ["encryption.key", "refresh.secret", "pepper"];

fn configured(variables: &[(&str, &str)]) -> Config {
    let environment = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    Config::load_beside(Path::new("/nowhere"), None, environment).unwrap()
}

fn on_file(folder: &TempDir) -> Config {
    let url = format!(
        "sqlite:{}",
        folder.path().join("data/authsome.db").display()
    );
    configured(&[("AUTHSOME_STORE__URL", &url)])
}

fn resolve(config: &Config) -> Result<Secrets, String> {
    Secrets::resolve(&config.store, &config.security, &Entropy::system())
        .map_err(|faults| faults.to_string())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn missing_secrets_are_made_once_beside_the_database() {
    let folder = TempDir::new().unwrap();
    let config = on_file(&folder);

    let first = resolve(&config).unwrap();
    let second = resolve(&config).unwrap();

    assert_eq!(first.pepper.expose_secret(), second.pepper.expose_secret());
    assert_eq!(
        first.refresh.expose_secret(),
        second.refresh.expose_secret()
    );
    assert_ne!(first.refresh.expose_secret(), first.pepper.expose_secret());
    let sealed = first.encryption.seal(b"kept", "a place");
    assert_eq!(
        second.encryption.open(&sealed, "a place").as_deref(),
        Ok(b"kept".as_slice())
    );
}

#[test]
fn only_the_owner_reads_the_folder_and_its_secrets() {
    let folder = TempDir::new().unwrap();

    resolve(&on_file(&folder)).unwrap();

    let data = folder.path().join("data");
    assert_eq!(mode(&data), 0o700);
    let mut names: Vec<_> = fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["encryption.key", "pepper", "refresh.secret"]);
    for name in FILES {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

#[test]
fn processes_that_start_at_once_agree() {
    for _ in 0..20 {
        let folder = TempDir::new().unwrap();
        let config = on_file(&folder);
        let start = Barrier::new(8);

        let peppers: Vec<String> = thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        resolve(&config).unwrap().pepper.expose_secret().to_owned()
                    })
                })
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });

        assert!(peppers.iter().all(|pepper| *pepper == peppers[0]));
    }
}

#[test]
fn a_secret_that_others_may_read_is_refused_with_the_way_out() {
    for exposed in [0o640, 0o604, 0o660] {
        let folder = TempDir::new().unwrap();
        let config = on_file(&folder);
        resolve(&config).unwrap();
        let pepper = folder.path().join("data/pepper");
        fs::set_permissions(&pepper, fs::Permissions::from_mode(exposed)).unwrap();

        let refusal = resolve(&config).unwrap_err();

        assert!(
            refusal.contains(&format!("chmod 600 {}", pepper.display())),
            "{refusal}"
        );
        assert!(refusal.contains(&format!("{exposed:o}")), "{refusal}");
    }
}

#[test]
fn a_damaged_secret_is_refused_and_not_shown() {
    let folder = TempDir::new().unwrap();
    let config = on_file(&folder);
    resolve(&config).unwrap();
    fs::write(folder.path().join("data/pepper"), "half-a-pepper\n").unwrap();

    let refusal = resolve(&config).unwrap_err();

    assert!(
        refusal.contains("data/pepper") && !refusal.contains("half-a-pepper"),
        "{refusal}"
    );
}

/// A restored database without the files beside it would start, open nothing it had sealed, and
/// find every password wrong.
#[test]
fn a_database_without_its_secrets_stops_the_start() {
    let folder = TempDir::new().unwrap();
    let config = on_file(&folder);
    let data = folder.path().join("data");
    resolve(&config).unwrap();
    fs::write(data.join("authsome.db"), "a database").unwrap();
    fs::remove_file(data.join("pepper")).unwrap();

    let refusal = resolve(&config).unwrap_err();

    assert!(refusal.contains("AUTHSOME_SECURITY__PEPPER"), "{refusal}");
    assert!(!data.join("pepper").exists());
}

#[test]
fn given_secrets_are_used_and_not_written() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("authsome.db").display());
    let config = configured(&[
        ("AUTHSOME_STORE__URL", &url),
        ("AUTHSOME_SECURITY__ENCRYPTION_KEY", KEY),
        ("AUTHSOME_SECURITY__REFRESH_SECRET", TEXT),
        ("AUTHSOME_SECURITY__PEPPER", TEXT),
    ]);

    let secrets = resolve(&config).unwrap();

    assert_eq!(secrets.pepper.expose_secret(), TEXT);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_store_in_memory_has_secrets_of_its_own() {
    let config = configured(&[("AUTHSOME_STORE__URL", "sqlite::memory:")]);

    let (one, other) = (resolve(&config).unwrap(), resolve(&config).unwrap());

    assert_ne!(one.pepper.expose_secret(), other.pepper.expose_secret());
}

#[test]
fn on_mongodb_the_missing_secrets_are_named_in_one_sentence() {
    let config = configured(&[
        ("AUTHSOME_STORE__URL", "mongodb://127.0.0.1:27017/authsome"),
        ("AUTHSOME_SECURITY__REFRESH_SECRET", TEXT),
    ]);

    let refusal = resolve(&config).unwrap_err();

    assert_eq!(refusal.lines().count(), 1);
    for part in [
        "_ENCRYPTION_KEY and AUTHSOME_SECURITY__PEPPER",
        "openssl rand -base64 32",
    ] {
        assert!(refusal.contains(part), "{refusal}");
    }
    assert!(!refusal.contains("REFRESH_SECRET"), "{refusal}");
}

#[test]
fn secrets_are_not_shown() {
    let config = configured(&[
        ("AUTHSOME_STORE__URL", "sqlite::memory:"),
        ("AUTHSOME_SECURITY__ENCRYPTION_KEY", KEY),
        ("AUTHSOME_SECURITY__PEPPER", TEXT),
    ]);
    let shown = format!("{:?} {config:?}", resolve(&config).unwrap());

    assert!(!shown.contains(KEY) && !shown.contains(TEXT), "{shown}");
}

/// What comes from elsewhere was filled with secrets that nobody here can make.
#[test]
fn for_a_backup_secrets_are_found_and_none_is_made() {
    let folder = TempDir::new().unwrap();
    let config = on_file(&folder);
    let found = || Secrets::find(&config.store, &config.security, &Entropy::system());

    let missing = found().unwrap_err().to_string();

    for (file, variable) in FILES
        .iter()
        .zip(["ENCRYPTION_KEY", "REFRESH_SECRET", "PEPPER"])
    {
        let line = missing
            .lines()
            .find(|line| line.contains(&format!("/{file}")));
        let line = line.unwrap_or_else(|| panic!("{file}: {missing}"));
        assert!(
            line.contains(&format!("AUTHSOME_SECURITY__{variable}")),
            "{line}"
        );
        assert!(!folder.path().join("data").join(file).exists());
    }
    let made = resolve(&config).unwrap();
    let found = found().unwrap();
    assert_eq!(found.pepper.expose_secret(), made.pepper.expose_secret());
}
