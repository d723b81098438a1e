//! A generation of read models whose rows and checkpoints a test puts there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::NaiveDate;
use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::reads::{AppointmentCursor, AppointmentView, Reads, ThreadCursor, ThreadView};
use praxis_read_models::search::PatientCriteria;
use praxis_read_models::views::{Checkpoint, ViewsError};
use praxis_testkit::rows::Rows;
use uuid::Uuid;

use super::{EPOCH, LOG_ID};

/// What a generation holds.
#[derive(Default)]
pub struct Held {
    pub rows: Rows,
    /// Position by partition.
    pub checkpoints: Vec<u64>,
    /// First parked position by stream.
    pub parked: BTreeMap<Uuid, u64>,
}

/// A generation.
#[derive(Default)]
pub struct MemoryViews {
    held: Mutex<Held>,
    checkpoint_reads: AtomicU64,
    /// After how many looks at the checkpoints they are at the given place.
    catches_up: Mutex<Option<(u64, u64)>>,
}

impl MemoryViews {
    pub fn new(rows: Rows, checkpoints: Vec<u64>) -> Self {
        let held = Held {
            rows,
            checkpoints,
            parked: BTreeMap::new(),
        };
        Self {
            held: Mutex::new(held),
            ..Self::default()
        }
    }

    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no test panics with it")
    }

    /// From the given look at the checkpoints on, every partition is at that position.
    pub fn catch_up_at_look(&self, look: u64, position: u64) {
        *self.catches_up.lock().expect("no test panics with it") = Some((look, position));
    }

    pub fn looks_at_checkpoints(&self) -> u64 {
        self.checkpoint_reads.load(Ordering::Relaxed)
    }

    fn appointments(
        &self,
        wanted: impl Fn(&AppointmentRow) -> bool,
        page: &Page<AppointmentCursor>,
    ) -> Vec<AppointmentView> {
        let held = self.held();
        let rows = held.rows.appointments.values().filter(|row| wanted(row)).cloned();
        let key = |row: &AppointmentRow| AppointmentCursor {
            starts: row.slot.starts,
            id: row.id,
        };
        page.of(rows, key)
            .into_iter()
            .map(|row| joined(&held.rows, row))
            .collect()
    }
}

/// A keyset page.
struct Page<K> {
    after: Option<K>,
    limit: u32,
}

impl<K: Ord + Copy> Page<K> {
    fn of<T>(&self, rows: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
        let mut rows: Vec<T> = rows
            .filter(|row| self.after.is_none_or(|after| key(row) > after))
            .collect();
        rows.sort_by_key(&key);
        rows.truncate(usize::try_from(self.limit).expect("a small limit"));
        rows
    }
}

pub fn joined(rows: &Rows, appointment: AppointmentRow) -> AppointmentView {
    AppointmentView {
        patient_name: rows.patients.get(&appointment.patient_id).map(PatientRow::name),
        practitioner_name: rows
            .practitioners
            .get(&appointment.practitioner_id)
            .map(PractitionerRow::name),
        location_name: rows
            .locations
            .get(&appointment.location_id)
            .map(|row| row.name.clone()),
        appointment,
    }
}

fn named(rows: &Rows, thread: ThreadRow) -> ThreadView {
    ThreadView {
        patient_name: rows.patients.get(&thread.patient_id).map(PatientRow::name),
        thread,
    }
}

#[async_trait]
impl Reads for MemoryViews {
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError> {
        let look = self.checkpoint_reads.fetch_add(1, Ordering::Relaxed) + 1;
        let mut held = self.held();
        if let Some((from_look, position)) = *self.catches_up.lock().expect("no test panics with it")
            && look >= from_look
        {
            held.checkpoints.fill(position);
        }
        let at = |(partition, position): (u32, &u64)| Checkpoint {
            partition,
            position: *position,
            epoch: EPOCH,
            log_id: LOG_ID,
            leaf_hash: [0; 32],
        };
        Ok((0..).zip(&held.checkpoints).map(at).collect())
    }

    async fn parked_since(&self, stream_id: Uuid) -> Result<Option<u64>, ViewsError> {
        Ok(self.held().parked.get(&stream_id).copied())
    }

