//! Letters that a stranger can ask for, to an address that may have an account.

use super::service::Sessions;
use crate::events::{self, Name, Origin, Party};
use crate::http::{Afterwards, Anyone};
use crate::kernel::id::Kind;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::limits::{LimitError, Rule};
use crate::links::{Link, LinkPurpose, LinkRefused, NewLink};
use crate::store::{StoreError, Stored};
use crate::users::{self, User};

impl Sessions {
    /// Answers whoever asks for a letter before anybody looks whether there is an account
    /// (ASVS 6.3.8), and sends it afterwards.
    pub async fn ask_for_letter(
        &self,
        access: &Anyone,
        (purpose, email): (LinkPurpose, Email),
        later: &Afterwards,
    ) -> Result<(), LimitError> {
        let (tenant, origin) = (access.tenant(), access.origin().clone());
        let limits = &self.limits;
        limits.admit_ip(Rule::Recovery, tenant, &origin).await?;
        let accounts = self.clone();
        later.run("a letter was not queued", async move {
            let letter = (purpose, &email);
            accounts.send_link(tenant, letter, &origin).await
        });
        Ok(())
    }

    /// Sends a link to the holder of an address, if there is an account that can be used and needs
    /// it.
    async fn send_link(
        &self,
        tenant: Tenant,
        (purpose, email): (LinkPurpose, &Email),
        origin: &Origin,
    ) -> Result<(), StoreError> {
        if !self.may_write_to(tenant, email, origin).await? {
            return Ok(());
        }
        let environment = self.environment(tenant).await?;
        let (now, language) = (
            self.clock.now(),
            environment.settings.language(origin.language),
        );
        let told = self.event(
            requested(purpose),
            tenant,
            Party::anonymous(),
            (now, origin),
        );
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let found = users::by_email(&mut tx, email).await?;
                let is_sent = |user: &User| user.may_sign_in(now) && needs(purpose, user);
                let user = match found.filter(is_sent) {
                    Some(user) => users::hold(&mut tx, user.id).await?,
                    None => None,
                };
                let Some(user) = user else {
                    return events::record(&mut tx, &told.clone().denied()).await;
                };
                let request = NewLink {
                    purpose,
                    user: user.id,
                    to: user.email,
                    language,
                    password_version: None,
                };
                self.links.send(&mut tx, &request, now).await?;
                let told = told.clone().on(Party::new("user", user.id));
                events::record(&mut tx, &told).await
            })
            .await?;
        self.outbox.hurry();
        Ok(())
    }

    /// Tells of a link that is known and led nowhere, as a denied `name`.
    pub async fn tell_refused<K: Kind>(
        &self,
        link: &Link<K>,
        (name, refused): (Name, &LinkRefused),
        from: (Timestamp, &Origin),
    ) -> Stored<()> {
        let Some(reason) = refused.reason() else {
            return Ok(());
        };
        let tenant = link.tenant();
        let told = self
            .event(name, tenant, Party::anonymous(), from)
            .denied()
            .on(Party::new("user", link.user_id))
            .with("reason", reason);
        events::record(&mut self.store.once().within(tenant), &told).await
    }

    /// Whether a user may be told by letter of what he has done himself: if the address is his; else
    /// it counts as a stranger's letter.
    pub async fn may_tell(
        &self,
        tenant: Tenant,
        user: &User,
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        if user.email_verified {
            return Ok(true);
        }
        self.may_write_to(tenant, &user.email, origin).await
    }

    /// Whether an address has not yet had as many letters as strangers may cause. Nobody is
    /// answered otherwise where it has: that would tell something of its holder.
    pub async fn may_write_to(
        &self,
        tenant: Tenant,
        email: &Email,
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let counted = self
            .limits
            .admit(Rule::Letters, tenant, email.as_str(), origin)
            .await;
        match counted {
            Ok(()) => Ok(true),
            Err(LimitError::TooMany { .. }) => Ok(false),
            Err(LimitError::Store(error)) => Err(error),
        }
    }
}

/// An address is verified once; the rest is never superfluous.
fn needs(purpose: LinkPurpose, user: &User) -> bool {
    purpose != LinkPurpose::VerifyEmail || !user.email_verified
}

fn requested(purpose: LinkPurpose) -> Name {
    match purpose {
        LinkPurpose::VerifyEmail => Name::VerificationRequested,
        LinkPurpose::ResetPassword => Name::PasswordResetRequested,
        LinkPurpose::MagicLink => Name::MagicLinkRequested,
        LinkPurpose::ChangeEmail => Name::EmailChangeRequested,
    }
}
