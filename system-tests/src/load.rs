//! What is a steady load on the tier, and what was it told?

mod worker;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use praxis_auth::claims::Role;
use praxis_runtime::clock;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::client::{Client, Request, Written};
use crate::log::Log;
use crate::practice::Practice;
use worker::Worker;

/// Commands under way at a time.
const WORKERS: usize = 12;
/// Loads that may go on beside each other.
const LOADS_MAX: usize = 2;
/// How long a caller waits for an answer before it turns to another process.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);
/// A read waits 5 s for its position before it is answered 503.
const READ_TIME_MAX: Duration = Duration::from_secs(8);
/// How long one command is sent again and again.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(90);
/// Steady, not as fast as it goes: the log that is read afterwards stays small.
const PAUSE: Duration = Duration::from_millis(40);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// An acknowledged command.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// Its idempotency key, and the correlation id of its one event.
    pub key: Uuid,
    /// Under what the log keeps its outcome.
    pub command_key: [u8; 32],
    /// What was answered.
    pub written: Written,
    /// How often it was sent.
    pub sendings: usize,
}

/// Who sends what: the desk registers patients and books for them, a doctor writes to a colleague, who reads.
pub struct Callers {
    desk: Client,
    doctor: Client,
    colleague: Client,
    reader: Client,
    doctor_id: Uuid,
    location_id: Uuid,
    /// A conversation for each worker.
    threads: Vec<Uuid>,
    first_slot: DateTime<Utc>,
    /// How long each worker rests between two commands.
    pub pause: Duration,
    /// Events of the log before any load.
    pub set_up_len: usize,
}

/// Whom a load calls.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Every `command-api`; one that does not answer is left for the next.
    pub command_apis: Vec<String>,
    /// Where what was written is read back, if anywhere.
    pub query_api: Option<String>,
}

/// What the callers of a load were told besides acknowledgements.
#[derive(Clone, Debug)]
pub struct Told {
    /// How many bookings were read back, no older than they were written.
    pub read_back: usize,
    /// What was answered where something else was asked for, in this order: 503, or nothing at all.
    pub not_served: Vec<String>,
}

/// A load under way; it goes on until [`end`](Self::end).
pub struct Load {
    workers: JoinSet<anyhow::Result<Vec<Acknowledged>>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    acknowledged: AtomicUsize,
    read_back: AtomicUsize,
    not_served: Mutex<Vec<String>>,
    ending: AtomicBool,
}

impl Callers {
    /// Makes the accounts and the records the load needs.
    pub async fn ready(practice: &dyn Practice, base: &str) -> anyhow::Result<Self> {
        let admin = Client::new(practice, Role::Admin, None, COMMAND_TIME_MAX)?;
        let doctor_id = admin.must(base, &Request::register_practitioner()).await?;
        let colleague_id = admin.must(base, &Request::register_practitioner()).await?;
        let location_id = admin.must(base, &Request::register_location()).await?;
        let desk = Client::new(practice, Role::Staff, None, ANSWER_TIME_MAX)?;
        let reader = Client::new(practice, Role::Staff, None, READ_TIME_MAX)?;
        let doctor = Client::new(practice, Role::Doctor, Some(doctor_id), ANSWER_TIME_MAX)?;
        let colleague = Client::new(practice, Role::Doctor, Some(colleague_id), ANSWER_TIME_MAX)?;
        let patient_id = desk.must(base, &Request::register_patient()).await?;
        let mut threads = Vec::with_capacity(LOADS_MAX * WORKERS);
        for _ in 0..LOADS_MAX * WORKERS {
            let participants =
                [doctor_id, colleague_id].map(|id| json!({ "kind": "practitioner", "id": id }));
            let body = json!({ "patient_id": patient_id, "participants": participants, "topic": "probe" });
            threads.push(doctor.must(base, &Request::post("/threads", body)).await?);
        }
        let set_up_len = Log::read_sound(practice).await?.events.len();
        Ok(Self {
            desk,
            doctor,
            colleague,
            reader,
            doctor_id,
            location_id,
            threads,
            first_slot: tomorrow(),
            pause: PAUSE,
            set_up_len,
        })
    }

    /// Begins a load.
    pub fn load(&self, targets: &Targets) -> Load {
        self.load_of(0..WORKERS, targets)
    }

    /// Begins a load beside the first one, in other conversations and at other times.
    pub fn load_beside(&self, targets: &Targets) -> Load {
        self.load_of(WORKERS..LOADS_MAX * WORKERS, targets)
    }

    fn load_of(&self, numbers: std::ops::Range<usize>, targets: &Targets) -> Load {
        let counts = Arc::new(Counts::default());
        let mut workers = JoinSet::new();
        for number in numbers {
            workers.spawn(self.worker(number, targets, &counts).run());
        }
        Load { workers, counts }
    }

    fn worker(&self, number: usize, targets: &Targets, counts: &Arc<Counts>) -> Worker {
        Worker {
            desk: self.desk.clone(),
            doctor: self.doctor.clone(),
            colleague: self.colleague.clone(),
            reader: self.reader.clone(),
            doctor_id: self.doctor_id,
            location_id: self.location_id,
            thread_id: self.threads[number],
            first_slot: self.first_slot,
            pause: self.pause,
            number,
            targets: targets.clone(),
            turn: number,
            last_patient: None,
            last_message: None,
            counts: Arc::clone(counts),
        }
    }
}

impl Load {
    /// Waits until so many more commands are acknowledged. Fails when that takes longer, or a caller was answered
    /// what it should not be.
    pub async fn goes_on(&mut self, commands: usize, within: Duration) -> anyhow::Result<()> {
        let wanted = self.acknowledged() + commands;
        let deadline = Instant::now() + within;
        loop {
            // A worker ends early only with an error.
            if let Some(ended) = self.workers.try_join_next() {
                let done = ended??;
                anyhow::bail!("a caller stopped after {} commands", done.len());
            }
            let missing = wanted.saturating_sub(self.acknowledged());
            if missing == 0 {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{missing} of {commands} commands not acknowledged within {within:?}"
            );
            sleep(POLL_INTERVAL).await;
        }
    }

    /// How many commands were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.counts.acknowledged.load(Ordering::SeqCst)
    }

    /// How many were read back, no older than they were written.
    pub fn read_back(&self) -> usize {
        self.counts.read_back.load(Ordering::SeqCst)
    }

    /// Lets every worker end its command; all that was acknowledged.
    pub async fn end(self) -> anyhow::Result<Vec<Acknowledged>> {
        self.end_with_told().await.map(|(all, _)| all)
    }

    /// The same, and what callers were told besides.
    pub async fn end_with_told(mut self) -> anyhow::Result<(Vec<Acknowledged>, Told)> {
        self.counts.ending.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        while let Some(done) = self.workers.join_next().await {
            all.extend(done??);
        }
        let not_served = std::mem::take(&mut *self.counts.not_served.lock().expect("nobody panics with it"));
        let read_back = self.read_back();
        Ok((
            all,
            Told {
                read_back,
                not_served,
            },
        ))
    }
}

/// Its first second.
fn tomorrow() -> DateTime<Utc> {
    let tomorrow = clock::now() + TimeDelta::days(1);
    tomorrow.date_naive().and_time(NaiveTime::MIN).and_utc()
}
