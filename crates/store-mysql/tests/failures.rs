//! What is sure, and how soon, when the connection to the server fails?

use std::time::{Duration, Instant};

use praxis_event_store::port::{CommitError, LogReader, LogTransaction, LogWriter, Rows, StoreError};
use praxis_event_store::restore::{NewLife, RestoredLog};
use praxis_events::ids::LogId;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_testkit::conformance::sample;
use praxis_testkit::servers::{MySqlServer, in_schema, mysql_url};
use praxis_testkit::tcp_proxy::{Cut, TcpProxy};

use schema::Schema;

#[allow(dead_code, reason = "each test program uses its part")]
mod schema;

/// The limit of one statement or connection attempt, and what a busy machine adds.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(7);

async fn open(url: &str) -> Result<MySqlLog, StoreError> {
    MySqlLog::open(url, MySqlLogOptions::default()).await
}

async fn shared() -> anyhow::Result<(Schema, MySqlLog)> {
    let schema = Schema::named(&mysql_url()).await?;
    migrate(&schema.url(), LogId(sample::id(1))).await?;
    let log = open(&schema.url()).await?;
    Ok((schema, log))
}

/// A transaction with one event written, not yet committed.
async fn written(log: &MySqlLog) -> anyhow::Result<Box<dyn LogTransaction>> {
    let mut tx = log.begin().await?;
    let after_version = tx.head().position;
    let rows: Rows = sample::with_events(
        sample::nothing_after(tx.head()),
        sample::stream(1),
        after_version,
        1,
    );
    tx.write(&rows).await?;
    Ok(tx)
}

fn assert_unavailable<T>(result: Result<T, StoreError>) {
    let error = result.err();
    assert!(matches!(error, Some(StoreError::Unavailable(_))), "{error:?}");
}

#[tokio::test]
async fn a_writer_that_stands_still_loses_the_head_within_five_seconds() -> anyhow::Result<()> {
    let (schema, paused) = shared().await?;
    let other = open(&schema.url()).await?;
    let tx = written(&paused).await?;
    let began = Instant::now();
    let taken = loop {
        match other.begin().await {
            Ok(tx) => break tx,
            Err(StoreError::Busy) => {
                assert!(began.elapsed() < Duration::from_secs(10), "the head stays held");
            }
            Err(error) => return Err(error.into()),
        }
    };
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "took {:?}",
        began.elapsed()
    );
    assert_eq!(taken.head().position, 0);
    assert!(matches!(
        tx.commit().await,
        Err(CommitError::NotCommitted(StoreError::Unavailable(_)))
    ));
    taken.rollback().await?;
    assert_eq!(other.head().await?.position, 0);
    written(&paused).await?.commit().await?;
    Ok(())
}

