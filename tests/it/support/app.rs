//! The server under test: raised by the functions that raise it in production, in a thread of its
//! own, on a database of its own; with a clock that stands in 2040 and chance from a seed.
//!
//! ```text
//! TestApp ── node ── node        every node serves the same database, as processes would
//!    ├────── own: production, development      the app that a first start makes
//!    └────── platform, operator                and those who run it
//! ```
//!
//! Dropping it stops the server, fails the test where MongoDB had to read a whole collection, and
//! takes the database away.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use authsome::app::{Foundation, World};
use authsome::config::Config;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::secret::KeyRing;
use authsome::kernel::text::Label;
use authsome::kernel::time::{Clock, Timestamp};
use authsome::setup::Wanted;
use authsome::store::{Location, Store};
use futures_util::future::join_all;
use serde_json::Value;
use tempfile::TempDir;

use super::client::{Asks, Client, Request};
use super::node::Node;
use super::plans::Plans;
use super::stores::{Backend, Guard, place};
use super::wire::Wire;

/// 2040-01-01T00:00Z: no TTL monitor, which reads the wall clock, touches anything then.
pub const NEW_YEAR: Timestamp = Timestamp::from_millis(2_208_988_800_000);

/// The least work that bcrypt takes: tests ask what is hashed and when, not for how long.
const LEAST_COST: u32 = 4;
const COST: &str = "SECURITY__BCRYPT_COST";

/// Every test is one client, who asks more often than people do. Tests of limits set them by name.
const WIDE: [(&str, &str); 13] = [
    ("LIMITS__SIGNIN", "1000000/1m"),
    ("LIMITS__SIGNUP", "1000000/1m"),
    ("LIMITS__RECOVERY", "1000000/1m"),
    ("LIMITS__CODE", "1000000/1m"),
    ("LIMITS__REFRESH", "1000000/1m"),
    ("LIMITS__EXCHANGES", "1000000/1m"),
    ("LIMITS__FAILED_EXCHANGES", "1000000/1m"),
    ("LIMITS__INTROSPECTIONS", "1000000/1m"),
    ("LIMITS__LETTERS", "1000000/1m"),
    ("LIMITS__CODE_GUESSES", "1000000/1m"),
    ("LIMITS__INVITATIONS", "1000000/1m"),
    ("LIMITS__FAILED_SIGNINS", "1000000/1m"),
    ("LIMITS__LOCKOUT_AFTER", "100"),
];

/// A server, its database, and what a first start told its operator.
#[derive(Debug)]
pub struct TestApp {
    pub own: Estate,
    pub platform: Door,
    pub operator: Login,
    pub clock: Clock,
    // Dropped in this order.
    node: Node,
    place: Place,
}

/// A server that locks as it does by default.
#[derive(Debug)]
pub struct Guarded(pub TestApp);

impl Guarded {
    pub async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[("LIMITS__LOCKOUT_AFTER", "5")]).await)
    }
}

/// Where nodes are raised: a database, and a world of its own.
#[derive(Debug)]
struct Place {
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    location: Location,
    /// Where its letters are, as files.
    mail: TempDir,
    // Dropped in this order.
    _plans: Option<Plans>,
    _guard: Guard,
}

/// Names such as `TOKENS__ACCESS_TTL`, and their values.
pub(super) type Settings = Vec<(String, String)>;

/// An app as its customer knows it.
#[derive(Debug, Clone)]
pub struct Estate {
    pub production: Door,
    pub development: Door,
}

/// An environment from outside: what names it, and the key that opens it.
#[derive(Debug, Clone)]
pub struct Door {
    pub app_id: String,
    pub env_id: String,
    pub publishable_key: String,
    /// Empty for the platform's, which has none.
    pub secret_key: String,
}

#[derive(Debug, Clone)]
pub struct Login {
    pub user_id: String,
    pub email: String,
    pub password: String,
}

impl TestApp {
    pub async fn on(backend: Backend) -> Self {
        Self::with(backend, &[]).await
    }

