//! Who writes over HTTP: practitioners, each with a conversation and a calendar, and patients enough to be booked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use praxis_auth::claims::Role;
use praxis_runtime::{clock, ids};
use serde_json::json;
use uuid::Uuid;

use crate::keys::Keys;
use crate::load::{Requests, all};
use crate::wire::post;

/// What a message says: about as long as messages are.
const BODY: &str = "The results are in, and nothing in them needs haste. Please come by on your next visit; until then go on as we said.";

/// A patient may have so many bookings open (the rules' default).
const BOOKINGS_PER_PATIENT: usize = 10;

/// A conversation has so many messages, then its client goes on in the next. Conversations that grow without end would
/// measure how the programs bear those: at 8,000/s each of 256 would soon be longer than any in a practice.
const MESSAGES_PER_THREAD: usize = 50;

/// One client's part of the practice.
#[derive(Clone)]
struct Desk {
    practitioner_id: Uuid,
    /// Its conversations, which are held in turn.
    thread_ids: Vec<Uuid>,
    /// How many messages it has sent.
    sent: Arc<AtomicUsize>,
    doctor: String,
    staff: String,
    /// When its last booking started.
    booked_until: DateTime<Utc>,
}

/// The people of a practice that was founded to be measured.
pub struct People {
    location_id: Uuid,
    desks: Vec<Desk>,
    patients: Arc<Vec<Uuid>>,
    /// How many patients have had their bookings.
    booked: Arc<AtomicUsize>,
}

impl People {
    /// Registers so many clients' worth of practitioners, each with so many threads, and so many patients, through the
    /// API.
    pub async fn register(
        address: SocketAddr,
        keys: &Keys,
        desks: usize,
        threads_each: usize,
        patients: usize,
    ) -> Result<Self> {
        let admin = keys.token(Role::Admin)?;
        let make = |path: &str, body: &serde_json::Value| {
            post(path, &admin, &ids::new_id().to_string(), &body.to_string())
        };
        let location = json!({ "name": "Bench", "zone": "Europe/Zurich" });
        let location_id = all(address, vec![make("/locations", &location)]).await?[0];
        let person = json!({ "family_name": "Bench", "given_names": ["Ada"] });
        let requests = (0..desks).map(|_| make("/practitioners", &person)).collect();
        let practitioners = all(address, requests).await?;
        let requests = (0..patients).map(|_| make("/patients", &person)).collect();
        let patients = all(address, requests).await?;
        let doctors: Vec<String> = practitioners
            .iter()
            .map(|id| keys.token_of_doctor(*id))
            .collect::<Result<_>>()?;
        let threads = practitioners
            .iter()
            .zip(&patients)
            .zip(&doctors)
            .flat_map(|one| std::iter::repeat_n(one, threads_each))
            .map(|((practitioner, patient), doctor)| {
                let document = json!({
                    "patient_id": patient,
                    "participants": [{ "kind": "patient", "id": patient }, { "kind": "practitioner", "id": practitioner }],
                    "topic": "Results",
                });
                post("/threads", doctor, &ids::new_id().to_string(), &document.to_string())
            })
            .collect();
        let threads = all(address, threads).await?;
        let tomorrow = clock::now().trunc_subsecs(0) + TimeDelta::days(1);
        let desks = practitioners
            .into_iter()
            .zip(threads.chunks(threads_each))
            .zip(doctors)
            .map(|((practitioner_id, thread_ids), doctor)| {
                Ok(Desk {
                    practitioner_id,
                    thread_ids: thread_ids.to_vec(),
                    sent: Arc::default(),
                    doctor,
                    staff: keys.token(Role::Staff)?,
                    booked_until: tomorrow,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            location_id,
            desks,
            patients: Arc::new(patients),
            booked: Arc::default(),
        })
    }

    /// Sends messages, each client in its own conversations; they go on where the last messages were sent.
    pub fn senders(&self, clients: usize) -> Vec<Requests> {
        let desks = self.desks.iter().take(clients);
        desks
            .map(|desk| {
                let (thread_ids, token) = (desk.thread_ids.clone(), desk.doctor.clone());
                let (sent, body) = (Arc::clone(&desk.sent), json!({ "body": BODY }).to_string());
                let requests: Requests = Box::new(move || {
                    let turn = sent.fetch_add(1, Ordering::Relaxed) / MESSAGES_PER_THREAD;
                    let path = format!("/threads/{}/messages", thread_ids[turn % thread_ids.len()]);
                    Ok(post(&path, &token, &ids::new_id().to_string(), &body))
                });
                requests
            })
            .collect()
    }

    /// Books visits, each client in a calendar of its own, of patients in turn; the calendars go on where the last
    /// bookings ended.
    pub fn bookers(&mut self, clients: usize, booked_per_desk_max: i32) -> Vec<Requests> {
        let (location_id, visit) = (self.location_id, TimeDelta::minutes(15));
        let mut bookers = Vec::with_capacity(clients);
        for desk in self.desks.iter_mut().take(clients) {
            let (practitioner_id, token) = (desk.practitioner_id, desk.staff.clone());
            let mut starts = desk.booked_until;
            desk.booked_until += visit * booked_per_desk_max;
            let (patients, booked) = (Arc::clone(&self.patients), Arc::clone(&self.booked));
            let (mut patient_id, mut left) = (Uuid::nil(), 0);
            let requests: Requests = Box::new(move || {
                if left == 0 {
                    let next = booked.fetch_add(1, Ordering::Relaxed);
                    patient_id = *patients
                        .get(next)
                        .context("too few patients for so many bookings")?;
                    left = BOOKINGS_PER_PATIENT;
                }
                left -= 1;
                let ends = starts + visit;
                let body = format!(
                    r#"{{"patient_id":"{patient_id}","practitioner_id":"{practitioner_id}","location_id":"{location_id}","starts":"{}","ends":"{}","reason":"yearly check"}}"#,
                    starts.to_rfc3339(),
                    ends.to_rfc3339()
                );
                starts = ends;
                Ok(post("/appointments", &token, &ids::new_id().to_string(), &body))
            });
            bookers.push(requests);
        }
        bookers
    }
}
