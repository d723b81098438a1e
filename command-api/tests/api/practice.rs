//! A practice to ask: the routes as a server has them, over a log in a directory of its own, at a time of its own.

use std::cell::Cell;
use std::num::NonZeroU8;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Request, StatusCode};
use praxis_auth::claims::{Principal, Role};
use praxis_auth::generate::{KeySize, PemPair, generate};
use praxis_auth::keys::PublicKeys;
use praxis_auth::policy::PolicyTable;
use praxis_auth::sign::TokenSigner;
use praxis_auth::verify::TokenVerifier;
use praxis_command_api::app::App;
use praxis_command_api::execute::{Executor, ExecutorParts};
use praxis_command_api::numbers::RecordNumbers;
use praxis_command_api::routes;
use praxis_domain::rules::Rules;
use praxis_event_store::codec::Codec;
use praxis_event_store::port::{LogReader, LogWriter, StoredEvent};
use praxis_event_store::record::claims_keys::ClaimsKeys;
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::sequencer::{SequencerLimits, SequencerTask, sequencer};
use praxis_event_store::vault::Vault;
use praxis_events::ids::LogId;
use praxis_http_kit::authn::Door;
use praxis_http_kit::sources::Sources;
use praxis_http_kit::stack::{Limits, surround};
use praxis_store_sqlite::log::{OpenOptions, SqliteLog, migrate};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use uuid::Uuid;

pub const ISSUER: &str = "praxis-test";
pub const AUDIENCE: &str = "praxis";

/// 2027-01-15 08:00:00 UTC, a Friday; 09:00 in Zurich.
pub const EIGHT: i64 = 1_800_000_000;

// An executor takes plain functions, so its clock and ids live in the thread: a test has one of its own.
thread_local! {
    static NOW: Cell<i64> = const { Cell::new(EIGHT) };
    static IDS: Cell<u128> = const { Cell::new(0) };
}

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW.get(), 0).unwrap()
}

/// Moves this test's clock to that many minutes after [`EIGHT`].
pub fn set_minutes_after_eight(minutes: i64) {
    NOW.set(EIGHT + minutes * 60);
}

/// That many minutes after [`EIGHT`], as callers write it.
pub fn at(minutes: i64) -> String {
    let instant = DateTime::from_timestamp(EIGHT + minutes * 60, 0).unwrap();
    instant.to_rfc3339()
}

pub fn new_id() -> Uuid {
    IDS.set(IDS.get() + 1);
    Uuid::from_u128(0x0199_7a3c_0000_7000_8000_0000_0000_0000 + IDS.get())
}

/// A pair trusted by every practice; made once, because making it is slow.
pub fn trusted_pair() -> &'static PemPair {
    static PAIR: OnceLock<PemPair> = OnceLock::new();
    PAIR.get_or_init(|| generate(KeySize::Rsa2048).unwrap())
}

pub fn signer(pair: &PemPair) -> TokenSigner {
    TokenSigner::try_new(pair.private_pem(), ISSUER, AUDIENCE).unwrap()
}

/// The token of an account in that role, good for ten minutes from now.
pub fn token_of(
    role: Role,
    account: u128,
    patient_id: Option<Uuid>,
    practitioner_id: Option<Uuid>,
) -> String {
    let principal = Principal {
        account_id: Uuid::from_u128(account),
        role,
        patient_id,
        practitioner_id,
    };
    let lifetime = TimeDelta::minutes(10);
    signer(trusted_pair())
        .mint(&principal, now(), lifetime, new_id())
        .unwrap()
}

pub fn admin() -> String {
    token_of(Role::Admin, 1, None, None)
}

pub fn staff() -> String {
    token_of(Role::Staff, 2, None, None)
}

pub fn doctor(practitioner_id: Uuid) -> String {
    token_of(Role::Doctor, 3, None, Some(practitioner_id))
}

