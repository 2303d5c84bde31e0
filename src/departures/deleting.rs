//! Deleting, by one's own hand or by an administrator's.

use super::forgetting::forget;
use super::service::{DepartureError, Departures, refuse_unless_above, spare};
use crate::api_keys::MayTell;
use crate::apps::App;
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::id::{AppId, OrgId, SessionId, UserId};
use crate::kernel::language::Language;
use crate::kernel::password::Password;
use crate::kernel::time::Timestamp;
use crate::memberships::{self, Invitation, Member};
use crate::notifications::{Letter, Message};
use crate::sessions::{Ending, ReauthError};
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::Revocation;
use crate::users::{self, User};

/// Who deletes, when, from where, and whether and in which language the user is told of it.
struct Deed<'a> {
    caller: &'a Caller,
    now: Timestamp,
    origin: &'a Origin,
    language: Language,
    is_told: bool,
}

impl Departures {
    /// Deletes the caller's own account, once he has proven again that it is his.
    pub async fn delete_own(
        &self,
        caller: &Caller,
        own: (UserId, SessionId),
        password: Option<Password>,
        origin: &Origin,
    ) -> Result<(), DepartureError> {
        let proving = self
            .sessions
            .reauthenticate(caller.tenant, own, password, origin);
        let proven = proving.await?;
        let is_told = self
            .sessions
            .may_tell(caller.tenant, &proven.user, origin)
            .await?;
        let deed = Deed {
            is_told,
            ..self.deed(caller, origin, origin.language).await?
        };
        let revoked = self
            .store
            .write(async |tx| {
                let (app, user) = Self::whom(tx, caller.tenant, proven.user.id).await?;
                if !proven.holds_of(&user) {
                    return Err(ReauthError::Required.into());
                }
                self.erase(tx, (&app, &user), &deed).await
            })
            .await?;
        self.done(&revoked);
        Ok(())
    }

    /// Deletes another's account.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: UserId,
        origin: &Origin,
    ) -> Result<(), DepartureError> {
        let deed = self.deed(caller, origin, None).await?;
        let revoked = self
            .store
            .write(async |tx| {
                let (app, user) = Self::whom(tx, caller.tenant, id).await?;
                refuse_unless_above(caller, (&app, &user))?;
                self.erase(tx, (&app, &user), &deed).await
            })
            .await?;
        self.done(&revoked);
        Ok(())
    }

    async fn deed<'a>(
        &self,
        caller: &'a Caller,
        origin: &'a Origin,
        language: Option<Language>,
    ) -> Result<Deed<'a>, DepartureError> {
        let settings = &self.sessions.environment(caller.tenant).await?.settings;
        Ok(Deed {
            caller,
            now: self.clock.now(),
            origin,
            language: language.unwrap_or(settings.default_language),
            is_told: true,
        })
    }

    /// Erases the user and all that is kept about him. The letter that tells him is queued after
    /// his older ones are gone, so that it alone is left.
    async fn erase(
        &self,
        tx: &mut Tx<'_>,
        (app, user): (&App, &User),
        deed: &Deed<'_>,
    ) -> Result<Vec<Revocation>, DepartureError> {
        let (tenant, now) = (deed.caller.tenant, deed.now);
        spare(tx, (app, user), now).await?;
        let made = (now, &self.entropy);
        let left = users::erase(&mut tx.within(tenant), user.id, made).await?;
        let left = left.ok_or(StoreError::Conflict)?;
        let mut everywhere = tx.within(tenant.app_id);
        let places = memberships::forget(&mut everywhere, user, now).await?;
        let places = places.ok_or(DepartureError::LastOwner)?;
        let from = (now, deed.origin);
        let mut revoked = self
            .sessions
            .release_all(&mut everywhere, (user.id, Ending::AccountDeleted), from)
            .await?;
        let tell = MayTell {
            actor: deed.caller.party(),
            origin: deed.origin,
            made,
        };
        let offers = forget(&mut everywhere, user, now, &tell).await?;
        self.tell_organizations(&mut everywhere, (&places, &offers), deed)
            .await?;
        let letter = Letter {
            user: Some(user.id),
            to: user.email.clone(),
            language: deed.language,
            message: Message::AccountDeleted,
        };
        if deed.is_told {
            self.outbox
                .enqueue(&mut tx.within(tenant), letter, now)
                .await?;
        }
        let told = self.event(Name::UserDeleted, deed.caller, &left, (now, deed.origin));
        events::record(&mut tx.within(tenant), &told).await?;
        revoked.push(self.disown(tx, tenant, &left, now).await?);
        Ok(revoked)
    }

    /// Tells each organisation that a user has left it with his account, and which invitations by him
    /// are revoked.
    async fn tell_organizations(
        &self,
        tx: &mut Tx<'_, AppId>,
        (places, offers): (&[Member], &[Invitation]),
        deed: &Deed<'_>,
    ) -> Stored<()> {
        let event = |name, tenant, org: OrgId| {
            let made = (deed.now, &self.entropy);
            Event::new(name, tenant, deed.caller.party(), deed.origin, made)
                .within(org)
                .with("reason", Ending::AccountDeleted.as_str())
        };
        for place in places {
            let told = event(Name::MemberLeft, place.tenant(), place.org_id)
                .on(Party::new("user", place.user_id));
            events::record(&mut tx.within(place.tenant()), &told).await?;
        }
        for offer in offers {
            let roles: Vec<String> = offer.roles.iter().map(ToString::to_string).collect();
            let told = event(Name::InvitationRevoked, offer.tenant(), offer.org_id)
                .on(Party::new("invitation", offer.id))
                .with("roles", roles);
            events::record(&mut tx.within(offer.tenant()), &told).await?;
        }
        Ok(())
    }

    fn done(&self, revoked: &[Revocation]) {
        self.sessions.apply(revoked);
        self.outbox.hurry();
    }
}
