//! The practice that rebuilds and reads are measured on: made once per tier by `praxis demo`, and kept.
//!
//! It lies in `.dev/bench/<tier>-<patients>`: `begun` and `complete` hold dates, `keys` the secrets, `data` the SQLite
//! files or the data directory of a MySQL server of its own. A making that was interrupted goes on where it was on the
//! same day, because the demonstration is of a day, and begins anew on another.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::NaiveDate;
use praxis_auth::claims::Role;
use praxis_event_store::port::LogReader;
use praxis_runtime::clock;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_sqlite::log::{OpenOptions, SqliteLog};
use praxis_testkit::processes::workspace_binary;
use tokio::process::Command;

use crate::bench_dir;
use crate::deployment::{Running, Services, one_process};
use crate::keys::Keys;
use crate::own_mysql::OwnMySql;

/// How often the making says how far it is.
const PROGRESS_PERIOD: Duration = Duration::from_secs(10);

/// One tier's practice.
pub struct Dataset {
    directory: PathBuf,
    patients: u32,
    /// What its processes share.
    pub keys: Keys,
    /// Around which day its appointments lie.
    pub begun: NaiveDate,
}

/// The practice on MySQL, its server running.
pub struct OnMySql {
    /// The practice.
    pub dataset: Dataset,
    /// Its server.
    pub server: OwnMySql,
    /// Its schemas.
    pub services: Services,
}

impl Dataset {
    fn open(tier: &str, patients: u32) -> Result<Self> {
        let directory = bench_dir().join(format!("{tier}-{patients}"));
        let today = clock::now().date_naive();
        if directory.exists()
            && !directory.join("complete").exists()
            && date_in(&directory.join("begun"))? != today
        {
            println!("the practice of an earlier day is incomplete; beginning anew");
            fs::remove_dir_all(&directory)?;
        }
        let keys = Keys::kept_in(&directory.join("keys"))?;
        if !directory.join("begun").exists() {
            fs::write(directory.join("begun"), today.to_string())?;
        }
        let begun = date_in(&directory.join("begun"))?;
        Ok(Self {
            directory,
            patients,
            keys,
            begun,
        })
    }

    fn is_complete(&self) -> bool {
        self.directory.join("complete").exists()
    }

    fn complete(&self, began: Instant) -> Result<()> {
        println!(
            "the practice of {} patients is made; this run took {:.0} s of it\n",
            self.patients,
            began.elapsed().as_secs_f64()
        );
        Ok(fs::write(
            self.directory.join("complete"),
            clock::now().date_naive().to_string(),
        )?)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The practice on MySQL; made when it is not there.
    pub async fn on_mysql(patients: u32) -> Result<OnMySql> {
        let dataset = Self::open("mysql", patients)?;
        let server = OwnMySql::start(&dataset.data()).await?;
        let services = Services::open(
            &server.url,
            "praxis_bench_events",
            "praxis_bench_views",
            dataset.keys.clone(),
        )
        .await?;
        if !dataset.is_complete() {
            let began = Instant::now();
            let command_api = services.command_api().await?;
            let log = MySqlLog::open(&services.events_url, MySqlLogOptions::default()).await?;
            let target = Target::Server(command_api.address);
            dataset.make(&target, &log).await?;
            command_api.stop().await?;
            dataset.complete(began)?;
        }
        Ok(OnMySql {
            dataset,
            server,
            services,
        })
    }

    /// The practice on SQLite, served by `praxis serve`; made when it is not there.
    pub async fn on_sqlite(patients: u32) -> Result<(Self, Running)> {
        let dataset = Self::open("sqlite", patients)?;
        let data = dataset.data();
        if !dataset.is_complete() {
            let began = Instant::now();
            if !data.exists() {
                one_process(&data, &dataset.keys).await?.stop().await?;
            }
            let log = SqliteLog::open(&data.join("events.db"), OpenOptions::default()).await?;
            dataset.make(&Target::Directory(&data), &log).await?;
            log.close().await;
            dataset.complete(began)?;
        }
        let running = one_process(&data, &dataset.keys).await?;
        Ok((dataset, running))
    }

    async fn make(&self, target: &Target<'_>, log: &dyn LogReader) -> Result<()> {
        println!(
            "making a practice of {} patients in {}, once",
            self.patients,
            self.directory.display()
        );
        let patients = self.patients.to_string();
        let mut command = Command::new(workspace_binary("praxis"));
        command.args(["demo", "--patients", &patients]);
        match target {
            Target::Server(address) => {
                let token = self.keys.token(Role::Admin)?;
                command.args(["--server", &format!("http://{address}"), "--token", &token]);
            }
            Target::Directory(data) => {
                command.arg("--data").arg(data);
            }
        }
        let mut child = command
            .env("PRAXIS_KEK", &self.keys.kek)
            .env("PRAXIS_CLAIMS_KEY", &self.keys.claims)
            .env("PRAXIS_JWT_PUBLIC_KEYS", &self.keys.public_pem)
            .env("PRAXIS_JWT_PRIVATE_KEY", &self.keys.private_pem)
            .env("PRAXIS_LOG", "warn")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut began = None;
        loop {
            if let Ok(ended) = tokio::time::timeout(PROGRESS_PERIOD, child.wait()).await {
                let ended = ended?;
                ensure!(ended.success(), "praxis demo ended with {ended}");
                return Ok(());
            }
            let position = log.head().await?.position;
            let (at, from) = *began.get_or_insert((Instant::now(), position));
            let seconds = at.elapsed().as_secs_f64();
            let rate = (position - from) as f64 / seconds.max(1.0);
            println!("  {position} events, {rate:.0}/s");
        }
    }
}

enum Target<'a> {
    Server(SocketAddr),
    Directory(&'a Path),
}

fn date_in(file: &Path) -> Result<NaiveDate> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim().parse()?)
}
