//! How is a log on MySQL opened, and how is it written?

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use praxis_event_store::port::{LogTransaction, LogWriter, StoreError};
use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use url::Url;

use crate::errors::store_error;
use crate::fitness::{Purpose, check_parameters};
use crate::identity::Identity;
use crate::migrate::check_schema;
use crate::session::Sessions;
use crate::transaction;

/// Limits of a [`MySqlLog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MySqlLogOptions {
    /// Connections that may hold the head at once: the sequencer's, and one to settle an unknown outcome.
    pub writer_sessions_max: usize,
    /// Connections for everything else.
    pub reader_sessions_max: usize,
    /// After how long a connection attempt, or one statement, is given up, milliseconds. Must exceed the lock wait
    /// of 2,000.
    pub timeout_ms: u64,
}

impl Default for MySqlLogOptions {
    fn default() -> Self {
        Self {
            writer_sessions_max: 2,
            reader_sessions_max: 16,
            timeout_ms: 5_000,
        }
    }
}

/// A log in a MySQL schema; cheap to clone.
#[derive(Clone, Debug)]
pub struct MySqlLog {
    pub(crate) writers: Arc<Sessions>,
    pub(crate) readers: Arc<Sessions>,
    /// For what is forgotten now and then: apart from the sequencer, whose runtime is another.
    pub(crate) keepers: Arc<Sessions>,
}

impl MySqlLog {
    /// Connects to `mysql://user:password@host:port/schema?ssl-mode=…` and checks server, schema and log.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if the server could lose what it has shown, or the schema is missing or not of this
    /// version; [`StoreError::Unavailable`] if it cannot be reached in time.
    pub async fn open(url: &str, options: MySqlLogOptions) -> Result<Self, StoreError> {
        let connect = connect_options(url)?;
        let timeout = Duration::from_millis(options.timeout_ms);
        let identity = Arc::new(Identity::default());
        let sessions = |pool, purpose, sessions_max| {
            Sessions::new(
                pool,
                purpose,
                connect.clone(),
                sessions_max,
                timeout,
                Arc::clone(&identity),
            )
        };
        let log = Self {
            writers: sessions("log-write", Purpose::Write, options.writer_sessions_max),
            readers: sessions("log-read", Purpose::Read, options.reader_sessions_max),
            keepers: sessions("log-forget", Purpose::Write, 1),
        };
        let mut reader = log.readers.take().await?;
        check_schema(&mut reader).await?;
        check_parameters(&mut reader).await?;
        drop(reader);
        drop(log.writers.take().await?);
        // A connection belongs to the runtime that made it; that of the sequencer makes its own.
        log.writers.forget_idle();
        Ok(log)
    }
}

/// Nothing of the address, which holds the password, is in the error.
pub(crate) fn connect_options(url: &str) -> Result<MySqlConnectOptions, StoreError> {
    let options = options_of(url)
        .ok_or_else(|| StoreError::Unfit("the database address is no mysql:// URL".to_owned()))?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err(StoreError::Unfit(
            "the database address names no schema".to_owned(),
        ));
    }
    if is_unverified(&options) {
        tracing::warn!(
            host = options.get_host(),
            "the database's certificate is not verified: whoever is on the way to it could pose as it; set PRAXIS_DATABASE_CA"
        );
    }
    Ok(options)
}

/// What a `mysql://` URL says. Beside what sqlx reads it may have `ssl-ca-pem`, certificates themselves: `ssl-ca` is a file.
pub(crate) fn options_of(url: &str) -> Option<MySqlConnectOptions> {
    let options: MySqlConnectOptions = url.parse().ok().filter(|_| url.starts_with("mysql://"))?;
    let certificates = Url::parse(url)
        .ok()?
        .query_pairs()
        .filter(|(name, _)| name == "ssl-ca-pem")
        .last()
        .map(|(_, pem)| pem.into_owned().into_bytes());
    let options = match certificates {
        Some(pem) => options.ssl_ca_from_pem(pem),
        None => options,
    };
    // SQL mode and character set are set as a whole later; sqlx would add to the server's mode.
    Some(
        options
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .set_names(false)
            .disable_statement_logging(),
    )
}

/// Whether the server could be another than the address names. `VERIFY_CA` is not enough: sqlx trusts the public
/// authorities too, and any of their customers would do. Nobody is on the way to this machine itself.
fn is_unverified(options: &MySqlConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    let is_this_machine = options.get_socket().is_some()
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    !is_this_machine && !matches!(options.get_ssl_mode(), MySqlSslMode::VerifyIdentity)
}

const RESERVE: &str = "-- store_mysql::log::reserve_numbers
INSERT INTO counters (name, last_number) VALUES (?, LAST_INSERT_ID(?))
ON DUPLICATE KEY UPDATE last_number = LAST_INSERT_ID(last_number + ?)";

#[async_trait]
impl LogWriter for MySqlLog {
    async fn begin(&self) -> Result<Box<dyn LogTransaction>, StoreError> {
        Ok(Box::new(transaction::begin(&self.writers).await?))
    }

    async fn reserve_numbers(&self, counter: &'static str, count: u32) -> Result<u64, StoreError> {
        let mut session = self.readers.take().await?;
        let reserve = sqlx::query(RESERVE).bind(counter).bind(count).bind(count);
        let last = session.run(reserve).await.map_err(store_error)?.last_insert_id();
        (last + 1)
            .checked_sub(u64::from(count))
            .ok_or(StoreError::Corrupt("a counter went back"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verify_identity_is_verified_but_for_this_machine() {
        let of = |address: &str| is_unverified(&connect_options(address).unwrap());
        for mode in [
            "",
            "?ssl-mode=DISABLED",
            "?ssl-mode=REQUIRED",
            "?ssl-mode=VERIFY_CA",
        ] {
            assert!(of(&format!("mysql://praxis@db.example/praxis{mode}")), "{mode}");
            for host in ["localhost", "127.0.0.1", "[::1]"] {
                assert!(
                    !of(&format!("mysql://praxis@{host}/praxis{mode}")),
                    "{host} {mode}"
                );
            }
        }
        assert!(!of("mysql://praxis@db.example/praxis?ssl-mode=VERIFY_IDENTITY"));
        assert!(!of("mysql://praxis@db.example/praxis?socket=/run/mysqld.sock"));
    }
}
