//! How does a projector move a generation on: checkpoint first, then rows in bulk, in one transaction.

use async_trait::async_trait;
use praxis_events::ids::{AppointmentId, LocationId, LogId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::views::{Checkpoint, Move, ParkedEvent, Views, ViewsError, ViewsTransaction};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, SqlitePool, Transaction};
use uuid::Uuid;

use super::conn::{fault, id, integer, json as parameter, number};
use super::rows::{self, load};
use super::save;
use crate::log::pack::{concat, ordinals};

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

#[async_trait]
impl ViewsTransaction for SqliteViewsTransaction {
    async fn move_checkpoints(&mut self, moves: &[Move]) -> Result<bool, ViewsError> {
        for Move { from, to } in moves {
            let moved = sqlx::query(
                "-- praxis_store_sqlite::views::write::move_checkpoints
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
            if moved.rows_affected() != 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn parked_among(&mut self, streams: &[Uuid]) -> Result<Vec<Uuid>, ViewsError> {
        let rows = sqlx::query(
            "-- praxis_store_sqlite::views::write::parked_among
             SELECT asked.stream_id FROM (SELECT substr(?1, 1 + key * 16, 16) AS stream_id FROM json_each(?2)) AS asked
             WHERE EXISTS (SELECT 1 FROM parked) AND EXISTS (SELECT 1 FROM parked WHERE parked.stream_id = asked.stream_id)",
        )
        .bind(concat(streams.iter().map(Uuid::as_bytes)))
        .bind(ordinals(streams.len()))
        .fetch_all(&mut *self.tx)
        .await
        .map_err(fault)?;
        rows.iter().map(|row| id(row, 0)).collect()
    }

    async fn park(&mut self, events: &[ParkedEvent]) -> Result<(), ViewsError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            let (position, version) = (integer(event.position)?, integer(event.stream_version)?);
            let (partition, kind) = (event.partition, &event.stream_type);
            rows.push(json!([
                partition,
                position,
                version,
                event.event_type,
                event.code,
                kind
            ]));
        }
        sqlx::query(
            "-- praxis_store_sqlite::views::write::park
             INSERT INTO parked (stream_id, partition, position, stream_version, event_type, code, stream_type)
             SELECT substr(?1, 1 + key * 16, 16),
                 value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
             FROM json_each(?2) WHERE true
             ON CONFLICT (position) DO NOTHING",
        )
        .bind(concat(events.iter().map(|event| event.stream_id.as_bytes())))
        .bind(parameter(&rows)?)
        .execute(&mut *self.tx)
        .await
        .map_err(fault)?;
        Ok(())
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
        load(&mut self.tx, rows::PATIENTS, ids.iter().map(|id| id.0)).await
    }

    async fn save_patients(&mut self, rows: &[PatientRow]) -> Result<(), ViewsError> {
        save::patients(&mut self.tx, rows).await
    }

    async fn load_practitioners(
        &mut self,
        ids: &[PractitionerId],
    ) -> Result<Vec<PractitionerRow>, ViewsError> {
        load(&mut self.tx, rows::PRACTITIONERS, ids.iter().map(|id| id.0)).await
    }

    async fn save_practitioners(&mut self, rows: &[PractitionerRow]) -> Result<(), ViewsError> {
        save::practitioners(&mut self.tx, rows).await
    }

    async fn load_locations(&mut self, ids: &[LocationId]) -> Result<Vec<LocationRow>, ViewsError> {
        load(&mut self.tx, rows::LOCATIONS, ids.iter().map(|id| id.0)).await
    }

    async fn save_locations(&mut self, rows: &[LocationRow]) -> Result<(), ViewsError> {
        save::locations(&mut self.tx, rows).await
    }

    async fn load_appointments(&mut self, ids: &[AppointmentId]) -> Result<Vec<AppointmentRow>, ViewsError> {
        load(&mut self.tx, rows::APPOINTMENTS, ids.iter().map(|id| id.0)).await
    }

    async fn save_appointments(&mut self, rows: &[AppointmentRow]) -> Result<(), ViewsError> {
        save::appointments(&mut self.tx, rows).await
    }

    async fn load_threads(&mut self, ids: &[ThreadId]) -> Result<Vec<ThreadRow>, ViewsError> {
        load(&mut self.tx, rows::THREADS, ids.iter().map(|id| id.0)).await
    }

    async fn save_threads(&mut self, rows: &[ThreadRow]) -> Result<(), ViewsError> {
        save::threads(&mut self.tx, rows).await
    }

    async fn load_messages(&mut self, ids: &[MessageId]) -> Result<Vec<MessageRow>, ViewsError> {
        load(&mut self.tx, rows::MESSAGES, ids.iter().map(|id| id.0)).await
    }

    async fn save_messages(&mut self, rows: &[MessageRow]) -> Result<(), ViewsError> {
        save::messages(&mut self.tx, rows).await
    }

    async fn commit(self: Box<Self>) -> Result<(), ViewsError> {
        self.tx.commit().await.map_err(fault)
    }
}