    /// A server that is configured otherwise than by default.
    pub async fn with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let place = Place::on(backend, settings).await;
        let (node, told) = place.node(&[]).await;
        Self::of(place, node, &told)
    }

    /// A server whose database can be kept from it.
    pub async fn wired(backend: Backend) -> (Self, Wire) {
        let place = Place::on(backend, &[]).await;
        let wire = Wire::to(&place.location);
        let through = wire.url().map(|url| ("STORE__URL", url));
        let (node, told) = place.node(through.as_slice()).await;
        (Self::of(place, node, &told), wire)
    }

    /// Several nodes that start at once on an empty database, and what the start of each told.
    pub async fn several(backend: Backend, count: usize) -> (Self, Vec<Node>, Vec<Value>) {
        let place = Place::on(backend, &[("SERVER__PUBLIC_URL", "http://localhost")]).await;
        let raised = join_all((0..count).map(|_| place.node(&[]))).await;
        let (mut nodes, told): (Vec<_>, Vec<_>) = raised.into_iter().unzip();
        let first = told.iter().position(|told| told["secret_key"].is_string());
        let first = first.expect("one of them tells the secrets");
        (
            Self::of(place, nodes.remove(first), &told[first]),
            nodes,
            told,
        )
    }

    fn of(place: Place, node: Node, told: &Value) -> Self {
        Self {
            own: Estate::of(told),
            platform: Door::of(&told["platform"], &told["platform"], "env_id"),
            operator: Login::of(&told["admin"]),
            clock: place.clock.clone(),
            node,
            place,
        }
    }

    /// Another process on the same database, configured as the first one but for `settings`.
    pub async fn another_node(&self, settings: &[(&str, &str)]) -> Node {
        // Clients know one address, whichever node answers: it is the issuer of every token.
        let url = self.foundation().tokens.issuer.clone();
        let settings = [settings, &[("SERVER__PUBLIC_URL", &url)]].concat();
        self.place.node(&settings).await.0
    }

    /// Another app, made as `authsome bootstrap --app NAME` makes one.
    pub async fn founds(&self, name: &str) -> Estate {
        let app = Some(Label::parse(name).expect("a name for an app"));
        let wanted = Wanted {
            app,
            ..Wanted::default()
        };
        let report = self
            .foundation()
            .bootstrap(&wanted)
            .await
            .expect("an app can be made");
        Estate::of(&serde_json::to_value(report).expect("a report is JSON"))
    }

    /// How many verbs `asking` costs the store. Of several tries the fewest: the node itself asks
    /// for revocations four times a second on SQLite, and what is in memory for a second may be asked
    /// for again.
    pub async fn calls_for(&self, asking: impl AsyncFn()) -> u64 {
        let mut fewest = u64::MAX;
        for _ in 0..20 {
            let before = self.store().calls();
            asking().await;
            fewest = fewest.min(self.store().calls() - before);
            if fewest == 0 {
                break;
            }
        }
        fewest
    }

    /// Ends what its node does beside requests.
    pub async fn falls_silent(&self) {
        self.node.falls_silent().await;
    }

    /// How its nodes are configured.
    pub(super) fn settings(&self) -> &Settings {
        &self.place.settings
    }

    /// Where its database is.
    pub fn location(&self) -> &Location {
        &self.place.location
    }

    /// Where its letters are put, as files.
    pub fn mail(&self) -> &Path {
        self.place.mail.path()
    }

    /// What opens sealed documents.
    pub fn key_ring(&self) -> KeyRing {
        let mut settings = self.place.settings.iter();
        let (_, key) = settings
            .find(|(name, _)| name == "SECURITY__ENCRYPTION_KEY")
            .expect("a key");
        KeyRing::parse(key).expect("the key of a test is good")
    }

    /// What the first node stands on.
    pub fn foundation(&self) -> &Foundation {
        &self.node.foundation
    }

    pub fn store(&self) -> &Store {
        &self.node.foundation.store
    }

    pub fn client(&self) -> &Client {
        self.node.client()
    }
}

/// Without a credential, and without a publishable key.
impl Asks for TestApp {
    fn request(&self, method: &str, path: &str) -> Request {
        self.client().request(method, path)
    }
}

