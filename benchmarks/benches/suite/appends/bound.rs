//! (b) What could the database take at most? The same event and command rows in batches of 256: made by a client through the
//! adapter's own bulk statements with nothing decided or sealed, and made within the server.

use std::time::Instant;

use anyhow::Result;
use praxis_event_store::port::{LogWriter as _, Rows, StoredCommand, StoredEvent};
use praxis_events::ids::LogId;
use praxis_runtime::ids;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_testkit::servers::{in_schema, mysql_url};
use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;

use super::MEASURED;
use crate::report::Report;
use crate::servers::drop_schema;

const BATCH: u64 = 256;

/// Measures both bounds and prints them.
pub async fn print(report: &mut Report) -> Result<()> {
    let url = in_schema(&mysql_url(), &format!("praxis_bench_{}", ids::new_id().simple()));
    migrate(&url, LogId(ids::new_id())).await?;
    let (client, server) = (by_client(&url).await?, in_server(&url).await?);
    report.line(&format!(
        "| bulk-insert bound, batches of {BATCH} (event and command rows of SendMessage) | commands per second |"
    ));
    report.line("|---|---|");
    report.line(&format!("| made by a client | {client:.0} |"));
    report.line(&format!("| made in the server | {server:.0} |"));
    report.line("");
    drop_schema(&url).await
}

async fn by_client(url: &str) -> Result<f64> {
    let log = MySqlLog::open(url, MySqlLogOptions::default()).await?;
    let (began, mut count) = (Instant::now(), 0_u64);
    while began.elapsed() < MEASURED {
        let mut transaction = log.begin().await?;
        let head = transaction.head().clone();
        let rows = rows(head.position)?;
        transaction.write(&rows).await?;
        transaction.commit().await?;
        count += BATCH;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

fn rows(after: u64) -> Result<Rows> {
    let mut rows = Rows {
        head_position: after + BATCH,
        head_recorded_at: 1,
        ..Rows::default()
    };
    for position in after + 1..=after + BATCH {
        rows.events.push(StoredEvent {
            position,
            event_id: ids::new_id(),
            stream_type: "thread".to_owned(),
            stream_id: ids::new_id(),
            stream_version: 1,
            event_type: "thread.message-sent".to_owned(),
            schema_version: 1,
            recorded_at: 1,
            subject_id: Some(ids::new_id()),
            metadata: vec![b'm'; 260],
            payload: vec![b'p'; 470],
            leaf_format: 1,
            leaf_hash: [7; 32],
        });
        rows.commands.push(StoredCommand {
            key: ids::random_bytes()?,
            request: [1; 33],
            answer_id: ids::new_id(),
            version: 1,
            position,
            recorded_at: 1,
        });
    }
    Ok(rows)
}

async fn in_server(url: &str) -> Result<f64> {
    let mut connection = MySqlConnection::connect(url).await?;
    for table in [
        "CREATE TABLE s_events LIKE events",
        "CREATE TABLE s_commands LIKE commands",
    ] {
        sqlx::query(table).execute(&mut connection).await?;
    }
    let (began, mut count) = (Instant::now(), 0_u64);
    while began.elapsed() < MEASURED {
        let mut tx = connection.begin().await?;
        sqlx::query(
            "INSERT INTO s_events (position, event_id, stream_type, stream_id, stream_version, event_type, schema_version,
             recorded_at, subject_id, metadata, payload, leaf_format, leaf_hash)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
             SELECT ? + i, UUID_TO_BIN(UUID(), 1), 'thread', UUID_TO_BIN(UUID(), 1), 1, 'thread.message-sent', 1, 1,
                 UUID_TO_BIN(UUID(), 1), REPEAT('m', 260), REPEAT('p', 470), 1, REPEAT('7', 32) FROM n",
        )
        .bind(BATCH)
        .bind(count)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "INSERT INTO s_commands (command_key, request, answer_id, version, position, recorded_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
             SELECT RANDOM_BYTES(32), REPEAT('1', 33), UUID_TO_BIN(UUID(), 1), 1, ? + i, 1 FROM n",
        )
        .bind(BATCH)
        .bind(count)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        count += BATCH;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}
