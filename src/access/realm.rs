//! Realms: where a permission counts.
//!
//! What somebody may do in an app follows from his roles there, which his token carries. What he
//! may do in an organisation follows from his place in it as well.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a permission counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Realm {
    App,
    Organization,
}

/// The realm of an app: its users, environments and settings.
#[derive(Clone, Copy, Debug)]
pub struct InApp;

/// The realm of one organisation.
#[derive(Clone, Copy, Debug)]
pub struct InOrganization;

impl InApp {
    pub(super) const REALM: Realm = Realm::App;
}

impl InOrganization {
    pub(super) const REALM: Realm = Realm::Organization;
}
