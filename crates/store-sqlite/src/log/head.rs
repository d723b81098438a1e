//! Where does the log stand, and what time is it there?

use praxis_event_store::port::{Head, StoreError};
use praxis_events::ids::LogId;
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqliteExecutor};

use super::error;
use super::rows::{column, id, unsigned};

/// The head, as of now.
pub(super) async fn read(from: impl SqliteExecutor<'_>) -> Result<Head, StoreError> {
    let row = sqlx::query(
        "-- praxis_store_sqlite::log::head::read
         SELECT log_id, epoch, position, recorded_at, tombstone_position FROM log_head WHERE id = 1",
    )
    .fetch_one(from)
    .await
    .map_err(error::store)?;
    head(&row)
}

/// The head and the database's clock, microseconds UTC; SQLite's has milliseconds.
pub(super) async fn read_with_clock(conn: &mut SqliteConnection) -> Result<(Head, i64), StoreError> {
    let row = sqlx::query(
        "-- praxis_store_sqlite::log::head::read_with_clock
         SELECT log_id, epoch, position, recorded_at, tombstone_position,
             CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000
         FROM log_head WHERE id = 1",
    )
    .fetch_one(conn)
    .await
    .map_err(error::store)?;
    Ok((head(&row)?, column(&row, 5)?))
}

pub(super) fn head(row: &SqliteRow) -> Result<Head, StoreError> {
    Ok(Head {
        log_id: LogId(id(column(row, 0)?)?),
        epoch: unsigned(row, 1)?,
        position: unsigned(row, 2)?,
        recorded_at: column(row, 3)?,
        tombstone_position: unsigned(row, 4)?,
    })
}
