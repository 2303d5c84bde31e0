//! Asking a server that may be dying: whatever comes, or does not come, is an answer.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::ledger::Ledger;

/// Longer than a server lets anything take.
const PATIENCE: Duration = Duration::from_secs(40);

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// It is acknowledged.
    Done(Value),
    /// It was judged, and is not: the status and the `type` of the problem.
    Refused(u16, String),
    /// 503 with `Retry-After`: it may be done, or not.
    Away,
    /// The connection ended first: it may be done, or not.
    Lost,
    /// There was nobody to connect to: it is not done.
    Unsent,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum As {
    Visitor(String),
    Holder(String),
    Backend(String),
    Nobody,
}

/// A question.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    method: reqwest::Method,
    path: String,
    body: Option<Value>,
    by: As,
}

impl Answer {
    pub(super) fn is_certain(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Refused(..))
    }

    pub(super) fn done(self) -> Option<Value> {
        match self {
            Self::Done(told) => Some(told),
            Self::Refused(..) | Self::Away | Self::Lost | Self::Unsent => None,
        }
    }

    pub(super) fn is_refused_with(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused(status, _) if *status == wanted)
    }
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self {
            method: reqwest::Method::GET,
            path: path.into(),
            body: None,
            by: As::Nobody,
        }
    }

    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: reqwest::Method::POST,
            body: Some(body),
            ..Self::get(path)
        }
    }

    pub(super) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: reqwest::Method::PATCH,
            ..Self::post(path, body)
        }
    }

    pub(super) fn by(self, by: &As) -> Self {
        Self {
            by: by.clone(),
            ..self
        }
    }

    /// Asks the server of this URL; the ledger hears how that went.
    pub(super) async fn of(&self, http: &reqwest::Client, url: &str, ledger: &Ledger) -> Answer {
        let mut request = http
            .request(self.method.clone(), format!("{url}{}", self.path))
            .timeout(PATIENCE);
        request = match &self.by {
            As::Visitor(key) => request.header("x-publishable-key", key),
            As::Holder(token) => request.bearer_auth(token),
            As::Backend(key) => request.header("x-api-key", key),
            As::Nobody => request,
        };
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        let began = Instant::now();
        let answer = match request.send().await {
            Ok(response) => self.read(response, ledger).await,
            Err(error) if error.is_connect() => Answer::Unsent,
            Err(_) => Answer::Lost,
        };
        ledger.answered(&answer, began.elapsed());
        answer
    }

    async fn read(&self, response: reqwest::Response, ledger: &Ledger) -> Answer {
        let status = response.status().as_u16();
        let may_try_again = response.headers().contains_key("retry-after");
        let Ok(body) = response.bytes().await else {
            return Answer::Lost;
        };
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            200..=299 => Answer::Done(told),
            503 if may_try_again => Answer::Away,
            500.. => {
                let what = format!("{} {} -> {status} {told}", self.method, self.path);
                ledger.broken(what);
                Answer::Away
            }
            _ => {
                let kind = told["type"].as_str().unwrap_or_default();
                Answer::Refused(status, kind.to_owned())
            }
        }
    }
}
