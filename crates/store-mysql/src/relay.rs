//! Which replica leads the relay, and how far has it come?

use async_trait::async_trait;
use praxis_event_store::port::{RelayState, RelayStore, StoreError};
use sqlx::mysql::MySqlRow;
use uuid::Uuid;

use crate::errors::{refused, store_error};
use crate::log::MySqlLog;
use crate::rows::column;

/// One statement: taken from nobody or from one whose time is over, or renewed. The term rises unless the holder
/// stays the same; it is set before the holder, and MySQL assigns in that order. NOW is read before a wait for the
/// row's lock, so a lease is never longer than asked for, and never ends early in another's eyes.
const LEASE: &str = "-- store_mysql::relay::lease
UPDATE relay SET term = IF(holder <=> ?, term, term + 1), holder = ?,
    lease_until = CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) + ? * 1000
WHERE id = 1 AND (holder IS NULL OR holder = ? OR lease_until <= CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED))";

const STATE: &str = "-- store_mysql::relay::state
SELECT term, position, partitions, frontier FROM relay WHERE id = 1 AND holder = ?";

const SAVE: &str = "-- store_mysql::relay::save
UPDATE relay SET position = ?, partitions = ?, frontier = ? WHERE id = 1 AND term = ? AND holder = ?";

const RELEASE: &str = "-- store_mysql::relay::release
UPDATE relay SET holder = NULL, lease_until = 0 WHERE id = 1 AND holder = ?";

#[async_trait]
impl RelayStore for MySqlLog {
    async fn lease(&self, holder: Uuid, ttl_ms: u32) -> Result<Option<RelayState>, StoreError> {
        let holder = holder.as_bytes().to_vec();
        let mut session = self.readers.take().await?;
        let lease = sqlx::query(LEASE)
            .bind(holder.clone())
            .bind(holder.clone())
            .bind(i64::from(ttl_ms))
            .bind(holder.clone());
        if session.run(lease).await.map_err(store_error)?.rows_affected() == 0 {
            return Ok(None);
        }
        let rows = session
            .rows(sqlx::query(STATE).bind(holder))
            .await
            .map_err(store_error)?;
        let Some(row) = rows.first() else { return Ok(None) };
        state_from(row).map(Some)
    }

    async fn save(&self, holder: Uuid, state: &RelayState) -> Result<bool, StoreError> {
        let save = sqlx::query(SAVE)
            .bind(state.position)
            .bind(pack(&state.partitions))
            .bind(state.frontier.clone())
            .bind(state.term)
            .bind(holder.as_bytes().to_vec());
        let mut session = self.readers.take().await?;
        match session.run(save).await.map_err(store_error)?.rows_affected() {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(refused("the relay has more than one row")),
        }
    }

    async fn release(&self, holder: Uuid) -> Result<(), StoreError> {
        let mut session = self.readers.take().await?;
        let release = sqlx::query(RELEASE).bind(holder.as_bytes().to_vec());
        session.run(release).await.map_err(store_error)?;
        Ok(())
    }
}

/// From `term, position, partitions, frontier`.
pub(crate) fn state_from(row: &MySqlRow) -> Result<RelayState, StoreError> {
    Ok(RelayState {
        term: column(row, 0)?,
        position: column(row, 1)?,
        partitions: unpack(column(row, 2)?)?,
        frontier: column(row, 3)?,
    })
}

fn pack(partitions: &[u64]) -> Vec<u8> {
    partitions
        .iter()
        .flat_map(|position| position.to_be_bytes())
        .collect()
}

fn unpack(bytes: &[u8]) -> Result<Vec<u64>, StoreError> {
    let (positions, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(StoreError::Corrupt(
            "the relay's partitions are no list of positions",
        ));
    }
    Ok(positions
        .iter()
        .map(|position| u64::from_be_bytes(*position))
        .collect())
}
