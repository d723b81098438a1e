//! Does each look-up read the rows it answers with and few others, however many there are?

use praxis_event_store::append::{Claim, Layer};
use praxis_event_store::port::{LogWriter, Rows, StoredCommand};
use praxis_events::ids::LogId;
use praxis_testkit::conformance::sample;
use praxis_testkit::servers::mysql_url;
use sqlx::Row;

use super::*;
use crate::log::{MySqlLog, MySqlLogOptions};
use crate::migrate::migrate;
use crate::schema::Schema;

const HALF_HOUR: i64 = 1_800_000_000;
/// Three months of one calendar, half an hour each, without a break.
const SPANS: i64 = 4_000;
const EVENTS: u64 = 4_000;

/// Rows of tables and indexes; those of the list of questions itself come by `Handler_read_rnd_next`.
const ROWS_READ: &str = "SELECT CAST(SUM(VARIABLE_VALUE) AS SIGNED) FROM performance_schema.session_status
WHERE VARIABLE_NAME IN ('Handler_read_first', 'Handler_read_key', 'Handler_read_last', 'Handler_read_next',
    'Handler_read_prev', 'Handler_read_rnd')";

struct Filled {
    log: MySqlLog,
    _schema: Schema,
}

/// A log with one long stream, one full calendar and many claims and commands.
async fn filled() -> Filled {
    let schema = Schema::named(&mysql_url()).await.unwrap();
    migrate(&schema.url(), LogId(sample::id(1))).await.unwrap();
    let log = MySqlLog::open(&schema.url(), MySqlLogOptions::default())
        .await
        .unwrap();
    let mut tx = log.begin().await.unwrap();
    let rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(1), 0, EVENTS);
    let rows = Rows {
        spans_taken: (0..SPANS).flat_map(|n| [span_at(n), over(span_at(n))]).collect(),
        claims_taken: (0..2_000_u32).map(claim).collect(),
        commands: (0..2_000_u32).map(command).collect(),
        keys: (0..2_000_u32).map(|n| sample::data_key(n.into(), 7, 1)).collect(),
        ..rows
    };
    tx.write(&rows).await.unwrap();
    tx.commit().await.unwrap();
    schema
        .run(format!("ANALYZE TABLE `{0}`.events, `{0}`.spans", schema.name()))
        .await
        .unwrap();
    Filled { log, _schema: schema }
}

fn span_at(slot: i64) -> Span {
    let starts = sample::RECORDED_AT + slot * HALF_HOUR;
    Span {
        starts,
        ends: starts + HALF_HOUR,
        ..sample::span(0, 1, 5)
    }
}

fn over(span: Span) -> Span {
    Span {
        layer: Layer::Over,
        ..span
    }
}

fn claim(n: u32) -> Claim {
    sample::claim(&n.to_be_bytes(), 5)
}

fn command(n: u32) -> StoredCommand {
    let mut command = sample::command(1);
    command.key[..4].copy_from_slice(&n.to_be_bytes());
    command
}

async fn rows_read(session: &mut Session) -> i64 {
    let rows = session.rows(sqlx::query(ROWS_READ)).await.unwrap();
    rows[0].try_get(0).unwrap()
}

/// The answers, and how many rows were read for them.
async fn cost(filled: &Filled, lookup: Lookup) -> (Facts, i64) {
    let mut session = filled.log.readers.take().await.unwrap();
    let before = rows_read(&mut session).await;
    let counting = rows_read(&mut session).await - before;
    let before = rows_read(&mut session).await;
    let facts = look_up(&mut session, &lookup).await.unwrap();
    let read = rows_read(&mut session).await - before - counting;
    (facts, read)
}

#[tokio::test]
async fn the_version_of_a_long_stream_costs_one_row() {
    let filled = filled().await;
    let streams = vec![sample::id(1), sample::id(2)];
    let (facts, read) = cost(
        &filled,
        Lookup {
            streams,
            ..Lookup::default()
        },
    )
    .await;
    assert_eq!(facts.versions[&sample::id(1)], EVENTS);
    assert!(read <= 6, "{read} rows read");
}

#[tokio::test]
async fn a_span_in_a_full_calendar_costs_half_a_day_of_it() {
    let filled = filled().await;
    for slot in [0, SPANS / 2, SPANS - 1] {
        let (facts, read) = cost(
            &filled,
            Lookup {
                spans: vec![span_at(slot)],
                ..Lookup::default()
            },
        )
        .await;
        assert_eq!(facts.spans.len(), 2, "the normal span and the overbooking");
        assert!(read <= 2 * 2 * 13, "{read} rows read for slot {slot}");
    }
}

#[tokio::test]
async fn claims_commands_and_keys_cost_a_row_each() {
    let filled = filled().await;
    let lookup = Lookup {
        claims: (0..10)
            .map(|n| (claim(n * 100).resource, claim(n * 100).member))
            .collect(),
        commands: (0..10).map(|n| command(n * 100).key).collect(),
        subjects: (0..10).map(sample::id).collect(),
        ..Lookup::default()
    };
    let (facts, read) = cost(&filled, lookup).await;
    assert_eq!(
        (facts.claims.len(), facts.commands.len(), facts.erased.len()),
        (10, 10, 0)
    );
    assert!(read <= 3 * 2 * 10 + 6, "{read} rows read");
}

#[tokio::test]
async fn a_search_of_weeks_finds_what_the_buckets_would_have_named() {
    let filled = filled().await;
    let weeks = Span {
        ends: span_at(SPANS).ends,
        ..span_at(SPANS - 1_500)
    };
    let (facts, _) = cost(
        &filled,
        Lookup {
            spans: vec![weeks],
            ..Lookup::default()
        },
    )
    .await;
    assert_eq!(facts.spans.len(), 2 * 1_500);
}
