//! The beginning of a session, whatever proved who its user is: his device, the session, and the
//! end of the oldest where he has too many.

use super::issue::{Draft, Issued};
use super::record::Ending;
use super::repo;
use super::service::Sessions;
use crate::devices::{self, Device, DeviceSecret, Seen};
use crate::environments::Environment;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::notifications::{Letter, Message};
use crate::session_rules::Rules;
use crate::store::{Stored, Tx};
use crate::tokens::{KeyError, Revocation};
use crate::users::User;

/// Where a request comes from, and the device that it names.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    pub origin: &'a Origin,
    pub device: &'a DeviceSecret,
}

impl Sessions {
    /// Begins a session in the caller's unit of work, which has changed the document of `user`
    /// before: so sign-ins of one user come one after the other, and none of them sees less than
    /// all that the others have left. What is to be done after the commit is [`Sessions::opened`].
    pub(super) async fn begin(
        &self,
        tx: &mut Tx<'_, Tenant>,
        environment: &Environment,
        (user, rules): (&User, &Rules),
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Stored<Draft> {
        let (tenant, made) = (tx.scope(), (now, &self.entropy));
        let whose = (user.id, visit.device);
        let seen = devices::recognise(tx, whose, visit.origin, made).await?;
        self.introduce(tx, environment, (user, &seen), (now, visit.origin))
            .await?;
        let ended = self.make_room(tx, user, rules, (now, visit.origin)).await?;
        let on = (seen.device().id, rules);
        let mut draft = self.issuer.begin(tenant, user, on, (now, visit.origin));
        draft.ended = ended;
        tx.insert(&draft.session).await?;
        let party = Party::new("user", user.id);
        let told = self
            .event(Name::SessionCreated, tenant, party, (now, visit.origin))
            .on(Party::new("session", draft.session.id));
        events::record(tx, &told).await?;
        Ok(draft)
    }

    /// Makes the committed beginning of a session count, and signs its first tokens.
    pub(super) async fn opened(&self, draft: Draft, user: User) -> Result<Issued, KeyError> {
        self.apply(&draft.ended);
        self.outbox.hurry();
        self.issuer
            .sign(draft.claims, draft.refresh_token, user)
            .await
    }

    /// Tells of a device that is new, and its user by mail if he has others: once, since it is
    /// known from then on.
    async fn introduce(
        &self,
        tx: &mut Tx<'_, Tenant>,
        environment: &Environment,
        (user, seen): (&User, &Seen),
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<()> {
        let (device, has_others) = match seen {
            Seen::Known(_) => return Ok(()),
            Seen::First(device) => (device, false),
            Seen::Another(device) => (device, true),
        };
        let party = Party::new("user", user.id);
        let told = self
            .event(Name::DeviceAdded, tx.scope(), party, (now, origin))
            .on(Party::new("device", device.id));
        events::record(tx, &told).await?;
        if !has_others {
            return Ok(());
        }
        let language = origin.language;
        let letter = Letter {
            user: Some(user.id),
            to: user.email.clone(),
            language: language.unwrap_or(environment.settings.default_language),
            message: new_device(device),
        };
        self.outbox.enqueue(tx, letter, now).await
    }

    /// Ends the oldest sessions of the user, so that with one more he has no more than he may.
    async fn make_room(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        rules: &Rules,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let Some(most) = rules.most else {
            return Ok(Vec::new());
        };
        let running = repo::in_use(now, rules.idle);
        let surplus = repo::surplus(tx, user.id, running, most.saturating_sub(1)).await?;
        let why = (Ending::SessionLimit, Party::new("user", user.id));
        self.end_each(tx, &surplus, why, (now, origin)).await
    }
}

fn new_device(device: &Device) -> Message {
    Message::NewDevice {
        device: device.label(),
        ip_address: device.ip_address.clone(),
    }
}
