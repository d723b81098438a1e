//! How does a test call the APIs, and what did they answer?

use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use praxis_auth::claims::{Principal, Role};
use praxis_auth::sign::TokenSigner;
use praxis_event_store::record::command_key::command_key_hash;
use praxis_runtime::clock;
use praxis_runtime::ids::new_id;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::practice::Practice;

/// Longer than any test.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// Eight in the morning a month ahead: within the horizon, so that visits can be booked from then on.
pub fn bookable_morning() -> DateTime<Utc> {
    let day = (clock::now() + TimeDelta::days(30)).date_naive();
    (day.and_time(NaiveTime::MIN) + TimeDelta::hours(8)).and_utc()
}

/// Calls as one account with one token. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    account_id: Uuid,
    token: String,
}

/// One request: a command, and what makes it known again.
#[derive(Clone)]
pub struct Request {
    /// `POST` or `DELETE`.
    pub method: Method,
    /// Below the base address.
    pub path: String,
    /// The body; none for null.
    pub body: Value,
    /// `Idempotency-Key` and correlation id both, so that its events can be found in the log.
    pub key: Uuid,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Everything before the body.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as a document; null if it is none.
    pub body: Value,
}

/// An acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The record.
    pub id: Uuid,
    /// Its version.
    pub version: u64,
    /// The log's position.
    pub position: u64,
}

impl Client {
    /// An account of that role, waiting at most so long for an answer. A doctor is the given practitioner.
    pub fn new(
        practice: &dyn Practice,
        role: Role,
        practitioner_id: Option<Uuid>,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let account_id = new_id();
        let principal = Principal {
            account_id,
            role,
            patient_id: None,
            practitioner_id,
        };
        let signer = TokenSigner::try_new(practice.private_pem(), "praxis", "praxis")?;
        let token = signer.mint(&principal, clock::now(), TOKEN_LIFETIME, new_id())?;
        let http = reqwest::Client::builder().no_proxy().timeout(timeout).build()?;
        Ok(Self {
            http,
            account_id,
            token,
        })
    }

    /// The hash under which the log keeps this account's outcome of a key.
    pub fn command_key(&self, key: Uuid) -> [u8; 32] {
        command_key_hash(self.account_id, &key.to_string())
    }

    /// Sends it once.
    pub async fn send(&self, base: &str, request: &Request) -> anyhow::Result<Reply> {
        let mut builder = self
            .http
            .request(request.method.clone(), format!("{base}{}", request.path))
            .bearer_auth(&self.token)
            .header("idempotency-key", request.key.to_string())
            .header("x-correlation-id", request.key.to_string());
        if !request.body.is_null() {
            builder = builder.json(&request.body);
        }
        answer(builder).await
    }

    /// Reads: `GET`, of nothing older than `min_position` (`Praxis-Position` of an earlier answer) if one is given.
    pub async fn get(&self, base: &str, path: &str, min_position: Option<&str>) -> anyhow::Result<Reply> {
        let mut builder = self.http.get(format!("{base}{path}")).bearer_auth(&self.token);
        if let Some(position) = min_position {
            builder = builder.header("praxis-min-position", position);
        }
        answer(builder).await
    }

    /// The access token it sends.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends what has to succeed; the id of the record.
    pub async fn must(&self, base: &str, request: &Request) -> anyhow::Result<Uuid> {
        let reply = self.send(base, request).await?;
        ensure!(
            reply.is_written(),
            "{} {} was answered {reply:?}",
            request.method,
            request.path
        );
        Ok(reply.written()?.id)
    }
}

async fn answer(builder: RequestBuilder) -> anyhow::Result<Reply> {
    let response = builder.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or_default();
    Ok(Reply {
        status,
        headers,
        text,
        body,
    })
}

impl Request {
    /// A `POST` under a new key.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            body,
            key: new_id(),
        }
    }

    /// A patient of an invented name.
    pub fn register_patient() -> Self {
        Self::post("/patients", json!({ "family_name": "Probe" }))
    }

    /// A practitioner of an invented name.
    pub fn register_practitioner() -> Self {
        Self::post("/practitioners", json!({ "family_name": "Muster" }))
    }

    /// A site.
    pub fn register_location() -> Self {
        Self::post(
            "/locations",
            json!({ "name": "Seestrasse", "zone": "Europe/Zurich" }),
        )
    }
}

impl Reply {
    /// Whether it acknowledges the command.
    pub fn is_written(&self) -> bool {
        matches!(self.status, 200 | 201)
    }

    /// Whether it says when to come again.
    pub fn says_retry_after(&self) -> bool {
        self.headers.contains_key("retry-after")
    }

    /// Whether it is a problem document of its status, with a code.
    pub fn is_problem(&self) -> bool {
        let kind = self.headers.get("content-type").map(HeaderValue::as_bytes);
        kind == Some(b"application/problem+json")
            && self.body["status"].as_u64() == Some(u64::from(self.status))
            && self.body["code"].is_string()
    }

    /// Of which position it is, opaque: for [`Client::get`].
    pub fn position(&self) -> anyhow::Result<&str> {
        let position = self
            .headers
            .get("praxis-position")
            .context("an answer states its position")?;
        Ok(position.to_str()?)
    }

    /// The acknowledgement.
    pub fn written(&self) -> anyhow::Result<Written> {
        let position = self.body["position"]
            .as_str()
            .context("an answer states its position")?;
        let (epoch, position) = position.split_once('-').context("a position has an epoch")?;
        ensure!(
            epoch.parse::<u32>().is_ok_and(|epoch| epoch > 0),
            "epochs are numbers from 1"
        );
        Ok(Written {
            id: self.body["id"]
                .as_str()
                .context("an answer states its record")?
                .parse()?,
            version: self.body["version"]
                .as_u64()
                .context("an answer states its version")?,
            position: position.parse()?,
        })
    }

    /// The problem's code and the codes of its reasons.
    pub fn refusal(&self) -> (&str, Vec<&str>) {
        let reasons = self.body["reasons"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let codes = reasons.iter().filter_map(|reason| reason["code"].as_str());
        (self.body["code"].as_str().unwrap_or_default(), codes.collect())
    }
}
