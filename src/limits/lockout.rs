use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AGREEMENT;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Field, Filter, Index, OfApp, Query, Stored, Tx, Update, by_id};

/// Longer than any request lives: what was reserved before and never settled is a failure.
const LONGEST_TRY: Duration = Duration::from_mins(2);
/// How long wrong passwords are remembered after the last of them.
const MEMORY: Duration = Duration::from_hours(24);

/// The wrong passwords in a row of one account, and the tries that are under way.
///
/// ```text
/// open    failed + reserved ≤ after      a try takes a place of the budget, and gives it back
///   └──failed = after──▶ locked ──over──▶ trial   one at a time; the next lock is there already
/// any ──right password──▶ (no document)
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lockout {
    /// A MAC of app, account and lane; of unknown accounts, what they were called.
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) app_id: AppId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<UserId>,
    pub failed: i64,
    pub(super) reserved: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
    /// The lock that an event has told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told_until: Option<Timestamp>,
    pub touched_at: Timestamp,
    pub expires_at: Timestamp,
}

const USER_ID: Field<Lockout, UserId> = Field::at("user_id");
const FAILED: Field<Lockout, i64> = Field::at("failed");
const RESERVED: Field<Lockout, i64> = Field::at("reserved");
const LOCKED_UNTIL: Field<Lockout, Timestamp> = Field::at("locked_until");
const TOLD_UNTIL: Field<Lockout, Timestamp> = Field::at("told_until");
const TOUCHED_AT: Field<Lockout, Timestamp> = Field::at("touched_at");
const EXPIRES_AT: Field<Lockout, Timestamp> = Field::at("expires_at");

impl Entity for Lockout {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_lockouts";
    const INDEXES: &'static [Index] = &[
        Index::on("lockouts_user", &["app_id", "user_id"]),
        Index::on("lockouts_expiry", &["expires_at"]).expires_after(Duration::ZERO),
    ];
}

/// After how many wrong passwords in a row an account is locked, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct LockoutSettings {
    pub after: u32,
    pub delay: Duration,
    pub longest: Duration,
}

impl LockoutSettings {
    pub(super) fn after(&self) -> i64 {
        i64::from(self.after)
    }

    /// How long the lock holds that the `failed`th wrong password in a row brings.
    pub(super) fn lock(&self, failed: i64) -> Option<Duration> {
        let doublings = u32::try_from(failed - self.after()).ok()?;
        let factor = 2_u32.saturating_pow(doublings);
        Some(self.delay.saturating_mul(factor).min(self.longest))
    }

    /// The last instant that a lock can hold until, by clocks that agree with `now`.
    fn horizon(&self, now: Timestamp) -> Timestamp {
        now.plus(self.longest.max(self.delay)).plus(AGREEMENT)
    }
}

/// What somebody who wants to try a password finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A place in the budget.
    Room,
    /// A lock that has run out, and nobody trying.
    Trial,
    /// Others are trying, and it depends on them.
    Others,
    Locked(Timestamp),
    /// Tries that nobody will settle any more.
    Leaked,
    /// Wrong passwords of long ago.
    Stale,
    /// Something to wait for that a clock ahead of this one has written.
    Ahead,
}

impl Lockout {
    pub(super) fn first(
        (id, app_id): (String, AppId),
        user_id: Option<UserId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            app_id,
            user_id,
            failed: 0,
            reserved: 1,
            locked_until: None,
            told_until: None,
            touched_at: now,
            expires_at: now.plus(MEMORY),
        }
    }

    pub(super) fn found(&self, settings: &LockoutSettings, now: Timestamp) -> Found {
        if self.expires_at <= now {
            return Found::Stale;
        }
        if self.reserved > 0 && self.touched_at.plus(LONGEST_TRY) <= now {
            return Found::Leaked;
        }
        if self.failed + self.reserved < settings.after() {
            return Found::Room;
        }
        match self.locked_until {
            _ if self.reserved > 0 && self.touched_at > now.plus(AGREEMENT) => Found::Ahead,
            _ if self.reserved > 0 => Found::Others,
            Some(until) if until > settings.horizon(now) => Found::Ahead,
            Some(until) if until > now => Found::Locked(until),
            Some(_) | None => Found::Trial,
        }
    }

    pub(super) fn is_told(&self) -> bool {
        self.told_until.is_some() && self.told_until == self.locked_until
    }
}

