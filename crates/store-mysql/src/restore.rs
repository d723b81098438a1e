//! How does a restored log begin another life? In one transaction that holds the head.

use async_trait::async_trait;
use praxis_event_store::port::{Head, StoreError};
use praxis_event_store::restore::{BeginLifeError, NewLife, RestoredLog, require_next_epoch};

use crate::errors::{begin_error, store_error};
use crate::fitness::no_head;
use crate::log::MySqlLog;
use crate::rows::{column, head_from};
use crate::session::Session;

const LOCK: &str = "-- store_mysql::restore::lock
SET SESSION wait_timeout = 3;
BEGIN;
SELECT log_id, epoch, position, recorded_at, tombstone_position,
    CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)
FROM log_head WHERE id = 1 FOR UPDATE";

const LEASED: &str = "-- store_mysql::restore::leased
SELECT CAST(holder IS NOT NULL AND lease_until > CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED) AS SIGNED)
FROM relay WHERE id = 1 FOR UPDATE";

/// MySQL assigns from left to right: partitions are judged by the position before.
const RELAY: &str = "-- store_mysql::restore::relay
UPDATE relay SET term = term + 1, holder = NULL, lease_until = 0, frontier = ?,
    partitions = IF(position > ?, '', partitions), position = LEAST(position, ?)
WHERE id = 1";

const COUNTERS: &str = "-- store_mysql::restore::counters
UPDATE counters SET last_number = last_number + ?";

/// The number is this program's own.
fn commit_in(epoch: u32) -> String {
    format!(
        "-- store_mysql::restore::commit
UPDATE log_head SET epoch = {epoch} WHERE id = 1;
COMMIT;
SET SESSION wait_timeout = DEFAULT"
    )
}

#[async_trait]
impl RestoredLog for MySqlLog {
    /// Refused, the session is closed, and the server rolls back.
    async fn begin_life(&self, life: &NewLife) -> Result<Head, BeginLifeError> {
        let mut session = self.writers.take().await?;
        session.begin_unfinished();
        let (head, now_micros) = lock(&mut session).await?;
        if head != life.verified {
            let (verified, found) = (life.verified.position, head.position);
            return Err(BeginLifeError::Moved { verified, found });
        }
        let leased = session.text(LEASED).await.map_err(store_error)?;
        if column::<i64>(leased.first().ok_or_else(no_head)?, 0)? != 0 {
            return Err(BeginLifeError::Led);
        }
        let epoch = require_next_epoch(&head, life.above_epoch, now_micros)?;
        let relay = sqlx::query(RELAY)
            .bind(life.frontier.clone())
            .bind(head.position)
            .bind(head.position);
        session.run(relay).await.map_err(store_error)?;
        let counters = sqlx::query(COUNTERS).bind(life.numbers_skipped);
        session.run(counters).await.map_err(store_error)?;
        session.commit(commit_in(epoch)).await.map_err(store_error)?;
        session.end_unfinished();
        Ok(Head { epoch, ..head })
    }
}

async fn lock(session: &mut Session) -> Result<(Head, i64), StoreError> {
    let rows = session.text(LOCK).await.map_err(begin_error)?;
    let row = rows.first().ok_or_else(no_head)?;
    Ok((head_from(row)?, column(row, 5)?))
}
