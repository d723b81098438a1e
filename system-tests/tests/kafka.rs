//! Are the read models right whatever Kafka brings: late messages of a former leader, a topic made anew, partitions
//! that change hands?

use std::time::Duration;

use anyhow::ensure;
use praxis_system_tests::load::Load;
use praxis_system_tests::service::Program;
use praxis_system_tests::tier::Tier;
use praxis_testkit::servers::{KafkaServer, mysql_url};
use tokio::time::{Instant, sleep};

/// Enough commands to meet a fault at every step of a batch.
const SOME: usize = 150;
/// Much longer than so many take when everything is there, also beside another test.
const SOON: Duration = Duration::from_secs(40);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zombies_deleted_topics_and_changing_projectors_change_nothing() -> anyhow::Result<()> {
    let kafka = KafkaServer::start().await?;
    let mut tier = Tier::start(&mysql_url(), &kafka.brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;
    for _ in 0..2 {
        stop_the_leader_until_another_leads(&tier, &mut load).await?;
    }
    delete_the_topic(&tier, &kafka, &mut load).await?;
    let projectors_come_and_go = projectors_come_and_go(&mut tier, &mut load);
    projectors_come_and_go.await?;
    tier.assert_all_run()?;
    let all = load.end().await?;
    tier.assert_nothing_lost_or_repeated(&all).await?;
    Ok(())
}

/// SIGSTOP in the midst of publishing, for longer than the lease; then it goes on where it was, beside its successor.
async fn stop_the_leader_until_another_leads(tier: &Tier, load: &mut Load) -> anyhow::Result<()> {
    let leader = tier.leader().await?;
    let (zombie, successor) = (&tier.command_apis[leader], &tier.command_apis[1 - leader]);
    zombie.process.pause()?;
    let stopped_at = Instant::now();
    while successor.metric("praxis_relay_leader").await? != Some(1.0) {
        ensure!(stopped_at.elapsed() < SOON, "the standby does not take over");
        sleep(POLL_INTERVAL).await;
    }
    load.goes_on(SOME, SOON).await?;
    zombie.process.resume()?;
    load.goes_on(SOME, SOON).await
}

async fn delete_the_topic(tier: &Tier, kafka: &KafkaServer, load: &mut Load) -> anyhow::Result<()> {
    let topic = tier.deployment.topic();
    kafka.topics(&["--delete", "--topic", &topic]).await?;
    let deleted_at = Instant::now();
    load.goes_on(SOME, SOON).await?;
    // The relay makes it again as soon as it cannot publish any more.
    while !kafka.topics(&["--list"]).await?.lines().any(|line| line == topic) {
        ensure!(deleted_at.elapsed() < SOON, "the topic is not made again");
    }
    load.goes_on(SOME, SOON).await
}

/// A second joins and is killed, a third joins, the first leaves.
async fn projectors_come_and_go(tier: &mut Tier, load: &mut Load) -> anyhow::Result<()> {
    let mut second = tier.deployment.start(Program::Projector).await?;
    wait_for_partitions(&second, load).await?;
    second.process.kill_9()?;
    let third = tier.deployment.start(Program::Projector).await?;
    wait_for_partitions(&third, load).await?;
    tier.projectors[0].end_well().await?;
    tier.projectors[0] = third;
    load.goes_on(SOME, SOON).await
}

async fn wait_for_partitions(
    projector: &praxis_system_tests::service::Service,
    load: &mut Load,
) -> anyhow::Result<()> {
    const ASSIGNED: &str = "praxis_feed_partitions_assigned";
    let began = Instant::now();
    while projector.metric(ASSIGNED).await?.is_none_or(|count| count < 1.0) {
        ensure!(began.elapsed() < SOON, "the projector was given no partition");
        load.goes_on(1, SOON).await?;
    }
    load.goes_on(SOME, SOON).await
}
