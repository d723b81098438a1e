//! A practice with a history, its API as it is served, and callers of every role.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, Request};
use praxis_auth::claims::{Principal, Role};
use praxis_auth::generate::{KeySize, PemPair, generate};
use praxis_auth::keys::PublicKeys;
use praxis_auth::policy::PolicyTable;
use praxis_auth::sign::TokenSigner;
use praxis_auth::verify::TokenVerifier;
use praxis_event_store::port::LogReader;
use praxis_events::ids::{PatientId, PractitionerId};
use praxis_events::recorded::RecordedEvent;
use praxis_events::thread::Participant;
use praxis_http_kit::authn::Door;
use praxis_http_kit::sources::Sources;
use praxis_http_kit::stack::{Limits, surround};
use praxis_query_api::app::App;
use praxis_query_api::generation::ReadSide;
use praxis_query_api::routes::{RULES, routes};
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::registry::GenerationState;
use praxis_testkit::history::history;
use praxis_testkit::plain::{PlainDecoder, stored};
use praxis_testkit::rows::Rows;
use serde_json::Value;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::memory::log::MemoryLog;
use crate::memory::registry::MemoryRegistry;
use crate::memory::views::MemoryViews;
use crate::memory::{EPOCH, FINGERPRINT};

const SEED: u64 = 20;
const EVENTS_LEN: usize = 600;

static KEYS: LazyLock<PemPair> = LazyLock::new(|| generate(KeySize::Rsa2048).expect("a key pair"));

/// A practice and its query API.
pub struct Practice {
    pub events: Vec<RecordedEvent>,
    pub rows: Rows,
    pub views: Arc<MemoryViews>,
    pub registry: Arc<MemoryRegistry>,
    pub decoder: Arc<PlainDecoder>,
    router: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Practice {
    /// With everything that happened in the read models.
    pub fn new() -> Self {
        Self::with_events(history(SEED, EVENTS_LEN))
    }

    pub fn with_events(events: Vec<RecordedEvent>) -> Self {
        let rows = Rows::of(&events);
        let head = events.last().expect("events").position;
        let views = Arc::new(MemoryViews::new(rows.clone(), vec![head; 3]));
        let registry = Arc::new(MemoryRegistry::default());
        registry.add(GenerationState::Ready, FINGERPRINT, &views);
        Self::over(events, rows, views, registry)
    }

    pub fn over(
        events: Vec<RecordedEvent>,
        rows: Rows,
        views: Arc<MemoryViews>,
        registry: Arc<MemoryRegistry>,
    ) -> Self {
        let log: Arc<dyn LogReader> = Arc::new(MemoryLog(events.iter().map(stored).collect()));
        let decoder = Arc::new(PlainDecoder::default());
        let app = App {
            reads: Arc::new(ReadSide::new(
                Arc::<MemoryRegistry>::clone(&registry),
                Arc::clone(&log),
            )),
            log,
            decoder: Arc::<PlainDecoder>::clone(&decoder),
            moved: None,
        };
        let policy = PolicyTable::try_new(RULES.iter().copied()).expect("one rule for each route");
        let keys = PublicKeys::try_from_pem(KEYS.public_pem()).expect("a public key");
        let door = Door::new(policy, TokenVerifier::new(keys, "issuer", "audience"));
        let sources = Sources::new(now, || Uuid::from_u128(0xc0));
        let (router, _) = routes().split_for_parts();
        let router = surround(router.with_state(app), sources, door, Limits::default());
        Self {
            events,
            rows,
            views,
            registry,
            decoder,
            router,
        }
    }

    pub async fn get(&self, caller: Principal, path: &str) -> Reply {
        self.get_at_least(caller, path, None).await
    }

    pub async fn get_at_least(&self, caller: Principal, path: &str, min: Option<&str>) -> Reply {
        let mut request = Request::get(path).header("authorization", bearer(caller));
        if let Some(min) = min {
            request = request.header("praxis-min-position", min);
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub async fn search(&self, caller: Principal, body: &Value) -> Reply {
        let request = Request::post("/patients/search")
            .header("authorization", bearer(caller))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.expect("a request")).await
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let is_head = request.method() == Method::HEAD;
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.expect("a body");
        let json = if is_head {
            assert!(bytes.is_empty());
            Value::Null
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        };
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            json,
        }
    }

    /// Every item of a list, page by page, by the links.
    pub async fn walk(&self, caller: Principal, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
        for _ in 0..1_000 {
            let Some(path) = next else { return items };
            let reply = self.get(caller, &path).await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.json);
            let page = reply.json["items"].as_array().expect("items").clone();
            assert!(!page.is_empty() || items.is_empty(), "{path} is an empty page");
            items.extend(page);
            next = reply.next();
            assert_eq!(next.is_some(), reply.json["next_cursor"].is_string());
        }
        panic!("{path} does not end");
    }

