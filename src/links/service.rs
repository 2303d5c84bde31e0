use super::record::{Link, LinkPurpose, PasswordReset, Verification};
use super::repo;
use crate::environments;
use crate::http::{Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, Id, Kind, UserId, kind};
use crate::kernel::language::Language;
use crate::kernel::secret::ExposeSecret;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::notifications::{Letter, Message, Outbox};
use crate::store::{Entity, OfEnvironment, Store, StoreError, Stored, Tx};
use crate::tokens::LinkTokens;

/// Makes links, sends them, and sees to it that each is followed once.
#[derive(Debug, Clone)]
pub struct Links {
    pub tokens: LinkTokens,
    pub outbox: Outbox,
    pub entropy: Entropy,
}

/// A link that somebody is to be sent.
#[derive(Debug, Clone)]
pub struct NewLink {
    pub purpose: LinkPurpose,
    pub user: UserId,
    pub to: Email,
    pub language: Language,
    /// What the link stands by, if it stands by the password that was proven when it was asked for.
    pub password_version: Option<i64>,
}

/// Why a link leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum LinkRefused {
    /// Unknown, of another purpose or environment, superseded, void, or followed before.
    #[error("the link is not one that counts")]
    Invalid,
    #[error("the link is over")]
    Over,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LinkRefused {
    /// Why, as events tell it; `None` for what is not the link's fault.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Invalid => Some(ProblemKind::InvalidLink.slug()),
            Self::Over => Some(ProblemKind::LinkExpired.slug()),
            Self::Store(_) => None,
        }
    }
}

/// Why a code is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CodeRefused {
    #[error("the code is another")]
    Wrong,
    /// Nothing was counted: there is no open letter, or its code was tried too often.
    #[error("there is no code to tell")]
    NoneOpen,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Links {
    /// Makes a link and queues its letter, in the caller's unit of work, which has changed the
    /// document of the user before: so of a letter and a deletion at once, one sees the other. Earlier
    /// links of the same purpose count no more. Call [`Outbox::hurry`] after the commit.
    pub async fn send(
        &self,
        tx: &mut Tx<'_, Tenant>,
        request: &NewLink,
        now: Timestamp,
    ) -> Stored<()> {
        let message = match request.purpose {
            LinkPurpose::VerifyEmail => {
                let link = self.make::<kind::Verification>(tx, request, now).await?;
                Message::VerifyEmail {
                    verification_id: link.id,
                    expires_at: link.expires_at,
                }
            }
            LinkPurpose::MagicLink => {
                let link = self.make::<kind::Verification>(tx, request, now).await?;
                Message::MagicLink {
                    verification_id: link.id,
                    expires_at: link.expires_at,
                }
            }
            LinkPurpose::ChangeEmail => {
                let link = self.make::<kind::Verification>(tx, request, now).await?;
                Message::ConfirmEmailChange {
                    verification_id: link.id,
                    expires_at: link.expires_at,
                }
            }
            LinkPurpose::ResetPassword => {
                let link = self.make::<kind::PasswordReset>(tx, request, now).await?;
                Message::ResetPassword {
                    reset_id: link.id,
                    expires_at: link.expires_at,
                }
            }
        };
        let letter = Letter {
            user: Some(request.user),
            to: request.to.clone(),
            language: request.language,
            message,
        };
        self.outbox.enqueue(tx, letter, now).await
    }

    async fn make<K: Kind>(
        &self,
        tx: &mut Tx<'_, Tenant>,
        request: &NewLink,
        now: Timestamp,
    ) -> Stored<Link<K>>
    where
        Link<K>: Entity<Owner = OfEnvironment>,
    {
        let tenant = tx.scope();
        let id = Id::<K>::new(now, &self.entropy);
        let token = self.tokens.token(request.purpose.into(), id);
        let link = Link {
            id,
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            user_id: request.user,
            token: LinkTokens::digest(token.expose_secret()),
            purpose: request.purpose,
            address: request.to.clone(),
            password_version: request.password_version,
            attempts: 0,
            expires_at: now.plus(request.purpose.life()),
            used_at: None,
            voided_at: None,
            created_at: now,
            updated_at: now,
        };
        repo::insert(tx, &link).await?;
        Ok(link)
    }

    /// The verification that a token names, whether or not it still counts. `named` is the tenant
    /// that the request names, if any: another's link is unknown there.
    pub async fn verification(
        &self,
        store: &Store,
        (purpose, token): (LinkPurpose, &str),
        named: Option<Tenant>,
    ) -> Result<Verification, LinkRefused> {
        find(store, (purpose, token), named).await
    }

    /// The password reset that a token names, likewise.
    pub async fn reset(
        &self,
        store: &Store,
        token: &str,
        named: Option<Tenant>,
    ) -> Result<PasswordReset, LinkRefused> {
        find(store, (LinkPurpose::ResetPassword, token), named).await
    }

    /// Counts an attempt at the code of the newest letter of this purpose, and judges it. The
    /// attempt counts whatever becomes of the request, and is made for nobody's letter too.
    pub async fn by_code(
        &self,
        store: &Store,
        (tenant, user): (Tenant, UserId),
        (purpose, code): (LinkPurpose, &str),
        now: Timestamp,
    ) -> Result<Verification, CodeRefused> {
        let mut once = store.once();
        let mut tx = once.within(tenant);
        let newest: Option<Verification> = repo::newest(&mut tx, user, purpose).await?;
        let id = newest.map_or_else(|| Id::new(now, &self.entropy), |link| link.id);
        let is_right = self.tokens.is_code(purpose.into(), id, code);
        let counted = repo::attempt(&mut tx, id, now).await?;
        let link = counted.ok_or(CodeRefused::NoneOpen)?;
        if is_right {
            Ok(link)
        } else {
            Err(CodeRefused::Wrong)
        }
    }

    /// Follows a link, in the unit of work of what it leads to: once, and only the newest of its
    /// purpose.
    pub async fn follow<K: Kind>(
        &self,
        tx: &mut Tx<'_, Tenant>,
        link: &Link<K>,
        now: Timestamp,
    ) -> Result<(), LinkRefused>
    where
        Link<K>: Entity<Owner = OfEnvironment>,
    {
        self.check(tx, link, now).await?;
        let followed = repo::spend(tx, link, now).await?;
        followed.map(drop).ok_or(LinkRefused::Invalid)
    }

    /// Whether a link could be followed now, for what is too dear to begin in vain.
    pub async fn check<K: Kind>(
        &self,
        tx: &mut Tx<'_, Tenant>,
        link: &Link<K>,
        now: Timestamp,
    ) -> Result<(), LinkRefused>
    where
        Link<K>: Entity<Owner = OfEnvironment>,
    {
        let newest = repo::newest::<K, _>(tx, link.user_id, link.purpose).await?;
        let counts = newest.filter(|newest| newest.id == link.id && !newest.is_spent());
        let link = counts.ok_or(LinkRefused::Invalid)?;
        if link.expires_at <= now {
            return Err(LinkRefused::Over);
        }
        Ok(())
    }
}

