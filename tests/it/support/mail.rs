//! The letters a server sent: files of a folder, read as mail programs read them.
//!
//! ```ignore
//! let letter = app.letter_to("mia@example.org").await;     // the newest, waited for
//! app.post("/v1/verify-email").json(json!({"token": letter.token()}))
//! ```

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use authsome::kernel::id::{InvitationId, OrgId, PasswordResetId, VerificationId};
use authsome::kernel::language::Language;
use authsome::kernel::text::Email;
use authsome::notifications::{self, Invited, Message, Notification, Status};
use authsome::store::Stored;
use mail_parser::{MessageParser, MimeHeaders};

use super::app::{Door, TestApp, eventually};

/// A letter waits at most a second for its node; a busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A letter as its recipient has it.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Every recipient that its headers name.
    pub to: Vec<String>,
    pub from: String,
    pub message_id: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The bytes that travelled.
    pub raw: String,
}

impl Letter {
    /// Reads a message; it must have a text and an HTML part.
    pub fn read(raw: &[u8]) -> Self {
        let message = MessageParser::default().parse(raw).expect("a message");
        let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<String> {
            let all = list.into_iter().flat_map(|list| list.iter());
            all.filter_map(|one| one.address.as_ref().map(ToString::to_string))
                .collect()
        };
        let parts: Vec<_> = message
            .parts
            .iter()
            .map(|part| {
                part.content_type()
                    .map(|it| format!("{}/{}", it.ctype(), it.subtype().unwrap_or_default()))
            })
            .collect();
        assert!(parts.contains(&Some("text/plain".to_owned())), "{parts:?}");
        assert!(parts.contains(&Some("text/html".to_owned())), "{parts:?}");
        let body =
            |body: Option<std::borrow::Cow<'_, str>>| body.expect("a part").replace("\r\n", "\n");
        Self {
            to: addresses(message.to()),
            from: addresses(message.from()).concat(),
            message_id: message.message_id().unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: body(message.body_text(0)),
            html: body(message.body_html(0)),
            raw: String::from_utf8(raw.to_vec()).expect("a message is ASCII"),
        }
    }

    /// Every URL of the text.
    pub fn links(&self) -> Vec<String> {
        let words = self.text.split_whitespace();
        let links = words.filter(|it| it.starts_with("http://") || it.starts_with("https://"));
        links.map(str::to_owned).collect()
    }

    /// The one URL of the text.
    pub fn link(&self) -> String {
        let links = self.links();
        assert_eq!(links.len(), 1, "one link: {}", self.text);
        links.concat()
    }

    /// The token of its link.
    pub fn token(&self) -> String {
        let link = self.link();
        let (_, query) = link.split_once('?').expect("a link with a query");
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let token = pairs.find(|(name, _)| name == "token");
        token.expect("a link with a token").1.into_owned()
    }

    /// Its code of six digits.
    pub fn code(&self) -> String {
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
        let mut codes = self.text.split_whitespace().filter(is_code);
        let code = codes.next().expect("a code");
        assert_eq!(codes.next(), None, "one code: {}", self.text);
        code.to_owned()
    }
}

/// The letters in a folder, in the order they were sent; a file that is being written is none yet.
pub fn letters_in(folder: &Path) -> Vec<Letter> {
    let Ok(files) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = files.map(|file| file.expect("a file").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "eml"))
        .collect();
    // Identifiers of one instant of a clock that stands are in no order.
    paths.sort_by_cached_key(|path| fs::metadata(path).and_then(|about| about.modified()).ok());
    let read = |path: &_| Letter::read(&fs::read(path).expect("a letter can be read"));
    paths.iter().map(read).collect()
}

