//! Who is in which organisation, and as what: organisations, members, teams, and the rights that
//! follow.
//!
//! ```text
//! user ──Member──▶ organisation ◀── Team ◀──TeamMember── member
//!        roles                      roles      lead or member
//!          └───────────────┬──────────┘
//!                    [`Standing`]: what he may do there, by the organisation's own policy
//! ```
//!
//! Every unit of work that changes something in an organisation changes the document of the
//! organisation ([`changed`]): so its owners and its seats are counted in one place, nothing is
//! written into an organisation that is being deleted, and of two changes at once one sees the
//! other. Whoever is given a place is held ([`crate::users::hold`]), so that nobody who leaves keeps
//! one. An organisation has an owner who can act, always: he who would be the last stays, and a ban
//! that has run out is lifted before anything depends on whose it was.
//! Documents, queries and these rules are here; the verbs are in `orgs`, `teams` and `invitations`.

mod authority;
mod entering;
mod footings;
mod holders;
mod invitations;
mod joining;
mod leaving;
mod owners;
mod record;
mod repo;
mod revoking;
mod roles;
mod standing;
mod teams;

pub use self::authority::{Authority, Inviter};
pub use self::entering::{EnterError, Memberships, changed, places};
pub use self::footings::Footings;
pub use self::holders::{Holders, Reached, exchange_role, holders, reached_by};
pub use self::invitations::{ALREADY_INVITED, Invitation, InvitationStatus};
pub use self::joining::{JoinError, NewMember, found, join};
pub use self::leaving::{LeaveError, forget, leave};
pub use self::owners::{ban_owner, lift_ban};
pub use self::record::{
    ALREADY_IN_TEAM, Member, Organization, SLUG_TAKEN, TEAM_SLUG_TAKEN, Team, TeamMember,
};
pub use self::repo::{
    OrganizationChanges, all_changed, by_slug, get, member, member_of, members, memberships_of,
    of_user, only_one, organization_count, organizations, own_roles_changed, remove, update,
};
pub use self::revoking::{revoke_reached, revoke_team};
pub use self::roles::{GrantError, change_roles, set_roles};
pub use self::standing::{Place, Standing};
pub use self::teams::{
    TeamChanges, add_team_member, all_teams_of, insert_team, move_team_member, remove_team,
    remove_team_member, team, team_count, team_member, team_member_count, team_members, teams,
    teams_by_id, update_team,
};
