//! How are read models read: single rows, keyset pages and searches, each by an index.

use async_trait::async_trait;
use chrono::{Datelike as _, NaiveDate};
use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::thread::Participant;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::reads::{AppointmentCursor, AppointmentView, Reads, ThreadCursor, ThreadView};
use praxis_read_models::search::PatientCriteria;
use praxis_read_models::views::{Checkpoint, ViewsError};
use serde::de::DeserializeOwned;
use sqlx::mysql::{MySqlConnectOptions, MySqlRow};
use uuid::Uuid;

use super::conn::{column, document, joined};
use super::save::participant_columns;
use super::search;
use super::sessions::Sessions;
use super::write::{checkpoints, parked_stream_count};
use crate::fitness::Purpose;
use crate::session::Statement;

const PARKED_SINCE: &str = "-- store_mysql::views::read::parked_since
SELECT position FROM parked WHERE stream_id = ? ORDER BY position LIMIT 1";

const PATIENT: &str = "-- store_mysql::views::read::patient
SELECT document FROM patients WHERE id = ?";

const PATIENTS: &str = "-- store_mysql::views::read::patients_page
SELECT document FROM patients WHERE id > ? ORDER BY id LIMIT ?";

const PRACTITIONER: &str = "-- store_mysql::views::read::practitioner
SELECT document FROM practitioners WHERE id = ?";

const PRACTITIONERS: &str = "-- store_mysql::views::read::practitioners_page
SELECT document FROM practitioners WHERE id > ? ORDER BY id LIMIT ?";

const LOCATION: &str = "-- store_mysql::views::read::location
SELECT document FROM locations WHERE id = ?";

const LOCATIONS: &str = "-- store_mysql::views::read::locations_page
SELECT document FROM locations WHERE id > ? ORDER BY id LIMIT ?";

const MESSAGE: &str = "-- store_mysql::views::read::message
SELECT document FROM messages WHERE id = ?";

const MESSAGES: &str = "-- store_mysql::views::read::messages_of
SELECT document FROM messages FORCE INDEX (messages_by_thread)
WHERE thread_id = ? AND sequence >= ? ORDER BY sequence, id LIMIT ?";

const APPOINTMENT: &str = "-- store_mysql::views::read::appointment
SELECT a.document, p.name, d.name, l.name
FROM appointments AS a
LEFT JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = a.patient_id
LEFT JOIN practitioners AS d FORCE INDEX (PRIMARY) ON d.id = a.practitioner_id
LEFT JOIN locations AS l FORCE INDEX (PRIMARY) ON l.id = a.location_id
WHERE a.id = ?";

/// The place after which to go on is written out: the server seeks no range of a row constructor.
const APPOINTMENTS_OF_DAY: &str = "-- store_mysql::views::read::appointments_of_day
SELECT a.document, p.name, d.name, l.name
FROM appointments AS a FORCE INDEX (appointments_by_day)
LEFT JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = a.patient_id
LEFT JOIN practitioners AS d FORCE INDEX (PRIMARY) ON d.id = a.practitioner_id
LEFT JOIN locations AS l FORCE INDEX (PRIMARY) ON l.id = a.location_id
WHERE a.practitioner_id = ? AND a.local_date = ? AND a.starts >= ? AND (a.starts > ? OR a.id > ?)
ORDER BY a.starts, a.id LIMIT ?";

const APPOINTMENTS_OF_PATIENT: &str = "-- store_mysql::views::read::appointments_of_patient
SELECT a.document, p.name, d.name, l.name
FROM appointments AS a FORCE INDEX (appointments_by_patient)
LEFT JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = a.patient_id
LEFT JOIN practitioners AS d FORCE INDEX (PRIMARY) ON d.id = a.practitioner_id
LEFT JOIN locations AS l FORCE INDEX (PRIMARY) ON l.id = a.location_id
WHERE a.patient_id = ? AND a.starts >= ? AND (a.starts > ? OR a.id > ?)
ORDER BY a.starts, a.id LIMIT ?";

const THREAD: &str = "-- store_mysql::views::read::thread
SELECT t.document, p.name
FROM threads AS t LEFT JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = t.patient_id WHERE t.id = ?";

