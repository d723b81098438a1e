//! What does one caller of a load send, what is it told, and does it read what it wrote?

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Acknowledged, COMMAND_TIME_MAX, Counts, LOADS_MAX, Targets, WORKERS};
use crate::client::{Client, Reply, Request};

/// Before a command is sent again. Shorter than `Retry-After` asks for, to find what hurry breaks.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// Commands of one worker, whatever the test does; as many bookings as fit into the practice's horizon.
const COMMANDS_MAX: usize = 5_000;
const BOOKINGS: &str = "/appointments";

pub(super) struct Worker {
    pub(super) desk: Client,
    pub(super) doctor: Client,
    pub(super) colleague: Client,
    pub(super) reader: Client,
    pub(super) doctor_id: Uuid,
    pub(super) location_id: Uuid,
    pub(super) thread_id: Uuid,
    pub(super) first_slot: DateTime<Utc>,
    pub(super) pause: Duration,
    pub(super) number: usize,
    pub(super) targets: Targets,
    /// Which process is asked next.
    pub(super) turn: usize,
    pub(super) last_patient: Option<Uuid>,
    pub(super) last_message: Option<String>,
    pub(super) counts: Arc<Counts>,
}

impl Worker {
    pub(super) async fn run(mut self) -> anyhow::Result<Vec<Acknowledged>> {
        let mut done = Vec::new();
        while !self.counts.ending.load(Ordering::SeqCst) && done.len() < COMMANDS_MAX {
            let (client, request) = self.next(done.len());
            let (acknowledged, reply) = self.command(&client, &request).await?;
            self.remember(&request, &reply);
            done.push(acknowledged);
            self.counts.acknowledged.fetch_add(1, Ordering::SeqCst);
            if request.path == BOOKINGS {
                self.read_back(&reply).await?;
            }
            sleep(self.pause).await;
        }
        Ok(done)
    }

    /// A message, a new patient, the message is read, the patient booked; each of them one event.
    fn next(&self, number: usize) -> (Client, Request) {
        match (number % 4, &self.last_message, self.last_patient) {
            (2, Some(message_id), _) => {
                let path = format!("/threads/{}/messages/{message_id}/read", self.thread_id);
                (self.colleague.clone(), Request::post(path, json!(null)))
            }
            (3, _, Some(patient_id)) => (self.desk.clone(), self.booking(patient_id, number / 4)),
            (0, _, _) => {
                let path = format!("/threads/{}/messages", self.thread_id);
                (
                    self.doctor.clone(),
                    Request::post(path, json!({ "body": "all is well" })),
                )
            }
            _ => (self.desk.clone(), Request::register_patient()),
        }
    }

    /// At a time of the doctor that nobody else asks for.
    fn booking(&self, patient_id: Uuid, count: usize) -> Request {
        const SLOT_MINUTES: i64 = 5;
        let slot = i64::try_from(count * LOADS_MAX * WORKERS + self.number).unwrap_or(i64::MAX);
        let starts = self.first_slot + TimeDelta::minutes(SLOT_MINUTES * slot);
        let ends = starts + TimeDelta::minutes(SLOT_MINUTES);
        let body = json!({
            "patient_id": patient_id,
            "practitioner_id": self.doctor_id,
            "location_id": self.location_id,
            "starts": starts.to_rfc3339(),
            "ends": ends.to_rfc3339(),
        });
        Request::post(BOOKINGS, body)
    }

    fn remember(&mut self, request: &Request, reply: &Reply) {
        if let Some(message_id) = reply.body["message_id"].as_str() {
            self.last_message = Some(message_id.to_owned());
        }
        if request.path == "/patients" {
            self.last_patient = reply.body["id"].as_str().and_then(|id| id.parse().ok());
        }
    }

    /// Sends one command until it is acknowledged. Nothing but 503 and a lost connection is a reason to send it again.
    async fn command(&mut self, client: &Client, request: &Request) -> anyhow::Result<(Acknowledged, Reply)> {
        let began = Instant::now();
        let mut sendings = 0;
        loop {
            sendings += 1;
            let bases = &self.targets.command_apis;
            match client.send(&bases[self.turn % bases.len()], request).await {
                Ok(reply) if reply.is_written() => {
                    let acknowledged = Acknowledged {
                        key: request.key,
                        command_key: client.command_key(request.key),
                        written: reply.written()?,
                        sendings,
                    };
                    return Ok((acknowledged, reply));
                }
                answer => self.not_served(&request.path, answer)?,
            }
            ensure!(
                began.elapsed() < COMMAND_TIME_MAX,
                "{} was never acknowledged in {sendings} sendings",
                request.path
            );
            self.turn += 1;
            sleep(RETRY_PAUSE).await;
        }
    }

    /// Who hands back the position of a write never reads older state: the booking is there, or the answer is 503.
    async fn read_back(&self, booked: &Reply) -> anyhow::Result<()> {
        let Some(base) = &self.targets.query_api else {
            return Ok(());
        };
        let path = format!("{BOOKINGS}/{}", booked.written()?.id);
        match self.reader.get(base, &path, Some(booked.position()?)).await {
            Ok(reply) if reply.status == 200 => {
                self.counts.read_back.fetch_add(1, Ordering::SeqCst);
            }
            answer => self.not_served(&path, answer)?,
        }
        Ok(())
    }

    /// Keeps what was answered instead of what was asked for, which must be one of the answers that may be.
    fn not_served(&self, path: &str, answer: anyhow::Result<Reply>) -> anyhow::Result<()> {
        let told = match answer {
            Ok(reply) => {
                ensure_told_to_come_again(&reply, path)?;
                format!("{path}: {} {}", reply.status, reply.text)
            }
            Err(error) => {
                ensure_of_the_network(&error, path)?;
                format!("{path}: {error:#}")
            }
        };
        self.counts
            .not_served
            .lock()
            .expect("nobody panics with it")
            .push(told);
        Ok(())
    }
}

fn ensure_told_to_come_again(reply: &Reply, path: &str) -> anyhow::Result<()> {
    ensure!(reply.status == 503, "{path} was answered {reply:?}");
    ensure!(
        reply.says_retry_after(),
        "a 503 says when to come again: {path} was answered {reply:?}"
    );
    ensure!(
        reply.is_problem(),
        "a 503 is a problem document: {path} was answered {reply:?}"
    );
    Ok(())
}

fn ensure_of_the_network(error: &anyhow::Error, path: &str) -> anyhow::Result<()> {
    let of_the_network = error
        .downcast_ref::<reqwest::Error>()
        .is_some_and(|error| !error.is_builder() && !error.is_status());
    ensure!(of_the_network, "{path} was answered {error:?}");
    Ok(())
}
