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

/// One client's part of the practice.
#[derive(Clone)]
struct Desk {
    practitioner_id: Uuid,
    thread_id: Uuid,
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
    /// Registers so many clients' worth of practitioners and threads, and so many patients, through the API.
    pub async fn register(address: SocketAddr, keys: &Keys, desks: usize, patients: usize) -> Result<Self> {
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
            .zip(threads)
            .zip(doctors)
            .map(|((practitioner_id, thread_id), doctor)| {
                Ok(Desk {
                    practitioner_id,
                    thread_id,
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

    /// The conversation of each client.
    pub fn threads(&self) -> Vec<Uuid> {
        self.desks.iter().map(|desk| desk.thread_id).collect()
    }

    /// Sends messages, each client in its own conversation.
    pub fn senders(&self, clients: usize) -> Vec<Requests> {
        let desks = self.desks.iter().take(clients);
        desks
            .map(|desk| {
                let (path, token) = (
                    format!("/threads/{}/messages", desk.thread_id),
                    desk.doctor.clone(),
                );
                let body = json!({ "body": BODY }).to_string();
                let requests: Requests =
                    Box::new(move || Ok(post(&path, &token, &ids::new_id().to_string(), &body)));
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
