//! Do the services tell what alerts and dashboards ask for?
//!
//! `scripts/infra-check/scrapes` keeps a scrape of each, which `metrics_check.py` compares rules and dashboards with. Here
//! a live one is compared with those. `PRAXIS_TEST_RECORD_SCRAPES=1` writes them anew, after a metric came or went.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use praxis_system_tests::service::Service;
use praxis_system_tests::tier::Tier;
use praxis_testkit::servers::{kafka_brokers, mysql_url, workspace_root};
use tokio::time::{Instant, sleep};

/// The Kafka client tells of itself every ten seconds.
const TELL_TIME_MAX: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(500);
const UNDER_LOAD: Duration = Duration::from_secs(15);
const A_FEW: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_that_alerts_and_dashboards_are_checked_against_is_told() -> anyhow::Result<()> {
    let tier = Tier::start(&mysql_url(), &kafka_brokers(), 1).await?;
    let leader = tier.leader().await?;
    let scraped = [&tier.command_apis[leader], &tier.projectors[0], &tier.query_api];
    for (service, path) in [
        (&tier.command_apis[leader], "/patients"),
        (&tier.query_api, "/patients/search"),
    ] {
        let stranger = reqwest::Client::new()
            .post(format!("{}{path}", service.base()))
            .bearer_auth("no.such.token")
            .send()
            .await?;
        assert_eq!(stranger.status().as_u16(), 401);
    }
    let mut load = tier.load();
    load.goes_on(A_FEW, TELL_TIME_MAX).await?;
    if recording() {
        sleep(UNDER_LOAD).await;
        for service in scraped {
            std::fs::write(kept_in(service), service.metrics().await?)?;
        }
    }
    for service in scraped {
        tells_all(service).await?;
    }
    load.end().await?;
    Ok(())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the test environment is no setting of the product"
)]
fn recording() -> bool {
    std::env::var_os("PRAXIS_TEST_RECORD_SCRAPES").is_some()
}

fn kept_in(service: &Service) -> PathBuf {
    let name = format!("{}.prom", service.program.binary());
    workspace_root().join("scripts/infra-check/scrapes").join(name)
}

async fn tells_all(service: &Service) -> anyhow::Result<()> {
    let kept = names(&std::fs::read_to_string(kept_in(service))?);
    assert!(!kept.is_empty(), "{} is empty", kept_in(service).display());
    let deadline = Instant::now() + TELL_TIME_MAX;
    loop {
        let told = names(&service.metrics().await?);
        let missing: Vec<&String> = kept.difference(&told).collect();
        if missing.is_empty() {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "{} no longer tells {missing:?}",
            service.program.binary()
        );
        sleep(POLL_INTERVAL).await;
    }
}

/// `praxis_a{b="c"} 1` is a line of `praxis_a`.
fn names(scrape: &str) -> BTreeSet<String> {
    let lines = scrape.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split(['{', ' ']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
