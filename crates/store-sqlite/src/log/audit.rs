//! How is a log read of which nothing is believed? Row by row, whatever is in them.

use async_trait::async_trait;
use praxis_event_store::audit::{AuditReader, AuditRow, Extent};
use praxis_event_store::port::{RelayState, StoreError};
use sqlx::sqlite::SqliteRow;

use super::pack::bound;
use super::rows::{column, event, unsigned};
use super::{SqliteLog, error, head, relay};

#[async_trait]
impl AuditReader for SqliteLog {
    async fn extent(&self) -> Result<Extent, StoreError> {
        let row = sqlx::query(
            "-- praxis_store_sqlite::log::audit::extent
             SELECT log_id, epoch, position, recorded_at, tombstone_position,
                 (SELECT count(*) FROM events WHERE position < 1),
                 (SELECT coalesce(max(position), 0) FROM events)
             FROM log_head WHERE id = 1",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(error::store)?;
        Ok(Extent {
            head: head::head(&row)?,
            rows_before_first: unsigned(&row, 5)?,
            last: column::<i64>(&row, 6)?.max(0).unsigned_abs(),
        })
    }

    async fn rows(&self, after_position: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        // The event before each in its stream is found by the unique index, which holds its position.
        let rows = sqlx::query(
            "-- praxis_store_sqlite::log::audit::rows
             SELECT e.position, e.event_id, e.stream_type, e.stream_id, e.stream_version, e.event_type,
                 e.schema_version, e.recorded_at, e.subject_id, e.metadata, e.payload, e.leaf_format, e.leaf_hash,
                 p.position
             FROM events AS e
             LEFT JOIN events AS p ON p.stream_id = e.stream_id AND p.stream_version = e.stream_version - 1
             WHERE e.position > ?1
             ORDER BY e.position
             LIMIT ?2",
        )
        .bind(bound(after_position))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(error::store)?;
        rows.iter().map(audit_row).collect()
    }

    async fn relay_row(&self) -> Result<RelayState, StoreError> {
        let row = sqlx::query(
            "-- praxis_store_sqlite::log::audit::relay_row
             SELECT term, position, partitions, frontier FROM relay WHERE id = 1",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(error::store)?;
        relay::state(&row)
    }
}

fn audit_row(row: &SqliteRow) -> Result<AuditRow, StoreError> {
    let event = match event(row) {
        Err(StoreError::Corrupt(what)) => Err(what),
        event => Ok(event?),
    };
    let predecessor: Option<i64> = column(row, 13)?;
    Ok(AuditRow {
        position: unsigned(row, 0)?,
        predecessor: predecessor.map(|position| position.max(0).unsigned_abs()),
        event,
    })
}
