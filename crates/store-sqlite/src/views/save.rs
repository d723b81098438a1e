//! How are rows inserted or replaced in bulk: one statement for each table, whatever their number?
//!
//! Ids and documents lie end to end in one blob, from which SQL cuts them; only small integers go through JSON. In
//! JSON the documents would be escaped here, parsed and unescaped there, which took half of all the time.

use chrono::Datelike as _;
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::views::ViewsError;
use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::conn::{fault, integer, json};
use super::search::stored_keys;

const PATIENTS: &str = "-- praxis_store_sqlite::views::save::patients
WITH n (at, document, name) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2))
INSERT OR REPLACE INTO patients (id, name, document)
SELECT substr(?1, at, 16), CAST(substr(?1, at + 16 + document, name) AS TEXT),
    CAST(substr(?1, at + 16, document) AS TEXT)
FROM n";

const FORGET_KEYS: &str = "-- praxis_store_sqlite::views::save::forget_keys
DELETE FROM patient_keys WHERE patient_id IN (SELECT substr(?1, value ->> 0, 16) FROM json_each(?2))";

const PATIENT_KEYS: &str = "-- praxis_store_sqlite::views::save::patient_keys
WITH n (at, kind, value) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2))
INSERT INTO patient_keys (kind, value, patient_id)
SELECT kind, CAST(substr(?1, at + 16, value) AS TEXT), substr(?1, at, 16)
FROM n WHERE true
ON CONFLICT DO NOTHING";

const PRACTITIONERS: &str = "-- praxis_store_sqlite::views::save::practitioners
WITH n (at, document, name) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2))
INSERT OR REPLACE INTO practitioners (id, name, document)
SELECT substr(?1, at, 16), CAST(substr(?1, at + 16 + document, name) AS TEXT),
    CAST(substr(?1, at + 16, document) AS TEXT)
FROM n";

const LOCATIONS: &str = "-- praxis_store_sqlite::views::save::locations
WITH n (at, document, name) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2))
INSERT OR REPLACE INTO locations (id, name, document)
SELECT substr(?1, at, 16), CAST(substr(?1, at + 16 + document, name) AS TEXT),
    CAST(substr(?1, at + 16, document) AS TEXT)
FROM n";

const APPOINTMENTS: &str = "-- praxis_store_sqlite::views::save::appointments
WITH n (at, document, local_date, starts) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2))
INSERT OR REPLACE INTO appointments (id, patient_id, practitioner_id, location_id, local_date, starts, document)
SELECT substr(?1, at, 16), substr(?1, at + 16, 16), substr(?1, at + 32, 16), substr(?1, at + 48, 16),
    local_date, starts, CAST(substr(?1, at + 64, document) AS TEXT)
FROM n";

const THREADS: &str = "-- praxis_store_sqlite::views::save::threads
WITH n (at, document) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1 FROM json_each(?2))
INSERT OR REPLACE INTO threads (id, patient_id, document)
SELECT substr(?1, at, 16), substr(?1, at + 16, 16), CAST(substr(?1, at + 32, document) AS TEXT)
FROM n";

const FORGET_PARTICIPANTS: &str = "-- praxis_store_sqlite::views::save::forget_participants
DELETE FROM thread_participants WHERE thread_id IN (SELECT substr(?1, value ->> 0, 16) FROM json_each(?2))";

const PARTICIPANTS: &str = "-- praxis_store_sqlite::views::save::participants
WITH n (at, kind, last_activity) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2))
INSERT INTO thread_participants (thread_id, kind, participant_id, last_activity)
SELECT substr(?1, at, 16), kind, substr(?1, at + 16, 16), last_activity
FROM n";

const MESSAGES: &str = "-- praxis_store_sqlite::views::save::messages
WITH n (at, document, sequence) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2))
INSERT OR REPLACE INTO messages (id, thread_id, sequence, document)
SELECT substr(?1, at, 16), substr(?1, at + 16, 16), sequence, CAST(substr(?1, at + 32, document) AS TEXT)
FROM n";

/// Rows on their way into a statement: bytes, and for each row where they begin, then its small values.
struct Packed<T> {
    bytes: Vec<u8>,
    rows: Vec<T>,
}

impl<T: Serialize + Sync> Packed<T> {
    fn with_capacity(rows: usize) -> Self {
        Self {
            bytes: Vec::new(),
            rows: Vec::with_capacity(rows),
        }
    }

    /// Where the next row's bytes begin, counted from 1 as `substr` does.
    fn at(&self) -> usize {
        self.bytes.len() + 1
    }

    fn put_id(&mut self, id: Uuid) {
        self.bytes.extend_from_slice(id.as_bytes());
    }

    /// Adds a document, and tells its length.
    fn put_document<D: Serialize>(&mut self, document: &D) -> Result<usize, ViewsError> {
        let before = self.bytes.len();
        serde_json::to_writer(&mut self.bytes, document)
            .map_err(|error| ViewsError::Refused(error.into()))?;
        Ok(self.bytes.len() - before)
    }

