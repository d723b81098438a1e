//! Is anything lost or repeated when projectors join and leave under load?

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep};

use crate::docker::{running, scale};
use crate::scene::{SOME, SOON, Scene};

const PROJECTOR: &str = "projector";
const PARTITIONS: f64 = 12.0;
const ASSIGNED: &str = "praxis_feed_partitions_assigned";
const SHARED_TIME_MAX: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

pub async fn run(scene: &Scene) -> anyhow::Result<()> {
    scale(PROJECTOR, 1).await?;
    let mut chapter = scene.begin_load().await?;
    let mut told = vec![format!("1: {}", shared(1).await?)];
    for replicas in [4, 2] {
        scale(PROJECTOR, replicas).await?;
        told.push(format!("{replicas}: {}", shared(replicas).await?));
        chapter
            .load
            .goes_on(SOME, SOON)
            .await
            .with_context(|| format!("with {replicas} projectors"))?;
    }
    scene.report.check(
        "the partitions are shared by 1, 4 and 2 projectors",
        Ok(told.join("; ")),
    );
    let proved = scene.end_load(chapter, 0).await?;
    scene
        .report
        .check("scaling the projector 1 → 4 → 2", Ok(proved.told()));
    Ok(())
}

/// Waits until so many projectors have all partitions among them, and each has some.
async fn shared(replicas: usize) -> anyhow::Result<String> {
    let began = Instant::now();
    loop {
        let mut counts = Vec::new();
        for container in running(PROJECTOR).await? {
            counts.push(container.metric(ASSIGNED).await?);
        }
        let is_shared = counts.len() == replicas
            && counts.iter().all(|count| *count >= 1.0)
            && (counts.iter().sum::<f64>() - PARTITIONS).abs() < 0.5;
        if is_shared {
            return Ok(format!(
                "{counts:?} partitions after {:.1} s",
                began.elapsed().as_secs_f64()
            ));
        }
        ensure!(
            began.elapsed() < SHARED_TIME_MAX,
            "{replicas} projectors have {counts:?} of {PARTITIONS} partitions after {SHARED_TIME_MAX:?}"
        );
        sleep(POLL_INTERVAL).await;
    }
}
