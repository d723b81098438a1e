//! Which connections are open, who has one, and when is one thrown away?
//!
//! sqlx's own pool is not used: it hides why a connection was refused, and takes back one whose statement was given
//! up half way. Here a session goes back only when the server has answered everything it was asked.

use std::fmt;
use std::future::{self, Future};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use praxis_event_store::port::StoreError;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlQueryResult, MySqlRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, MySql};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::errors::{leaves_connection_usable, store_error, timed_out};
use crate::fitness::{self, Purpose};
use crate::identity::Identity;
use crate::meter::{Counted, Meter};
use crate::wire::Wire;

/// A session idle for longer is asked whether it lives before it is trusted with a statement.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);

/// How long that question may take.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// A statement of this adapter with its arguments.
pub(crate) type Statement<'q> = Query<'q, MySql, MySqlArguments>;

/// What is asked of a new connection before it is handed out.
pub(crate) trait Admission: fmt::Debug + Send + Sync + 'static {
    /// Prepares it and checks its server.
    fn admit(
        &self,
        conn: &mut MySqlConnection,
        purpose: Purpose,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The log's: it must be the one that this process knows.
impl Admission for Arc<Identity> {
    async fn admit(&self, conn: &mut MySqlConnection, purpose: Purpose) -> Result<(), StoreError> {
        fitness::admit(conn, purpose, self).await
    }
}

/// Open connections of one purpose, at most as many at once as there are permits.
pub(crate) struct Sessions<A = Arc<Identity>> {
    purpose: Purpose,
    options: MySqlConnectOptions,
    timeout: Duration,
    admission: A,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    meter: Meter,
}

/// The options hold the password, and sqlx would print it.
impl<A> fmt::Debug for Sessions<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

struct Idle {
    wire: Wire,
    since: Instant,
    _counted: Counted,
}

/// The right to one of the connections.
#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

/// A session in somebody's hands. Dropped while the server owes an answer or holds a transaction, it is closed, and
/// the server rolls back.
#[derive(Debug)]
pub(crate) struct Session<A = Arc<Identity>> {
    wire: Option<Wire>,
    unfinished: bool,
    used_before: bool,
    home: Arc<Sessions<A>>,
    _place: Place,
}

impl Sessions {
    /// Which log these sessions lead to.
    pub(crate) fn identity(&self) -> &Identity {
        &self.admission
    }
}

impl<A: Admission> Sessions<A> {
    /// `pool` is what they are called in metrics.
    pub(crate) fn new(
        pool: &'static str,
        purpose: Purpose,
        options: MySqlConnectOptions,
        sessions_max: usize,
        timeout: Duration,
        admission: A,
    ) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(sessions_max));
        Arc::new(Self {
            purpose,
            options,
            timeout,
            admission,
            permits,
            idle: Mutex::new(Vec::new()),
            meter: Meter::new(pool, sessions_max),
        })
    }

    /// An idle session that lives, or a new one that was checked.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Session<A>, StoreError> {
        self.within(async {
            let place = self.place().await?;
            while let Some(Idle { mut wire, since, .. }) = self.pop_idle() {
                let lives = since.elapsed() < TRUSTED_IDLE
                    || matches!(tokio::time::timeout(PING_TIMEOUT, wire.ping()).await, Ok(Ok(())));
                if lives {
                    return Ok(self.hand_out(wire, place, true));
                }
            }
            self.connect(place).await
        })
        .await
    }

    /// A new session, whatever is idle.
    pub(crate) async fn take_new(self: &Arc<Self>) -> Result<Session<A>, StoreError> {
        self.within(async {
            let place = self.place().await?;
            self.connect(place).await
        })
        .await
    }

    async fn place(&self) -> Result<Place, StoreError> {
        // Who waits comes first: the semaphore keeps what was given back for them.
        let permit = if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            self.meter.no_wait();
            permit
        } else {
            let _waiting = self.meter.wait();
            let permits = Arc::clone(&self.permits);
            permits
                .acquire_owned()
                .await
                .map_err(|closed| StoreError::Unavailable(closed.into()))?
        };
        Ok(Place {
            _permit: permit,
            _counted: self.meter.in_use(),
        })
    }

    async fn connect(self: &Arc<Self>, place: Place) -> Result<Session<A>, StoreError> {
        let mut wire = match self.purpose {
            Purpose::Read => Wire::direct(&self.options).await,
            Purpose::Write => Wire::prompt(&self.options).await,
        }
        .map_err(store_error)?;
        wire.run(async |conn| self.admission.admit(conn, self.purpose).await)
            .await?;
        Ok(self.hand_out(wire, place, false))
    }

    fn hand_out(self: &Arc<Self>, wire: Wire, place: Place, used_before: bool) -> Session<A> {
        let home = Arc::clone(self);
        Session {
            wire: Some(wire),
            unfinished: false,
            used_before,
            home,
            _place: place,
        }
    }

    /// The whole of some work with these sessions, within the time that one statement may take.
    pub(crate) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(store_error(timed_out(self.timeout))),
        }
    }

    fn pop_idle(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Closes what lies idle: what ended one connection has most likely ended those, too.
    pub(crate) fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Closes what lies idle, and opens nothing more.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.forget_idle();
    }
}

