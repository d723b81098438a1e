//! How are read models read: single rows, keyset pages and searches, each by an index.

use async_trait::async_trait;
use chrono::{Datelike as _, NaiveDate};
use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::sealed::Sealed;
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::names::PersonName;
use praxis_read_models::reads::{AppointmentCursor, AppointmentView, Reads, ThreadCursor, ThreadView};
use praxis_read_models::search::PatientCriteria;
use praxis_read_models::views::{Checkpoint, ViewsError};
use serde::de::DeserializeOwned;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, SqlitePool};
use uuid::Uuid;

use super::conn::{document, fault, integer, joined, number};
use super::save::participant_columns;
use super::search;
use super::write::{count_parked, read_checkpoints};

/// One generation, for reading.
#[derive(Debug)]
pub(super) struct SqliteReads {
    readers: SqlitePool,
}

type Statement = Query<'static, Sqlite, SqliteArguments>;

impl SqliteReads {
    pub(super) const fn new(readers: SqlitePool) -> Self {
        Self { readers }
    }

    async fn rows(&self, statement: Statement) -> Result<Vec<SqliteRow>, ViewsError> {
        statement.fetch_all(&self.readers).await.map_err(fault)
    }

    /// The document that a statement finds.
    async fn one<T: DeserializeOwned>(&self, sql: &'static str, id: Uuid) -> Result<Option<T>, ViewsError> {
        let found = self.rows(sqlx::query(sql).bind(id.as_bytes().to_vec())).await?;
        found.first().map(|row| document(row, 0)).transpose()
    }

    /// The documents of a page by id.
    async fn page<T: DeserializeOwned>(
        &self,
        sql: &'static str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<T>, ViewsError> {
        // Every id is greater than no bytes.
        let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        let rows = self
            .rows(sqlx::query(sql).bind(after).bind(i64::from(limit)))
            .await?;
        rows.iter().map(|row| document(row, 0)).collect()
    }
}

/// A list is one row: each row is handed from the thread that reads to the one that waits, which takes longer than
/// reading it. What the order of a list is made of is sorted once more, because only then does SQLite promise it.
macro_rules! list_of_appointments {
    ($name:literal, $of:literal) => {
        concat!(
            "-- praxis_store_sqlite::views::read::",
            $name,
            "
WITH listed AS (
    SELECT a.starts, a.id, a.document, p.name AS patient, d.name AS practitioner, l.name AS location
    FROM appointments AS a
    LEFT JOIN patients AS p ON p.id = a.patient_id
    LEFT JOIN practitioners AS d ON d.id = a.practitioner_id
    LEFT JOIN locations AS l ON l.id = a.location_id
    WHERE (a.starts, a.id) > (?1, ?2) AND ",
            $of,
            "
    ORDER BY a.starts, a.id LIMIT ?3)
SELECT '[' || coalesce(group_concat(
    format('[%s,%s,%s,%s]', document, coalesce(patient, 'null'), coalesce(practitioner, 'null'), json_quote(location)),
    ',' ORDER BY starts, id), '') || ']'
FROM listed"
        )
    };
}

const APPOINTMENTS_OF_DAY: &str = list_of_appointments!(
    "appointments_of_day",
    "a.practitioner_id = ?4 AND a.local_date = ?5"
);

const APPOINTMENTS_OF_PATIENT: &str = list_of_appointments!("appointments_of_patient", "a.patient_id = ?4");

/// A list that is one row: documents of bookings, each with its three names.
fn appointment_views(rows: &[SqliteRow]) -> Result<Vec<AppointmentView>, ViewsError> {
    type Listed = (
        AppointmentRow,
        Option<Sealed<PersonName>>,
        Option<Sealed<PersonName>>,
        Option<String>,
    );
    let row = rows.first().ok_or(ViewsError::Corrupt("a list has no row"))?;
    let listed: Vec<Listed> = document(row, 0)?;
    Ok(listed
        .into_iter()
        .map(
            |(appointment, patient_name, practitioner_name, location_name)| AppointmentView {
                appointment,
                patient_name,
                practitioner_name,
                location_name,
            },
        )
        .collect())
}

