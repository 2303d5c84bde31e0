//! A batch of drafts: who is there already, who comes twice, and the unit of work for the rest.

use std::collections::HashSet;

use super::Transfers;
use super::authority::By;
use super::importing::{CutShort, Import};
use super::line::Draft;
use super::wire::{ImportedLine, Outcome};
use crate::access::Role;
use crate::apps;
use crate::credentials;
use crate::environments;
use crate::events::{self, Event, Name, Party};
use crate::http::{Fault, Problem, ProblemKind};
use crate::kernel::id::UserId;
use crate::kernel::secret::digest;
use crate::kernel::time::Timestamp;
use crate::store::{StoreError, Stored, Tx};
use crate::users::{self, EMAIL_TAKEN, PHONE_TAKEN, Taken, USERNAME_TAKEN, User};

/// How often it is looked who is there before accounts are made one by one.
const LOOKS: usize = 3;

/// Drafts that wait, and results that are certain.
#[derive(Debug, Default)]
pub(super) struct Batch {
    drafts: Vec<Draft>,
    results: Vec<ImportedLine>,
}

/// The names that a dry run has seen, which makes nobody who would have them: their digests.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<String>);

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.drafts.len() + self.results.len()
    }

    pub(super) fn takes(&mut self, draft: Draft) {
        self.drafts.push(draft);
    }

    pub(super) fn refuses(&mut self, line: u64, from: Option<String>, why: Problem) {
        self.results.push(ImportedLine {
            line,
            status: Outcome::Failed,
            id: None,
            from,
            error: Some(Fault::from(why)),
        });
    }

    /// In the order of the lines.
    pub(super) fn results(&mut self) -> Vec<ImportedLine> {
        self.results.sort_by_key(|result| result.line);
        std::mem::take(&mut self.results)
    }

    /// Refuses those with roles that the caller could not give.
    fn withdraws(&mut self, by: &By) {
        for draft in std::mem::take(&mut self.drafts) {
            if by.may_give(&draft.user.roles) {
                self.drafts.push(draft);
            } else {
                self.refuses(draft.line, draft.from, ProblemKind::RoleNotHeld.into());
            }
        }
    }

    /// Settles what cannot be made beside those who are there, or came before.
    fn sorts_out(&mut self, taken: &mut Taken, mut seen: Option<&mut Seen>) {
        for draft in std::mem::take(&mut self.drafts) {
            let known = seen.as_deref().and_then(|seen| seen.clash(&draft.user));
            if let Some((kind, id)) = known.or_else(|| clash(&draft.user, taken)) {
                self.settles(&draft, kind, id);
                continue;
            }
            note(&draft.user, taken);
            if let Some(seen) = seen.as_deref_mut() {
                seen.notes(&draft.user);
            }
            self.drafts.push(draft);
        }
    }

    fn settles(&mut self, draft: &Draft, kind: ProblemKind, id: Option<UserId>) {
        let is_here = kind == ProblemKind::EmailTaken;
        self.results.push(ImportedLine {
            line: draft.line,
            status: if is_here {
                Outcome::Skipped
            } else {
                Outcome::Failed
            },
            id: id.filter(|_| is_here),
            from: draft.from.clone(),
            error: Some(Fault::from(Problem::from(kind))),
        });
    }

    fn made(&mut self, draft: &Draft, is_dry: bool) {
        self.results.push(ImportedLine {
            line: draft.line,
            status: Outcome::Created,
            id: (!is_dry).then_some(draft.user.id),
            from: draft.from.clone(),
            error: None,
        });
    }
}

/// Which name of his is another's, and whose, where that is told.
type Clash = (ProblemKind, Option<UserId>);