impl<A: Admission> Session<A> {
    /// Whether it lay idle before it was handed out, so that its connection may have ended unseen.
    pub(crate) const fn used_before(&self) -> bool {
        self.used_before
    }

    /// From here on a transaction is open: the session may not go back as it is.
    pub(crate) const fn begin_unfinished(&mut self) {
        self.unfinished = true;
    }

    /// The transaction has ended.
    pub(crate) const fn end_unfinished(&mut self) {
        self.unfinished = false;
    }

    /// Whether its connection can still be spoken to.
    pub(crate) const fn is_connected(&self) -> bool {
        self.wire.is_some()
    }

    /// Where it came from.
    pub(crate) fn home(&self) -> &Sessions<A> {
        &self.home
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<MySqlRow>, sqlx::Error> {
        let mut wire = self.wire()?;
        let work = wire.run(async |conn| statement.fetch_all(conn).await);
        let result = limited(self.home.timeout, work).await;
        self.settle(wire, result)
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) async fn run(&mut self, statement: Statement<'_>) -> Result<MySqlQueryResult, sqlx::Error> {
        let mut wire = self.wire()?;
        let work = wire.run(async |conn| statement.execute(conn).await);
        let result = limited(self.home.timeout, work).await;
        self.settle(wire, result)
    }

    /// Runs statements as text, in one round trip, and returns their rows.
    pub(crate) async fn text(&mut self, statements: &'static str) -> Result<Vec<MySqlRow>, sqlx::Error> {
        let mut wire = self.wire()?;
        let work = wire.run(async |conn| sqlx::raw_sql(statements).fetch_all(conn).await);
        let result = limited(self.home.timeout, work).await;
        self.settle(wire, result)
    }

    /// Runs a statement, a COMMIT and more, and succeeds as soon as the first two have; a failure of the others only
    /// ends the connection. (A server that refuses one runs none after it.) The text holds nothing that anyone sent.
    pub(crate) async fn commit(&mut self, statements: String) -> Result<(), sqlx::Error> {
        let mut wire = self.wire()?;
        let limit = self.home.timeout;
        let (first, rest) = wire
            .run(async |conn| commit_and_rest(conn, statements, limit).await)
            .await;
        match (first, rest) {
            (Ok(()), Err(_)) => Ok(()),
            (first, _) => self.settle(wire, first),
        }
    }

    /// The connection leaves the session while a statement runs: a future dropped half way drops it too.
    fn wire(&mut self) -> Result<Wire, sqlx::Error> {
        self.wire.take().ok_or_else(|| {
            sqlx::Error::Io(std::io::Error::new(
                std::io::ErrorKind::NotConnected,
                "the session has ended",
            ))
        })
    }

    fn settle<T>(&mut self, wire: Wire, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        match &result {
            Ok(_) => self.wire = Some(wire),
            Err(error) if leaves_connection_usable(error) => self.wire = Some(wire),
            Err(_) => self.home.forget_idle(),
        }
        result
    }
}

impl<A> Drop for Session<A> {
    fn drop(&mut self) {
        if let Some(wire) = self.wire.take()
            && !self.unfinished
        {
            let idle = Idle {
                wire,
                since: Instant::now(),
                _counted: self.home.meter.idle(),
            };
            self.home
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(idle);
        }
    }
}

type Answer = Result<(), sqlx::Error>;

async fn commit_and_rest(
    conn: &mut MySqlConnection,
    statements: String,
    limit: Duration,
) -> (Answer, Answer) {
    let mut answers = sqlx::raw_sql(AssertSqlSafe(statements)).fetch_many(conn);
    for _statement in ["the first", "COMMIT"] {
        if let Err(error) = limited(limit, answers.try_next()).await {
            return (Err(error), Ok(()));
        }
    }
    (
        Ok(()),
        limited(limit, answers.try_for_each(|_| future::ready(Ok(())))).await,
    )
}

async fn limited<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(timed_out(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::connect_options;

    #[test]
    fn a_password_is_in_no_debug_output() {
        let options = connect_options("mysql://praxis:Marker@db.example/praxis").unwrap();
        assert!(format!("{options:?}").contains("Marker"), "what sqlx prints");
        let sessions = Sessions::new(
            "log-write",
            Purpose::Write,
            options,
            1,
            Duration::from_secs(1),
            Arc::new(Identity::default()),
        );
        let printed = format!("{sessions:?}");
        assert!(
            printed.starts_with("Sessions") && !printed.contains("Marker"),
            "{printed}"
        );
    }
}
