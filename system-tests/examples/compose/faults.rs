//! Is anything lost or repeated when something is frozen or cut off under load, and what are callers told meanwhile?

use std::time::Duration;

use anyhow::{Context as _, ensure};
use fastrand::Rng;
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Reply, Request};
use tokio::time::{Instant, sleep};

use crate::docker::{Container, docker, running};
use crate::scene::{Chapter, GATEWAY, Proved, SOME, SOON, Scene};

/// The network in which the programs meet MySQL and Kafka.
const BACKEND: &str = "praxis_backend";
/// How long a fault lasts, seconds; longer than a lock on the log's head can be held, and than a lease of the relay.
const FAULT_SECONDS: std::ops::RangeInclusive<u64> = 7..=10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// Frozen: it accepts connections and says nothing.
    Paused,
    /// Cut off from the network of the backend.
    Disconnected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    MySql,
    Kafka,
    OneCommandApi,
    OneProjector,
}

impl Victim {
    const ALL: [Self; 4] = [Self::MySql, Self::Kafka, Self::OneCommandApi, Self::OneProjector];

    const fn service(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::Kafka => "kafka",
            Self::OneCommandApi => "command-api",
            Self::OneProjector => "projector",
        }
    }
}

pub async fn run(scene: &Scene, rng: &mut Rng) -> anyhow::Result<()> {
    for victim in Victim::ALL {
        for harm in [Harm::Paused, Harm::Disconnected] {
            let all = running(victim.service()).await?;
            let container = &all[rng.usize(..all.len())];
            let lasting = Duration::from_secs(rng.u64(FAULT_SECONDS));
            scene.report.say(format!(
                "{} is {harm:?} for {lasting:?} under load",
                container.name
            ));
            let proved = fault_under_load(scene, victim, container, harm, lasting).await;
            scene
                .report
                .check(&format!("{} {harm:?}", container.name), proved);
        }
    }
    Ok(())
}

async fn fault_under_load(
    scene: &Scene,
    victim: Victim,
    container: &Container,
    harm: Harm,
    lasting: Duration,
) -> anyhow::Result<String> {
    let mut chapter = scene.begin_load().await?;
    let began = Instant::now();
    harm.begin(container).await?;
    let during = during(scene, victim, &mut chapter).await;
    sleep(lasting.saturating_sub(began.elapsed())).await;
    let lasted = began.elapsed();
    // Whatever was found: the next stage needs it whole.
    harm.mend(container).await?;
    let (told, probes) = during?;
    let mended_at = Instant::now();
    for service in ["command-api", "query-api", "projector"] {
        for container in running(service).await? {
            container.wait_until_ready(true).await?;
        }
    }
    let ready_after = mended_at.elapsed();
    chapter
        .load
        .goes_on(SOME, SOON)
        .await
        .context("after it was mended")?;
    // What was told 503 may have happened all the same; its key says so, and then nothing happens again.
    let admin = scene.client(Role::Admin, None)?;
    for probe in &probes {
        let id = admin.must(GATEWAY, probe).await?;
        ensure!(admin.must(GATEWAY, probe).await? == id, "it happened once");
    }
    let proved = scene.end_load(chapter, probes.len()).await?;
    if victim == Victim::Kafka {
        assert_no_command_was_refused(&proved)?;
    }
    Ok(format!(
        "away for {:.1} s: {told}; all ready {:.1} s after; {}",
        lasted.as_secs_f64(),
        ready_after.as_secs_f64(),
        proved.told()
    ))
}

/// What callers are told while it is away, and the commands that were sent to find out.
async fn during(
    scene: &Scene,
    victim: Victim,
    chapter: &mut Chapter,
) -> anyhow::Result<(String, Vec<Request>)> {
    match victim {
        Victim::MySql => {
            let told = told_503(scene).await?;
            for service in ["command-api", "query-api"] {
                for container in running(service).await? {
                    container.wait_until_ready(false).await?;
                }
            }
            Ok(told)
        }
        Victim::Kafka | Victim::OneCommandApi | Victim::OneProjector => {
            let began = Instant::now();
            chapter
                .load
                .goes_on(SOME, SOON)
                .await
                .context("while it was away")?;
            Ok((
                format!(
                    "{SOME} commands in {:.1} s meanwhile",
                    began.elapsed().as_secs_f64()
                ),
                Vec::new(),
            ))
        }
    }
}

/// That a command and a read are both told to come again by a problem document, and how soon.
async fn told_503(scene: &Scene) -> anyhow::Result<(String, Vec<Request>)> {
    let admin = scene.client(Role::Admin, None)?;
    let probe = Request::register_location();
    let began = Instant::now();
    let (written, read) = tokio::join!(
        async { (admin.send(GATEWAY, &probe).await, began.elapsed()) },
        async { (admin.get(GATEWAY, "/locations", None).await, began.elapsed()) },
    );
    let mut told = Vec::new();
    for (what, (reply, after)) in [("a command", written), ("a read", read)] {
        let reply = reply.with_context(|| format!("{what} hung"))?;
        ensure!(is_told_to_come_again(&reply), "{what} was answered {reply:?}");
        told.push(format!(
            "{what} told 503 {} after {:.1} s",
            reply.body["code"].as_str().unwrap_or_default(),
            after.as_secs_f64()
        ));
    }
    Ok((told.join(", "), vec![probe]))
}

fn is_told_to_come_again(reply: &Reply) -> bool {
    reply.status == 503 && reply.says_retry_after() && reply.is_problem()
}

/// The log is the truth: that it cannot be published keeps nobody from writing to it.
fn assert_no_command_was_refused(proved: &Proved) -> anyhow::Result<()> {
    let again = proved.commands.iter().filter(|known| known.sendings > 1).count();
    ensure!(
        again == 0,
        "{again} commands were refused: {:?}",
        proved.not_served.first()
    );
    Ok(())
}

impl Harm {
    async fn begin(self, container: &Container) -> anyhow::Result<()> {
        match self {
            Self::Paused => docker(&["pause", &container.id]).await?,
            Self::Disconnected => docker(&["network", "disconnect", BACKEND, &container.id]).await?,
        };
        Ok(())
    }

    /// Compose gave it names in the network, which connecting it again does not.
    async fn mend(self, container: &Container) -> anyhow::Result<()> {
        match self {
            Self::Paused => docker(&["unpause", &container.id]).await?,
            Self::Disconnected => {
                let mut arguments = vec!["network", "connect"];
                for alias in container.aliases(BACKEND) {
                    arguments.extend(["--alias", alias]);
                }
                arguments.extend([BACKEND, &container.id]);
                docker(&arguments).await?
            }
        };
        Ok(())
    }
}
