//! Does each program end within its grace period when it is asked to, and does any caller notice a rolling restart?

use std::time::Duration;

use anyhow::{Context as _, ensure};
use praxis_auth::claims::Role;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::docker::{Container, containers, docker, running, scale};
use crate::scene::{GATEWAY, SOME, SOON, Scene};

/// In this order one replica after another is restarted; the gateway stands in front of them.
const ROLLED: [&str; 3] = ["command-api", "query-api", "projector"];
/// What runs until it is asked to end.
const SERVICES: [&str; 6] = [
    "gateway",
    "command-api",
    "query-api",
    "projector",
    "kafka",
    "mysql",
];
/// What a public service counts of each request it has answered.
pub const REQUESTS: &str = "praxis_http_requests_total";
/// The gateway has found a replica again by then.
const FOUND_TIME_MAX: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// A JVM that was asked to end by SIGTERM, and did, says so.
const ENDED_BY_SIGTERM: i64 = 143;

/// Each time somebody asks in the very second in which a replica is taken away.
const TAKEN_AWAY: usize = 3;
const ASKED_AT_ONCE: usize = 6;

/// One replica at a time under load; no request may fail.
pub async fn run(scene: &Scene) -> anyhow::Result<()> {
    scale("query-api", 2).await?;
    let reading = scene.begin_reading().await?;
    let mut chapter = scene.begin_load().await?;
    for service in ROLLED {
        for container in running(service).await? {
            let restarted = restart(&container).await;
            scene.report.check(
                &format!("{} ends when asked, and serves again", container.name),
                restarted,
            );
            chapter
                .load
                .goes_on(SOME, SOON)
                .await
                .with_context(|| format!("after {}", container.name))?;
        }
    }
    let reads = reading.end().await;
    let proved = scene.end_load(chapter, 0).await?;
    scene.report.check(
        "no read fails in a rolling restart",
        reads.map(|served| format!("{served} reads served")),
    );
    scene.report.check(
        "no command fails in a rolling restart",
        proved.assert_all_served().map(|()| proved.told()),
    );
    scene.report.check(
        "no read fails when a replica is taken away for good",
        take_away(scene).await,
    );
    Ok(())
}

/// Where it was nobody answers, and for a second the gateway asks there all the same.
async fn take_away(scene: &Scene) -> anyhow::Result<String> {
    let desk = scene.client(Role::Staff, None)?;
    for _ in 0..TAKEN_AWAY {
        scale("query-api", 2).await?;
        let both = running("query-api").await?;
        let newer = both.last().context("there are two")?;
        let found = assert_found_by_the_gateway(newer);
        let asking = async {
            loop {
                if let Err(error) = desk.get(GATEWAY, "/locations", None).await {
                    return error;
                }
                sleep(POLL_INTERVAL).await;
            }
        };
        tokio::select! {
            found = found => found?,
            error = asking => return Err(error),
        }
        scale("query-api", 1).await?;
        let mut asked = JoinSet::new();
        for _ in 0..ASKED_AT_ONCE {
            let desk = desk.clone();
            asked.spawn(async move { desk.get(GATEWAY, "/locations", None).await });
        }
        for reply in asked.join_all().await {
            let reply = reply?;
            ensure!(reply.status == 200, "a read was answered {reply:?}");
        }
    }
    Ok(format!(
        "{} reads served at once after it",
        TAKEN_AWAY * ASKED_AT_ONCE
    ))
}

/// Ends it as an operator would, starts it again, and waits until the gateway sends requests to it.
async fn restart(container: &Container) -> anyhow::Result<String> {
    let ended = end_well(container, 0).await;
    // However it ended: the others are to be tried too.
    docker(&["start", &container.id]).await?;
    let ready_after = container.wait_until_ready(true).await?;
    if container.service != "projector" {
        assert_found_by_the_gateway(container).await?;
    }
    Ok(format!(
        "{}, ready again after {:.1} s",
        ended?,
        ready_after.as_secs_f64()
    ))
}

/// Waits until the gateway sends requests to a replica that was just started.
pub async fn assert_found_by_the_gateway(container: &Container) -> anyhow::Result<()> {
    let began = Instant::now();
    while container.again().await?.metric(REQUESTS).await? < 1.0 {
        ensure!(
            began.elapsed() < FOUND_TIME_MAX,
            "the gateway has not found {} within {FOUND_TIME_MAX:?}",
            container.name
        );
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// SIGTERM; it must end by itself, with this exit code, within its grace period.
pub async fn end_well(container: &Container, code: i64) -> anyhow::Result<String> {
    let grace = container.grace()?;
    // Starting it again would forget that.
    container.again().await?.assert_did_not_end_by_itself()?;
    let (lasted, ended_with) = container.stop().await?;
    ensure!(
        ended_with == code && lasted < grace,
        "it ended with {ended_with} after {lasted:?} of {grace:?}"
    );
    Ok(format!(
        "ended with {ended_with} after {:.1} s of {} s",
        lasted.as_secs_f64(),
        grace.as_secs()
    ))
}

/// The end of everything, callers first and servers last.
pub async fn end_all(scene: &Scene) -> anyhow::Result<()> {
    for service in SERVICES {
        running(service).await?;
    }
    let mut all = containers().await?;
    all.retain(Container::is_running);
    all.sort_by_key(|container| match container.service.as_str() {
        "gateway" => 0,
        "kafka" | "mysql" => 2,
        _ => 1,
    });
    for container in all {
        let code = if container.service == "kafka" {
            ENDED_BY_SIGTERM
        } else {
            0
        };
        let ended = end_well(&container, code).await;
        scene
            .report
            .check(&format!("{} ends when asked", container.name), ended);
    }
    Ok(())
}