impl TestApp {
    /// Every letter sent so far, oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        letters_in(self.mail())
    }

    /// Every letter sent to `address` so far, oldest first.
    pub fn letters_to(&self, address: &str) -> Vec<Letter> {
        let mut letters = self.letters();
        letters.retain(|letter| letter.to == [address]);
        letters
    }

    /// The newest letter to `address`; waits for the first one.
    pub async fn letter_to(&self, address: &str) -> Letter {
        self.nth_letter_to(address, 1).await
    }

    /// No more than `count` letters go to `address`: not within the time in which a node looks twice.
    pub async fn stays_at(&self, address: &str, count: usize) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(
            self.letters_to(address).len(),
            count,
            "letters to {address}"
        );
    }

    /// The newest letter to `address` once there are `count` of them.
    pub async fn nth_letter_to(&self, address: &str, count: usize) -> Letter {
        let until = Instant::now() + PATIENCE;
        loop {
            let letters = self.letters_to(address);
            if letters.len() >= count {
                return letters.last().cloned().expect("a letter");
            }
            let sent = letters.len();
            assert!(
                Instant::now() < until,
                "{sent} of {count} letters to {address}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Queues a letter in the default environment, as a unit of work does.
    pub async fn queues(&self, address: &str, message: Message) {
        self.queues_at(&self.own.development, letter(address, message))
            .await;
    }

    pub async fn queues_at(&self, door: &Door, letter: notifications::Letter) {
        let (outbox, now) = (&self.foundation().links.outbox, self.clock.now());
        let queued = self.store().write(async |tx| -> Stored<()> {
            let mut tx = tx.within(door.tenant());
            outbox.enqueue(&mut tx, letter.clone(), now).await
        });
        queued.await.expect("a letter can be queued");
        outbox.hurry();
    }

    /// Waits until no letter of the environment is on its way.
    pub async fn delivers_everything(&self, door: &Door) {
        eventually(async || {
            let letters: Vec<Notification> = self.of_environment(door).await;
            letters.iter().all(|it| it.status != Status::Pending)
        })
        .await;
    }

    /// What the default environment knows of its only letter, once that is so.
    pub async fn notification(&self, is_so: impl Fn(&Notification) -> bool) -> Notification {
        let until = Instant::now() + PATIENCE;
        loop {
            let all: Vec<Notification> = self.of_environment(&self.own.development).await;
            let [one] = &all[..] else {
                panic!("one letter: {all:?}")
            };
            if is_so(one) {
                return one.clone();
            }
            assert!(Instant::now() < until, "not so: {one:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The only letter, once it has been tried so often and waits for the next time.
    pub async fn tried(&self, attempts: i64) -> Notification {
        let has_been = |it: &Notification| {
            it.attempts == attempts && it.lease_until.is_none() && it.status == Status::Pending
        };
        self.notification(has_been).await
    }

    /// A letter with a link and a code, good for a day.
    pub fn verification(&self) -> Message {
        let (now, entropy) = (self.clock.now(), &self.foundation().world.entropy);
        Message::VerifyEmail {
            verification_id: VerificationId::new(now, entropy),
            expires_at: now.plus(Duration::from_hours(24)),
        }
    }

    /// An invitation to Northwind, of the first generation, good for a week.
    pub fn invited(&self) -> Invited {
        let (now, entropy) = (self.clock.now(), &self.foundation().world.entropy);
        Invited {
            invitation_id: InvitationId::new(now, entropy),
            generation: 1,
            org_id: OrgId::new(now, entropy),
            organization: "Northwind".to_owned(),
            logo: Some("https://northwind.example.com/logo.png".to_owned()),
            inviter: Some("Zoe Winter".to_owned()),
            roles: vec!["member".to_owned()],
            message: Some("See you on Monday!".to_owned()),
            expires_at: now.plus(Duration::from_hours(7 * 24)),
        }
    }

    /// A letter with a link, good for so long.
    pub fn reset(&self, term: Duration) -> Message {
        let (now, entropy) = (self.clock.now(), &self.foundation().world.entropy);
        Message::ResetPassword {
            reset_id: PasswordResetId::new(now, entropy),
            expires_at: now.plus(term),
        }
    }
}

/// In English, about nobody.
pub fn letter(address: &str, message: Message) -> notifications::Letter {
    notifications::Letter {
        user: None,
        to: Email::parse(address).expect("an address"),
        language: Language::English,
        message,
    }
}
