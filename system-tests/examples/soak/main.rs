//! Does the tier keep its promises for as long as one likes, under faults that a seed chooses?
//!
//! `make soak` runs it for `PRAXIS_SOAK_MINUTES` (10) with `PRAXIS_SOAK_SEED` (a random one, which it prints). It goes in
//! chapters of some minutes, each a practice of its own under load: random faults, then every check. A chapter that
//! fails names its seed: with that as `PRAXIS_SOAK_SEED` the same faults come first in the same order.

mod faults;

use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use praxis_system_tests::proof::assert_views_equal_a_fresh_fold;
use praxis_system_tests::tier::Tier;
use praxis_testkit::servers::{KafkaServer, MySqlServer};
use tokio::time::{Instant, sleep};

use faults::{Fault, Scene};

const MINUTES: u64 = 10;
/// Long enough for many faults, short enough for a log that is quickly read.
const CHAPTER: Duration = Duration::from_mins(3);
const PROJECTORS: usize = 2;
/// Commands between one round of faults and the next.
const SOME: usize = 60;
/// Far longer than any fault is felt.
const SOON: Duration = Duration::from_secs(80);
/// How long the faults of a round may last, seconds.
const FAULT_SECONDS_MAX: u64 = 20;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let minutes = setting("PRAXIS_SOAK_MINUTES").unwrap_or(MINUTES);
    let mut seed = setting("PRAXIS_SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let (mysql, kafka) = tokio::join!(MySqlServer::start(), KafkaServer::start());
    let (mut mysql, mut kafka) = (mysql?, kafka?);
    while Instant::now() < end {
        eprintln!("chapter with PRAXIS_SOAK_SEED={seed}");
        let until = end.min(Instant::now() + CHAPTER);
        (mysql, kafka) = chapter(seed, until, mysql, kafka)
            .await
            .with_context(|| format!("the chapter with PRAXIS_SOAK_SEED={seed} failed"))?;
        seed = Rng::with_seed(seed).u64(..);
    }
    Ok(())
}

/// Faults upon a practice of its own until then; what they left must be whole.
async fn chapter(
    seed: u64,
    until: Instant,
    mysql: MySqlServer,
    kafka: KafkaServer,
) -> anyhow::Result<(MySqlServer, KafkaServer)> {
    let mut rng = Rng::with_seed(seed);
    let tier = Tier::start(&mysql.url(), &kafka.brokers(), PROJECTORS).await?;
    let mut load = tier.load();
    let mut scene = Scene { mysql, kafka, tier };
    load.goes_on(SOME, SOON).await?;
    let mut rounds = 0;
    while Instant::now() < until {
        let faults = Fault::some(&mut rng);
        let lasting = Duration::from_millis(rng.u64(..FAULT_SECONDS_MAX * 1_000));
        eprintln!(
            "  {faults:?} for {lasting:?} after {} commands",
            load.acknowledged()
        );
        for fault in &faults {
            fault
                .begin(&mut scene)
                .await
                .with_context(|| format!("{fault:?}"))?;
        }
        sleep(lasting).await;
        for fault in &faults {
            fault
                .mend(&mut scene)
                .await
                .with_context(|| format!("mending {fault:?}"))?;
        }
        load.goes_on(SOME, SOON)
            .await
            .with_context(|| format!("after {faults:?}"))?;
        rounds += 1;
    }
    scene.tier.assert_all_run()?;
    let read_back = load.read_back();
    let all = load.end().await?;
    let log = scene.tier.assert_nothing_lost_or_repeated(&all).await?;
    let rebuilt = scene.tier.deployment.praxis(&["views", "rebuild"]).await?;
    anyhow::ensure!(rebuilt.success, "{}", rebuilt.output);
    assert_views_equal_a_fresh_fold(&scene.tier.deployment, &log).await?;
    eprintln!(
        "  {rounds} rounds of faults, {} commands, {read_back} read back: nothing lost, nothing repeated",
        all.len()
    );
    Ok((scene.mysql, scene.kafka))
}

#[allow(
    clippy::disallowed_methods,
    reason = "the environment of a development tool is no setting of the product"
)]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
