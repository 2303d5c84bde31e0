//! Mail: how letters travel, and whom they come from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use url::{Host, Url};

use crate::kernel::secret::SecretString;

use super::{
    setting::{Fallback, section},
    store::{Store, StoreUrl},
    takes::{By, Optional, Secret, Span, Unfit, seconds},
};

/// Below the folder of the database.
const FOLDER: &str = "mail";
/// Where no database has a folder.
const DATA: &str = "authsome-data";

section! {
    /// How letters travel, and whom they come from.
    pub struct Mail in "mail" {
        /// Where letters go: a mail server, or a folder in which each becomes a file.
        url: Option<MailUrl> = Fallback::Unset("files in `mail/` beside the database"),
            Optional(Secret(By {
                takes: "`smtps://<user>:<password>@<host>:<port>`, `smtp://…?tls=required` \
                        (STARTTLS), `smtp://…?tls=opportunistic`, `smtp://…` (unencrypted) or \
                        `file:<folder>`",
                parse: MailUrl::parse,
            }));
        /// The sender of every letter.
        from: Mailbox = Fallback::Value("Authsome <no-reply@localhost>"), By {
            takes: "an address, like `Shop <no-reply@shop.example>`",
            parse: mailbox,
        };
        /// Certificates in PEM that mail servers may be certified by, besides the public ones.
        ca_file: Option<PathBuf> = Fallback::Unset("only the public ones"), Optional(By {
            takes: "the path of a file",
            parse: path,
        });
        /// How long a mail server may take for one answer; for a whole letter three times that.
        timeout: Duration = Fallback::Value("10s"), Span { min: seconds(1), max: seconds(15) };
    }
}

/// Where letters go. The URL of a server may hold a password and is never printed.
#[derive(Debug, Clone)]
pub enum MailUrl {
    /// Each letter becomes a file in this folder.
    Folder(PathBuf),
    Smtp(SmtpUrl),
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct SmtpUrl {
    /// A name or an address, which the server's certificate must bear.
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub login: Option<SmtpLogin>,
}

#[derive(Debug, Clone)]
pub struct SmtpLogin {
    pub user: String,
    pub password: SecretString,
}

/// What protects letters on their way to the server. Certificates are verified in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    None,
    /// STARTTLS where the server offers it: whoever is on the way can take the offer away.
    Opportunistic,
    /// STARTTLS, or nothing is sent.
    Required,
    /// TLS from the first byte.
    Implicit,
}

impl Mail {
    /// Where letters go: as configured, else beside the database.
    pub fn destination(&self, store: &Store) -> MailUrl {
        if let Some(url) = &self.url {
            return url.clone();
        }
        let beside = match &store.url {
            StoreUrl::File(database) => database.parent(),
            StoreUrl::Memory | StoreUrl::Mongo { .. } => Some(Path::new(DATA)),
        };
        MailUrl::Folder(beside.unwrap_or(Path::new("")).join(FOLDER))
    }

    /// See [`super::Config::warnings`].
    pub(super) fn warnings(&self) -> Vec<String> {
        let Some(MailUrl::Smtp(server)) = &self.url else {
            return Vec::new();
        };
        let mut warnings = Vec::new();
        let travels = match server.encryption {
            Encryption::None => Some("without encryption"),
            Encryption::Opportunistic => Some("without encryption if somebody on the way likes"),
            Encryption::Required | Encryption::Implicit => None,
        };
        if let Some(how) = travels.filter(|_| !is_here(&server.host)) {
            warnings.push(format!(
                "mail.url: letters, and the links in them, travel to {} {how}; use smtps:// or \
                 ?tls=required",
                server.host
            ));
        }
        if self.from.email.domain() == "localhost" {
            warnings.push(
                "mail.from: mail servers refuse letters from localhost; name an address of yours"
                    .to_owned(),
            );
        }
        warnings
    }
}

fn is_here(host: &str) -> bool {
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}

