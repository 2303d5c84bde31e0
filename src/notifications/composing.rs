//! Composing: a notification becomes a letter, from what is true when it is sent.

use std::fmt::Display;
use std::time::Duration;

use super::outbox::Outbox;
use super::record::{Invited, Message, Notification};
use super::wearing::head;
use crate::branding::Brands;
use crate::environments::{EnvironmentError, Environments, Settings};
use crate::kernel::id::WebhookId;
use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::time::Timestamp;
use crate::mail::{
    AccountDeleted, AccountExists, ConfirmEmailChange, EmailChangeRequested, EmailChanged,
    Enclosed, Head, Invitation, MagicLink, NewDevice, Parcel, PasswordChanged, Plain, Refusal,
    Rendered, ResetPassword, Template, Templates, Unrenderable, VerifyEmail, WebhookDisabled,
};
use crate::settings::Key;
use crate::store::{Store, StoreError};
use crate::tokens::{LinkTokens, Purpose};
use crate::users::{self, User};

/// Writes letters.
#[derive(Debug, Clone)]
pub struct Composer {
    pub store: Store,
    pub environments: Environments,
    pub brands: Brands,
    pub links: LinkTokens,
    pub templates: Templates,
    /// Where this server is reached: links lead to its pages where an app has none of its own.
    pub public_url: String,
}

impl Composer {
    /// The letter, addressed. Where its reader is gone, or the address cannot be opened, there is
    /// none.
    pub(super) async fn parcel(
        &self,
        notification: &Notification,
        outbox: &Outbox,
        now: Timestamp,
    ) -> Result<Parcel, Refusal> {
        // Another node may have a newer key: this is no reason to give up.
        let address = outbox.address(notification);
        let to = address.ok_or_else(|| Refusal::for_now("address cannot be opened"))?;
        let tenant = notification.tenant();
        let environment = self.environments.of(tenant).await.map_err(unknown)?;
        let app = self.environments.app(tenant).await.map_err(unknown)?;
        let sender = environment.chosen.text(Key::MailSenderName);
        let user = self.reader(notification).await?;
        let about = notification.data.organization();
        let worn = self.brands.of(tenant, about).await;
        let worn = worn.map_err(|error| unreadable(&error))?;
        let letter = Writing {
            composer: self,
            settings: &environment.settings,
            notification,
            head: head((&app, &worn), user.as_ref(), &notification.data),
            now,
        };
        let letter = letter.rendered().map_err(|error| {
            tracing::error!(%error, template = notification.template, "a defect in a letter");
            Refusal::for_good("template")
        })?;
        Ok(Parcel {
            id: notification.id.to_string(),
            to,
            sender: sender.and_then(|name| Plain::app(&name)),
            written_at: now,
            letter,
        })
    }

    /// Whom the letter concerns. Who has left meanwhile gets no letter, but for that which says so.
    async fn reader(&self, notification: &Notification) -> Result<Option<User>, Refusal> {
        let Some(id) = notification.user_id else {
            return Ok(None);
        };
        let mut once = self.store.once();
        let user = users::get(&mut once.within(notification.tenant()), id).await;
        let user = user.map_err(|error| unreadable(&error))?;
        if user.is_none() && notification.data != Message::AccountDeleted {
            return Err(Refusal::for_good("gone"));
        }
        Ok(user)
    }
}

/// A letter while it is written.
struct Writing<'a> {
    composer: &'a Composer,
    settings: &'a Settings,
    notification: &'a Notification,
    head: Head,
    now: Timestamp,
}

