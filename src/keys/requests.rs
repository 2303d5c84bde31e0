//! What clients send about keys.

use std::ops::RangeInclusive;
use std::time::Duration;

use utoipa::{IntoParams, ToSchema};

use super::changing::{Rotation, WantedChanges};
use super::making::{Term, WantedKey, Whose};
use crate::access::Pattern;
use crate::api_keys::OwnerKind;
use crate::http::{Fields, FromFields, Paging};
use crate::kernel::id::OrgId;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;

/// How many scopes a key has at most, and how long they are together: a token says them all.
const MOST_SCOPES: usize = 50;
const LONGEST_SCOPES: usize = 1024;

const MOST_ROLES: usize = 10;
const MOST_USES: u32 = 1_000_000_000;

/// Of seconds, as far as a field takes them.
const SECONDS: RangeInclusive<u32> = 1..=u32::MAX;

/// A key to make.
#[derive(Debug, ToSchema)]
pub(super) struct NewApiKey {
    name: Label,
    /// What it is good for at most: permissions such as `members:read`, `documents:*`, `*:*`. A `*`
    /// does not cover making keys or acting as others, which must be named: `api_keys:own`,
    /// `api_keys:manage`, `service_accounts:manage`, `organization_keys:manage`, `users:impersonate`.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50)]
    scopes: Vec<Pattern>,
    /// When it is to be over. Neither this nor `expires_in`: in 90 days.
    #[schema(nullable = false)]
    expires_at: Option<Timestamp>,
    /// The same in seconds from now.
    #[schema(nullable = false, minimum = 1)]
    expires_in: Option<u32>,
    /// The organisation whose key it is to be, whoever stays in it.
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    /// Whose it is to be otherwise: one's own (`user`), or the environment's.
    #[schema(nullable = false)]
    owner: Option<OwnerKind>,
    /// What a key of the environment is in the app, such as `ADMIN`.
    #[schema(nullable = false, max_items = 10)]
    roles: Option<Vec<String>>,
    /// How often it can be used; absent: any number of times. Each request that it authenticates is a
    /// use, also one that is refused or finds nothing; a stream is one, however long it goes on.
    #[schema(nullable = false, minimum = 1, maximum = 1_000_000_000)]
    remaining_uses: Option<u32>,
}

/// A key of a service account to make.
#[derive(Debug, ToSchema)]
pub struct NewAccountKey {
    name: Label,
    /// What it is good for at most, as of any key.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50)]
    scopes: Vec<Pattern>,
    /// When it is to be over. Neither this nor `expires_in`: in 90 days.
    #[schema(nullable = false)]
    expires_at: Option<Timestamp>,
    /// The same in seconds from now.
    #[schema(nullable = false, minimum = 1)]
    expires_in: Option<u32>,
    /// How often it can be used; absent: any number of times. Each request that it authenticates is a
    /// use, also one that is refused or finds nothing; a stream is one, however long it goes on.
    #[schema(nullable = false, minimum = 1, maximum = 1_000_000_000)]
    remaining_uses: Option<u32>,
}

/// What is to become of a key.
#[derive(Debug, ToSchema)]
pub(super) struct ApiKeyPatch {
    #[schema(nullable = false)]
    name: Option<Label>,
    /// In place of all that it has.
    #[schema(value_type = Option<Vec<String>>, nullable = false, min_items = 1, max_items = 50)]
    scopes: Option<Vec<Pattern>>,
    /// Earlier than it was.
    #[schema(nullable = false)]
    expires_at: Option<Timestamp>,
}

/// How a key is to be given another secret.
#[derive(Debug, ToSchema)]
#[schema(as = ApiKeyRotation)]
pub(super) struct KeyRotation {
    /// How long the secret before is good still; seven days at most, also where more is said, and no
    /// longer than it was or the key is. Absent: not at all.
    #[schema(nullable = false)]
    grace_seconds: Option<u32>,
    /// When the key is to be over, be it sooner or later than it would have been. Neither this nor
    /// `expires_in`: then.
    #[schema(nullable = false)]
    expires_at: Option<Timestamp>,
    /// The same in seconds from now.
    #[schema(nullable = false, minimum = 1)]
    expires_in: Option<u32>,
}

/// Whose keys, and which page of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct KeysQuery {
    #[param(ignore)]
    pub paging: Paging,
    /// Those of this organisation.
    #[param(value_type = Option<OrgId>, nullable = false)]
    org_id: Option<OrgId>,
    /// Those of the environment, or one's own.
    #[param(value_type = Option<OwnerKind>, nullable = false)]
    owner: Option<OwnerKind>,
}

fn within_bounds(lines: Vec<Pattern>, fields: &mut Fields) -> Option<Vec<Pattern>> {
    let length: usize = lines.iter().map(|line| line.to_string().len() + 1).sum();
    if lines.is_empty() || lines.len() > MOST_SCOPES || length > LONGEST_SCOPES {
        let detail = "must be 1 to 50 scopes, of 1,024 characters together";
        return fields.fault("scopes", "invalid_scopes", detail);
    }
    Some(lines)
}

