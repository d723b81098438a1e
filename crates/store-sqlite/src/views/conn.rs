//! How is a file of read models opened, and what do its faults mean?

use std::path::Path;
use std::time::Duration;

use praxis_read_models::views::ViewsError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, SqlitePool};
use uuid::Uuid;

/// How long a transaction waits for another, and a read for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// Connections that read at once.
const READERS_MAX: u32 = 4;

/// How much of the file a connection keeps in memory, KiB.
const CACHE_KIB: &str = "-32768";

/// How much of the file is read where the system keeps it, bytes: SQLite's own limit. What lies beyond is copied page by
/// page, which takes a list of a day twice the time. Nobody else shortens a file of a directory that is ours.
const MAPPED_BYTES: &str = "2147418112";

/// Options of a connection that writes. A file that is missing is not made: a generation's that was removed stays so.
pub(super) fn writer_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // Read models can be built again, and the checkpoint is in the same file as the rows.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(WAIT)
        .pragma("cache_size", CACHE_KIB)
}

/// The pool of the one connection that writes.
pub(super) fn writer(options: SqliteConnectOptions) -> SqlitePool {
    pool(1).connect_lazy_with(options)
}

/// The pool of connections that only read: they see what was committed when their statement began, and wait for nobody.
pub(super) fn readers(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(WAIT)
        .pragma("cache_size", CACHE_KIB)
        .pragma("mmap_size", MAPPED_BYTES);
    pool(READERS_MAX).connect_lazy_with(options)
}

fn pool(connections_max: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Primary result codes of SQLite that pass by themselves, or when someone makes room: busy, locked, no memory,
/// interrupted, input or output, full, cannot open.
const PASSING: [i64; 7] = [5, 6, 7, 9, 10, 13, 14];

/// What a fault means to the caller of the port.
pub(super) fn fault(error: sqlx::Error) -> ViewsError {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database
                .code()
                .and_then(|code| code.parse::<i64>().ok())
                .map(|extended| extended & 0xff);
            if code.is_some_and(|code| PASSING.contains(&code)) {
                ViewsError::Unavailable(error.into())
            } else {
                ViewsError::Refused(error.into())
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => ViewsError::Unavailable(error.into()),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            ViewsError::Corrupt("a column has another type")
        }
        _ => ViewsError::Refused(error.into()),
    }
}

/// A row's document.
pub(super) fn document<T: DeserializeOwned>(row: &SqliteRow, column: usize) -> Result<T, ViewsError> {
    let text: &str = row.try_get(column).map_err(fault)?;
    serde_json::from_str(text).map_err(|_| ViewsError::Corrupt("a document has another shape"))
}

/// A joined document; `None` where nothing was joined.
pub(super) fn joined<T: DeserializeOwned>(row: &SqliteRow, column: usize) -> Result<Option<T>, ViewsError> {
    let text: Option<&str> = row.try_get(column).map_err(fault)?;
    text.map(|text| {
        serde_json::from_str(text).map_err(|_| ViewsError::Corrupt("a document has another shape"))
    })
    .transpose()
}

/// An id of 16 bytes.
pub(super) fn id(row: &SqliteRow, column: usize) -> Result<Uuid, ViewsError> {
    let bytes: &[u8] = row.try_get(column).map_err(fault)?;
    Uuid::from_slice(bytes).map_err(|_| ViewsError::Corrupt("an id has not 16 bytes"))
}

/// A number that is stored as SQLite's signed integer.
pub(super) fn number<T: TryFrom<i64>>(row: &SqliteRow, column: usize) -> Result<T, ViewsError> {
    let stored: i64 = row.try_get(column).map_err(fault)?;
    T::try_from(stored).map_err(|_| ViewsError::Corrupt("a number is out of range"))
}

/// A number as SQLite holds it.
pub(super) fn integer(number: u64) -> Result<i64, ViewsError> {
    i64::try_from(number).map_err(|error| ViewsError::Refused(error.into()))
}

/// Rows of small values as one JSON parameter, whatever their number, so that one statement stays prepared.
pub(super) fn json<T: Serialize>(rows: &T) -> Result<String, ViewsError> {
    serde_json::to_string(rows).map_err(|error| ViewsError::Refused(error.into()))
}
