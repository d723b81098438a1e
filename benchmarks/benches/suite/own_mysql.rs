//! A MySQL server of the benchmarks alone, on a data directory that is kept: the tests' servers are thrown away.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use praxis_testkit::ports::free_port;
use praxis_testkit::servers::workspace_root;
use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use tokio::process::{Child, Command};

/// What differs from the server of the tests: a buffer pool that holds the practice's hot pages, as any deployment's
/// would, a redo log that does not force a checkpoint each second, and no week of binary logs. Durability is the same.
const OPTIONS: [&str; 3] = [
    "--innodb-buffer-pool-size=2G",
    "--innodb-redo-log-capacity=1G",
    "--binlog-expire-logs-seconds=3600",
];

const SERVING_SECONDS_MAX: &str = "180";

/// A running server; dropping it without [`OwnMySql::stop`] kills it, and `InnoDB` recovers at the next start.
pub struct OwnMySql {
    /// Without a schema.
    pub url: String,
    /// What the part of the server measured is written about.
    pub settings: String,
    child: Child,
}

impl OwnMySql {
    /// Starts it on that data directory, which is made when it is not there.
    pub async fn start(data: &Path) -> Result<Self> {
        let script = workspace_root().join("scripts/mysql.sh");
        let run = |arguments: Vec<String>| {
            let mut command = Command::new(&script);
            command.args(arguments).stdin(Stdio::null());
            command
        };
        let ready = run(vec!["setup".to_owned()]).status().await?;
        ensure!(ready.success(), "scripts/mysql.sh setup failed");
        let port = free_port().to_string();
        let log = File::create(data.with_extension("log")).context("cannot write the server's log")?;
        let mut arguments = vec![
            "run".to_owned(),
            data.to_string_lossy().into_owned(),
            port.clone(),
        ];
        arguments.extend(OPTIONS.map(str::to_owned));
        let child = run(arguments)
            .env("PRAXIS_OWNER_PID", std::process::id().to_string())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().context("the server ended at once")?.to_string();
        let waited = run(vec![
            "wait".to_owned(),
            port.clone(),
            SERVING_SECONDS_MAX.to_owned(),
            pid,
        ])
        .status()
        .await?;
        ensure!(
            waited.success(),
            "the server did not start; see {}",
            data.with_extension("log").display()
        );
        let url = run(vec!["url".to_owned(), port]).output().await?;
        Ok(Self {
            url: String::from_utf8(url.stdout)?.trim().to_owned(),
            settings: OPTIONS.join(" "),
            child,
        })
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Deletes its binary logs, which nobody will need, and stops it cleanly.
    pub async fn stop(mut self) -> Result<()> {
        let mut connection = MySqlConnection::connect(&self.url).await?;
        sqlx::raw_sql("RESET BINARY LOGS AND GTIDS; SHUTDOWN")
            .execute(&mut connection)
            .await?;
        self.child.wait().await?;
        Ok(())
    }
}
