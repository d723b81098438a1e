//! Does the SQLite adapter keep the promises of the event store's port?

use std::sync::Arc;

use praxis_events::ids::LogId;
use praxis_store_sqlite::log::{OpenOptions, SqliteLog, migrate};
use praxis_testkit::conformance::{LogUnderTest, Outcome, sample};

async fn fresh_log() -> Outcome<LogUnderTest> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("events.db");
    let log_id = migrate(&path, LogId(sample::id(1))).await?;
    let log = Arc::new(SqliteLog::open(&path, OpenOptions::default()).await?);
    let other = Arc::new(SqliteLog::open(&path, OpenOptions::default()).await?);
    Ok(LogUnderTest {
        log_id,
        writer: Arc::<SqliteLog>::clone(&log),
        other_writer: other,
        reader: Arc::<SqliteLog>::clone(&log),
        relay: Arc::<SqliteLog>::clone(&log),
        outcomes: log,
        guard: Box::new(directory),
    })
}

praxis_testkit::event_store_conformance!(fresh_log);