impl MailUrl {
    fn parse(text: &str) -> Result<Self, Unfit> {
        let text = text.trim();
        if let Some(folder) = text.strip_prefix("file:") {
            return folder_of(folder).map(Self::Folder);
        }
        let url = Url::parse(text).map_err(|_| Unfit::NotAllowed)?;
        let encryption = encryption(&url)?;
        let (Ok(user), Ok(password)) = (decoded(url.username()), decoded_password(&url)) else {
            return Err(because("its user or password is not percent-encoded UTF-8"));
        };
        let login = match (user, password) {
            (user, None) if user.is_empty() => None,
            (user, Some(password)) if !user.is_empty() => Some(SmtpLogin { user, password }),
            (_, Some(_) | None) => {
                return Err(because("it needs both a user and a password, or neither"));
            }
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(because("nothing but `?tls=…` may follow the host"));
        }
        let standard = match encryption {
            Encryption::None => 25,
            Encryption::Opportunistic | Encryption::Required => 587,
            Encryption::Implicit => 465,
        };
        Ok(Self::Smtp(SmtpUrl {
            host: host(&url)?,
            port: url.port().unwrap_or(standard),
            encryption,
            login,
        }))
    }
}

fn encryption(url: &Url) -> Result<Encryption, Unfit> {
    match (url.scheme(), url.query()) {
        ("smtps", None) => Ok(Encryption::Implicit),
        ("smtp", None) => Ok(Encryption::None),
        ("smtp", Some("tls=required")) => Ok(Encryption::Required),
        ("smtp", Some("tls=opportunistic")) => Ok(Encryption::Opportunistic),
        _ => Err(Unfit::NotAllowed),
    }
}

fn host(url: &Url) -> Result<String, Unfit> {
    let is_plain = |name: &str| {
        let mut bytes = name.bytes();
        !name.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(address.to_string()),
        Some(Host::Ipv6(address)) => Ok(address.to_string()),
        Some(Host::Domain(name)) if is_plain(name) => Ok(name.to_lowercase()),
        Some(Host::Domain(_)) | None => Err(because("its host is no name or address of a server")),
    }
}

fn decoded(text: &str) -> Result<String, Unfit> {
    let text = text.replace('+', "%2B");
    let pair = format!("x={text}");
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    let (_, value) = pairs.next().ok_or(Unfit::NotAllowed)?;
    if value.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::is_control) {
        return Err(Unfit::NotAllowed);
    }
    Ok(value.into_owned())
}

fn decoded_password(url: &Url) -> Result<Option<SecretString>, Unfit> {
    let password = url.password().map(decoded).transpose()?;
    Ok(password.map(SecretString::from))
}

fn folder_of(text: &str) -> Result<PathBuf, Unfit> {
    if text.is_empty() || text.starts_with("//") {
        return Err(because(
            "after `file:` comes a plain path, like `file:/var/mail/authsome`",
        ));
    }
    Ok(PathBuf::from(text))
}

