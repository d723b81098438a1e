//! Is every acknowledged command in the log exactly once, whatever fails under a steady load?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

#[allow(dead_code, reason = "each test program uses its part of it")]
mod service;
mod steady;

use std::time::Duration;

use anyhow::ensure;
use praxis_auth::claims::Role;
use praxis_testkit::servers::{KafkaServer, MySqlServer, kafka_brokers, mysql_url};
use praxis_testkit::tcp_proxy::{Cut, TcpProxy};
use service::client::{Client, Request};
use service::{CommandApi, Practice};
use steady::{Acknowledged, Callers};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

/// Side by side, one test's fault would be the other's load.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Enough commands to meet a fault at every step of an append.
const SOME: usize = 150;
/// With everything there, so many take a second or two.
const SOON: Duration = Duration::from_secs(20);
/// How long a dependency is gone or a process stopped: longer than every wait of the service for one of them.
const OUTAGE: Duration = Duration::from_secs(10);
/// A lost head is free again after 3 s; the rest is what the first command takes.
const HEAD_FREE_WITHIN: Duration = Duration::from_secs(5);

/// A MySQL to be hurt, a log on it, and two processes.
async fn two_on(server_url: &str) -> anyhow::Result<(Practice, [CommandApi; 2], Callers)> {
    let practice = Practice::found(server_url, &kafka_brokers()).await?;
    let apis = [practice.start().await?, practice.start().await?];
    let callers = Callers::ready(&practice, &apis[0].base()).await?;
    Ok((practice, apis, callers))
}

