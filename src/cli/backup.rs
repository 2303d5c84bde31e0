//! `authsome backup …` and `authsome restore …`: everything, from one store into another.
//!
//! A backup appears under its name when it is whole and on the disk; until then it is `FILE.partial`,
//! which the next run begins anew. On a terminal a bar shows how far it has come; elsewhere a line
//! now and then does.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use indicatif::ProgressBar;

use super::transfer::{NOW_AND_THEN, bar};
use super::{BackUp, Restore};
use crate::app::{self, World};
use crate::backups::{Progress, Section};
use crate::config::{Config, Secrets, StoreUrl};

/// Takes everything along.
pub(super) async fn back_up(config: Config, asked: BackUp) -> anyhow::Result<()> {
    refuse_memory(&config)?;
    if !config.store.url.is_filled() {
        bail!("there is no database yet");
    }
    let world = World::real();
    let secrets = Secrets::resolve(&config.store, &config.security, &world.entropy)?;
    let draft = Draft::of(&asked.file)?;
    let backups = app::as_it_is(&config, app::judge(&secrets)).await?;
    if asked.database {
        backups.refuse_unfit().await?;
        backups.store.copy_into(&draft.path).await?;
        draft.keep()?;
        println!(
            "{} is a database of its own, as it was at one instant",
            asked.file.display()
        );
    } else {
        let mut meter = Meter::new(None);
        let out = BufWriter::new(&draft.file);
        let now = world.clock.now();
        let taken = backups.take(out, now, &mut |it| meter.shows(it)).await;
        meter.ends();
        let (taken, _) = taken?;
        draft.keep()?;
        tell(&taken.sections);
        println!(
            "{} documents, as they were at one instant, in {}",
            taken.sum.documents,
            asked.file.display()
        );
    }
    eprintln!("{}", where_secrets_are(&config));
    Ok(())
}

/// Brings everything back.
pub(super) async fn restore(config: Config, asked: Restore) -> anyhow::Result<()> {
    refuse_memory(&config)?;
    let world = World::real();
    let open = || {
        let file = File::open(&asked.file).map(BufReader::new);
        file.with_context(|| format!("{} is not readable", asked.file.display()))
    };
    let size = fs::metadata(&asked.file).ok().map(|about| about.len());
    let archive = open()?;
    let secrets = Secrets::find(&config.store, &config.security, &world.entropy)?;
    let judge = app::judge(&secrets);
    let meter = Meter::new(size);
    let judged = judge.judge(archive, asked.end_sessions, &mut |it| meter.reads(it));
    meter.ends();
    let judged = judged?;
    if asked.dry_run {
        tell(&judged.sections);
        println!(
            "{} documents would be brought back; the file is whole, and its secrets are those here",
            judged.sum.documents
        );
        return Ok(());
    }
    let as_it_is = app::as_it_is(&config, judge.clone()).await?;
    as_it_is.refuse_used().await?;
    // Of a run that was killed: the next one would wait for it in vain.
    if let Some(mut leftovers) = as_it_is.store.leftovers() {
        leftovers.end_now().await?;
    }
    let backups = app::up_to_date(&config, judge, &world).await?;
    let mut meter = Meter::new(size);
    let now = world.clock.now();
    let brought = backups
        .restore(open()?, &judged, now, &mut |it| meter.shows(it))
        .await;
    meter.ends();
    let known = brought?;
    tell(&judged.sections);
    if known > 0 {
        println!("{known} documents were there already, of a run that did not come to its end");
    }
    println!("{} documents are back", judged.sum.documents);
    Ok(())
}

fn refuse_memory(config: &Config) -> anyhow::Result<()> {
    match &config.store.url {
        StoreUrl::Memory => bail!("a store in memory is gone with its process: it has no backup"),
        StoreUrl::File(_) | StoreUrl::Mongo { .. } => Ok(()),
    }
}

fn tell(sections: &[Section]) {
    for it in sections {
        println!("{:>9} {:<36} {}", it.documents, it.collection, it.sha256);
    }
}

fn where_secrets_are(config: &Config) -> String {
    let what =
        "the secrets are not in it, and it is good with them only: keep them elsewhere, as safe";
    let StoreUrl::File(database) = &config.store.url else {
        return format!(
            "{what} (AUTHSOME_SECURITY__ENCRYPTION_KEY, …__REFRESH_SECRET and …__PEPPER)"
        );
    };
    let folder = folder_of(database);
    format!(
        "{what} (encryption.key, refresh.secret and pepper in {}, or what you have set)",
        folder.display()
    )
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// A file on its way to its name, for its owner alone, and held by one process.
struct Draft {
    file: File,
    path: PathBuf,
    name: PathBuf,
}

impl Draft {
    fn of(name: &Path) -> anyhow::Result<Self> {
        refuse_taken(name)?;
        let mut path = name.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        let made = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let unmade = || format!("{} cannot be made", path.display());
        let file = made.with_context(unmade)?;
        file.try_lock()
            .map_err(|_| anyhow!("{} is being written by somebody else", path.display()))?;
        // Whoever held it may have brought it to its name meanwhile.
        refuse_taken(name)?;
        // What a killed run has left, whoever could read it.
        file.set_permissions(Permissions::from_mode(0o600))
            .with_context(unmade)?;
        file.set_len(0).with_context(unmade)?;
        Ok(Self {
            file,
            path,
            name: name.to_owned(),
        })
    }

    /// On the disk first, and then under its name.
    fn keep(self) -> anyhow::Result<()> {
        refuse_taken(&self.name)?;
        let kept = self.kept();
        kept.with_context(|| format!("{} cannot be made", self.name.display()))
    }

    fn kept(&self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.name)?;
        File::open(folder_of(&self.name))?.sync_all()
    }
}

fn refuse_taken(name: &Path) -> anyhow::Result<()> {
    if name.exists() {
        bail!("{} is there already, and stays as it is", name.display());
    }
    Ok(())
}

/// How far it has come, for whoever looks on.
struct Meter {
    bar: ProgressBar,
    collection: String,
    told: u64,
}

impl Meter {
    fn new(size: Option<u64>) -> Self {
        Self {
            bar: bar(size),
            collection: String::new(),
            told: 0,
        }
    }

    /// What has been judged so far: a bar alone.
    fn reads(&self, it: Progress<'_>) {
        self.bar.set_message("judging");
        self.bar.set_position(it.bytes);
    }

    fn shows(&mut self, it: Progress<'_>) {
        let position = if it.bytes > 0 { it.bytes } else { it.documents };
        self.bar.set_position(position);
        if self.collection != it.collection {
            it.collection.clone_into(&mut self.collection);
            self.bar.set_message(self.collection.clone());
            self.told = 0;
        }
        if self.bar.is_hidden() && it.documents >= self.told + NOW_AND_THEN {
            self.told = it.documents;
            eprintln!("authsome: {} of {}", it.documents, it.collection);
        }
    }

    fn ends(&self) {
        self.bar.finish_and_clear();
    }
}
