//! `authsome backup …` and `authsome restore …`: everything, from one store into another.
//!
//! A backup appears under its name when it is whole and on the disk; until then it is `FILE.partial`,
//! which goes with a run that fails, and of one that was killed with the next. On a terminal a bar
//! shows how far it has come; elsewhere a line now and then does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
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
    // Opened once: what is brought is what was judged, whatever its name stands for by then.
    let unread = || format!("{} is not readable", asked.file.display());
    let file = File::open(&asked.file).with_context(unread)?;
    let size = file.metadata().ok().map(|about| about.len());
    let archive = from_start(&file).with_context(unread)?;
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
    let archive = from_start(&file).with_context(unread)?;
    let mut meter = Meter::new(size);
    let now = world.clock.now();
    let brought = backups
        .restore(archive, &judged, now, &mut |it| meter.shows(it))
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

fn from_start(mut file: &File) -> io::Result<BufReader<&File>> {
    file.rewind()?;
    Ok(BufReader::new(file))
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

/// A file on its way to its name, for its owner alone, and held by one process. It goes, unless it
/// is kept.
#[derive(Debug)]
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
        let made = made_anew(&path);
        let draft = Self {
            file: made.with_context(|| format!("{} cannot be made", path.display()))?,
            path,
            name: name.to_owned(),
        };
        // Whoever held it may have brought it to its name meanwhile.
        refuse_taken(name)?;
        Ok(draft)
    }

    /// On the disk first, and then under its name.
    fn keep(self) -> anyhow::Result<()> {
        let unmade = || format!("{} cannot be made", self.name.display());
        self.file.sync_all().with_context(unmade)?;
        // A link never replaces what somebody has made since. Where a file system has none, a look
        // goes before.
        let moved = match fs::hard_link(&self.path, &self.name) {
            Ok(()) => fs::remove_file(&self.path),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
                return Err(taken(&self.name));
            }
            Err(_) => {
                refuse_taken(&self.name)?;
                fs::rename(&self.path, &self.name)
            }
        };
        let folder = moved.and_then(|()| File::open(folder_of(&self.name)));
        folder.and_then(|it| it.sync_all()).with_context(unmade)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// A file that nobody else has open, and that is no link to another one.
fn made_anew(path: &Path) -> io::Result<File> {
    clear(path)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    hold(&file, path)?;
    Ok(file)
}

/// Removes what a killed run has left, or somebody else has put there; a draft that is held stays.
fn clear(path: &Path) -> io::Result<()> {
    let about = match fs::symlink_metadata(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        about => about?,
    };
    if !about.is_file() {
        return fs::remove_file(path);
    }
    let left = OpenOptions::new().write(true).open(path)?;
    hold(&left, path)?;
    fs::remove_file(path)
}

/// Whoever holds the file that is there may remove it, and nobody else.
fn hold(file: &File, path: &Path) -> io::Result<()> {
    if file.try_lock().is_ok() && is_at(file, path) {
        return Ok(());
    }
    Err(io::Error::other("it is being written by somebody else"))
}

/// Whether the path is this very file's, and not that of one made since, or of a link.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

fn refuse_taken(name: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(name).is_ok() {
        return Err(taken(name));
    }
    Ok(())
}

fn taken(name: &Path) -> anyhow::Error {
    anyhow!("{} is there already, and stays as it is", name.display())
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

#[cfg(test)]
mod tests;
