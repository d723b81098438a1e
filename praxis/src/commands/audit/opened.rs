//! Which log is a command about: that of a data directory, or that of the services in MySQL?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use praxis_event_store::audit::AuditReader;
use praxis_event_store::port::LogReader;
use praxis_event_store::restore::RestoredLog;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::settings;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_sqlite::directory::{DirectoryError, OwnedDirectory};
use praxis_store_sqlite::log::{OpenOptions, SqliteLog};

use crate::cli::Data;
use crate::practice::LOG_FILE;

/// Patience with a server that has just been restored and has nothing in memory.
const TIMEOUT_MS: u64 = 60_000;

/// A log that is open.
pub struct OpenedLog {
    /// What it is read by.
    pub reader: Arc<dyn LogReader>,
    /// The same, believing nothing.
    pub audit: Arc<dyn AuditReader>,
    /// What begins another life of it.
    pub restored: Arc<dyn RestoredLog>,
    /// The data directory, where it is in one.
    pub data: Option<PathBuf>,
    file: Option<Arc<SqliteLog>>,
    _owned: Option<OwnedDirectory>,
}

impl OpenedLog {
    /// To be read; a server may be at work on it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn beside_others(config: &Config, data: &Data) -> Result<Self> {
        match directory(config, data)? {
            Some(data) => Self::of_directory(data, None).await,
            None => Self::of_server(config).await,
        }
    }

    /// To be changed. A data directory is owned meanwhile; who is at work on a server's log is found later.
    ///
    /// # Errors
    /// When it cannot be opened, or the directory is in use.
    pub async fn alone(config: &Config, data: &Data) -> Result<Self> {
        let Some(data) = directory(config, data)? else {
            return Self::of_server(config).await;
        };
        // Taking a directory makes it: a mistyped name must not leave one behind.
        require_log(&data)?;
        let owned = match OwnedDirectory::take(&data) {
            Err(DirectoryError::InUse { url }) => {
                let at = url.map(|url| format!(" by the server at {url}"));
                bail!(
                    "{} is in use{}: stop it first",
                    data.display(),
                    at.unwrap_or_default()
                )
            }
            taken => taken.with_context(|| format!("cannot use {}", data.display()))?,
        };
        Self::of_directory(data, Some(owned)).await
    }

    /// A log in a file by itself, such as a copy.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn of_file(file: &Path) -> Result<Self> {
        let log = Arc::new(SqliteLog::open(file, OpenOptions::default()).await?);
        Ok(Self {
            reader: Arc::<SqliteLog>::clone(&log),
            audit: Arc::<SqliteLog>::clone(&log),
            restored: Arc::<SqliteLog>::clone(&log),
            data: None,
            file: Some(log),
            _owned: None,
        })
    }

    async fn of_directory(data: PathBuf, owned: Option<OwnedDirectory>) -> Result<Self> {
        require_log(&data)?;
        let opened = Self::of_file(&data.join(LOG_FILE)).await?;
        Ok(Self {
            data: Some(data),
            _owned: owned,
            ..opened
        })
    }

    async fn of_server(config: &Config) -> Result<Self> {
        let url = config.require(&settings::EVENTS_URL)?;
        let options = MySqlLogOptions {
            timeout_ms: TIMEOUT_MS,
            ..MySqlLogOptions::default()
        };
        let log = MySqlLog::open(url.expose(), options)
            .await
            .context("cannot use the event store")?;
        let log = Arc::new(log);
        Ok(Self {
            reader: Arc::<MySqlLog>::clone(&log),
            audit: Arc::<MySqlLog>::clone(&log),
            restored: log,
            data: None,
            file: None,
            _owned: None,
        })
    }

    /// Closes it, and lets others have the directory.
    pub async fn close(self) {
        if let Some(file) = &self.file {
            file.close().await;
        }
    }
}

/// The directory that is named, or the default one where no server's log is.
fn directory(config: &Config, data: &Data) -> Result<Option<PathBuf>> {
    if data.data.is_none() && config.get(&settings::EVENTS_URL).is_some() {
        return Ok(None);
    }
    crate::data_directory(config, data).map(Some)
}

fn require_log(data: &Path) -> Result<()> {
    let file = data.join(LOG_FILE);
    anyhow::ensure!(file.is_file(), "there is no log at {}", file.display());
    Ok(())
}
