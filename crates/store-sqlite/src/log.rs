//! Where is the log: one SQLite file, one writer connection, a few readers.

use std::path::Path;

use praxis_event_store::port::StoreError;
use sqlx::SqlitePool;

mod audit;
mod backup;
mod connect;
mod error;
mod head;
mod look_up;
mod outcomes;
pub(crate) mod pack;
mod read;
mod relay;
mod restore;
mod rows;
mod schema;
mod transaction;
mod write;
mod writer;

#[cfg(test)]
mod tests;

pub use backup::LogCopy;
pub use schema::migrate;

/// How a log is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// How many connections read at once.
    pub readers_max: u32,
    /// How long a transaction waits for the one before it, and a read for a connection, before it fails.
    pub wait_ms: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            readers_max: 4,
            wait_ms: 2_000,
        }
    }
}

/// A log in a SQLite file. Clones share its connections.
#[derive(Clone, Debug)]
pub struct SqliteLog {
    /// Holds at most one connection: whoever has it writes.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteLog {
    /// Opens a log that [`migrate`] has made. Never creates or changes anything.
    ///
    /// # Errors
    /// [`StoreError::Unfit`], saying what to run, if there is no file or not the schema of this program, or if SQLite
    /// does not take the settings that make a commit durable.
    pub async fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        schema::require_file(path)?;
        let log = Self {
            writer: connect::writer(path, options),
            readers: connect::readers(path, options),
        };
        let mut conn = log.writer.acquire().await.map_err(error::store)?;
        schema::require_current(&mut conn).await?;
        drop(conn);
        Ok(log)
    }

    /// Waits for the connections in use and closes all of them.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
