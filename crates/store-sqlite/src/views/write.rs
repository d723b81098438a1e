//! How does a projector move a generation on: checkpoint first, then rows in bulk, in one transaction.

use async_trait::async_trait;
use praxis_events::ids::{AppointmentId, LocationId, LogId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::views::{Checkpoint, ParkedEvent, Views, ViewsError, ViewsTransaction};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, SqlitePool, Transaction};
use uuid::Uuid;

use super::conn::{document, fault, hex, id, integer, json as parameter, number};
use super::search::stored_keys;

/// One generation, for writing.
#[derive(Debug)]
pub(super) struct SqliteViews {
    writer: SqlitePool,
    /// Whoever asks where the projector is does not wait for its transaction.
    readers: SqlitePool,
}

impl SqliteViews {
    pub(super) const fn new(writer: SqlitePool, readers: SqlitePool) -> Self {
        Self { writer, readers }
    }
}

#[async_trait]
impl Views for SqliteViews {
    async fn begin(&self) -> Result<Box<dyn ViewsTransaction>, ViewsError> {
        let tx = self
            .writer
            .begin_with("-- praxis_store_sqlite::views::write::begin\nBEGIN IMMEDIATE")
            .await
            .map_err(fault)?;
        Ok(Box::new(SqliteViewsTransaction { tx }))
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError> {
        read_checkpoints(&self.readers).await
    }

    async fn start_partitions(&self, checkpoints: &[Checkpoint]) -> Result<(), ViewsError> {
        let mut tx = self.writer.begin().await.map_err(fault)?;
        for checkpoint in checkpoints {
            sqlx::query(
                "-- praxis_store_sqlite::views::write::start_partitions
                 INSERT INTO checkpoints (partition, position, epoch, log_id, leaf_hash) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (partition) DO NOTHING",
            )
            .bind(i64::from(checkpoint.partition))
            .bind(integer(checkpoint.position)?)
            .bind(i64::from(checkpoint.epoch))
            .bind(checkpoint.log_id.0.as_bytes().as_slice())
            .bind(checkpoint.leaf_hash.as_slice())
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        }
        tx.commit().await.map_err(fault)
    }

    async fn parked(&self, after_position: u64, limit: u32) -> Result<Vec<ParkedEvent>, ViewsError> {
        let rows = sqlx::query(
            "-- praxis_store_sqlite::views::write::parked
             SELECT stream_id, partition, position, stream_version, event_type, code, stream_type
             FROM parked WHERE position > ?1 ORDER BY position LIMIT ?2",
        )
        .bind(integer(after_position)?)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(fault)?;
        rows.iter().map(parked_event).collect()
    }

    async fn parked_stream_count(&self) -> Result<u64, ViewsError> {
        count_parked(&self.readers).await
    }
}

/// Every checkpoint, by partition.
pub(super) async fn read_checkpoints(pool: &SqlitePool) -> Result<Vec<Checkpoint>, ViewsError> {
    let rows = sqlx::query(
        "-- praxis_store_sqlite::views::write::read_checkpoints
         SELECT partition, position, epoch, log_id, leaf_hash FROM checkpoints ORDER BY partition",
    )
    .fetch_all(pool)
    .await
    .map_err(fault)?;
    rows.iter().map(checkpoint).collect()
}

/// How many streams are parked.
pub(super) async fn count_parked(pool: &SqlitePool) -> Result<u64, ViewsError> {
    let row = sqlx::query(
        "-- praxis_store_sqlite::views::write::count_parked
         SELECT count(DISTINCT stream_id) FROM parked",
    )
    .fetch_one(pool)
    .await
    .map_err(fault)?;
    number(&row, 0)
}

fn checkpoint(row: &SqliteRow) -> Result<Checkpoint, ViewsError> {
    let leaf_hash: &[u8] = row.try_get(4).map_err(fault)?;
    Ok(Checkpoint {
        partition: number(row, 0)?,
        position: number(row, 1)?,
        epoch: number(row, 2)?,
        log_id: LogId(id(row, 3)?),
        leaf_hash: leaf_hash
            .try_into()
            .map_err(|_| ViewsError::Corrupt("a leaf hash has not 32 bytes"))?,
    })
}

fn parked_event(row: &SqliteRow) -> Result<ParkedEvent, ViewsError> {
    Ok(ParkedEvent {
        stream_id: id(row, 0)?,
        partition: number(row, 1)?,
        position: number(row, 2)?,
        stream_version: number(row, 3)?,
        event_type: row.try_get(4).map_err(fault)?,
        code: row.try_get(5).map_err(fault)?,
        stream_type: row.try_get(6).map_err(fault)?,
    })
}

struct SqliteViewsTransaction {
    tx: Transaction<'static, Sqlite>,
}

impl SqliteViewsTransaction {
    async fn load<T: DeserializeOwned>(
        &mut self,
        sql: &'static str,
        ids: impl Iterator<Item = Uuid> + Send,
    ) -> Result<Vec<T>, ViewsError> {
        let ids: Vec<String> = ids.map(hex).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(sql)
            .bind(parameter(&ids)?)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(fault)?;
        rows.iter().map(|row| document(row, 0)).collect()
    }

