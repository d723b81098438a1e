//! How does a test run a practice in one process, on a data directory?

use std::path::Path;
use std::time::Duration;

use praxis_auth::generate::PemPair;
use praxis_testkit::ports::free_port;
use praxis_testkit::processes::{Process, workspace_binary};

/// A debug build on a busy machine starts slowly.
const TIME_MAX: Duration = Duration::from_mins(1);

/// `praxis serve`.
#[derive(Debug)]
pub struct OneProcess {
    /// The process, to be waited for and read.
    pub process: Process,
    /// Address of the API.
    pub api: String,
    /// Address of probes and metrics.
    pub admin: String,
}

impl OneProcess {
    /// Starts it on a data directory, with settings that join its own, and does not wait for it.
    pub fn spawn(data: &Path, signing: &PemPair, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let api = format!("127.0.0.1:{}", free_port());
        let admin = format!("127.0.0.1:{}", free_port());
        let data = data.display().to_string();
        let mut environment = vec![
            ("PRAXIS_DATA", &*data),
            ("PRAXIS_LISTEN", &*api),
            ("PRAXIS_ADMIN_LISTEN", &*admin),
            ("PRAXIS_JWT_PRIVATE_KEY", signing.private_pem()),
        ];
        environment.extend(settings);
        let process = Process::spawn(&workspace_binary("praxis"), &["serve"], &environment)?;
        Ok(Self { process, api, admin })
    }

    /// The same, and waits until it is ready.
    pub async fn start(data: &Path, signing: &PemPair, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut started = Self::spawn(data, signing, settings)?;
        started.wait_until_serving("/ready").await?;
        Ok(started)
    }

    /// Waits until that path of its admin address answers 200.
    pub async fn wait_until_serving(&mut self, path: &str) -> anyhow::Result<()> {
        self.process.wait_until_serving(&self.admin, path, TIME_MAX).await
    }

    /// Asks it to stop and waits for its end, which must be a good one.
    pub async fn end_well(&mut self) -> anyhow::Result<()> {
        let status = self.process.terminate(TIME_MAX).await?;
        anyhow::ensure!(status.success(), "praxis serve ended with {status}");
        Ok(())
    }
}
