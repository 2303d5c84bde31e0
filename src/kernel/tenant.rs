//! Tenants: the pair of app and environment that owns everything issued to a caller.
//!
//! An app is a pool of users; its environments share the users and keep apart sessions, tokens,
//! keys and organisations. A request is bound to exactly one tenant or to none, never to a
//! default one.

use serde::{Deserialize, Serialize};

use super::id::{AppId, EnvId};

/// An environment together with the app it belongs to.
///
/// The pair is trusted: whoever builds it has seen that the environment is the app's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tenant {
    pub app_id: AppId,
    pub env_id: EnvId,
}