    /// Runs a statement over the rows as its one JSON parameter.
    async fn save(&mut self, sql: &'static str, rows: &[Value]) -> Result<(), ViewsError> {
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(sql)
            .bind(parameter(&rows)?)
            .execute(&mut *self.tx)
            .await
            .map_err(fault)?;
        Ok(())
    }
}

/// A value as the text of its JSON document, within a JSON parameter.
fn text<T: serde::Serialize>(value: &T) -> Result<Value, ViewsError> {
    Ok(Value::String(parameter(value)?))
}

/// The kind and id of a participant, as columns hold them.
pub(super) const fn participant_columns(participant: Participant) -> (&'static str, Uuid) {
    match participant {
        Participant::Patient(id) => ("patient", id.0),
        Participant::Practitioner(id) => ("practitioner", id.0),
    }
}

#[async_trait]
impl ViewsTransaction for SqliteViewsTransaction {
    async fn move_checkpoint(&mut self, from: &Checkpoint, to: &Checkpoint) -> Result<bool, ViewsError> {
        let moved = sqlx::query(
            "-- praxis_store_sqlite::views::write::move_checkpoint
             UPDATE checkpoints SET position = ?5, epoch = ?6, log_id = ?7, leaf_hash = ?8
             WHERE partition = ?1 AND position = ?2 AND epoch = ?3 AND log_id = ?4",
        )
        .bind(i64::from(from.partition))
        .bind(integer(from.position)?)
        .bind(i64::from(from.epoch))
        .bind(from.log_id.0.as_bytes().as_slice())
        .bind(integer(to.position)?)
        .bind(i64::from(to.epoch))
        .bind(to.log_id.0.as_bytes().as_slice())
        .bind(to.leaf_hash.as_slice())
        .execute(&mut *self.tx)
        .await
        .map_err(fault)?;
        Ok(moved.rows_affected() == 1)
    }

    async fn parked_among(&mut self, streams: &[Uuid]) -> Result<Vec<Uuid>, ViewsError> {
        let streams: Vec<String> = streams.iter().copied().map(hex).collect();
        let rows = sqlx::query(
            "-- praxis_store_sqlite::views::write::parked_among
             SELECT asked.stream_id FROM (SELECT unhex(value) AS stream_id FROM json_each(?1)) AS asked
             WHERE EXISTS (SELECT 1 FROM parked WHERE parked.stream_id = asked.stream_id)",
        )
        .bind(parameter(&streams)?)
        .fetch_all(&mut *self.tx)
        .await
        .map_err(fault)?;
        rows.iter().map(|row| id(row, 0)).collect()
    }

    async fn park(&mut self, events: &[ParkedEvent]) -> Result<(), ViewsError> {
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            let (position, version) = (integer(event.position)?, integer(event.stream_version)?);
            let (stream, partition) = (hex(event.stream_id), event.partition);
            let (kind, event_type, code) = (&event.stream_type, &event.event_type, &event.code);
            rows.push(json!([
                stream, partition, position, version, event_type, code, kind
            ]));
        }
        self.save(
            "-- praxis_store_sqlite::views::write::park
             INSERT INTO parked (stream_id, partition, position, stream_version, event_type, code, stream_type)
             SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
             FROM json_each(?1) WHERE true
             ON CONFLICT (position) DO NOTHING",
            &rows,
        )
        .await
    }

    async fn unpark(&mut self, stream_id: Uuid, up_to_position: u64) -> Result<(), ViewsError> {
        sqlx::query(
            "-- praxis_store_sqlite::views::write::unpark
             DELETE FROM parked WHERE stream_id = ?1 AND position <= ?2",
        )
        .bind(stream_id.as_bytes().as_slice())
        .bind(integer(up_to_position)?)
        .execute(&mut *self.tx)
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn load_patients(&mut self, ids: &[PatientId]) -> Result<Vec<PatientRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::write::load_patients
                   SELECT document FROM patients WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
        self.load(sql, ids.iter().map(|id| id.0)).await
    }

