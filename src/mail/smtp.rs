//! Letters by SMTP (RFC 5321): connections that are kept, one letter at a time on each.
//!
//! A connection is kept only after a letter it carried was taken. lettre's own pool would also keep
//! one that was given up in the middle, whose next answers would belong to the letter before.
//! Nothing goes out in clear where encryption is asked for, and no certificate passes unverified.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::time::timeout;

use super::mailer::MailError;
use super::refusal::Refusal;
use super::replies::{self, Stage};
use crate::config::{self, Encryption, SmtpUrl};
use crate::kernel::secret::ExposeSecret;
use crate::kernel::time::Timestamp;

/// Servers close idle connections after minutes; some sooner.
const KEPT: Duration = Duration::from_secs(30);
/// As many as are used at once.
const MOST_KEPT: usize = 8;
/// Taking leave is a courtesy.
const LEAVE: Duration = Duration::from_secs(1);

pub(super) struct Smtp {
    server: SmtpUrl,
    tls: Option<TlsParameters>,
    own_name: ClientId,
    patience: Duration,
    kept: Kept,
}

/// Connections that wait for the next letter, with the time of their last one.
#[derive(Default)]
struct Kept(Mutex<Vec<(AsyncSmtpConnection, Timestamp)>>);

impl Smtp {
    pub(super) fn new(
        server: SmtpUrl,
        settings: &config::Mail,
        own_name: &str,
    ) -> Result<Self, MailError> {
        let tls = match server.encryption {
            Encryption::None => None,
            Encryption::Opportunistic | Encryption::Required | Encryption::Implicit => {
                Some(tls(&server.host, settings.ca_file.as_deref())?)
            }
        };
        Ok(Self {
            tls,
            own_name: client_id(own_name),
            patience: settings.timeout,
            kept: Kept::default(),
            server,
        })
    }

    pub(super) async fn send(&self, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        let sent = timeout(3 * self.patience, self.hand_over(message, now)).await;
        // What is given up here takes its connection along.
        sent.unwrap_or_else(|_| Err(Refusal::for_now("timeout")))
    }

    /// Greets the server, encrypts and logs in, and takes leave.
    pub(super) async fn try_out(&self) -> Result<(), Refusal> {
        let connected = timeout(3 * self.patience, self.connect()).await;
        let mut connection = connected.unwrap_or_else(|_| Err(Refusal::for_now("timeout")))?;
        // A server that does not say goodbye has said enough.
        let _ = timeout(LEAVE, connection.quit()).await;
        Ok(())
    }

    async fn hand_over(&self, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        if let Some(mut kept) = self.kept.take(now) {
            match self.mail(&mut kept, message).await {
                Ok(()) => return self.deliver(kept, message, now).await,
                // The server has lost interest since; nothing of the letter was said.
                Err(_) => drop(kept),
            }
        }
        let mut fresh = self.connect().await?;
        self.mail(&mut fresh, message).await?;
        self.deliver(fresh, message, now).await
    }

