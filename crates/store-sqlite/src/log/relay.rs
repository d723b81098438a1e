//! Who leads the relay, and how far has it come?

use async_trait::async_trait;
use praxis_event_store::port::{RelayState, RelayStore, StoreError};
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::pack::integer;
use super::rows::{array, column, unsigned};
use super::{SqliteLog, error};

#[async_trait]
impl RelayStore for SqliteLog {
    async fn lease(&self, holder: Uuid, ttl_ms: u32) -> Result<Option<RelayState>, StoreError> {
        let mut tx = self.lock().await?;
        // In the SET, `holder` is still the one before; the clock stands still within a statement.
        let row = sqlx::query(
            "-- praxis_store_sqlite::log::relay::lease
             UPDATE relay SET
                 term = term + (holder IS NOT ?1),
                 holder = ?1,
                 held_until = CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000 + ?2 * 1000
             WHERE id = 1 AND (
                 holder IS NULL OR holder = ?1
                 OR held_until <= CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000
             )
             RETURNING term, position, partitions, frontier",
        )
        .bind(holder.as_bytes().as_slice())
        .bind(ttl_ms)
        .fetch_optional(&mut *tx)
        .await
        .map_err(error::store)?;
        tx.commit().await.map_err(error::store)?;
        row.as_ref().map(state).transpose()
    }

    async fn save(&self, holder: Uuid, state: &RelayState) -> Result<bool, StoreError> {
        let partitions: Vec<u8> = state
            .partitions
            .iter()
            .flat_map(|position| position.to_be_bytes())
            .collect();
        let mut tx = self.lock().await?;
        let saved = sqlx::query(
            "-- praxis_store_sqlite::log::relay::save
             UPDATE relay SET position = ?3, partitions = ?4, frontier = ?5
             WHERE id = 1 AND holder = ?1 AND term = ?2",
        )
        .bind(holder.as_bytes().as_slice())
        .bind(integer(state.term)?)
        .bind(integer(state.position)?)
        .bind(partitions)
        .bind(state.frontier.as_slice())
        .execute(&mut *tx)
        .await
        .map_err(error::store)?;
        tx.commit().await.map_err(error::store)?;
        Ok(saved.rows_affected() == 1)
    }

    async fn release(&self, holder: Uuid) -> Result<(), StoreError> {
        let mut tx = self.lock().await?;
        sqlx::query(
            "-- praxis_store_sqlite::log::relay::release
             UPDATE relay SET holder = NULL, held_until = 0 WHERE id = 1 AND holder = ?1",
        )
        .bind(holder.as_bytes().as_slice())
        .execute(&mut *tx)
        .await
        .map_err(error::store)?;
        tx.commit().await.map_err(error::store)
    }
}

/// `term, position, partitions, frontier`.
pub(super) fn state(row: &SqliteRow) -> Result<RelayState, StoreError> {
    let partitions: &[u8] = column(row, 2)?;
    Ok(RelayState {
        term: unsigned(row, 0)?,
        position: unsigned(row, 1)?,
        partitions: partitions
            .chunks(8)
            .map(|bytes| array(bytes).map(u64::from_be_bytes))
            .collect::<Result<_, _>>()?,
        frontier: column(row, 3)?,
    })
}