    async fn save_patients(&mut self, rows: &[PatientRow]) -> Result<(), ViewsError> {
        let mut patients = Vec::with_capacity(rows.len());
        let mut keys = Vec::with_capacity(rows.len() * 4);
        for row in rows {
            patients.push(json!([hex(row.id.0), text(row)?, text(&row.name())?]));
            keys.extend(
                stored_keys(row)
                    .into_iter()
                    .map(|(kind, value)| json!([kind, value, hex(row.id.0)])),
            );
        }
        self.save(
            "-- praxis_store_sqlite::views::write::save_patients
             INSERT OR REPLACE INTO patients (id, document, name)
             SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?1)",
            &patients,
        )
        .await?;
        self.save(
            "-- praxis_store_sqlite::views::write::save_patients
             DELETE FROM patient_keys WHERE patient_id IN (SELECT unhex(value ->> 0) FROM json_each(?1))",
            &patients,
        )
        .await?;
        self.save(
            "-- praxis_store_sqlite::views::write::save_patients
             INSERT INTO patient_keys (kind, value, patient_id)
             SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?1) WHERE true
             ON CONFLICT DO NOTHING",
            &keys,
        )
        .await
    }

    async fn load_practitioners(
        &mut self,
        ids: &[PractitionerId],
    ) -> Result<Vec<PractitionerRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::write::load_practitioners
                   SELECT document FROM practitioners WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
        self.load(sql, ids.iter().map(|id| id.0)).await
    }

    async fn save_practitioners(&mut self, rows: &[PractitionerRow]) -> Result<(), ViewsError> {
        let rows: Result<Vec<Value>, ViewsError> = rows
            .iter()
            .map(|row| Ok(json!([hex(row.id.0), text(row)?, text(&row.name())?])))
            .collect();
        self.save(
            "-- praxis_store_sqlite::views::write::save_practitioners
             INSERT OR REPLACE INTO practitioners (id, document, name)
             SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?1)",
            &rows?,
        )
        .await
    }

    async fn load_locations(&mut self, ids: &[LocationId]) -> Result<Vec<LocationRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::write::load_locations
                   SELECT document FROM locations WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
        self.load(sql, ids.iter().map(|id| id.0)).await
    }

    async fn save_locations(&mut self, rows: &[LocationRow]) -> Result<(), ViewsError> {
        let rows: Result<Vec<Value>, ViewsError> = rows
            .iter()
            .map(|row| Ok(json!([hex(row.id.0), text(row)?, row.name])))
            .collect();
        self.save(
            "-- praxis_store_sqlite::views::write::save_locations
             INSERT OR REPLACE INTO locations (id, document, name)
             SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?1)",
            &rows?,
        )
        .await
    }

    async fn load_appointments(&mut self, ids: &[AppointmentId]) -> Result<Vec<AppointmentRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::write::load_appointments
                   SELECT document FROM appointments WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
        self.load(sql, ids.iter().map(|id| id.0)).await
    }

    async fn save_appointments(&mut self, rows: &[AppointmentRow]) -> Result<(), ViewsError> {
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            values.push(json!([
                hex(row.id.0),
                text(row)?,
                hex(row.patient_id.0),
                hex(row.practitioner_id.0),
                hex(row.location_id.0),
                row.local_date().to_string(),
                row.slot.starts.timestamp_micros()
            ]));
        }
        self.save(
            "-- praxis_store_sqlite::views::write::save_appointments
             INSERT OR REPLACE INTO appointments
                 (id, document, patient_id, practitioner_id, location_id, local_date, starts)
             SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2), unhex(value ->> 3), unhex(value ->> 4),
                 value ->> 5, value ->> 6
             FROM json_each(?1)",
            &values,
        )
        .await
    }

    async fn load_threads(&mut self, ids: &[ThreadId]) -> Result<Vec<ThreadRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::write::load_threads
                   SELECT document FROM threads WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
        self.load(sql, ids.iter().map(|id| id.0)).await
    }

    async fn save_threads(&mut self, rows: &[ThreadRow]) -> Result<(), ViewsError> {
        let mut threads = Vec::with_capacity(rows.len());
        let mut participants = Vec::with_capacity(rows.len() * 2);
        for row in rows {
            threads.push(json!([hex(row.id.0), text(row)?, hex(row.patient_id.0)]));
            for known in &row.participants {
                let (kind, participant_id) = participant_columns(known.participant);
                let last_activity = row.last_activity_at.timestamp_micros();
                participants.push(json!([hex(row.id.0), kind, hex(participant_id), last_activity]));
            }
        }
        self.save(
            "-- praxis_store_sqlite::views::write::save_threads
             INSERT OR REPLACE INTO threads (id, document, patient_id)
             SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2) FROM json_each(?1)",
            &threads,
        )
        .await?;
        self.save(
            "-- praxis_store_sqlite::views::write::save_threads
             DELETE FROM thread_participants WHERE thread_id IN (SELECT unhex(value ->> 0) FROM json_each(?1))",
            &threads,
        )
        .await?;
        self.save(
            "-- praxis_store_sqlite::views::write::save_threads
             INSERT INTO thread_participants (thread_id, kind, participant_id, last_activity)
             SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3 FROM json_each(?1)",
            &participants,
        )
        .await
    }

    async fn load_messages(&mut self, ids: &[MessageId]) -> Result<Vec<MessageRow>, ViewsError> {
        let sql = "-- praxis_store_sqlite::views::write::load_messages
                   SELECT document FROM messages WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
        self.load(sql, ids.iter().map(|id| id.0)).await
    }

    async fn save_messages(&mut self, rows: &[MessageRow]) -> Result<(), ViewsError> {
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            values.push(json!([
                hex(row.id.0),
                text(row)?,
                hex(row.thread_id.0),
                integer(row.sequence)?
            ]));
        }
        self.save(
            "-- praxis_store_sqlite::views::write::save_messages
             INSERT OR REPLACE INTO messages (id, document, thread_id, sequence)
             SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3 FROM json_each(?1)",
            &values,
        )
        .await
    }

    async fn commit(self: Box<Self>) -> Result<(), ViewsError> {
        self.tx.commit().await.map_err(fault)
    }
}
