//! How does an append begin, and how are numbers given out?

use async_trait::async_trait;
use praxis_event_store::port::{LogTransaction, LogWriter, StoreError};
use sqlx::{Sqlite, Transaction};

use super::pack::integer;
use super::rows::unsigned;
use super::transaction::SqliteTransaction;
use super::{SqliteLog, error, head};

impl SqliteLog {
    /// Takes the writer connection and the file's write lock. Dropping what it returns rolls back, in the worker of
    /// the connection, before anyone else gets that connection.
    pub(super) async fn lock(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer
            .begin_with("-- praxis_store_sqlite::log::writer::lock\nBEGIN IMMEDIATE")
            .await
            .map_err(error::lock)
    }
}

#[async_trait]
impl LogWriter for SqliteLog {
    async fn begin(&self) -> Result<Box<dyn LogTransaction>, StoreError> {
        let mut tx = self.lock().await?;
        let (head, now_micros) = head::read_with_clock(&mut tx).await?;
        Ok(Box::new(SqliteTransaction { tx, head, now_micros }))
    }

    async fn reserve_numbers(&self, counter: &'static str, count: u32) -> Result<u64, StoreError> {
        let mut tx = self.lock().await?;
        let row = sqlx::query(
            "-- praxis_store_sqlite::log::writer::reserve_numbers
             INSERT INTO counters (name, last) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET last = last + ?2
             RETURNING last - ?2 + 1",
        )
        .bind(counter)
        .bind(integer(count.into())?)
        .fetch_one(&mut *tx)
        .await
        .map_err(error::store)?;
        let first = unsigned(&row, 0)?;
        tx.commit().await.map_err(error::store)?;
        Ok(first)
    }
}