fn mailbox(text: &str) -> Result<Mailbox, Unfit> {
    let mailbox: Mailbox = text.parse().map_err(|_| Unfit::NotAllowed)?;
    let hides = |name: &String| name.contains(char::is_control) || name.contains("=?");
    if mailbox.name.as_ref().is_some_and(hides) {
        return Err(Unfit::NotAllowed);
    }
    Ok(mailbox)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every kind's parser")]
fn path(text: &str) -> Result<PathBuf, Unfit> {
    Ok(PathBuf::from(text))
}

fn because(why: &str) -> Unfit {
    Unfit::Because(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::secret::ExposeSecret;

    fn server(text: &str) -> SmtpUrl {
        match MailUrl::parse(text) {
            Ok(MailUrl::Smtp(server)) => server,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_documented_form_is_understood() {
        let table = [
            ("smtp://mail.example", "mail.example", 25, Encryption::None),
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, Encryption::None),
            ("smtp://[::1]:2525/", "::1", 2525, Encryption::None),
            (
                "smtp://mail.example?tls=required",
                "mail.example",
                587,
                Encryption::Required,
            ),
            (
                "smtp://mail.example/?tls=opportunistic",
                "mail.example",
                587,
                Encryption::Opportunistic,
            ),
            (
                "smtps://Mail.example",
                "mail.example",
                465,
                Encryption::Implicit,
            ),
        ];
        for (text, host, port, encryption) in table {
            let server = server(text);
            assert_eq!(
                (&*server.host, server.port, server.encryption),
                (host, port, encryption),
                "{text}"
            );
        }
        let folder = MailUrl::parse("file:/var/mail/authsome");
        assert!(
            matches!(folder, Ok(MailUrl::Folder(path)) if path == Path::new("/var/mail/authsome"))
        );
    }

    #[test]
    fn a_login_is_percent_decoded_and_not_shown() {
        let url = MailUrl::parse("smtps://mia%40shop.example:p%2Fq+r%3A@mail.example");
        assert!(!format!("{url:?}").contains("p/q"));
        let Ok(MailUrl::Smtp(SmtpUrl {
            login: Some(login), ..
        })) = url
        else {
            panic!("a server with a login")
        };
        assert_eq!(login.user, "mia@shop.example");
        assert_eq!(login.password.expose_secret(), "p/q+r:");
    }

    fn mail(url: Option<&str>, from: &str) -> Mail {
        Mail {
            url: url.map(|url| MailUrl::parse(url).expect("a URL")),
            from: from.parse().expect("a mailbox"),
            ca_file: None,
            timeout: seconds(10),
        }
    }

    #[test]
    fn without_a_server_letters_are_beside_the_database_or_in_the_data_folder() {
        let store = |url| Store {
            url,
            pool_size: 1,
            readers: 1,
            synchronous: crate::config::Synchronous::Full,
        };
        let table = [
            (
                StoreUrl::File("authsome-data/authsome.db".into()),
                "authsome-data/mail",
            ),
            (StoreUrl::File("/var/lib/a.db".into()), "/var/lib/mail"),
            (StoreUrl::File("a.db".into()), "mail"),
            (StoreUrl::Memory, "authsome-data/mail"),
        ];
        for (url, folder) in table {
            let destination = mail(None, "a@localhost").destination(&store(url));
            assert!(matches!(destination, MailUrl::Folder(path) if path == Path::new(folder)));
        }
    }

    #[test]
    fn who_sends_links_in_clear_or_from_nowhere_is_warned() {
        let table = [
            (None, "a@localhost", 0),
            (Some("smtps://mail.example"), "a@shop.example", 0),
            (
                Some("smtp://mail.example?tls=required"),
                "a@shop.example",
                0,
            ),
            (Some("smtp://127.0.0.1:25"), "a@shop.example", 0),
            (Some("smtp://localhost"), "a@shop.example", 0),
            (Some("smtp://mail.example"), "a@shop.example", 1),
            (
                Some("smtp://mail.example?tls=opportunistic"),
                "a@shop.example",
                1,
            ),
            (Some("smtps://mail.example"), "a@localhost", 1),
        ];
        for (url, from, count) in table {
            assert_eq!(mail(url, from).warnings().len(), count, "{url:?} {from}");
        }
    }

    #[test]
    fn what_would_be_misunderstood_is_refused() {
        for text in [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://mail.example?tls=maybe",
            "smtp://mail.example?tls=required&x=y",
            "smtps://mail.example?tls=required",
            "smtp://mia@mail.example",
            "smtp://:secret@mail.example",
            "smtp://mail.example/relay",
            "smtp://mail.example#x",
            "smtp://mail%0d%0a.example",
            "smtp://mia:%ff@mail.example",
            "smtp://mia:a%0d%0ab@mail.example",
            "file:",
            "file:///var/mail",
        ] {
            assert!(MailUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sender_is_a_mailbox_without_tricks() {
        for text in [
            "no-reply@shop.example",
            "Shop <no-reply@shop.example>",
            "A <a@localhost>",
        ] {
            assert!(mailbox(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "Shop",
            "Shop <x",
            "a@x, b@y",
            "S\r\nBcc: x <a@x.example>",
        ] {
            assert!(mailbox(text).is_err(), "{text}");
        }
    }
}
