//! What does a fault of SQLite mean to the caller of the port?

use praxis_event_store::port::{CommitError, StoreError, WriteError};
use sqlx::error::DatabaseError;

/// Primary result codes of SQLite (<https://www.sqlite.org/rescode.html>).
mod code {
    pub(super) const ERROR: i64 = 1;
    pub(super) const BUSY: i64 = 5;
    pub(super) const LOCKED: i64 = 6;
    pub(super) const NO_MEMORY: i64 = 7;
    pub(super) const INTERRUPT: i64 = 9;
    pub(super) const IO_ERROR: i64 = 10;
    pub(super) const CORRUPT: i64 = 11;
    pub(super) const FULL: i64 = 13;
    pub(super) const CANNOT_OPEN: i64 = 14;
    pub(super) const CONSTRAINT: i64 = 19;
    pub(super) const NOT_A_DATABASE: i64 = 26;
}

/// The primary code in the low byte of the extended one.
fn primary(error: &dyn DatabaseError) -> Option<i64> {
    let extended: i64 = error.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// Maps a fault by what the caller does next.
pub(super) fn store(error: sqlx::Error) -> StoreError {
    use sqlx::Error;

    match error {
        Error::Database(ref fault) => match primary(&**fault) {
            // What passes by itself or when someone makes room.
            Some(
                code::BUSY
                | code::LOCKED
                | code::NO_MEMORY
                | code::INTERRUPT
                | code::IO_ERROR
                | code::FULL
                | code::CANNOT_OPEN,
            ) => StoreError::Unavailable(error.into()),
            Some(code::CORRUPT) => StoreError::Corrupt("the database file is malformed"),
            Some(code::NOT_A_DATABASE) => StoreError::Unfit("the file is not a SQLite database".to_owned()),
            Some(_) | None => StoreError::Refused(error.into()),
        },
        Error::Configuration(text) => StoreError::Unfit(text.to_string()),
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StoreError::Unavailable(error.into())
        }
        Error::ColumnDecode { .. } | Error::Decode(_) => StoreError::Corrupt("a column has another type"),
        other => StoreError::Refused(other.into()),
    }
}

/// Maps a fault of waiting for the head: another task has the connection, or another process the file's write lock.
pub(super) fn lock(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::PoolTimedOut => StoreError::Busy,
        sqlx::Error::Database(fault) if primary(&**fault) == Some(code::BUSY) => StoreError::Busy,
        _ => store(error),
    }
}

/// Maps a fault of an insert. A position taken twice is not a duplicate but a fault of the program, and has another
/// extended code than the unique indexes.
pub(super) fn write(error: sqlx::Error) -> WriteError {
    match &error {
        sqlx::Error::Database(fault) if fault.is_unique_violation() => WriteError::Duplicate,
        _ => store(error).into(),
    }
}

/// Maps a fault of a commit. Only a busy file and a violated constraint leave no doubt: after a failed write or sync
/// the commit's last frame may be in the file, and found there after a crash.
pub(super) fn commit(error: sqlx::Error) -> CommitError {
    let certain = match &error {
        sqlx::Error::Database(fault) => matches!(primary(&**fault), Some(code::BUSY | code::CONSTRAINT)),
        _ => false,
    };
    if certain {
        CommitError::NotCommitted(store(error))
    } else {
        CommitError::Unknown(store(error))
    }
}

/// Whether a rollback failed because SQLite had already rolled back by itself.
pub(super) fn is_already_rolled_back(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(fault) if primary(&**fault) == Some(code::ERROR))
}
