//! `authsome import …` and `authsome export …`: what the API does, on the store itself.
//!
//! On a terminal a bar shows how far it has come; elsewhere a line now and then does. Exit code 1
//! where a line failed, or not every line was reached.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::run::foundation;
use super::{Export, Import};
use crate::app::Foundation;
use crate::apps;
use crate::config::Config;
use crate::credentials::FirebaseProject;
use crate::environments;
use crate::events::{Origin, Party};
use crate::http::HungUp;
use crate::kernel::lines::{Cutter, LONGEST_LINE, NumberedLine};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Slug;
use crate::transfers::{Authority, CutShort, ImportedLine, Outcome, Source, Summary, Told};
use crate::{kernel, transfers};

/// Lines between two signs of life where there is no terminal.
pub(super) const NOW_AND_THEN: u64 = 10_000;

/// Brings users in; says what became of those who were not made.
pub(super) async fn import(config: Config, asked: Import) -> anyhow::Result<()> {
    let project = project(&asked)?;
    let (reader, size) = opened(&asked.file)?;
    let foundation = foundation(config).await?;
    let tenant = place(&foundation, &asked.app).await?;
    let import = transfers::Import {
        tenant,
        authority: Authority::Machine,
        origin: origin(&foundation),
        is_dry: asked.dry_run,
        firebase: project,
    };
    let (mut lines, mut report) = (
        Lines::of(reader),
        Report::new(size, asked.results.as_deref())?,
    );
    let transfers = foundation.transfers();
    let summary = transfers.import(import, &mut lines, &mut report).await;
    report.ends()?;
    let would = if summary.dry_run { " would be" } else { "" };
    println!(
        "{} lines: {}{would} created, {} skipped, {} failed",
        summary.lines, summary.created, summary.skipped, summary.failed
    );
    if let Some(why) = &summary.error {
        let read = summary.lines;
        bail!("the import broke off after {read} lines, and can be run again: {why}");
    }
    if summary.failed > 0 {
        bail!("{} users were not brought in", summary.failed);
    }
    Ok(())
}

/// Takes users along.
pub(super) async fn export(config: Config, asked: Export) -> anyhow::Result<()> {
    let foundation = foundation(config).await?;
    let tenant = place(&foundation, &asked.app).await?;
    let transfers = foundation.transfers();
    let mut out: Box<dyn Write> = match &asked.out {
        Some(path) => Box::new(BufWriter::new(created(path)?)),
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let by = (tenant, Party::system());
    transfers
        .tell_export(by, asked.hashes, &origin(&foundation))
        .await?;
    let bar = bar(None);
    let mut failure = None;
    let export = transfers::Export {
        tenant,
        authority: Authority::Machine,
        with_hashes: asked.hashes,
    };
    let exported = transfers
        .export(&export, async |user| {
            bar.inc(1);
            let written = serde_json::to_writer(&mut out, &user).map_err(std::io::Error::from);
            let written = written.and_then(|()| out.write_all(b"\n"));
            written.map_err(|error| {
                failure = Some(error);
                HungUp
            })
        })
        .await;
    bar.finish_and_clear();
    if let Some(error) = failure {
        return Err(error).context("the users cannot be written");
    }
    let count = exported?;
    out.flush().context("the users cannot be written")?;
    eprintln!("{count} users");
    Ok(())
}

/// The default environment of an app, which tells of it.
async fn place(foundation: &Foundation, app: &Slug) -> anyhow::Result<Tenant> {
    let mut once = foundation.store.once();
    let found = apps::by_slug(&mut once.shared(), app).await?;
    let found = found.ok_or_else(|| anyhow!("there is no app {app}"))?;
    let all = environments::list(&mut once.within(found.id)).await?;
    let home = all.iter().find(|it| it.is_default).or(all.first());
    let home = home.ok_or_else(|| anyhow!("{app} has no environment"))?;
    Ok(home.tenant())
}

fn origin(foundation: &Foundation) -> Origin {
    let now = foundation.world.clock.now();
    let id = kernel::id::EventId::new(now, &foundation.world.entropy);
    Origin::new(format!("command {id}"), None, None)
}

fn project(asked: &Import) -> anyhow::Result<Option<FirebaseProject>> {
    let Some(path) = &asked.firebase_signer_key_file else {
        return Ok(None);
    };
    let key = std::fs::read_to_string(path)
        .with_context(|| format!("the signer key {} is not readable", path.display()))?;
    let keys = (key.trim(), &*asked.firebase_salt_separator);
    let costs = (asked.firebase_rounds, asked.firebase_mem_cost);
    let project = FirebaseProject::new(keys, costs);
    project
        .map(Some)
        .map_err(|why| anyhow!("the Firebase project's signer key or parameters: {why}"))
}

fn opened(path: &Path) -> anyhow::Result<(Box<dyn Read>, Option<u64>)> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let file = File::open(path).with_context(|| format!("{} is not readable", path.display()))?;
    let size = file.metadata().ok().map(|about| about.len());
    Ok((Box::new(file), size))
}

