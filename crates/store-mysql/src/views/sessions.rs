//! Which connections to read models are open, and when is one thrown away?
//!
//! As for the log ([`crate::session`]): a session goes back only when the server has answered everything it was asked.
//! But there is no head to hold and no log to recognise, and a lost answer to COMMIT does no harm: the checkpoint says
//! what became of it.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use praxis_read_models::views::ViewsError;
use sqlx::Row as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlQueryResult, MySqlRow};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::conn::fault;
use crate::errors::{leaves_connection_usable, timed_out};
use crate::fitness::Purpose;
use crate::session::Statement;
use crate::wire::Wire;

/// Connections that read a generation at once.
const READERS_MAX: usize = 16;

/// Connections that write a generation at once; projectors of one process take turns.
const WRITERS_MAX: usize = 4;

/// How long a request may wait for a connection, and for one statement.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one statement over a batch may take.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);

/// A session idle for longer is asked whether it lives before it is trusted with a statement.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);

/// How long that question may take.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

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

/// Open connections of one purpose, at most as many at once as there are permits.
pub(super) struct Sessions {
    purpose: Purpose,
    options: MySqlConnectOptions,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

/// The options hold the password.
impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

struct Idle {
    wire: Wire,
    since: Instant,
}

/// A session in somebody's hands. Dropped while the server owes an answer or holds a transaction, it is closed, and
/// the server rolls back.
#[derive(Debug)]
pub(super) struct Session {
    wire: Option<Wire>,
    unfinished: bool,
    home: Arc<Sessions>,
    _permit: OwnedSemaphorePermit,
}

impl Sessions {
    pub(super) fn new(purpose: Purpose, options: MySqlConnectOptions) -> Arc<Self> {
        let sessions_max = match purpose {
            Purpose::Read => READERS_MAX,
            Purpose::Write => WRITERS_MAX,
        };
        let permits = Arc::new(Semaphore::new(sessions_max));
        Arc::new(Self {
            purpose,
            options,
            permits,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// An idle session that lives, or a new one that was prepared.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Session, ViewsError> {
        limited(READ_TIMEOUT, async { Ok(self.find().await) })
            .await
            .map_err(fault)?
    }

    async fn find(self: &Arc<Self>) -> Result<Session, ViewsError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits
            .acquire_owned()
            .await
            .map_err(|closed| ViewsError::Unavailable(closed.into()))?;
        while let Some(Idle { mut wire, since }) = self.pop_idle() {
            let lives = since.elapsed() < TRUSTED_IDLE
                || matches!(tokio::time::timeout(PING_TIMEOUT, wire.ping()).await, Ok(Ok(())));
            if lives {
                return Ok(self.hand_out(wire, permit));
            }
        }
        let mut wire = match self.purpose {
            Purpose::Read => Wire::direct(&self.options).await,
            Purpose::Write => Wire::prompt(&self.options).await,
        }
        .map_err(fault)?;
        wire.run(prepare).await?;
        Ok(self.hand_out(wire, permit))
    }

    fn hand_out(self: &Arc<Self>, wire: Wire, permit: OwnedSemaphorePermit) -> Session {
        Session {
            wire: Some(wire),
            unfinished: false,
            home: Arc::clone(self),
            _permit: permit,
        }
    }

    const fn timeout(&self) -> Duration {
        match self.purpose {
            Purpose::Read => READ_TIMEOUT,
            Purpose::Write => WRITE_TIMEOUT,
        }
    }

    fn pop_idle(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Closes what lies idle, and opens nothing more.
    pub(super) fn close(&self) {
        self.permits.close();
        self.forget_idle();
    }

    /// What ended one connection has most likely ended those that lie idle, too.
    fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Session {
    /// Runs a statement and returns its rows.
    pub(super) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<MySqlRow>, ViewsError> {
        let mut wire = self.wire()?;
        let work = wire.run(async |conn| statement.fetch_all(conn).await);
        let result = limited(self.home.timeout(), work).await;
        self.settle(wire, result)
    }

    /// Runs a statement and returns what the server says it did.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<MySqlQueryResult, ViewsError> {
        let mut wire = self.wire()?;
        let work = wire.run(async |conn| statement.execute(conn).await);
        let result = limited(self.home.timeout(), work).await;
        self.settle(wire, result)
    }

    /// Begins a transaction; from here on the session does not go back as it is.
    pub(super) async fn begin(&mut self) -> Result<(), ViewsError> {
        self.unfinished = true;
        self.text(BEGIN).await
    }

    /// Ends the transaction with its rows in place.
    pub(super) async fn commit(mut self) -> Result<(), ViewsError> {
        self.text(COMMIT).await?;
        self.unfinished = false;
        Ok(())
    }

    async fn text(&mut self, statements: &'static str) -> Result<(), ViewsError> {
        let mut wire = self.wire()?;
        let work = wire.run(async |conn| sqlx::raw_sql(statements).execute(conn).await);
        let result = limited(self.home.timeout(), work).await;
        self.settle(wire, result)?;
        Ok(())
    }

    /// The connection leaves the session while a statement runs: a future dropped half way drops it too.
    fn wire(&mut self) -> Result<Wire, ViewsError> {
        self.wire
            .take()
            .ok_or_else(|| ViewsError::Unavailable("the session has ended".into()))
    }

    fn settle<T>(&mut self, wire: Wire, result: Result<T, sqlx::Error>) -> Result<T, ViewsError> {
        match &result {
            Ok(_) => self.wire = Some(wire),
            Err(error) if leaves_connection_usable(error) => self.wire = Some(wire),
            Err(_) => self.home.forget_idle(),
        }
        result.map_err(fault)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(wire) = self.wire.take()
            && !self.unfinished
        {
            let idle = Idle {
                wire,
                since: Instant::now(),
            };
            self.home
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(idle);
        }
    }
}

async fn prepare(conn: &mut MySqlConnection) -> Result<(), ViewsError> {
    let rows = sqlx::raw_sql(PREPARE).fetch_all(conn).await.map_err(fault)?;
    let row = rows
        .first()
        .ok_or(ViewsError::Corrupt("the server did not state its settings"))?;
    let max_allowed_packet: i64 = row.try_get(0).map_err(fault)?;
    if max_allowed_packet < MAX_ALLOWED_PACKET_MIN {
        return Err(ViewsError::Unfit(format!(
            "server setting max_allowed_packet is {max_allowed_packet} and must be at least {MAX_ALLOWED_PACKET_MIN}"
        )));
    }
    Ok(())
}

async fn limited<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(timed_out(limit)))
}