fn clash(user: &User, taken: &Taken) -> Option<Clash> {
    if let Some(id) = taken.emails.get(&user.email) {
        return Some((ProblemKind::EmailTaken, Some(*id)));
    }
    let has_username = user
        .username
        .as_ref()
        .is_some_and(|it| taken.usernames.contains_key(it));
    if has_username {
        return Some((ProblemKind::UsernameTaken, None));
    }
    let has_phone = user
        .phone
        .as_ref()
        .is_some_and(|it| taken.phones.contains_key(it));
    has_phone.then_some((ProblemKind::PhoneTaken, None))
}

fn note(user: &User, taken: &mut Taken) {
    taken.emails.insert(user.email.clone(), user.id);
    taken
        .usernames
        .extend(user.username.clone().map(|it| (it, user.id)));
    taken
        .phones
        .extend(user.phone.clone().map(|it| (it, user.id)));
}

impl Seen {
    fn names(user: &User) -> [(ProblemKind, Option<String>); 3] {
        let name = |kind: &str, text: &str| digest(format!("{kind} {text}").as_bytes());
        [
            (
                ProblemKind::EmailTaken,
                Some(name("email", user.email.as_str())),
            ),
            (
                ProblemKind::UsernameTaken,
                user.username
                    .as_ref()
                    .map(|it| name("username", it.as_str())),
            ),
            (
                ProblemKind::PhoneTaken,
                user.phone.as_ref().map(|it| name("phone", it.as_str())),
            ),
        ]
    }

    fn clash(&self, user: &User) -> Option<Clash> {
        let mut all = Self::names(user).into_iter();
        all.find(|(_, name)| name.as_ref().is_some_and(|name| self.0.contains(name)))
            .map(|(kind, _)| (kind, None))
    }

    fn notes(&mut self, user: &User) {
        let names = Self::names(user).into_iter();
        self.0.extend(names.filter_map(|(_, name)| name));
    }
}

impl Transfers {
    /// Makes the accounts of a batch, all in one unit of work. Where somebody was faster it is looked
    /// again who is there, and at last they are made one by one. What could not be made although nothing is wrong with it fails with the whole.
    pub(super) async fn write(
        &self,
        batch: &mut Batch,
        import: &Import,
        (is_platform, seen): (bool, &mut Seen),
    ) -> Result<(), CutShort> {
        let written = self.try_write(batch, import, (is_platform, seen)).await;
        if let Err(cut) = &written {
            for draft in std::mem::take(&mut batch.drafts) {
                batch.refuses(draft.line, draft.from, cut.clone().into());
            }
        }
        written
    }

    async fn try_write(
        &self,
        batch: &mut Batch,
        import: &Import,
        (is_platform, seen): (bool, &mut Seen),
    ) -> Result<(), CutShort> {
        if batch.len() == 0 {
            return Ok(());
        }
        for _ in 0..LOOKS {
            // Also where every line has failed: who is refused sends none any more.
            let by = import.authority.by(is_platform).await?;
            batch.withdraws(&by);
            if batch.drafts.is_empty() {
                return Ok(());
            }
            let mut taken = self.taken(&batch.drafts, import).await?;
            batch.sorts_out(&mut taken, import.is_dry.then_some(&mut *seen));
            let made = if import.is_dry || batch.drafts.is_empty() {
                Ok(())
            } else {
                self.make(&batch.drafts, import, (&by, is_platform)).await
            };
            if let Err(CutShort::Store(StoreError::Duplicate(_))) = made {
                continue;
            }
            made?;
            for draft in std::mem::take(&mut batch.drafts) {
                batch.made(&draft, import.is_dry);
            }
            return Ok(());
        }
        self.one_by_one(batch, import, is_platform).await
    }

    /// Who has the names of these already.
    async fn taken(&self, drafts: &[Draft], import: &Import) -> Stored<Taken> {
        let users = || drafts.iter().map(|draft| &draft.user);
        let emails: Vec<_> = users().map(|user| user.email.clone()).collect();
        let usernames: Vec<_> = users().filter_map(|user| user.username.clone()).collect();
        let phones: Vec<_> = users().filter_map(|user| user.phone.clone()).collect();
        let names = (emails, usernames, phones);
        let mut once = self.store.once();
        users::taken(&mut once.within(import.tenant), names).await
    }