impl Writing<'_> {
    fn rendered(&self) -> Result<Rendered, Unrenderable> {
        let happened_at = self.notification.created_at;
        match &self.notification.data {
            Message::VerifyEmail {
                verification_id,
                expires_at,
            } => self.render(&VerifyEmail {
                link: self.link(Purpose::VerifyEmail, verification_id),
                code: self.code(Purpose::VerifyEmail, verification_id),
                minutes: self.minutes(*expires_at),
            }),
            Message::AccountExists => self.render(&AccountExists {}),
            Message::ResetPassword {
                reset_id,
                expires_at,
            } => self.render(&ResetPassword {
                link: self.link(Purpose::ResetPassword, reset_id),
                minutes: self.minutes(*expires_at),
            }),
            Message::MagicLink {
                verification_id,
                expires_at,
            } => self.render(&MagicLink {
                link: self.link(Purpose::MagicLink, verification_id),
                minutes: self.minutes(*expires_at),
            }),
            Message::PasswordChanged => self.render(&PasswordChanged { happened_at }),
            Message::ConfirmEmailChange {
                verification_id,
                expires_at,
            } => self.render(&ConfirmEmailChange {
                link: self.link(Purpose::ChangeEmail, verification_id),
                minutes: self.minutes(*expires_at),
            }),
            Message::EmailChangeRequested => self.render(&EmailChangeRequested { happened_at }),
            Message::EmailChanged => self.render(&EmailChanged { happened_at }),
            Message::NewDevice {
                browser,
                os,
                ip_address,
            } => self.render(&self.new_device([browser, os, ip_address])),
            Message::AccountDeleted => self.render(&AccountDeleted { happened_at }),
            Message::Invitation(invited) => self.render(&self.invitation(invited)),
            Message::WebhookDisabled {
                webhook_id,
                host,
                is_gone,
                ..
            } => self.render(&self.disabled((*webhook_id, host), *is_gone)),
        }
    }

    fn new_device(&self, [browser, os, ip_address]: [&Option<String>; 3]) -> NewDevice {
        NewDevice {
            happened_at: self.notification.created_at,
            browser: browser.as_deref().and_then(Plain::name),
            os: os.as_deref().and_then(Plain::name),
            ip_address: ip_address.clone(),
        }
    }

    fn disabled(&self, (webhook, host): (WebhookId, &str), is_gone: bool) -> WebhookDisabled {
        WebhookDisabled {
            happened_at: self.notification.created_at,
            webhook: webhook.to_string(),
            host: Plain::organization(host).unwrap_or_default(),
            is_gone,
        }
    }

    fn invitation(&self, invited: &Invited) -> Invitation {
        let (id, generation) = (invited.invitation_id, invited.generation);
        let token = self.composer.links.invitation(id, generation);
        Invitation {
            link: self.leading(Purpose::Invitation, &token),
            organization: Plain::organization(&invited.organization).unwrap_or_default(),
            inviter: invited.inviter.as_deref().and_then(Plain::name),
            roles: invited
                .roles
                .iter()
                .filter_map(|role| Plain::name(role))
                .collect(),
            message: invited.message.as_deref().and_then(Plain::message),
            minutes: self.minutes(invited.expires_at),
        }
    }

    fn render<T: Template>(&self, letter: &T) -> Result<Rendered, Unrenderable> {
        let language = self.notification.language;
        self.composer.templates.render(letter, &self.head, language)
    }

    fn link(&self, purpose: Purpose, id: impl Display) -> Enclosed {
        self.leading(purpose, &self.composer.links.token(purpose, id))
    }

    /// To the app's page for it, else to this server's. What a request said has no part in it.
    fn leading(&self, purpose: Purpose, token: &SecretString) -> Enclosed {
        let token = token.expose_secret();
        let ours = || {
            let page = purpose.page();
            format!("{}/pages/{page}?token={token}", self.composer.public_url)
        };
        let theirs = self.settings.page(purpose);
        Enclosed::new(theirs.map_or_else(ours, |page| page.with("token", token)))
    }

    fn code(&self, purpose: Purpose, id: impl Display) -> Enclosed {
        let code = self.composer.links.code(purpose, id);
        Enclosed::new(code.expose_secret())
    }

    /// How long a link is good yet, to the nearest minute: the seconds a letter waits do not count.
    fn minutes(&self, expires_at: Timestamp) -> u64 {
        let left = expires_at.since(self.now) + Duration::from_secs(30);
        left.as_secs() / 60
    }
}

fn unknown(error: EnvironmentError) -> Refusal {
    match error {
        EnvironmentError::Unknown => Refusal::for_good("gone"),
        EnvironmentError::Store(error) => unreadable(&error),
    }
}

fn unreadable(error: &StoreError) -> Refusal {
    tracing::warn!(%error, "a letter cannot be written");
    Refusal::for_now("store")
}
