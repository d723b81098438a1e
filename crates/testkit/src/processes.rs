//! How does a test run one of our programs, wait for it, and end it in every way an operator or a fault does?

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const POLL_INTERVAL: Duration = Duration::from_millis(20);
const PROBE_TIME_MAX: Duration = Duration::from_secs(2);

/// A running program of ours. Dropping it sends SIGKILL.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output_file: PathBuf,
    /// Holds the output of a process that was given no file for it.
    _dir: Option<TempDir>,
}

impl Process {
    /// Starts `binary` with nothing in its environment but `PATH` and `environment`, so that the developer's own
    /// settings do not reach it. Its output goes to a file: [`output`](Self::output).
    pub fn spawn(binary: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("praxis-process-").tempdir()?;
        let output_file = dir.path().join("output.log");
        Self::start(output_file, Some(dir), binary, arguments, environment)
    }

    /// The same with a file for its output, which outlives it; what is in it already stays.
    pub fn spawn_logging_to(
        output_file: &Path,
        binary: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::start(output_file.to_owned(), None, binary, arguments, environment)
    }

    fn start(
        output_file: PathBuf,
        dir: Option<TempDir>,
        binary: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&output_file)
            .with_context(|| format!("open {}", output_file.display()))?;
        let child = Command::new(binary)
            .args(arguments)
            .env_clear()
            .env("PATH", search_path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("start {}", binary.display()))?;
        let name = binary
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            name,
            child,
            output_file,
            _dir: dir,
        })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file of its standard output and standard error; gone with the process unless it was given one.
    pub fn output_file(&self) -> &Path {
        &self.output_file
    }

    /// Everything in the file of its standard output and standard error so far.
    pub fn output(&self) -> anyhow::Result<String> {
        let bytes = std::fs::read(&self.output_file)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits until `GET path` on `address` (`127.0.0.1:8080`) answers 200. Fails when the time is up or the process
    /// ends first, with its output.
    pub async fn wait_until_serving(
        &mut self,
        address: &str,
        path: &str,
        within: Duration,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            if timeout(PROBE_TIME_MAX, get_status(address, path))
                .await
                .is_ok_and(|status| status == Some(200))
            {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended with {status} before it served:\n{}",
                    self.name,
                    self.output()?
                );
            }
            if Instant::now() >= deadline {
                bail!(
                    "{} did not serve http://{address}{path} within {within:?}:\n{}",
                    self.name,
                    self.output()?
                );
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// How it ended, or none while it runs.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for it to end by itself.
    pub async fn wait(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("{} still runs after {within:?}:\n{}", self.name, self.output()?);
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        self.wait(within).await
    }

    /// SIGKILL; it is gone when this returns.
    pub fn kill_9(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGSTOP: it keeps its connections, locks and leases, and does nothing.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// SIGCONT after [`pause`](Self::pause).
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.pid())?);
        kill(pid, signal).with_context(|| format!("send {signal} to {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only when the process has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a program that another package of this workspace builds. Panics when it was not built: cargo builds
/// only a test's own programs, `make test` builds all before it starts.
pub fn workspace_binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // <target>/<profile>/deps/<test> beside <target>/<profile>/<name>
    let profile_dir = test.ancestors().nth(2).expect("a test lies in <profile>/deps");
    let binary = profile_dir.join(name);
    assert!(
        binary.is_file(),
        "{} is not built: run `cargo build --workspace --bins` first, or the tests through `make test`",
        binary.display()
    );
    binary
}

#[allow(
    clippy::disallowed_methods,
    reason = "the test environment is no setting of the product"
)]
fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// The status of one plain HTTP request; none when nobody answers in HTTP.
async fn get_status(address: &str, path: &str) -> Option<u16> {
    const HEAD_LEN_MAX: u64 = 32;
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    stream.take(HEAD_LEN_MAX).read_to_end(&mut head).await.ok()?;
    let line = String::from_utf8_lossy(&head);
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
