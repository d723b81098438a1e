//! What is a steady load, and is what it was told true of the log?

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use praxis_auth::claims::Role;
use praxis_events::recorded::RecordedEvent;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::service::Practice;
use crate::service::client::{Client, Request, Written};
use crate::service::log::Log;

/// Commands under way at a time.
const WORKERS: usize = 16;
/// Steady, not as fast as it goes: the log that is read afterwards stays small.
const PAUSE: Duration = Duration::from_millis(20);
/// Before a command is sent again. Shorter than `Retry-After` asks for, to find what hurry breaks.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// How long a caller waits for an answer before it turns to another process.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);
/// How long one command is sent again and again.
const COMMAND_TIME_MAX: Duration = Duration::from_mins(1);
/// Commands of one worker, whatever the test does.
const COMMANDS_MAX: usize = 5_000;
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// An acknowledged command.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    key: Uuid,
    command_key: [u8; 32],
    written: Written,
    /// How often it was sent.
    pub sendings: usize,
}

/// Who sends what: the desk registers patients, a doctor writes into conversations, one for each worker.
pub struct Callers {
    desk: Client,
    doctor: Client,
    threads: Vec<Uuid>,
    /// Events of the log before any load.
    set_up_len: usize,
}

/// A load under way; it goes on until [`end`](Self::end).
pub struct Load {
    workers: JoinSet<anyhow::Result<Vec<Acknowledged>>>,
    acknowledged: Arc<AtomicUsize>,
    ending: Arc<AtomicBool>,
}

impl Callers {
    /// Makes the accounts and the records the load needs.
    pub async fn ready(practice: &Practice, base: &str) -> anyhow::Result<Self> {
        let admin = Client::new(practice, Role::Admin, None, COMMAND_TIME_MAX)?;
        let practitioner_id = admin.must(base, &Request::register_practitioner()).await?;
        let desk = Client::new(practice, Role::Staff, None, ANSWER_TIME_MAX)?;
        let doctor = Client::new(practice, Role::Doctor, Some(practitioner_id), ANSWER_TIME_MAX)?;
        let patient_id = desk.must(base, &Request::register_patient()).await?;
        // Enough for two loads at a time.
        let mut threads = Vec::with_capacity(2 * WORKERS);
        for _ in 0..2 * WORKERS {
            let participants = json!([{ "kind": "practitioner", "id": practitioner_id }]);
            let body = json!({ "patient_id": patient_id, "participants": participants, "topic": "probe" });
            threads.push(doctor.must(base, &Request::post("/threads", body)).await?);
        }
        let set_up_len = Log::read_sound(practice).await?.events.len();
        Ok(Self {
            desk,
            doctor,
            threads,
            set_up_len,
        })
    }

    /// Begins a load on these processes; one that does not answer is left for the next.
    pub fn load(&self, bases: &[String]) -> Load {
        self.load_in(&self.threads[..WORKERS], bases)
    }

    /// Begins a load beside the first one, in other conversations.
    pub fn load_beside(&self, bases: &[String]) -> Load {
        self.load_in(&self.threads[WORKERS..], bases)
    }

    fn load_in(&self, threads: &[Uuid], bases: &[String]) -> Load {
        let (acknowledged, ending) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut workers = JoinSet::new();
        for (number, thread_id) in threads.iter().enumerate() {
            let mut worker = Worker {
                desk: self.desk.clone(),
                doctor: self.doctor.clone(),
                thread_id: *thread_id,
                bases: bases.to_vec(),
                turn: number,
            };
            let (acknowledged, ending) = (Arc::clone(&acknowledged), Arc::clone(&ending));
            workers.spawn(async move {
                let mut done = Vec::new();
                while !ending.load(Ordering::SeqCst) && done.len() < COMMANDS_MAX {
                    done.push(worker.command(done.len()).await?);
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    sleep(PAUSE).await;
                }
                Ok(done)
            });
        }
        Load {
            workers,
            acknowledged,
            ending,
        }
    }

    /// That the log is sound, has each of these commands exactly once, as it was acknowledged, and nothing else.
    pub async fn assert_each_is_there_once(
        &self,
        practice: &Practice,
        all: &[Acknowledged],
    ) -> anyhow::Result<()> {
        self.assert_each_is_there_once_beside(practice, all, 0).await
    }

