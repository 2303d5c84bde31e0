//! The mailer: takes letters to where they go.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lettre::message::Mailbox;

use super::folder;
use super::message::{Parcel, message};
use super::refusal::Refusal;
use super::smtp::Smtp;
use crate::config::{self, MailUrl};
use crate::kernel::time::Timestamp;

/// Why letters cannot be sent at all: a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the certificates in {path}, which mail.ca_file names, cannot be used: {why}", path = path.display())]
    Certificates { path: PathBuf, why: String },
    #[error("mail.url: letters cannot be encrypted for {host}: {why}")]
    Encryption { host: String, why: String },
}

/// Sends letters. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Folder(PathBuf),
    Smtp(Arc<Smtp>),
}

impl Mailer {
    /// Connects to nothing yet. `own_name` is what this server calls itself to mail servers.
    pub fn new(
        settings: &config::Mail,
        destination: MailUrl,
        own_name: &str,
    ) -> Result<Self, MailError> {
        let way = match destination {
            MailUrl::Folder(folder) => Way::Folder(folder),
            MailUrl::Smtp(server) => Way::Smtp(Arc::new(Smtp::new(server, settings, own_name)?)),
        };
        Ok(Self {
            from: settings.from.clone(),
            way,
        })
    }

    /// Sends one letter, which takes three times `mail.timeout` at most. Where the answer of the
    /// server is lost, the letter may have been taken.
    pub async fn send(&self, parcel: &Parcel, now: Timestamp) -> Result<(), Refusal> {
        let message = message(parcel, &self.from)?;
        match &self.way {
            Way::Folder(folder) => folder::put(folder, &parcel.id, &message.formatted()).await,
            Way::Smtp(smtp) => smtp.send(&message, now).await,
        }
    }

    /// Goes as far as a letter would go without one: to a mail server, by its encryption and login.
    pub async fn try_out(&self) -> Result<(), Refusal> {
        match &self.way {
            Way::Folder(folder) => folder::try_out(folder),
            Way::Smtp(smtp) => smtp.try_out().await,
        }
    }

    /// The message as it would travel.
    pub fn formatted(&self, parcel: &Parcel) -> Result<Vec<u8>, Refusal> {
        Ok(message(parcel, &self.from)?.formatted())
    }

    /// Takes leave of the server.
    pub async fn close(&self) {
        match &self.way {
            Way::Folder(_) => {}
            Way::Smtp(smtp) => smtp.close().await,
        }
    }
}

/// Where letters go, for the log: no user, no password.
impl fmt::Display for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Folder(folder) => {
                let whole = std::path::absolute(folder);
                write!(f, "{}", whole.as_deref().unwrap_or(folder).display())
            }
            Way::Smtp(smtp) => write!(f, "{smtp}"),
        }
    }
}
