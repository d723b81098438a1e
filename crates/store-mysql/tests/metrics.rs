//! What do operators see of a head that is held, and of connections that do not suffice?

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures::poll;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use praxis_event_store::append::{Append, CommandRecord, Delta};
use praxis_event_store::port::{LogReader, LogWriter, StoreError};
use praxis_event_store::sequencer::{AppendError, SequencerLimits, sequencer};
use praxis_events::ids::LogId;
use praxis_read_models::registry::Registry as _;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_store_mysql::views::{MySqlRegistry, migrate as migrate_views};
use praxis_testkit::conformance::{Outcome, sample};
use praxis_testkit::servers::mysql_url;

use read_database::ReadDatabase;
use schema::Schema;

#[allow(dead_code, reason = "each test program uses its part")]
mod read_database;
#[allow(dead_code, reason = "each test program uses its part")]
mod schema;

/// Everything of this runtime's one thread is told here.
fn recorder() -> Outcome<PrometheusRecorder> {
    let waits = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(waits, &[0.1, 1.0, 10.0]);
    Ok(builder?.build_recorder())
}

fn assert_told(recorder: &PrometheusRecorder, lines: &[&str]) {
    let told = recorder.handle().render();
    for line in lines {
        let is_told = told.lines().any(|told| told == *line);
        assert!(is_told, "{line} is not told:\n{told}");
    }
}

async fn log_of(options: MySqlLogOptions) -> Outcome<(Schema, MySqlLog)> {
    let schema = Schema::named(&mysql_url()).await?;
    migrate(&schema.url(), LogId(sample::id(1))).await?;
    let log = MySqlLog::open(&schema.url(), options).await?;
    Ok((schema, log))
}

/// Keeps its answer and writes no event.
fn no_op() -> Append {
    let command = sample::command(1);
    Append {
        command: CommandRecord {
            key: command.key,
            request: command.request,
            other_requests: vec![],
            answer_id: command.answer_id,
            version: command.version,
        },
        writes: vec![],
        reads: vec![],
        claims: Delta::default(),
        spans: Delta::default(),
        new_keys: vec![],
        subjects: vec![],
        keys_as_of: 0,
    }
}

#[tokio::test]
async fn a_head_that_another_holds_is_seen_as_a_wait_also_in_vain() -> Outcome {
    let recorder = recorder()?;
    let _telling = metrics::set_default_local_recorder(&recorder);
    let (schema, log) = log_of(MySqlLogOptions::default()).await?;
    let other = MySqlLog::open(&schema.url(), MySqlLogOptions::default()).await?;
    let (appends, sequencing) = sequencer(
        Arc::new(log),
        SequencerLimits {
            busy_max: Duration::ZERO,
            ..SequencerLimits::default()
        },
    );
    let appending = async {
        // The sequencer ends with the last that can append.
        let appends = appends;
        assert_told(&recorder, &["praxis_append_head_wait_seconds_count 0"]);
        let held = other.begin().await?;
        let refused = appends.append(no_op()).await;
        assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
        let in_vain = [
            r#"praxis_append_head_wait_seconds_bucket{le="1"} 0"#,
            r#"praxis_append_head_wait_seconds_bucket{le="10"} 1"#,
        ];
        assert_told(&recorder, &in_vain);

        held.rollback().await?;
        appends.append(no_op()).await?;
        assert_told(&recorder, &["praxis_append_head_wait_seconds_count 2"]);
        Ok(())
    };
    let ((), appended) = tokio::join!(sequencing.run(), appending);
    appended
}

