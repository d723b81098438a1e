//! What are connections to read models for, and how long may they take?
//!
//! They are kept as those of the log ([`crate::session`]). But there is no head to hold and no log to recognise, and a
//! lost answer to COMMIT does no harm: the checkpoint says what became of it.

use std::sync::Arc;
use std::time::Duration;

use praxis_event_store::port::StoreError;
use praxis_read_models::views::ViewsError;
use sqlx::Row as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlQueryResult, MySqlRow};

use super::conn::{fault, views_error};
use crate::errors::{store_error, timed_out};
use crate::fitness::Purpose;
use crate::session::{self, Admission, Statement};

/// Connections that read a generation at once.
const READERS_MAX: usize = 16;

/// Connections that write a generation at once; projectors of one process take turns.
const WRITERS_MAX: usize = 4;

/// How long a request may wait for a connection, and for one statement.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one statement over a batch may take.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);

/// The largest statement sent fits well into it.
const MAX_ALLOWED_PACKET_MIN: i64 = 32 * 1024 * 1024;

/// What is sent is refused rather than cut to fit, what is read is committed, and a projector that stands still keeps
/// others waiting for seconds only.
const PREPARE: &str = "-- store_mysql::views::sessions::PREPARE
SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    transaction_isolation = 'READ-COMMITTED', autocommit = 1,
    innodb_lock_wait_timeout = 5, net_read_timeout = 10, net_write_timeout = 10;
SELECT CAST(@@GLOBAL.max_allowed_packet AS SIGNED)";

/// Only within a transaction the server's patience is short: what waits there holds locks.
const BEGIN: &str = "-- store_mysql::views::sessions::begin
SET SESSION wait_timeout = 10;
BEGIN";

const COMMIT: &str = "-- store_mysql::views::sessions::commit
COMMIT;
SET SESSION wait_timeout = DEFAULT";

/// Open connections of one purpose to one read database.
#[derive(Clone, Debug)]
pub(super) struct Sessions(Arc<session::Sessions<Fit>>);

/// A session in somebody's hands.
#[derive(Debug)]
pub(super) struct Session(session::Session<Fit>);

impl Sessions {
    pub(super) fn new(pool: &'static str, purpose: Purpose, options: MySqlConnectOptions) -> Self {
        let (sessions_max, timeout) = match purpose {
            Purpose::Read => (READERS_MAX, READ_TIMEOUT),
            Purpose::Write => (WRITERS_MAX, WRITE_TIMEOUT),
        };
        Self(session::Sessions::new(
            pool,
            purpose,
            options,
            sessions_max,
            timeout,
            Fit,
        ))
    }

    /// An idle session that lives, or a new one that was prepared.
    pub(super) async fn take(&self) -> Result<Session, ViewsError> {
        match tokio::time::timeout(READ_TIMEOUT, self.0.take()).await {
            Ok(taken) => taken.map(Session).map_err(views_error),
            Err(_) => Err(fault(timed_out(READ_TIMEOUT))),
        }
    }

    /// Closes what lies idle, and opens nothing more.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

impl Session {
    /// Runs a statement and returns its rows.
    pub(super) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<MySqlRow>, ViewsError> {
        self.0.rows(statement).await.map_err(fault)
    }

    /// Runs a statement and returns what the server says it did.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<MySqlQueryResult, ViewsError> {
        self.0.run(statement).await.map_err(fault)
    }

    /// Begins a transaction; from here on the session does not go back as it is.
    pub(super) async fn begin(&mut self) -> Result<(), ViewsError> {
        self.0.begin_unfinished();
        self.0.text(BEGIN).await.map_err(fault)?;
        Ok(())
    }

    /// Ends the transaction with its rows in place.
    pub(super) async fn commit(mut self) -> Result<(), ViewsError> {
        self.0.text(COMMIT).await.map_err(fault)?;
        self.0.end_unfinished();
        Ok(())
    }
}

/// A server that read models can be kept on.
#[derive(Debug)]
struct Fit;

impl Admission for Fit {
    async fn admit(&self, conn: &mut MySqlConnection, _: Purpose) -> Result<(), StoreError> {
        let rows = sqlx::raw_sql(PREPARE)
            .fetch_all(conn)
            .await
            .map_err(store_error)?;
        let row = rows
            .first()
            .ok_or(StoreError::Corrupt("the server did not state its settings"))?;
        let max_allowed_packet: i64 = row.try_get(0).map_err(store_error)?;
        if max_allowed_packet < MAX_ALLOWED_PACKET_MIN {
            return Err(StoreError::Unfit(format!(
                "server setting max_allowed_packet is {max_allowed_packet} and must be at least {MAX_ALLOWED_PACKET_MIN}"
            )));
        }
        Ok(())
    }
}
