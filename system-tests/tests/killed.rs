//! Is every acknowledged command there once, in the log and in the read models, when any process is killed under load?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

use std::time::Duration;

use praxis_system_tests::tier::Tier;
use praxis_testkit::servers::{KafkaServer, MySqlServer};

/// Enough commands to meet a fault at every step of an append.
const SOME: usize = 150;
/// Much longer than so many take when everything is there, also beside another test.
const SOON: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_each_process_and_server_in_turn_loses_and_repeats_nothing() -> anyhow::Result<()> {
    let (mysql, kafka) = tokio::join!(MySqlServer::start(), KafkaServer::start());
    let (mut mysql, mut kafka) = (mysql?, kafka?);
    let mut tier = Tier::start(&mysql.url(), &kafka.brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;

    let follower = 1 - tier.leader().await?;
    tier.command_apis[follower].process.kill_9()?;
    load.goes_on(SOME, SOON).await?;
    tier.command_apis[follower].start_again().await?;

    let leader = tier.leader().await?;
    tier.command_apis[leader].process.kill_9()?;
    load.goes_on(SOME, SOON).await?;
    assert_eq!(tier.leader().await?, 1 - leader, "the standby takes over");
    tier.command_apis[leader].start_again().await?;

    tier.projectors[0].process.kill_9()?;
    load.goes_on(SOME, SOON).await?;
    tier.projectors[0].start_again().await?;
    load.goes_on(SOME, SOON).await?;

    for _ in 0..2 {
        mysql.kill_9();
        mysql.restart().await?;
        load.goes_on(SOME, SOON).await?;
    }

    kafka.kill_9();
    load.goes_on(SOME, SOON).await?;
    kafka.restart().await?;
    load.goes_on(SOME, SOON).await?;

    tier.assert_all_run()?;
    assert!(load.read_back() > 0, "what was written was read back");
    let all = load.end().await?;
    let log = tier.assert_nothing_lost_or_repeated(&all).await?;
    let rebuilt = tier.deployment.praxis(&["views", "rebuild"]).await?;
    assert!(rebuilt.success, "{}", rebuilt.output);
    praxis_system_tests::proof::assert_views_equal_a_fresh_fold(&tier.deployment, &log).await
}
