//! An import, from its first line to its last.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Transfers;
use super::authority::Authority;
use super::batch::{Batch, Seen};
use super::line::Workshop;
use super::wire::{ImportedLine, NewLine, Outcome, Preface};
use crate::access::ImportUsers;
use crate::apps;
use crate::credentials::FirebaseProject;
use crate::environments::EnvironmentError;
use crate::events::Origin;
use crate::forms::Form;
use crate::http::{Fault, HungUp, Problem, ProblemKind, read_line};
use crate::kernel::lines::NumberedLine;
use crate::kernel::tenant::Tenant;
use crate::store::StoreError;

/// Lines that one unit of work makes accounts of.
const BATCH: usize = 250;
/// Lines that one import takes.
const MOST: u64 = 200_000;

/// What is asked for.
#[derive(Debug)]
pub struct Import {
    pub tenant: Tenant,
    pub authority: Authority<ImportUsers>,
    pub origin: Origin,
    /// Everything is judged, and nothing made.
    pub is_dry: bool,
    /// Of which project Firebase's hashes are, where no line says so.
    pub firebase: Option<FirebaseProject>,
}

/// Where lines come from.
pub trait Source {
    /// The next line that is not blank; `None` after the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<NumberedLine>, CutShort>>;
}

/// Who is told what becomes of each line.
pub trait Told {
    fn line(&mut self, line: &ImportedLine) -> impl Future<Output = Result<(), HungUp>>;
    /// After each unit of work.
    fn progress(&mut self, so_far: &Summary) -> impl Future<Output = Result<(), HungUp>>;
}

/// Why an import ends before its last line.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CutShort {
    #[error("{0}")]
    Unread(String),
    #[error("the caller may not bring users in any more")]
    Refused(#[source] Problem),
    #[error("nobody takes the results any more")]
    HungUp,
    #[error("more than 200,000 lines")]
    TooMany,
    #[error("the app or its environment is gone")]
    NoApp,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many lines there were that are not blank, and what became of them.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ImportSummary)]
pub struct Summary {
    pub lines: u64,
    pub created: u64,
    pub skipped: u64,
    pub failed: u64,
    pub dry_run: bool,
    /// Whether the last line was reached.
    pub complete: bool,
    /// Why it was not. What was made before stays, and is passed over when the import is run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<Fault>,
}

impl Transfers {
    /// Brings in what `source` has. What was made before it ends stays, however it ends.
    pub async fn import(
        &self,
        mut import: Import,
        source: &mut impl Source,
        told: &mut impl Told,
    ) -> Summary {
        let mut summary = Summary {
            dry_run: import.is_dry,
            ..Summary::default()
        };
        let done = self.run(&mut import, source, (told, &mut summary)).await;
        summary.complete = done.is_ok();
        summary.error = done.err().map(Problem::from).map(Fault::from);
        summary
    }

    async fn run(
        &self,
        import: &mut Import,
        source: &mut impl Source,
        (told, summary): (&mut impl Told, &mut Summary),
    ) -> Result<(), CutShort> {
        let app = apps::get(&mut self.store.once().shared(), import.tenant.app_id).await?;
        let is_platform = app.ok_or(CutShort::NoApp)?.is_platform;
        let mut seen = Seen::default();
        loop {
            let mut batch = Batch::default();
            let form = self.forms.of_signup(import.tenant.app_id).await?;
            let form = form.map(|form| form.unasked());
            let place = (is_platform, form.as_ref());
            let filled = self
                .fill((&mut batch, place), import, (source, summary))
                .await;
            let written = self
                .write(&mut batch, import, (is_platform, &mut seen))
                .await;
            for line in batch.results() {
                summary.counts(line.status);
                told.line(&line).await?;
            }
            told.progress(summary).await?;
            written?;
            if filled? {
                return Ok(());
            }
        }
    }

    /// Reads until the batch is full; whether that was all.
    async fn fill(
        &self,
        (batch, (is_platform, form)): (&mut Batch, (bool, Option<&Form>)),
        import: &mut Import,
        (source, summary): (&mut impl Source, &mut Summary),
    ) -> Result<bool, CutShort> {
        while batch.len() < BATCH {
            let Some(NumberedLine { number, text }) = source.next().await? else {
                return Ok(true);
            };
            if summary.lines == MOST {
                return Err(CutShort::TooMany);
            }
            summary.lines += 1;
            if let Ok(Preface { firebase: Some(of) }) = read_line(&text) {
                import.firebase = Some(of.project);
                continue;
            }
            let workshop = Workshop {
                app: import.tenant.app_id,
                is_platform,
                form,
                hasher: &self.hasher,
                entropy: &self.entropy,
                now: self.clock.now(),
            };
            let read = read_line::<NewLine>(&text);
            let project = import.firebase.as_ref();
            let draft = read.and_then(|new| workshop.draft(number, new, project));
            match draft {
                Ok(draft) => batch.takes(draft),
                Err(problem) => batch.refuses(number, named(&text), problem),
            }
        }
        Ok(false)
    }
}

/// What a line that is none calls its user, for whoever has to find it.
fn named(text: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let id = value.get("id")?.as_str()?;
    (id.len() <= 128).then(|| id.to_owned())
}

impl Summary {
    fn counts(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

impl From<HungUp> for CutShort {
    fn from(_: HungUp) -> Self {
        Self::HungUp
    }
}

impl From<EnvironmentError> for CutShort {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Unknown => Self::NoApp,
            EnvironmentError::Store(error) => error.into(),
        }
    }
}

impl From<CutShort> for Problem {
    fn from(error: CutShort) -> Self {
        match error {
            CutShort::Unread(why) => Problem::new(ProblemKind::BadRequest).detail(why),
            CutShort::Refused(problem) => problem,
            CutShort::HungUp => Problem::new(ProblemKind::BodyTimeout),
            CutShort::TooMany => Problem::new(ProblemKind::BodyTooLarge)
                .detail("an import has at most 200,000 lines"),
            CutShort::NoApp => {
                Problem::new(ProblemKind::NotFound).detail("the app or its environment is gone")
            }
            CutShort::Store(error) => error.into(),
        }
    }
}