/// Everything that is counted of a user, in every lane.
pub async fn of_user(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<Vec<Lockout>> {
    tx.find(Query::of(USER_ID.eq(user))).await
}

/// Removes everything that is counted of a user; how much there was.
pub async fn forget(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<u64> {
    tx.delete_many(USER_ID.eq(user)).await
}

/// A condition and the change under it: one step of the diagram of [`Lockout`].
pub(super) type Step = (Filter<Lockout>, Update<Lockout>);

fn touched(now: Timestamp) -> Update<Lockout> {
    TOUCHED_AT.set(now).and(EXPIRES_AT.set(now.plus(MEMORY)))
}

/// Takes a place in the budget, whoever else does so meanwhile, while there is one.
pub(super) fn reserve(seen: &Lockout, settings: &LockoutSettings, now: Timestamp) -> Step {
    let places = settings.after() - seen.failed;
    let has_room = by_id(&seen.id) & FAILED.eq(seen.failed) & RESERVED.lt(places);
    (has_room, RESERVED.inc(1).and(touched(now)))
}

/// Begins the one try after a lock, and brings the next lock in advance.
pub(super) fn begin_trial(seen: &Lockout, until: Timestamp, now: Timestamp) -> Step {
    let is_over = LOCKED_UNTIL.absent() | LOCKED_UNTIL.lte(now);
    let alone = by_id(&seen.id) & FAILED.eq(seen.failed) & RESERVED.eq(0) & is_over;
    let begun = FAILED
        .set(seen.failed + 1)
        .and(RESERVED.set(1))
        .and(LOCKED_UNTIL.set(until));
    (alone, begun.and(touched(now)))
}

/// Takes a trial back: the lock before it is over, and no other one is there.
pub(super) fn withdraw_trial(id: &str, (failed, until): (i64, Timestamp), now: Timestamp) -> Step {
    let is_ours = by_id(id) & FAILED.eq(failed + 1) & RESERVED.eq(1) & LOCKED_UNTIL.eq(until);
    let before = FAILED
        .set(failed)
        .and(RESERVED.set(0))
        .and(LOCKED_UNTIL.set(now));
    (is_ours, before.and(touched(now)))
}

/// Gives a place back without a word about the password.
pub(super) fn give_back(id: &str, now: Timestamp) -> Step {
    let is_reserved = by_id(id) & RESERVED.gt(0);
    (is_reserved, RESERVED.inc(-1).and(touched(now)))
}

/// A wrong password that does not lock.
pub(super) fn fail(id: &str, settings: &LockoutSettings, now: Timestamp) -> Step {
    let is_below = by_id(id) & RESERVED.gt(0) & FAILED.lt(settings.after() - 1);
    let failed = FAILED.inc(1).and(RESERVED.inc(-1));
    (is_below, failed.and(touched(now)))
}

/// The wrong password that locks.
pub(super) fn fail_and_lock(id: &str, settings: &LockoutSettings, now: Timestamp) -> Step {
    let is_last = by_id(id) & RESERVED.gt(0) & FAILED.gte(settings.after() - 1);
    let locked = FAILED
        .inc(1)
        .and(RESERVED.inc(-1))
        .and(LOCKED_UNTIL.set(now.plus(settings.delay)));
    (is_last, locked.and(touched(now)))
}

/// After a right password, where others are still trying.
pub(super) fn reset(id: &str, now: Timestamp) -> Step {
    let others = by_id(id) & RESERVED.gt(1);
    let right = FAILED
        .set(0)
        .and(RESERVED.inc(-1))
        .and(LOCKED_UNTIL.unset());
    (others, right.and(touched(now)))
}

/// After a right password, where nobody else is trying: nothing is left to know.
pub(super) fn is_last(id: &str) -> Filter<Lockout> {
    by_id(id) & RESERVED.lte(1)
}

pub(super) fn is_stale(id: &str, now: Timestamp) -> Filter<Lockout> {
    by_id(id) & EXPIRES_AT.lte(now)
}

/// Counts tries that nobody settled as wrong ones, from when there was the last sign of life.
pub(super) fn settle(seen: &Lockout, settings: &LockoutSettings, now: Timestamp) -> Step {
    let unchanged = by_id(&seen.id)
        & FAILED.eq(seen.failed)
        & RESERVED.eq(seen.reserved)
        & TOUCHED_AT.eq(seen.touched_at);
    let is_trial = seen.failed >= settings.after();
    let failed = seen.failed + if is_trial { 0 } else { seen.reserved };
    let lock = settings.lock(failed).filter(|_| !is_trial);
    let settled = FAILED
        .set(failed)
        .and(RESERVED.set(0))
        .and_if(lock.map(|lock| LOCKED_UNTIL.set(seen.touched_at.plus(lock))));
    (unchanged, settled.and(touched(now)))
}

/// Of any number who are refused by one lock, one tells of it.
pub(super) fn tell(id: &str, lock: Timestamp) -> Step {
    let untold = by_id(id) & LOCKED_UNTIL.eq(lock) & TOLD_UNTIL.ne(lock);
    (untold, TOLD_UNTIL.set(lock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;

    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);
    const MINUTE: Duration = Duration::from_mins(1);
    const USUAL: LockoutSettings = LockoutSettings {
        after: 5,
        delay: MINUTE,
        longest: Duration::from_mins(15),
    };

    fn lockout(failed: i64, reserved: i64, locked_until: Option<Timestamp>) -> Lockout {
        let app_id = AppId::new(NOON, &Entropy::seeded(1));
        Lockout {
            failed,
            reserved,
            locked_until,
            ..Lockout::first(("id".to_owned(), app_id), None, NOON)
        }
    }

    #[test]
    fn locks_double_up_to_the_longest() {
        let minutes = |failed| USUAL.lock(failed).map(|lock| lock.as_secs() / 60);

        assert_eq!(
            [4, 5, 6, 7, 8].map(minutes),
            [None, Some(1), Some(2), Some(4), Some(8)]
        );
        assert_eq!(
            [9, 10, 100, i64::MAX].map(minutes),
            [Some(15), Some(15), Some(15), None]
        );
    }

    #[test]
    fn what_is_found_follows_the_diagram() {
        let (before, after) = (Some(NOON), Some(NOON.plus(MINUTE)));
        for (failed, reserved, locked_until, found) in [
            (0, 0, None, Found::Room),
            (0, 4, None, Found::Room),
            (3, 1, None, Found::Room),
            (0, 5, None, Found::Others),
            (4, 1, None, Found::Others),
            (5, 0, after, Found::Locked(NOON.plus(MINUTE))),
            (5, 0, before, Found::Trial),
            (5, 0, None, Found::Trial),
            (6, 1, after, Found::Others),
        ] {
            let lockout = lockout(failed, reserved, locked_until);
            assert_eq!(lockout.found(&USUAL, NOON), found, "{lockout:?}");
        }
    }

    #[test]
    fn what_nobody_settles_is_found_when_no_request_can_live_so_long() {
        let lockout = lockout(0, 2, None);
        let late = NOON.plus(LONGEST_TRY);

        let before = Timestamp::from_millis(late.as_millis() - 1);
        assert_eq!(lockout.found(&USUAL, before), Found::Room);
        assert_eq!(lockout.found(&USUAL, late), Found::Leaked);
        assert_eq!(lockout.found(&USUAL, NOON.plus(MEMORY)), Found::Stale);
    }

    /// RL-14: the longest lock, and what clocks may differ by, is as long as anybody is kept out.
    #[test]
    fn what_a_clock_ahead_has_written_is_waited_for_by_nobody_else() {
        let longest = NOON.plus(USUAL.longest).plus(AGREEMENT);
        let further = Timestamp::from_millis(longest.as_millis() + 1);
        let hour = NOON.plus(Duration::from_hours(1));
        let tried_at = |touched_at| Lockout {
            touched_at,
            ..lockout(3, 2, None)
        };

        for (lockout, found) in [
            (lockout(5, 0, Some(longest)), Found::Locked(longest)),
            (lockout(5, 0, Some(further)), Found::Ahead),
            (tried_at(NOON.plus(AGREEMENT)), Found::Others),
            (tried_at(hour), Found::Ahead),
            (lockout(4, 0, Some(further)), Found::Room),
        ] {
            assert_eq!(lockout.found(&USUAL, NOON), found, "{lockout:?}");
        }
    }

    /// Whatever the settings say: the first lock is never taken for one of a clock ahead.
    #[test]
    fn a_delay_beyond_the_longest_lock_still_locks() {
        let odd = LockoutSettings {
            longest: Duration::from_secs(1),
            delay: Duration::from_hours(1),
            ..USUAL
        };
        let until = NOON.plus(odd.delay);

        let found = lockout(5, 0, Some(until)).found(&odd, NOON);

        assert_eq!(found, Found::Locked(until));
    }

    #[test]
    fn every_step_is_conditional_on_what_it_changes() {
        let (free, full) = (lockout(3, 1, None), lockout(3, 2, None));
        assert!(reserve(&free, &USUAL, NOON).0.matches(&free));
        assert!(!reserve(&full, &USUAL, NOON).0.matches(&full));

        let (over, held) = (
            lockout(5, 0, Some(NOON)),
            lockout(5, 0, Some(NOON.plus(MINUTE))),
        );
        let trial = |it: &Lockout| begin_trial(it, NOON, NOON).0.matches(it);
        assert!(trial(&over) && !trial(&held) && !trial(&lockout(6, 1, Some(NOON))));

        let locks = |it: &Lockout| fail_and_lock("id", &USUAL, NOON).0.matches(it);
        let counts = |it: &Lockout| fail("id", &USUAL, NOON).0.matches(it);
        assert!(counts(&full) && !locks(&full));
        assert!(locks(&lockout(4, 1, None)) && !counts(&lockout(4, 1, None)));
        assert!(!locks(&lockout(4, 0, None)), "settled before");
    }
}