/// A file for its owner alone, which was not there before.
fn created(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    file.with_context(|| format!("{} cannot be made", path.display()))
}

/// Of so many bytes, or of nobody knows how many users.
pub(super) fn bar(size: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = match size {
        Some(_) => "{bar:40} {percent}% {bytes_per_sec} {msg}",
        None => "{spinner} {pos} {msg}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The lines of a file.
struct Lines {
    file: Box<dyn Read>,
    cutter: Cutter,
    has_ended: bool,
}

impl Lines {
    fn of(file: Box<dyn Read>) -> Self {
        Self {
            file,
            cutter: Cutter::default(),
            has_ended: false,
        }
    }

    fn more(&mut self) -> Result<(), CutShort> {
        let mut piece = vec![0; LONGEST_LINE];
        match self.file.read(&mut piece) {
            Ok(0) => {
                self.cutter.ends();
                self.has_ended = true;
            }
            Ok(length) => self.cutter.takes(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(CutShort::Unread(error.to_string())),
        }
        Ok(())
    }
}

impl Source for Lines {
    async fn next(&mut self) -> Result<Option<NumberedLine>, CutShort> {
        loop {
            if let Some(line) = self.cutter.next_line() {
                return Ok(Some(line));
            }
            if self.has_ended {
                return Ok(None);
            }
            self.more()?;
        }
    }
}

/// Tells people of the lines that failed, and machines of all.
struct Report {
    bar: ProgressBar,
    results: Option<BufWriter<File>>,
    told: u64,
    failure: Option<std::io::Error>,
}

impl Report {
    fn new(size: Option<u64>, results: Option<&Path>) -> anyhow::Result<Self> {
        let results = results.map(created).transpose()?.map(BufWriter::new);
        Ok(Self {
            bar: bar(size),
            results,
            told: 0,
            failure: None,
        })
    }

    fn ends(mut self) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        let written = self.results.as_mut().map_or(Ok(()), Write::flush);
        match self.failure {
            Some(error) => Err(error).context("the results cannot be written"),
            None => written.context("the results cannot be written"),
        }
    }

    fn keep(&mut self, line: &ImportedLine) -> std::io::Result<()> {
        let Some(results) = &mut self.results else {
            return Ok(());
        };
        serde_json::to_writer(&mut *results, line)?;
        results.write_all(b"\n")
    }
}

impl Told for Report {
    async fn line(&mut self, line: &ImportedLine) -> Result<(), HungUp> {
        if line.status == Outcome::Failed {
            let why = line.error.as_ref().map(ToString::to_string);
            let said = format!("line {}: {}", line.line, why.unwrap_or_default());
            self.bar.suspend(|| eprintln!("authsome: {said}"));
        }
        self.keep(line).map_err(|error| {
            self.failure = Some(error);
            HungUp
        })
    }

    async fn progress(&mut self, so_far: &Summary) -> Result<(), HungUp> {
        let said = format!("{} lines, {} created", so_far.lines, so_far.created);
        self.bar.set_message(said.clone());
        if self.bar.is_hidden() && so_far.lines >= self.told + NOW_AND_THEN {
            self.told = so_far.lines;
            eprintln!("authsome: {said}");
        }
        Ok(())
    }
}