fn scopes(fields: &mut Fields) -> Option<Vec<Pattern>> {
    let lines = fields.list("scopes", str::parse::<Pattern>)?;
    within_bounds(lines, fields)
}

/// `expires_at` and `expires_in`, of which one may be there.
type Ends = (Option<Timestamp>, Option<u32>);

fn ends(fields: &mut Fields) -> Option<Ends> {
    let at = fields.optional("expires_at", str::parse::<Timestamp>);
    let after = fields.number("expires_in", SECONDS);
    let (at, after) = (at?, after?);
    if at.is_some() && after.is_some() {
        return fields.fault("expires_in", "invalid_expires_in", "`expires_at` says it");
    }
    Some((at, after))
}

fn term((at, after): Ends) -> Option<Term> {
    let after = after.map(|seconds| Term::In(Duration::from_secs(u64::from(seconds))));
    at.map(Term::At).or(after)
}

fn owner(text: &str) -> Result<OwnerKind, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be `user` or `environment`")
}

fn roles(fields: &mut Fields) -> Option<Vec<String>> {
    let roles = fields.optional_list("roles", str::parse::<String>)?;
    let roles = roles.unwrap_or_default();
    if roles.len() > MOST_ROLES {
        return fields.fault("roles", "invalid_roles", "must name at most 10 roles");
    }
    Some(roles)
}

impl FromFields for NewApiKey {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let common = NewAccountKey::from_fields(fields);
        let org_id = fields.optional("org_id", str::parse);
        let owner = fields.optional("owner", owner);
        let roles = roles(fields);
        let common = common?;
        Some(Self {
            name: common.name,
            scopes: common.scopes,
            expires_at: common.expires_at,
            expires_in: common.expires_in,
            org_id: org_id?,
            owner: owner?,
            roles: Some(roles?),
            remaining_uses: common.remaining_uses,
        })
    }
}

impl NewApiKey {
    pub(super) fn whose(&self) -> Whose {
        Whose {
            org: self.org_id,
            owner: self.owner,
        }
    }
}

impl From<NewApiKey> for WantedKey {
    fn from(body: NewApiKey) -> Self {
        Self {
            name: body.name,
            scopes: body.scopes,
            roles: body.roles.unwrap_or_default(),
            term: term((body.expires_at, body.expires_in)),
            remaining_uses: body.remaining_uses,
        }
    }
}

impl FromFields for NewAccountKey {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let scopes = scopes(fields);
        let ends = ends(fields);
        let remaining_uses = fields.number("remaining_uses", 1..=MOST_USES);
        let (expires_at, expires_in) = ends?;
        Some(Self {
            name: name?,
            scopes: scopes?,
            expires_at,
            expires_in,
            remaining_uses: remaining_uses?,
        })
    }
}

impl From<NewAccountKey> for WantedKey {
    fn from(body: NewAccountKey) -> Self {
        Self {
            name: body.name,
            scopes: body.scopes,
            roles: Vec::new(),
            term: term((body.expires_at, body.expires_in)),
            remaining_uses: body.remaining_uses,
        }
    }
}

impl FromFields for ApiKeyPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", Label::parse);
        let scopes = fields.optional_list("scopes", str::parse::<Pattern>);
        let scopes = match scopes {
            Some(Some(lines)) => within_bounds(lines, fields).map(Some),
            Some(None) => Some(None),
            None => None,
        };
        let expires_at = fields.optional("expires_at", str::parse);
        Some(Self {
            name: name?,
            scopes: scopes?,
            expires_at: expires_at?,
        })
    }
}

impl From<ApiKeyPatch> for WantedChanges {
    fn from(body: ApiKeyPatch) -> Self {
        Self {
            name: body.name,
            scopes: body.scopes,
            expires_at: body.expires_at,
        }
    }
}

impl FromFields for KeyRotation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let grace_seconds = fields.number("grace_seconds", 0..=u32::MAX);
        let ends = ends(fields);
        let (expires_at, expires_in) = ends?;
        Some(Self {
            grace_seconds: grace_seconds?,
            expires_at,
            expires_in,
        })
    }
}

impl From<KeyRotation> for Rotation {
    fn from(body: KeyRotation) -> Self {
        Self {
            grace: Duration::from_secs(u64::from(body.grace_seconds.unwrap_or(0))),
            term: term((body.expires_at, body.expires_in)),
        }
    }
}

impl FromFields for KeysQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let org_id = fields.optional("org_id", str::parse);
        let owner = fields.optional("owner", owner);
        Some(Self {
            paging: paging?,
            org_id: org_id?,
            owner: owner?,
        })
    }
}

impl KeysQuery {
    pub(super) fn whose(&self) -> Whose {
        Whose {
            org: self.org_id,
            owner: self.owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewApiKey>();
        assert_documented::<NewAccountKey>();
        assert_documented::<ApiKeyPatch>();
        assert_documented::<KeyRotation>();
    }
}
