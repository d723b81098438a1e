//! What does a failure of the driver mean to the caller of the port?

use std::time::Duration;

use praxis_event_store::port::{StoreError, WriteError};
use sqlx::mysql::MySqlDatabaseError;

/// Duplicate entry for a unique index.
const DUPLICATE: u16 = 1062;
/// A lock was not granted within `innodb_lock_wait_timeout`.
const LOCK_WAIT_TIMEOUT: u16 = 1205;

/// The server stopped waiting for this connection and rolled back; sent before it closes, so never after a commit.
const INACTIVE: u16 = 4031;

/// Numbers after which the same request may succeed: the connection, the server's state or its load is at fault.
/// From the MySQL 8.4 error reference.
const PASSING: [u16; 27] = [
    1021, // disk full
    1037, 1038, 1041, // out of memory or of its limits
    1040, 1203, 1226, // too many connections, or of this account
    1053, // shutdown in progress
    1114, // table space full
    1129, // host blocked after connection errors
    1152, 1158, 1159, 1160, 1161, 1184, // aborted connection, failed reads and writes of the network
    1180, // error during commit
    1205, 1213, // lock wait, deadlock
    1290, 1836, // server is read only: not the primary, or not yet
    1317, 1927, 3024, // statement or connection killed, statement out of time
    3169, // session killed
    3572, // lock not available at once
    INACTIVE,
];

/// A server was reached that lets this account or this schema not in, or has no such table.
const UNFIT: [(u16, &str); 5] = [
    (1044, "the account may not use this schema"),
    (1045, "the server refuses the account or its password"),
    (1049, "the schema does not exist: run `praxis migrate`"),
    (1142, "the account lacks a privilege on a table of the schema"),
    (1146, "the schema lacks a table: run `praxis migrate`"),
];

/// A limit of time that this adapter sets itself.
#[derive(Debug, thiserror::Error)]
#[error("no answer from the database within {after_ms} ms")]
pub(crate) struct TimedOut {
    after_ms: u128,
}

/// Whoever answers is not shown to be the server that the address names.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database's certificate is refused: is PRAXIS_DATABASE_CA of its authority, and the host the one it is for?"
)]
pub(crate) struct NotTrusted(#[source] rustls::Error);

/// A failed handshake says why in the words of TLS only.
fn not_trusted(error: &sqlx::Error) -> Option<NotTrusted> {
    let tls = match error {
        sqlx::Error::Io(error) => error.get_ref()?.downcast_ref::<rustls::Error>(),
        sqlx::Error::Tls(error) => error.downcast_ref::<rustls::Error>(),
        _ => None,
    };
    tls.filter(|tls| matches!(tls, rustls::Error::InvalidCertificate(_)))
        .map(|tls| NotTrusted(tls.clone()))
}

/// A statement ran into its limit of time.
pub(crate) fn timed_out(after: Duration) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        TimedOut {
            after_ms: after.as_millis(),
        },
    ))
}

/// The server's number of an error it answered with.
pub(crate) fn number(error: &sqlx::Error) -> Option<u16> {
    error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()
        .map(MySqlDatabaseError::number)
}

/// Whether the connection is in a known state after this error: the server answered, and goes on serving it.
pub(crate) fn leaves_connection_usable(error: &sqlx::Error) -> bool {
    number(error).is_some_and(|number| ![1053, 1317, 1927, 3169, INACTIVE].contains(&number))
}

/// Whether this answer to a COMMIT proves that nothing was committed.
pub(crate) fn proves_rollback(error: &sqlx::Error) -> bool {
    number(error) == Some(INACTIVE)
}

/// The port's view of an error.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    use sqlx::Error as E;
    if let Some(number) = number(&error) {
        if let Some((_, text)) = UNFIT.iter().find(|(unfit, _)| *unfit == number) {
            return StoreError::Unfit((*text).to_owned());
        }
        return if PASSING.contains(&number) {
            StoreError::Unavailable(error.into())
        } else {
            StoreError::Refused(error.into())
        };
    }
    if let Some(refused) = not_trusted(&error) {
        return StoreError::Unavailable(refused.into());
    }
    match error {
        E::Decode(_) | E::ColumnDecode { .. } | E::ColumnNotFound(_) | E::ColumnIndexOutOfBounds { .. } => {
            StoreError::Corrupt("a column has not the type the schema promises")
        }
        E::RowNotFound => StoreError::Corrupt("a row that must be there is missing"),
        E::Configuration(_) | E::InvalidArgument(_) => {
            StoreError::Unfit("the database address cannot be used".to_owned())
        }
        E::Encode(_) => StoreError::Refused(error.into()),
        other => StoreError::Unavailable(other.into()),
    }
}

/// The same, for the statement that takes the head: another holder is no outage.
pub(crate) fn begin_error(error: sqlx::Error) -> StoreError {
    if number(&error) == Some(LOCK_WAIT_TIMEOUT) {
        StoreError::Busy
    } else {
        store_error(error)
    }
}

/// The same, for statements that write rows.
pub(crate) fn write_error(error: sqlx::Error) -> WriteError {
    if number(&error) == Some(DUPLICATE) {
        WriteError::Duplicate
    } else {
        WriteError::Store(store_error(error))
    }
}

/// A fault of what was asked for, found before any statement was sent.
pub(crate) fn refused(text: &'static str) -> StoreError {
    StoreError::Refused(text.into())
}
