//! How is the log read? Through sessions that never take the head's lock.

use async_trait::async_trait;
use praxis_event_store::port::{
    Facts, Head, LogReader, Lookup, StoreError, StoredCommand, StoredEvent, StoredKey, StreamRange,
    contiguous, dense,
};
use sqlx::mysql::MySqlRow;
use uuid::Uuid;

use crate::errors::store_error;
use crate::fitness::no_head;
use crate::log::MySqlLog;
use crate::look_up::{ask_ids, look_up};
use crate::rows::{column, command_from, event_from, id_at, key_from};
use crate::session::Statement;

const LOG: &str = "-- store_mysql::read::read_log
SELECT position, event_id, stream_type, stream_id, stream_version, event_type, schema_version, recorded_at, subject_id,
    metadata, payload, leaf_format, leaf_hash
FROM events WHERE position > ? ORDER BY position LIMIT ?";

const STREAM: &str = "-- store_mysql::read::read_stream
SELECT position, event_id, stream_type, stream_id, stream_version, event_type, schema_version, recorded_at, subject_id,
    metadata, payload, leaf_format, leaf_hash
FROM events WHERE stream_id = ? AND stream_version > ? AND stream_type = ? AND position <= ?
ORDER BY stream_version LIMIT ?";

/// Halves the positions: `recorded_at` never goes back, so no index on it is needed. At most 64 steps.
const POSITION_AT: &str = "-- store_mysql::read::position_at
WITH RECURSIVE halved (low, high) AS (
    SELECT CAST(0 AS UNSIGNED), position FROM log_head WHERE id = 1
    UNION ALL
    SELECT IF(e.recorded_at <= ?, e.position, h.low), IF(e.recorded_at <= ?, h.high, e.position - 1)
    FROM halved AS h STRAIGHT_JOIN events AS e ON e.position = h.low + (h.high - h.low + 1) DIV 2
    WHERE h.low < h.high)
SELECT low FROM halved WHERE low = high";

const COMMAND: &str = "-- store_mysql::read::command
SELECT command_key, request, answer_id, version, position, recorded_at FROM commands WHERE command_key = ?";

const KEYS: &str = "-- store_mysql::read::keys
SELECT k.key_id, k.subject_id, k.wrapped_key, k.kek_id, k.created_position, k.destroyed_position
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n
STRAIGHT_JOIN subject_keys AS k ON k.key_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)";

/// One statement is one snapshot: nobody in it was erased after that tombstone position. A destroyed key comes first.
const SUBJECT_KEYS: &str = "-- store_mysql::read::subject_keys
SELECT h.tombstone_position, k.key_id, k.subject_id, k.wrapped_key, k.kek_id, k.created_position, k.destroyed_position
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN log_head AS h ON h.id = 1
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n
LEFT JOIN LATERAL (
    SELECT key_id, subject_id, wrapped_key, kek_id, created_position, destroyed_position FROM subject_keys
    WHERE subject_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)
    ORDER BY destroyed_position IS NULL, created_position DESC, key_id DESC LIMIT 1) AS k ON TRUE";

const CLAIM_OWNERS: &str = "-- store_mysql::read::claim_owners
SELECT owner FROM claims WHERE resource = ? AND member = ?";

impl MySqlLog {
    /// Asks once more on a new connection if the one that lay idle has ended unseen.
    async fn read(
        &self,
        statement: impl Fn() -> Statement<'static> + Send + Sync,
    ) -> Result<Vec<MySqlRow>, StoreError> {
        self.readers
            .within(async {
                let mut session = self.readers.take().await?;
                match session.rows(statement()).await {
                    Err(_) if session.used_before() && !session.is_connected() => {
                        drop(session);
                        self.readers
                            .take_new()
                            .await?
                            .rows(statement())
                            .await
                            .map_err(store_error)
                    }
                    result => result.map_err(store_error),
                }
            })
            .await
    }
}

#[async_trait]
impl LogReader for MySqlLog {
    async fn head(&self) -> Result<Head, StoreError> {
        let floor = self.readers.identity().floor();
        let rows = self.read(|| floor.question()).await?;
        self.readers.identity().answer(&rows, floor)
    }

    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = self
            .read(|| sqlx::query(LOG).bind(after_position).bind(limit))
            .await?;
        dense(
            rows.iter().map(event_from).collect::<Result<_, _>>()?,
            after_position,
        )
    }

    async fn read_stream(&self, range: StreamRange) -> Result<Vec<StoredEvent>, StoreError> {
        let statement = || {
            sqlx::query(STREAM)
                .bind(range.stream.id.as_bytes().to_vec())
                .bind(range.after_version)
                .bind(range.stream.kind.name())
                .bind(range.up_to_position)
                .bind(range.limit)
        };
        let rows = self.read(statement).await?;
        contiguous(
            rows.iter().map(event_from).collect::<Result<_, _>>()?,
            range.after_version,
        )
    }

    async fn position_at(&self, instant_micros: i64) -> Result<u64, StoreError> {
        let statement = || sqlx::query(POSITION_AT).bind(instant_micros).bind(instant_micros);
        let rows = self.read(statement).await?;
        column(
            rows.first()
                .ok_or(StoreError::Corrupt("a position below the head has no event"))?,
            0,
        )
    }

    async fn command(&self, key: [u8; 32]) -> Result<Option<StoredCommand>, StoreError> {
        let rows = self.read(|| sqlx::query(COMMAND).bind(key.to_vec())).await?;
        rows.first().map(command_from).transpose()
    }

    async fn keys(&self, key_ids: &[Uuid]) -> Result<Vec<StoredKey>, StoreError> {
        let mut session = self.readers.take().await?;
        ask_ids(&mut session, KEYS, key_ids)
            .await?
            .iter()
            .map(|row| key_from(row, 0))
            .collect()
    }

    async fn subject_keys(&self, subjects: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError> {
        if subjects.is_empty() {
            return Ok((Vec::new(), self.head().await?.tombstone_position));
        }
        let mut session = self.readers.take().await?;
        let rows = ask_ids(&mut session, SUBJECT_KEYS, subjects).await?;
        let tombstone_position = column(rows.first().ok_or_else(no_head)?, 0)?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            if column::<Option<&[u8]>>(row, 1)?.is_some() {
                keys.push(key_from(row, 1)?);
            }
        }
        Ok((keys, tombstone_position))
    }

    async fn look_up(&self, lookup: &Lookup) -> Result<Facts, StoreError> {
        look_up(&mut self.readers.take().await?, lookup).await
    }

    async fn claim_owners(&self, resource: &[u8], member: &[u8]) -> Result<Vec<Uuid>, StoreError> {
        let statement = || {
            sqlx::query(CLAIM_OWNERS)
                .bind(resource.to_vec())
                .bind(member.to_vec())
        };
        self.read(statement)
            .await?
            .iter()
            .map(|row| id_at(row, 0))
            .collect()
    }
}
