//! How is a log read of which nothing is believed? Row by row, whatever is in them.

use async_trait::async_trait;
use praxis_event_store::audit::{AuditReader, AuditRow, Extent};
use praxis_event_store::port::{RelayState, StoreError};
use sqlx::mysql::MySqlRow;

use crate::errors::store_error;
use crate::fitness::no_head;
use crate::log::MySqlLog;
use crate::relay::state_from;
use crate::rows::{column, event_from, head_from};
use crate::session::Statement;

const EXTENT: &str = "-- store_mysql::audit::extent
SELECT h.log_id, h.epoch, h.position, h.recorded_at, h.tombstone_position,
    CAST((SELECT COUNT(*) FROM events WHERE position < 1) AS UNSIGNED),
    CAST(COALESCE((SELECT MAX(position) FROM events), 0) AS UNSIGNED)
FROM log_head AS h WHERE h.id = 1";

/// The event before each in its stream is found by the unique index, which holds its position.
const ROWS: &str = "-- store_mysql::audit::rows
SELECT e.position, e.event_id, e.stream_type, e.stream_id, e.stream_version, e.event_type, e.schema_version,
    e.recorded_at, e.subject_id, e.metadata, e.payload, e.leaf_format, e.leaf_hash, p.position
FROM events AS e
LEFT JOIN events AS p
    ON p.stream_id = e.stream_id AND p.stream_version = IF(e.stream_version = 0, 0, e.stream_version - 1)
WHERE e.position > ? ORDER BY e.position LIMIT ?";

const RELAY: &str = "-- store_mysql::audit::relay_row
SELECT term, position, partitions, frontier FROM relay WHERE id = 1";

impl MySqlLog {
    async fn audited(&self, statement: Statement<'static>) -> Result<Vec<MySqlRow>, StoreError> {
        let mut session = self.readers.take().await?;
        session.rows(statement).await.map_err(store_error)
    }
}

#[async_trait]
impl AuditReader for MySqlLog {
    async fn extent(&self) -> Result<Extent, StoreError> {
        let rows = self.audited(sqlx::query(EXTENT)).await?;
        let row = rows.first().ok_or_else(no_head)?;
        Ok(Extent {
            head: head_from(row)?,
            rows_before_first: column(row, 5)?,
            last: column(row, 6)?,
        })
    }

    async fn rows(&self, after_position: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let rows = self
            .audited(sqlx::query(ROWS).bind(after_position).bind(limit))
            .await?;
        rows.iter().map(audit_row).collect()
    }

    async fn relay_row(&self) -> Result<RelayState, StoreError> {
        let rows = self.audited(sqlx::query(RELAY)).await?;
        state_from(rows.first().ok_or_else(no_head)?)
    }
}

fn audit_row(row: &MySqlRow) -> Result<AuditRow, StoreError> {
    let event = match event_from(row) {
        Err(StoreError::Corrupt(what)) => Err(what),
        event => Ok(event?),
    };
    Ok(AuditRow {
        position: column(row, 0)?,
        predecessor: column(row, 13)?,
        event,
    })
}
