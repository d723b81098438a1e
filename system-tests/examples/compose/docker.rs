//! What does the engine know of the containers, and what is done to them? Everything goes through the `docker` command.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use praxis_testkit::servers::workspace_root;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

/// The project's name in compose.yaml.
const PROJECT: &str = "praxis";
/// Compose waits for health in it; nothing here builds an image.
const COMMAND_TIME_MAX: Duration = Duration::from_mins(3);
/// A program that waits for others, on a machine that does much else.
const READY_TIME_MAX: Duration = Duration::from_secs(90);
const PROBE_TIME_MAX: Duration = Duration::from_secs(4);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The port of probes and metrics, reached at a container's own address.
const ADMIN_PORT: u16 = 9090;

/// A container of the project as it was when the engine was asked.
#[derive(Clone, Debug)]
pub struct Container {
    pub id: String,
    pub name: String,
    /// Its service in compose.yaml.
    pub service: String,
    /// All that `docker inspect` says.
    pub inspected: Value,
}

/// Runs `docker` with these arguments at the root of the checkout; what it wrote.
pub async fn docker(arguments: &[&str]) -> anyhow::Result<String> {
    let command = Command::new("docker")
        .args(arguments)
        .current_dir(workspace_root())
        .kill_on_drop(true)
        .output();
    let output = timeout(COMMAND_TIME_MAX, command)
        .await
        .with_context(|| format!("docker {arguments:?} has not ended within {COMMAND_TIME_MAX:?}"))??;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "docker {arguments:?} ended with {}: {told}",
        output.status
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The same, with standard error: where programs write their log.
pub async fn log_of(container: &Container) -> anyhow::Result<String> {
    let output = Command::new("docker")
        .args(["logs", &container.id])
        .kill_on_drop(true)
        .output();
    let output = timeout(COMMAND_TIME_MAX, output).await??;
    ensure!(output.status.success(), "docker logs {} failed", container.name);
    let both = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&both).into_owned())
}

/// Every container of the project, those that have ended too, by name.
pub async fn containers() -> anyhow::Result<Vec<Container>> {
    let of_project = format!("label=com.docker.compose.project={PROJECT}");
    let ids = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &of_project]).await?;
    let mut found = Vec::new();
    for id in ids.split_whitespace() {
        found.push(inspect(id).await?);
    }
    // What `compose run` started is not of the deployment.
    found.retain(|known| known.label("oneoff") == Some("False"));
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The running containers of a service; there must be some.
pub async fn running(service: &str) -> anyhow::Result<Vec<Container>> {
    let mut all = containers().await?;
    all.retain(|known| known.service == service && known.is_running());
    ensure!(!all.is_empty(), "no container of {service} runs");
    Ok(all)
}

async fn inspect(id: &str) -> anyhow::Result<Container> {
    let told: Value = serde_json::from_str(&docker(&["inspect", id]).await?)?;
    let inspected = told[0].clone();
    let service = inspected["Config"]["Labels"]["com.docker.compose.service"]
        .as_str()
        .context("compose labels its containers")?;
    let name = inspected["Name"].as_str().context("a container has a name")?;
    Ok(Container {
        id: id.to_owned(),
        name: name.trim_start_matches('/').to_owned(),
        service: service.to_owned(),
        inspected,
    })
}

impl Container {
    /// As it is now.
    pub async fn again(&self) -> anyhow::Result<Self> {
        inspect(&self.id).await
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.inspected["Config"]["Labels"][format!("com.docker.compose.{name}")].as_str()
    }

    pub fn is_running(&self) -> bool {
        self.inspected["State"]["Running"] == true
    }