    /// The same, and so many events that the test itself added.
    pub async fn assert_each_is_there_once_beside(
        &self,
        practice: &Practice,
        all: &[Acknowledged],
        others: usize,
    ) -> anyhow::Result<()> {
        let log = Log::read_sound(practice).await?;
        let keys: HashSet<Uuid> = all.iter().map(|acknowledged| acknowledged.key).collect();
        assert_eq!(keys.len(), all.len(), "every command had a key of its own");
        let mut by_key: HashMap<Uuid, Vec<&RecordedEvent>> = HashMap::new();
        for event in &log.events {
            by_key
                .entry(event.metadata.correlation_id)
                .or_default()
                .push(event);
        }
        for acknowledged in all {
            let written = acknowledged.written;
            let events = by_key
                .get(&acknowledged.key)
                .map(Vec::as_slice)
                .unwrap_or_default();
            assert_eq!(events.len(), 1, "{acknowledged:?} has one event in the log");
            let event = events[0];
            let found = (event.stream.id, event.stream_version, event.position);
            assert_eq!(
                found,
                (written.id, written.version, written.position),
                "{acknowledged:?}"
            );
            let kept = log
                .reader
                .command(acknowledged.command_key)
                .await?
                .context("the outcome is kept")?;
            assert_eq!(
                (kept.answer_id, kept.version, kept.position),
                found,
                "{acknowledged:?}"
            );
        }
        assert_eq!(
            log.events.len(),
            self.set_up_len + all.len() + others,
            "nothing else is in the log"
        );
        Ok(())
    }
}

impl Load {
    /// Waits until so many more commands are acknowledged. Fails when that takes longer.
    pub async fn goes_on(&self, commands: usize, within: Duration) -> anyhow::Result<()> {
        let wanted = self.acknowledged.load(Ordering::SeqCst) + commands;
        let deadline = Instant::now() + within;
        loop {
            let missing = wanted.saturating_sub(self.acknowledged.load(Ordering::SeqCst));
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

    /// Lets every worker end its command; all that was acknowledged.
    pub async fn end(mut self) -> anyhow::Result<Vec<Acknowledged>> {
        self.ending.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        while let Some(done) = self.workers.join_next().await {
            all.extend(done??);
        }
        Ok(all)
    }
}

struct Worker {
    desk: Client,
    doctor: Client,
    thread_id: Uuid,
    bases: Vec<String>,
    /// Which process is asked next.
    turn: usize,
}

impl Worker {
    /// Sends one command until it is acknowledged. Nothing but 503 and a lost connection is a reason to send it again.
    async fn command(&mut self, number: usize) -> anyhow::Result<Acknowledged> {
        let (client, request) = if number.is_multiple_of(2) {
            let path = format!("/threads/{}/messages", self.thread_id);
            (
                &self.doctor,
                Request::post(path, json!({ "body": "all is well" })),
            )
        } else {
            (&self.desk, Request::register_patient())
        };
        let began = Instant::now();
        let mut sendings = 0;
        loop {
            sendings += 1;
            let base = &self.bases[self.turn % self.bases.len()];
            match client.send(base, &request).await {
                Ok(reply) if reply.status == 201 => {
                    let command_key = client.command_key(request.key);
                    return Ok(Acknowledged {
                        key: request.key,
                        command_key,
                        written: reply.written()?,
                        sendings,
                    });
                }
                Ok(reply) => {
                    ensure!(reply.status == 503, "{} was answered {reply:?}", request.path);
                    ensure!(reply.says_retry_after, "a 503 says when to come again");
                }
                Err(error) => ensure!(
                    is_of_the_network(&error),
                    "{} was answered {error:?}",
                    request.path
                ),
            }
            ensure!(
                began.elapsed() < COMMAND_TIME_MAX,
                "{} was never acknowledged",
                request.path
            );
            self.turn += 1;
            sleep(RETRY_PAUSE).await;
        }
    }
}

fn is_of_the_network(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<reqwest::Error>()
        .is_some_and(|error| !error.is_builder() && !error.is_status())
}