#[tokio::test]
async fn sessions_ended_while_idle_are_replaced_unseen() -> anyhow::Result<()> {
    let (schema, log) = shared().await?;
    for position in 1..=3 {
        written(&log).await?.commit().await?;
        schema.end_connections().await?;
        let tx = log.begin().await?;
        assert_eq!(tx.head().position, position);
        tx.rollback().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_writer_idle_past_the_servers_patience_recovers_and_the_patience_between_batches_is_the_servers()
-> anyhow::Result<()> {
    let server = MySqlServer::start().await?;
    let schema = Schema::named(&server.url()).await?;
    migrate(&schema.url(), LogId(sample::id(1))).await?;
    let log = open(&schema.url()).await?;
    written(&log).await?.commit().await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let alive = schema.connections().await?;
    assert_eq!(
        alive, 2,
        "a writer and a reader lie idle for longer than a head may be held"
    );

    schema.run("SET GLOBAL wait_timeout = 1".to_owned()).await?;
    written(&log).await?.commit().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        schema.connections().await?,
        1,
        "the reader lives, the writer was ended"
    );
    written(&log).await?.commit().await?;
    assert_eq!(log.head().await?.position, 3);
    Ok(())
}

#[tokio::test]
async fn a_commit_without_an_answer_is_unknown_whether_it_happened_or_not() -> anyhow::Result<()> {
    let server = MySqlServer::start().await?;
    let schema = Schema::named(&server.url()).await?;
    migrate(&schema.url(), LogId(sample::id(1))).await?;
    let proxy = TcpProxy::open(server.port()).await?;
    let log = open(&in_schema(&server.url_without_tls(proxy.port()), schema.name())).await?;
    let commit = b"COMMIT".to_vec();

    let tx = written(&log).await?;
    proxy.arm(Cut::BeforeForwarding(commit.clone()));
    assert!(matches!(tx.commit().await, Err(CommitError::Unknown(_))));
    assert_eq!(log.begin().await?.head().position, 0, "the server never saw it");

    let tx = written(&log).await?;
    proxy.arm(Cut::BeforeAnswer(commit));
    assert!(matches!(tx.commit().await, Err(CommitError::Unknown(_))));
    assert_eq!(log.begin().await?.head().position, 1, "the server has done it");
    assert_eq!(proxy.fired(), 2);
    Ok(())
}

#[tokio::test]
async fn a_transaction_cut_before_its_commit_is_not_committed() -> anyhow::Result<()> {
    let server = MySqlServer::start().await?;
    let schema = Schema::named(&server.url()).await?;
    migrate(&schema.url(), LogId(sample::id(1))).await?;
    let proxy = TcpProxy::open(server.port()).await?;
    let log = open(&in_schema(&server.url_without_tls(proxy.port()), schema.name())).await?;
    let mut tx = log.begin().await?;
    proxy.cut();
    let rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(1), 0, 1);
    tx.write(&rows).await.unwrap_err();
    assert!(matches!(tx.commit().await, Err(CommitError::NotCommitted(_))));
    assert_eq!(log.begin().await?.head().position, 0);
    Ok(())
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_given_up_in_seconds() -> anyhow::Result<()> {
    let (schema, _) = shared().await?;
    let proxy = TcpProxy::open(schema.port()).await?;
    let url = schema
        .url()
        .replace(&format!(":{}/", schema.port()), &format!(":{}/", proxy.port()));
    let log = open(&url).await?;
    let held = written(&log).await?;
    proxy.pause();
    let began = Instant::now();
    let (begin, head, opened, commit) = tokio::join!(
        log.begin(),
        log.head(),
        MySqlLog::open(&url, MySqlLogOptions::default()),
        held.commit()
    );
    assert!(began.elapsed() < GIVEN_UP_WITHIN, "took {:?}", began.elapsed());
    assert_unavailable(begin);
    assert_unavailable(head);
    assert_unavailable(opened);
    assert!(matches!(commit, Err(CommitError::Unknown(_))));
    proxy.resume();
    log.head().await?;
    log.begin().await?.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_server_killed_and_started_again_is_found_with_what_was_acknowledged() -> anyhow::Result<()> {
    let mut server = MySqlServer::start().await?;
    let schema = Schema::named(&server.url()).await?;
    migrate(&schema.url(), LogId(sample::id(1))).await?;
    let log = open(&schema.url()).await?;
    written(&log).await?.commit().await?;
    let lost = written(&log).await?;
    server.kill_9();
    assert!(lost.commit().await.is_err());
    assert_unavailable(log.begin().await);
    assert_unavailable(log.head().await);
    server.restart().await?;
    let tx = log.begin().await?;
    assert_eq!(tx.head().position, 1);
    tx.rollback().await?;
    assert_eq!(log.read_log(0, 10).await?.len(), 1);
    Ok(())
}

/// Whoever began before a restore holds what the log knows no more, in caches and in its callers' hands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_knows_the_former_life_of_the_log_writes_and_reads_no_more() -> anyhow::Result<()> {
    let (schema, log) = shared().await?;
    written(&log).await?.commit().await?;
    let restoring = open(&schema.url()).await?;
    let life = NewLife {
        verified: restoring.head().await?,
        frontier: Vec::new(),
        above_epoch: 0,
        numbers_skipped: 0,
    };
    let begun = restoring.begin_life(&life).await?;
    for refused in [
        log.begin().await.err(),
        log.head().await.err(),
        restoring.begin().await.err(),
    ] {
        let why = refused.map(|error| error.to_string()).unwrap_or_default();
        anyhow::ensure!(why.contains("to be started again"), "{why}");
    }
    let after = open(&schema.url()).await?;
    written(&after).await?.commit().await?;
    anyhow::ensure!(after.head().await?.epoch == begun.epoch);
    Ok(())
}
