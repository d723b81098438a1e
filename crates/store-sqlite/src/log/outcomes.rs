//! How is it forgotten what commands were answered long ago?

use async_trait::async_trait;
use praxis_event_store::outcomes::{OutcomePage, OutcomeStore};
use praxis_event_store::port::StoreError;

use super::rows::column;
use super::{SqliteLog, error};

#[async_trait]
impl OutcomeStore for SqliteLog {
    async fn forget_outcomes(
        &self,
        after_key: [u8; 32],
        limit: u32,
        before_micros: i64,
    ) -> Result<OutcomePage, StoreError> {
        // Without the head: what it finds may change until the deletion, which asks again.
        let row = sqlx::query(
            "-- praxis_store_sqlite::log::outcomes::page
             SELECT MAX(key), COALESCE(SUM(recorded_at < ?3), 0)
             FROM (SELECT key, recorded_at FROM commands WHERE key > ?1 ORDER BY key LIMIT ?2)",
        )
        .bind(after_key.as_slice())
        .bind(limit)
        .bind(before_micros)
        .fetch_one(&self.readers)
        .await
        .map_err(error::store)?;
        let last_key: Option<Vec<u8>> = column(&row, 0)?;
        let old: i64 = column(&row, 1)?;
        let last_key = last_key
            .map(|key| {
                <[u8; 32]>::try_from(key).map_err(|_| StoreError::Corrupt("a command key of another length"))
            })
            .transpose()?;
        let forgotten = match last_key {
            Some(last_key) if old > 0 => self.forget(after_key, last_key, before_micros).await?,
            Some(_) | None => 0,
        };
        Ok(OutcomePage { last_key, forgotten })
    }
}

impl SqliteLog {
    async fn forget(
        &self,
        after_key: [u8; 32],
        last_key: [u8; 32],
        before_micros: i64,
    ) -> Result<u64, StoreError> {
        let mut tx = self.lock().await?;
        let deleted = sqlx::query(
            "-- praxis_store_sqlite::log::outcomes::forget
             DELETE FROM commands WHERE key > ?1 AND key <= ?2 AND recorded_at < ?3",
        )
        .bind(after_key.as_slice())
        .bind(last_key.as_slice())
        .bind(before_micros)
        .execute(&mut *tx)
        .await
        .map_err(error::store)?;
        tx.commit().await.map_err(error::store)?;
        Ok(deleted.rows_affected())
    }
}
