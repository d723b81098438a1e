//! How is it forgotten what commands were answered long ago?

use async_trait::async_trait;
use praxis_event_store::outcomes::{OutcomePage, OutcomeStore};
use praxis_event_store::port::{CommitError, LogTransaction, StoreError};
use sqlx::Row;

use super::{MySqlTransaction, begin};
use crate::errors::store_error;
use crate::log::MySqlLog;

/// Without the head: what it finds may change until the deletion, which asks again.
const PAGE: &str = "-- store_mysql::transaction::outcomes::page
SELECT MAX(command_key), CAST(COALESCE(SUM(recorded_at < ?), 0) AS SIGNED)
FROM (SELECT command_key, recorded_at FROM commands WHERE command_key > ? ORDER BY command_key LIMIT ?) AS page";

/// By ranges of the primary key, so that rows which stay are passed over without keeping their locks.
const FORGET: &str = "-- store_mysql::transaction::outcomes::forget
DELETE FROM commands WHERE command_key > ? AND command_key <= ? AND recorded_at < ?";

#[async_trait]
impl OutcomeStore for MySqlLog {
    async fn forget_outcomes(
        &self,
        after_key: [u8; 32],
        limit: u32,
        before_micros: i64,
    ) -> Result<OutcomePage, StoreError> {
        let mut session = self.readers.take().await?;
        let page = sqlx::query(PAGE)
            .bind(before_micros)
            .bind(after_key.as_slice())
            .bind(limit);
        let rows = session.rows(page).await.map_err(store_error)?;
        drop(session);
        let row = rows
            .first()
            .ok_or(StoreError::Corrupt("an aggregate without a row"))?;
        let last_key: Option<Vec<u8>> = row.try_get(0).map_err(store_error)?;
        let old: i64 = row.try_get(1).map_err(store_error)?;
        let last_key = last_key
            .map(|key| {
                <[u8; 32]>::try_from(key).map_err(|_| StoreError::Corrupt("a command key of another length"))
            })
            .transpose()?;
        let forgotten = match last_key {
            Some(last_key) if old > 0 => {
                let mut tx = Box::new(begin(&self.keepers).await?);
                let forgotten = tx.forget(after_key, last_key, before_micros).await?;
                tx.commit().await.map_err(|error| match error {
                    CommitError::NotCommitted(error) | CommitError::Unknown(error) => error,
                })?;
                forgotten
            }
            Some(_) | None => 0,
        };
        Ok(OutcomePage { last_key, forgotten })
    }
}

impl MySqlTransaction {
    async fn forget(
        &mut self,
        after_key: [u8; 32],
        last_key: [u8; 32],
        before_micros: i64,
    ) -> Result<u64, StoreError> {
        self.check_usable()?;
        self.failed = true;
        let forget = sqlx::query(FORGET)
            .bind(after_key.as_slice())
            .bind(last_key.as_slice())
            .bind(before_micros);
        let deleted = self.session.run(forget).await.map_err(store_error)?;
        self.failed = false;
        Ok(deleted.rows_affected())
    }
}
