//! What the database says afterwards: for what the API does not show, or must not.

use authsome::apps::App;
use authsome::credentials::{self, Credential, Share};
use authsome::events::{Event, Name};
use authsome::kernel::id::{AppId, UserId};
use authsome::kernel::metadata::Metadata;
use authsome::kernel::password::Password;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::text::Email;
use authsome::sessions::{self, Session};
use authsome::store::{Entity, Field, Filter, OfApp, OfEnvironment, Query, by_id};
use authsome::users::{self, NewUser, User};

use super::app::{Door, TestApp};

const PASSWORD_HASH: Field<Credential, String> = Field::at("password_hash");
const BANNED: Field<User, bool> = Field::at("banned");
const USER_ID: Field<Credential, UserId> = Field::at("user_id");

impl Door {
    pub fn tenant(&self) -> Tenant {
        let (app_id, env_id) = (self.app_id.parse(), self.env_id.parse());
        Tenant {
            app_id: app_id.expect("an app"),
            env_id: env_id.expect("an environment"),
        }
    }

    pub fn app(&self) -> AppId {
        self.tenant().app_id
    }
}

impl TestApp {
    /// The events of one name in an environment, oldest first; within a millisecond in any order.
    pub async fn events(&self, door: &Door, name: Name) -> Vec<Event> {
        let mut all: Vec<Event> = self.of_environment(door).await;
        all.retain(|event| event.name == name);
        all.sort_by_key(|event| event.created_at);
        all
    }

    /// Everything of one kind that an app has.
    pub async fn of_app<E: Entity<Owner = OfApp>>(&self, door: &Door) -> Vec<E> {
        let mut once = self.store().once();
        once.within(door.app())
            .find(Query::of(Filter::all()))
            .await
            .expect("the store answers")
    }

    /// Everything of one kind that an environment has.
    pub async fn of_environment<E: Entity<Owner = OfEnvironment>>(&self, door: &Door) -> Vec<E> {
        let mut once = self.store().once();
        once.within(door.tenant())
            .find(Query::of(Filter::all()))
            .await
            .expect("the store answers")
    }

    /// How many administrators the app behind a door believes to have.
    pub async fn guardians(&self, door: &Door) -> i64 {
        let mut once = self.store().once();
        let found = once.shared().find_one::<App>(by_id(door.app())).await;
        let app = found.expect("the store answers").expect("the app is there");
        app.guardian_count
    }

    /// The sessions of a user that are stored, those that have ended included.
    pub async fn sessions_of(&self, door: &Door, user_id: &str) -> Vec<Session> {
        let mut once = self.store().once();
        let user = user_id.parse().expect("a user");
        let found = sessions::of_user(&mut once.within(door.app()), user, 1_000).await;
        found.expect("the store answers")
    }

    pub async fn user_count(&self, door: &Door) -> usize {
        self.of_app::<User>(door).await.len()
    }

    /// Bans a user and leaves him his sessions, as only somebody with the database in hand can.
    pub async fn bans_by_hand(&self, door: &Door, user_id: &str) {
        let mut once = self.store().once();
        let changed = once
            .within(door.app())
            .update_one(by_id(user_id.to_owned()), BANNED.set(true))
            .await;
        assert!(
            changed.expect("the store answers").is_some(),
            "no such user"
        );
    }

    /// Gives an app, where nobody can sign up, an account.
    pub async fn appoints(&self, door: &Door, email: &str, password: &str) -> UserId {
        let foundation = self.foundation();
        let made = (foundation.world.clock.now(), &foundation.world.entropy);
        let hash = foundation
            .hasher
            .hash(
                Share::Installation,
                Password::parse(password).expect("a password"),
            )
            .await;
        let new = NewUser {
            email: Email::parse(email).expect("an address"),
            email_verified: true,
            phone: None,
            username: None,
            first_name: None,
            last_name: None,
            roles: Vec::new(),
            metadata: Metadata::default(),
        };
        let mut once = self.store().once();
        let mut tx = once.within(door.app());
        let user = users::create(&mut tx, door.app(), new, made)
            .await
            .expect("a new user");
        let owner = (door.app(), user.id);
        let hash = hash.expect("idle threads");
        credentials::create(&mut tx, owner, hash, made)
            .await
            .expect("a new password");
        user.id
    }

    /// Does what a node does for apps that close.
    pub async fn tends_apps(&self) {
        let authsome = self.foundation().raise().await.expect("a node");
        let tended = authsome.look_after_apps(self.clock.now()).await;
        tended.expect("the store answers");
    }

    /// Takes a user's password away, as an account has none that was made by a link.
    pub async fn loses_password(&self, door: &Door, user_id: &str) {
        let mut once = self.store().once();
        let user = user_id.parse().expect("a user");
        let forgotten = credentials::forget(&mut once.within(door.app()), user).await;
        forgotten.expect("the store answers");
    }

    /// The hash of a user's password, as it is stored.
    pub async fn hash_of(&self, door: &Door, user_id: &str) -> String {
        let mut once = self.store().once();
        let found = once.within(door.app()).find_one(of_user(user_id)).await;
        let credential = found.expect("the store answers").expect("a password");
        let hash = serde_json::to_value(credential.password_hash).expect("a hash is a text");
        hash.as_str().map(str::to_owned).expect("a hash is a text")
    }

    /// What only somebody with the database in hand can do.
    pub async fn damages_hash_of(&self, door: &Door, user_id: &str, hash: &str) {
        let mut once = self.store().once();
        let damage = PASSWORD_HASH.set(hash.to_owned());
        let changed = once
            .within(door.app())
            .update_one(of_user(user_id), damage)
            .await;
        assert!(
            changed.expect("the store answers").is_some(),
            "no such password"
        );
    }
}

fn of_user(user_id: &str) -> Filter<Credential> {
    USER_ID.eq(user_id.parse().expect("a user"))
}
