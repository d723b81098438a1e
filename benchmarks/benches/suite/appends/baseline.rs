//! The same rows as one transaction per command, each writer on a connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use praxis_runtime::ids;
use sqlx::mysql::{MySqlConnection, MySqlPoolOptions};
use sqlx::{Connection as _, MySqlPool};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::measure;
use crate::Kind;
use crate::figure::Figure;

/// What orders the baseline's appends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The head row, locked and moved by every command (B1).
    HeadRow,
    /// Nothing: the shape of mysql-es, a row per stream and version (B2).
    None,
}

/// Tables of the same columns as the log's, in the same schema.
pub struct Baseline {
    url: String,
    /// Stands in for what `AUTO_INCREMENT` would give B2.
    position: Arc<AtomicU64>,
}

/// Writers that are connected.
pub struct Connected {
    writers: Vec<Arc<Mutex<Writer>>>,
    position: Arc<AtomicU64>,
}

const TABLES: [&str; 5] = [
    "CREATE TABLE b_head (id TINYINT PRIMARY KEY, position BIGINT UNSIGNED NOT NULL, recorded_at BIGINT NOT NULL)",
    "INSERT INTO b_head VALUES (1, 0, 0)",
    "CREATE TABLE b_events LIKE events",
    "CREATE TABLE b_commands LIKE commands",
    "CREATE TABLE b_spans LIKE spans",
];

impl Baseline {
    /// Makes the tables.
    pub async fn open(url: &str) -> Result<Self> {
        let pool: MySqlPool = MySqlPoolOptions::new().max_connections(1).connect(url).await?;
        for table in TABLES {
            sqlx::query(table).execute(&pool).await?;
        }
        Ok(Self {
            url: url.to_owned(),
            position: Arc::new(AtomicU64::new(1 << 40)),
        })
    }

    /// So many writers, each with a connection of its own.
    pub async fn connect(&self, writers: usize) -> Result<Connected> {
        let mut connected = Vec::with_capacity(writers);
        for _ in 0..writers {
            let connection = MySqlConnection::connect(&self.url).await?;
            connected.push(Arc::new(Mutex::new(Writer {
                connection,
                start: 0,
                calendars: [ids::new_id(), ids::new_id()],
            })));
        }
        Ok(Connected {
            writers: connected,
            position: Arc::clone(&self.position),
        })
    }
}

impl Connected {
    /// Commands per second with that order.
    pub async fn measure(&self, kind: Kind, order: Order, measured: Duration) -> Result<Figure> {
        let (writers, position) = (self.writers.clone(), Arc::clone(&self.position));
        measure(writers.len(), measured, move |writer| {
            let (writer, position) = (Arc::clone(&writers[writer]), Arc::clone(&position));
            async move { writer.lock().await.append(kind, order, &position).await }
        })
        .await
    }
}

struct Writer {
    connection: MySqlConnection,
    start: i64,
    calendars: [Uuid; 2],
}

/// As large as the product's own for the same command, measured once: metadata, payload.
const fn sizes(kind: Kind) -> (usize, usize) {
    match kind {
        Kind::SendMessage => (260, 470),
        Kind::BookAppointment => (260, 380),
    }
}

impl Writer {
    async fn append(&mut self, kind: Kind, order: Order, free: &AtomicU64) -> Result<()> {
        let stream = ids::new_id();
        let (metadata, payload) = sizes(kind);
        let (metadata, payload) = (vec![b'm'; metadata], vec![b'p'; payload]);
        let mut tx = self.connection.begin().await?;
        let position = match order {
            Order::None => free.fetch_add(1, Ordering::Relaxed),
            Order::HeadRow => {
                let head: (u64,) = sqlx::query_as("SELECT position FROM b_head WHERE id = 1 FOR UPDATE")
                    .fetch_one(&mut *tx)
                    .await?;
                head.0 + 1
            }
        };
        sqlx::query(
            "INSERT INTO b_events (position, event_id, stream_type, stream_id, stream_version, event_type, schema_version,
             recorded_at, subject_id, metadata, payload, leaf_format, leaf_hash)
             VALUES (?, ?, 'thread', ?, 1, 'thread.message-sent', 1, ?, ?, ?, ?, 1, ?)",
        )
        .bind(position)
        .bind(ids::new_id().as_bytes().as_slice())
        .bind(stream.as_bytes().as_slice())
        .bind(1_i64)
        .bind(self.calendars[0].as_bytes().as_slice())
        .bind(metadata)
        .bind(payload)
        .bind([7_u8; 32].as_slice())
        .execute(&mut *tx)
        .await?;
        let key: [u8; 32] = ids::random_bytes()?;
        sqlx::query("INSERT INTO b_commands (command_key, request, answer_id, version, position, recorded_at) VALUES (?, ?, ?, 1, ?, 1)")
            .bind(key.as_slice())
            .bind([1_u8; 33].as_slice())
            .bind(stream.as_bytes().as_slice())
            .bind(position)
            .execute(&mut *tx)
            .await?;
        if kind == Kind::BookAppointment {
            self.start += 900_000_000;
            for (calendar, number) in self.calendars.iter().zip(1_u8..) {
                sqlx::query(
                    "SELECT ends FROM b_spans WHERE kind = ? AND calendar_id = ? AND bucket BETWEEN ? AND ? AND starts < ? AND ends > ? LIMIT 1",
                )
                .bind(number)
                .bind(calendar.as_bytes().as_slice())
                .bind(self.start / 21_600_000_000 - 1)
                .bind(self.start / 21_600_000_000)
                .bind(self.start + 900_000_000)
                .bind(self.start)
                .fetch_optional(&mut *tx)
                .await?;
                sqlx::query("INSERT INTO b_spans (kind, calendar_id, bucket, starts, lane, ends, owner) VALUES (?, ?, ?, ?, ?, ?, ?)")
                    .bind(number)
                    .bind(calendar.as_bytes().as_slice())
                    .bind(self.start / 21_600_000_000)
                    .bind(self.start)
                    .bind([0_u8; 16].as_slice())
                    .bind(self.start + 900_000_000)
                    .bind(stream.as_bytes().as_slice())
                    .execute(&mut *tx)
                    .await?;
            }
        }
        if order == Order::HeadRow {
            sqlx::query("UPDATE b_head SET position = ?, recorded_at = 1 WHERE id = 1")
                .bind(position)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
