//! Everything that is kept about a user, as he may have it (GDPR, articles 15 and 20).
//!
//! One section for each feature that keeps something; none shows what proves who somebody is:
//! no hash of a password, no digest of a token. What is left out besides says nothing of a person:
//! how a letter is delivered, below which version of his rights a token is refused.

use std::cmp::Reverse;

use serde::Serialize;
use utoipa::ToSchema;

use super::exported::{
    ExportedDevice, ExportedEvent, ExportedInvitation, ExportedLink, ExportedMembership,
    ExportedNotification, ExportedPassword, ExportedSession, ExportedTeamMembership,
    ExportedWrongPasswords,
};
use super::exported_keys::ExportedApiKey;
use super::service::{DepartureError, Departures};
use crate::api_keys;
use crate::credentials;
use crate::devices;
use crate::environments;
use crate::events::{self, Event, Name, Origin};
use crate::http::Caller;
use crate::invitations;
use crate::kernel::id::UserId;
use crate::kernel::time::Timestamp;
use crate::limits;
use crate::links::{self, PasswordReset, Verification};
use crate::memberships;
use crate::notifications;
use crate::sessions;
use crate::store::{Stored, Tx};
use crate::users::{User, UserView};

/// Of each kind the newest so many, over all environments; an account that is used has fewer.
pub(super) const MOST: u32 = 10_000;

/// Everything that is kept about the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    pub exported_at: Timestamp,
    pub user: UserView,
    /// That there is a password, and since when; not what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub password: Option<ExportedPassword>,
    /// In every environment of the app, those that have ended included.
    pub sessions: Vec<ExportedSession>,
    /// Browsers and machines signed in from; not what their clients know them by.
    pub devices: Vec<ExportedDevice>,
    /// Places in organisations, in every environment of the app.
    pub memberships: Vec<ExportedMembership>,
    /// Places in teams of them.
    pub teams: Vec<ExportedTeamMembership>,
    /// Invitations to the user's address, and those that he has accepted.
    pub invitations: Vec<ExportedInvitation>,
    /// Invitations that he has sent.
    pub sent_invitations: Vec<ExportedInvitation>,
    /// API keys of his own, and those that he has made for others; not the keys themselves.
    pub api_keys: Vec<ExportedApiKey>,
    /// Letters that were sent or are to be sent.
    pub notifications: Vec<ExportedNotification>,
    /// Links that letters carried; not their tokens.
    pub links: Vec<ExportedLink>,
    /// Wrong passwords in a row, for each known device and for all others together.
    pub wrong_passwords: Vec<ExportedWrongPasswords>,
    /// What the user did, and what was done to the account, in every environment of the app.
    pub events: Vec<ExportedEvent>,
}

impl Departures {
    /// Gathers everything about the caller, in one look.
    pub async fn export(
        &self,
        caller: &Caller,
        user: UserId,
        origin: &Origin,
    ) -> Result<Export, DepartureError> {
        let now = self.clock.now();
        let (seen, export) = self
            .store
            .read(async |tx| {
                let (_, seen) = Self::whom(tx, caller.tenant, user).await?;
                let export = self.gathered(tx, &seen, now).await?;
                Ok::<_, DepartureError>((seen, export))
            })
            .await?;
        let told = self.event(Name::UserExported, caller, &seen, (now, origin));
        events::record(&mut self.store.once().within(caller.tenant), &told).await?;
        Ok(export)
    }

    async fn gathered(&self, tx: &mut Tx<'_>, user: &User, now: Timestamp) -> Stored<Export> {
        let (id, told) = (user.id, told_of(tx, user).await?);
        let mut app = tx.within(user.app_id);
        let credential = credentials::by_user(&mut app, id).await?;
        let sessions = sessions::of_user(&mut app, id, MOST).await?;
        let seen = devices::of_user(&mut app, id, MOST).await?;
        let letters = notifications::of_user(&mut app, id, MOST).await?;
        let verifications: Vec<Verification> = links::of_user(&mut app, id, MOST).await?;
        let resets: Vec<PasswordReset> = links::of_user(&mut app, id, MOST).await?;
        let lanes = limits::of_user(&mut app, id).await?;
        let places = memberships::memberships_of(&mut app, id).await?;
        let in_teams = memberships::all_teams_of(&mut app, id).await?;
        let invited = invitations::received(&mut app, user, MOST).await?;
        let keys = api_keys::about(&mut app, id, MOST).await?;
        let inviting = invitations::sent(&mut app, id, MOST).await?;
        Ok(Export {
            exported_at: now,
            user: UserView::of(user.clone(), now),
            password: credential.map(|it| ExportedPassword::of(&it, user)),
            sessions: each(sessions, ExportedSession::from),
            devices: each(seen, |device| ExportedDevice::at(now, device)),
            memberships: each(places, ExportedMembership::from),
            teams: each(in_teams, ExportedTeamMembership::from),
            invitations: each(invited, ExportedInvitation::from),
            sent_invitations: each(inviting, ExportedInvitation::from),
            api_keys: each(keys, ExportedApiKey::from),
            notifications: each(letters, |letter| {
                let to = self.outbox.address(&letter);
                ExportedNotification::to(to, letter)
            }),
            links: ExportedLink::of(verifications, resets),
            wrong_passwords: each(lanes, ExportedWrongPasswords::from),
            events: each(told, |event| ExportedEvent::to(id, event)),
        })
    }
}

/// The events of every environment in one list.
async fn told_of(tx: &mut Tx<'_>, user: &User) -> Stored<Vec<Event>> {
    let mut told = Vec::new();
    for environment in environments::list(&mut tx.within(user.app_id)).await? {
        let mut tx = tx.within(environment.tenant());
        told.extend(events::concerning(&mut tx, user.id, MOST).await?);
    }
    told.sort_by_key(|event| Reverse((event.created_at, event.id)));
    told.truncate(MOST as usize);
    Ok(told)
}

pub(super) fn each<T, U>(kept: Vec<T>, shown: impl FnMut(T) -> U) -> Vec<U> {
    kept.into_iter().map(shown).collect()
}
