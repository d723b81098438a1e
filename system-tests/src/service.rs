//! How is one running program of a deployment reached, read, ended and started again?

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use praxis_runtime::ids::new_id;
use praxis_testkit::ports::free_port;
use praxis_testkit::processes::{Process, workspace_binary};

/// A debug build on a busy machine starts slowly; a `query-api` waits for read models.
const READY_TIME_MAX: Duration = Duration::from_mins(1);

/// The services of the tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Decides commands; one of them leads the relay.
    CommandApi,
    /// Fills the read models.
    Projector,
    /// Serves the read models.
    QueryApi,
}

impl Program {
    /// The name of its binary.
    pub const fn binary(self) -> &'static str {
        match self {
            Self::CommandApi => "command-api",
            Self::Projector => "projector",
            Self::QueryApi => "query-api",
        }
    }

    const fn has_public_port(self) -> bool {
        match self {
            Self::CommandApi | Self::QueryApi => true,
            Self::Projector => false,
        }
    }
}

/// A program of a deployment. Its ports and its output file stay the same over restarts.
#[derive(Debug)]
pub struct Service {
    /// Which one.
    pub program: Program,
    /// The process, to be killed, stopped and read.
    pub process: Process,
    address: String,
    admin_address: String,
    environment: Vec<(String, String)>,
    output_file: PathBuf,
}

impl Service {
    pub(crate) fn spawn(
        program: Program,
        mut environment: Vec<(String, String)>,
        log_dir: &Path,
    ) -> anyhow::Result<Self> {
        let address = format!("127.0.0.1:{}", free_port());
        let admin_address = format!("127.0.0.1:{}", free_port());
        if program.has_public_port() {
            environment.push(("PRAXIS_LISTEN".to_owned(), address.clone()));
        }
        environment.push(("PRAXIS_ADMIN_LISTEN".to_owned(), admin_address.clone()));
        let output_file = log_dir.join(format!("{}-{}.log", program.binary(), new_id().simple()));
        let process = spawn(program, &environment, &output_file)?;
        Ok(Self {
            program,
            process,
            address,
            admin_address,
            environment,
            output_file,
        })
    }

    /// `http://127.0.0.1:port` of the public API.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `http://127.0.0.1:port` of `/metrics`, `/health` and `/ready`.
    pub fn admin(&self) -> String {
        format!("http://{}", self.admin_address)
    }

    /// Where its output goes.
    pub fn output_file(&self) -> &Path {
        &self.output_file
    }

    /// Starts it again after its end and waits until it is ready.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.spawn_again()?;
        self.wait_until_ready().await
    }

    /// Starts it again after its end and does not wait for it.
    pub fn spawn_again(&mut self) -> anyhow::Result<()> {
        self.process = spawn(self.program, &self.environment, &self.output_file)?;
        Ok(())
    }

    /// Waits until `/ready` answers 200.
    pub async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let address = self.admin_address.clone();
        self.process
            .wait_until_serving(&address, "/ready", READY_TIME_MAX)
            .await
    }

    /// Asks it to stop and waits for its end.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.terminate(READY_TIME_MAX).await
    }

    /// The same; its end must be a good one.
    pub async fn end_well(&mut self) -> anyhow::Result<()> {
        let status = self.terminate().await?;
        anyhow::ensure!(status.success(), "{} ended with {status}", self.program.binary());
        Ok(())
    }

    /// Everything `/metrics` says.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        Ok(reqwest::get(format!("{}/metrics", self.admin()))
            .await?
            .text()
            .await?)
    }

    /// What a metric says, summed over its labels; none before it was first set.
    pub async fn metric(&self, name: &str) -> anyhow::Result<Option<f64>> {
        let metrics = self.metrics().await?;
        let of_name = metrics.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (_, value) = rest.starts_with([' ', '{']).then(|| rest.rsplit_once(' '))??;
            value.parse::<f64>().ok()
        });
        Ok(of_name.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value)))
    }
}

fn spawn(program: Program, environment: &[(String, String)], output_file: &Path) -> anyhow::Result<Process> {
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Process::spawn_logging_to(
        output_file,
        &workspace_binary(program.binary()),
        &[],
        &environment,
    )
}
