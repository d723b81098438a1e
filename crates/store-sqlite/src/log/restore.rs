//! How does a restored log begin another life? In one transaction that holds the head.

use async_trait::async_trait;
use praxis_event_store::port::{Head, StoreError};
use praxis_event_store::restore::{BeginLifeError, NewLife, RestoredLog, require_next_epoch};
use sqlx::SqliteConnection;

use super::pack::integer;
use super::{SqliteLog, error, head};

#[async_trait]
impl RestoredLog for SqliteLog {
    async fn begin_life(&self, life: &NewLife) -> Result<Head, BeginLifeError> {
        let mut tx = self.lock().await?;
        let (head, now_micros) = head::read_with_clock(&mut tx).await?;
        if head != life.verified {
            let (verified, found) = (life.verified.position, head.position);
            return Err(BeginLifeError::Moved { verified, found });
        }
        if is_leased(&mut tx).await? {
            return Err(BeginLifeError::Led);
        }
        let epoch = require_next_epoch(&head, life.above_epoch, now_micros)?;
        give_up_relay(&mut tx, life, integer(head.position)?).await?;
        sqlx::query(
            "-- praxis_store_sqlite::log::restore::begin_life
             UPDATE counters SET last = last + ?1",
        )
        .bind(life.numbers_skipped)
        .execute(&mut *tx)
        .await
        .map_err(error::store)?;
        sqlx::query(
            "-- praxis_store_sqlite::log::restore::begin_life
             UPDATE log_head SET epoch = ?1 WHERE id = 1",
        )
        .bind(epoch)
        .execute(&mut *tx)
        .await
        .map_err(error::store)?;
        tx.commit().await.map_err(error::store)?;
        Ok(Head { epoch, ..head })
    }
}

/// The directory has one owner, so nobody leads; but a copy of a served log has a lease, for some seconds.
async fn is_leased(conn: &mut SqliteConnection) -> Result<bool, StoreError> {
    sqlx::query_scalar(
        "-- praxis_store_sqlite::log::restore::is_leased
         SELECT holder IS NOT NULL AND held_until > CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000
         FROM relay WHERE id = 1",
    )
    .fetch_one(conn)
    .await
    .map_err(error::store)
}

/// On the right, columns are what they were before.
async fn give_up_relay(conn: &mut SqliteConnection, life: &NewLife, position: i64) -> Result<(), StoreError> {
    sqlx::query(
        "-- praxis_store_sqlite::log::restore::give_up_relay
         UPDATE relay SET term = term + 1, holder = NULL, held_until = 0, frontier = ?1,
             partitions = CASE WHEN position > ?2 THEN x'' ELSE partitions END, position = min(position, ?2)
         WHERE id = 1",
    )
    .bind(life.frontier.as_slice())
    .bind(position)
    .execute(conn)
    .await
    .map(drop)
    .map_err(error::store)
}