    /// `MAIL FROM`: what is refused here is the sender, or the connection.
    async fn mail(&self, to: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Refusal> {
        let envelope = message.envelope();
        let mut parameters = Vec::new();
        if envelope.to().iter().any(|to| !to.user().is_ascii()) {
            if !to.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Refusal::for_good("smtp without SMTPUTF8"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let mail = Mail::new(envelope.from().cloned(), parameters);
        self.said(Stage::Sender, to.command(mail)).await?;
        Ok(())
    }

    async fn deliver(
        &self,
        mut to: AsyncSmtpConnection,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        for recipient in message.envelope().to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            self.said(Stage::Letter, to.command(recipient)).await?;
        }
        self.said(Stage::Letter, to.command(Data)).await?;
        // A server may look long at a letter. Whoever does not wait for it sends the letter twice:
        // only the time for the whole of it ends this (RFC 5321 §4.5.3.2.6).
        let taken = to.message(&message.formatted()).await;
        taken.map_err(|error| replies::refusal(Stage::Letter, &error))?;
        self.kept.put(to, now);
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Refusal> {
        let implicit = self.server.encryption == Encryption::Implicit;
        let connecting = AsyncSmtpConnection::connect_tokio1(
            (self.server.host.as_str(), self.server.port),
            Some(self.patience),
            &self.own_name,
            self.tls.clone().filter(|_| implicit),
            None,
        );
        let mut connection = self.said(Stage::Connection, connecting).await?;
        self.encrypt(&mut connection).await?;
        if let Some(login) = &self.server.login {
            let credentials = Credentials::new(
                login.user.clone(),
                login.password.expose_secret().to_owned(),
            );
            let known = [Mechanism::Plain, Mechanism::Login];
            let authenticating = connection.auth(&known, &credentials);
            self.said(Stage::Login, authenticating).await?;
        }
        Ok(connection)
    }

    async fn encrypt(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Refusal> {
        let offered = connection.can_starttls();
        let wanted = match self.server.encryption {
            Encryption::None | Encryption::Implicit => false,
            Encryption::Opportunistic => offered,
            Encryption::Required => true,
        };
        let Some(tls) = self.tls.clone().filter(|_| wanted) else {
            return Ok(());
        };
        if !offered {
            return Err(Refusal::for_now("tls: not offered"));
        }
        let encrypting = connection.starttls(tls, &self.own_name);
        self.said(Stage::Encryption, encrypting).await?;
        Ok(())
    }

    /// The answer of the server, within the time it has for one.
    async fn said<T>(
        &self,
        stage: Stage,
        asking: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Refusal> {
        match timeout(self.patience, asking).await {
            Ok(answer) => answer.map_err(|error| replies::refusal(stage, &error)),
            Err(_) => Err(Refusal::for_now("timeout")),
        }
    }

    pub(super) async fn close(&self) {
        let kept = std::mem::take(&mut *self.kept.lock());
        let leaving = kept.into_iter().map(async |(mut connection, _)| {
            connection.abort().await;
        });
        // A server that does not answer is left without an answer.
        let _ = timeout(LEAVE, futures_util::future::join_all(leaving)).await;
    }
}

impl Kept {
    /// The connection that was used last: the others may fall idle.
    fn take(&self, now: Timestamp) -> Option<AsyncSmtpConnection> {
        let mut kept = self.lock();
        kept.retain(|(_, used)| now.since(*used) < KEPT);
        kept.pop().map(|(connection, _)| connection)
    }

    fn put(&self, connection: AsyncSmtpConnection, now: Timestamp) {
        let mut kept = self.lock();
        if kept.len() < MOST_KEPT {
            kept.push((connection, now));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(AsyncSmtpConnection, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({self})")
    }
}

impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.server.encryption {
            Encryption::None => "unencrypted",
            Encryption::Opportunistic => "STARTTLS where offered",
            Encryption::Required => "STARTTLS",
            Encryption::Implicit => "TLS",
        };
        let SmtpUrl { host, port, .. } = &self.server;
        write!(f, "{host} port {port} ({how})")
    }
}

fn tls(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca_file {
        let refused = |why: String| MailError::Certificates {
            path: path.to_owned(),
            why,
        };
        let pem = fs::read(path).map_err(|error| refused(error.to_string()))?;
        if !String::from_utf8_lossy(&pem).contains("BEGIN CERTIFICATE") {
            return Err(refused("there is none in it".to_owned()));
        }
        let certificate =
            Certificate::from_pem(&pem).map_err(|error| refused(error.to_string()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| MailError::Encryption {
        host: host.to_owned(),
        why: error.to_string(),
    })
}

/// RFC 5321 §4.1.1.1: a name, or an address where there is none.
fn client_id(own_name: &str) -> ClientId {
    if let Ok(address) = own_name.parse::<Ipv4Addr>() {
        return ClientId::Ipv4(address);
    }
    match own_name.parse::<Ipv6Addr>() {
        Ok(address) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(own_name.to_owned()),
    }
}