/// Documents of a booking, its patient's and practitioner's names, its location's name.
fn appointment_view(row: &SqliteRow) -> Result<AppointmentView, ViewsError> {
    Ok(AppointmentView {
        appointment: document(row, 0)?,
        patient_name: joined::<Sealed<PersonName>>(row, 1)?,
        practitioner_name: joined::<Sealed<PersonName>>(row, 2)?,
        location_name: row.try_get(3).map_err(fault)?,
    })
}

fn thread_view(row: &SqliteRow) -> Result<ThreadView, ViewsError> {
    Ok(ThreadView {
        thread: document(row, 0)?,
        patient_name: joined::<Sealed<PersonName>>(row, 1)?,
    })
}

/// Where a list by start goes on: micros and id, or before everything.
fn appointment_place(after: Option<AppointmentCursor>) -> (i64, Vec<u8>) {
    after.map_or((i64::MIN, Vec::new()), |cursor| {
        (cursor.starts.timestamp_micros(), cursor.id.0.as_bytes().to_vec())
    })
}

#[async_trait]
impl Reads for SqliteReads {
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError> {
        read_checkpoints(&self.readers).await
    }

    async fn parked_since(&self, stream_id: Uuid) -> Result<Option<u64>, ViewsError> {
        let statement = sqlx::query(
            "-- praxis_store_sqlite::views::read::parked_since
             SELECT position FROM parked WHERE stream_id = ?1 ORDER BY position LIMIT 1",
        );
        let found = self.rows(statement.bind(stream_id.as_bytes().to_vec())).await?;
        found.first().map(|row| number(row, 0)).transpose()
    }

    async fn parked_stream_count(&self) -> Result<u64, ViewsError> {
        count_parked(&self.readers).await
    }

    async fn patient(&self, id: PatientId) -> Result<Option<PatientRow>, ViewsError> {
        self.one(
            "-- praxis_store_sqlite::views::read::patient\nSELECT document FROM patients WHERE id = ?1",
            id.0,
        )
        .await
    }

    async fn patients_page(
        &self,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::read::patients_page
                   SELECT document FROM patients WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.page(sql, after.map(|id| id.0), limit).await
    }

    async fn search_patients(
        &self,
        criteria: &PatientCriteria,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError> {
        let after = after.map_or_else(Vec::new, |id| id.0.as_bytes().to_vec());
        let Some(statement) = search::statement(criteria, after, limit)? else {
            return Ok(Vec::new());
        };
        let rows = self.rows(statement).await?;
        rows.iter().map(|row| document(row, 0)).collect()
    }

    async fn practitioner(&self, id: PractitionerId) -> Result<Option<PractitionerRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::read::practitioner
                   SELECT document FROM practitioners WHERE id = ?1";
        self.one(sql, id.0).await
    }