/// Makes every open link of a user void, in every environment of the app: whatever changes the
/// password, the address or the standing of an account does.
pub async fn void(tx: &mut Tx<'_, AppId>, user: UserId, now: Timestamp) -> Stored<()> {
    repo::void::<kind::Verification, _>(tx, user, now).await?;
    repo::void::<kind::PasswordReset, _>(tx, user, now).await
}

/// Removes every link of a user, and with them the addresses they went to.
pub async fn forget(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<()> {
    repo::forget::<kind::Verification, _>(tx, user).await?;
    repo::forget::<kind::PasswordReset, _>(tx, user).await
}

async fn find<K: Kind>(
    store: &Store,
    (purpose, token): (LinkPurpose, &str),
    named: Option<Tenant>,
) -> Result<Link<K>, LinkRefused>
where
    Link<K>: Entity<Owner = OfEnvironment>,
{
    let mut once = store.once();
    let mut all = once.across_tenants("the token of a link names its tenant");
    let found = repo::by_token::<K>(&mut all, LinkTokens::digest(token)).await?;
    let found = found
        .filter(|link| link.purpose == purpose)
        .filter(|link| named.is_none_or(|named| named == link.tenant()))
        .ok_or(LinkRefused::Invalid)?;
    if environments::is_removed(&mut all, found.tenant()).await? {
        return Err(LinkRefused::Invalid);
    }
    Ok(found)
}

impl From<LinkRefused> for Problem {
    fn from(error: LinkRefused) -> Self {
        match error {
            LinkRefused::Invalid => ProblemKind::InvalidLink.into(),
            LinkRefused::Over => ProblemKind::LinkExpired.into(),
            LinkRefused::Store(error) => error.into(),
        }
    }
}
