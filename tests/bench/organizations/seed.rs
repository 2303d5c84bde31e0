//! A town: organisations with their roles and members, written straight through the store's port.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authsome::access::{OrgRole, Pattern};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{AccessTokenId, MemberId, OrgId, PolicyId, RoleId, SessionId, UserId};
use authsome::kernel::metadata::Metadata;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::text::{Email, Label, Slug, Word};
use authsome::kernel::time::{Clock, Timestamp};
use authsome::memberships::{Member, Organization};
use authsome::rbac::{self, CustomRole, RegisteredResource, Scope};
use authsome::sessions::Session;
use authsome::store::{Entity, Reaches, Store, StoreSettings};
use authsome::users::{self, NewUser, User};
use futures_util::StreamExt;
use futures_util::stream::iter;

use crate::server::Running;

/// How much of a town is made.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub organizations: usize,
    /// People who never sign in.
    pub members: usize,
    /// How many of them are in the first organisation, whose list is asked for.
    pub in_the_first: usize,
    /// Whether each of them has a session all the same.
    pub sessions: bool,
}

const RESOURCES: [&str; 5] = ["documents", "invoices", "projects", "reports", "tickets"];
const ACTIONS: [&str; 4] = ["read", "write", "share", "delete"];
const ROLES: [&str; 4] = ["authors", "auditors", "managers", "guests"];
const RULES_OF_A_ROLE: usize = 5;

/// How many organisations somebody who signs in is in.
const OF_A_GUEST: usize = 64;

/// A day has more milliseconds than a town has things.
const LONG_AGO: Duration = Duration::from_hours(24);
const A_MONTH: Duration = Duration::from_hours(30 * 24);

/// How many documents are one unit of work, and how many units are under way at once.
const BATCH: usize = 1_000;
const AT_ONCE: usize = 4;

/// What was made, and where.
pub struct Town {
    pub store: Store,
    pub tenant: Tenant,
    pub organizations: Vec<Organization>,
    pub resources: Vec<RegisteredResource>,
    /// The organisations of each person who signs in, the first of all among them.
    pub of_guests: Vec<Vec<OrgId>>,
}

/// Time and chance of what is made.
struct Maker {
    tenant: Tenant,
    now: Timestamp,
    entropy: Entropy,
    /// How many things were made.
    count: AtomicU64,
}

impl Town {
    /// Organisations for everybody, and for `guests`, who have accounts already.
    pub async fn of(running: &Running, plan: Plan, guests: &[UserId]) -> Self {
        let settings = StoreSettings::at(running.location.clone());
        let store = Store::open(&settings).await.expect("the server's store");
        let tenant = running.tenant;
        let maker = Maker {
            tenant,
            now: Clock::system().now(),
            entropy: Entropy::system(),
            count: AtomicU64::default(),
        };
        let resources = maker.registers(&store).await;
        maker.verifies(&store, guests).await;
        let count = plan.organizations;
        let users = maker.users(&store, plan.members).await;
        let mut organizations: Vec<_> = (0..count).map(|at| maker.organization(at)).collect();
        let mut members: Vec<Member> = Vec::with_capacity(plan.members);
        for (number, user) in users.into_iter().enumerate() {
            // The first as planned, and the rest in equal parts, one organisation after another.
            let rest = number.checked_sub(plan.in_the_first);
            let at = rest.map_or(0, |rest| rest * count / plan.members);
            members.push(maker.member(&mut organizations[at], user));
        }
        let (of_guests, places) = maker.guests(&mut organizations, guests);
        members.extend(places);
        let roles = organizations.iter().flat_map(|it| maker.roles(it.id));
        write(&store, tenant, &roles.collect::<Vec<_>>()).await;
        write(&store, tenant, &organizations).await;
        write(&store, tenant, &members).await;
        if plan.sessions {
            for some in members.chunks(BATCH * AT_ONCE) {
                let sessions = some.iter().map(|it| maker.session(it.user_id));
                write(&store, tenant, &sessions.collect::<Vec<_>>()).await;
            }
        }
        Self {
            store,
            tenant,
            organizations,
            resources,
            of_guests,
        }
    }
}

impl Maker {
    /// One after another, as things come in life: identifiers begin with their time, and a database
    /// that is given millions of them in no order writes whole indexes anew.
    fn moment(&self) -> Timestamp {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let began = self.now.minus(LONG_AGO);
        began.plus(Duration::from_millis(count))
    }

    async fn registers(&self, store: &Store) -> Vec<RegisteredResource> {
        let resource = |name: &str| RegisteredResource {
            name: word(name),
            actions: ACTIONS.map(word).to_vec(),
            description: None,
        };
        let all = RESOURCES.map(resource).to_vec();
        let made = (self.now, &self.entropy);
        let mut once = store.once();
        let mut tx = once.within(self.tenant.app_id);
        let registered = rbac::replace_catalogue(&mut tx, all.clone(), made).await;
        registered.expect("a catalogue");
        all
    }

    /// Those who have accounts have proven their addresses, as people do on their first day.
    async fn verifies(&self, store: &Store, guests: &[UserId]) {
        for id in guests {
            let proven = store.write(async |tx| {
                let mut tx = tx.within(self.tenant.app_id);
                let guest = users::get(&mut tx, *id).await?.expect("an account");
                users::verify_email(&mut tx, (guest.id, &guest.email), self.now).await
            });
            proven.await.expect("a proven address");
        }
    }

