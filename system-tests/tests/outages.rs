//! Does everyone wait for what is gone, say so, and go on by itself when it is back, with nothing lost or repeated?

use std::time::Duration;

use anyhow::ensure;
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Request};
use praxis_system_tests::load::{Acknowledged, Targets};
use praxis_system_tests::service::Service;
use praxis_system_tests::tier::Tier;
use praxis_testkit::servers::{KafkaServer, MySqlServer, kafka_brokers, mysql_url};
use tokio::time::{Instant, sleep};

/// Enough commands to meet a fault at every step of an append.
const SOME: usize = 150;
/// Much longer than so many take when everything is there, also beside another test.
const SOON: Duration = Duration::from_secs(40);
const OUTAGE: Duration = Duration::from_secs(30);
/// The service's own limit for a request is 15 s.
const HANGS: Duration = Duration::from_secs(17);
/// A lost head is free again after 3 s; the rest is what the first command takes.
const HEAD_FREE_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_gone_for_a_while_is_waited_for() -> anyhow::Result<()> {
    let mut mysql = MySqlServer::start().await?;
    let mut tier = Tier::start(&mysql.url(), &kafka_brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;

    mysql.stop().await?;
    let stopped_at = Instant::now();
    let probe = Request::register_location();
    let admin = Client::new(&tier.deployment, Role::Admin, None, OUTAGE)?;
    let base = tier.command_apis[0].base();
    let told = admin.send(&base, &probe).await?;
    ensure!(
        (told.status, told.says_retry_after()) == (503, true),
        "a command without a database is answered {told:?}"
    );
    let read = admin.get(&tier.query_api.base(), "/locations", None).await?;
    ensure!(
        (read.status, read.says_retry_after()) == (503, true),
        "a read without a database is answered {read:?}"
    );
    sleep(OUTAGE.saturating_sub(stopped_at.elapsed())).await;
    tier.assert_all_run()?;
    mysql.restart().await?;
    load.goes_on(SOME, SOON).await?;

    // A server that hangs is worse than one that is gone: nobody is told.
    mysql.pause()?;
    let probe_of_hanging = Request::register_location();
    let (told, ()) = tokio::join!(admin.send(&base, &probe_of_hanging), sleep(HANGS));
    mysql.resume()?;
    let told = told?;
    ensure!(
        (told.status, told.says_retry_after()) == (503, true),
        "a command whose database hangs is answered {told:?}"
    );
    load.goes_on(SOME, SOON).await?;

    // What was told 503 may have happened all the same; its key says so, and then nothing happens again.
    for probe in [&probe, &probe_of_hanging] {
        let location_id = admin.must(&base, probe).await?;
        ensure!(admin.must(&base, probe).await? == location_id, "it happened once");
    }
    tier.assert_nothing_lost_or_repeated_beside(&load.end().await?, 2)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_stopped_with_the_head_holds_the_other_up_for_seconds_only() -> anyhow::Result<()> {
    let mysql = MySqlServer::start().await?;
    let mut tier = Tier::start(&mysql.url(), &kafka_brokers(), 1).await?;
    let of = |number: usize| Targets {
        command_apis: vec![tier.command_apis[number].base()],
        query_api: None,
    };
    let mut held = tier.callers.load(&of(0));
    held.goes_on(SOME, SOON).await?;
    let stopped_at = stop_with_the_head(&tier.command_apis[0], &mysql).await?;

    let mut load = tier.callers.load_beside(&of(1));
    load.goes_on(1, HEAD_FREE_WITHIN.saturating_sub(stopped_at.elapsed()))
        .await?;
    while stopped_at.elapsed() < OUTAGE {
        load.goes_on(1, HEAD_FREE_WITHIN).await?;
    }
    tier.command_apis[0].process.resume()?;
    load.goes_on(SOME, SOON).await?;
    held.goes_on(SOME, SOON).await?;
    tier.assert_all_run()?;
    let mut all = load.end().await?;
    all.extend(held.end().await?);
    tier.assert_nothing_lost_or_repeated(&all).await?;
    Ok(())
}

/// Stops the process at a moment at which it, the only writer, holds the log's head; when that was.
async fn stop_with_the_head(api: &Service, mysql: &MySqlServer) -> anyhow::Result<Instant> {
    const ATTEMPTS_MAX: usize = 200;
    /// What the server was asked before the stop is done by then.
    const SERVER_DONE_WITHIN: Duration = Duration::from_millis(100);
    const BETWEEN: Duration = Duration::from_millis(7);
    const HELD: &str = "SELECT COUNT(*) FROM performance_schema.data_locks
        WHERE OBJECT_NAME = 'log_head' AND LOCK_TYPE = 'RECORD' AND LOCK_STATUS = 'GRANTED'";
    for _ in 0..ATTEMPTS_MAX {
        let stopped_at = Instant::now();
        api.process.pause()?;
        sleep(SERVER_DONE_WITHIN).await;
        if mysql.client(HELD).await?.trim() != "0" {
            return Ok(stopped_at);
        }
        api.process.resume()?;
        sleep(BETWEEN).await;
    }
    anyhow::bail!("the process was never met with the head in its hands")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_gone_for_a_while_refuses_no_command() -> anyhow::Result<()> {
    let mut kafka = KafkaServer::start().await?;
    let mut tier = Tier::start(&mysql_url(), &kafka.brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;

    kafka.stop().await?;
    let stopped_at = Instant::now();
    load.goes_on(SOME, SOON).await?;
    // A process that has never seen this Kafka serves as well.
    tier.command_apis[0].terminate().await?;
    tier.command_apis[0].start_again().await?;
    let late = tier.callers.load_beside(&Targets {
        command_apis: vec![tier.command_apis[0].base()],
        query_api: None,
    });
    sleep(OUTAGE.saturating_sub(stopped_at.elapsed())).await;
    tier.assert_all_run()?;
    let late = late.end().await?;
    assert_sent_once(&late)?;
    ensure!(late.len() >= SOME, "{} commands without Kafka", late.len());

    kafka.restart().await?;
    load.goes_on(SOME, SOON).await?;
    let mut all = load.end().await?;
    all.extend(late);
    tier.assert_nothing_lost_or_repeated(&all).await?;
    Ok(())
}

/// That the service itself bridged the fault: no caller had to send anything again.
fn assert_sent_once(all: &[Acknowledged]) -> anyhow::Result<()> {
    let again = all
        .iter()
        .filter(|acknowledged| acknowledged.sendings > 1)
        .count();
    ensure!(again == 0, "of {} commands {again} were sent again", all.len());
    Ok(())
}
