use std::collections::HashMap;
use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

type Refusal = Box<dyn Error + Send + Sync>;

pub struct Verifier {
    pub issuer: String,     // "https://auth.example.com"
    pub app: String,        // "aapp_…"
    pub env: String,        // "aenv_…"
    pub secret_key: String, // "sk_test_…"
    pub http: reqwest::Client,
    pub known: Mutex<Known>, // Mutex::default()
}

#[derive(Default)]
pub struct Known {
    keys: Option<JwkSet>,
    lowest: HashMap<String, i64>,
    heard: Option<Instant>,
}

impl Known {
    fn revoke(&mut self, it: &Value) -> Result<(), Refusal> {
        let text = |at: &str| it.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let version = |of: &str| it[of].as_i64().unwrap_or(i64::MAX);
        let (of, below) = match text("/type") {
            "session" => (text("/session_id").to_owned(), 1),
            "key" => (text("/key_id").to_owned(), 1),
            "user" => (text("/user_id").to_owned(), version("min_version")),
            "organization" => (text("/org_id").to_owned(), version("min_org_version")),
            "member" => {
                let of = [text("/member/org_id"), text("/member/user_id")].concat();
                (of, version("min_member_version"))
            }
            "app_roles" => ("app_roles".to_owned(), version("min_app_version")),
            _ => return Err("a type that is unknown: nothing is heard any more".into()),
        };
        let lowest = self.lowest.entry(of).or_default(); // forget it at `expires_at`
        *lowest = below.max(*lowest);
        Ok(())
    }

    fn is_revoked(&self, found: &Value, key_id: &str) -> bool {
        let text = |claim: &str| found[claim].as_str().unwrap_or_default().to_owned();
        let version = |claim: &str| found[claim].as_i64().unwrap_or_default();
        let (user, org) = (text("sub"), text("org_id"));
        let mut versions = vec![
            (text("sid"), 0),
            (key_id.to_owned(), 0),
            (user.clone(), version("ver")),
        ];
        if !org.is_empty() {
            versions.push((format!("{org}{user}"), version("org_ver")));
            versions.push((org, version("org_ver")));
            versions.push(("app_roles".to_owned(), version("app_ver")));
        }
        let is_below = |(of, version)| self.lowest.get(&of).is_some_and(|below| version < *below);
        versions.into_iter().any(is_below)
    }
}

impl Verifier {
    async fn ask(&self, path: &str) -> Result<Value, Refusal> {
        let ask = self
            .http
            .get(format!("{}{path}", self.issuer))
            .header("X-API-Key", &self.secret_key);
        let answer = ask.timeout(Duration::from_secs(10)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn hear(&self, after: &str) -> Result<String, Refusal> {
        let asked = Instant::now();
        let page = self
            .ask(&format!("/v1/revocations?limit=100{after}"))
            .await?;
        let mut known = self.known.lock().unwrap();
        for it in page["revocations"].as_array().into_iter().flatten() {
            known.revoke(it)?;
        }
        if page["has_more"] == false {
            known.heard = Some(asked);
        }
        Ok(format!(
            "&after={}",
            page["next"].as_str().unwrap_or_default()
        ))
    }

    /// Spawn it, for as long as the backend runs.
    pub async fn follow(&self) {
        let mut after = String::new();
        loop {
            match self.hear(&after).await {
                Ok(next) => after = next,
                Err(why) => eprintln!("the feed of revocations: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn key(&self, key_id: &str) -> Result<DecodingKey, Refusal> {
        let find = |keys: &JwkSet| keys.find(key_id).map(DecodingKey::from_jwk);
        let known = self.known.lock().unwrap().keys.as_ref().and_then(find);
        if let Some(key) = known {
            return Ok(key?);
        }
        let keys: JwkSet = serde_json::from_value(self.ask("/.well-known/jwks.json").await?)?;
        let key = find(&keys).ok_or("signed with an unknown key")?;
        self.known.lock().unwrap().keys = Some(keys);
        Ok(key?)
    }

    pub async fn claims(&self, token: &str) -> Result<Value, Refusal> {
        let header = decode_header(token)?;
        let key_id = header.kid.ok_or("signed with a key that is not named")?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.app]);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        let found: Value = decode(token, &self.key(&key_id).await?, &rules)?.claims;
        if header.typ.as_deref() != Some("at+jwt") || found["env_id"] != *self.env {
            return Err("no access token, or one of another environment".into());
        }
        let known = self.known.lock().unwrap();
        let is_current = known
            .heard
            .is_some_and(|at| at.elapsed() < Duration::from_secs(20));
        if !is_current || known.is_revoked(&found, &key_id) {
            return Err("a token that is revoked, or what is revoked is not known".into());
        }
        Ok(found)
    }
}
