use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Permission, ReadStatistics};
use crate::events::{self, Name, Outcome};
use crate::http::{Allowed, Answer, Ok200, Routing};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships;
use crate::sessions;
use crate::store::{Store, StoreError, Tx};
use crate::users;

const DAYS: i64 = 30;
const DAY: i64 = 24 * 60 * 60 * 1_000;

pub fn routes(config: &mut Routing) {
    config.service(statistics);
}

/// Counts what there is.
#[derive(Debug, Clone)]
pub struct Statistics {
    pub store: Store,
    pub clock: Clock,
}

/// How many there are, at one moment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statistics)]
struct Figures {
    users: UserFigures,
    sessions: SessionFigures,
    organizations: OrganizationFigures,
    sign_ins: SignInFigures,
    /// The moment of which all figures are.
    at: Timestamp,
}

/// Of the app: all its environments share its users.
#[derive(Debug, Serialize, ToSchema)]
struct UserFigures {
    /// Accounts that are not deleted.
    total: u64,
    /// Of them, those that could sign in: who is not banned at the moment.
    active: u64,
    /// Of them, those that are banned at the moment.
    banned: u64,
    /// Of them, those whose address is verified.
    verified: u64,
    /// Of them, those that were made on each of the last 30 days, today last. An account that was
    /// brought in counts on the day that it says it was made.
    new_by_day: Vec<DayCount>,
}

/// Of the environment.
#[derive(Debug, Serialize, ToSchema)]
struct SessionFigures {
    /// Sessions that have neither ended nor run out.
    active: u64,
}

/// Of the environment.
#[derive(Debug, Serialize, ToSchema)]
struct OrganizationFigures {
    total: u64,
}

/// Of the environment, as its record of events has it: days behind its retention have none.
#[derive(Debug, Serialize, ToSchema)]
struct SignInFigures {
    /// Sessions that began, however: `session.created`, on each of the last 30 days, today last.
    succeeded_by_day: Vec<DayCount>,
    /// Sign-ins that were refused, and other uses of a password while the account was locked:
    /// `session.denied`, likewise.
    failed_by_day: Vec<DayCount>,
}

#[derive(Debug, Serialize, ToSchema)]
struct DayCount {
    /// When the day began, in UTC.
    day: Timestamp,
    count: u64,
}

/// Read statistics
///
/// True counts of one moment: of users of the app, and of sessions, organisations and sign-ins of the
/// environment that is acted on.
#[utoipa::path(
    tag = "administration", operation_id = "admin.statistics.read",
    responses((status = 200, description = "How many there are", body = Figures)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadStatistics::NAME))),
)]
#[get("/v1/admin/stats")]
async fn statistics(
    access: Allowed<ReadStatistics>,
    statistics: Data<Statistics>,
) -> Answer<Ok200<Figures>> {
    Ok(Ok200::new(statistics.of(access.tenant()).await?))
}

/// The last days, each from its beginning to its end, today last.
fn days(now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let today = now.as_millis().div_euclid(DAY);
    let begin = |day: i64| Timestamp::from_millis(day * DAY);
    (today - DAYS + 1..=today).map(move |day| (begin(day), begin(day + 1)))
}

impl Statistics {
    async fn of(&self, tenant: Tenant) -> Result<Figures, StoreError> {
        let now = self.clock.now();
        self.store
            .read(async |tx| Self::count(&mut tx.within(tenant), now).await)
            .await
    }

    async fn count(tx: &mut Tx<'_, Tenant>, now: Timestamp) -> Result<Figures, StoreError> {
        let counts = users::counts(tx, now).await?;
        let (mut new, mut succeeded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (day, end) in days(now) {
            let then = (day, end);
            let count = users::made_between(tx, then).await?;
            new.push(DayCount { day, count });
            let what = (Name::SessionCreated, Outcome::Success);
            let count = events::count(tx, what, then).await?;
            succeeded.push(DayCount { day, count });
            let what = (Name::SessionDenied, Outcome::Denied);
            let count = events::count(tx, what, then).await?;
            failed.push(DayCount { day, count });
        }
        Ok(Figures {
            users: UserFigures {
                total: counts.total,
                active: counts.total.saturating_sub(counts.banned),
                banned: counts.banned,
                verified: counts.verified,
                new_by_day: new,
            },
            sessions: SessionFigures {
                active: sessions::count_live(tx, now).await?,
            },
            organizations: OrganizationFigures {
                total: memberships::organization_count(tx).await?,
            },
            sign_ins: SignInFigures {
                succeeded_by_day: succeeded,
                failed_by_day: failed,
            },
            at: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_are_whole_and_follow_each_other() {
        let noon = Timestamp::from_millis(2_208_988_800_000).plus(Duration::from_hours(12));
        let all: Vec<_> = days(noon).collect();

        assert_eq!(all.len(), 30);
        assert_eq!(all[29].0.to_string(), "2040-01-01T00:00:00.000Z");
        assert!(all.windows(2).all(|two| two[0].1 == two[1].0));
        assert!(all[29].0 <= noon && noon < all[29].1);
    }
}