    /// Each by a caller who is judged anew: this takes longer than one unit of work.
    async fn one_by_one(
        &self,
        batch: &mut Batch,
        import: &Import,
        is_platform: bool,
    ) -> Result<(), CutShort> {
        let mut left = std::mem::take(&mut batch.drafts).into_iter();
        while let Some(draft) = left.next() {
            let one = std::slice::from_ref(&draft);
            let made = match import.authority.by(is_platform).await {
                Ok(by) if !by.may_give(&draft.user.roles) => {
                    batch.refuses(draft.line, draft.from, ProblemKind::RoleNotHeld.into());
                    continue;
                }
                Ok(by) => self.make(one, import, (&by, is_platform)).await,
                Err(cut) => Err(cut),
            };
            let Err(cut) = made else {
                batch.made(&draft, false);
                continue;
            };
            let Some(kind) = refused(&cut) else {
                batch.drafts.push(draft);
                batch.drafts.extend(left);
                return Err(cut);
            };
            batch.settles(&draft, kind, None);
        }
        Ok(())
    }

    /// Users, passwords, and the events that tell of them: one unit of work, in an app that is open.
    async fn make(
        &self,
        drafts: &[Draft],
        import: &Import,
        (by, is_platform): (&By, bool),
    ) -> Result<(), CutShort> {
        let users: Vec<User> = drafts.iter().map(|draft| draft.user.clone()).collect();
        let hashes = drafts
            .iter()
            .filter_map(|it| Some((it.user.id, it.hash.clone()?)));
        let hashes: Vec<_> = hashes.collect();
        let (now, tenant) = (self.clock.now(), import.tenant);
        let app = tenant.app_id;
        let guardians = users
            .iter()
            .filter(|it| it.is_counted_guardian(is_platform));
        let guardians = i64::try_from(guardians.count()).unwrap_or(i64::MAX);
        let told = self.told(&users, (import, by), now);
        self.store
            .write(async |tx: &mut Tx<'_>| {
                if !apps::takes_in(tx, app, guardians, now).await? {
                    return Err(CutShort::NoApp);
                }
                environments::seen(&mut tx.within(tenant), tenant.env_id).await?;
                let mut scoped = tx.within(app);
                users::create_all(&mut scoped, &users).await?;
                let made = (now, &self.entropy);
                credentials::create_all(&mut scoped, app, &hashes, made).await?;
                Ok(events::record_all(&mut tx.within(tenant), &told).await?)
            })
            .await
    }

    /// That users were brought in, and who of them can do more than a user.
    fn told(&self, users: &[User], (import, by): (&Import, &By), now: Timestamp) -> Vec<Event> {
        let event = |name| {
            let (party, made) = (by.party.clone(), (now, &self.entropy));
            Event::new(name, import.tenant, party, &import.origin, made)
                .with("import", import.origin.request_id.clone())
        };
        let mut told = vec![event(Name::UsersImported).with("users", users.len())];
        let can_more = |user: &&User| user.roles.iter().any(|role| *role != Role::User);
        told.extend(users.iter().filter(can_more).map(|user| {
            event(Name::UserCreated)
                .on(Party::new("user", user.id))
                .with("invited", false)
                .with("roles", user.role_names())
        }));
        told
    }
}

fn refused(cut: &CutShort) -> Option<ProblemKind> {
    let CutShort::Store(error) = cut else {
        return None;
    };
    match error.duplicate()? {
        EMAIL_TAKEN => Some(ProblemKind::EmailTaken),
        USERNAME_TAKEN => Some(ProblemKind::UsernameTaken),
        PHONE_TAKEN => Some(ProblemKind::PhoneTaken),
        _ => None,
    }
}
