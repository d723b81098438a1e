//! Does the SQLite adapter keep the promises of the event store's port?

use std::sync::Arc;

use async_trait::async_trait;
use praxis_events::ids::LogId;
use praxis_store_sqlite::log::{OpenOptions, SqliteLog, migrate};
use praxis_testkit::conformance::{LogUnderTest, OpenedAgain, Outcome, Place, sample};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;
use uuid::Uuid;

struct File(TempDir);

impl File {
    async fn run(&self, statement: String) -> Outcome {
        let options = SqliteConnectOptions::new().filename(self.0.path().join("events.db"));
        let mut conn = options.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut conn).await?;
        Ok(conn.close().await?)
    }
}

#[async_trait]
impl Place for File {
    async fn lose_event(&self, position: u64) -> Outcome {
        self.run(format!("DELETE FROM events WHERE position = {position}"))
            .await
    }

    async fn erase(&self, subject: Uuid, at_position: u64) -> Outcome {
        let subject = subject.simple();
        self.run(format!(
            "UPDATE subject_keys SET wrapped_key = NULL, destroyed_position = {at_position}
                 WHERE subject_id = X'{subject}';
             UPDATE log_head SET tombstone_position = {at_position}"
        ))
        .await
    }

    async fn change_payload(&self, position: u64) -> Outcome {
        self.run(format!(
            "UPDATE events SET payload = CAST(payload || ' ' AS BLOB) WHERE position = {position}"
        ))
        .await
    }

    async fn change_number(&self, position: u64, column: &str, to: i64) -> Outcome {
        self.run(format!(
            "UPDATE events SET {column} = {to} WHERE position = {position}"
        ))
        .await
    }

    async fn open_again(&self) -> Outcome<OpenedAgain> {
        let path = self.0.path().join("events.db");
        let log = Arc::new(SqliteLog::open(&path, OpenOptions::default()).await?);
        Ok(OpenedAgain {
            writer: Arc::<SqliteLog>::clone(&log),
            reader: Arc::<SqliteLog>::clone(&log),
            relay: Arc::<SqliteLog>::clone(&log),
            restored: log,
        })
    }
}

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
        outcomes: Arc::<SqliteLog>::clone(&log),
        audit: Arc::<SqliteLog>::clone(&log),
        restored: log,
        place: Box::new(File(directory)),
    })
}

praxis_testkit::event_store_conformance!(fresh_log);