    async fn users(&self, store: &Store, count: usize) -> Vec<UserId> {
        let numbers: Vec<(usize, Timestamp)> = (0..count).map(|it| (it, self.moment())).collect();
        let batches = iter(numbers.chunks(BATCH)).map(async |batch| {
            let app = self.tenant.app_id;
            let made = |(number, moment)| new_user(number).made(app, moment, &self.entropy);
            let made: Vec<User> = batch.iter().copied().map(made).collect();
            let written = store.write(async |tx| {
                let mut tx = tx.within(app);
                users::create_all(&mut tx, &made).await
            });
            written.await.expect("users");
            made.iter().map(|user| user.id).collect()
        });
        let made: Vec<Vec<UserId>> = batches.buffered(AT_ONCE).collect().await;
        made.concat()
    }

    fn organization(&self, number: usize) -> Organization {
        Organization {
            id: OrgId::new(self.moment(), &self.entropy),
            app_id: self.tenant.app_id,
            env_id: self.tenant.env_id,
            name: Label::parse(&format!("Organisation {number}")).expect("a name"),
            slug: Slug::parse(&format!("organisation-{number}")).expect("a slug"),
            logo: None,
            metadata: Metadata::default(),
            created_by: None,
            owner_count: 0,
            member_count: 0,
            max_members: None,
            version: 1,
            policy_id: Some(PolicyId::new(self.moment(), &self.entropy)),
            created_at: self.now,
            updated_at: self.now,
        }
    }

    /// The organisations of each guest, spread over all, and his places in them.
    fn guests(
        &self,
        organizations: &mut [Organization],
        guests: &[UserId],
    ) -> (Vec<Vec<OrgId>>, Vec<Member>) {
        let count = organizations.len();
        let step = (count / OF_A_GUEST).max(1);
        let (mut of_guests, mut members) = (Vec::new(), Vec::new());
        for (guest, user) in guests.iter().enumerate() {
            let spread = (0..OF_A_GUEST).map(|place| (place * step + guest) % count);
            let places: BTreeSet<usize> = spread.chain([0]).collect();
            of_guests.push(places.iter().map(|at| organizations[*at].id).collect());
            let places = places.into_iter();
            members.extend(places.map(|at| self.member(&mut organizations[at], *user)));
        }
        (of_guests, members)
    }

    /// The first is the owner.
    fn member(&self, organization: &mut Organization, user_id: UserId) -> Member {
        let is_first = organization.member_count == 0;
        organization.member_count += 1;
        organization.owner_count = 1;
        Member {
            id: MemberId::new(self.moment(), &self.entropy),
            app_id: self.tenant.app_id,
            env_id: self.tenant.env_id,
            org_id: organization.id,
            user_id,
            roles: vec![if is_first {
                OrgRole::OWNER
            } else {
                OrgRole::MEMBER
            }],
            invited_by: None,
            created_at: self.now,
            updated_at: self.now,
        }
    }

    /// A session as it is after a sign-in, whose refresh token nobody has.
    fn session(&self, user_id: UserId) -> Session {
        let token = AccessTokenId::new(self.moment(), &self.entropy);
        Session {
            id: SessionId::new(self.moment(), &self.entropy),
            app_id: self.tenant.app_id,
            env_id: self.tenant.env_id,
            user_id,
            org_id: None,
            token,
            refresh_token: format!("{:0>64}", token.to_string()),
            generation: 0,
            amr: vec!["pwd".to_owned()],
            auth_time: self.now,
            ip_address: Some("127.0.0.1".to_owned()),
            user_agent: None,
            device_id: None,
            last_activity_at: self.now,
            expires_at: self.now.plus(A_MONTH),
            impersonated_by: None,
            impersonator_session_id: None,
            impersonation_reason: None,
            impersonations: Vec::new(),
            revoked_at: None,
            revoke_reason: None,
            created_at: self.now,
            updated_at: self.now,
        }
    }

    fn roles(&self, org: OrgId) -> Vec<CustomRole> {
        let role = |(at, name): (usize, &str)| CustomRole {
            id: RoleId::new(self.moment(), &self.entropy),
            app_id: self.tenant.app_id,
            scope: Scope::Organization,
            env_id: Some(self.tenant.env_id),
            org_id: Some(org),
            name: word(name),
            description: None,
            parent_id: None,
            permissions: (0..RULES_OF_A_ROLE).map(|line| pattern(at, line)).collect(),
            created_at: self.now,
            updated_at: self.now,
        };
        ROLES.into_iter().enumerate().map(role).collect()
    }
}

fn pattern(role: usize, line: usize) -> Pattern {
    Pattern {
        resource: RESOURCES[line % RESOURCES.len()].to_owned(),
        action: ACTIONS[(role + line) % ACTIONS.len()].to_owned(),
    }
}

fn new_user(number: usize) -> NewUser {
    NewUser {
        email: Email::parse(&format!("resident{number:07}@example.org")).expect("an address"),
        email_verified: true,
        phone: None,
        username: None,
        first_name: None,
        last_name: None,
        roles: Vec::new(),
        metadata: Metadata::default(),
    }
}

fn word(text: &str) -> Word {
    Word::parse(text).expect("a word")
}

async fn write<E: Entity>(store: &Store, tenant: Tenant, all: &[E])
where
    Tenant: Reaches<E::Owner>,
{
    let batches = iter(all.chunks(BATCH)).for_each_concurrent(AT_ONCE, async |batch| {
        let written = store.write(async |tx| {
            let mut tx = tx.within(tenant);
            tx.insert_all(batch).await
        });
        written.await.expect("documents");
    });
    batches.await;
}
