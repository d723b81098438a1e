//! What is in every column of every table, and in every record of the topic? Read without the product's own adapters.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::scan::with_decoded;

const KAFKA_TIME_MAX: Duration = Duration::from_secs(30);

/// A schema of a MySQL server, as its owner sees it.
pub struct Schema(Mutex<MySqlConnection>);

impl Schema {
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        Ok(Self(Mutex::new(MySqlConnection::connect(url).await?)))
    }

    pub async fn tables(&self) -> anyhow::Result<Vec<String>> {
        let query =
            "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()";
        let rows = sqlx::query(query).fetch_all(&mut *self.0.lock().await).await?;
        ensure!(!rows.is_empty(), "the schema has no tables");
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Every column of every row, end to end.
    pub async fn bytes_of(&self, table: &str) -> anyhow::Result<Vec<u8>> {
        let mut connection = self.0.lock().await;
        let columns = sqlx::query(
            "SELECT CAST(column_name AS CHAR) FROM information_schema.columns
             WHERE table_schema = DATABASE() AND table_name = ?",
        )
        .bind(table)
        .fetch_all(&mut *connection)
        .await?;
        ensure!(!columns.is_empty(), "there is no table {table}");
        let wanted: Vec<String> = columns
            .iter()
            .map(|row| format!("CAST(`{}` AS BINARY)", row.get::<String, _>(0)))
            .collect();
        let query = format!("SELECT {} FROM `{table}`", wanted.join(", "));
        let mut bytes = Vec::new();
        for row in sqlx::query(AssertSqlSafe(query))
            .fetch_all(&mut *connection)
            .await?
        {
            for column in 0..wanted.len() {
                bytes.extend(row.try_get::<Option<Vec<u8>>, _>(column)?.unwrap_or_default());
                bytes.push(b'\n');
            }
        }
        Ok(bytes)
    }

    /// Makes the stored key of a person one that opens under no key-encryption key.
    pub async fn damage_data_key_of(&self, subject: Uuid) -> anyhow::Result<()> {
        let update = "UPDATE subject_keys
            SET wrapped_key = INSERT(wrapped_key, LENGTH(wrapped_key), 1, CHAR(ASCII(RIGHT(wrapped_key, 1)) ^ 1))
            WHERE subject_id = ?";
        let damaged = sqlx::query(update)
            .bind(subject.as_bytes().as_slice())
            .execute(&mut *self.0.lock().await)
            .await?;
        ensure!(damaged.rows_affected() == 1, "the person has one key");
        Ok(())
    }
}

/// Every record of the topic: key, value, and each header by name, as sent and as what it says in base64url.
pub async fn records_of(brokers: &str, topic: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    tokio::task::spawn_blocking(move || read_topic(&brokers, &topic)).await?
}

fn read_topic(brokers: &str, topic: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("{topic}.marker"))
        .set("enable.auto.commit", "false")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), KAFKA_TIME_MAX)?;
    let partitions = metadata
        .topics()
        .first()
        .context("the topic is there")?
        .partitions();
    let mut records = Vec::new();
    for partition in partitions.iter().map(rdkafka::metadata::MetadataPartition::id) {
        let (_, end) = consumer.fetch_watermarks(topic, partition, KAFKA_TIME_MAX)?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
        consumer.assign(&assignment)?;
        let mut next = 0;
        while next < end {
            let message = consumer
                .poll(KAFKA_TIME_MAX)
                .context("the topic's records come")??;
            next = message.offset() + 1;
            let mut bytes = message.key().unwrap_or_default().to_vec();
            bytes.push(b'\n');
            bytes.extend(message.payload().unwrap_or_default());
            bytes.push(b'\n');
            for header in message.headers().context("a record has headers")?.iter() {
                bytes.extend(header.key.as_bytes());
                bytes.push(b'=');
                bytes.extend(with_decoded(header.value.unwrap_or_default()));
            }
            records.push(bytes);
        }
    }
    Ok(records)
}
