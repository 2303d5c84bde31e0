//! An organisation in which people have roles of their own making, and teams.
//!
//! ```ignore
//! let mia = acme.joined("mia@example.org", &["viewer"]).await;
//! let team = acme.team("Design", &["admin"]).await;
//! acme.puts(&mia, &team, "lead").await.expect(201);
//! ```

use authsome::access::{OrgRole, Pattern};
use authsome::events::{Event, Name};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::{OrgId, RoleId, TeamId};
use authsome::kernel::text::{Label, Slug, Word};
use authsome::memberships::{self, Team};
use authsome::rbac::{self, CustomRole, Scope};
use authsome::store::{Entity, Field, OfEnvironment, Query, StoreError};
use serde_json::{Value, json};

use super::app::{Door, TestApp};
use super::client::{Asks, Request};
use super::orgs::{Org, text};
use super::persona::Person;
use super::stores::Backend;

/// An organisation in development, and who has founded it.
#[derive(Debug)]
pub struct Acme {
    pub app: TestApp,
    pub owner: Person,
    pub org: Org,
}

/// A person in the organisation, with tokens for it.
#[derive(Debug)]
pub struct Colleague {
    pub person: Person,
    pub member_id: String,
}

impl TestApp {
    /// A role of an organisation, or of the app, that amounts to these permissions.
    pub async fn defines(
        &self,
        door: &Door,
        org: Option<&Org>,
        name: &str,
        permissions: &[(&str, &str)],
    ) -> String {
        let (tenant, now) = (door.tenant(), self.clock.now());
        let entropy = Entropy::system();
        let org = org.map(|org| org.id.parse().expect("an organisation"));
        let pattern = |(resource, action): &(&str, &str)| Pattern {
            resource: (*resource).to_owned(),
            action: (*action).to_owned(),
        };
        let role = CustomRole {
            id: RoleId::new(now, &entropy),
            app_id: tenant.app_id,
            scope: org.map_or(Scope::App, |_| Scope::Organization),
            env_id: org.map(|_| tenant.env_id),
            org_id: org,
            name: Word::parse(name).expect("a name for a role"),
            description: None,
            parent_id: None::<OrgRole>,
            permissions: permissions.iter().map(pattern).collect(),
            created_at: now,
            updated_at: now,
        };
        let written = self.store().write(async |tx| {
            rbac::insert(&mut tx.within(tenant), &role).await?;
            if let Some(org) = org {
                let mut tx = tx.within(tenant);
                memberships::own_roles_changed(&mut tx, org, (now, &entropy)).await?;
            } else {
                let mut tx = tx.within(tenant.app_id);
                rbac::app_roles_changed(&mut tx, (now, &entropy)).await?;
            }
            Ok::<_, StoreError>(())
        });
        written.await.expect("the store answers");
        role.id.to_string()
    }

    /// Teams that nobody has made by asking, which give these roles; all of one instant.
    pub async fn teams_at_once(
        &self,
        (door, org): (&Door, &Org),
        count: usize,
        roles: &[&str],
    ) -> Vec<Value> {
        let (tenant, now) = (door.tenant(), self.clock.now());
        let (org, entropy) = (org.id.parse().expect("one"), Entropy::system());
        let roles = roles.iter().map(|role| role.parse().expect("a role"));
        let roles: Vec<OrgRole> = roles.collect();
        // First and last are at the ends of whatever order they are found in: also of their slugs.
        let mut ids: Vec<TeamId> = (0..count).map(|_| TeamId::new(now, &entropy)).collect();
        ids.sort();
        let team = |(number, id): (usize, TeamId)| Team {
            id,
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            org_id: org,
            name: Label::parse("Crowd").expect("a name"),
            slug: Slug::parse(&format!("crowd-{number:03}")).expect("a slug"),
            description: None,
            roles: roles.clone(),
            created_at: now,
            updated_at: now,
        };
        let teams: Vec<Team> = ids.into_iter().enumerate().map(team).collect();
        let written = self.store().write(async |tx| {
            let mut tx = tx.within(tenant);
            for team in &teams {
                memberships::insert_team(&mut tx, team).await?;
            }
            Ok::<_, StoreError>(())
        });
        written.await.expect("the store answers");
        teams.iter().map(|team| json!({"id": team.id})).collect()
    }
}