pub fn patient(patient_id: Uuid) -> String {
    token_of(Role::Patient, 4, Some(patient_id), None)
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Reply {
    pub fn id(&self) -> Uuid {
        self.json["id"].as_str().unwrap().parse().unwrap()
    }

    pub fn version(&self) -> u64 {
        self.json["version"].as_u64().unwrap()
    }

    /// Whether the answer was kept from an earlier sending.
    pub fn is_replayed(&self) -> bool {
        self.headers
            .get("idempotent-replayed")
            .is_some_and(|value| value == "true")
    }

    /// The codes of the reasons of a refusal.
    pub fn reasons(&self) -> Vec<&str> {
        let reasons = self.json["reasons"].as_array().unwrap().iter();
        reasons.map(|reason| reason["code"].as_str().unwrap()).collect()
    }

    /// The faults of a problem, each as `in pointer code`.
    pub fn faults(&self) -> Vec<String> {
        let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
        let faults = self.json["faults"].as_array().unwrap().iter();
        faults
            .map(|fault| {
                format!(
                    "{} {} {}",
                    text(fault, "in"),
                    text(fault, "pointer"),
                    text(fault, "code")
                )
            })
            .collect()
    }

    /// Panics unless this is a problem of that status and code.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), &self.json["code"]),
            (status, &json!(code)),
            "{self:?}"
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
    }

    /// Panics unless a record was created, and gives its id.
    #[track_caller]
    pub fn created(&self) -> Uuid {
        assert_eq!(self.status, 201, "{self:?}");
        self.id()
    }

    /// Panics unless the command was carried out on a record, and gives its version.
    #[track_caller]
    pub fn ok(&self) -> u64 {
        assert_eq!(self.status, 200, "{self:?}");
        self.version()
    }
}

/// The log in that directory.
pub async fn open_log(directory: &Path) -> SqliteLog {
    let file = directory.join("events.db");
    SqliteLog::open(&file, OpenOptions::default()).await.unwrap()
}

/// One process's door to the log.
pub struct Practice {
    pub router: Router,
    pub app: App,
    pub vault: Arc<Vault>,
    _sequencing: JoinSet<()>,
}

impl Practice {
    /// A process with that log; `drain` says whether what it queues is appended.
    pub async fn open(directory: &Path, limits: SequencerLimits, drain: Drain) -> Self {
        Self::open_with_claims_keys(directory, limits, drain, &[1]).await
    }

    /// The same with the claims keys of those ids, the current one first.
    pub async fn open_with_claims_keys(
        directory: &Path,
        limits: SequencerLimits,
        drain: Drain,
        key_ids: &[u8],
    ) -> Self {
        let log = open_log(directory).await;
        Self::over(Arc::new(log.clone()), Arc::new(log), limits, drain, key_ids).await
    }

    /// The same over any log.
    pub async fn over(
        reader: Arc<dyn LogReader>,
        writer: Arc<dyn LogWriter>,
        limits: SequencerLimits,
        drain: Drain,
        key_ids: &[u8],
    ) -> Self {
        let claims_keys: Vec<(NonZeroU8, [u8; 32])> = key_ids
            .iter()
            .map(|id| (NonZeroU8::new(*id).unwrap(), [*id; 32]))
            .collect();
        let head = reader.head().await.unwrap();
        let keks = KekRing::of(&[(Uuid::from_u128(0xcec), [7; 32])]).unwrap();
        let vault = Vault::new(head.log_id, Arc::clone(&reader), keks, Arc::new(OsRandom), new_id);
        let vault = Arc::new(vault);
        let (sequencer, task) = sequencer(Arc::clone(&writer), limits);
        let executor = Executor::new(ExecutorParts {
            reader,
            sequencer,
            codec: Codec::new(Arc::clone(&vault)),
            claims_keys: Arc::new(ClaimsKeys::of(&claims_keys).unwrap()),
            cache_entries_max: 100,
            now,
            new_id,
            rules: Rules::default(),
        });
        let app = App {
            executor: Arc::new(executor),
            record_numbers: Arc::new(RecordNumbers::new(writer)),
        };
        let mut sequencing = JoinSet::new();
        match drain {
            Drain::Running => {
                sequencing.spawn(task.run());
            }
            Drain::Stopped => {
                sequencing.spawn(hold(task));
            }
        }
        let keys = PublicKeys::try_from_pem(trusted_pair().public_pem()).unwrap();
        let door = Door::new(
            PolicyTable::try_new(routes::RULES.iter().copied()).unwrap(),
            TokenVerifier::new(keys, ISSUER, AUDIENCE),
        )
        .beside(routes::READ_BESIDE);
        let (router, _) = routes::routes().with_state(app.clone()).split_for_parts();
        let router = surround(router, Sources::new(now, new_id), door, Limits::default());
        Self {
            router,
            app,
            vault,
            _sequencing: sequencing,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1_000_000).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply {
            status: parts.status,
            headers: parts.headers,
            json,
        }
    }

