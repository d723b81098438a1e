//! Who calls, and what came back?

use std::time::Duration;

use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_auth::sign::TokenSigner;
use praxis_runtime::clock;
use praxis_runtime::ids::new_id;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// Accounts of every role, at the doors of one practice.
#[derive(Clone)]
pub struct Callers {
    http: reqwest::Client,
    signer: std::sync::Arc<TokenSigner>,
    account_id: Uuid,
    /// Where commands go.
    pub commands: String,
    /// Where queries go.
    pub queries: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Method and path.
    pub asked: String,
    /// The HTTP status.
    pub status: u16,
    /// Every header, a line each.
    pub headers: String,
    /// The body.
    pub text: String,
}

impl Reply {
    /// The body as a document; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The problem's code, as a name that outlives the reply.
    pub fn code(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("\"code\":\"")?;
        rest.split('"').next()
    }

    /// The id of what was written.
    #[track_caller]
    pub fn written(&self) -> Uuid {
        assert!(matches!(self.status, 200 | 201), "{self:?}");
        self.json()["id"].as_str().unwrap().parse().unwrap()
    }
}

impl Callers {
    pub fn new(private_pem: &str, commands: &str, queries: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(ANSWER_TIME_MAX)
                .build()?,
            signer: std::sync::Arc::new(TokenSigner::try_new(private_pem, "praxis", "praxis")?),
            account_id: new_id(),
            commands: commands.to_owned(),
            queries: queries.to_owned(),
        })
    }

    /// The same accounts, sending commands to another process.
    pub fn at(&self, commands: &str) -> Self {
        Self {
            commands: commands.to_owned(),
            ..self.clone()
        }
    }

    /// The same accounts, sending queries to another process.
    pub fn asking(&self, queries: &str) -> Self {
        Self {
            queries: queries.to_owned(),
            ..self.clone()
        }
    }

    /// The token of an account in that role, which belongs to that person.
    pub fn token(&self, role: Role, person: Option<Uuid>) -> String {
        let principal = Principal {
            account_id: self.account_id,
            role,
            patient_id: person.filter(|_| role == Role::Patient),
            practitioner_id: person.filter(|_| role == Role::Doctor),
        };
        self.signer
            .mint(&principal, clock::now(), TOKEN_LIFETIME, new_id())
            .unwrap()
    }

    pub fn desk(&self) -> String {
        self.token(Role::Staff, None)
    }

    /// Sends a body as it is; `line` is method and path, of a query if the method or the path says so.
    pub async fn send(
        &self,
        line: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let (method, path) = line.split_once(' ').unwrap();
        let is_query = method == "GET" || path.ends_with("/search");
        let base = if is_query { &self.queries } else { &self.commands };
        let mut sent = HeaderMap::new();
        sent.insert("content-type", "application/json".parse().unwrap());
        sent.insert("authorization", format!("Bearer {token}").parse().unwrap());
        for (name, value) in headers {
            sent.insert(
                reqwest::header::HeaderName::try_from(*name).unwrap(),
                value.parse().unwrap(),
            );
        }
        let response = self
            .http
            .request(method.parse().unwrap(), format!("{base}{path}"))
            .headers(sent)
            .body(body.into())
            .send()
            .await
            .unwrap();
        let mut headers = String::new();
        for (name, value) in response.headers() {
            headers.push_str(name.as_str());
            headers.push_str(": ");
            headers.push_str(&String::from_utf8_lossy(value.as_bytes()));
            headers.push('\n');
        }
        Reply {
            asked: line.to_owned(),
            status: response.status().as_u16(),
            headers,
            text: response.text().await.unwrap(),
        }
    }

    pub async fn ask(&self, line: &str, token: &str, body: Value) -> Reply {
        self.send(line, token, &[], body.to_string()).await
    }

    /// A patient who is nobody else.
    pub async fn register_somebody(&self, replies: &mut Vec<Reply>) -> Uuid {
        let body = json!({ "family_name": "Zqxvkwjsomebody", "birth_date": "1931-07-19" });
        let reply = self.ask("POST /patients", &self.desk(), body).await;
        let id = reply.written();
        replies.push(reply);
        id
    }

    pub async fn change_contact_of(&self, patient: Uuid) -> Reply {
        let body = json!({ "emails": ["other@zqxvkwj-mail.example"] });
        let line = format!("PUT /patients/{patient}/contact");
        self.ask(&line, &self.desk(), body).await
    }
}