const THREADS_OF: &str = "-- store_mysql::views::read::threads_of
SELECT t.document, p.name
FROM thread_participants AS m FORCE INDEX (threads_by_participant)
STRAIGHT_JOIN threads AS t FORCE INDEX (PRIMARY) ON t.id = m.thread_id
LEFT JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = t.patient_id
WHERE m.kind = ? AND m.participant_id = ? AND m.last_activity <= ? AND (m.last_activity < ? OR m.thread_id < ?)
ORDER BY m.last_activity DESC, m.thread_id DESC LIMIT ?";

/// Greater than every id of 16 bytes.
const AFTER_EVERY_ID: [u8; 17] = [u8::MAX; 17];

/// One generation, for reading.
#[derive(Debug)]
pub(super) struct MySqlReads {
    pub(super) sessions: Sessions,
}

impl MySqlReads {
    pub(super) fn new(options: MySqlConnectOptions) -> Self {
        Self {
            sessions: Sessions::new("views-read", Purpose::Read, options),
        }
    }

    async fn rows(&self, statement: Statement<'_>) -> Result<Vec<MySqlRow>, ViewsError> {
        self.sessions.take().await?.rows(statement).await
    }

    /// The document that a statement finds.
    async fn one<T: DeserializeOwned>(&self, text: &'static str, id: Uuid) -> Result<Option<T>, ViewsError> {
        let found = self.rows(sqlx::query(text).bind(bytes(id))).await?;
        found.first().map(|row| document(row, 0)).transpose()
    }

    /// The documents of a page by id.
    async fn page<T: DeserializeOwned>(
        &self,
        text: &'static str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<T>, ViewsError> {
        let rows = self
            .rows(sqlx::query(text).bind(after_id(after)).bind(limit))
            .await?;
        rows.iter().map(|row| document(row, 0)).collect()
    }
}

fn bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// Every id but that of zeros, which nothing has, is greater than no bytes.
fn after_id(after: Option<Uuid>) -> Vec<u8> {
    after.map_or_else(Vec::new, bytes)
}

/// Where a list by start goes on: micros and id, or before everything.
fn appointment_place(after: Option<AppointmentCursor>) -> (i64, Vec<u8>) {
    after.map_or((i64::MIN, Vec::new()), |cursor| {
        (cursor.starts.timestamp_micros(), bytes(cursor.id.0))
    })
}

/// Where a list by last activity goes on.
fn thread_place(after: Option<ThreadCursor>) -> (i64, Vec<u8>) {
    after.map_or((i64::MAX, AFTER_EVERY_ID.to_vec()), |cursor| {
        (cursor.last_activity_at.timestamp_micros(), bytes(cursor.id.0))
    })
}

/// From documents of a booking, its patient's and practitioner's names, and its location's name as it stands.
fn appointment_view(row: &MySqlRow) -> Result<AppointmentView, ViewsError> {
    let location_name: Option<Vec<u8>> = column(row, 3)?;
    Ok(AppointmentView {
        appointment: document(row, 0)?,
        patient_name: joined(row, 1)?,
        practitioner_name: joined(row, 2)?,
        location_name: location_name
            .map(String::from_utf8)
            .transpose()
            .map_err(|_| ViewsError::Corrupt("a location's name is no text"))?,
    })
}

fn thread_view(row: &MySqlRow) -> Result<ThreadView, ViewsError> {
    Ok(ThreadView {
        thread: document(row, 0)?,
        patient_name: joined(row, 1)?,
    })
}

#[async_trait]
impl Reads for MySqlReads {
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError> {
        checkpoints(&mut self.sessions.take().await?).await
    }

    async fn parked_since(&self, stream_id: Uuid) -> Result<Option<u64>, ViewsError> {
        let found = self
            .rows(sqlx::query(PARKED_SINCE).bind(bytes(stream_id)))
            .await?;
        found.first().map(|row| column(row, 0)).transpose()
    }

    async fn parked_stream_count(&self) -> Result<u64, ViewsError> {
        parked_stream_count(&mut self.sessions.take().await?).await
    }

    async fn patient(&self, id: PatientId) -> Result<Option<PatientRow>, ViewsError> {
        self.one(PATIENT, id.0).await
    }