#[tokio::test]
async fn connections_that_do_not_suffice_are_seen_and_waits_in_vain_too() -> Outcome {
    let recorder = recorder()?;
    let _telling = metrics::set_default_local_recorder(&recorder);
    let (_schema, log) = log_of(MySqlLogOptions {
        writer_sessions_max: 1,
        ..MySqlLogOptions::default()
    })
    .await?;
    let at_rest = [
        r#"praxis_database_connections_max{pool="log-write"} 1"#,
        r#"praxis_database_connections_in_use{pool="log-write"} 0"#,
        r#"praxis_database_connections_max{pool="log-read"} 16"#,
        r#"praxis_database_connections_idle{pool="log-read"} 1"#,
        r#"praxis_database_connection_waiters{pool="log-write"} 0"#,
        r#"praxis_database_connections_in_use{pool="log-forget"} 0"#,
    ];
    assert_told(&recorder, &at_rest);

    let held = log.begin().await?;
    let mut waits = log.begin();
    assert!(poll!(&mut waits).is_pending());
    let exhausted = [
        r#"praxis_database_connections_in_use{pool="log-write"} 1"#,
        r#"praxis_database_connections_idle{pool="log-write"} 0"#,
        r#"praxis_database_connection_waiters{pool="log-write"} 1"#,
    ];
    assert_told(&recorder, &exhausted);
    assert!(matches!(waits.await, Err(StoreError::Unavailable(_))));
    let in_vain = [
        r#"praxis_database_connection_waiters{pool="log-write"} 0"#,
        r#"praxis_database_connection_wait_seconds_bucket{pool="log-write",le="1"} 2"#,
        r#"praxis_database_connection_wait_seconds_bucket{pool="log-write",le="10"} 3"#,
    ];
    assert_told(&recorder, &in_vain);

    drop(held);
    let closed = [
        r#"praxis_database_connections_in_use{pool="log-write"} 0"#,
        r#"praxis_database_connections_idle{pool="log-write"} 0"#,
    ];
    assert_told(&recorder, &closed);
    log.begin().await?.rollback().await?;
    let kept = r#"praxis_database_connections_idle{pool="log-write"} 1"#;
    assert_told(&recorder, &[kept]);
    drop(log);
    let gone = [
        r#"praxis_database_connections_max{pool="log-write"} 0"#,
        r#"praxis_database_connections_idle{pool="log-read"} 0"#,
    ];
    assert_told(&recorder, &gone);
    Ok(())
}

#[tokio::test]
async fn generations_read_at_once_tell_their_sum() -> Outcome {
    let recorder = recorder()?;
    let _telling = metrics::set_default_local_recorder(&recorder);
    let database = ReadDatabase::named().await?;
    let url = database.registry().url();
    migrate_views(&url).await?;
    let registry = MySqlRegistry::open(&url).await?;
    let partitions = NonZeroU32::MIN;
    let mut reads = Vec::new();
    for newest in [None, Some(1)] {
        let registered = registry.register_after(newest, partitions, 0).await?;
        let generation = registered.ok_or_else(|| anyhow::anyhow!("nobody else registers one"))?;
        let opened = registry.open_reads(generation.number).await?;
        opened.parked_stream_count().await?;
        reads.push(opened);
    }
    let both = [
        r#"praxis_database_connections_max{pool="views-read"} 32"#,
        r#"praxis_database_connections_idle{pool="views-read"} 2"#,
    ];
    assert_told(&recorder, &both);
    reads.pop();
    let one = [
        r#"praxis_database_connections_max{pool="views-read"} 16"#,
        r#"praxis_database_connections_idle{pool="views-read"} 1"#,
    ];
    assert_told(&recorder, &one);
    Ok(())
}

#[tokio::test]
async fn the_position_of_the_log_is_told_by_who_writes_it_and_by_who_reads_it() -> Outcome {
    let recorder = recorder()?;
    let _telling = metrics::set_default_local_recorder(&recorder);
    let (schema, log) = log_of(MySqlLogOptions::default()).await?;
    assert_told(&recorder, &["praxis_log_position 0"]);
    let mut tx = log.begin().await?;
    let rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(1), 0, 3);
    tx.write(&rows).await?;
    tx.commit().await?;
    assert_told(&recorder, &["praxis_log_position 3"]);

    let reading = self::recorder()?;
    let _telling = metrics::set_default_local_recorder(&reading);
    let reader = MySqlLog::open(&schema.url(), MySqlLogOptions::default()).await?;
    assert_told(&reading, &["praxis_log_position 3"]);
    let mut tx = log.begin().await?;
    let rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(1), 3, 2);
    tx.write(&rows).await?;
    tx.commit().await?;
    reader.head().await?;
    assert_told(&reading, &["praxis_log_position 5"]);
    Ok(())
}