impl Acme {
    pub async fn on(backend: Backend) -> Self {
        Self::of(TestApp::on(backend).await, "olga@example.org").await
    }

    /// The same, founded by somebody of this address.
    pub async fn of(app: TestApp, owner: &str) -> Self {
        let owner = app.person(owner).await;
        let org = app.org("acme", &owner).await;
        let _ = owner.switches_to(Some(&org)).await.expect(200);
        Self { app, owner, org }
    }

    /// Below the organisation.
    pub fn at(&self, path: &str) -> String {
        self.org.path(path)
    }

    /// Makes somebody new a member with these roles.
    pub async fn joined(&self, email: &str, roles: &[&str]) -> Colleague {
        let person = self.app.person(email).await;
        let member_id = self.org.takes(&person, roles).await;
        let _ = person.switches_to(Some(&self.org)).await.expect(200);
        Colleague { person, member_id }
    }

    /// A role of the organisation that amounts to these permissions.
    pub async fn defines(&self, name: &str, permissions: &[(&str, &str)]) -> String {
        let (door, org) = (&self.owner.door, Some(&self.org));
        self.app.defines(door, org, name, permissions).await
    }

    /// Removes a role of the organisation without a look at who has it.
    pub async fn forgets_role(&self, id: &str) {
        let (tenant, now) = (self.owner.door.tenant(), self.app.clock.now());
        let id: RoleId = id.parse().expect("a role");
        let org = self.org.id.parse().expect("an organisation");
        let entropy = Entropy::system();
        let dropped = self.app.store().write(async |tx| {
            let mut tx = tx.within(tenant);
            let role: Option<CustomRole> = rbac::get(&mut tx, id, Some(org)).await?;
            rbac::remove(&mut tx, &role.expect("a role")).await?;
            memberships::own_roles_changed(&mut tx, org, (now, &entropy)).await?;
            Ok::<_, StoreError>(())
        });
        dropped.await.expect("the store answers");
    }

    /// The events of this name that the organisation's record has.
    pub async fn told(&self, name: Name) -> Vec<Event> {
        let mut told = self.app.events(&self.owner.door, name).await;
        told.retain(|it| it.org_id.is_some_and(|id| id.to_string() == self.org.id));
        told
    }

    /// Everything of a kind that is part of the organisation, as it is stored.
    pub async fn parts<E: Entity<Owner = OfEnvironment>>(&self) -> Vec<E> {
        let org: OrgId = self.org.id.parse().expect("an organisation");
        let own = Field::<E, OrgId>::at("org_id").eq(org);
        let mut once = self.app.store().once();
        let mut tx = once.within(self.owner.door.tenant());
        let found = tx.find(Query::of(own)).await;
        found.expect("the store answers")
    }

    /// Makes a team that gives these roles.
    pub async fn team(&self, name: &str, roles: &[&str]) -> Value {
        let new = json!({"name": name, "roles": roles});
        let made = self.owner.post(&self.at("/teams")).json(new).await;
        made.told(201)
    }

    /// Where a team is.
    pub fn of_team(&self, team: &Value) -> String {
        self.at(&format!("/teams/{}", text(&team["id"])))
    }

    /// Puts a member into a team, as its owner does.
    pub fn puts(&self, whom: &Colleague, team: &Value, role: &str) -> Request {
        let new = json!({"member_id": whom.member_id, "role": role});
        self.owner
            .post(&format!("{}/members", self.of_team(team)))
            .json(new)
    }
}