    /// Sends a JSON body with these headers.
    pub async fn ask(&self, line: &str, token: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send(request(line, token, headers, body.to_string())).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.ask(&format!("POST {path}"), token, &[], &body).await
    }

    /// Sends a command that says all in its path: without a body.
    pub async fn order(&self, line: &str, token: &str) -> Reply {
        let (method, path) = line.split_once(' ').unwrap();
        let builder = Request::builder().method(method).uri(path);
        let request = builder.header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn step(&self, appointment: Uuid, step: &str, token: &str) -> Reply {
        self.order(&format!("POST /appointments/{appointment}/{step}"), token)
            .await
    }

    pub async fn register_patient(&self) -> Uuid {
        let body = json!({ "family_name": "Moreau", "birth_date": "1984-02" });
        self.post("/patients", &staff(), body).await.created()
    }

    pub async fn register_practitioner(&self) -> Uuid {
        let body = json!({ "family_name": "Okafor" });
        self.post("/practitioners", &admin(), body).await.created()
    }

    pub async fn register_location(&self) -> Uuid {
        let body = json!({ "name": "Seestrasse", "zone": "Europe/Zurich" });
        self.post("/locations", &admin(), body).await.created()
    }

    /// A patient, a practitioner and a site, ready to book.
    pub async fn people(&self) -> People {
        People {
            patient: self.register_patient().await,
            practitioner: self.register_practitioner().await,
            location: self.register_location().await,
        }
    }
}

/// Who can be booked with whom, where.
#[derive(Clone, Copy, Debug)]
pub struct People {
    pub patient: Uuid,
    pub practitioner: Uuid,
    pub location: Uuid,
}

impl People {
    /// A booking of a quarter of an hour, that many minutes after eight.
    pub fn visit(&self, minutes: i64) -> Value {
        let mut visit = self.placed(minutes);
        visit["patient_id"] = json!(self.patient);
        visit
    }

    /// The same without the patient, as a reschedule takes it.
    pub fn placed(&self, minutes: i64) -> Value {
        json!({
            "practitioner_id": self.practitioner,
            "location_id": self.location,
            "starts": at(minutes),
            "ends": at(minutes + 15),
        })
    }
}

/// Whether a process appends what it queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    Running,
    Stopped,
}

/// Keeps the queue there without taking anything from it.
async fn hold(task: SequencerTask) {
    std::future::pending::<()>().await;
    drop(task);
}

pub fn request(line: &str, token: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut builder = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).unwrap()
}

/// A new log in a directory that goes with the test.
pub async fn new_log() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    migrate(&directory.path().join("events.db"), LogId(new_id()))
        .await
        .unwrap();
    directory
}

/// A practice on its own log. The directory outlives it.
pub async fn practice() -> (Practice, TempDir) {
    let directory = new_log().await;
    let practice = Practice::open(directory.path(), SequencerLimits::default(), Drain::Running).await;
    (practice, directory)
}

/// Every event of the log.
pub async fn events(directory: &TempDir) -> Vec<StoredEvent> {
    let log = SqliteLog::open(&directory.path().join("events.db"), OpenOptions::default())
        .await
        .unwrap();
    let events = log.read_log(0, 1_000).await.unwrap();
    log.close().await;
    events
}