    /// By what names others find it in a network.
    pub fn aliases(&self, network: &str) -> Vec<&str> {
        let aliases = self.inspected["NetworkSettings"]["Networks"][network]["Aliases"].as_array();
        aliases.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The admin port at an address that this machine reaches: a bridge network is a network of this machine.
    fn admin(&self) -> anyhow::Result<String> {
        let networks = self.inspected["NetworkSettings"]["Networks"].as_object();
        let address = networks
            .into_iter()
            .flatten()
            .find_map(|(_, network)| {
                network["IPAddress"]
                    .as_str()
                    .filter(|address| !address.is_empty())
            })
            .with_context(|| format!("{} has no address", self.name))?;
        Ok(format!("http://{address}:{ADMIN_PORT}"))
    }

    async fn ask(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PROBE_TIME_MAX)
            .build()?;
        let response = http.get(format!("{}{path}", self.admin()?)).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// What `/ready` of its admin port says: whether it is, and why.
    pub async fn readiness(&self) -> anyhow::Result<(bool, Value)> {
        let (status, text) = self.ask("/ready").await?;
        Ok((status == 200, serde_json::from_str(&text)?))
    }

    /// What a metric says, summed over its labels; 0 before it was first set.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let (status, text) = self.ask("/metrics").await?;
        ensure!(status == 200, "/metrics of {} was answered {status}", self.name);
        let of_name = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (_, value) = rest.starts_with([' ', '{']).then(|| rest.rsplit_once(' '))??;
            value.parse::<f64>().ok()
        });
        Ok(of_name.sum())
    }

    /// Waits until it says that it is ready (or that it is not, which silence does not say); how long that took. Its
    /// address is asked for anew each time, since a container may get another one.
    pub async fn wait_until_ready(&self, wanted: bool) -> anyhow::Result<Duration> {
        let began = Instant::now();
        loop {
            let told = match self.again().await {
                Ok(now) => now.readiness().await,
                Err(error) => Err(error),
            };
            match told {
                Ok((ready, _)) if ready == wanted => return Ok(began.elapsed()),
                told => ensure!(
                    began.elapsed() < READY_TIME_MAX,
                    "{} has not become ready={wanted} within {READY_TIME_MAX:?}: {told:?}",
                    self.name
                ),
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// SIGTERM, and SIGKILL when its grace period is over; how long it took to end, and its exit code.
    pub async fn stop(&self) -> anyhow::Result<(Duration, i64)> {
        let began = Instant::now();
        docker(&["stop", &self.id]).await?;
        let lasted = began.elapsed();
        Ok((lasted, self.again().await?.exit_code()?))
    }

    /// That the engine has not had to start it again since it was told to.
    pub fn assert_did_not_end_by_itself(&self) -> anyhow::Result<()> {
        let restarts = self.inspected["RestartCount"]
            .as_u64()
            .context("a container says how often it was started again")?;
        ensure!(
            restarts == 0,
            "{} ended by itself {restarts} times: see `docker logs {0}`",
            self.name
        );
        Ok(())
    }

    pub fn exit_code(&self) -> anyhow::Result<i64> {
        self.inspected["State"]["ExitCode"]
            .as_i64()
            .context("an ended container has an exit code")
    }

    /// How long it is given to end; compose.yaml says so for each service.
    pub fn grace(&self) -> anyhow::Result<Duration> {
        let seconds = self.inspected["Config"]["StopTimeout"].as_u64();
        Ok(Duration::from_secs(seconds.with_context(|| {
            format!("{} is given no grace period", self.name)
        })?))
    }
}

/// That the engine has had to start none again: each ran until it was asked to end.
pub async fn assert_none_ended_by_itself() -> anyhow::Result<()> {
    for container in containers().await? {
        container.assert_did_not_end_by_itself()?;
    }
    Ok(())
}

/// Starts and stops containers of a service until there are so many, and waits until all are healthy.
pub async fn scale(service: &str, replicas: usize) -> anyhow::Result<()> {
    let scale = format!("{service}={replicas}");
    let arguments = [
        "compose",
        "up",
        "--detach",
        "--wait",
        "--no-deps",
        "--no-recreate",
        "--scale",
        &scale,
        service,
    ];
    docker(&arguments).await?;
    let found = running(service).await?.len();
    ensure!(
        found == replicas,
        "{found} containers of {service} run, and {replicas} should"
    );
    Ok(())
}
