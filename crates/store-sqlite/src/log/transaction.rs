//! What happens while the head is locked?

use async_trait::async_trait;
use praxis_event_store::port::{
    CommitError, Facts, Head, LogTransaction, Lookup, Rows, StoreError, WriteError,
};
use sqlx::{Sqlite, Transaction};

use super::{error, look_up, write};

/// The file's write lock, which is the lock on the head.
pub(super) struct SqliteTransaction {
    pub(super) tx: Transaction<'static, Sqlite>,
    pub(super) head: Head,
    pub(super) now_micros: i64,
}

#[async_trait]
impl LogTransaction for SqliteTransaction {
    fn head(&self) -> &Head {
        &self.head
    }

    fn now_micros(&self) -> i64 {
        self.now_micros
    }

    async fn look_up(&mut self, lookup: &Lookup) -> Result<Facts, StoreError> {
        look_up::facts(&mut self.tx, lookup).await
    }

    async fn write(&mut self, rows: &Rows) -> Result<(), WriteError> {
        write::rows(&mut self.tx, &self.head, rows).await
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        self.tx.commit().await.map_err(error::commit)
    }

    async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
        match self.tx.rollback().await {
            Err(error) if !error::is_already_rolled_back(&error) => Err(error::store(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
