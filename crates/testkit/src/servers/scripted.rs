//! How is a server run by one of our scripts started, killed and started again on the same data?

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A busy machine starts Kafka slowly; a server that has not answered by then never will.
const SERVING_SECONDS_MAX: &str = "120";
/// Another process may take a free port before the server does.
const START_ATTEMPTS_MAX: u32 = 3;

/// A server of one test: its ports, its data, and its process while it runs. Dropping kills it and deletes the data.
#[derive(Debug)]
pub(super) struct ScriptedServer {
    script: PathBuf,
    ports: Vec<u16>,
    options: Vec<String>,
    dir: TempDir,
    running: Option<Child>,
}

impl ScriptedServer {
    /// Sets up what the script needs (once for the checkout), makes a data directory and waits until it serves.
    pub(super) async fn start(script: &str, port_count: usize, options: &[&str]) -> anyhow::Result<Self> {
        let script = super::workspace_root().join("scripts").join(script);
        run_script(&script, &["setup"]).await?;
        let scratch = super::scratch_dir();
        std::fs::create_dir_all(&scratch).with_context(|| format!("create {}", scratch.display()))?;
        let mut server = Self {
            script,
            ports: Vec::new(),
            options: options.iter().map(ToString::to_string).collect(),
            dir: tempfile::Builder::new().prefix("test-").tempdir_in(&scratch)?,
            running: None,
        };
        let mut attempt = 1;
        loop {
            server.ports = std::iter::repeat_with(crate::ports::free_port)
                .take(port_count)
                .collect();
            match server.serve().await {
                Ok(()) => return Ok(server),
                Err(error) if attempt == START_ATTEMPTS_MAX => return Err(error),
                Err(_) => attempt += 1,
            }
            server.kill_9();
            server.remove_data()?;
        }
    }

    /// Starts the process on the data there is and waits until it serves.
    pub(super) async fn serve(&mut self) -> anyhow::Result<()> {
        ensure!(self.running.is_none(), "the server is running already");
        let log = self.open_log()?;
        let child = Command::new(&self.script)
            .arg("run")
            .arg(self.data_dir())
            .args(self.ports.iter().map(ToString::to_string))
            .args(&self.options)
            .env("PRAXIS_OWNER_PID", std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", self.script.display()))?;
        let pid = child.id().to_string();
        self.running = Some(child);
        let port = self.port().to_string();
        run_script(&self.script, &["wait", &port, SERVING_SECONDS_MAX, &pid])
            .await
            .with_context(|| format!("the server's log ends:\n{}", self.log_tail()))?;
        Ok(())
    }

    /// SIGKILL, and gone when this returns. Nothing when it does not run.
    pub(super) fn kill_9(&mut self) {
        if let Some(mut child) = self.running.take() {
            // Either fails only when the process has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and gone when this returns.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::SIGTERM)?;
        let mut child = self.running.take().context("the server does not run")?;
        tokio::task::spawn_blocking(move || child.wait()).await??;
        Ok(())
    }

    pub(super) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.pid().context("the server does not run")?;
        kill(Pid::from_raw(i32::try_from(pid)?), signal).with_context(|| format!("send {signal}"))
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Child::id)
    }

    pub(super) fn port(&self) -> u16 {
        *self.ports.first().expect("a server has at least one port")
    }

    pub(super) fn script(&self) -> &Path {
        &self.script
    }

    /// A copy of the data as it is now; the server must not run.
    pub(super) async fn copy_data(&self) -> anyhow::Result<TempDir> {
        ensure!(self.running.is_none(), "stop the server before copying its data");
        let copy = tempfile::Builder::new()
            .prefix("copy-")
            .tempdir_in(super::scratch_dir())?;
        copy_dir(&self.data_dir(), &copy.path().join("data")).await?;
        Ok(copy)
    }

    /// Puts the data of an earlier [`copy_data`](Self::copy_data) in place; the server must not run.
    pub(super) async fn put_back(&mut self, copy: &TempDir) -> anyhow::Result<()> {
        ensure!(
            self.running.is_none(),
            "stop the server before replacing its data"
        );
        self.remove_data()?;
        copy_dir(&copy.path().join("data"), &self.data_dir()).await
    }

    fn remove_data(&self) -> anyhow::Result<()> {
        let data = self.data_dir();
        if data.exists() {
            std::fs::remove_dir_all(&data).with_context(|| format!("remove {}", data.display()))?;
        }
        Ok(())
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn open_log(&self) -> anyhow::Result<File> {
        let path = self.dir.path().join("server.log");
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("open {}", path.display()))
    }

    fn log_tail(&self) -> String {
        const LINES_MAX: usize = 20;
        let log = std::fs::read_to_string(self.dir.path().join("server.log")).unwrap_or_default();
        let skipped = log.lines().count().saturating_sub(LINES_MAX);
        log.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.kill_9();
    }
}

/// Runs one of our scripts to its end; its standard output, or what it complained about.
pub(super) async fn run_script(script: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = tokio::process::Command::new(script)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("run {}", script.display()))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} {} failed: {complaint}",
            script.display(),
            arguments.first().unwrap_or(&"")
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

async fn copy_dir(from: &Path, to: &Path) -> anyhow::Result<()> {
    let status = tokio::process::Command::new("cp")
        .arg("-a")
        .arg("--reflink=auto")
        .arg(from)
        .arg(to)
        .status()
        .await?;
    ensure!(
        status.success(),
        "could not copy {} to {}",
        from.display(),
        to.display()
    );
    Ok(())
}