    fn put_text(&mut self, text: &str) -> usize {
        self.bytes.extend_from_slice(text.as_bytes());
        text.len()
    }

    async fn run(&self, conn: &mut SqliteConnection, text: &'static str) -> Result<(), ViewsError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        sqlx::query(text)
            .bind(self.bytes.as_slice())
            .bind(json(&self.rows)?)
            .execute(conn)
            .await
            .map_err(fault)?;
        Ok(())
    }
}

/// Saves patients and what they are found by.
pub(super) async fn patients(conn: &mut SqliteConnection, rows: &[PatientRow]) -> Result<(), ViewsError> {
    let mut patients = Packed::with_capacity(rows.len());
    let mut keys = Packed::with_capacity(rows.len() * 8);
    for row in rows {
        let at = patients.at();
        patients.put_id(row.id.0);
        let document = patients.put_document(row)?;
        let name = patients.put_document(&row.name())?;
        patients.rows.push((at, document, name));
        for (kind, value) in stored_keys(row) {
            let at = keys.at();
            keys.put_id(row.id.0);
            let value = keys.put_text(&value);
            keys.rows.push((at, kind, value));
        }
    }
    patients.run(conn, PATIENTS).await?;
    patients.run(conn, FORGET_KEYS).await?;
    keys.run(conn, PATIENT_KEYS).await
}

/// Saves practitioners.
pub(super) async fn practitioners(
    conn: &mut SqliteConnection,
    rows: &[PractitionerRow],
) -> Result<(), ViewsError> {
    let mut packed = Packed::with_capacity(rows.len());
    for row in rows {
        let at = packed.at();
        packed.put_id(row.id.0);
        let document = packed.put_document(row)?;
        let name = packed.put_document(&row.name())?;
        packed.rows.push((at, document, name));
    }
    packed.run(conn, PRACTITIONERS).await
}

/// Saves locations, whose name stands as it is.
pub(super) async fn locations(conn: &mut SqliteConnection, rows: &[LocationRow]) -> Result<(), ViewsError> {
    let mut packed = Packed::with_capacity(rows.len());
    for row in rows {
        let at = packed.at();
        packed.put_id(row.id.0);
        let document = packed.put_document(row)?;
        let name = packed.put_text(&row.name);
        packed.rows.push((at, document, name));
    }
    packed.run(conn, LOCATIONS).await
}

/// Saves appointments.
pub(super) async fn appointments(
    conn: &mut SqliteConnection,
    rows: &[AppointmentRow],
) -> Result<(), ViewsError> {
    let mut packed = Packed::with_capacity(rows.len());
    for row in rows {
        let at = packed.at();
        packed.put_id(row.id.0);
        packed.put_id(row.patient_id.0);
        packed.put_id(row.practitioner_id.0);
        packed.put_id(row.location_id.0);
        let document = packed.put_document(row)?;
        let (day, starts) = (
            row.local_date().num_days_from_ce(),
            row.slot.starts.timestamp_micros(),
        );
        packed.rows.push((at, document, day, starts));
    }
    packed.run(conn, APPOINTMENTS).await
}

/// Saves threads and who finds them.
pub(super) async fn threads(conn: &mut SqliteConnection, rows: &[ThreadRow]) -> Result<(), ViewsError> {
    let mut threads = Packed::with_capacity(rows.len());
    let mut participants = Packed::with_capacity(rows.len() * 2);
    for row in rows {
        let at = threads.at();
        threads.put_id(row.id.0);
        threads.put_id(row.patient_id.0);
        let document = threads.put_document(row)?;
        threads.rows.push((at, document));
        for known in &row.participants {
            let (kind, participant_id) = participant_columns(known.participant);
            let at = participants.at();
            participants.put_id(row.id.0);
            participants.put_id(participant_id);
            participants
                .rows
                .push((at, kind, row.last_activity_at.timestamp_micros()));
        }
    }
    threads.run(conn, THREADS).await?;
    threads.run(conn, FORGET_PARTICIPANTS).await?;
    participants.run(conn, PARTICIPANTS).await
}

/// Saves messages.
pub(super) async fn messages(conn: &mut SqliteConnection, rows: &[MessageRow]) -> Result<(), ViewsError> {
    let mut packed = Packed::with_capacity(rows.len());
    for row in rows {
        let at = packed.at();
        packed.put_id(row.id.0);
        packed.put_id(row.thread_id.0);
        let document = packed.put_document(row)?;
        packed.rows.push((at, document, integer(row.sequence)?));
    }
    packed.run(conn, MESSAGES).await
}

/// The kind and id of a participant, as columns hold them.
pub(super) const fn participant_columns(participant: Participant) -> (&'static str, Uuid) {
    match participant {
        Participant::Patient(id) => ("patient", id.0),
        Participant::Practitioner(id) => ("practitioner", id.0),
    }
}
