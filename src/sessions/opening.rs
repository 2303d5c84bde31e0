//! The beginning of a session, whatever proved who its user is: his device, the session, and the
//! end of the oldest where he has too many.

use super::issue::{Draft, Issued};
use super::record::Ending;
use super::repo;
use super::service::Sessions;
use super::signing_in::SignInError;
use crate::devices::{self, Device, DeviceSecret, Seen};
use crate::environments::Environment;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::notifications::{Letter, Message};
use crate::session_rules::Rules;
use crate::store::{Stored, Tx};
use crate::tokens::{ActiveOrganization, KeyError, Revocation};
use crate::users::{self, User};

/// Where a request comes from, and the device that it names.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    pub origin: &'a Origin,
    pub device: &'a DeviceSecret,
    /// The organisation that the client asks for.
    pub organization: Option<OrgId>,
}

/// A session that counts once its unit of work commits; then it is to be [issued](Sessions::issue).
#[derive(Debug)]
pub struct Opened {
    pub(super) user: User,
    pub(super) draft: Draft,
}

/// Where a session begins, and by which rules.
pub(super) type Place<'a> = (&'a Environment, &'a Rules);

impl Sessions {
    /// Sees to it that the environment can sign, and gives the rules of its sessions. Before a unit
    /// of work that opens one.
    pub async fn prepare(&self, tenant: Tenant) -> Result<Rules, KeyError> {
        self.issuer.access.prepare(tenant).await?;
        let rules = self.rules.of(tenant.app_id).await?;
        if let Some(wanted) = rules.signing_alg {
            self.sign_by(tenant, wanted).await?;
        }
        Ok(rules)
    }

    /// Opens a session of a user who has proven to be himself by `amr` (RFC 8176), as he is at this
    /// moment.
    pub async fn open(
        &self,
        tx: &mut Tx<'_>,
        place: (&Environment, &Rules),
        (id, amr): (UserId, &str),
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Result<Opened, SignInError> {
        let (environment, _) = place;
        let mut tx = tx.within(environment.tenant());
        let user = users::signs_in(&mut tx, id, now)
            .await?
            .ok_or(SignInError::Wrong)?;
        if !user.may_sign_in(now) {
            return Err(SignInError::Disabled);
        }
        if environment.settings.require_verification && !user.email_verified {
            return Err(SignInError::Unverified);
        }
        let wanted = visit.organization;
        let organization = self.first_organization(&mut tx, &user, wanted).await?;
        let draft = self
            .begin(&mut tx, place, (&user, amr, organization), (now, visit))
            .await?;
        Ok(Opened { user, draft })
    }

    /// Begins a session in the caller's unit of work, which has changed the document of `user`
    /// before: so sign-ins of one user come one after the other, and none of them sees less than
    /// all that the others have left.
    pub(super) async fn begin(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (environment, rules): Place<'_>,
        (user, amr, organization): (&User, &str, Option<ActiveOrganization>),
        (now, visit): (Timestamp, Visit<'_>),
    ) -> Stored<Draft> {
        let (tenant, made) = (tx.scope(), (now, &self.entropy));
        let whose = (user.id, visit.device);
        let seen = devices::recognise(tx, whose, visit.origin, made).await?;
        self.introduce(tx, environment, (user, &seen), (now, visit.origin))
            .await?;
        let ended = self.make_room(tx, user, rules, (now, visit.origin)).await?;
        let on = (seen.device().id, rules);
        let mut draft =
            self.issuer
                .begin(tenant, (user, amr, organization), on, (now, visit.origin));
        draft.ended = ended;
        tx.insert(&draft.session).await?;
        let party = Party::new("user", user.id);
        let told = self
            .event(Name::SessionCreated, tenant, party, (now, visit.origin))
            .on(Party::new("session", draft.session.id));
        events::record(tx, &told).await?;
        Ok(draft)
    }

    /// The tokens of a session whose unit of work has committed.
    pub async fn issue(&self, opened: Opened) -> Result<Issued, KeyError> {
        let Opened { user, draft } = opened;
        self.apply(&draft.ended);
        self.outbox.hurry();
        self.issuer
            .sign(draft.claims, draft.refresh_token, user)
            .await
    }

    /// Tells of a device that is new, and its user by mail if he has others and it is his address:
    /// once, since it is known from then on.
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
        if !has_others || !user.email_verified {
            return Ok(());
        }
        let letter = Letter {
            user: Some(user.id),
            to: user.email.clone(),
            language: environment.settings.language(origin.language),
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
        browser: device.browser.clone(),
        os: device.os.clone(),
        ip_address: device.ip_address.clone(),
    }
}
