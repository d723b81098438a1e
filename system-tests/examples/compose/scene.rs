//! What is a load through the gateway, who reads meanwhile, and what must be true when it has ended?

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Request};
use praxis_system_tests::load::{Acknowledged, Callers, Load, Targets};
use praxis_system_tests::log::Log;
use praxis_system_tests::proof;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use crate::docker::assert_none_ended_by_itself;
use crate::practice::ComposePractice;
use crate::report::Report;
use crate::topic;

/// The one address that callers know.
pub const GATEWAY: &str = "http://127.0.0.1:8080";
/// Commands after which a load is under way, and after which it goes on again.
pub const SOME: usize = 60;
/// Much longer than so many take.
pub const SOON: Duration = Duration::from_mins(1);
/// A dozen callers, some eighty commands a second: enough to meet a fault at every step, and a log that is soon read.
const WORKER_PAUSE: Duration = Duration::from_millis(150);
const READERS: usize = 3;
const READER_PAUSE: Duration = Duration::from_millis(50);
/// Longer than the service's own limit for a request.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// What every stage is given.
pub struct Scene {
    pub practice: ComposePractice,
    pub report: Report,
}

/// A load from its preparation to its proofs.
pub struct Chapter {
    callers: Callers,
    pub load: Load,
}

/// What a chapter's callers were told, and what was found.
pub struct Proved {
    pub commands: Vec<Acknowledged>,
    pub read_back: usize,
    /// What was answered instead of what was asked for.
    pub not_served: Vec<String>,
    pub log: Log,
    /// Messages in the topic beyond one for each event.
    pub repeated_messages: usize,
}

impl Scene {
    /// Somebody who calls the APIs.
    pub fn client(&self, role: Role, practitioner_id: Option<Uuid>) -> anyhow::Result<Client> {
        Client::new(&self.practice, role, practitioner_id, ANSWER_TIME_MAX)
    }

    /// Begins a load through the gateway and waits until it is well under way.
    pub async fn begin_load(&self) -> anyhow::Result<Chapter> {
        let mut callers = Callers::ready(&self.practice, GATEWAY).await?;
        callers.pause = WORKER_PAUSE;
        let targets = Targets {
            command_apis: vec![GATEWAY.to_owned()],
            query_api: Some(GATEWAY.to_owned()),
        };
        let mut load = callers.load(&targets);
        load.goes_on(SOME, SOON)
            .await
            .context("before anything was done")?;
        Ok(Chapter { callers, load })
    }

    /// Ends it; the log must have every command that was acknowledged once and nothing else but `others` events, the
    /// topic every event, the read models must be the fold of the log, and no container may have ended by itself.
    pub async fn end_load(&self, chapter: Chapter, others: usize) -> anyhow::Result<Proved> {
        let Chapter { callers, load } = chapter;
        let (commands, told) = load.end_with_told().await?;
        let log = proof::assert_each_is_there_once(&self.practice, &commands, callers.set_up_len + others)
            .await
            .context("the log is not what callers were told")?;
        proof::assert_views_equal_a_fresh_fold(&self.practice, &log)
            .await
            .context("the read models are not the fold of the log")?;
        let repeated_messages = topic::assert_each_event_is_there(&log.events)
            .await
            .context("the topic is not what the log says")?;
        assert_none_ended_by_itself().await?;
        Ok(Proved {
            commands,
            read_back: told.read_back,
            not_served: told.not_served,
            log,
            repeated_messages,
        })
    }

    /// Begins to read lists, records and a search through the gateway, beside a load.
    pub async fn begin_reading(&self) -> anyhow::Result<Reading> {
        let desk = self.client(Role::Staff, None)?;
        let registered = desk.send(GATEWAY, &Request::register_patient()).await?;
        let patient_id = registered.written()?.id;
        // Who hands back no position may read what was there before; from here on everyone finds the patient.
        let path = format!("/patients/{patient_id}");
        let found = desk.get(GATEWAY, &path, Some(registered.position()?)).await?;
        ensure!(found.status == 200, "{path} was answered {found:?}");
        let counts = Arc::new(ReadCounts::default());
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn(read_on(desk.clone(), patient_id, Arc::clone(&counts)));
        }
        Ok(Reading { readers, counts })
    }
}

impl Proved {
    /// In a line.
    pub fn told(&self) -> String {
        let resent = self.commands.iter().filter(|known| known.sendings > 1).count();
        format!(
            "{} commands ({resent} sent again), {} read back, {} answers not served; the log has {} events, the topic \
             {} messages more: nothing lost, nothing repeated, read models are the fold of the log",
            self.commands.len(),
            self.read_back,
            self.not_served.len(),
            self.log.events.len(),
            self.repeated_messages
        )
    }

    /// That no caller was told anything but what was asked for.
    pub fn assert_all_served(&self) -> anyhow::Result<()> {
        ensure!(
            self.not_served.is_empty(),
            "{} requests were not served, the first: {:?}",
            self.not_served.len(),
            &self.not_served[..self.not_served.len().min(3)]
        );
        Ok(())
    }
}

#[derive(Default)]
struct ReadCounts {
    served: AtomicUsize,
    not_served: Mutex<Vec<String>>,
    ending: AtomicBool,
}

/// Who only reads.
pub struct Reading {
    readers: JoinSet<()>,
    counts: Arc<ReadCounts>,
}

impl Reading {
    /// Ends it: how many reads were served, and all of them must have been. One event was its own.
    pub async fn end(self) -> anyhow::Result<usize> {
        self.counts.ending.store(true, Ordering::SeqCst);
        self.readers.join_all().await;
        let not_served = self
            .counts
            .not_served
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ensure!(
            not_served.is_empty(),
            "{} reads were not served, the first: {:?}",
            not_served.len(),
            &not_served[..not_served.len().min(3)]
        );
        Ok(self.counts.served.load(Ordering::SeqCst))
    }
}

async fn read_on(desk: Client, patient_id: Uuid, counts: Arc<ReadCounts>) {
    let paths = [
        "/patients?limit=20".to_owned(),
        format!("/patients/{patient_id}"),
        format!("/patients/{patient_id}/history"),
        "/practitioners".to_owned(),
        "/locations".to_owned(),
    ];
    while !counts.ending.load(Ordering::SeqCst) {
        for path in &paths {
            note(&counts, path, desk.get(GATEWAY, path, None).await);
            sleep(READER_PAUSE).await;
        }
        let search = Request::post("/patients/search", json!({ "name": "Probe", "limit": 5 }));
        note(&counts, &search.path, desk.send(GATEWAY, &search).await);
    }
}

fn note(counts: &ReadCounts, path: &str, answer: anyhow::Result<praxis_system_tests::client::Reply>) {
    let told = match answer {
        Ok(reply) if reply.status == 200 => {
            counts.served.fetch_add(1, Ordering::SeqCst);
            return;
        }
        Ok(reply) => format!("{path}: {} {}", reply.status, reply.text),
        Err(error) => format!("{path}: {error:#}"),
    };
    counts
        .not_served
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(told);
}