    async fn patients_page(
        &self,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError> {
        self.page(PATIENTS, after.map(|id| id.0), limit).await
    }

    async fn search_patients(
        &self,
        criteria: &PatientCriteria,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError> {
        let Some(statement) = search::statement(criteria, after_id(after.map(|id| id.0)), limit)? else {
            return Ok(Vec::new());
        };
        self.rows(statement)
            .await?
            .iter()
            .map(|row| document(row, 0))
            .collect()
    }

    async fn practitioner(&self, id: PractitionerId) -> Result<Option<PractitionerRow>, ViewsError> {
        self.one(PRACTITIONER, id.0).await
    }

    async fn practitioners_page(
        &self,
        after: Option<PractitionerId>,
        limit: u32,
    ) -> Result<Vec<PractitionerRow>, ViewsError> {
        self.page(PRACTITIONERS, after.map(|id| id.0), limit).await
    }

    async fn location(&self, id: LocationId) -> Result<Option<LocationRow>, ViewsError> {
        self.one(LOCATION, id.0).await
    }

    async fn locations_page(
        &self,
        after: Option<LocationId>,
        limit: u32,
    ) -> Result<Vec<LocationRow>, ViewsError> {
        self.page(LOCATIONS, after.map(|id| id.0), limit).await
    }

    async fn appointment(&self, id: AppointmentId) -> Result<Option<AppointmentView>, ViewsError> {
        let found = self.rows(sqlx::query(APPOINTMENT).bind(bytes(id.0))).await?;
        found.first().map(appointment_view).transpose()
    }

    async fn appointments_of_day(
        &self,
        practitioner_id: PractitionerId,
        local_date: NaiveDate,
        after: Option<AppointmentCursor>,
        limit: u32,
    ) -> Result<Vec<AppointmentView>, ViewsError> {
        let (starts, id) = appointment_place(after);
        let statement = sqlx::query(APPOINTMENTS_OF_DAY)
            .bind(bytes(practitioner_id.0))
            .bind(local_date.num_days_from_ce())
            .bind(starts)
            .bind(starts)
            .bind(id)
            .bind(limit);
        self.rows(statement).await?.iter().map(appointment_view).collect()
    }

    async fn appointments_of_patient(
        &self,
        patient_id: PatientId,
        after: Option<AppointmentCursor>,
        limit: u32,
    ) -> Result<Vec<AppointmentView>, ViewsError> {
        let (starts, id) = appointment_place(after);
        let statement = sqlx::query(APPOINTMENTS_OF_PATIENT)
            .bind(bytes(patient_id.0))
            .bind(starts)
            .bind(starts)
            .bind(id)
            .bind(limit);
        self.rows(statement).await?.iter().map(appointment_view).collect()
    }

    async fn thread(&self, id: ThreadId) -> Result<Option<ThreadView>, ViewsError> {
        let found = self.rows(sqlx::query(THREAD).bind(bytes(id.0))).await?;
        found.first().map(thread_view).transpose()
    }

    async fn threads_of(
        &self,
        participant: Participant,
        after: Option<ThreadCursor>,
        limit: u32,
    ) -> Result<Vec<ThreadView>, ViewsError> {
        let (kind, id) = participant_columns(participant);
        let (last_activity, thread_id) = thread_place(after);
        let statement = sqlx::query(THREADS_OF)
            .bind(kind)
            .bind(bytes(id))
            .bind(last_activity)
            .bind(last_activity)
            .bind(thread_id)
            .bind(limit);
        self.rows(statement).await?.iter().map(thread_view).collect()
    }

    async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, ViewsError> {
        self.one(MESSAGE, id.0).await
    }

    async fn messages_of(
        &self,
        thread_id: ThreadId,
        after_sequence: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, ViewsError> {
        let from = match after_sequence {
            None => 0,
            Some(u64::MAX) => return Ok(Vec::new()),
            Some(after) => after + 1,
        };
        let statement = sqlx::query(MESSAGES)
            .bind(bytes(thread_id.0))
            .bind(from)
            .bind(limit);
        self.rows(statement)
            .await?
            .iter()
            .map(|row| document(row, 0))
            .collect()
    }
}
