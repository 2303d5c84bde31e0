//! A request by its idempotency key: whose it is, and by what it is known again.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use url::form_urlencoded;

use super::authenticate::Identity;
use super::caller::Caller;
use super::problem::Problem;
use super::problems::ProblemKind;
use crate::kernel::secret::MacKey;
use crate::kernel::tenant::Tenant;

pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const KEY_MAX: usize = 255;

/// A request by its key, as it is looked up: both are keyed digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// Of key, caller and tenant; without a caller, of the request as well.
    pub id: String,
    /// Of method, path, query and body.
    pub fingerprint: String,
}

/// Who asks, in which tenant.
pub(super) struct Whose {
    caller: Option<String>,
    tenant: Option<Tenant>,
}

impl Whose {
    /// `None` for a sender who contradicts himself, or may not act where he wants to.
    pub(super) fn of(identity: &Identity) -> Option<Self> {
        let standing = identity.standing.as_ref().ok()?;
        let tenant = *standing.tenant.as_ref().ok()?;
        let named = |caller: &Caller| {
            let party = caller.party();
            let acting = caller.acting().map(|id| id.to_string());
            let whole = [Some(party.kind), party.id, acting];
            whole.map(Option::unwrap_or_default).join(" ")
        };
        Some(Self {
            caller: standing.caller.as_ref().map(named),
            tenant,
        })
    }
}

/// 1 to 255 visible ASCII characters, on one line.
pub(super) fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut lines = headers.get_all(KEY);
    let line = lines.next().filter(|_| lines.next().is_none());
    let text = line.and_then(|line| line.to_str().ok()).unwrap_or_default();
    let is_visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_visible && text.len() <= KEY_MAX {
        return Ok(text.to_owned());
    }
    Err(ProblemKind::InvalidIdempotencyKey.into())
}

/// Keyed, so that a password cannot be found again from a copy of the store.
pub(super) fn repeatable(
    mac: &MacKey,
    whose: &Whose,
    key: &str,
    (req, said): (&ServiceRequest, &[u8]),
) -> Repeatable {
    let mut query: Vec<_> = form_urlencoded::parse(req.query_string().as_bytes()).collect();
    query.sort();
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let request: [&[u8]; 4] = [
        req.method().as_str().as_bytes(),
        req.path().as_bytes(),
        query.as_bytes(),
        &canonical(said),
    ];
    let fingerprint = written(mac.tag("request", &request));
    let tenant = whose
        .tenant
        .map(|it| format!("{} {}", it.app_id, it.env_id));
    let tenant = tenant.unwrap_or_default();
    let (kind, who) = match &whose.caller {
        Some(caller) => ("caller", caller),
        None => ("anybody", &fingerprint),
    };
    let parts = [kind, who, &tenant, key].map(str::as_bytes);
    Repeatable {
        id: written(mac.tag("key", &parts)),
        fingerprint,
    }
}

/// The body, with the members of its objects in one order: a client may write them in another when
/// it tries again.
pub(super) fn canonical(said: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<serde_json::Value>(said) {
        Ok(mut value) => {
            value.sort_all_objects();
            value.to_string().into_bytes()
        }
        Err(_) => said.to_vec(),
    }
}

fn written(tag: [u8; 32]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_writes_otherwise_is_the_same_request() {
        let one = canonical(br#"{"a":{"x":1,"y":[2,3]},"b":"c"}"#);

        assert_eq!(
            canonical(br#"{ "b": "c", "a": {"y": [2, 3], "x": 1} }"#),
            one
        );
        assert_ne!(canonical(br#"{"a":{"x":1,"y":[3,2]},"b":"c"}"#), one);
        assert_eq!(canonical(b"no JSON"), b"no JSON");
    }
}
