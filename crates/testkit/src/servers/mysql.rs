//! How does a test get a MySQL server that it may kill?

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::scripted::{ScriptedServer, run_script};

/// A MySQL 9 of this test alone, durable as the event store demands. Dropping kills it and deletes its data.
#[derive(Debug)]
pub struct MySqlServer {
    server: ScriptedServer,
    url: String,
}

/// What a stopped server's data were at one time.
#[derive(Debug)]
pub struct MySqlData(TempDir);

impl MySqlServer {
    /// Starts a server and waits until it answers over TLS. The first call on a machine downloads MySQL.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same with more `mysqld` options, such as `--skip-log-bin`.
    pub async fn start_with(options: &[&str]) -> anyhow::Result<Self> {
        let server = ScriptedServer::start("mysql.sh", 1, options).await?;
        let url = run_script(server.script(), &["url", &server.port().to_string()]).await?;
        Ok(Self {
            server,
            url: url.trim_end().to_owned(),
        })
    }

    /// `mysql://user:password@127.0.0.1:port/?ssl-mode=REQUIRED`; see [`in_schema`](super::in_schema).
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The address without TLS, through `port` (a [`TcpProxy`](crate::tcp_proxy::TcpProxy)'s, or this server's own),
    /// so that a proxy can read the bytes. It works because the server has seen the password over TLS since its
    /// start, and then lets `caching_sha2_password` answer a challenge in the clear.
    pub fn url_without_tls(&self, port: u16) -> String {
        self.url
            .replace(&format!(":{}/", self.port()), &format!(":{port}/"))
            .replace("ssl-mode=REQUIRED", "ssl-mode=DISABLED")
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The server's process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// SIGKILL; the process is gone when this returns.
    pub fn kill_9(&mut self) {
        self.server.kill_9();
    }

    /// SIGTERM, and waits for the end: what an operator's restart does.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.server.stop().await
    }

    /// SIGSTOP: connections stay open and nothing answers.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.server.signal(Signal::SIGSTOP)
    }

    /// SIGCONT after [`pause`](Self::pause).
    pub fn resume(&self) -> anyhow::Result<()> {
        self.server.signal(Signal::SIGCONT)
    }

    /// Starts again on the same data and port, after killing what still runs.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill_9();
        self.server.serve().await
    }

    /// A backup: the data of a server that does not run.
    pub async fn copy_data(&self) -> anyhow::Result<MySqlData> {
        Ok(MySqlData(self.server.copy_data().await?))
    }

    /// A restore: replaces the data of a server that does not run.
    pub async fn put_back(&mut self, data: &MySqlData) -> anyhow::Result<()> {
        self.server.put_back(&data.0).await
    }

    /// Runs statements through the `mysql` client; rows as tab-separated lines without headings.
    pub async fn client(&self, statements: &str) -> anyhow::Result<String> {
        self.client_at(self.port(), &["-Nse", statements]).await
    }

    /// The `mysql` client with its own options, through another port that leads here.
    pub async fn client_at(&self, port: u16, options: &[&str]) -> anyhow::Result<String> {
        let port = port.to_string();
        let arguments: Vec<&str> = ["client", &port]
            .into_iter()
            .chain(options.iter().copied())
            .collect();
        run_script(self.server.script(), &arguments).await
    }
}
