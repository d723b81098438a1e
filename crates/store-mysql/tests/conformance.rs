//! Does the MySQL adapter keep the promises of the event store's port?

use std::sync::Arc;

use async_trait::async_trait;
use praxis_events::ids::LogId;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_testkit::conformance::{LogUnderTest, OpenedAgain, Outcome, Place, sample};
use praxis_testkit::servers::mysql_url;

use schema::Schema;
use uuid::Uuid;

#[allow(dead_code, reason = "each test program uses its part")]
mod schema;

#[async_trait]
impl Place for Schema {
    async fn lose_event(&self, position: u64) -> Outcome {
        let name = self.name();
        self.run(format!("DELETE FROM `{name}`.events WHERE position = {position}"))
            .await
            .map(drop)
    }

    async fn erase(&self, subject: Uuid, at_position: u64) -> Outcome {
        let (name, subject) = (self.name(), subject.simple());
        self.run(format!(
            "UPDATE `{name}`.subject_keys SET wrapped_key = NULL, destroyed_position = {at_position}
                 WHERE subject_id = X'{subject}';
             UPDATE `{name}`.log_head SET tombstone_position = {at_position}"
        ))
        .await
        .map(drop)
    }

    async fn change_payload(&self, position: u64) -> Outcome {
        let name = self.name();
        let change = "SET payload = CONCAT(payload, ' ') WHERE position =";
        self.run(format!("UPDATE `{name}`.events {change} {position}"))
            .await
            .map(drop)
    }

    async fn change_number(&self, position: u64, column: &str, to: i64) -> Outcome {
        let name = self.name();
        self.run(format!(
            "UPDATE `{name}`.events SET {column} = {to} WHERE position = {position}"
        ))
        .await
        .map(drop)
    }

    async fn open_again(&self) -> Outcome<OpenedAgain> {
        let log = Arc::new(MySqlLog::open(&self.url(), MySqlLogOptions::default()).await?);
        Ok(OpenedAgain {
            writer: Arc::<MySqlLog>::clone(&log),
            reader: Arc::<MySqlLog>::clone(&log),
            relay: Arc::<MySqlLog>::clone(&log),
            restored: log,
        })
    }
}

async fn fresh_log() -> Outcome<LogUnderTest> {
    let schema = Schema::named(&mysql_url()).await?;
    let log_id = migrate(&schema.url(), LogId(sample::id(1))).await?;
    let log = Arc::new(MySqlLog::open(&schema.url(), MySqlLogOptions::default()).await?);
    let other = MySqlLog::open(&schema.url(), MySqlLogOptions::default()).await?;
    Ok(LogUnderTest {
        log_id,
        writer: Arc::<MySqlLog>::clone(&log),
        other_writer: Arc::new(other),
        reader: Arc::<MySqlLog>::clone(&log),
        relay: Arc::<MySqlLog>::clone(&log),
        outcomes: Arc::<MySqlLog>::clone(&log),
        audit: Arc::<MySqlLog>::clone(&log),
        restored: log,
        place: Box::new(schema),
    })
}

praxis_testkit::event_store_conformance!(fresh_log);
