//! Does this adapter refuse what it must not be used as, and survive what SQLite does by itself?

use std::path::{Path, PathBuf};
use std::time::Duration;

use praxis_event_store::append::{Calendar, CalendarKind, Layer, Span};
use praxis_event_store::port::{
    LogReader, LogTransaction, LogWriter, Rows, StoreError, StoredEvent, WriteError,
};
use praxis_events::ids::LogId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

use super::transaction::SqliteTransaction;
use super::{OpenOptions, SqliteLog, connect, head, migrate, write};

const LOG_ID: LogId = LogId(Uuid::from_u128(7));

fn new_path() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    (directory, path)
}

async fn new_log() -> (TempDir, PathBuf, SqliteLog) {
    let (directory, path) = new_path();
    migrate(&path, LOG_ID).await.unwrap();
    let log = SqliteLog::open(&path, OpenOptions::default()).await.unwrap();
    (directory, path, log)
}

/// Runs a statement on the file behind the adapter's back.
async fn tamper(path: &Path, sql: &'static str) {
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn unfit(path: &Path) -> String {
    match SqliteLog::open(path, OpenOptions::default()).await {
        Err(StoreError::Unfit(text)) => text,
        other => panic!("expected to be unfit, got {other:?}"),
    }
}

/// Rows of one event with a payload of that many bytes.
fn one_event(tx: &dyn LogTransaction, payload_len: usize) -> Rows {
    let position = tx.head().position + 1;
    let event = StoredEvent {
        position,
        event_id: Uuid::from_u128(position.into()),
        stream_type: "patient".to_owned(),
        stream_id: Uuid::from_u128(position.into()),
        stream_version: 1,
        event_type: "sample-happened".to_owned(),
        schema_version: 1,
        recorded_at: 1,
        subject_id: None,
        metadata: b"{}".to_vec(),
        payload: vec![b'x'; payload_len],
        leaf_format: 1,
        leaf_hash: [0; 32],
    };
    Rows {
        events: vec![event],
        head_position: position,
        head_recorded_at: 1,
        ..Rows::default()
    }
}

async fn append(log: &SqliteLog) {
    let mut tx = log.begin().await.unwrap();
    let rows = one_event(&*tx, 10);
    tx.write(&rows).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn missing_file_is_refused_and_not_made() {
    let (_directory, path) = new_path();
    assert_eq!(
        unfit(&path).await,
        format!(
            "there is no event log at {}; run `praxis migrate`",
            path.display()
        )
    );
    assert!(!path.exists());
}

#[tokio::test]
async fn file_without_a_log_is_refused() {
    let (_directory, path) = new_path();
    tamper(&path, "CREATE TABLE other (id INTEGER)").await;
    assert_eq!(
        unfit(&path).await,
        "the file holds no event log; run `praxis migrate`"
    );
}

#[tokio::test]
async fn file_that_is_no_database_is_refused() {
    let (_directory, path) = new_path();
    std::fs::write(&path, "x".repeat(8_192)).unwrap();
    assert_eq!(unfit(&path).await, "the file is not a SQLite database");
    assert!(matches!(migrate(&path, LOG_ID).await, Err(StoreError::Unfit(_))));
}

#[tokio::test]
async fn log_without_identity_is_refused() {
    let (_directory, path, log) = new_log().await;
    log.close().await;
    tamper(&path, "DELETE FROM log_head").await;
    assert_eq!(
        unfit(&path).await,
        "the event log has no identity; run `praxis migrate`"
    );
}

#[tokio::test]
async fn older_schema_is_refused_with_what_to_run() {
    let (_directory, path, log) = new_log().await;
    log.close().await;
    tamper(&path, "DELETE FROM _sqlx_migrations").await;
    assert_eq!(
        unfit(&path).await,
        "the event log lacks migration 1; run `praxis migrate`"
    );
}

#[tokio::test]
async fn newer_schema_is_refused_by_open_and_migrate() {
    let (_directory, path, log) = new_log().await;
    log.close().await;
    tamper(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (999, 'later', TRUE, x'00', 0)",
    )
    .await;
    let text = "the event log has migration 999, which this program does not know; use a newer one";
    assert_eq!(unfit(&path).await, text);
    match migrate(&path, LOG_ID).await {
        Err(StoreError::Unfit(found)) => assert_eq!(found, text),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn edited_migration_is_refused() {
    let (_directory, path, log) = new_log().await;
    log.close().await;
    tamper(&path, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    assert_eq!(unfit(&path).await, "migration 1 of the event log was edited");
}

#[tokio::test]
async fn migrating_again_keeps_identity_and_events() {
    let (_directory, path, log) = new_log().await;
    append(&log).await;
    log.close().await;
    assert_eq!(migrate(&path, LogId(Uuid::from_u128(8))).await.unwrap(), LOG_ID);
    let log = SqliteLog::open(&path, OpenOptions::default()).await.unwrap();
    let head = log.head().await.unwrap();
    assert_eq!((head.log_id, head.position), (LOG_ID, 1));
}

#[tokio::test]
async fn closed_log_is_unavailable() {
    let (_directory, _path, log) = new_log().await;
    log.close().await;
    assert!(matches!(log.head().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(log.begin().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn settings_that_are_not_durable_are_refused() {
    let (_directory, path, log) = new_log().await;
    log.close().await;
    let durable = connect::writer_options(&path, Duration::from_secs(1));
    let mut conn = durable.clone().connect().await.unwrap();
    connect::require_durable(&mut conn).await.unwrap();
    for options in [
        durable.clone().synchronous(SqliteSynchronous::Normal),
        durable.clone().foreign_keys(false),
        SqliteConnectOptions::new()
            .in_memory(true)
            .synchronous(SqliteSynchronous::Full),
    ] {
        let mut conn = options.connect().await.unwrap();
        assert!(matches!(
            connect::require_durable(&mut conn).await,
            Err(sqlx::Error::Configuration(_))
        ));
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_directory, _path, log) = new_log().await;
    let outcome = sqlx::query("DELETE FROM log_head").execute(&log.readers).await;
    assert!(outcome.is_err());
    assert_eq!(log.head().await.unwrap().log_id, LOG_ID);
}

/// Limits the file to a few pages more than it has, on the writer's connection.
async fn fill_up(log: &SqliteLog) {
    let mut conn = log.writer.acquire().await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let limit = AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 4));
    sqlx::query(limit).execute(&mut *conn).await.unwrap();
}

#[tokio::test]
async fn full_disk_is_unavailable_and_what_fits_is_still_appended() {
    let (_directory, _path, log) = new_log().await;
    append(&log).await;
    fill_up(&log).await;
    let mut tx = log.begin().await.unwrap();
    let rows = one_event(&*tx, 200_000);
    assert!(matches!(
        tx.write(&rows).await,
        Err(WriteError::Store(StoreError::Unavailable(_)))
    ));
    tx.rollback().await.unwrap();
    append(&log).await;
    assert_eq!(log.head().await.unwrap().position, 2);
}

/// What SQLite does after some faults, without the driver noticing.
#[tokio::test]
async fn transaction_that_sqlite_ended_by_itself_keeps_nobody_out() {
    let (_directory, _path, log) = new_log().await;
    for is_dropped in [false, true] {
        let mut tx = log.lock().await.unwrap();
        let (head, now_micros) = head::read_with_clock(&mut tx).await.unwrap();
        sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.unwrap();
        let ended = Box::new(SqliteTransaction { tx, head, now_micros });
        if is_dropped {
            drop(ended);
        } else {
            ended.rollback().await.unwrap();
        }
        append(&log).await;
    }
    assert_eq!(log.head().await.unwrap().position, 2);
}

#[tokio::test]
async fn transaction_dropped_while_its_statement_runs_is_rolled_back() {
    let (_directory, _path, log) = new_log().await;
    for _ in 0..20 {
        let mut tx = log.begin().await.unwrap();
        let rows = one_event(&*tx, 100_000);
        tokio::time::timeout(Duration::from_micros(50), tx.write(&rows))
            .await
            .ok();
        drop(tx);
    }
    let tx = log.begin().await.unwrap();
    assert_eq!(tx.head().position, 0);
    drop(tx);
    append(&log).await;
}

#[tokio::test]
async fn positions_that_do_not_follow_the_head_are_refused() {
    let (_directory, _path, log) = new_log().await;
    append(&log).await;
    let mut tx = log.begin().await.unwrap();
    let good = one_event(&*tx, 1);
    for position in [1, 3] {
        let mut rows = good.clone();
        rows.events[0].position = position;
        rows.head_position = position;
        assert!(matches!(
            tx.write(&rows).await,
            Err(WriteError::Store(StoreError::Refused(_)))
        ));
    }
    let rows = Rows {
        head_position: 3,
        ..good.clone()
    };
    assert!(matches!(
        tx.write(&rows).await,
        Err(WriteError::Store(StoreError::Refused(_)))
    ));
    tx.write(&good).await.unwrap();
}

#[tokio::test]
async fn missing_position_is_reported_not_skipped() {
    let (_directory, path, log) = new_log().await;
    for _ in 0..3 {
        append(&log).await;
    }
    tamper(&path, "DELETE FROM events WHERE position = 2").await;
    assert!(matches!(log.read_log(0, 10).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(log.read_log(1, 10).await, Err(StoreError::Corrupt(_))));
    assert_eq!(log.read_log(2, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn number_beyond_the_store_is_refused() {
    let (_directory, _path, log) = new_log().await;
    let mut tx = log.begin().await.unwrap();
    let mut rows = one_event(&*tx, 1);
    rows.events[0].stream_version = u64::MAX;
    assert!(matches!(
        tx.write(&rows).await,
        Err(WriteError::Store(StoreError::Refused(_)))
    ));
}

async fn plan(conn: &mut SqliteConnection, sql: &'static str) -> String {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(conn)
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.get::<String, _>("detail") + "\n")
        .collect()
}

#[tokio::test]
async fn released_spans_are_sought_not_scanned_for() {
    let (_directory, _path, log) = new_log().await;
    let mut conn = log.writer.acquire().await.unwrap();
    let normal = plan(&mut conn, write::NORMAL_SPANS_RELEASED).await;
    assert!(
        normal.contains("SEARCH spans USING PRIMARY KEY (kind=? AND calendar_id=? AND starts=?)"),
        "{normal}"
    );
    let over = plan(&mut conn, write::OVER_SPANS_RELEASED).await;
    assert!(
        over.contains("(kind=? AND calendar_id=? AND ends=? AND starts=? AND owner=?)"),
        "{over}"
    );
}

#[tokio::test]
async fn span_that_does_not_end_after_it_starts_is_refused() {
    let (_directory, _path, log) = new_log().await;
    for layer in [Layer::Normal, Layer::Over] {
        let calendar = Calendar {
            kind: CalendarKind::Room,
            id: Uuid::from_u128(1),
        };
        let span = Span {
            calendar,
            layer,
            starts: 5,
            ends: 5,
            owner: Uuid::from_u128(2),
        };
        let mut tx = log.begin().await.unwrap();
        let rows = Rows {
            spans_taken: vec![span],
            ..Rows::default()
        };
        assert!(matches!(
            tx.write(&rows).await,
            Err(WriteError::Store(StoreError::Refused(_)))
        ));
    }
}
