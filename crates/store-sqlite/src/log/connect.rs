//! How is the file opened: which settings, and that SQLite really took them.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};

use super::OpenOptions;

/// How much of the file the writer keeps in memory, KiB: command keys are random, so inserts touch pages everywhere.
const WRITER_CACHE_KIB: &str = "-65536";

/// How much of it each reader keeps in memory, KiB.
const READER_CACHE_KIB: &str = "-16384";

/// What is left of the write-ahead log after a checkpoint, bytes.
const WAL_KEPT_BYTES: &str = "67108864";

/// `PRAGMA synchronous` as read back: 2 is FULL, a sync of the write-ahead log before each commit is answered.
const SYNCHRONOUS_FULL: i64 = 2;

/// The options of a connection that writes.
pub(super) fn writer_options(path: &Path, wait: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(wait)
        .pragma("cache_size", WRITER_CACHE_KIB)
        .pragma("journal_size_limit", WAL_KEPT_BYTES)
        // Where a plain sync leaves data in the drive's cache (macOS), ask for more; elsewhere this does nothing.
        .pragma("fullfsync", "ON")
        .pragma("checkpoint_fullfsync", "ON")
}

/// The pool of the one writer connection. It is opened when first used, and again after a fault.
pub(super) fn writer(path: &Path, options: OpenOptions) -> SqlitePool {
    let wait = Duration::from_millis(options.wait_ms.into());
    lasting(1, wait)
        .after_connect(|conn, _| Box::pin(async move { require_durable(conn).await }))
        .after_release(|conn, _| Box::pin(async move { is_outside_transaction(conn).await }))
        .connect_lazy_with(writer_options(path, wait))
}

/// The pool of connections that can only read.
pub(super) fn readers(path: &Path, options: OpenOptions) -> SqlitePool {
    let wait = Duration::from_millis(options.wait_ms.into());
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(wait)
        .pragma("cache_size", READER_CACHE_KIB);
    lasting(options.readers_max, wait).connect_lazy_with(connect)
}

fn lasting(connections_max: u32, wait: Duration) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Refuses a connection whose commits could be visible or acknowledged before they are durable.
pub(super) async fn require_durable(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let journal: String =
        sqlx::query_scalar("-- praxis_store_sqlite::log::connect::require_durable\nPRAGMA journal_mode")
            .fetch_one(&mut *conn)
            .await?;
    let synchronous: i64 =
        sqlx::query_scalar("-- praxis_store_sqlite::log::connect::require_durable\nPRAGMA synchronous")
            .fetch_one(&mut *conn)
            .await?;
    let foreign_keys: i64 =
        sqlx::query_scalar("-- praxis_store_sqlite::log::connect::require_durable\nPRAGMA foreign_keys")
            .fetch_one(&mut *conn)
            .await?;
    if (journal.as_str(), synchronous, foreign_keys) == ("wal", SYNCHRONOUS_FULL, 1) {
        return Ok(());
    }
    let found = format!(
        "SQLite must run with journal_mode=wal, synchronous=2, foreign_keys=1, but took journal_mode={journal}, \
         synchronous={synchronous}, foreign_keys={foreign_keys}; is the file on a network file system?"
    );
    Err(sqlx::Error::Configuration(found.into()))
}

/// Whether the connection may go back to its pool. SQLite ends a transaction by itself after some faults (a full
/// disk); the driver then still believes in it and could never begin another, so such a connection is closed.
async fn is_outside_transaction(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // The answer comes behind the rollback that dropping a transaction has queued.
    conn.ping().await?;
    Ok(!conn.is_in_transaction())
}
