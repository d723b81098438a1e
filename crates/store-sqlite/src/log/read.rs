//! How is the log read? Never under its lock, each answer from one snapshot.

use async_trait::async_trait;
use praxis_event_store::port::{
    Facts, Head, LogReader, Lookup, StoreError, StoredCommand, StoredEvent, StoredKey, StreamRange,
    contiguous, dense,
};
use uuid::Uuid;

use super::pack::{bound, concat, ordinals};
use super::rows::{column, command, event, id, key, unsigned};
use super::{SqliteLog, error, head, look_up};

#[async_trait]
impl LogReader for SqliteLog {
    async fn head(&self) -> Result<Head, StoreError> {
        head::read(&self.readers).await
    }

    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query(
            "-- praxis_store_sqlite::log::read::read_log
             SELECT position, event_id, stream_type, stream_id, stream_version, event_type, schema_version,
                 recorded_at, subject_id, metadata, payload, leaf_format, leaf_hash
             FROM events
             WHERE position > ?1
             ORDER BY position
             LIMIT ?2",
        )
        .bind(bound(after_position))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(error::store)?;
        dense(rows.iter().map(event).collect::<Result<_, _>>()?, after_position)
    }

    async fn read_stream(&self, range: StreamRange) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query(
            "-- praxis_store_sqlite::log::read::read_stream
             SELECT position, event_id, stream_type, stream_id, stream_version, event_type, schema_version,
                 recorded_at, subject_id, metadata, payload, leaf_format, leaf_hash
             FROM events
             WHERE stream_id = ?1 AND stream_version > ?2 AND stream_type = ?3 AND +position <= ?4
             ORDER BY stream_version
             LIMIT ?5",
        )
        .bind(range.stream.id.as_bytes().as_slice())
        .bind(bound(range.after_version))
        .bind(range.stream.kind.name())
        .bind(bound(range.up_to_position))
        .bind(range.limit)
        .fetch_all(&self.readers)
        .await
        .map_err(error::store)?;
        contiguous(
            rows.iter().map(event).collect::<Result<_, _>>()?,
            range.after_version,
        )
    }

    async fn position_at(&self, instant_micros: i64) -> Result<u64, StoreError> {
        // `recorded_at` never goes back, so the last position at or before an instant is found by halving.
        let row = sqlx::query(
            "-- praxis_store_sqlite::log::read::position_at
             WITH RECURSIVE search (low, high) AS (
                 SELECT 0, position FROM log_head WHERE id = 1
                 UNION ALL
                 SELECT
                     CASE WHEN middle.recorded_at <= ?1 THEN middle.position ELSE low END,
                     CASE WHEN middle.recorded_at <= ?1 THEN high ELSE middle.position - 1 END
                 FROM search
                 CROSS JOIN events AS middle ON middle.position = (low + high + 1) / 2
                 WHERE low < high
             )
             SELECT low FROM search WHERE low = high",
        )
        .bind(instant_micros)
        .fetch_optional(&self.readers)
        .await
        .map_err(error::store)?
        .ok_or(StoreError::Corrupt("a position is missing from the log"))?;
        unsigned(&row, 0)
    }

    async fn command(&self, key: [u8; 32]) -> Result<Option<StoredCommand>, StoreError> {
        let row = sqlx::query(
            "-- praxis_store_sqlite::log::read::command
             SELECT key, request, answer_id, version, position, recorded_at FROM commands WHERE key = ?1",
        )
        .bind(key.as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(error::store)?;
        row.as_ref().map(command).transpose()
    }

    async fn keys(&self, key_ids: &[Uuid]) -> Result<Vec<StoredKey>, StoreError> {
        let rows = sqlx::query(
            "-- praxis_store_sqlite::log::read::keys
             SELECT key_id, subject_id, wrapped_key, kek_id, created_position, destroyed_position
             FROM subject_keys
             WHERE key_id IN (SELECT substr(?1, 1 + key * 16, 16) FROM json_each(?2))",
        )
        .bind(concat(key_ids.iter().map(Uuid::as_bytes)))
        .bind(ordinals(key_ids.len()))
        .fetch_all(&self.readers)
        .await
        .map_err(error::store)?;
        rows.iter().map(key).collect()
    }

    async fn subject_keys(&self, subjects: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError> {
        // Read before the keys: whether somebody was erased in between is then looked up under the head lock.
        let tombstone_position = head::read(&self.readers).await?.tombstone_position;
        let rows = sqlx::query(
            "-- praxis_store_sqlite::log::read::subject_keys
             SELECT key_id, subject_id, wrapped_key, kek_id, created_position, destroyed_position
             FROM subject_keys
             WHERE key_id IN (
                 SELECT (
                     SELECT newest.key_id FROM subject_keys AS newest
                     WHERE newest.subject_id = substr(?1, 1 + asked.key * 16, 16)
                     ORDER BY newest.destroyed_position IS NULL, newest.created_position DESC, newest.key_id DESC
                     LIMIT 1
                 )
                 FROM json_each(?2) AS asked
             )",
        )
        .bind(concat(subjects.iter().map(Uuid::as_bytes)))
        .bind(ordinals(subjects.len()))
        .fetch_all(&self.readers)
        .await
        .map_err(error::store)?;
        Ok((
            rows.iter().map(key).collect::<Result<_, _>>()?,
            tombstone_position,
        ))
    }

    async fn look_up(&self, lookup: &Lookup) -> Result<Facts, StoreError> {
        let mut conn = self.readers.acquire().await.map_err(error::store)?;
        look_up::facts(&mut conn, lookup).await
    }

    async fn claim_owners(&self, resource: &[u8], member: &[u8]) -> Result<Vec<Uuid>, StoreError> {
        let rows = sqlx::query(
            "-- praxis_store_sqlite::log::read::claim_owners
             SELECT owner FROM claims WHERE resource = ?1 AND member = ?2 ORDER BY owner",
        )
        .bind(resource)
        .bind(member)
        .fetch_all(&self.readers)
        .await
        .map_err(error::store)?;
        rows.iter().map(|row| id(column(row, 0)?)).collect()
    }
}