    pub fn head(&self) -> u64 {
        self.events.last().expect("events").position
    }

    /// A patient with bookings, whose record has changed.
    pub fn patient(&self) -> &PatientRow {
        let booked = |row: &&PatientRow| {
            row.place.version > 2 && self.rows.appointments.values().any(|a| a.patient_id == row.id)
        };
        self.rows.patients.values().find(booked).expect("a patient")
    }

    /// A booking that has changed, more than once.
    pub fn appointment(&self) -> &AppointmentRow {
        let changed = |row: &&AppointmentRow| row.place.version > 2;
        self.rows.appointments.values().find(changed).expect("a booking")
    }

    /// A conversation with read messages and a retracted one.
    pub fn thread(&self) -> &ThreadRow {
        let lively = |row: &&ThreadRow| {
            let of_it = || {
                self.rows
                    .messages
                    .values()
                    .filter(|message| message.thread_id == row.id)
            };
            row.message_count > 2
                && of_it().any(|message| message.retracted_at.is_some())
                && of_it().any(|message| !message.receipts.is_empty())
        };
        self.rows.threads.values().find(lively).expect("a conversation")
    }

    /// The patient who takes part in a conversation, and the practitioner.
    pub fn participants(thread: &ThreadRow) -> (Principal, Principal) {
        let (mut patient, mut doctor) = (None, None);
        for known in &thread.participants {
            match known.participant {
                Participant::Patient(id) => patient = Some(caller_patient(id)),
                Participant::Practitioner(id) => doctor = Some(caller_doctor(id)),
            }
        }
        (patient.expect("a patient"), doctor.expect("a doctor"))
    }
}

impl Reply {
    pub fn code(&self) -> (u16, &str) {
        (self.status, self.json["code"].as_str().unwrap_or("(no code)"))
    }

    /// Pointer and code of every fault.
    pub fn faults(&self) -> Vec<(&str, &str)> {
        let faults = self.json["faults"].as_array().expect("faults").iter();
        faults
            .map(|fault| {
                let text = |name: &str| fault[name].as_str().expect("text");
                (text("pointer"), text("code"))
            })
            .collect()
    }

    pub fn position(&self) -> &str {
        self.headers["praxis-position"].to_str().expect("ASCII")
    }

    fn next(&self) -> Option<String> {
        let link = self.headers.get("link")?.to_str().expect("ASCII");
        let (path, rest) = link
            .strip_prefix('<')
            .expect("a link")
            .split_once('>')
            .expect("a link");
        assert_eq!(rest, "; rel=\"next\"");
        Some(path.to_owned())
    }
}

pub fn at(position: u64) -> String {
    format!("{EPOCH}-{position}")
}

pub fn caller(role: Role) -> Principal {
    let of = |wanted| (role == wanted).then_some(Uuid::from_u128(0xab5e));
    Principal {
        account_id: Uuid::from_u128(0xacc),
        role,
        patient_id: of(Role::Patient),
        practitioner_id: of(Role::Doctor),
    }
}

pub fn staff() -> Principal {
    caller(Role::Staff)
}

pub fn auditor() -> Principal {
    caller(Role::Auditor)
}

pub fn caller_patient(id: PatientId) -> Principal {
    Principal {
        patient_id: Some(id.0),
        ..caller(Role::Patient)
    }
}

pub fn caller_doctor(id: PractitionerId) -> Principal {
    Principal {
        practitioner_id: Some(id.0),
        ..caller(Role::Doctor)
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("an instant")
}

pub fn bearer(caller: Principal) -> String {
    let signer = TokenSigner::try_new(KEYS.private_pem(), "issuer", "audience").expect("a signer");
    let token = signer.mint(&caller, now(), TimeDelta::minutes(5), Uuid::from_u128(1));
    format!("Bearer {}", token.expect("a token"))
}