    async fn practitioners_page(
        &self,
        after: Option<PractitionerId>,
        limit: u32,
    ) -> Result<Vec<PractitionerRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::read::practitioners_page
                   SELECT document FROM practitioners WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.page(sql, after.map(|id| id.0), limit).await
    }

    async fn location(&self, id: LocationId) -> Result<Option<LocationRow>, ViewsError> {
        self.one(
            "-- praxis_store_sqlite::views::read::location\nSELECT document FROM locations WHERE id = ?1",
            id.0,
        )
        .await
    }

    async fn locations_page(
        &self,
        after: Option<LocationId>,
        limit: u32,
    ) -> Result<Vec<LocationRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::read::locations_page
                   SELECT document FROM locations WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.page(sql, after.map(|id| id.0), limit).await
    }

    async fn appointment(&self, id: AppointmentId) -> Result<Option<AppointmentView>, ViewsError> {
        let statement = sqlx::query(
            "-- praxis_store_sqlite::views::read::appointment
             SELECT a.document, p.name, d.name, l.name
             FROM appointments AS a
             LEFT JOIN patients AS p ON p.id = a.patient_id
             LEFT JOIN practitioners AS d ON d.id = a.practitioner_id
             LEFT JOIN locations AS l ON l.id = a.location_id
             WHERE a.id = ?1",
        );
        let found = self.rows(statement.bind(id.0.as_bytes().to_vec())).await?;
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
        let after = sqlx::query(APPOINTMENTS_OF_DAY).bind(starts).bind(id);
        let statement = after
            .bind(i64::from(limit))
            .bind(practitioner_id.0.as_bytes().to_vec())
            .bind(local_date.num_days_from_ce());
        appointment_views(&self.rows(statement).await?)
    }

    async fn appointments_of_patient(
        &self,
        patient_id: PatientId,
        after: Option<AppointmentCursor>,
        limit: u32,
    ) -> Result<Vec<AppointmentView>, ViewsError> {
        let (starts, id) = appointment_place(after);
        let after = sqlx::query(APPOINTMENTS_OF_PATIENT).bind(starts).bind(id);
        let statement = after
            .bind(i64::from(limit))
            .bind(patient_id.0.as_bytes().to_vec());
        appointment_views(&self.rows(statement).await?)
    }

    async fn thread(&self, id: ThreadId) -> Result<Option<ThreadView>, ViewsError> {
        let statement = sqlx::query(
            "-- praxis_store_sqlite::views::read::thread
             SELECT t.document, p.name FROM threads AS t LEFT JOIN patients AS p ON p.id = t.patient_id WHERE t.id = ?1",
        );
        let found = self.rows(statement.bind(id.0.as_bytes().to_vec())).await?;
        found.first().map(thread_view).transpose()
    }

    async fn threads_of(
        &self,
        participant: Participant,
        after: Option<ThreadCursor>,
        limit: u32,
    ) -> Result<Vec<ThreadView>, ViewsError> {
        let statement = sqlx::query(
            "-- praxis_store_sqlite::views::read::threads_of
             SELECT t.document, p.name
             FROM thread_participants AS m
             JOIN threads AS t ON t.id = m.thread_id
             LEFT JOIN patients AS p ON p.id = t.patient_id
             WHERE m.kind = ?1 AND m.participant_id = ?2 AND (m.last_activity, m.thread_id) < (?3, ?4)
             ORDER BY m.last_activity DESC, m.thread_id DESC LIMIT ?5",
        );
        let (kind, id) = participant_columns(participant);
        let (last_activity, thread_id) = after.map_or((i64::MAX, vec![u8::MAX; 17]), |cursor| {
            (
                cursor.last_activity_at.timestamp_micros(),
                cursor.id.0.as_bytes().to_vec(),
            )
        });
        let statement = statement
            .bind(kind)
            .bind(id.as_bytes().to_vec())
            .bind(last_activity);
        let rows = self
            .rows(statement.bind(thread_id).bind(i64::from(limit)))
            .await?;
        rows.iter().map(thread_view).collect()
    }

    async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, ViewsError> {
        self.one(
            "-- praxis_store_sqlite::views::read::message\nSELECT document FROM messages WHERE id = ?1",
            id.0,
        )
        .await
    }

    async fn messages_of(
        &self,
        thread_id: ThreadId,
        after_sequence: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, ViewsError> {
        let statement = sqlx::query(
            "-- praxis_store_sqlite::views::read::messages_of
             SELECT document FROM messages WHERE thread_id = ?1 AND sequence > ?2 ORDER BY sequence, id LIMIT ?3",
        );
        let after = after_sequence.map_or(Ok(-1), integer)?;
        let statement = statement.bind(thread_id.0.as_bytes().to_vec()).bind(after);
        let rows = self.rows(statement.bind(i64::from(limit))).await?;
        rows.iter().map(|row| document(row, 0)).collect()
    }
}