impl Place {
    async fn on(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let (store, guard) = place(backend);
        let entropy = Entropy::seeded(seed());
        let mut all = secrets(&entropy);
        all.push(("STORE__URL".to_owned(), url_of(&store.location)));
        all.push(("SERVER__WORKERS".to_owned(), "2".to_owned()));
        let mail = TempDir::new().expect("a folder for letters");
        all.push((
            "MAIL__URL".to_owned(),
            format!("file:{}", mail.path().display()),
        ));
        let all = changed(all, &WIDE);
        Self {
            settings: changed(all, settings),
            clock: Clock::frozen(NEW_YEAR),
            entropy,
            mail,
            _plans: Plans::of(&store.location).await,
            location: store.location,
            _guard: guard,
        }
    }

    /// One more node here, configured as all but for `settings`; and what its start told.
    async fn node(&self, settings: &[(&str, &str)]) -> (Node, Value) {
        let settings = changed(self.settings.clone(), settings);
        let world = World {
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        };
        Node::raise(configured(&settings), world).await
    }
}

impl Estate {
    fn of(told: &Value) -> Self {
        let door = |slug: &str| {
            let all = told["environments"].as_array().into_iter().flatten();
            let one = all.into_iter().find(|one| one["slug"] == slug);
            Door::of(one.expect("an app has this environment"), told, "id")
        };
        Self {
            production: door("production"),
            development: door("development"),
        }
    }
}

impl Door {
    fn of(told: &Value, app: &Value, id: &str) -> Self {
        Self {
            app_id: text(&app["app_id"]),
            env_id: text(&told[id]),
            publishable_key: text(&told["publishable_key"]),
            secret_key: told["secret_key"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// `?app_id=…&env_id=…`, as an operator names it.
    pub fn query(&self) -> String {
        format!("?app_id={}&env_id={}", self.app_id, self.env_id)
    }
}

impl Login {
    fn of(told: &Value) -> Self {
        let (user_id, email) = (text(&told["user_id"]), text(&told["email"]));
        Self {
            user_id,
            email,
            password: text(&told["password"]),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Waits for what one node hears of another: within a second, and at most five on a busy machine.
pub async fn eventually(claim: impl AsyncFn() -> bool) {
    let until = Instant::now() + Duration::from_secs(5);
    while !claim().await {
        assert!(Instant::now() < until, "it has not come true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The same for every run of a test, and another for every test.
fn seed() -> u64 {
    let thread = thread::current();
    let name = thread.name().unwrap_or_default().bytes();
    name.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn secrets(entropy: &Entropy) -> Settings {
    let names = ["ENCRYPTION_KEY", "REFRESH_SECRET", "PEPPER"];
    names
        .map(|name| (format!("SECURITY__{name}"), entropy.token()))
        .to_vec()
}

pub(super) fn changed(mut all: Settings, settings: &[(&str, &str)]) -> Settings {
    all.retain(|(name, _)| settings.iter().all(|(changed, _)| changed != name));
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    all.extend(settings.iter().map(own));
    all
}

/// Read as the process reads its environment; the file of whoever runs the test does not count.
pub(super) fn configured(settings: &Settings) -> Config {
    let environment = settings
        .iter()
        .map(|(name, value)| (format!("AUTHSOME_{name}").into(), value.into()));
    let config = Config::load(Some(Path::new("/dev/null")), environment);
    let mut config = config.expect("the settings of a test are good");
    if settings.iter().all(|(name, _)| name != COST) {
        config.security.bcrypt_cost = LEAST_COST;
    }
    config
}

pub(super) fn url_of(location: &Location) -> String {
    match location {
        Location::Sqlite(path) => format!("sqlite:{}", path.display()),
        Location::Memory => "sqlite::memory:".to_owned(),
        Location::Mongo(url) => url.clone(),
    }
}

/// A server with the limit on letters of everyday.
pub struct LimitedLetters(pub TestApp);

impl LimitedLetters {
    pub async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[("LIMITS__LETTERS", "3/10m,10/1d")]).await)
    }
}
