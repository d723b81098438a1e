//! The door that import and demonstration knock at: the command API, over a socket or within this process.
//!
//! Both ways send the same requests to the same routes, so there is no back door to the tables.

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::time::Duration;
use tower::ServiceExt as _;

/// How often a request is sent again while the server is busy or cannot be reached.
const ATTEMPTS_MAX: u32 = 60;

/// The longest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A way to the command API.
#[derive(Clone)]
pub enum Client {
    /// Within this process.
    Local {
        /// The routes with everything around them.
        router: Router,
        /// Whose requests these are.
        token: String,
    },
    /// Over a socket.
    Remote {
        /// The connection pool.
        http: reqwest::Client,
        /// Where it serves, without a slash at the end.
        url: String,
        /// Whose requests these are.
        token: String,
    },
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The document; null where there was none.
    pub document: Value,
    /// Whether the answer was kept from an earlier sending of the same request.
    pub replayed: bool,
}

impl Answered {
    /// The `id` of a write.
    pub fn id(&self) -> Option<&str> {
        self.document.get("id").and_then(Value::as_str)
    }

    /// The codes of a problem: those of its reasons, else those of its faults, else its own.
    pub fn codes(&self) -> Vec<String> {
        let list = |member: &str| -> Vec<String> {
            let items = self.document.get(member).and_then(Value::as_array);
            items
                .into_iter()
                .flatten()
                .filter_map(|item| item.get("code")?.as_str().map(str::to_owned))
                .collect()
        };
        let (reasons, faults) = (list("reasons"), list("faults"));
        if !reasons.is_empty() {
            reasons
        } else if !faults.is_empty() {
            faults
        } else {
            self.document
                .get("code")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .into_iter()
                .collect()
        }
    }
}

impl Client {
    /// The same way, as somebody else.
    #[must_use]
    pub fn speaking(&self, token: String) -> Self {
        match self {
            Self::Local { router, .. } => Self::Local {
                router: router.clone(),
                token,
            },
            Self::Remote { http, url, .. } => Self::Remote {
                http: http.clone(),
                url: url.clone(),
                token,
            },
        }
    }

    /// Posts a document under an idempotency key; sends it again, under that same key, while the answer is 503.
    ///
    /// # Errors
    /// When the server cannot be reached, or stays too busy, for about a minute.
    pub async fn post(&self, path: &str, key: &str, document: &Value) -> Result<Answered> {
        self.send(path, key, document, None).await
    }

    /// Like [`Client::post`], but only if the record is still at that version; the answer is 412 otherwise.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub async fn post_if_at(
        &self,
        path: &str,
        key: &str,
        document: &Value,
        version: u64,
    ) -> Result<Answered> {
        self.send(path, key, document, Some(version)).await
    }

    /// Reads; asks again while the answer is 503.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub async fn get(&self, path: &str) -> Result<Answered> {
        self.until_served(|| self.read(path)).await
    }

    async fn send(&self, path: &str, key: &str, document: &Value, version: Option<u64>) -> Result<Answered> {
        let if_match = version.map(|version| format!("\"{version}\""));
        let body = serde_json::to_vec(document)?;
        self.until_served(|| self.once(path, key, if_match.as_deref(), body.clone()))
            .await
    }

    /// Tries until the answer is not 503.
    async fn until_served<T>(&self, attempt: impl Fn() -> T) -> Result<Answered>
    where
        T: Future<Output = Result<(Answered, Duration)>>,
    {
        let mut failure = None;
        for _ in 0..ATTEMPTS_MAX {
            match attempt().await {
                Ok((answered, _)) if answered.status != StatusCode::SERVICE_UNAVAILABLE => {
                    return Ok(answered);
                }
                Ok((answered, pause)) => {
                    failure = Some(anyhow::anyhow!(
                        "the server answers {}",
                        answered.codes().join(", ")
                    ));
                    tokio::time::sleep(pause).await;
                }
                Err(error) => {
                    failure = Some(error);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        bail!(failure.unwrap_or_else(|| anyhow::anyhow!("the server does not answer")))
    }

    async fn once(
        &self,
        path: &str,
        key: &str,
        if_match: Option<&str>,
        body: Vec<u8>,
    ) -> Result<(Answered, Duration)> {
        let (status, headers, bytes) = match self {
            Self::Local { router, token } => {
                let mut request = Request::post(path)
                    .header(AUTHORIZATION, format!("Bearer {token}"))
                    .header(CONTENT_TYPE, "application/json")
                    .header("idempotency-key", key);
                if let Some(if_match) = if_match {
                    request = request.header(IF_MATCH, if_match);
                }
                let response = router.clone().oneshot(request.body(Body::from(body))?).await?;
                let (status, headers) = (response.status(), response.headers().clone());
                (status, headers, response.into_body().collect().await?.to_bytes())
            }
            Self::Remote { http, url, token } => {
                let mut request = http
                    .post(format!("{url}{path}"))
                    .bearer_auth(token)
                    .header("idempotency-key", key);
                if let Some(if_match) = if_match {
                    request = request.header(IF_MATCH, if_match);
                }
                let sent = request.header(CONTENT_TYPE, "application/json").body(body).send();
                let response = sent.await.with_context(|| format!("cannot reach {url}"))?;
                let (status, headers) = (response.status(), response.headers().clone());
                (status, headers, response.bytes().await?)
            }
        };
        understood(status, &headers, &bytes)
    }

    async fn read(&self, path: &str) -> Result<(Answered, Duration)> {
        let (status, headers, bytes) = match self {
            Self::Local { router, token } => {
                let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"));
                let response = router.clone().oneshot(request.body(Body::empty())?).await?;
                let (status, headers) = (response.status(), response.headers().clone());
                (status, headers, response.into_body().collect().await?.to_bytes())
            }
            Self::Remote { http, url, token } => {
                let sent = http.get(format!("{url}{path}")).bearer_auth(token).send();
                let response = sent.await.with_context(|| format!("cannot reach {url}"))?;
                let (status, headers) = (response.status(), response.headers().clone());
                (status, headers, response.bytes().await?)
            }
        };
        understood(status, &headers, &bytes)
    }
}

/// An answer, and how long it asks to wait if it is a refusal.
fn understood(status: StatusCode, headers: &HeaderMap, bytes: &[u8]) -> Result<(Answered, Duration)> {
    if bytes.len() > ANSWER_BYTES_MAX {
        bail!("the server's answer is too large");
    }
    let document = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let seconds = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(1);
    let replayed = headers.contains_key("idempotent-replayed");
    Ok((
        Answered {
            status,
            document,
            replayed,
        },
        Duration::from_secs(seconds),
    ))
}