    async fn parked_stream_count(&self) -> Result<u64, ViewsError> {
        Ok(u64::try_from(self.held().parked.len()).expect("few streams"))
    }

    async fn patient(&self, id: PatientId) -> Result<Option<PatientRow>, ViewsError> {
        Ok(self.held().rows.patients.get(&id).cloned())
    }

    async fn patients_page(
        &self,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError> {
        Ok(Page { after, limit }.of(self.held().rows.patients.values().cloned(), |row| row.id))
    }

    async fn search_patients(
        &self,
        criteria: &PatientCriteria,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError> {
        let held = self.held();
        let met = held
            .rows
            .patients
            .values()
            .filter(|row| criteria.is_met_by(&row.search_keys(), row.record_number));
        Ok(Page { after, limit }.of(met.cloned(), |row| row.id))
    }

    async fn practitioner(&self, id: PractitionerId) -> Result<Option<PractitionerRow>, ViewsError> {
        Ok(self.held().rows.practitioners.get(&id).cloned())
    }

    async fn practitioners_page(
        &self,
        after: Option<PractitionerId>,
        limit: u32,
    ) -> Result<Vec<PractitionerRow>, ViewsError> {
        Ok(Page { after, limit }.of(self.held().rows.practitioners.values().cloned(), |row| row.id))
    }

    async fn location(&self, id: LocationId) -> Result<Option<LocationRow>, ViewsError> {
        Ok(self.held().rows.locations.get(&id).cloned())
    }

    async fn locations_page(
        &self,
        after: Option<LocationId>,
        limit: u32,
    ) -> Result<Vec<LocationRow>, ViewsError> {
        Ok(Page { after, limit }.of(self.held().rows.locations.values().cloned(), |row| row.id))
    }

    async fn appointment(&self, id: AppointmentId) -> Result<Option<AppointmentView>, ViewsError> {
        let held = self.held();
        let row = held.rows.appointments.get(&id).cloned();
        Ok(row.map(|row| joined(&held.rows, row)))
    }

    async fn appointments_of_day(
        &self,
        practitioner_id: PractitionerId,
        local_date: NaiveDate,
        after: Option<AppointmentCursor>,
        limit: u32,
    ) -> Result<Vec<AppointmentView>, ViewsError> {
        let wanted =
            |row: &AppointmentRow| row.practitioner_id == practitioner_id && row.local_date() == local_date;
        Ok(self.appointments(wanted, &Page { after, limit }))
    }

    async fn appointments_of_patient(
        &self,
        patient_id: PatientId,
        after: Option<AppointmentCursor>,
        limit: u32,
    ) -> Result<Vec<AppointmentView>, ViewsError> {
        Ok(self.appointments(|row| row.patient_id == patient_id, &Page { after, limit }))
    }

    async fn thread(&self, id: ThreadId) -> Result<Option<ThreadView>, ViewsError> {
        let held = self.held();
        let row = held.rows.threads.get(&id).cloned();
        Ok(row.map(|row| named(&held.rows, row)))
    }

    async fn threads_of(
        &self,
        participant: Participant,
        after: Option<ThreadCursor>,
        limit: u32,
    ) -> Result<Vec<ThreadView>, ViewsError> {
        let held = self.held();
        let theirs = held.rows.threads.values().filter(|row| {
            row.participants
                .iter()
                .any(|known| known.participant == participant)
        });
        // The latest first: the same page of the order turned round.
        let key = |row: &ThreadRow| {
            std::cmp::Reverse(ThreadCursor {
                last_activity_at: row.last_activity_at,
                id: row.id,
            })
        };
        let page = Page {
            after: after.map(std::cmp::Reverse),
            limit,
        };
        let rows = page.of(theirs.cloned(), key);
        Ok(rows.into_iter().map(|row| named(&held.rows, row)).collect())
    }

    async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, ViewsError> {
        Ok(self.held().rows.messages.get(&id).cloned())
    }

    async fn messages_of(
        &self,
        thread_id: ThreadId,
        after_sequence: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, ViewsError> {
        let held = self.held();
        let rows = held
            .rows
            .messages
            .values()
            .filter(|row| row.thread_id == thread_id);
        let page = Page {
            after: after_sequence,
            limit,
        };
        Ok(page.of(rows.cloned(), |row| row.sequence))
    }
}
