//! Users: the people of an app, each by one e-mail address.
//!
//! An address, a phone number and a username are unique within the app. Roles are `USER` for
//! everybody and what an administrator adds; nobody grants or takes what he does not hold, and the
//! last holder of the app's guarding role keeps it. Whoever is deleted is found by nothing here.
//!
//! ```text
//! active ◀──unban, or ban_expires──ban──▶ banned        [`User::may_sign_in`] is the one rule
//!    └────────────────delete────────────────┴──▶ deleted
//! ```
//!
//! Not here: passwords ([`crate::credentials`]), signing in ([`crate::sessions`]), and what else
//! happens when somebody is banned or goes (`departures`).

mod api;
mod crowd;
#[cfg(test)]
mod fuzz;
mod list;
mod record;
mod repo;
mod service;

pub use self::api::{UserView, image_url, routes};
pub use self::crowd::{Counts, Taken, counts, create_all, made_between, page, taken};
pub use self::record::{
    AccountChanges, Ban, EMAIL_TAKEN, NewUser, PHONE_TAKEN, ProfileChanges, Standing, Status,
    USERNAME_TAKEN, User,
};
pub use self::repo::{
    ban, bump_rights, by_email, by_ids, by_phone, by_username, change_email, contest, create,
    erase, first_with_role, get, hold, hold_by_email, password_changed, reclaim, signs_in, unban,
    update_account, update_profile, verify_email, with_role,
};
pub use self::service::{
    Recent, UserError, UserQuery, Users, WantedRoles, assign_roles, outranks, refuse_roles_not_held,
};