fn bases(apis: &[CommandApi]) -> Vec<String> {
    apis.iter().map(CommandApi::base).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_either_process_loses_and_repeats_nothing() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (practice, mut apis, callers) = two_on(&mysql_url()).await?;
    let load = callers.load(&bases(&apis));
    load.goes_on(SOME, SOON).await?;
    // One of the two leads the relay, the other follows: both die once.
    for number in [0, 1] {
        apis[number].process.kill_9()?;
        load.goes_on(SOME, SOON).await?;
        apis[number].start_again().await?;
        load.goes_on(SOME, SOON).await?;
    }
    callers
        .assert_each_is_there_once(&practice, &load.end().await?)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_mysql_loses_and_repeats_nothing() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut mysql = MySqlServer::start().await?;
    let (practice, apis, callers) = two_on(&mysql.url()).await?;
    let load = callers.load(&bases(&apis));
    for _ in 0..2 {
        load.goes_on(SOME, SOON).await?;
        mysql.kill_9();
        mysql.restart().await?;
        load.goes_on(SOME, SOON).await?;
    }
    callers
        .assert_each_is_there_once(&practice, &load.end().await?)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_mysql_does_not_answer_callers_are_told_so_and_then_it_goes_on() -> anyhow::Result<()> {
    /// The service's own limit for a request is 15 s.
    const TOLD_WITHIN: Duration = Duration::from_secs(16);
    const LONGER: Duration = Duration::from_secs(17);
    let _alone = ONE_AT_A_TIME.lock().await;
    let mysql = MySqlServer::start().await?;
    let (practice, apis, callers) = two_on(&mysql.url()).await?;
    let patient_caller = Client::new(&practice, Role::Admin, None, TOLD_WITHIN)?;
    let load = callers.load(&bases(&apis));
    load.goes_on(SOME, SOON).await?;
    mysql.pause()?;
    let (probe, base) = (Request::register_location(), apis[0].base());
    let (reply, ()) = tokio::join!(patient_caller.send(&base, &probe), sleep(LONGER));
    mysql.resume()?;
    let reply = reply?;
    assert_eq!((reply.status, reply.says_retry_after), (503, true), "{reply:?}");
    load.goes_on(SOME, SOON).await?;
    let all = load.end().await?;
    // What was told 503 may have happened all the same; its key says so, and then nothing happens again.
    let location_id = patient_caller.must(&base, &probe).await?;
    assert_eq!(patient_caller.must(&base, &probe).await?, location_id);
    callers.assert_each_is_there_once_beside(&practice, &all, 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_mysql_was_gone_for_a_while_it_goes_on_by_itself() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut mysql = MySqlServer::start().await?;
    let (practice, mut apis, callers) = two_on(&mysql.url()).await?;
    let load = callers.load(&bases(&apis));
    load.goes_on(SOME, SOON).await?;
    mysql.stop().await?;
    sleep(OUTAGE).await;
    for api in &mut apis {
        assert_eq!(
            api.process.ended()?,
            None,
            "it waits for its database: {}",
            api.process.output()?
        );
    }
    mysql.restart().await?;
    load.goes_on(SOME, SOON).await?;
    callers
        .assert_each_is_there_once(&practice, &load.end().await?)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_stopped_with_the_head_holds_the_other_up_for_seconds_only() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mysql = MySqlServer::start().await?;
    let (practice, apis, callers) = two_on(&mysql.url()).await?;
    let [holder, other] = &apis;
    let held = callers.load(&[holder.base()]);
    held.goes_on(SOME, SOON).await?;
    let stopped_at = stop_with_the_head(holder, &mysql).await?;

    let load = callers.load_beside(&[other.base()]);
    load.goes_on(1, HEAD_FREE_WITHIN.saturating_sub(stopped_at.elapsed()))
        .await?;
    while stopped_at.elapsed() < OUTAGE {
        load.goes_on(1, HEAD_FREE_WITHIN).await?;
    }
    holder.process.resume()?;
    load.goes_on(SOME, SOON).await?;
    held.goes_on(SOME, SOON).await?;
    let mut all = load.end().await?;
    all.extend(held.end().await?);
    callers.assert_each_is_there_once(&practice, &all).await
}

/// Stops the process at a moment at which it, the only writer, holds the log's head; when that was.
async fn stop_with_the_head(api: &CommandApi, mysql: &MySqlServer) -> anyhow::Result<Instant> {
    const ATTEMPTS_MAX: usize = 100;
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
async fn a_commit_whose_answer_is_lost_is_settled_and_not_repeated() -> anyhow::Result<()> {
    assert_lost_commits_are_settled(Cut::BeforeAnswer(b"COMMIT".to_vec())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_lost_itself_is_settled_and_made_up_for() -> anyhow::Result<()> {
    assert_lost_commits_are_settled(Cut::BeforeForwarding(b"COMMIT".to_vec())).await
}

async fn assert_lost_commits_are_settled(cut: Cut) -> anyhow::Result<()> {
    const CUTS: u32 = 8;
    let _alone = ONE_AT_A_TIME.lock().await;
    let mysql = MySqlServer::start().await?;
    let practice = Practice::found(&mysql.url(), &kafka_brokers()).await?;
    let proxy = TcpProxy::open(mysql.port()).await?;
    let through_proxy = practice.events_url_at(&mysql.url_without_tls(proxy.port()));
    let apis = [practice.start_at(&through_proxy).await?, practice.start().await?];
    let callers = Callers::ready(&practice, &apis[0].base()).await?;
    let cut_off = callers.load(&[apis[0].base()]);
    let beside = callers.load_beside(&[apis[1].base()]);
    for count in 1..=u64::from(CUTS) {
        proxy.arm(cut.clone());
        timeout(SOON, proxy.wait_fired(count)).await?;
        cut_off.goes_on(SOME / 5, SOON).await?;
    }
    let mut all = cut_off.end().await?;
    assert_sent_once(&all);
    all.extend(beside.end().await?);
    callers.assert_each_is_there_once(&practice, &all).await?;
    let unknown = apis[0].metric("praxis_append_unknown_outcomes_total").await?;
    ensure!(
        unknown >= Some(f64::from(CUTS)),
        "{unknown:?} commits were of unknown outcome"
    );
    Ok(())
}

/// That the service itself bridged the fault: no caller had to send anything again.
fn assert_sent_once(all: &[Acknowledged]) {
    let again = all
        .iter()
        .filter(|acknowledged| acknowledged.sendings > 1)
        .count();
    assert_eq!(again, 0, "of {} commands so many were sent again", all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_kafka_commands_go_on_and_the_relay_catches_up() -> anyhow::Result<()> {
    const LAG: &str = "praxis_relay_lag_events";
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut kafka = KafkaServer::start().await?;
    let practice = Practice::found(&mysql_url(), &kafka.brokers()).await?;
    let mut apis = [practice.start().await?, practice.start().await?];
    let callers = Callers::ready(&practice, &apis[0].base()).await?;
    let load = callers.load(&bases(&apis));
    load.goes_on(SOME, SOON).await?;
    kafka.kill_9();
    load.goes_on(3 * SOME, SOON).await?;
    let mut all = load.end().await?;
    assert_sent_once(&all);

    // A process that has never seen this Kafka serves as well, and its gauge has never said that all is published.
    for api in &mut apis {
        api.process.kill_9()?;
    }
    let [api, _] = &mut apis;
    api.start_again().await?;
    let load = callers.load(&[api.base()]);
    load.goes_on(SOME, SOON).await?;
    let late = load.end().await?;
    assert_sent_once(&late);
    all.extend(late);

    kafka.restart().await?;
    let caught_up = async {
        while api.metric(LAG).await? != Some(0.0) {
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    timeout(SOON, caught_up).await??;
    callers.assert_each_is_there_once(&practice, &all).await
}
